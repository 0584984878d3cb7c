"""Days off by rule: `12-25`, `easter-2`, `2nd monday 10`, `monday before 05-25`, `12-25..01-15`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIXED = re.compile(r"(\d\d)-(\d\d)")
_RANGE = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
_EASTER = re.compile(r"easter([+-]\d+)?")
_NTH = re.compile(r"(\d|last)(?:st|nd|rd|th)? (\w+)day (\d\d)")
_BEFORE = re.compile(r"(\w+)day before (\d\d)-(\d\d)")
_AFTER = re.compile(r"day after (.+)")
_DAY = timedelta(days=1)


def days_of(rule: str, year: int) -> set[date]:
    """The days off that `rule` names and that begin in `year`; raises ValueError if unreadable."""
    for pattern, days in _RULES:
        found = pattern.fullmatch(rule)
        if found:
            return days(found, year)
    raise ValueError(f"{rule!r} is no rule for days off")


def _fixed(found: re.Match[str], year: int) -> set[date]:
    return {date(year, int(found[1]), int(found[2]))}


def _range(found: re.Match[str], year: int) -> set[date]:
    first = date(year, int(found[1]), int(found[2]))
    last = date(year, int(found[3]), int(found[4]))
    if last < first:
        last = last.replace(year=year + 1)
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def _easter(found: re.Match[str], year: int) -> set[date]:
    return {easter(year) + timedelta(days=int(found[1] or 0))}


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the computus, after Gauss and Lilius)."""
    golden, century = year % 19, year // 100
    moon = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon -= moon // 28 * (1 - 29 // (moon + 1) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    return date(year, 3, 28) + timedelta(days=moon - weekday)


def _nth(found: re.Match[str], year: int) -> set[date]:
    weekday, month = _weekday(found[2]), int(found[3])
    if found[1] == "last":
        day = date(year + month // 12, month % 12 + 1, 1) - _DAY
        return {day - timedelta(days=(day.weekday() - weekday) % 7)}
    day = date(year, month, 1)
    day += timedelta(days=(weekday - day.weekday()) % 7)
    return {day + timedelta(weeks=int(found[1]) - 1)}


def _before(found: re.Match[str], year: int) -> set[date]:
    day = date(year, int(found[2]), int(found[3])) - _DAY
    return {day - timedelta(days=(day.weekday() - _weekday(found[1])) % 7)}


def _after(found: re.Match[str], year: int) -> set[date]:
    return {day + _DAY for day in days_of(found[1], year)}


def _weekday(word: str) -> int:
    return WEEKDAYS.index(word[:3])


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int], set[date]]], ...] = (
    (_FIXED, _fixed), (_RANGE, _range), (_EASTER, _easter), (_NTH, _nth), (_BEFORE, _before),
    (_AFTER, _after),
)
