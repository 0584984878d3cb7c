"""What a case counts as in a report, by fixed definitions: delivered, answered, in time, …"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dsar.core.counted import Counted, Timing, counted
from dsar.core.course import Course
from dsar.core.deadline import Deadlines
from dsar.core.glance import Glance, glance
from dsar.core.statistics import Wait
from dsar.core.status import Glimpse, Outlook, Stand, Standing

__all__ = ["DEFINITIONS", "Result", "Timing", "alike", "result"]

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


MOST = 100_000
"""Of so many objects it is remembered what they count as."""


@dataclass(frozen=True, slots=True)
class Result:
    """One case as a report counts it: what its course counts as, and whose it is.

    categories, seat: of the company, from the registry. counted: answer is a value of `KINDS`,
    or empty; it is shared by all cases with the same course, and by no others.
    """

    standing: Glimpse
    categories: tuple[str, ...]
    seat: str
    counted: Counted

    @property
    def case(self) -> Glance:
        """The case itself, at a glance."""
        return self.standing.case

    @property
    def sent(self) -> bool:
        """Whether a request left."""
        return self.counted.sent

    @property
    def delivered(self) -> bool:
        """Whether a request left and did not come back."""
        return self.counted.delivered

    @property
    def health(self) -> str:
        """How the way to the company turned out."""
        return self.counted.health

    @property
    def acknowledged(self) -> bool:
        """Whether any reply names the request."""
        return self.counted.acknowledged

    @property
    def answered_on(self) -> date | None:
        """The day of the first specific answer."""
        return self.counted.answered_on

    @property
    def substantive_on(self) -> date | None:
        """The day of the first answer in substance."""
        return self.counted.substantive_on

    @property
    def answer(self) -> str:
        """What kind of answer in substance there was, or an empty string."""
        return self.counted.answer

    @property
    def timing(self) -> Timing:
        """Whether it came in time."""
        return self.counted.timing

    @property
    def time_is_over(self) -> bool:
        """Whether the case counts in rates of timeliness."""
        return self.counted.time_is_over

    @property
    def wait(self) -> Wait | None:
        """Days to the answer, or days seen so far."""
        return self.counted.wait

    @property
    def complete(self) -> bool | None:
        """Whether every demand was met; None where nobody has checked."""
        return self.counted.complete

    @property
    def identity(self) -> str:
        """Whether proof of identity was asked for, or by what it was proved."""
        return self.counted.identity

    @property
    def machine(self) -> bool:
        """Whether the answer rests on a machine's reading alone."""
        return self.counted.machine

    @property
    def told(self) -> tuple[str, ...]:
        """Kinds of identifiers in the letters that left or may have left."""
        return self.standing.case.course.told

    @property
    def answered(self) -> bool:
        """Whether there was a specific answer, by mail or as the person closed the case."""
        return self.counted.answered_on is not None or bool(self.counted.answer)

    @property
    def answered_in_time(self) -> bool:
        """Whether any specific answer came by the date that counts."""
        by, on = _by(self.standing.deadlines), self.counted.answered_on
        return on is not None and by is not None and on <= by


def result(standing: Standing | Glimpse, today: date, *, categories: tuple[str, ...] = (),
           seat: str = "", provisional: bool = False) -> Result:
    """Return what the case counts as on `today`; `provisional` as in `counted`."""
    return Results(today, provisional=provisional).of(
        _at_a_glance(standing), categories=categories, seat=seat)


class Results:
    """The results of one day: what a course counts as is found once for all that share it."""

    def __init__(self, today: date, *, provisional: bool = False) -> None:
        self._today, self._provisional = today, provisional
        self._counted: dict[tuple[Course, Outlook], Counted] = {}
        self._latest: dict[int, tuple[Course, Outlook, Counted]] = {}

    def of(self, standing: Glimpse, *, categories: tuple[str, ...] = (), seat: str = "") -> Result:
        """Return what a case counts as; categories and seat are those of the company."""
        course, outlook = standing.case.course, standing.outlook
        # Stores give the same object for most equal courses: to compare them takes longer.
        same = self._latest.get(id(course))
        if same is None or same[0] is not course or same[1] is not outlook:
            same = course, outlook, self._of((course, outlook))
            if len(self._latest) >= MOST:
                self._latest.clear()
            self._latest[id(course)] = same
        return Result(standing, categories or ("unknown",), seat or "unknown", same[2])

    def _of(self, key: tuple[Course, Outlook]) -> Counted:
        found = self._counted.get(key)
        if found is None:
            found = counted(*key, self._today, provisional=self._provisional)
            self._counted[key] = found
        return found


def alike(results: Iterable[Result]) -> list[tuple[Result, int]]:
    """Return one result of each course, with how many there are, in the order of the first ones.

    For counts of what a course says. Whose a case is, and the company, differ among them.
    """
    counts: Counter[int] = Counter()
    ones: dict[int, Result] = {}
    for result in results:
        same = id(result.counted)
        counts[same] += 1
        ones[same] = result
    return [(one, counts[same]) for same, one in ones.items()]


def _at_a_glance(standing: Standing | Glimpse) -> Glimpse:
    case = standing.case
    return Stand(case if isinstance(case, Glance) else glance(case), standing.outlook)


def _by(deadlines: Deadlines | None) -> date | None:
    return deadlines.answer_by if deadlines and not deadlines.advisory else None
