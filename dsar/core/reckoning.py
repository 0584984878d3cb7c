"""One reading of one period, step by step: start, stops of the clock, last day, extension."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from dsar.core.clockstops import with_stops
from dsar.core.counting import nth_working_day, roll, unrolled
from dsar.core.inwords import in_words, length
from dsar.core.lastday import Clock, Run, end_of
from dsar.core.regime import ClockStop, ExtensionRule

FORM_SUBMITTED = "form_submitted"
"""A second filing on the controller's wish: a new start on the latest reading only."""

NOTICE = "extension_notice"
"""The controller says that it takes longer, why, and often until when."""


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
    clock = with_stops(run, begun, run.counting, steps)
    if clock.waits_for:
        words = " or ".join(clock.waits_for)
        steps.append(f"the clock stands still until: {words}; no date before that")
        return Reckoning(None, run.calendar, tuple(steps), waits_for=clock.waits_for,
                         unverified=clock.unverified)
    last = end_of(run, clock, run.counting, steps)
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
    again = with_stops(run, begun, longer, [])
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
        return end_of(run, clock, total, steps)
    again = replace(base, length=more, first_day_counts=False,
                    unit=base.unit if rule.equal else rule.unit)
    end = end_of(run, Clock(last_day), again, steps)
    if rule.most is None:
        return end
    most = end_of(run, clock, replace(base, length=rule.most, unit=rule.unit), [])
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
