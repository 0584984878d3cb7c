"""How far a campaign is: numbers per company and wave, folded over cases that ran alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

from dsar.core.course import Course
from dsar.core.status import Outlook, Status

ANSWERED = frozenset({Status.ANSWERED, Status.CLOSED})


@dataclass
class Counts:
    """Letters of one company, one wave or all: each line counts cases.

    waiting: opened, no letter out. sent: at least one letter out. delivered: of those, not
    bounced. acknowledged: receipt is known or somebody wrote. answered: dealt with, as a person
    or the machine read it. overdue: past the due date without an answer. reminded: at least one
    reminder or follow-up is out.
    """

    opened: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    in_doubt: int = 0
    refused: int = 0
    bounced: int = 0
    acknowledged: int = 0
    answered: int = 0
    needs_you: int = 0
    overdue: int = 0
    withdrawn: int = 0
    reminded: int = 0

    def add(self, marks: Iterable[str], cases: int) -> None:
        """Count so many cases under each of the marks."""
        for mark in marks:
            setattr(self, mark, getattr(self, mark) + cases)

    def as_items(self) -> dict[str, int]:
        """Every line by its name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass
class Progress:
    """The whole, and the same for each company and each wave."""

    total: Counts = field(default_factory=Counts)
    by_company: dict[str, Counts] = field(default_factory=dict)
    by_wave: dict[int, Counts] = field(default_factory=dict)


def progress(
    tally: Iterable[tuple[str, int, Course, int]], outlook: Callable[[Course], Outlook]
) -> Progress:
    """Fold (company, wave, course, cases); what a course counts as is found once."""
    found, known = Progress(), dict[Course, tuple[str, ...]]()
    for company, wave, course, cases in tally:
        marks = known.get(course)
        if marks is None:
            marks = known[course] = tuple(_marks(course, outlook(course)))
        found.total.add(marks, cases)
        found.by_company.setdefault(company, Counts()).add(marks, cases)
        found.by_wave.setdefault(wave, Counts()).add(marks, cases)
    return found


def _marks(course: Course, outlook: Outlook) -> Iterable[str]:
    yield "opened"
    if course.in_doubt:
        yield "in_doubt"
    if not course.letters:
        if course.closed is not None:
            yield "withdrawn"
        elif course.refused:
            yield "refused"
        elif not course.in_doubt:
            yield "waiting"
        return
    yield "sent"
    yield "bounced" if course.request is None else "delivered"
    if course.acknowledged or course.replies:
        yield "acknowledged"
    if outlook.status in ANSWERED and (course.closed is None or course.replies):
        yield "answered"
    if course.reminders:
        yield "reminded"
    if outlook.status is Status.NEEDS_YOU:
        yield "needs_you"
    if outlook.status is Status.OVERDUE:
        yield "overdue"
