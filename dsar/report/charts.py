"""Where the lines and bars of the two charts lie, in the units of an SVG of 720 by 300."""

from __future__ import annotations

from dataclasses import dataclass

from dsar.core.statistics import Share
from dsar.core.table import Estimate, Table
from dsar.report.statistics import Report

LEFT, RIGHT, TOP, BOTTOM = 52.0, 704.0, 16.0, 250.0


@dataclass(frozen=True)
class Mark:
    """A place on an axis or a line across, with its words; `at` in units of the SVG."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """`line` and `band` are SVG paths; `ticks` are x, y of cases that are still open."""

    line: str
    band: str
    ticks: tuple[tuple[float, float], ...]
    days: tuple[Mark, ...]
    periods: tuple[Mark, ...]
    shares: tuple[Mark, ...]
    words: str


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram; `height` 0 and `label` in words where the number is hidden."""

    x: float
    y: float
    width: float
    height: float
    name: str
    label: str


Point = tuple[int, float, float, float]


def curve(report: Report) -> Curve | None:
    """The cumulative curve; where small numbers are hidden, through the days of table T4 only."""
    points = _points(report)
    if not points:
        return None
    last = max(points[-1][0], *report.periods, 1)
    steps = report.curve or ()
    return Curve(
        line=_path([(p[0], p[1]) for p in points], last),
        band=f"{_path([(p[0], p[3]) for p in points], last)} "
             f"{_back([(p[0], p[2]) for p in points], last)} Z",
        ticks=tuple((_x(s.day, last), _y(1 - s.waiting)) for s in steps if s.censored),
        days=tuple(Mark(_x(day, last), str(day)) for day in _days(last)),
        periods=tuple(Mark(_x(day, last), f"{day} days") for day in sorted(report.periods)),
        shares=tuple(Mark(_y(share / 100), f"{share} %") for share in (0, 25, 50, 75, 100)),
        words=f"Share of delivered requests with a substantive answer: "
              f"{points[-1][1] * 100:.0f} % by day {points[-1][0]}.")


def _points(report: Report) -> list[Point]:
    if report.curve is not None:
        return _thinned([(s.day, 1 - s.waiting, 1 - s.high, 1 - s.low) for s in report.curve])
    table = report.table("T4")
    return [(int(str(row[0])), cell.share, cell.low, cell.high)
            for row in (table.rows if table else ()) for cell in row if isinstance(cell, Estimate)]


def _thinned(points: list[Point]) -> list[Point]:
    """At most some 700 points: one unit of the SVG each."""
    every = len(points) // 700 + 1
    return points[::every] if every == 1 else [*points[::every], points[-1]]


def _path(points: list[tuple[int, float]], last: int) -> str:
    """A staircase from nothing on day 0."""
    parts, height = [f"M {_x(0, last)} {_y(0)}"], 0.0
    for day, share in points:
        if share != height:
            parts.append(f"H {_x(day, last)} V {_y(share)}")
            height = share
    return " ".join([*parts, f"H {_x(points[-1][0], last)}"])


def _back(points: list[tuple[int, float]], last: int) -> str:
    """The same staircase from its end to its beginning."""
    parts = [f"V {_y(points[-1][1])}"]
    before = [0.0, *(share for _, share in points[:-1])]
    for (day, _), share in zip(reversed(points), reversed(before), strict=True):
        parts.append(f"H {_x(day, last)} V {_y(share)}")
    return " ".join([*parts, f"H {_x(0, last)}"])


def _days(last: int) -> list[int]:
    step = next((s for s in (1, 2, 5, 10, 30, 60, 90, 180, 365) if last / s <= 8), 730)
    return list(range(0, last + 1, step))


def _x(day: float, last: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * day / last, 1)


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def bars(table: Table | None) -> tuple[Bar, ...]:
    """The histogram of table T4a; none where there is no answer yet."""
    if table is None or not table.rows:
        return ()
    counts = [row[1].k if isinstance(row[1], Share) else None for row in table.rows]
    most = max((c for c in counts if c), default=1)
    room = (RIGHT - LEFT) / len(counts)
    found = []
    for number, (row, count) in enumerate(zip(table.rows, counts, strict=True)):
        height = round((BOTTOM - TOP - 14) * (count or 0) / most, 1)
        found.append(Bar(round(LEFT + room * number + room * 0.1, 1), round(BOTTOM - height, 1),
                         round(room * 0.8, 1), height, str(row[0]),
                         "not shown" if count is None else str(count)))
    return tuple(found)

