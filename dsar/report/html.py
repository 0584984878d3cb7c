"""The report as one HTML file that opens no connection and works without its script."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from dsar.core.comparisons import FULL, NONE, PARTIAL, UNCHECKED
from dsar.core.result import DEFINITIONS, Result
from dsar.core.statistics import Share
from dsar.core.table import Cell, Estimate, Table
from dsar.report import plot
from dsar.report.charts import NARROW, WIDE, Chart, charts
from dsar.report.statistics import Report, needing, order, percent, words
from dsar.report.terminal import printable

MOST_NEEDS = 20
"""The list at the top; `dsar status` has them all."""

MOST_CASES = 2000
"""More rows than that make a page nobody can use; the csv has them all."""

SIGNS = {FULL: "\N{BLACK CIRCLE}", PARTIAL: "\N{CIRCLE WITH LEFT HALF BLACK}",
         NONE: "\N{WHITE CIRCLE}", UNCHECKED: "\N{EN DASH}"}
"""Before the words of the grid, so that it is read at a glance and in grey."""


@dataclass(frozen=True)
class Field:
    """One cell: what is shown, what it sorts by, and what stands below in small."""

    shown: str
    key: str
    small: str = ""

    @property
    def short(self) -> bool:
        """Whether it should stay on one line: dates, numbers, single words."""
        return len(self.shown) <= 12


@dataclass(frozen=True)
class Grid:
    """A table ready to be shown."""

    id: str
    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Field, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A chart ready to be shown, drawn twice: for wide and for narrow pages."""

    title: str
    words: str
    note: str
    wide: str
    narrow: str


def page(report: Report, templates: Path) -> str:
    """Return the page. All values are escaped by the template engine.

    templates: the folder with report.html.j2, report.css and report.js. The policy in the page
    (CSP level 3) allows this style and this script by their SHA-256 and nothing else.
    """
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    style = (templates / "report.css").read_text(encoding="utf-8")
    script = (templates / "report.js").read_text(encoding="utf-8")
    policy = (f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
              "base-uri 'none'; form-action 'none'")
    drawn = {table: [Figure(f.title, f.words, f.note, Markup(f.wide), Markup(f.narrow))]
             for table, f in _figures(report).items()}
    return environment.get_template("report.html.j2").render(
        policy=policy, style=Markup(style), script=Markup(script), on=report.on.isoformat(),
        notes=report.notes if plot.can_draw() else (*report.notes, plot.MISSING),
        headline=_headline(report), needs=_needs(report), figures=drawn,
        tables=[_grid(t) for t in report.tables], cases=_cases(report), definitions=DEFINITIONS,
        more=max(len(report.cases or ()) - MOST_CASES, 0))


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _figures(report: Report) -> dict[str, Figure]:
    """Table id → its chart; none where the library is missing: the tables say the same."""
    return {c.table: _figure(c) for c in charts(report)} if plot.can_draw() else {}


def _figure(chart: Chart) -> Figure:
    return Figure(chart.title, chart.words, chart.note,
                  plot.svg(chart.spec(WIDE)), plot.svg(chart.spec(NARROW)))


def _grid(table: Table) -> Grid:
    rows = tuple(tuple(_field(cell) for cell in row) for row in table.rows[:MOST_CASES])
    more = len(table.rows) - MOST_CASES
    about = f"{table.about} {more} more rows are in the json." if more > 0 else table.about
    return Grid(table.id, table.title, about, table.columns, rows)


def _field(cell: Cell) -> Field:
    """A share as its percentage, with what it rests on in small."""
    shown, small = printable(words(cell)), ""
    if isinstance(cell, Share | Estimate):
        small, shown = _parts(cell)
    elif shown in SIGNS:
        shown = f"{SIGNS[shown]} {shown}"
    return Field(_kept(shown), order(cell), _kept(small))


def _parts(cell: Share | Estimate) -> tuple[str, str]:
    """What it rests on, and the percentage; nothing of nothing has none."""
    interval = (cell.low, cell.high) if isinstance(cell, Estimate) else cell.interval
    rests = f"{cell.at_risk:,} seen" if isinstance(cell, Estimate) else f"{cell.k:,} of {cell.n:,}"
    if cell.share is None or interval is None:
        return "", rests
    between = f"{interval[0] * 100:.1f}\N{EN DASH}{interval[1] * 100:.1f}\N{NO-BREAK SPACE}%"
    return f"{rests} \N{MIDDLE DOT} {between}", percent(cell.share)


def _kept(value: str) -> str:
    """A percent sign stays with its number."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%")


def _headline(report: Report) -> list[tuple[str, Field]]:
    """The steps of T1 that may be shown, the first as a plain number."""
    table = report.table("T1")
    shares = [(str(row[0]), row[1]) for row in (table.rows if table else ())
              if isinstance(row[1], Share)]
    return [(label, _field(share)) if not label.startswith("sent") else
            ("sent", Field(f"{share.k:,}", "", f"of {share.n:,} cases"))
            for label, share in shares]


def _needs(report: Report) -> Grid | None:
    found = needing(report)
    if not found:
        return None
    more = len(found) - MOST_NEEDS
    about = "Cases that wait for you, or whose answer is overdue."
    about += f" {more} more are in the table of cases." if more > 0 else ""
    rows = tuple(_fields(r.case.facts.controller_name, r.standing.needs_you or "overdue",
                         str(r.standing.answer_by or ""),
                         "" if report.anonymous else r.standing.next) for r in found[:MOST_NEEDS])
    return Grid("needs", "Needs you", about, ("company", "why", "due", "next"), rows)


def _cases(report: Report) -> Grid | None:
    found = (report.cases or ())[:MOST_CASES]
    if not found:
        return None
    rows = tuple(_fields(*_case(r, anonymous=report.anonymous)) for r in found)
    columns = ("company", "right", "law", "sent", "due", "answer", "timing", "status")
    return Grid("cases", "Cases", "One row per case, the most urgent first.",
                columns if report.anonymous else ("case", *columns), rows)


def _case(result: Result, *, anonymous: bool) -> tuple[str, ...]:
    case = result.case
    shown = (case.facts.controller_name, case.facts.right, case.facts.regime,
             str(case.request.on) if case.request else "", str(result.standing.due or ""),
             result.answer or "none", str(result.timing), str(result.standing.status))
    return shown if anonymous else (case.id, *shown)


def _fields(*values: str) -> tuple[Field, ...]:
    return tuple(Field(printable(v), printable(v).casefold()) for v in values)
