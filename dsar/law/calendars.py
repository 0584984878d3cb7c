"""Working days by calendar id, from the snapshot of the `holidays` package that ships with dsar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from dsar.core.counting import IsWorkingDay
from dsar.law.dayrules import WEEKDAYS, days_of
from dsar.yamlfile import Reader, read

FIRST_YEAR, LAST_YEAR = 2015, 2035
"""The years of the snapshot; outside them the installed package is asked."""
MARKETS = ("XECB",)
_SATURDAY_SUNDAY = frozenset({5, 6})
_NONE: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Definition:
    """One entry of calendars.yaml."""

    weekend: frozenset[int]
    holidays: str | None = None
    days: tuple[str, ...] = ()
    note: str = ""
    confidence: str = "verified"


@dataclass(frozen=True)
class Override:
    """Days a user adds to a calendar, or takes away, by calendar id."""

    extra: frozenset[date] = _NONE
    removed: frozenset[date] = _NONE


class WorkingDays(dict[date, bool]):
    """Day → whether one can act on it, a year at a time as it is asked for."""

    def __init__(self, off: Callable[[int], set[date]]) -> None:
        super().__init__()
        self._off = off

    def __missing__(self, day: date) -> bool:
        """Fill in the year of a day not asked for before."""
        off = self._off(day.year)
        first = date(day.year, 1, 1)
        length = (date(day.year, 12, 31) - first).days + 1
        self.update((d, d not in off) for d in (first + timedelta(days=n) for n in range(length)))
        return self[day]


class HolidayCalendars:
    """Says of a calendar id and a day whether one can act on it (core's `Calendars`)."""

    def __init__(self, folder: Path, overrides: Mapping[str, Override] | None = None) -> None:
        self._folder = folder
        self._overrides = dict(overrides or {})
        self._days: dict[str, WorkingDays] = {}
        self._files: dict[str, dict[str, frozenset[date]]] = {}

    @cached_property
    def version(self) -> str:
        """`holidays 0.109`: the package version of the snapshot."""
        return f"holidays {self._index['version']}"

    @cached_property
    def _index(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self._folder / "days" / "index.json").read_text())
        return found

    @cached_property
    def _named(self) -> tuple[dict[str, Definition], dict[str, frozenset[int]]]:
        return read_definitions(self._folder / "calendars.yaml")

    def is_working_day(self, calendar_id: str, day: date) -> bool:
        """Whether `day` is a working day of this calendar; raises KeyError for an unknown id."""
        days = self._days.get(calendar_id) or self._calendar(calendar_id)
        return days[day]

    def working_days(self, calendar_id: str) -> IsWorkingDay:
        """`is_working_day` of one calendar, for many days; raises KeyError for an unknown id."""
        return self._calendar(calendar_id).__getitem__

    def _calendar(self, calendar_id: str) -> WorkingDays:
        if calendar_id not in self._days:
            parts = [self._definition(part) for part in calendar_id.split("+")]
            override = self._overrides.get(calendar_id, Override())
            weekend = frozenset().union(*(part.weekend for part in parts))

            def off(year: int) -> set[date]:
                found: set[date] = set().union(*(self._off(part, year) for part in parts))
                return (found | _weekends(weekend, year) | override.extra) - override.removed

            self._days[calendar_id] = WorkingDays(off)
        return self._days[calendar_id]

    def holidays(self, calendar_id: str, year: int) -> frozenset[date]:
        """The days off in `year` for another reason than the weekend."""
        parts = [self._definition(part) for part in calendar_id.split("+")]
        return frozenset().union(*(self._off(part, year) for part in parts))

    def describe(self, calendar_id: str, day: date) -> str:
        """The calendar in words, with the version of the data that hold for `day`."""
        if calendar_id in ("none", "weekend-only"):
            return calendar_id
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return f"{calendar_id}, {self.version}"
        return f"{calendar_id}, computed live: outside the snapshot of {self.version}"

    def confidence(self, calendar_id: str) -> str:
        """`unverified` where the list itself is doubtful."""
        known = (self._named[0].get(part) for part in calendar_id.split("+"))
        return next((d.confidence for d in known if d and d.confidence != "verified"), "verified")

    def _definition(self, part: str) -> Definition:
        """`holidays:CC[-SUB]` and `sun-holidays:CC` are built, the others stand in the file."""
        kind, _, place = part.partition(":")
        named, weekends = self._named
        if kind == "sun-holidays" and place:
            return Definition(frozenset({6}), place)
        if kind == "holidays" and place:
            weekend = weekends.get(place.partition("-")[0], _SATURDAY_SUNDAY)
            return Definition(weekend, place)
        return named[part]

    def _off(self, part: Definition, year: int) -> set[date]:
        # A stretch over New Year begins in the year before.
        ruled = (days_of(rule, y) for rule in part.days for y in (year - 1, year))
        found = {day for days in ruled for day in days if day.year == year}
        return found | self._holidays(part.holidays, year) if part.holidays else found

    def _holidays(self, place: str, year: int) -> frozenset[date]:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return public_holidays(place, year)
        country, _, subdivision = place.partition("-")
        known = self._snapshot(country)
        chosen = known.get(subdivision, known[""])
        return frozenset(day for day in chosen if day.year == year)

    def _snapshot(self, country: str) -> dict[str, frozenset[date]]:
        """Subdivision → days off; a part without days of its own has the country's."""
        if country not in self._files:
            path = self._folder / "days" / f"{country}.json"
            try:
                self._files[country] = unpack(json.loads(path.read_text()))
            except FileNotFoundError:
                raise KeyError(f"holidays:{country}") from None
        return self._files[country]


def _weekends(weekend: frozenset[int], year: int) -> set[date]:
    """Every day of a year that falls on one of these weekdays (Monday is 0)."""
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1))
    return {day for day in days if day.weekday() in weekend}


def unpack(packed: Mapping[str, Any]) -> dict[str, frozenset[date]]:
    """Undo `pack`: `{"": [days], "BY": {"more": […], "less": […]}}`, days as YYYY-MM-DD."""
    common = _dates(packed["days"])
    found = {"": common}
    for name, change in packed["parts"].items():
        found[name] = (common | _dates(change["more"])) - _dates(change["less"])
    return found


def pack(days: Mapping[str, frozenset[date]]) -> dict[str, object]:
    """The days of a country, and of each part what it has more or less."""
    common = days[""]
    parts = {
        name: {"more": _written(own - common), "less": _written(common - own)}
        for name, own in sorted(days.items()) if own != common
    }
    return {"days": _written(common), "parts": parts}


def _dates(written: Iterable[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in written)


def _written(days: Iterable[date]) -> list[str]:
    return [day.isoformat() for day in sorted(days)]


def public_holidays(place: str, year: int) -> frozenset[date]:
    """The public holidays of a place (CC or CC-SUB) by the installed package."""
    import holidays

    country, _, subdivision = place.partition("-")
    if country in MARKETS:
        return frozenset(holidays.financial_holidays(country, years=year))
    return frozenset(
        holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    )


def subdivisions(country: str) -> tuple[str, ...]:
    """The parts of a country the installed package knows, by their ISO 3166-2 codes."""
    import holidays

    return tuple(holidays.list_supported_countries().get(country, ()))


def read_definitions(
    path: Path,
) -> tuple[dict[str, Definition], dict[str, frozenset[int]]]:
    """The named calendars, and the countries with another weekend; raises FileProblems."""
    document = read(path)
    reader = Reader.of(document, document.value, "calendars")
    reader.number("schema")
    weekends = reader.mapping("weekends")
    found_weekends = {c: _weekend(weekends, c) for c in list(weekends.value)}
    block = reader.mapping("calendars")
    found = {name: _read_definition(block.mapping(name)) for name in list(block.value)}
    block.finish()
    reader.finish()
    document.raise_problems()
    return found, found_weekends


def _read_definition(reader: Reader) -> Definition:
    days = reader.texts("days")
    for rule in days:
        try:
            days_of(rule, 2026)
        except ValueError as error:
            reader.problem("days", str(error))
    definition = Definition(
        weekend=_weekend(reader, "weekend"),
        holidays=reader.optional("holidays"),
        days=days,
        note=reader.text("note"),
        confidence=reader.one_of("confidence", ("verified", "unverified"), default="verified"),
    )
    reader.finish()
    return definition


def _weekend(reader: Reader, key: str) -> frozenset[int]:
    words = reader.texts(key)
    for word in words:
        if word not in WEEKDAYS:
            reader.problem(key, f"{word!r} is none of {', '.join(WEEKDAYS)}")
    return frozenset(WEEKDAYS.index(word) for word in words if word in WEEKDAYS)

