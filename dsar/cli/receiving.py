"""Builds what filing of mail needs from the home: cases, index, reading, due dates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dsar.cli.app import App
from dsar.core.case import Case
from dsar.core.caseindex import CaseIndex
from dsar.core.match import Match, match
from dsar.core.message import Message
from dsar.core.status import deadline_facts
from dsar.errors import StorageFailed
from dsar.inbox import Discretion, Found, Reception, case_facts
from dsar.store import Store

if TYPE_CHECKING:
    from dsar.mail.budget import Slimmed, Slimmer
    from dsar.reading.reading import DueFacts, Reading
    from dsar.store.archive import Archive, Held


def reception(app: App, store: Store, *, record: bool) -> Reception:
    """What files messages; record=False judges only and writes nothing."""
    cases = {case.id: case for case in store.cases()}
    house = store.house()
    index = index_of(app, cases)
    return Reception(
        cases=cases, judge=judge(app, cases, index), local=local_date, now=app.now,
        store=store if record else None, archive=app.archive if record else None,
        set_aside=set(house.seen), learned=index.learn,
        discretion=lambda concerned: _discretion(app, store, concerned),
        same=partial(_says_the_same, app),
    )


def _says_the_same(app: App, digest: str, message: Message) -> bool:
    """Whether an archived mail has sender, date, words and attachments of a message.

    What cannot be opened here is another mail: better filed twice than not at all.
    """
    from dsar.mail.parse import parse
    from dsar.store.sealing import Locked

    try:
        known = parse(app.archive.read(digest), trusted_authserv=())
    except (StorageFailed, Locked):
        return False
    return _content(known) == _content(message)


def _content(message: Message) -> tuple[object, ...]:
    parts = sorted((part.name, part.size, part.digest) for part in message.parts)
    texts = [" ".join(text.split()) for text in (message.own_text, message.quoted_text)]
    return (message.sender, message.subject, message.dated, texts, parts, message.report)


LARGE = 4 * 1024 * 1024
"""Octets above which a mail goes to the disk as it comes, and not through memory."""


@contextmanager
def taken_in(
    pieces: Iterable[bytes], archive: Archive
) -> Iterator[tuple[bytes | Held, Slimmed]]:
    """A mail as it arrives: its bytes, or what holds them where there are many; and for parsing.

    What was held and not kept is removed at the end. Raises StorageFailed, and what the pieces
    raise.
    """
    from dsar.mail.budget import Slimmer, slim

    rest, begun, size = iter(pieces), list[bytes](), 0
    for piece in rest:
        begun.append(piece)
        size += len(piece)
        if size > LARGE:
            break
    else:
        raw = b"".join(begun)
        yield raw, slim(raw)
        return
    slimmer = Slimmer()
    held = archive.hold(_fed(slimmer, begun, rest))
    try:
        yield held, slimmer.finish()
    finally:
        held.drop()


def file_mail(
    app: App, filing: Reception, pieces: Iterable[bytes], received: datetime | None
) -> Found:
    """File one mail as it comes, a long one through the disk; in a dry run nothing is written."""
    from dsar.mail.parse import parse

    if filing.archive is None:
        raw = b"".join(pieces)
        return filing.file(raw, parse(raw, trusted_authserv=(), received=received))
    with taken_in(pieces, app.archive) as (held, slimmed):
        return filing.file(held, parse(slimmed, trusted_authserv=(), received=received))


def _fed(slimmer: Slimmer, begun: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    while begun:
        slimmer.feed(begun[0])
        yield begun.pop(0)
    for piece in rest:
        slimmer.feed(piece)
        yield piece


def _discretion(app: App, store: Store, cases: Sequence[Case]) -> Discretion | None:
    """How a message that may answer these cases is kept: only members' mail is sealed to them."""
    if not any(case.facts.campaign for case in cases):
        return None
    from dsar.cli.campaign_poll import discretion

    return discretion(app, store, cases)


def index_of(app: App, cases: dict[str, Case]) -> CaseIndex:
    """The index over all cases, with the hosts that say nothing about who writes."""
    from dsar.mail.shared import shared_domains

    lists = shared_domains()
    own = [p.email for p in app.config.people]
    return CaseIndex.of(map(case_facts, cases.values()), free_mail=lists.free_mail,
                        help_desks=lists.help_desks, own=own)


def judge(
    app: App, cases: dict[str, Case], index: CaseIndex
) -> Callable[[Message], tuple[Match, Reading]]:
    """Matching and reading of one message, with the due dates of the case it answers."""
    from dsar.reading.classify import is_topical, read

    letters, members = _OwnLetters(app, cases), any(c.facts.campaign for c in cases.values())

    def decide(message: Message) -> tuple[Match, Reading]:
        if members and is_brought(message):
            return Match(), read(message)  # `campaign import` knows who brings it
        found = match(message, index, topical=is_topical(message))
        case_id = next(iter(found.case_ids or found.candidates), None)
        if case_id is None:
            return found, read(message, suspicious=found.suspicious)
        return found, read(
            message, facts=index.facts[case_id], due=due_facts(app, cases[case_id]),
            letters=letters.of(case_id), suspicious=found.suspicious)

    return decide


def is_brought(message: Message) -> bool:
    """Whether a message came to the address at which a member of a campaign brings answers."""
    addresses = [a.addr for a in message.recipients] + list(message.delivered_to)
    return any("+drop-" in address.lower() for address in addresses)


class _OwnLetters:
    """The words of our own letters in a case, read from the archive once."""

    def __init__(self, app: App, cases: dict[str, Case]) -> None:
        self._app, self._cases = app, cases
        self._known: dict[str, tuple[str, ...]] = {}
        self._sealed: dict[str, Archive | None] = {}

    def of(self, case_id: str) -> tuple[str, ...]:
        """The texts of the letters that were approved; what cannot be read here is left out."""
        if case_id not in self._known:
            from dsar.mail.parse import parse

            case = self._cases[case_id]
            archive = self._archive(case.facts.campaign)
            digests = [a.digest for a in case.approvals if archive and archive.has(a.digest)]
            self._known[case_id] = tuple(
                parse(archive.read(d), trusted_authserv=()).own_text for d in digests if archive)
        return self._known[case_id]

    def _archive(self, campaign: str | None) -> Archive | None:
        """Where the letters can be read; a campaign's only with its key, None without."""
        if campaign is None:
            return self._app.archive
        if campaign not in self._sealed:
            from dsar.cli.campaigning import letters_of

            self._sealed[campaign] = letters_of(self._app, campaign)
        return self._sealed[campaign]


def due_facts(app: App, case: Case) -> DueFacts | None:
    """What the law says of a case's dates, for reading an extension; None without a number."""
    from dsar.core.deadline import Facts, Moment, deadlines
    from dsar.reading.reading import DueFacts

    facts = deadline_facts(case)
    regime = app.laws.regimes.get(case.facts.regime)
    if facts is None or regime is None:
        return None
    calendars = app.laws.calendars
    bare = replace(facts, moments=())
    due = deadlines(regime, bare, calendars).due
    if due is None:
        return None
    notice = Moment(type="extension_notice", on=facts.received)
    longest = deadlines(regime, replace(bare, moments=(notice,)), calendars).extended_due

    def period_from(day: date) -> date:
        fresh = Facts(right=facts.right, received=day, country=facts.country,
                      subdivision=facts.subdivision)
        return deadlines(regime, fresh, calendars).due or day

    return DueFacts(sent_on=facts.received, due_on=due, latest_due_on=longest or due,
                    period_from=period_from)


def local_date(instant: datetime) -> date:
    """The calendar day of an instant where the user is."""
    return instant.astimezone().date()


def found_item(file: str, found: Found) -> dict[str, Any]:
    """The JSON line of `inbox read` and `poll` for one message; no word of a sealed one."""
    reading, chosen = found.reading, found.match.case_ids
    case: str | list[str] | None = None
    if chosen:
        case = chosen[0] if len(chosen) == 1 else list(chosen)
    due = reading.clock.new_due_on
    return {
        "file": file, "message_id": found.message.message_id, "case": case,
        "candidates": list(found.match.candidates),
        "evidence": [f"{e.kind}: {e.case_id} ({e.detail})" for e in found.match.evidence],
        "label": str(reading.label), "labels": [str(label) for label in reading.labels],
        "confidence": round(reading.confidence, 3),
        "sentence": "" if found.sealed else reading.sentence,
        "language": reading.language, "new_due_on": due.isoformat() if due else None,
        "suspicious": found.match.suspicious, "why": found.match.why, "new": found.new,
    }
