"""Counting a period: months clamped, weeks, calendar, business and clear days, hours; the roll."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from dsar.core.regime import Counting, Unit

IsWorkingDay = Callable[[date], bool]
_DAY = timedelta(days=1)
_MONTH = Unit.MONTH


def due_on(received: date, counting: Counting, is_working_day: IsWorkingDay) -> date:
    """Return the last day of the period, moved off a day off where `counting` rolls.

    received: the local date on which the request reached the controller; not counted unless
    `first_day_counts`. A month ends on the same day number, or on the last day of a shorter
    month: Regulation (EEC, Euratom) No 1182/71, Art. 3(1), 3(2)(c) and 3(4).
    Raises ValueError where the law gives no number.
    """
    # The commonest rule goes straight to its function: one call less on each of many dates.
    if counting.unit is _MONTH and counting.length and not counting.first_day_counts:
        day = months_later(received, counting.length)
    else:
        day = unrolled(received, counting, is_working_day)
    if counting.rolls:
        while not is_working_day(day):
            day += _DAY
    return day


def unrolled(received: date, counting: Counting, is_working_day: IsWorkingDay) -> date:
    """Return the last day of the period before any roll; see `due_on`."""
    length, unit = counting.length, counting.unit
    if length is None:
        raise ValueError("the law gives no number")
    if unit is _MONTH:
        day = months_later(received, length)
        return day - _DAY if counting.first_day_counts else day
    if unit is Unit.WORKING_DAY:
        before = received - _DAY if counting.first_day_counts else received
        return nth_working_day(before, length, is_working_day)
    if unit is Unit.HOUR:
        return received + timedelta(hours=length)
    return received + timedelta(days=_days(length, unit) - counting.first_day_counts)


def _days(length: int, unit: Unit) -> int:
    """Calendar days between start and last day; clear days leave out both ends."""
    match unit:
        case Unit.WEEK:
            return 7 * length
        case Unit.CLEAR_DAY:
            return length + 1
        case _:
            return length


def months_later(day: date, months: int) -> date:
    """The same day number `months` later, or the last day of a shorter month."""
    year, month, number = day.year, day.month + months, day.day
    if month > 12:
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if number > 28:
        number = min(number, monthrange(year, month)[1])
    return date(year, month, number)


def nth_working_day(day: date, count: int, is_working_day: IsWorkingDay) -> date:
    """The `count`-th working day after `day`."""
    while count > 0:
        day += _DAY
        if is_working_day(day):
            count -= 1
    return day


def roll(day: date, is_working_day: IsWorkingDay) -> date:
    """`day`, or the next working day after it."""
    while not is_working_day(day):
        day += _DAY
    return day
