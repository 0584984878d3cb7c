"""What a case is now, how urgent it is, and what the person would do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from dsar.core.case import Case
from dsar.core.course import Course, course
from dsar.core.deadline import Deadlines, Facts, Moment, deadlines
from dsar.core.followup import TIMES
from dsar.core.glance import Glance, glance
from dsar.core.moments import Calendars
from dsar.core.needs import (
    ANSWERS,
    APPLIED_BY_ITSELF,
    ASKS,
    NO_ANSWER_TO,
    answered_since,
    confirmed_answer,
    is_acknowledged,
    needs_you,
)
from dsar.core.nextstep import when_answered, when_needed
from dsar.core.regime import Regime

__all__ = [
    "ANSWERS", "APPLIED_BY_ITSELF", "ASKS", "GRACE", "NO_ANSWER_TO", "POST_TAKES", "Glimpse",
    "Outlook", "Outlooks", "Stand", "Standing", "Status", "answered_since", "as_glimpse",
    "confirmed_answer", "deadline_facts", "facts_of", "is_acknowledged", "is_overdue",
    "may_complain", "needs_you", "outlook", "standing",
]

GRACE = timedelta(days=3)
"""Days after the latest defensible due date before a complaint is offered (tool policy)."""

POST_TAKES = timedelta(days=7)
"""Until when a posted letter is taken to arrive, unless the receipt is known (tool policy)."""


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


class Outlook(NamedTuple):
    """What a day makes of a course. `days_left` is negative once the due date is past.

    next: the command that helps, with `{case}` and `{company}` where their names stand.
    """

    status: Status
    deadlines: Deadlines | None
    days_left: int | None
    needs_you: str
    next: str


_OF_ONE_PERSON = ("dsar send", "dsar remind", "dsar complain")
"""Commands that write in the name of the person at hand, never of a campaign's member."""

Seen = TypeVar("Seen", Case, Glance)


@dataclass(frozen=True, slots=True)
class Stand(Generic[Seen]):
    """A case, or its glance, as `status` shows it."""

    case: Seen
    outlook: Outlook

    @property
    def status(self) -> Status:
        """Where the case stands."""
        return self.outlook.status

    @property
    def deadlines(self) -> Deadlines | None:
        """The dates of the law's clock; None while no request has arrived."""
        return self.outlook.deadlines

    @property
    def days_left(self) -> int | None:
        """Days to the date that counts, negative once it is past."""
        return self.outlook.days_left

    @property
    def needs_you(self) -> str:
        """Why a person has to look, or an empty string."""
        return self.outlook.needs_you

    @property
    def next(self) -> str:
        """The command that helps, or an empty string."""
        words, campaign = self.outlook.next, self.case.facts.campaign
        if campaign is not None and words.startswith(_OF_ONE_PERSON):
            late = words == "dsar remind {case}"
            return f"dsar campaign {'remind' if late else 'progress'} {campaign}" + " -n" * late
        if "{" not in words:
            return words
        company = self.case.facts.controller
        return words.replace("{case}", self.case.id).replace("{company}", company)

    @property
    def due(self) -> date | None:
        """The due date without an extension."""
        return self.outlook.deadlines.due if self.outlook.deadlines else None

    @property
    def answer_by(self) -> date | None:
        """The date that counts today: the extended one where an extension is valid."""
        return self.outlook.deadlines.answer_by if self.outlook.deadlines else None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still expected."""
        return self.outlook.status not in (Status.CLOSED, Status.ANSWERED)


Standing = Stand[Case]
"""A whole case on a day."""

Glimpse = Stand[Glance]
"""A case at a glance on a day."""


def standing(case: Case, deadlines: Deadlines | None, today: date) -> Standing:
    """Return where `case` stands on `today`; `deadlines` are those of `deadline_facts(case)`."""
    return Stand(case, outlook(course(case), deadlines, today))


def as_glimpse(found: Standing) -> Glimpse:
    """The same, of the case at a glance."""
    return Stand(glance(found.case), found.outlook)


def outlook(of: Course, deadlines: Deadlines | None, today: date) -> Outlook:
    """Return what `today` makes of a course; `deadlines` are those of its facts."""
    status = _status(of, deadlines, today)
    by = deadlines.answer_by if deadlines else None
    left = (by - today).days if by else None
    return Outlook(status, deadlines, left, of.needs, _next(of, status, deadlines, today))


class Outlooks:
    """The outlooks of one day: each course, and each set of facts under a law, is reckoned once."""

    def __init__(self, regimes: Mapping[str, Regime], calendars: Calendars, today: date) -> None:
        self._regimes, self._calendars, self._today = regimes, calendars, today
        self._outlooks: dict[Course, Outlook] = {}
        self._deadlines: dict[tuple[object, ...], Deadlines] = {}

    def of(self, found: Course) -> Outlook:
        """Return the outlook of a course; a law that is not known gives no dates."""
        known = self._outlooks.get(found)
        if known is None:
            known = outlook(found, self._dates(found), self._today)
            self._outlooks[found] = known
        return known

    def _dates(self, found: Course) -> Deadlines | None:
        regime, facts = self._regimes.get(found.regime), facts_of(found)
        if regime is None or facts is None:
            return None
        key = (regime.id, facts.right, facts.received, facts.country, facts.subdivision,
               facts.moments, found.outside)
        known = self._deadlines.get(key)
        if known is None:
            known = self._deadlines[key] = deadlines(regime, facts, self._calendars)
        return known


def deadline_facts(case: Case) -> Facts | None:
    """Return what the law's clock needs to know, or None while no request has arrived."""
    return facts_of(course(case))


def facts_of(found: Course) -> Facts | None:
    """Return what the law's clock needs to know, or None while no request has arrived.

    Without a known receipt the day of sending counts: the server's 250 is acceptance, and
    receipt is presumed on the same day for e-mail, and `POST_TAKES` later for a posted letter.
    A receipt before that day is that of an earlier letter, which came back.
    """
    request = found.request
    if request is None:
        return None
    received = request.on + POST_TAKES if request.channel == "post" else request.on
    if found.receipt is not None and found.receipt.on >= request.on:
        received = found.receipt.on
    return Facts(right=found.right, received=received, country=found.country,
                 subdivision=found.subdivision,
                 moments=(Moment(type="sent", on=request.on), *found.moments),
                 flags={"controller_outside_eu": found.outside})


def is_overdue(deadlines: Deadlines | None, today: date) -> bool:
    """Whether the due date (or the validly extended one) is past; never where there is none."""
    return deadlines is not None and deadlines.answer_by is not None and (
        today > deadlines.answer_by)


def may_complain(deadlines: Deadlines | None, today: date) -> bool:
    """Whether even the latest defensible due date plus grace is past."""
    after = deadlines.complain_after if deadlines else None
    return after is not None and today > after + GRACE


def _status(of: Course, deadlines: Deadlines | None, today: date) -> Status:
    if of.closed:
        return Status.CLOSED
    if of.in_doubt:
        return Status.IN_DOUBT
    if of.request is None:
        return _unsent_status(of)
    if of.needs:
        return Status.NEEDS_YOU
    if of.answered:
        return Status.ANSWERED
    if is_overdue(deadlines, today):
        return Status.OVERDUE
    if deadlines is not None and deadlines.extended_due is not None:
        return Status.EXTENDED
    return Status.ACKNOWLEDGED if of.acknowledged else Status.WAITING


def _unsent_status(of: Course) -> Status:
    if of.came_back:
        return Status.BOUNCED
    return Status.REFUSED if of.refused == "for good" else Status.UNSENT


def _next(of: Course, status: Status, deadlines: Deadlines | None, today: date) -> str:
    match status:
        case Status.CLOSED:
            return ""
        case Status.UNSENT:
            return "dsar send --all"
        case Status.IN_DOUBT:
            return "dsar poll; dsar case set {case} sent|unsent"
        case Status.REFUSED | Status.BOUNCED:
            return "dsar registry show {company}"
        case Status.NEEDS_YOU:
            return when_needed(of)
        case Status.ANSWERED:
            return when_answered(of)
        case Status.OVERDUE:
            return _next_when_late(of, deadlines, today)
        case Status.WAITING | Status.ACKNOWLEDGED | Status.EXTENDED:
            return ""


def _next_when_late(of: Course, deadlines: Deadlines | None, today: date) -> str:
    """First a reminder, once the latest defensible date is past; then the authority."""
    after = deadlines.complain_after if deadlines else None
    reminded = [s.on for s in of.reminders if not s.bounced]
    if of.complaint or after is None or today <= after:
        return "dsar case show {case} --explain"
    if not reminded:
        return "dsar remind {case}"
    given = TIMES[min(len(reminded), len(TIMES)) - 1]
    if today <= reminded[-1] + given or not may_complain(deadlines, today):
        return "dsar case show {case}"
    return "dsar complain {case}"
