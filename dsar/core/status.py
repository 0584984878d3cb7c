"""What a case is now, how urgent it is, and what the person would do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dsar.core.case import Case, ClockEvent, ExtensionNotified, IdentityProvided, Reply
from dsar.core.deadline import Deadlines, Facts, Moment
from dsar.core.followup import SHORT_TIME
from dsar.core.letter import Stage
from dsar.core.message import Label

GRACE = timedelta(days=3)
"""Days after the latest defensible due date before a complaint is offered (tool policy)."""

POST_TAKES = timedelta(days=7)
"""Until when a posted letter is taken to arrive, unless the receipt is known (tool policy)."""

APPLIED_BY_ITSELF = frozenset({
    Label.ACKNOWLEDGEMENT, Label.AUTO_REPLY, Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY,
})
"""Machine readings that need no person: none of them moves the legal state."""

ANSWERS = frozenset({
    Label.FULFILLED_ACCESS, Label.FULFILLED_ERASURE, Label.NO_DATA_HELD, Label.REFUSAL,
    Label.PARTIAL_FULFILMENT,
})

NO_ANSWER_TO: dict[str, Label] = {
    "access": Label.FULFILLED_ERASURE, "erasure": Label.FULFILLED_ACCESS,
}
"""What is no answer to a request: an account that was deleted in reply to a question."""

ASKS: dict[Label, str] = {
    Label.IDENTITY_REQUEST: "asks for proof of identity",
    Label.CLARIFICATION_REQUEST: "asks what exactly you want",
    Label.REDIRECT_TO_PORTAL: "sends you to a web form",
    Label.REDIRECT_TO_OTHER_CONTROLLER: "names another controller",
    Label.FEE_DEMAND: "asks for a fee",
}


class Status(StrEnum):
    """Where a case stands; each word is the one the reports use."""

    UNSENT = "unsent"
    IN_DOUBT = "in-doubt"
    REFUSED = "refused"
    BOUNCED = "bounced"
    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    NEEDS_YOU = "needs-you"
    EXTENDED = "extended"
    OVERDUE = "overdue"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A case as `status` shows it. `days_left` is negative once the due date is past."""

    case: Case
    status: Status
    deadlines: Deadlines | None
    days_left: int | None
    needs_you: str
    next: str

    @property
    def due(self) -> date | None:
        """The due date without an extension."""
        return self.deadlines.due if self.deadlines else None

    @property
    def answer_by(self) -> date | None:
        """The date that counts today: the extended one where an extension is valid."""
        return self.deadlines.answer_by if self.deadlines else None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still expected."""
        return self.status not in (Status.CLOSED, Status.ANSWERED)


def deadline_facts(case: Case) -> Facts | None:
    """Return what the law's clock needs to know, or None while no request has arrived.

    Without a known receipt the day of sending counts: the server's 250 is acceptance, and
    receipt is presumed on the same day for e-mail, and `POST_TAKES` later for a posted letter.
    A receipt before that day is that of an earlier letter, which came back.
    """
    request = case.request
    if request is None:
        return None
    presumed = request.on + POST_TAKES if request.channel == "post" else request.on
    known = case.receipt is not None and case.receipt.on >= request.on
    received = case.receipt.on if case.receipt and known else presumed
    moments = [Moment(type="sent", on=request.on), *map(_moment, case.clock)]
    return Facts(right=case.facts.right, received=received, country=case.facts.country,
                 subdivision=case.facts.subdivision, moments=tuple(moments),
                 flags={"controller_outside_eu": case.facts.controller_outside})


def _moment(event: ClockEvent | IdentityProvided | ExtensionNotified) -> Moment:
    match event:
        case IdentityProvided():
            return Moment(type="id_provided", on=event.on)
        case ExtensionNotified():
            return Moment(type="extension_notice", on=event.on, justified=event.reasoned,
                          until=event.until)
        case ClockEvent():
            return Moment(type=event.type, on=event.on, justified=event.justified)


def standing(case: Case, deadlines: Deadlines | None, today: date) -> Standing:
    """Return where `case` stands on `today`; `deadlines` are those of `deadline_facts(case)`."""
    needs = needs_you(case)
    status = _status(case, deadlines, today, needs)
    by = deadlines.answer_by if deadlines else None
    left = (by - today).days if by else None
    return Standing(case=case, status=status, deadlines=deadlines, days_left=left,
                    needs_you=needs if status is not Status.CLOSED else "",
                    next=_next(case, status, deadlines, today))


def is_overdue(deadlines: Deadlines | None, today: date) -> bool:
    """Whether the due date (or the validly extended one) is past; never where there is none."""
    return deadlines is not None and deadlines.answer_by is not None and (
        today > deadlines.answer_by)


def may_complain(deadlines: Deadlines | None, today: date) -> bool:
    """Whether even the latest defensible due date plus grace is past."""
    after = deadlines.complain_after if deadlines else None
    return after is not None and today > after + GRACE


def needs_you(case: Case) -> str:
    """Why a person has to look, or an empty string."""
    if case.closed:
        return ""
    if case.in_doubt:
        return "may or may not have been sent"
    if case.request is None:
        return _unsent_reason(case)
    for reply in reversed(case.replies):
        if reason := _open_question(case, reply):
            return reason
    return _complaint_came_back(case)


def _complaint_came_back(case: Case) -> str:
    """A complaint that did not arrive was not lodged, and no period of the authority runs."""
    sent = [s.message_id for s in case.letters if s.stage is Stage.COMPLAINT]
    back = sent and sent[-1] in case.bounced and case.complaint is None
    return "the complaint came back" if back else ""


def _unsent_reason(case: Case) -> str:
    if case.bounce and case.bounce.is_final and case.letters:
        return ("the address does not work" if case.bounce.permanent
                else "the letter came back, the address may work later")
    if case.refused and not case.refused.temporary:
        return "the mail server refused the letter"
    return ""


def _open_question(case: Case, reply: Reply) -> str:
    reading = reply.reading
    labels = {Label(label) for label in reading.labels} if reading else {Label.UNCLEAR}
    if reply.confirmed is None and not labels <= APPLIED_BY_ITSELF:
        return "a reply waits to be read"
    if NO_ANSWER_TO.get(case.facts.right) in labels and not answered_since(case, reply):
        return f"did something else, you asked for {case.facts.right}"
    for label, words in ASKS.items():
        if label in labels and not answered_since(case, reply):
            return words
    return ""


def answered_since(case: Case, reply: Reply, *, letters: bool = True) -> bool:
    """Whether the person did what that reply asks for since, or (`letters`) wrote about it."""
    when, left = reply.received.on, {a.message_id: a.at for a in case.attempts}
    acted = [e.on for e in case.clock if isinstance(e, IdentityProvided)
             or (isinstance(e, ClockEvent) and e.type.endswith(("_provided", "_paid")))]
    after = [left[s.message_id] > reply.received.at if s.message_id in left else s.on >= when
             for s in case.letters if s != case.request]
    return any(day >= when for day in acted) or (letters and any(after))


def confirmed_answer(case: Case) -> Label | None:
    """The latest answer that a person confirmed, or None."""
    for reply in reversed(case.replies):
        if reply.confirmed:
            for label in reply.confirmed.labels:
                if Label(label) in ANSWERS and label != NO_ANSWER_TO.get(case.facts.right):
                    return Label(label)
    return None


def _status(case: Case, deadlines: Deadlines | None, today: date, needs: str) -> Status:
    if case.closed:
        return Status.CLOSED
    if case.in_doubt:
        return Status.IN_DOUBT
    if case.request is None:
        return _unsent_status(case)
    if needs:
        return Status.NEEDS_YOU
    if confirmed_answer(case):
        return Status.ANSWERED
    if is_overdue(deadlines, today):
        return Status.OVERDUE
    if deadlines is not None and deadlines.extended_due is not None:
        return Status.EXTENDED
    return Status.ACKNOWLEDGED if is_acknowledged(case) else Status.WAITING


def _unsent_status(case: Case) -> Status:
    if case.bounce and case.bounce.is_final and case.letters:
        return Status.BOUNCED
    if case.refused and not case.refused.temporary:
        return Status.REFUSED
    return Status.UNSENT


def is_acknowledged(case: Case) -> bool:
    """Whether any reply is read as an acknowledgement."""
    return any(r.reading and Label.ACKNOWLEDGEMENT in r.reading.labels for r in case.replies)


def _next(case: Case, status: Status, deadlines: Deadlines | None, today: date) -> str:
    match status:
        case Status.CLOSED:
            return ""
        case Status.UNSENT:
            return "dsar send --all"
        case Status.IN_DOUBT:
            return f"dsar poll; dsar case set {case.id} sent|unsent"
        case Status.REFUSED | Status.BOUNCED:
            return f"dsar registry show {case.facts.controller}"
        case Status.NEEDS_YOU:
            return f"dsar case show {case.id}"
        case Status.ANSWERED:
            return f"dsar case close {case.id}"
        case Status.OVERDUE:
            return _next_when_late(case, deadlines, today)
        case Status.WAITING | Status.ACKNOWLEDGED | Status.EXTENDED:
            return ""


def _next_when_late(case: Case, deadlines: Deadlines | None, today: date) -> str:
    """First a reminder, once the latest defensible date is past; then the authority."""
    after = deadlines.complain_after if deadlines else None
    reminded = [s.on for s in case.letters if s.stage in (Stage.REMINDER, Stage.FOLLOW_UP)
                and s.message_id not in case.bounced]
    if case.complaint or after is None or today <= after:
        return f"dsar case show {case.id} --explain"
    if not reminded:
        return f"dsar remind {case.id}"
    if today <= reminded[-1] + SHORT_TIME or not may_complain(deadlines, today):
        return f"dsar case show {case.id}"
    return f"dsar complain {case.id}"
