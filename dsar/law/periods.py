"""Reads periods, extensions, acknowledgements and clock stops of a regime file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

from dsar.core.regime import (
    Acknowledgement,
    ClockStop,
    Counting,
    Effect,
    ExtensionRule,
    PeriodRule,
    Unit,
)
from dsar.yamlfile import Reader

CONFIDENCE = ("verified", "partly-verified", "unverified")
UNITS = tuple(unit.value for unit in Unit)
ROLLS = {
    "none": False,
    "next_working_day": True,
    "next_day_not_holiday": True,
    "next_day_not_general_holiday": True,
    "next_day_not_sunday_or_holiday": True,
}
"""The roll rules by name; which days are no working days is the calendar's affair."""
_NOTHING = Counting(length=None, unit=Unit.NONE)


def periods(reader: Reader) -> dict[str, PeriodRule]:
    """Every block under `periods:`, by right or `default`."""
    found = {}
    for name in list(reader.value):
        block = reader.mapping(name)
        found[name] = _period(block)
        block.finish()
    return found


def _period(reader: Reader) -> PeriodRule:
    due = _counting(reader, _NOTHING)
    if due.length is None and due.unit is not Unit.NONE:
        reader.problem("unit", "a period without a length has the unit 'none'")
    rule = PeriodRule(
        strict=_reading(reader, "strict", due),
        due=due,
        charitable=_reading(reader, "charitable", due),
        section=reader.text("section"),
        basis=reader.text("basis"),
        note=reader.text("note"),
        advisory=reader.flag("advisory"),
        starts_at=reader.texts("starts_at"),
        not_before=reader.day("not_before"),
        days_off=reader.texts("days_off"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
        valid_from=reader.day("valid_from"),
        valid_to=reader.day("valid_to"),
    )
    rule = replace(rule, roll_confidence=reader.one_of(
        "roll_confidence", CONFIDENCE, default=rule.confidence))
    return replace(rule, successor=_successor(reader), when=_flagged(reader, rule))


def _successor(reader: Reader) -> PeriodRule | None:
    if reader.raw("successor") is None:
        return None
    block = reader.mapping("successor")
    rule = _period(block)
    block.finish()
    if reader.raw("valid_to") is None or rule.valid_from is None:
        reader.problem("successor", "a successor needs `valid_to` here and its own `valid_from`")
    return rule


def _flagged(reader: Reader, rule: PeriodRule) -> dict[str, PeriodRule]:
    """`when:` flag → what is different while the flag holds."""
    flags = reader.mapping("when")
    found = {}
    for name in list(flags.value):
        block = flags.mapping(name)
        found[name] = replace(
            rule,
            strict=_reading(block, "strict", _counting(block, rule.strict)),
            due=_counting(block, rule.due),
            charitable=_reading(block, "charitable", _counting(block, rule.charitable)),
            advisory=block.flag("advisory", default=rule.advisory),
            note=block.text("note", default=rule.note),
            confidence=block.one_of("confidence", CONFIDENCE, default=rule.confidence),
        )
        block.finish()
    return found


def _reading(reader: Reader, key: str, due: Counting) -> Counting:
    """`strict:` or `charitable:` names only what differs from the primary reading."""
    if reader.raw(key) is None:
        return due
    block = reader.mapping(key)
    found = _counting(block, due)
    block.text("why")
    block.finish()
    return found


def _counting(reader: Reader, base: Counting) -> Counting:
    """The keys of one way to count, the rest as in `base`."""
    roll = reader.one_of("roll", ROLLS, default="none") if reader.raw("roll") is not None else None
    unit = reader.one_of("unit", UNITS, default="none") if reader.raw("unit") else base.unit
    first = reader.raw("first_day")
    if first is not None:
        reader.one_of("first_day", ("excluded", "included"), default="excluded")
    if reader.raw("start") is not None:
        reader.one_of("start", ("receipt", "request"), default="receipt")
    return Counting(
        length=reader.number("length", default=base.length),
        unit=Unit(unit),
        first_day_counts=base.first_day_counts if first is None else first == "included",
        rolls=base.rolls if roll is None else ROLLS.get(roll, False),
        calendar=reader.text("calendar", default=base.calendar),
        start=reader.text("start", default=base.start),
        late_after=_time(reader, base.late_after),
    )


def _time(reader: Reader, default: time | None) -> time | None:
    written = reader.optional("late_after")
    if written is None:
        return default
    try:
        return time.fromisoformat(written)
    except ValueError:
        reader.problem("late_after", f"{written!r} is not a time such as 17:00")
        return default


def extension(reader: Reader, rules: Mapping[str, PeriodRule]) -> ExtensionRule:
    """One block under `extensions:`."""
    unit = reader.one_of("unit", (*UNITS, "equal_period"), default="none")
    notice = reader.mapping("notice")
    rule = ExtensionRule(
        rights=reader.texts("rights"),
        length=reader.number("length"),
        unit=Unit.NONE if unit == "equal_period" else Unit(unit),
        equal=unit == "equal_period",
        counted_from=reader.one_of("counted_from", ("original", "expiry"), default="original"),
        most=reader.number("most"),
        notice=_counting(notice, _NOTHING) if notice.value else None,
        trigger=reader.texts("trigger") or ("extension_notice",),
        condition=reader.text("condition"),
        notice_words=reader.text("notice_due"),
        section=reader.text("section"),
        note=reader.text("note"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
    )
    notice.finish()
    reader.finish()
    _same_unit(reader, rule, rules)
    return rule


def _same_unit(reader: Reader, rule: ExtensionRule, rules: Mapping[str, PeriodRule]) -> None:
    """An extension counted from the original start is one longer period: one unit."""
    if rule.counted_from != "original" or rule.equal or rule.length is None:
        return
    for right in rule.rights or rules:
        base = rules.get(right) or rules.get("default")
        if base and base.due.length is not None and base.due.unit is not rule.unit:
            reader.problem("unit", f"counts in {rule.unit}, the period of {right} in "
                                   f"{base.due.unit}; count it from `expiry`")


def acknowledgement(reader: Reader) -> Acknowledgement:
    """The block `acknowledgement:`."""
    found = Acknowledgement(
        counting=_counting(reader, _NOTHING),
        rights=reader.texts("rights"),
        section=reader.text("section"),
        note=reader.text("note"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
    )
    reader.finish()
    if found.counting.length is None:
        reader.problem("length", "'length' is missing")
    return found


def clock_stop(reader: Reader) -> ClockStop:
    """One block under `clock:`."""
    within = reader.mapping("within")
    found = ClockStop(
        kind=reader.text("kind", required=True),
        asked=reader.texts("asked"),
        given=reader.texts("given"),
        strict=_effect(reader, "strict"),
        due=_effect(reader, "due"),
        charitable=_effect(reader, "charitable"),
        rights=reader.texts("rights"),
        within=_counting(within, _NOTHING) if within.value else None,
        wait_days=reader.number("wait_days", default=0) or 0,
        section=reader.text("section"),
        note=reader.text("note"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
    )
    within.finish()
    reader.finish()
    return found


def _effect(reader: Reader, key: str) -> Effect:
    return Effect(reader.one_of(key, [e.value for e in Effect], default="none"))
