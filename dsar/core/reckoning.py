"""One reading of one period, step by step: start, stops of the clock, last day, extension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial

from dsar.core.counting import IsWorkingDay, nth_working_day, roll, unrolled
from dsar.core.moments import Calendars, Facts, Moment
from dsar.core.regime import (
    ClockStop,
    Counting,
    Effect,
    ExtensionRule,
    PeriodRule,
    Regime,
    Unit,
)

FORM_SUBMITTED = "form_submitted"
"""A second filing on the controller's wish: a new start on the latest reading only."""

NOTICE = "extension_notice"
"""The controller says that it takes longer, why, and often until when."""

_DAY = timedelta(days=1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)
_UNITS = {
    Unit.MONTH: "month", Unit.WEEK: "week", Unit.DAY: "day", Unit.WORKING_DAY: "working day",
    Unit.CLEAR_DAY: "clear day", Unit.HOUR: "hour",
}


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


@dataclass(frozen=True)
class Reckoning:
    """The result of one reading."""

    last_day: date | None
    calendar: str
    steps: tuple[str, ...]
    extended: date | None = None
    notice_due: date | None = None
    waits_for: tuple[str, ...] = ()
    unverified: tuple[ClockStop, ...] = field(default=())

    def in_one_line(self) -> str:
        """The steps as one sentence."""
        return "; ".join(self.steps)


def reckon(run: Run) -> Reckoning:
    """Reckon one reading: pick the start, add the period, add paused days, roll the last day."""
    steps: list[str] = []
    begun = _started(run, steps)
    clock = _with_stops(run, begun, run.counting, steps)
    if clock.waits_for:
        words = " or ".join(clock.waits_for)
        steps.append(f"the clock stands still until: {words}; no date before that")
        return Reckoning(None, run.calendar, tuple(steps), waits_for=clock.waits_for,
                         unverified=clock.unverified)
    last = _last_day(run, clock, run.counting, steps)
    found = Reckoning(last, run.calendar, tuple(steps), unverified=clock.unverified)
    extension = run.regime.extension(run.facts.right)
    return _extended(run, begun, clock, extension, found) if extension else found


def _started(run: Run, steps: list[str]) -> Clock:
    """The start event: receipt unless the law names another one that is known."""
    facts, counting = run.facts, run.counting
    start, why = facts.received, "received"
    named = facts.of(run.rule.starts_at)
    if counting.start == "request" and facts.of(("sent",)):
        start, why = facts.of(("sent",))[0].on, "requested"
    elif named:
        start, why = max(start, named[0].on), named[0].type.replace("_", " ")
    steps.append(f"{why} {in_words(start)}")
    form = facts.of((FORM_SUBMITTED,)) if run.reading == "charitable" else []
    if form and form[0].on > start:
        start = form[0].on
        steps.append(f"the controller's own form filled in {in_words(start)}")
    if run.rule.not_before and start < run.rule.not_before:
        start = run.rule.not_before
        steps.append(f"the period starts on {in_words(start)} at the earliest")
    if counting.late_after and _is_late(run, start):
        start = nth_working_day(start, 1, run.works)
        steps.append(f"after hours or on a day off: taken as received {in_words(start)}")
    return Clock(start)


def _is_late(run: Run, start: date) -> bool:
    at, limit = run.facts.received_at, run.counting.late_after
    return not run.works(start) or bool(at and limit and at.time() > limit)


def _with_stops(run: Run, clock: Clock, counting: Counting, steps: list[str]) -> Clock:
    """Apply each question of the controller that came in time and was justified, in order."""
    for stop, asked, given in _questions(run):
        effect = run.effect(stop)
        if clock.waits_for or not asked.justified or effect is Effect.NONE:
            if not asked.justified:
                steps.append(f"question about {stop.kind} without reason: no effect")
            continue
        if asked.on > _limit(run, clock, counting, stop):
            steps.append(f"question about {stop.kind} on {in_words(asked.on)} came late: no effect")
            continue
        clock = _stopped(clock, stop, effect, asked, given, steps)
    return clock


def _limit(run: Run, clock: Clock, counting: Counting, stop: ClockStop) -> date:
    """The last day on which a question still stops the clock."""
    last = _last_day(run, clock, counting, [])
    if stop.within is None:
        return last
    return min(last, unrolled(clock.start, stop.within, run.works))


def _questions(run: Run) -> list[tuple[ClockStop, Moment, Moment | None]]:
    found = [
        (stop, asked, given)
        for stop in run.regime.clock
        if not stop.rights or run.facts.right in stop.rights
        for asked, given in _pairs(run.facts, stop)
    ]
    return sorted(found, key=lambda item: item[1].on)


def _pairs(facts: Facts, stop: ClockStop) -> Iterator[tuple[Moment, Moment | None]]:
    """Each question with the first answer after it; an answer whose question is not recorded
    counts as its own question, so that a period that starts anew with it does so."""
    asked, given = facts.of(stop.asked), facts.of(stop.given)
    for question in asked:
        yield question, next((g for g in given if g.on >= question.on), None)
    if not asked and given:
        yield given[0], given[0]


def _stopped(
    clock: Clock, stop: ClockStop, effect: Effect, asked: Moment, given: Moment | None,
    steps: list[str],
) -> Clock:
    doubtful = (*clock.unverified, stop) if stop.confidence != "verified" else clock.unverified
    clock = replace(clock, unverified=doubtful)
    if effect is Effect.RESTART_AFTER_WAIT:
        start = max(clock.start, asked.on + timedelta(days=stop.wait_days))
        steps.append(f"{stop.kind} raised {in_words(asked.on)}: {stop.wait_days} days to consider; "
                     f"the period starts on {in_words(start)}")
        return replace(clock, start=start)
    if given is None:
        return replace(clock, waits_for=stop.given)
    if effect is Effect.RESTART:
        steps.append(f"{stop.kind} settled {in_words(given.on)}: the period starts then")
        return replace(clock, start=max(clock.start, given.on))
    first = asked.on if effect is Effect.PAUSE_INCLUSIVE else asked.on + _DAY
    if asked is given:
        return clock
    steps.append(f"{stop.kind} asked {in_words(asked.on)}, given {in_words(given.on)}: "
                 f"{(given.on - first).days + 1} days do not count")
    return replace(clock, paused=(*clock.paused, (first, given.on + _DAY)))


def _last_day(run: Run, clock: Clock, counting: Counting, steps: list[str]) -> date:
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
    steps.append(f"{length(counting)}{' with the pause' if paused else ''} -> {in_words(day)}")
    if not counting.rolls:
        return day
    rolled = roll(day, run.works)
    if rolled != day:
        steps.append(f"not a working day ({run.calendar}) -> {in_words(rolled)}")
    return rolled


def _paused_days(clock: Clock) -> set[date]:
    """The days after the start that do not count; overlapping stretches count once."""
    return {
        first + timedelta(days=n)
        for first, end in clock.paused
        for n in range((end - first).days)
        if first + timedelta(days=n) > clock.start
    }


def _extended(
    run: Run, begun: Clock, clock: Clock, rule: ExtensionRule, found: Reckoning
) -> Reckoning:
    """Add the last day for a notice, and the extended date where a valid notice was given."""
    last = found.last_day
    if last is None:
        return found
    notice_due = _notice_due(run, rule, last)
    if NOTICE in rule.trigger:
        found = replace(found, notice_due=notice_due)
    notices = run.facts.of(rule.trigger)
    valid = next((m for m in notices if m.justified and m.on <= notice_due), None)
    if valid is None:
        words = "extension notice late or without reasons: nothing changes"
        return replace(found, steps=(*found.steps, words)) if notices else found
    steps = [f"extension notice {in_words(valid.on)}, in time until {in_words(notice_due)}"]
    clock = _in_longer_period(run, begun, clock, rule, steps)
    if clock.waits_for:
        return replace(found, steps=(*found.steps, *steps), waits_for=clock.waits_for)
    extended = _prolonged(run, clock, rule, last, steps)
    extended = _named(extended, valid.until, last, steps)
    return replace(found, extended=extended, steps=(*found.steps, *steps))


def _in_longer_period(
    run: Run, begun: Clock, clock: Clock, rule: ExtensionRule, steps: list[str]
) -> Clock:
    """The clock of the prolonged period: a question may also come after the first period."""
    base = run.counting
    if rule.counted_from != "original" or rule.length is None or base.length is None:
        return clock
    longer = replace(base, length=base.length + rule.length)
    again = _with_stops(run, begun, longer, [])
    if again.waits_for:
        steps.append(f"the clock stands still until: {' or '.join(again.waits_for)}")
    return again


def _notice_due(run: Run, rule: ExtensionRule, last_day: date) -> date:
    if rule.notice is None:
        return last_day
    sent = run.facts.of(("sent",)) if rule.notice.start == "request" else []
    start = sent[0].on if sent else run.facts.received
    day = unrolled(start, rule.notice, run.works)
    return roll(day, run.works) if rule.notice.rolls else day


def _prolonged(
    run: Run, clock: Clock, rule: ExtensionRule, last_day: date, steps: list[str]
) -> date | None:
    """The statutory end: from the original start, or after expiry, never beyond the total."""
    base, more = run.counting, rule.length
    if rule.equal:
        more = base.length
    if more is None or base.length is None:
        steps.append("the law sets no end for an extension")
        return None
    if rule.counted_from == "original":
        total = replace(base, length=base.length + more)
        return _last_day(run, clock, total, steps)
    again = replace(base, length=more, first_day_counts=False,
                    unit=base.unit if rule.equal else rule.unit)
    end = _last_day(run, Clock(last_day), again, steps)
    if rule.most is None:
        return end
    most = _last_day(run, clock, replace(base, length=rule.most, unit=rule.unit), [])
    if most < end:
        steps.append(f"in all at most {length(replace(base, length=rule.most, unit=rule.unit))} "
                     f"-> {in_words(most)}")
    return min(end, most)


def _named(
    statutory: date | None, until: date | None, last_day: date, steps: list[str]
) -> date | None:
    """The end the controller named, where it lies before the statutory one."""
    if until is None:
        return max(statutory, last_day) if statutory else None
    steps.append(f"the controller named {in_words(until)}")
    end = min(until, statutory) if statutory else until
    return max(end, last_day)


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


def length(counting: Counting) -> str:
    """A period in words: `one month`, `45 days`."""
    if counting.length is None:
        return "no number"
    unit = _UNITS[counting.unit]
    number = "one" if counting.length == 1 else str(counting.length)
    words = f"{number} {unit}{'' if counting.length == 1 else 's'}"
    return words + (" (the first day counts)" if counting.first_day_counts else "")


def in_words(day: date) -> str:
    """`Tue 31 March 2026`, whatever the locale."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
