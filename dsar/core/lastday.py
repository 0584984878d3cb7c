"""The last day of a period for one reading: the calendar that counts, paused days, the roll."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial

from dsar.core.counting import IsWorkingDay, roll, unrolled
from dsar.core.inwords import in_words, length
from dsar.core.moments import Calendars, Facts
from dsar.core.regime import ClockStop, Counting, Effect, PeriodRule, Regime, Unit

PAUSED = " with the pause"
"""In a step: the period was added together with the days on which the clock stood still."""

ROLLED = "not a working day"
"""How the step begins that moves the last day."""


@dataclass(frozen=True)
class Run:
    """What one reading (`strict`, `due` or `charitable`) is reckoned from."""

    regime: Regime
    facts: Facts
    rule: PeriodRule
    reading: str
    calendars: Calendars

    @cached_property
    def counting(self) -> Counting:
        """How this reading counts."""
        counting: Counting = getattr(self.rule, self.reading)
        return counting

    @cached_property
    def calendar(self) -> str:
        """The id of its calendar."""
        return calendar_id(self.counting.calendar, self.regime, self.facts)

    @cached_property
    def works(self) -> IsWorkingDay:
        """Whether one can act on a day; storms and the like are days off too."""
        working = partial(self.calendars.is_working_day, self.calendar)
        off = set(_days_off(self.facts, self.rule.days_off))
        return (lambda day: day not in off and working(day)) if off else working

    def effect(self, stop: ClockStop) -> Effect:
        """What a stop does in this reading."""
        effect: Effect = getattr(stop, self.reading)
        return effect


@dataclass(frozen=True)
class Clock:
    """A running period: its start, and the days that do not count, as half-open stretches."""

    start: date
    paused: tuple[tuple[date, date], ...] = ()
    waits_for: tuple[str, ...] = ()
    unverified: tuple[ClockStop, ...] = ()


def end_of(run: Run, clock: Clock, counting: Counting, steps: list[str]) -> date:
    """Add the period and the paused days, then roll."""
    paused = _paused_days(clock)
    if counting.unit is Unit.WORKING_DAY:
        works = run.works
        running = (lambda day: works(day) and day not in paused) if paused else works
        day = unrolled(clock.start, counting, running)
    elif counting.unit is Unit.HOUR and run.facts.received_at and clock.start == run.facts.received:
        end = run.facts.received_at + timedelta(hours=counting.length or 0)
        day = end.date() + timedelta(days=len(paused))
    else:
        day = unrolled(clock.start, counting, run.works) + timedelta(days=len(paused))
    steps.append(f"{length(counting)}{PAUSED if paused else ''} -> {in_words(day)}")
    if not counting.rolls:
        return day
    rolled = roll(day, run.works)
    if rolled != day:
        steps.append(f"{ROLLED} ({run.calendar}) -> {in_words(rolled)}")
    return rolled


def _paused_days(clock: Clock) -> set[date]:
    """The days after the start that do not count; overlapping stretches count once."""
    return {
        first + timedelta(days=n)
        for first, end in clock.paused
        for n in range((end - first).days)
        if first + timedelta(days=n) > clock.start
    }


def _days_off(facts: Facts, kinds: tuple[str, ...]) -> Iterator[date]:
    for moment in facts.of(kinds):
        last = moment.until or moment.on
        for n in range((last - moment.on).days + 1):
            yield moment.on + timedelta(days=n)


def calendar_id(template: str, regime: Regime, facts: Facts) -> str:
    """Fill `{place}` or `{subdivision}` of a calendar id from the facts.

    A controller outside the law's countries has no holidays of its own there: weekends only.
    """
    if "{" not in template:
        return template
    if facts.country is None or facts.country not in regime.countries:
        return "weekend-only" if "{place}" in template else _trimmed(template, None, regime)
    place = template.replace("{place}", facts.country + "-{subdivision}")
    return _trimmed(place, facts.subdivision, regime)


def _trimmed(template: str, subdivision: str | None, regime: Regime) -> str:
    sub = subdivision or regime.subdivision_default
    return template.format(subdivision=sub) if sub else template.replace("-{subdivision}", "")
