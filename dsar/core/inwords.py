"""Dates and periods in words, whatever the locale."""

from __future__ import annotations

from datetime import date

from dsar.core.regime import Counting, Unit

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)
_UNITS = {
    Unit.MONTH: "month", Unit.WEEK: "week", Unit.DAY: "day", Unit.WORKING_DAY: "working day",
    Unit.CLEAR_DAY: "clear day", Unit.HOUR: "hour",
}


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
