"""`dsar campaign kit`: each member sends; the desk that takes in what comes back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import click

from dsar.campaign.kit import (
    CHANNEL,
    KitLetter,
    drop_address,
    note_written,
    pack,
    write_letters,
)
from dsar.campaign.planning import Held
from dsar.campaign.roster import load_member, load_members, record, subject_of
from dsar.campaign.waves import Writing
from dsar.cli.app import App, pass_app
from dsar.cli.campaign_calls import kit_obstacle
from dsar.cli.campaigning import Room, alone, refuse_closed
from dsar.cli.options import global_options
from dsar.core.campaign_events import AnswerShared
from dsar.core.case import Case, LetterSent
from dsar.core.letter import Rendered, Stage
from dsar.core.member import Member
from dsar.core.message import Message
from dsar.core.reference import find_references
from dsar.errors import DoneInPart, DsarError, StorageFailed, UsageProblem
from dsar.home import make_private_folder, write_private
from dsar.inbox import Reception

KNOWN = "known"
"""What became of a message that was brought before."""


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("codes", nargs=-1, metavar="[MEMBER]...")
@click.option("-o", "--output", required=True, metavar="FOLDER",
              type=click.Path(file_okay=False, path_type=Path), help="Where the kits go.")
@click.option("--again", is_flag=True, help="Also for members who have one.")
@global_options
@pass_app
def kit(app: App, *, campaign_id: str, codes: tuple[str, ...], output: Path, again: bool) -> None:
    """Write each member's letters for the member to send: one ZIP a member, named by code.

    Each has a page with a link per letter, the letters as .eml and text, and the address to
    which the member brings answers back. A member who has a kit gets no second one, but with
    --again: then with what is not known to be sent, and letters to companies chosen since.
    """
    make_private_folder(output.absolute())
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        if room.by_mandate:
            raise UsageProblem(f"Campaign {campaign_id} sends with mandates.",
                               hint=f"dsar campaign send {campaign_id} -n")
        refuse_closed(room.campaign)
        account = room.account  # without an account no kit is begun
        with alone(room, "plan"):
            made = _write_kits(room, codes, output.absolute(), again=again)
    app.say(f"{made.kits} kits with {made.letters} letters in {output}; "
            f"answers come back to {account.address}.")
    if made.kits and not account.reply_tags:
        app.say("Try before you hand them out whether mail to "
                f"{account.address.replace('@', '+drop@')} arrives there.")
    if made.passed:
        app.say(f"{made.passed} members have a kit already, or left.")
    for line in made.failed[:20]:
        app.say(f"  {line}")
    if made.kits or made.passed:
        app.next(f"dsar campaign import {campaign_id}")
    if made.failed:
        raise DoneInPart(f"{len(made.failed)} kits could not be written.")


@dataclass
class _Made:
    """What became of the members. passed: had a kit, or left. failed: code and why."""

    kits: int = 0
    letters: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)


def _write_kits(room: Room, codes: Sequence[str], folder: Path, *, again: bool) -> _Made:
    made, writing = _Made(), room.writing(room.board.taken(room.campaign.id))
    members = ([load_member(room.store, room.campaign, c) for c in codes] if codes
               else list(load_members(room.store, room.campaign)))
    if not members:
        raise UsageProblem(f"Campaign {room.campaign.id} has no members.",
                           hint=f"dsar campaign add-members {room.campaign.id} FILE.csv")
    for member in members:
        if member.left or (member.kit and not again):
            made.passed += 1
            continue
        try:
            made.letters += _one_kit(room, member, writing, folder)
            made.kits += 1
        except StorageFailed:
            raise
        except DsarError as error:
            made.failed.append(f"{member.code}: {error}")
    return made


def _one_kit(room: Room, member: Member, writing: Writing, folder: Path) -> int:
    drop = drop_of(room, member)
    found = list(write_letters(member, writing, drop=drop, read=room.archive.read,
                               obstacle=kit_obstacle(room)))
    letters = [one for one in found if isinstance(one, KitLetter)]
    if not letters:
        held = next((h for h in found if isinstance(h, Held)), None)
        raise UsageProblem(f"no letter: {held.why}" if held else "no letter")
    hand_out(room, member, writing, letters, folder / f"kit-{member.code}.zip")
    return len(letters)


def hand_out(room: Room, member: Member, writing: Writing, letters: list[KitLetter], file: Path
             ) -> None:
    """Write a kit with these letters to the disk, and record it."""
    drop = drop_of(room, member)
    packed = pack(member, letters, _page(room, member, letters, drop), drop=drop)
    write_private(file, packed)
    note_written(member, packed, letters, writing)


def _page(room: Room, member: Member, letters: list[KitLetter], drop: str) -> Rendered:
    """The words of the page in the first of the member's languages that has them, else English."""
    started = room.campaign.started
    due = [d for one in letters
           if not one.reminder and (d := _due(room, room.store.case(one.case_id)))]
    facts: dict[str, object] = {
        "campaign": started.name, "letters": len(letters), "code": member.code,
        "email": subject_of(member, room.keys).email, "drop_address": drop,
        "analysis": member.analysis, "organisation": started.organisation,
        "contact": started.contact}
    if due:  # some laws set no period: then the page names none
        facts["first_due"] = min(due)
    return room.paper("kit", member.added.languages, facts)


def _due(room: Room, case: Case) -> date | None:
    from dsar.core.deadline import Facts, deadlines

    facts = case.facts
    law = room.app.laws.regimes[facts.regime]
    return deadlines(law, Facts(right=facts.right, received=room.app.today,
                                country=facts.country, subdivision=facts.subdivision),
                     room.app.laws.calendars).due


def drop_of(room: Room, member: Member) -> str:
    """The address to which a member brings answers back."""
    from dsar.drafting import tag_key

    return drop_address(room.account.address, member.code,
                        tag_key(room.app.home.tag_key, os.urandom))


class DropDesk:
    """Takes in what members bring back, one by one, and finds whose it is."""

    def __init__(self, room: Room, code: str | None) -> None:
        from dsar.cli.receiving import reception
        from dsar.drafting import tag_key

        self._room = room
        self._only = load_member(room.store, room.campaign, code) if code else None
        members = [self._only] if self._only else load_members(room.store, room.campaign)
        self._by_blind = {m.added.blind: m.code for m in members}
        key = tag_key(room.app.home.tag_key, os.urandom)
        self._by_drop = {drop_address(room.account.address, code, key).casefold(): code
                         for code in self._by_blind.values()}
        self._filing: Reception = reception(room.app, room.store, record=True)

    def take(self, raw: bytes) -> str:
        """File one message; return `filed`, `sent`, or why it stays out."""
        from dsar.mail.parse import parse

        outer = parse(raw, trusted_authserv=())
        code = self._bringer(outer)
        if code is None:
            return "nobody of the campaign brought it"
        inner = attached_message(raw)
        message = outer if inner is None else parse(inner, trusted_authserv=())
        case = self._case_of(code, message, outer)
        if case is None:
            return f"names no single case of {code}"
        if inner is None and self._is_own_letter(case, outer):
            return self._note_sent(case, outer)
        if inner is None and self._is_of_a_member(outer):
            if not outer.quoted_text.strip():
                return "holds no answer: it has to be forwarded, best as an attachment"
            message = replace(outer, own_text=outer.quoted_text, quoted_text="", sender=None,
                              message_id="")  # who brought it stands nowhere
        if case.reply(message.digest) is not None:
            self._note_shared(code, case, message)
            return KNOWN
        if self._is_waiting(case) and not _reminds(case):  # it answers the request
            self._record_sent(case, message, "", "an answer")
        self._filing.file_brought(inner or raw, message, case.id)
        self._note_shared(code, case, message)
        return "filed"

    def _is_of_a_member(self, outer: Message) -> bool:
        sender = outer.sender.addr if outer.sender else ""
        return self._room.keys.blinded(sender) in self._by_blind

    def _note_shared(self, code: str, case: Case, message: Message) -> None:
        member = load_member(self._room.store, self._room.campaign, code)
        if message.digest not in member.shared:
            record(self._room.store, self._room.campaign, member, AnswerShared(
                on=self._room.app.today, case_id=case.id, digest=message.digest))

    def _bringer(self, outer: Message) -> str | None:
        """The member: named by the user, by the drop address it came to, or by its sender."""
        if self._only is not None:
            return self._only.code
        for address in (*(a.addr for a in outer.recipients), *outer.delivered_to):
            if address.casefold() in self._by_drop:
                return self._by_drop[address.casefold()]
        sender = outer.sender.addr if outer.sender else ""
        return self._by_blind.get(self._room.keys.blinded(sender)) if sender else None

    def _case_of(self, code: str, message: Message, outer: Message) -> Case | None:
        """The one case of this member that a reference or thread in the message names."""
        own = [c for c in self._filing.cases.values()
               if c.facts.campaign == self._room.campaign.id and c.facts.subject_id == code]
        text = f"{outer.subject}\n{message.subject}\n{message.own_text}\n{message.quoted_text}"
        named = set(find_references(text))
        thread = {*message.in_reply_to, *message.references}
        found = {c.id: c for c in own
                 if c.facts.reference in named or thread & set(_ids(c))}
        if len(found) == 1:
            return next(iter(found.values()))
        return None

    def _is_own_letter(self, case: Case, outer: Message) -> bool:
        approved = case.approvals[-1] if case.approvals else None
        return approved is not None and any(
            a.addr.casefold() == approved.recipient.casefold() for a in outer.recipients)

    def _note_sent(self, case: Case, outer: Message) -> str:
        if not self._is_waiting(case) or (_reminds(case) and not self._is_copy(case, outer)):
            return KNOWN
        self._record_sent(case, outer, outer.message_id, "the member's copy")
        return "sent"

    def _is_copy(self, case: Case, outer: Message) -> bool:
        """Whether it is a copy of the reminder, and not once more of an earlier letter."""
        approved = case.approved
        if approved is None or outer.message_id in {sent.message_id for sent in case.letters}:
            return False
        from dsar.cli.receiving import local_date
        from dsar.mail.parse import parse

        when = outer.received or outer.dated
        if when and local_date(when) < approved.on:
            return False
        draft = parse(self._room.archive.read(approved.digest), trusted_authserv=())
        return " ".join(outer.subject.split()) == " ".join(draft.subject.split())

    def _is_waiting(self, case: Case) -> bool:
        return case.approved is not None and case.approved.channel == CHANNEL

    def _record_sent(self, case: Case, message: Message, message_id: str | None, how: str
                     ) -> Case:
        """The letter went out: on the day of its copy, or else no later than it was answered."""
        from dsar.cli.receiving import local_date

        approved = case.approved
        assert approved is not None
        on = local_date(message.received) if message.received else self._room.app.today
        event = LetterSent(on=on, message_id=message_id or approved.message_id,
                           stage=approved.stage, recipient=approved.recipient, channel=CHANNEL,
                           settled_by=how)
        self._room.store.append(case.id, [event], after=case.version)
        self._filing.cases[case.id] = self._room.store.case(case.id)
        return self._filing.cases[case.id]


def _reminds(case: Case) -> bool:
    """Whether what waits to be sent reminds of a request that is out."""
    return case.approved is not None and case.approved.stage is not Stage.REQUEST


def _ids(case: Case) -> tuple[str, ...]:
    return (*case.message_ids, *(a.message_id for a in case.approvals))


def attached_message(raw: bytes) -> bytes | None:
    """The one message attached to a forwarding one (message/rfc822), or None."""
    from email import message_from_bytes, policy

    found = [part for part in message_from_bytes(raw, policy=policy.default).walk()
             if part.get_content_type() == "message/rfc822"]
    if len(found) != 1:
        return None
    inner = found[0].get_payload(0)
    return inner.as_bytes() if hasattr(inner, "as_bytes") else None


COMMANDS = {"kit": kit}
