"""What a case counts as in a report, by fixed definitions: delivered, answered, in time, …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dsar.core.case import Case, ClockEvent, IdentityProvided, LetterSent, Reply
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.message import Label
from dsar.core.statistics import Wait
from dsar.core.status import ANSWERS, APPLIED_BY_ITSELF, NO_ANSWER_TO, Standing

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("sent", "a request that the mail server took, or that was filed as sent"),
    ("delivered", "sent, and not reported as undeliverable for good"),
    ("acknowledged", "any reply that names the request, automatic ones included"),
    ("answered", "a specific reply; automatic ones, bounces and unrelated mail do not count"),
    ("substantive", "data, or that nothing is held, or a refusal"),
    ("in time", "substantive by the statutory due date of that case; by an extension that the "
                "law allows and that was announced in time is counted apart"),
    ("time is over", "the latest defensible due date is past; only such cases can be late"),
    ("complete", "every demand of the request was met, as a person checked point by point, or an "
                 "erasure that a person read as confirmed"),
    ("days", "from receipt (the day of sending, where no other is known) to the first substantive "
             "answer; open cases are censored, not dropped"),
)
"""The words of every table, printed with each report."""

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
class Result:
    """One case as a report counts it; days are whole days, None where they do not apply.

    categories, seat: of the company, from the registry. answer: a value of `KINDS`, or empty.
    time_is_over: the latest defensible due date is past, so that the case counts in rates of
    timeliness. wait: None for what was not delivered, or was answered on a day nobody knows.
    identity: "" (not asked), "asked", or by what identity was proved. machine: the answer rests
    on a machine's reading alone. told: (kind of identifier, value) of the letters that left.
    """

    standing: Standing
    categories: tuple[str, ...]
    seat: str
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
    told: tuple[tuple[str, str], ...]

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.standing.case

    @property
    def answered(self) -> bool:
        """Whether there was a specific answer, by mail or as the person closed the case."""
        return self.answered_on is not None or bool(self.answer)

    @property
    def answered_in_time(self) -> bool:
        """Whether any specific answer came by the date that counts."""
        by = _by(self.standing.deadlines)
        return self.answered_on is not None and by is not None and self.answered_on <= by


def result(standing: Standing, today: date, *, categories: tuple[str, ...] = (), seat: str = "",
           provisional: bool = False) -> Result:
    """Return what the case counts as on `today`.

    provisional: count the machine's readings where no person has read; else such a reply makes
    the case "waits to be read", never late and never answered.
    """
    case = standing.case
    found = _substantive(case, provisional=provisional)
    answer = found[1] if found else SUBSTANTIVE_ENDS.get(case.closed.outcome if case.closed else "",
                                                         "")
    on = found[0].received.on if found else None
    timing = _timing(standing, on, answer, today, provisional=provisional)
    delivered = timing is not Timing.UNDELIVERED
    return Result(
        standing=standing, categories=categories or ("unknown",), seat=seat or "unknown",
        sent=_was_sent(case), delivered=delivered, health=_health(case, delivered=delivered),
        acknowledged=any(_labels(r, True) - _NOISE for r in case.replies),
        answered_on=_answered_on(case, provisional=provisional), substantive_on=on, answer=answer,
        timing=timing, time_is_over=_is_over(standing, today, timing),
        wait=_wait(case, on, answer, today, unread=_unread(case, provisional=provisional)),
        complete=_complete(case, answer, found), identity=_identity(case, provisional=provisional),
        machine=found is not None and found[0].confirmed is None, told=_told(case),
    )


_NOISE = frozenset({Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY, Label.UNRELATED,
                    Label.PHISHING_SUSPECT, Label.UNCLEAR})


def _labels(reply: Reply, provisional: bool) -> frozenset[str]:
    """Labels as the ledger has them; a `Label` equals its word."""
    reading = reply.reading if provisional else reply.confirmed
    return frozenset(reading.labels) if reading else frozenset()


def _substantive(case: Case, *, provisional: bool) -> tuple[Reply, str] | None:
    """The first substantive reply, with what all of them together amount to at the latest."""
    wrong = NO_ANSWER_TO.get(case.facts.right)
    found = [(reply, labels) for reply in case.replies
             if (labels := (_labels(reply, provisional) & ANSWERS) - {wrong})]
    if not found:
        return None
    kind = next(words for label, words in KINDS.items() if label in found[-1][1])
    return found[0][0], kind


def _answered_on(case: Case, *, provisional: bool) -> date | None:
    days = [r.received.on for r in case.replies if _labels(r, provisional) - NO_ANSWER]
    return min(days, default=None)


def _unread(case: Case, *, provisional: bool) -> date | None:
    """When the first reply came that no person has read and that may matter.

    Even where the machine counts, a question or an extension it saw moves no clock by itself.
    """
    return min((r.received.on for r in case.replies if r.confirmed is None
                and _may_matter(r, provisional=provisional)), default=None)


def _may_matter(reply: Reply, *, provisional: bool) -> bool:
    labels = _labels(reply, True)
    if provisional and labels & ANSWERS:
        return False
    return not labels or bool(labels - APPLIED_BY_ITSELF - _ELSEWHERE)


_ELSEWHERE = frozenset({Label.UNRELATED, Label.PHISHING_SUSPECT})


def _by(deadlines: Deadlines | None) -> date | None:
    return deadlines.answer_by if deadlines and not deadlines.advisory else None


def _timing(standing: Standing, on: date | None, answer: str, today: date, *, provisional: bool
            ) -> Timing:
    case, found = standing.case, standing.deadlines
    if case.request is None:
        return Timing.UNDELIVERED
    unread = _unread(case, provisional=provisional)
    if on is not None and found is not None:
        timing = _answered_timing(found, on)
        late = timing in (Timing.DISPUTED, Timing.LATE)
        return Timing.UNREAD if late and unread and unread < on else timing
    if answer:
        return Timing.UNDATED
    if unread:
        return Timing.UNREAD
    return _silent_timing(standing, today)


def _silent_timing(standing: Standing, today: date) -> Timing:
    case, found = standing.case, standing.deadlines
    if found is None or found.advisory or (found.due is None and not found.waits_for):
        return Timing.NO_DATE
    end = found.complain_after
    if case.closed and case.closed.outcome != "no-answer" and (
            end is None or case.closed.on <= end):
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


def _is_over(standing: Standing, today: date, timing: Timing) -> bool:
    """The same rule for all: who answered early counts only once the others could be late."""
    end = standing.deadlines.complain_after if standing.deadlines else None
    return timing in _COUNTED and end is not None and today > end


def _was_sent(case: Case) -> bool:
    return any(s.stage is Stage.REQUEST for s in case.letters)


def _health(case: Case, *, delivered: bool) -> str:
    """How the way to the company turned out, in one word."""
    labels = {label for r in case.replies for label in _labels(r, True)}
    if not delivered:
        return _undelivered(case)
    if Label.REDIRECT_TO_PORTAL in labels:
        return "sends to a web form"
    if Label.REDIRECT_TO_OTHER_CONTROLLER in labels:
        return "names another controller"
    return "bounced, then delivered" if case.bounced else "delivered"


def _undelivered(case: Case) -> str:
    if case.bounced:
        return "bounced"
    if case.in_doubt:
        return "in doubt"
    return "refused by the mail server" if case.refused else "not sent"


def _wait(case: Case, on: date | None, answer: str, today: date, *, unread: date | None
          ) -> Wait | None:
    """Days to the answer; a case that ended without one is seen until then."""
    request = case.request
    if request is None or (answer and on is None):
        return None
    start = case.receipt.on if case.receipt else request.on
    ends = [day for day in (today, unread, _gave_up(case)) if day]
    return Wait(max(((on or min(ends)) - start).days, 0), ended=on is not None)


def _gave_up(case: Case) -> date | None:
    return case.closed.on if case.closed else None


def _complete(case: Case, answer: str, found: tuple[Reply, str] | None) -> bool | None:
    """None where nobody has checked, or nothing was given that could be complete."""
    if case.checked and answer in ("data", "partly", "erased"):
        return not case.checked.missing
    if answer == "partly":
        return False
    by_person = (found is not None and found[0].confirmed) or case.closed
    return True if answer == "erased" and by_person else None


def _identity(case: Case, *, provisional: bool) -> str:
    proofs = [e.how for e in case.clock if isinstance(e, IdentityProvided)]
    asked = any(isinstance(e, ClockEvent) and e.type == "id_requested" for e in case.clock)
    read = any(Label.IDENTITY_REQUEST in _labels(r, provisional) for r in case.replies)
    if proofs:
        return next((how for how in reversed(proofs) if how), "asked")
    return "asked" if asked or read else ""


def _told(case: Case) -> tuple[tuple[str, str], ...]:
    """Identifiers in the letters that left or may have left, each once."""
    gone = {s.message_id for s in case.letters} | {a.message_id for a in case.unsettled}
    return tuple(dict.fromkeys(
        pair for a in case.approvals if a.message_id in gone for pair in a.disclosed))


def reminders(case: Case) -> Iterator[LetterSent]:
    """The letters after the request that ask for it again."""
    return (s for s in case.letters if s.stage in (Stage.REMINDER, Stage.FOLLOW_UP))
