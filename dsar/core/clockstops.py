"""What questions of the controller do to a running period: pause it, start it anew, nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from dsar.core.counting import unrolled
from dsar.core.inwords import in_words
from dsar.core.lastday import Clock, Run, end_of
from dsar.core.moments import Facts, Moment
from dsar.core.regime import ClockStop, Counting, Effect

_DAY = timedelta(days=1)


def with_stops(run: Run, clock: Clock, counting: Counting, steps: list[str]) -> Clock:
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
    last = end_of(run, clock, counting, [])
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
