"""The course of a case: what due dates, status and statistics rest on, the same on every day.

It names nobody and holds no address, no Message-ID and no word of a mail, so that many cases share
one course. `dsar.core.glance` adds whose it is.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from dsar.core.case import Case, ClockEvent, ExtensionNotified, IdentityProvided, Reply
from dsar.core.letter import Stage
from dsar.core.moments import Moment
from dsar.core.needs import confirmed_answer, is_acknowledged, needs_you


class Sent(NamedTuple):
    """A letter of ours that left; `bounced`: it came back for good."""

    on: date
    stage: Stage
    channel: str
    bounced: bool


class Heard(NamedTuple):
    """A filed reply with the labels of its readings; None where nobody has read it so."""

    on: date
    machine: tuple[str, ...] | None
    confirmed: tuple[str, ...] | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the reading that counts: a person's before a machine's."""
        return (self.machine or ()) if self.confirmed is None else self.confirmed


class Receipt(NamedTuple):
    """When the request reached the controller, as far as that is known."""

    on: date


class Lodged(NamedTuple):
    """A complaint to a supervisory authority."""

    on: date
    authority: str


class Ended(NamedTuple):
    """How the person closed the case."""

    on: date
    outcome: str


class Checked(NamedTuple):
    """Which demands the answer meets, as a person checked them."""

    present: tuple[str, ...]
    missing: tuple[str, ...]


class Course(NamedTuple):
    """One course; `course` makes it, `dsar.core.glance` writes and reads it as JSON.

    outside: the controller sits outside the law's countries. refused: "", "for now" or "for
    good". came_back: the latest letter did not arrive. moments: what moves the law's clock.
    needs: the open question to the person, or "". answered: a person confirmed an answer.
    proofs: how identity was proved, the person's own words and the only ones in here.
    told: kinds of identifiers in letters that left or may have left, without their values.
    """

    right: str
    regime: str
    language: str
    country: str
    subdivision: str | None
    outside: bool
    on: date
    letters: tuple[Sent, ...]
    in_doubt: bool
    refused: str
    came_back: bool
    bounced: bool
    receipt: Receipt | None
    moments: tuple[Moment, ...]
    replies: tuple[Heard, ...]
    needs: str
    answered: bool
    acknowledged: bool
    complaint: Lodged | None
    closed: Ended | None
    checked: Checked | None
    proofs: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def request(self) -> Sent | None:
        """The request that counts: the latest that was sent and did not come back."""
        return next((s for s in reversed(self.letters)
                     if s.stage is Stage.REQUEST and not s.bounced), None)

    @property
    def reminders(self) -> tuple[Sent, ...]:
        """The letters after the request that ask for it again, those that came back included."""
        return tuple(s for s in self.letters if s.stage in (Stage.REMINDER, Stage.FOLLOW_UP))


def course(case: Case) -> Course:
    """Return the course of a case."""
    facts = case.facts
    return Course(
        facts.right, facts.regime, facts.language, facts.country, facts.subdivision,
        facts.controller_outside, facts.on,
        letters=tuple(Sent(s.on, s.stage, s.channel, s.message_id in case.bounced)
                      for s in case.letters),
        in_doubt=case.in_doubt is not None, refused=_refused(case),
        came_back=bool(case.bounce and case.bounce.is_final and case.letters),
        bounced=bool(case.bounced), receipt=Receipt(case.receipt.on) if case.receipt else None,
        moments=tuple(map(_moment, case.clock)), replies=tuple(map(_heard, case.replies)),
        needs=needs_you(case), answered=confirmed_answer(case) is not None,
        acknowledged=is_acknowledged(case),
        complaint=Lodged(case.complaint.on, case.complaint.authority) if case.complaint else None,
        closed=Ended(case.closed.on, case.closed.outcome) if case.closed else None,
        checked=Checked(case.checked.present, case.checked.missing) if case.checked else None,
        proofs=tuple(e.how for e in case.clock if isinstance(e, IdentityProvided)),
        told=_told(case),
    )


def _refused(case: Case) -> str:
    if case.refused is None:
        return ""
    return "for now" if case.refused.temporary else "for good"


def _moment(event: ClockEvent | IdentityProvided | ExtensionNotified) -> Moment:
    match event:
        case IdentityProvided():
            return Moment(type="id_provided", on=event.on)
        case ExtensionNotified():
            return Moment(type="extension_notice", on=event.on, justified=event.reasoned,
                          until=event.until)
        case ClockEvent():
            return Moment(type=event.type, on=event.on, justified=event.justified)


def _heard(reply: Reply) -> Heard:
    machine, confirmed = reply.machine, reply.confirmed
    return Heard(reply.received.on, machine.labels if machine else None,
                 confirmed.labels if confirmed else None)


def _told(case: Case) -> tuple[str, ...]:
    """Kinds of identifiers in the letters that left or may have left, each once."""
    if not case.approvals:
        return ()
    gone = {s.message_id for s in case.letters} | {a.message_id for a in case.unsettled}
    return tuple(dict.fromkeys(
        kind for a in case.approvals if a.message_id in gone for kind, _ in a.disclosed))
