"""What the campaign commands share: the campaign with its keys, planner, board and desk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dsar.campaign.board import Board, ScanningBoard
from dsar.campaign.keys import Keyring, load_keyring
from dsar.campaign.mandates import Office
from dsar.campaign.planning import Planner, Taken
from dsar.campaign.roster import load_campaign
from dsar.campaign.waves import Writing
from dsar.cli.app import App
from dsar.cli.planning import excluded_companies, languages_for
from dsar.core.campaign import Campaign, same_name
from dsar.core.case import Case
from dsar.core.controller import Controller
from dsar.core.letter import Rendered
from dsar.core.member import Member
from dsar.core.plan import Choice
from dsar.core.regime import Regime
from dsar.core.subject import DataSubject, Place
from dsar.drafting import Desk
from dsar.errors import AnotherAtWork, NotSetUp, UsageProblem
from dsar.store import Store
from dsar.store.archive import Archive

if TYPE_CHECKING:
    from dsar.mail.account import Account
    from dsar.mail.compose import Attachment

PDF = "application/pdf"


@dataclass
class Room:
    """One campaign as a command works with it."""

    app: App
    store: Store
    campaign: Campaign

    @classmethod
    def of(cls, app: App, store: Store, campaign_id: str) -> Room:
        """The campaign with this id. Raises UsageProblem."""
        return cls(app, store, load_campaign(store, campaign_id))

    @property
    def folder(self) -> Path:
        """Where the campaign's keys lie."""
        return campaign_folder(self.app, self.campaign.id)

    @cached_property
    def keys(self) -> Keyring:
        """What planning and sending need. Raises NotSetUp."""
        return load_keyring(self.folder)

    @cached_property
    def archive(self) -> Archive:
        """The archive as the campaign's letters and mandates lie in it: sealed."""
        return Archive(self.app.shelf, self.keys.letters)

    @cached_property
    def board(self) -> Board:
        """What finds the cases of the campaign."""
        return board_over(self.store)

    @property
    def by_mandate(self) -> bool:
        """Whether the group sends, and so needs mandates."""
        return self.campaign.started.mode == "mandate"

    @cached_property
    def companies(self) -> list[Controller]:
        """The targets, as the registry has them now, in its order: of a group the same company is
        written to as by a person who files alone. Raises UsageProblem, UnknownCompany."""
        if not self.campaign.targets:
            raise UsageProblem(f"Campaign {self.campaign.id} has no targets.",
                               hint=f"dsar campaign targets {self.campaign.id} SLUG...")
        chosen = {self.app.registry.get(slug).slug for slug in self.campaign.targets}
        return [company for company in self.app.registry if company.slug in chosen]

    @cached_property
    def account(self) -> Account:
        """The account letters go out from. Raises NotSetUp."""
        from dsar.cli.mailing import account_named

        return account_named(self.app, self.campaign.started.account or None)

    def planner(self, taken: Taken) -> Planner:
        """What planning needs; each member by the rules of a person who files alone."""
        return Planner(campaign=self.campaign, keys=self.keys, companies=self.companies,
                       choice=self._choices(), taken=taken, today=self.app.today,
                       by_mandate=self.by_mandate, access=self._access_of)

    def _access_of(self, code: str) -> Sequence[Case]:
        return self._access.get(code, ())

    @cached_property
    def _access(self) -> dict[str, list[Case]]:
        """The members' requests for access, by code; read only where erasures are planned."""
        found: dict[str, list[Case]] = {}
        for case in self.store.cases():
            if case.facts.campaign == self.campaign.id and case.facts.right == "access":
                found.setdefault(case.facts.subject_id, []).append(case)
        return found

    def _choices(self) -> Callable[[DataSubject, str], Choice]:
        from dsar.core.applicable import applicable
        from dsar.keeping.tombstones import load_tombstones

        app, known = self.app, dict[tuple[Place, str], list[tuple[Regime, str]]]()
        excluded = excluded_companies(app, self.store.house())
        tombstones = load_tombstones(app.home.tombstones)
        targets = frozenset(self.campaign.targets)

        def laws(place: Place, company: Controller) -> list[tuple[Regime, str]]:
            if (place, company.slug) not in known:
                known[place, company.slug] = [
                    (app.laws.regimes[a.regime_id], a.because)
                    for a in applicable(place, company, app.laws, app.today)]
            return known[place, company.slug]

        def choice(subject: DataSubject, right: str) -> Choice:
            return Choice(
                right=right, subject=subject, today=app.today, named=targets,
                languages=lambda regime: languages_for(app, regime, right),
                regimes_for=lambda company: laws(subject.residence, company),
                excluded=excluded, tombstones=tombstones,
                anyway=self.campaign.started.erasure_because or None)

        return choice

    def writing(self, taken: Taken) -> Writing:
        """What writing letters needs."""
        return Writing(store=self.store, board=self.board, planner=self.planner(taken),
                       desk=self.desk, today=self.app.today)

    def desk(self, member: Member) -> Desk:
        """Writes in the name of a member, from the group's mailbox, with the mandate enclosed."""
        from dsar.cli.sending import composed
        from dsar.drafting import Sender, tag_key
        from dsar.letters.words import render

        app, account, enclosed = self.app, self.account, self._enclosed(member)
        key = tag_key(app.home.tag_key, os.urandom) if account.reply_tags else None
        return Desk(
            store=self.store, archive=self.archive, today=app.today, now=app.now(),
            entropy=os.urandom, render=lambda letter: render(letter, app.template_folders),
            sender=Sender(account=account.name, address=account.address, tag_key=key,
                          display_name=self.campaign.started.organisation),
            compose=lambda words, letter, headers: composed(
                words, letter, headers, annexes=enclosed,
                copy_to=letter.subject.email if member.added.in_copy else None))

    def _enclosed(self, member: Member) -> Sequence[Attachment]:
        from dsar.mail.compose import Attachment

        if not self.by_mandate or member.mandate is None:
            return ()
        content = self.archive.read(member.mandate.digest)
        return (Attachment(name=f"mandate-{member.code}{suffix_of(content)}",
                           type=type_of(content), content=content),)

    def paper(self, kind: str, languages: Sequence[str], facts: dict[str, object]) -> Rendered:
        """A paper in the first of these languages that has it, else English."""
        from dsar.letters.words import paper_languages, render_paper

        folders = self.app.template_folders
        there = paper_languages(kind, folders)
        language = next((code for code in languages if code in there), "en")
        return render_paper(kind, language, facts, folders)

    def office(self) -> Office:
        """What handling mandates needs."""
        return Office(store=self.store, board=self.board, archive=self.archive, keys=self.keys,
                      campaign=self.campaign, today=self.app.today, paper=self.paper,
                      company_names=[c.legal_entity or c.name for c in self.companies])


def board_over(store: Store) -> Board:
    """The board of a store: many writers have one of their own, one writer looks at all cases."""
    make = getattr(store, "board", None)
    found: Board = make() if make is not None else ScanningBoard(store)
    return found


def campaign_folder(app: App, campaign_id: str) -> Path:
    """Where a campaign's keys lie; the id is a slug, so that it names no other folder."""
    return app.home.campaigns / campaign_id


def letters_of(app: App, campaign_id: str) -> Archive | None:
    """The archive with the campaign's key; None on a machine that does not have it."""
    try:
        return Archive(app.shelf, load_keyring(campaign_folder(app, campaign_id)).letters)
    except NotSetUp:
        return None


@contextmanager
def alone(room: Room, what: str) -> Iterator[Callable[[], None]]:
    """Nobody else does the same to this campaign meanwhile. Raises AnotherAtWork.

    Gives what a long piece of work calls between two steps: it raises AnotherAtWork once the
    database was away, for then somebody else may have begun.
    """
    name = f"{what} {room.campaign.id}"

    def still() -> None:
        if not room.board.holds(name):
            raise AnotherAtWork(f"The database was away: {name} stops half-way.",
                                hint="Run it again: it goes on where it stopped.")

    with room.board.alone(name) as mine:
        if not mine:
            raise AnotherAtWork(f"Somebody else is at it: {name}.",
                                hint="Run it again when that is done.")
        yield still


def refuse_closed(campaign: Campaign) -> None:
    """Raise UsageProblem for a campaign that is closed: nobody new, and no further paper."""
    if campaign.closed:
        raise UsageProblem(f"Campaign {campaign.id} is closed.")


def who(app: App, by: str | None) -> str:
    """Who acts: --by, else DSAR_AUTHOR, else the user of this machine.

    Raises UsageProblem for nobody, and for `dsar`, which is what the program calls itself.
    """
    import getpass

    name = same_name(by or app.environment.get("DSAR_AUTHOR") or getpass.getuser())
    if name in ("", "dsar"):
        raise UsageProblem("It is not known who acts.", hint="--by NAME, or DSAR_AUTHOR.")
    return by or app.environment.get("DSAR_AUTHOR") or getpass.getuser()


def type_of(content: bytes) -> str:
    """The media type of a signed mandate, by its first bytes."""
    for start, media in ((b"%PDF-", PDF), (b"\xff\xd8\xff", "image/jpeg"),
                         (b"\x89PNG\r\n", "image/png"), (b"PK\x03\x04",
                          "application/vnd.openxmlformats-officedocument."
                          "wordprocessingml.document")):
        if content.startswith(start):
            return media
    return "application/octet-stream"


def suffix_of(content: bytes) -> str:
    """The file name suffix that goes with `type_of`."""
    known = {PDF: ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
    media = type_of(content)
    return known.get(media, ".docx" if "word" in media else ".bin")


def entropy(count: int) -> bytes:
    """That many random bytes of the system."""
    return os.urandom(count)
