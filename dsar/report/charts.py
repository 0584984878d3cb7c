"""The charts of a report as data: what is drawn where, in the words of Vega-Lite.

Every chart is read without colour: dark against light, filled against open, solid against
hatched. Every number in them stands in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dsar.core.statistics import Share, median_wait
from dsar.core.table import Cell, Count, Estimate, Table
from dsar.report.casebars import cases, shortened
from dsar.report.statistics import Report
from dsar.report.terminal import printable

WIDE, NARROW = 720, 350
"""Widths in pixels: for a screen or paper, and for a telephone."""

MOST_GROUPS = 20
MOST_POINTS = 350
INK, PALE, HATCH = "#1d3f66", "#c9d2dd", "url(#hatch)"

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One drawing above the table `table`.

    title: what it shows, as a sentence. words: the same for who does not see it. note: how to
    read it. spec: the drawing for a width in pixels.
    """

    table: str
    title: str
    words: str
    note: str
    spec: Callable[[int], dict[str, Any]]


def charts(report: Report) -> Iterator[Chart]:
    """Yield the charts that have something to show."""
    found = (_funnel(report.table("T1")), _curve(report), _histogram(report.table("T4a")),
             _identity(report.table("T5a")), _groups(report.table("T8")), _cases(report))
    return (chart for chart in found if chart is not None)


def _figure(width: int, height: int, data: Rows, *layers: dict[str, Any],
            **more: Any) -> dict[str, Any]:
    return {"width": width, "height": height, "autosize": {"type": "fit", "contains": "padding"},
            "data": {"values": list(data)}, "layer": list(layers), **more}


def _x(field: str, title: str | None, **axis: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title, "axis": axis}


def _label_axis(width: int, data: Rows) -> dict[str, Any]:
    """Names on the left, in the order they are given.

    The room for them is counted in wide letters: nobody knows the font of the reader.
    """
    longest = max(len(str(row["name"])) for row in data)
    return {"field": "name", "type": "nominal", "title": None,
            "sort": {"field": "order", "op": "min"},
            "axis": {"minExtent": min(longest, _letters(width)) * 7.4 + 6, "labelLimit": 0,
                     "domain": False, "ticks": False}}


def _letters(width: int) -> int:
    return 28 if width >= WIDE else 15


def _cut(width: int, data: Rows) -> list[dict[str, Any]]:
    """The rows with names that fit."""
    return [row | {"name": shortened(str(row["name"]), _letters(width))} for row in data]


def _funnel(table: Table | None) -> Chart | None:
    data = [{"name": str(row[0]).partition(" (")[0], "order": number, "k": cell.k,
             "label": f"{cell.k:,}"}
            for number, row in enumerate(table.rows[:6] if table else ())
            for cell in row[1:] if isinstance(cell, Share)]
    if not data:
        return None
    words = ", ".join(f"{row['name']} {row['label']}" for row in data)
    return Chart(table="T1", title=_how_far(data), words=f"Requests by step: {words}.",
                 note="Number of requests that reached each step.",
                 spec=lambda width: _bars(width, data))


def _how_far(data: Rows) -> str:
    reached = {str(row["name"]): int(row["k"]) for row in data}
    delivered, substantive = reached.get("delivered"), reached.get("substantive")
    if not delivered or substantive is None:
        return "How far the requests got"
    return (f"{substantive:,} of {delivered:,} delivered requests have an answer in substance "
            f"({substantive / delivered:.0%})").replace("%", "\N{NO-BREAK SPACE}%")


def _bars(width: int, data: Rows) -> dict[str, Any]:
    data = _cut(width, data)
    y = _label_axis(width, data)
    x = {"field": "k", "type": "quantitative", "axis": None,
         "scale": {"domain": [0, max(row["k"] for row in data) * 1.12 or 1]}}
    return _figure(
        width, 34 * len(data), data,
        {"mark": {"type": "bar", "fill": INK, "height": 20}, "encoding": {"x": x, "y": y}},
        {"mark": {"type": "text", "align": "left", "dx": 6},
         "encoding": {"x": x, "y": y, "text": {"field": "label"}}})


Point = dict[str, float]


def _curve(report: Report) -> Chart | None:
    """Through every day seen; where small numbers are hidden, through the days of T4 only."""
    points = _points(report)
    if len(points) < 2:
        return None
    end = points[-1]
    waiting = _last_seen(report)
    return Chart(
        table="T4", title=_half(report, end), spec=lambda width: _staircase(width, report, points),
        words=f"Share of delivered requests with an answer in substance by day: "
              f"{end['share'] * 100:.0f} % by day {end['day']:.0f}. The table has the days.",
        note="Line: share answered (Kaplan-Meier); shaded: 95 % interval; dashed: statutory "
             "periods as they came out for these cases."
             + (" Short strokes: cases last seen without an answer." if waiting else ""))


def _half(report: Report, end: Point) -> str:
    middle = median_wait(report.curve) if report.curve else None
    if middle is not None:
        return f"Half of the delivered requests had an answer in substance by day {middle}"
    share = f"{end['share'] * 100:.0f}\N{NO-BREAK SPACE}%"
    return f"{share} of the delivered requests had an answer in substance by day {end['day']:.0f}"


def _points(report: Report) -> list[Point]:
    start: Point = {"day": 0, "share": 0.0, "low": 0.0, "high": 0.0}
    if report.curve is not None:
        found = [{"day": s.day, "share": 1 - s.waiting, "low": 1 - s.high, "high": 1 - s.low}
                 for s in report.curve]
    else:
        table = report.table("T4")
        found = [{"day": int(str(row[0])), "share": c.share, "low": c.low, "high": c.high}
                 for row in (table.rows if table else ()) for c in row if isinstance(c, Estimate)]
    kept = _thinned(found)
    return [start, *kept] if kept and kept[0]["day"] > 0 else kept


def _thinned(points: list[Point]) -> list[Point]:
    """About as many as there are pixels; the last one always."""
    every = len(points) // MOST_POINTS + 1
    return points if every == 1 else [*points[:-1:every], points[-1]]


def _last_seen(report: Report) -> list[Point]:
    steps = report.curve or ()
    found: list[Point] = [{"day": s.day, "share": 1 - s.waiting} for s in steps if s.censored]
    return _thinned(found)


def _staircase(width: int, report: Report, points: list[Point]) -> dict[str, Any]:
    last = max(points[-1]["day"], *report.periods, 1)
    x = _x("day", "days since receipt", grid=False, tickCount=8 if width >= WIDE else 5,
           tickMinStep=1) | {"scale": {"domain": [0, last], "nice": False}}
    y = {"type": "quantitative", "title": None, "scale": {"domain": [0, 1]},
         "axis": {"format": "%", "values": [0, 0.25, 0.5, 0.75, 1], "domain": False,
                  "ticks": False}}
    periods = [{"day": day, "label": f"{day} days", "at": 1 - 0.09 * number}
               for number, day in enumerate(sorted(report.periods))]
    return _figure(
        width, 300 if width >= WIDE else 250, points,
        {"mark": {"type": "area", "interpolate": "step-after", "fill": PALE, "fillOpacity": 0.7},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "interpolate": "step-after", "stroke": INK, "strokeWidth": 2.5},
         "encoding": {"x": x, "y": y | {"field": "share"}}},
        {"data": {"values": _last_seen(report)},
         "mark": {"type": "point", "shape": "stroke", "angle": 90, "size": 60, "stroke": INK},
         "encoding": {"x": x, "y": y | {"field": "share"}}},
        {"data": {"values": periods},
         "mark": {"type": "rule", "stroke": "#222", "strokeDash": [5, 4]}, "encoding": {"x": x}},
        {"data": {"values": periods},
         "mark": {"type": "text", "align": "right", "dx": -5, "baseline": "top"},
         "encoding": {"x": x, "y": y | {"field": "at"}, "text": {"field": "label"}}})


def _histogram(table: Table | None) -> Chart | None:
    data = [{"name": str(row[0]).replace(" and more", "+"), "order": number, "k": cell.k,
             "label": f"{cell.k:,}"}
            for number, row in enumerate(table.rows if table else ())
            for cell in row[1:] if isinstance(cell, Share)]
    if not data:
        return None
    most = max(data, key=lambda row: int(str(row["k"])))
    words = ", ".join(f"{row['name']} days: {row['label']}" for row in data)
    total = sum(int(str(row["k"])) for row in data)
    title = f"The commonest wait: {most['name']} days ({most['label']} of {total:,} answers)"
    return Chart(table="T4a", title=title,
                 words=f"Number of answers by days: {words}.",
                 note="Number of answers in substance by days since receipt.",
                 spec=lambda width: _columns(width, data))


def _columns(width: int, data: Rows) -> dict[str, Any]:
    x = {"field": "name", "type": "nominal", "title": "days since receipt",
         "sort": {"field": "order", "op": "min"}, "axis": {"labelAngle": 0, "ticks": False}}
    y = {"field": "k", "type": "quantitative", "axis": None}
    return _figure(
        width, 240 if width >= WIDE else 210, data,
        {"mark": {"type": "bar", "fill": INK, "width": {"band": 0.82}},
         "encoding": {"x": x, "y": y}},
        {"mark": {"type": "text", "dy": -8},
         "encoding": {"x": x, "y": y, "text": {"field": "label"}}})


def _groups(table: Table | None) -> Chart | None:
    series = ((2, "an answer in substance", 0), (3, "in time", 1))
    return _intervals(table, series, title="Answers by category of company",
                      note="Filled: share of the delivered requests with an answer in substance; "
                           "open: in time, of those whose time is over. Lines: 95 % intervals.")


def _identity(table: Table | None) -> Chart | None:
    return _intervals(table, ((3, "proof of identity demanded", 0),),
                      title="Proof of identity demanded, by country of the company",
                      note="Share of the requests answered in which proof of identity was "
                           "demanded. Lines: 95 % intervals.")


def _intervals(table: Table | None, series: Sequence[tuple[int, str, int]], *, title: str,
               note: str) -> Chart | None:
    """The largest groups with a dot for each share; the first group of the table's order wins."""
    rows = sorted((row for row in (table.rows if table else ()) if _size(row)),
                  key=_size, reverse=True)
    data = [point for order, row in enumerate(rows[:MOST_GROUPS])
            for column, name, which in series
            if (point := _dot(row, column, name, which, order)) is not None]
    if table is None or not data:
        return None
    if len(rows) > MOST_GROUPS:
        note += f" The {MOST_GROUPS} largest of {len(rows)} groups; the table has all."
    words = "; ".join(f"{d['name']}, {d['what']}: {d['k']} of {d['n']}" for d in data)
    several = len(series) > 1
    return Chart(table=table.id, title=title, words=f"{title}: {words}.", note=note,
                 spec=lambda width: _dots(width, data, several=several))


def _size(row: Sequence[Cell]) -> int:
    return row[1].n if isinstance(row[1], Count) else 0


def _dot(row: Sequence[Cell], column: int, what: str, which: int, order: int
         ) -> dict[str, Any] | None:
    cell = row[column]
    if not isinstance(cell, Share) or cell.share is None or cell.interval is None:
        return None
    return {"name": printable(f"{row[0]}"), "order": order, "what": what, "which": which,
            "k": cell.k, "n": cell.n, "share": cell.share, "low": cell.interval[0],
            "high": cell.interval[1]}


def _dots(width: int, data: Rows, *, several: bool) -> dict[str, Any]:
    data = _cut(width, data)
    y = _label_axis(width, data)
    offset = {"yOffset": {"field": "which", "type": "ordinal", "scale": {"paddingOuter": 0.6}}}
    x = _x("share", None, format="%", values=[0, 0.25, 0.5, 0.75, 1], domain=False,
           ticks=False) | {"scale": {"domain": [0, 1]}}
    where = {"y": y} | (offset if several else {})
    fill = {"condition": {"test": "datum.which === 0", "value": INK}, "value": "#ffffff"}
    groups = len({row["name"] for row in data})
    return _figure(
        width, (40 if several else 28) * groups + 30, data,
        {"mark": {"type": "rule", "stroke": "#767676", "strokeWidth": 1.5},
         "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, **where}},
        {"mark": {"type": "point", "shape": "circle", "size": 80, "stroke": INK, "opacity": 1,
                  "strokeWidth": 1.8},
         "encoding": {"x": x, "fill": fill, **where}})


def _cases(report: Report) -> Chart | None:
    found = cases(report)
    if found is None:
        return None
    return Chart(table="cases", title=found.title, words=found.words, note=found.note,
                 spec=lambda width: found.spec(width, narrow=width < WIDE))


