"""A second implementation of every period, written apart: it walks from day to day.

It shares nothing with dsar.core: no arithmetic on dates but "the next day".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

ONE = timedelta(days=1)


def slow_due(
    received: date, *, length: int, unit: str, first_day: str, rolls: bool,
    is_off: Callable[[date], bool],
) -> date:
    """The last day of a period, by walking."""
    day = walk(received, length, unit, first_day == "included", is_off)
    while rolls and is_off(day):
        day += ONE
    return day


def walk(
    received: date, length: int, unit: str, included: bool, is_off: Callable[[date], bool]
) -> date:
    """The last day before any roll."""
    if unit == "months":
        return walk_months(received, length, included)
    if unit == "business_days":
        return walk_working_days(received, length, included, is_off)
    if unit == "clear_days":
        return walk_days(received, length + 1, included)
    if unit == "weeks":
        day = received
        for _ in range(length):
            day = walk_days(day, 7, False)
        return day - ONE if included else day
    if unit == "hours":
        assert length % 24 == 0
        return walk_days(received, length // 24, included)
    return walk_days(received, length, included)


def walk_days(received: date, length: int, included: bool) -> date:
    day, counted = received, 1 if included else 0
    while counted < length:
        day += ONE
        counted += 1
    return day


def walk_working_days(
    received: date, length: int, included: bool, is_off: Callable[[date], bool]
) -> date:
    day = received
    counted = 1 if included and not is_off(day) else 0
    while counted < length:
        day += ONE
        if not is_off(day):
            counted += 1
    return day


def walk_months(received: date, length: int, included: bool) -> date:
    """Walk into the month that is `length` months on, then to the day number or its last day."""
    day, passed = received, 0
    while passed < length:
        day += ONE
        if day.day == 1:
            passed += 1
    while day.day < received.day and (day + ONE).day != 1:
        day += ONE
    return day - ONE if included else day
