"""What is due when under one law: strict, due, charitable and extended, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial

from dsar.core.counting import due_on
from dsar.core.inwords import in_words, length
from dsar.core.lastday import Run, calendar_id
from dsar.core.moments import Calendars, Facts, Moment
from dsar.core.reckoning import FORM_SUBMITTED, Reckoning, reckon
from dsar.core.regime import Acknowledgement, ExtensionRule, PeriodRule, Regime

__all__ = ["Calendars", "Deadlines", "Facts", "Moment", "deadlines", "due_on"]


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """The dates of one request under one law; None where a date does not apply.

    strict_due and charitable_due are the earliest and the latest defensible dates. waits_for: the
    kinds of moments the clock stands still for. in_force_from: when a law that is not in force
    yet begins.
    """

    in_force: bool = True
    due: date | None = None
    strict_due: date | None = None
    charitable_due: date | None = None
    extended_due: date | None = None
    charitable_extended_due: date | None = None
    extension_notice_due: date | None = None
    ack_due: date | None = None
    steps: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    calendar: str = "none"
    advisory: bool = False
    in_force_from: date | None = None
    waits_for: tuple[str, ...] = ()

    @property
    def answer_by(self) -> date | None:
        """The day the answer is due, a valid extension included; None while the clock stands."""
        return None if self.waits_for else self.extended_due or self.due

    @property
    def complain_after(self) -> date | None:
        """The last day on which the controller may still be in time on any defensible reading.

        None while nothing can be overdue: no number in the law, or the clock stands still.
        """
        if self.charitable_due is None or self.waits_for:
            return None
        known = (self.charitable_due, self.extended_due, self.charitable_extended_due)
        return max(day for day in known if day)


def deadlines(regime: Regime, facts: Facts, calendars: Calendars) -> Deadlines:
    """Return every date that follows from `facts` under `regime`, with the steps in words.

    A law that is not in force on the day of receipt yields no date. An extension is recomputed
    from the original start, then pauses, then the roll; it counts only if its notice was given
    in time and with reasons.
    """
    outside = _not_in_force(regime, facts)
    if outside:
        return outside
    rule = _rule_for(regime, facts)
    if rule is None or rule.due.length is None:
        return _without_number(regime, facts, rule, calendars)
    return _dated(regime, facts, rule, calendars)


def _dated(regime: Regime, facts: Facts, rule: PeriodRule, calendars: Calendars) -> Deadlines:
    due = reckon(Run(regime, facts, rule, "due", calendars))
    strict = _reckon_other(regime, facts, rule, "strict", calendars, due)
    charitable = _reckon_other(regime, facts, rule, "charitable", calendars, due)
    ack_due, ack_steps = _acknowledge(regime, facts, calendars)
    cites = _cites(regime, facts, rule, due)
    doubts = _unverified(regime, facts, rule, due)
    return Deadlines(
        due=due.last_day,
        strict_due=_earlier(strict.last_day, due.last_day),
        charitable_due=_later(charitable, due),
        extended_due=due.extended,
        charitable_extended_due=charitable.extended,
        extension_notice_due=due.notice_due,
        ack_due=ack_due,
        steps=(*due.steps, *_differences(strict, due, charitable), *ack_steps,
               *_without_effect(regime, facts, rule), *_grounds(due, cites, doubts, calendars)),
        cites=cites,
        unverified=doubts,
        calendar=due.calendar,
        advisory=rule.advisory or not _granted(regime, facts.right),
        waits_for=due.waits_for,
    )


def _reckon_other(
    regime: Regime, facts: Facts, rule: PeriodRule, reading: str, calendars: Calendars,
    due: Reckoning,
) -> Reckoning:
    """The strict or charitable reading; where nothing is disputed it is the primary one."""
    if getattr(rule, reading) is rule.due and all(m.type == "sent" for m in facts.moments):
        return due
    return reckon(Run(regime, facts, rule, reading, calendars))


def _without_effect(regime: Regime, facts: Facts, rule: PeriodRule) -> tuple[str, ...]:
    """Name what was reported but moves no date, so that a mistyped kind is seen."""
    if not facts.moments:
        return ()
    known = {"sent", FORM_SUBMITTED, *rule.starts_at, *rule.days_off}
    known.update(*(extension.trigger for extension in regime.extensions))
    for stop in regime.clock:
        if not stop.rights or facts.right in stop.rights:
            known.update(stop.asked, stop.given)
    idle = sorted({m.type for m in facts.moments} - known)
    return (f"without effect under this law: {', '.join(idle)}",) if idle else ()


def _grounds(
    due: Reckoning, cites: tuple[str, ...], doubts: tuple[str, ...], calendars: Calendars
) -> tuple[str, ...]:
    """What the dates rest on: the law, the calendar with its version, what is unverified."""
    found = ["; ".join(cites)] if cites else []
    if due.calendar != "none" and due.last_day:
        found.append(f"calendar: {calendars.describe(due.calendar, due.last_day)}")
    return (*found, *(f"not verified: {doubt}" for doubt in doubts))


def _earlier(strict: date | None, due: date | None) -> date | None:
    """Never later than due, whatever the data say."""
    return min(strict, due) if strict and due else strict or due


def _later(charitable: Reckoning, due: Reckoning) -> date | None:
    if charitable.last_day is None or due.last_day is None:
        return None
    return max(charitable.last_day, due.last_day)


def _differences(strict: Reckoning, due: Reckoning, charitable: Reckoning) -> tuple[str, ...]:
    """One line for each reading whose day is another one."""
    found = []
    if strict.last_day and strict.last_day != due.last_day:
        found.append(f"on the earliest defensible reading: {strict.in_one_line()}")
    if charitable.last_day and charitable.last_day != due.last_day:
        found.append(f"on the latest defensible reading: {charitable.in_one_line()}")
    return tuple(found)


def _not_in_force(regime: Regime, facts: Facts) -> Deadlines | None:
    begins = _begins(regime, facts)
    if begins and facts.received < begins:
        words = f"{regime.name} is not in force for this right before {in_words(begins)}"
        return Deadlines(in_force=False, in_force_from=begins, steps=(words,),
                         cites=(regime.statute,))
    if regime.valid_to and facts.received > regime.valid_to:
        words = f"{regime.name} is not in force after {in_words(regime.valid_to)}"
        if regime.successor:
            words += f"; {regime.successor} follows it"
        return Deadlines(in_force=False, steps=(words,), cites=(regime.statute,))
    return None


def _begins(regime: Regime, facts: Facts) -> date | None:
    right = regime.rights.get(facts.right)
    known = [d for d in (regime.valid_from, right.valid_from if right else None) if d]
    return max(known, default=None)


def _rule_for(regime: Regime, facts: Facts) -> PeriodRule | None:
    """The rule for the right, as it stood on the day of receipt and under the flags given."""
    rule = regime.period(facts.right)
    while rule and rule.successor and rule.valid_to and facts.received > rule.valid_to:
        rule = rule.successor
    if rule and facts.flags:
        flagged = (rule.when[flag] for flag in rule.when if facts.flags.get(flag))
        rule = next(flagged, rule)
    return rule


def _without_number(
    regime: Regime, facts: Facts, rule: PeriodRule | None, calendars: Calendars
) -> Deadlines:
    ack_due, ack_steps = _acknowledge(regime, facts, calendars)
    why = f"received {in_words(facts.received)}; {regime.name} sets no number for this right"
    note = (rule.note,) if rule and rule.note else ()
    return Deadlines(
        ack_due=ack_due,
        steps=(why, *note, *ack_steps),
        cites=_cites(regime, facts, rule),
        advisory=True,
    )


def _acknowledge(
    regime: Regime, facts: Facts, calendars: Calendars
) -> tuple[date | None, tuple[str, ...]]:
    rule: Acknowledgement | None = regime.acknowledgement
    if rule is None or (rule.rights and facts.right not in rule.rights):
        return None, ()
    calendar = calendar_id(rule.counting.calendar, regime, facts)
    day = due_on(facts.received, rule.counting, partial(calendars.is_working_day, calendar))
    return day, (f"receipt to be confirmed within {length(rule.counting)} -> {in_words(day)}",)


def _granted(regime: Regime, right: str) -> bool:
    """Whether the law gives this right, or has a period of its own for it."""
    known = regime.rights.get(right)
    return known.granted if known else right in regime.periods


def _cites(
    regime: Regime, facts: Facts, rule: PeriodRule | None, due: Reckoning | None = None
) -> tuple[str, ...]:
    """Where the answer period, its roll and an extension that counts are written, in English."""
    section = (rule.section if rule else "") or regime.sections.get("answer", "")
    found = [regime.cite(section)] if section else []
    if rule and rule.basis:
        found.append(rule.basis)
    extension = regime.extension(facts.right)
    if due and due.extended and extension and extension.section:
        found.append(regime.cite(extension.section))
    return tuple(dict.fromkeys(found)) or (regime.statute,)


def _unverified(regime: Regime, facts: Facts, rule: PeriodRule, due: Reckoning) -> tuple[str, ...]:
    found = []
    if rule.confidence != "verified":
        found.append("the length of the period")
    if rule.roll_confidence != "verified" and rule.due.rolls:
        found.append("that a last day on a weekend or holiday moves to the next working day")
    if "{place}" in rule.due.calendar and due.calendar == "weekend-only":
        found.append("which holidays count where the place to act is outside the law's states")
    extension: ExtensionRule | None = regime.extension(facts.right)
    if due.extended and extension and extension.confidence != "verified":
        found.append("the extension")
    found.extend(f"what the question about {s.kind} does to the clock" for s in due.unverified)
    if not _granted(regime, facts.right):
        found.append("that there is a right to ask for this at all")
    return tuple(found)
