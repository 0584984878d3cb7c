"""What the course of a case counts as on a day: delivered, answered, in time, late, …"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dsar.core.course import Course, Heard
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.message import Label
from dsar.core.needs import ANSWERS, APPLIED_BY_ITSELF, NO_ANSWER_TO
from dsar.core.statistics import Wait
from dsar.core.status import Outlook

NO_ANSWER = frozenset({
    Label.ACKNOWLEDGEMENT, Label.AUTO_REPLY, Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY,
    Label.UNRELATED, Label.PHISHING_SUSPECT, Label.UNCLEAR,
})
"""Labels that make no answer, alone or together."""

SUBSTANTIVE_ENDS = {
    "answered": "data", "erased": "erased", "nothing-held": "nothing held", "partly": "partly",
    "refused": "refused",
}
"""How a person may close a case that had a substantive answer → what kind it was."""

KINDS: dict[Label, str] = {
    Label.PARTIAL_FULFILMENT: "partly", Label.REFUSAL: "refused",
    Label.FULFILLED_ACCESS: "data", Label.FULFILLED_ERASURE: "erased",
    Label.NO_DATA_HELD: "nothing held",
}
"""What a substantive answer gives; the less favourable word wins where a reply has several."""


class Timing(StrEnum):
    """Whether the answer came in time; a case in doubt is never called late."""

    IN_TIME = "in time"
    EXTENDED = "in time by a lawful extension"
    DISPUTED = "late on one reading only"
    LATE = "late"
    NONE = "no answer"
    UNREAD = "a reply waits to be read"
    UNDATED = "answered, day not known"
    WITHDRAWN = "withdrawn before it was late"
    RUNNING = "still running"
    NO_DATE = "no statutory date"
    UNDELIVERED = "not delivered"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What a course counts as on one day; days are whole days, None where they do not apply.

    time_is_over: the latest defensible due date is past, so that the case counts in rates of
    timeliness. wait: None for what was not delivered, or was answered on a day nobody knows.
    identity: "" (not asked), "asked", or by what identity was proved. machine: the answer rests
    on a machine's reading alone.
    """

    sent: bool
    delivered: bool
    health: str
    acknowledged: bool
    answered_on: date | None
    substantive_on: date | None
    answer: str
    timing: Timing
    time_is_over: bool
    wait: Wait | None
    complete: bool | None
    identity: str
    machine: bool


def counted(course: Course, outlook: Outlook, today: date, *, provisional: bool = False
            ) -> Counted:
    """Return what a course counts as on `today`; `outlook` is that of the same day.

    provisional: count the machine's readings where no person has read; else such a reply makes
    the case "waits to be read", never late and never answered.
    """
    found = _substantive(course, provisional=provisional)
    closed_as = SUBSTANTIVE_ENDS.get(course.closed.outcome, "") if course.closed else ""
    answer = found[1] if found else closed_as
    on = found[0].on if found else None
    unread = _unread(course, provisional=provisional)
    timing = _timing(course, outlook.deadlines, on, answer, today, unread)
    delivered = timing is not Timing.UNDELIVERED
    return Counted(
        sent=any(s.stage is Stage.REQUEST for s in course.letters), delivered=delivered,
        health=_health(course, delivered=delivered),
        acknowledged=any(not _NOISE.issuperset(r.labels) for r in course.replies),
        answered_on=_answered_on(course, provisional=provisional), substantive_on=on,
        answer=answer, timing=timing, time_is_over=_is_over(outlook.deadlines, today, timing),
        wait=_wait(course, on, answer, today, unread), complete=_complete(course, answer, found),
        identity=_identity(course, provisional=provisional),
        machine=found is not None and found[0].confirmed is None,
    )


_NOISE = frozenset({Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY, Label.UNRELATED,
                    Label.PHISHING_SUSPECT, Label.UNCLEAR})


def _labels(reply: Heard, *, provisional: bool) -> frozenset[str]:
    """Labels as the ledger has them; a `Label` equals its word."""
    return frozenset(reply.labels if provisional else reply.confirmed or ())


def _substantive(course: Course, *, provisional: bool) -> tuple[Heard, str] | None:
    """The first substantive reply, with what all of them together amount to at the latest."""
    wrong = NO_ANSWER_TO.get(course.right)
    found = [(reply, labels) for reply in course.replies
             if (labels := (_labels(reply, provisional=provisional) & ANSWERS) - {wrong})]
    if not found:
        return None
    kind = next(words for label, words in KINDS.items() if label in found[-1][1])
    return found[0][0], kind


def _answered_on(course: Course, *, provisional: bool) -> date | None:
    days = [r.on for r in course.replies if _labels(r, provisional=provisional) - NO_ANSWER]
    return min(days, default=None)


def _unread(course: Course, *, provisional: bool) -> date | None:
    """When the first reply came that no person has read and that may matter.

    Even where the machine counts, a question or an extension it saw moves no clock by itself.
    """
    return min((r.on for r in course.replies if r.confirmed is None
                and _may_matter(r, provisional=provisional)), default=None)


def _may_matter(reply: Heard, *, provisional: bool) -> bool:
    labels = _labels(reply, provisional=True)
    if provisional and labels & ANSWERS:
        return False
    return not labels or bool(labels - APPLIED_BY_ITSELF - _ELSEWHERE)


_ELSEWHERE = frozenset({Label.UNRELATED, Label.PHISHING_SUSPECT})


def _timing(course: Course, found: Deadlines | None, on: date | None, answer: str, today: date,
            unread: date | None) -> Timing:
    if course.request is None:
        return Timing.UNDELIVERED
    if on is not None and found is not None:
        timing = _answered_timing(found, on)
        late = timing in (Timing.DISPUTED, Timing.LATE)
        return Timing.UNREAD if late and unread and unread < on else timing
    if answer:
        return Timing.UNDATED
    if unread:
        return Timing.UNREAD
    return _silent_timing(course, found, today)


def _silent_timing(course: Course, found: Deadlines | None, today: date) -> Timing:
    if found is None or found.advisory or (found.due is None and not found.waits_for):
        return Timing.NO_DATE
    end = found.complain_after
    if course.closed and course.closed.outcome != "no-answer" and (
            end is None or course.closed.on <= end):
        return Timing.WITHDRAWN
    return Timing.NONE if end is not None and today > end else Timing.RUNNING


def _answered_timing(found: Deadlines, on: date) -> Timing:
    if found.advisory or found.due is None:
        return Timing.NO_DATE
    if on <= found.due or found.waits_for:
        return Timing.IN_TIME
    if found.extended_due is not None and on <= found.extended_due:
        return Timing.EXTENDED
    end = found.complain_after
    return Timing.DISPUTED if end is None or on <= end else Timing.LATE


_COUNTED = frozenset({Timing.IN_TIME, Timing.EXTENDED, Timing.DISPUTED, Timing.LATE, Timing.NONE,
                      Timing.UNREAD, Timing.UNDATED})


def _is_over(found: Deadlines | None, today: date, timing: Timing) -> bool:
    """The same rule for all: who answered early counts only once the others could be late."""
    end = found.complain_after if found else None
    return timing in _COUNTED and end is not None and today > end


def _health(course: Course, *, delivered: bool) -> str:
    """How the way to the company turned out, in one word."""
    labels = {label for r in course.replies for label in r.labels}
    if not delivered:
        return _undelivered(course)
    if Label.REDIRECT_TO_PORTAL in labels:
        return "sends to a web form"
    if Label.REDIRECT_TO_OTHER_CONTROLLER in labels:
        return "names another controller"
    return "bounced, then delivered" if course.bounced else "delivered"


def _undelivered(course: Course) -> str:
    if course.bounced:
        return "bounced"
    if course.in_doubt:
        return "in doubt"
    return "refused by the mail server" if course.refused else "not sent"


def _wait(course: Course, on: date | None, answer: str, today: date, unread: date | None
          ) -> Wait | None:
    """Days to the answer; a case that ended without one is seen until then."""
    request = course.request
    if request is None or (answer and on is None):
        return None
    start = course.receipt.on if course.receipt else request.on
    gave_up = course.closed.on if course.closed else None
    ends = [day for day in (today, unread, gave_up) if day]
    return Wait(max(((on or min(ends)) - start).days, 0), ended=on is not None)


def _complete(course: Course, answer: str, found: tuple[Heard, str] | None) -> bool | None:
    """None where nobody has checked, or nothing was given that could be complete."""
    if course.checked and answer in ("data", "partly", "erased"):
        return not course.checked.missing
    if answer == "partly":
        return False
    by_person = (found is not None and found[0].confirmed is not None) or course.closed
    return True if answer == "erased" and by_person else None


def _identity(course: Course, *, provisional: bool) -> str:
    asked = any(m.type == "id_requested" for m in course.moments)
    read = any(Label.IDENTITY_REQUEST in _labels(r, provisional=provisional)
               for r in course.replies)
    if course.proofs:
        return next((how for how in reversed(course.proofs) if how), "asked")
    return "asked" if asked or read else ""
