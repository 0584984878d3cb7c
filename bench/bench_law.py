"""Months and rolls beside a loop written by hand, and `dsar law due -` over many lines.

By hand: the same month clamp and the same walk over weekends and a frozenset of holidays, written
out in one loop without functions of its own. dsar: `due_on` with a calendar of the law data. Both
see the same receipts and must agree on every date. Rounds alternate, the median counts.

    python bench/bench_law.py [computations] [lines] [rounds]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from dsar.core.counting import due_on
from dsar.law.load import load_laws

CALENDAR = "holidays:DE-BE"


def receipts(count: int) -> list[date]:
    """Days of five years, over and over."""
    first = date(2024, 1, 1)
    days = [first + timedelta(days=n) for n in range(1826)]
    return [days[n % len(days)] for n in range(count)]


def by_hand(days: Sequence[date], holidays: frozenset[date]) -> list[date]:
    """One month, clamped, rolled."""
    one, found = timedelta(days=1), []
    for received in days:
        year, month = received.year, received.month + 1
        if month > 12:
            year, month = year + 1, 1
        number = received.day
        if number > 28:
            number = min(number, monthrange(year, month)[1])
        day = date(year, month, number)
        while day.weekday() >= 5 or day in holidays:
            day += one
        found.append(day)
    return found


def by_dsar(days: Sequence[date]) -> list[date]:
    """The same by the rule of the EU GDPR."""
    laws = load_laws()
    counting = laws.regimes["eu-gdpr"].periods["default"].due
    works = laws.calendars.working_days(CALENDAR)
    return [due_on(day, counting, works) for day in days]


def timed(work: Callable[[], list[date]]) -> tuple[float, list[date]]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def compare(count: int, rounds: int) -> None:
    days, calendars = receipts(count), load_laws().calendars
    years = range(2024, 2031)
    holidays = frozenset().union(*(calendars.holidays(CALENDAR, y) for y in years))
    hand, ours = [], []
    for _ in range(rounds):
        spent, expected = timed(lambda: by_hand(days, holidays))
        hand.append(spent)
        spent, found = timed(lambda: by_dsar(days))
        ours.append(spent)
        assert found == expected
    a, b = statistics.median(hand), statistics.median(ours)
    print(f"{count} months and rolls: by hand {a:.2f} s, dsar {b:.2f} s, ratio {b / a:.2f}")


def stream(lines: int) -> None:
    """Time the whole command, start of the process included."""
    kinds = [
        {"regime": "eu-gdpr", "jurisdiction": {"country": "DE", "subdivision": "BE"},
         "right": "access", "events": [{"type": "id_requested", "date": "2026-06-03"},
                                       {"type": "id_provided", "date": "2026-06-17"}]},
        {"regime": "us-ca-ccpa", "jurisdiction": {"country": "US", "subdivision": "CA"},
         "right": "erasure", "events": []},
        {"regime": "uk-gdpr", "jurisdiction": {"country": "GB", "subdivision": "ENG"},
         "right": "access", "events": [{"type": "extension_notice", "date": "2026-06-20"}]},
        {"regime": "co-1581", "jurisdiction": {"country": "CO", "subdivision": None},
         "right": "access", "events": []},
    ]
    first = date(2026, 6, 1)
    text = "".join(
        json.dumps({**kinds[n % 4], "received": str(first + timedelta(days=n % 2))}) + "\n"
        for n in range(lines))
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "dsar", "law", "due", "-"], input=text,
                          capture_output=True, text=True, check=True)
    spent = time.perf_counter() - started
    assert done.stdout.count("\n") == lines
    print(f"law due - over {lines} lines: {spent:.1f} s, {lines / spent:.0f} lines/s")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    computations, asked, times = (numbers + [1_000_000, 100_000, 3][len(numbers):])[:3]
    compare(computations, times)
    stream(asked)
