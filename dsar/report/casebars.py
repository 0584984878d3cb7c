"""The chart with a bar for each case: from receipt to the answer or today, and its due dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from dsar.core.result import Result
from dsar.report.statistics import Report
from dsar.report.terminal import printable

MOST_CASES = 60
"""The most urgent ones; more bars than that fill pages and are read by nobody."""

ROW = 17
"""Pixels of one bar with the space around it."""


@dataclass(frozen=True)
class Bars:
    """The bars as data, and the sentences around them."""

    rows: tuple[dict[str, Any], ...]
    title: str
    words: str
    note: str

    def spec(self, width: int, *, narrow: bool) -> dict[str, Any]:
        """The drawing; days are UTC so that no time zone moves them."""
        return _drawing(self.rows, width, narrow=narrow)


def cases(report: Report) -> Bars | None:
    """The bars of the first cases that were delivered; None where no single case may be seen."""
    delivered = [r for r in report.cases or () if r.case.request is not None]
    rows = tuple(islice(_rows(delivered, report), MOST_CASES))
    if not rows:
        return None
    late = sum(row["late"] for row in rows)
    more = len(delivered) - len(rows)
    title = ("Each request and its due date" if not more else
             f"The {len(rows)} most urgent requests and their due dates")
    note = ("Bar: from receipt to the answer in substance (solid) or to the day of the report "
            "(hatched). Black line: due date. Triangle: last day on any defensible reading.")
    if more:
        note += f" {more:,} more requests are not drawn; the csv has all."
    words = (f"{len(rows)} requests, {sum(row['open'] for row in rows)} of them without an answer "
             f"in substance, {late} past the last defensible due date. The table has the dates.")
    return Bars(rows, title, words, note)


def _rows(results: list[Result], report: Report) -> Iterator[dict[str, Any]]:
    for order, result in enumerate(results):
        case, found = result.case, result.standing.deadlines
        if case.request is None:
            continue
        start = case.receipt.on if case.receipt else case.request.on
        end = result.substantive_on or (case.closed.on if case.closed else report.on)
        latest = found.complain_after if found else None
        due = result.standing.answer_by
        name = printable(case.facts.controller_name)
        yield {"key": f"{order:02}", "order": order,
               "name": name, "id": "" if report.anonymous else case.id,
               "start": _day(start), "end": _day(max(end, start + timedelta(days=1))),
               "open": int(result.substantive_on is None),
               "due": _day(due) if due else None, "latest": _day(latest) if latest else None,
               "late": int(latest is not None and end > latest)}


def shortened(name: str, letters: int) -> str:
    """At most so many characters."""
    return name if len(name) <= letters else f"{name[:letters - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _named(row: dict[str, Any], letters: int) -> str:
    """Company and case id; the id is never cut."""
    after = f" \N{MIDDLE DOT} {row['id']}" if row["id"] else ""
    return shortened(row["name"], max(letters - len(after), 6)) + after


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _drawing(rows: tuple[dict[str, Any], ...], width: int, *, narrow: bool) -> dict[str, Any]:
    x = {"type": "temporal", "title": None, "scale": {"type": "utc"},
         "axis": {"format": "%-d %b %y", "tickCount": 2 if narrow else 4, "orient": "top",
                  "domain": False, "ticks": False, "labelSeparation": 16,
                  "labelOverlap": "greedy"}}
    y = {"field": "key", "type": "nominal", "title": None, "axis": None,
         "scale": {"paddingInner": 0.35}}
    letters, left = (20, 132) if narrow else (30, 236)
    named = [row | {"name": _named(row, letters)} for row in rows]
    bars = {"width": width - left - 30, "height": ROW * len(rows), "layer": _layers(x, y)}
    labels = {"width": left, "height": ROW * len(rows),
              "mark": {"type": "text", "align": "left", "x": 0, "fontSize": 11 if narrow else 12},
              "encoding": {"y": y, "text": {"field": "name"}}}
    return {"data": {"values": named}, "spacing": 0, "hconcat": [labels, bars],
            "resolve": {"scale": {"y": "shared"}}}


def _layers(x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    fill = {"condition": {"test": "datum.open === 1", "value": "url(#hatch)"}, "value": "#1d3f66"}
    return [
        {"mark": {"type": "bar", "stroke": "#1d3f66", "strokeWidth": 1},
         "encoding": {"x": x | {"field": "start"}, "x2": {"field": "end"}, "y": y, "fill": fill}},
        {"transform": [{"filter": "datum.due !== null"}],
         "mark": {"type": "tick", "stroke": "#ffffff", "thickness": 5, "height": ROW},
         "encoding": {"x": x | {"field": "due"}, "y": y}},
        {"transform": [{"filter": "datum.due !== null"}],
         "mark": {"type": "tick", "color": "#000000", "thickness": 2, "height": ROW - 2},
         "encoding": {"x": x | {"field": "due"}, "y": y}},
        {"transform": [{"filter": "datum.latest !== null"}],
         "mark": {"type": "point", "shape": "triangle-down", "size": 36, "fill": "#ffffff",
                  "stroke": "#000000", "opacity": 1},
         "encoding": {"x": x | {"field": "latest"}, "y": y}}]
