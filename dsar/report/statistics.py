"""A report as data and in words: what is counted, the headline, the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, assert_never

from dsar.core.funnel import Funnel
from dsar.core.result import DEFINITIONS, Result, Timing, alike
from dsar.core.statistics import Share, Step, kaplan_meier
from dsar.core.status import Status
from dsar.core.table import Cell, Count, Estimate, Hidden, Table
from dsar.core.tables import tables, waits
from dsar.report.terminal import columns, printable

NOT_SHOWN = "not shown"
LATER_THAN_T6 = frozenset({"T7", "T7a", "T8", "T9", "T9a", "T10", "T11", "T12", "T13"})
WIDTH = 80


@dataclass(frozen=True, kw_only=True)
class Report:
    """What every form of the report shows.

    notes: what is counted and what is left out, as sentences. curve: None where small numbers
    are hidden, since its steps are single answers. periods: days from receipt to the due date,
    the commonest first. cases: None where single cases must not be seen.
    """

    on: date
    anonymous: bool
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    curve: tuple[Step, ...] | None
    periods: tuple[int, ...]
    cases: tuple[Result, ...] | None

    def table(self, id_: str) -> Table | None:
        """The table of this id, if it has rows."""
        return next((t for t in self.tables if t.id == id_), None)


def report(results: Sequence[Result], on: date, *, hide_small: bool = False,
           anonymous: bool = False, provisional: bool = False,
           people: Funnel | None = None) -> Report:
    """Return the report on these cases.

    hide_small: nothing about fewer than five; anonymous: no person, no case id. people: how far
    the people of a campaign got.
    """
    counted = tables(results, hide_small=hide_small, own_words=not anonymous, people=people)
    return Report(
        on=on, anonymous=anonymous or hide_small,
        notes=tuple(_notes(results, hide_small=hide_small, provisional=provisional)),
        tables=_with_published(counted),
        curve=None if hide_small else kaplan_meier(waits(results)),
        periods=_periods(results), cases=None if hide_small else tuple(results))


def _with_published(counted: tuple[Table, ...]) -> tuple[Table, ...]:
    """T6 after T5, and the studies at the end; nothing where there is nothing to set beside."""
    if not counted:
        return counted
    from dsar.report.published import beside, impostors, published

    found = published()
    after = next((n for n, t in enumerate(counted) if t.id in LATER_THAN_T6), len(counted))
    return (*counted[:after], impostors(found), *counted[after:], beside(found, counted))


def _notes(results: Sequence[Result], *, hide_small: bool, provisional: bool) -> Iterator[str]:
    if hide_small:
        yield "Public: numbers from 1 to 4, and those that would give them away, are not shown."
    if provisional:
        yield ("Provisional: answers that only the machine has read are counted as it read them.")
    else:
        yield "Only answers that a person has read are counted as answers."
    if hide_small:
        return
    machine = sum(r.machine for r in results)
    unread = sum(r.timing is Timing.UNREAD for r in results)
    undated = sum(r.timing is Timing.UNDATED for r in results)
    if machine:
        yield f"Answers that rest on a machine's reading alone: {machine}."
    if unread:
        yield f"Cases with a reply that waits to be read: {unread}. None of them counts as late."
    if undated:
        yield (f"Cases closed as answered without a reply on file: {undated}. Their day is not "
               "known, so they are in no count of days.")


def _periods(results: Sequence[Result]) -> tuple[int, ...]:
    """Statutory periods in days as they came out for these cases, rounded by nobody."""
    found: Counter[int] = Counter()
    for result, count in alike(results):
        case, due = result.case, result.standing.due
        if case.request and due:
            start = case.receipt.on if case.receipt else case.request.on
            found[(due - start).days] += count
    return tuple(days for days, _ in found.most_common(2))


def words(cell: Cell) -> str:
    """A cell as one line; percent with one decimal, intervals in percent."""
    match cell:
        case None:
            return ""
        case Hidden():
            return NOT_SHOWN
        case Share(k=k, n=n):
            return f"{k} of {n}{_percent(cell.share, cell.interval)}"
        case Estimate(share=share, low=low, high=high):
            return _percent(share, (low, high)).removeprefix(" = ") + f", {cell.at_risk} seen"
        case Count(n=n):
            return str(n)
        case float():
            return f"{cell:.1f}"
        case str():
            return cell
        case _:
            assert_never(cell)


def _percent(share: float | None, interval: tuple[float, float] | None) -> str:
    if share is None or interval is None:
        return ""
    low, high = interval
    return f" = {percent(share)} ({low * 100:.1f}\N{EN DASH}{high * 100:.1f})"


def percent(share: float) -> str:
    """A fraction with one decimal of a percent."""
    return f"{share * 100:.1f} %"


def order(cell: Cell) -> str:
    """What a cell sorts by: a number where it is one."""
    match cell:
        case Share():
            return f"{-1.0 if cell.share is None else cell.share:.6f}"
        case Estimate(share=share):
            return f"{share:.6f}"
        case Count(n=n):
            return str(n)
        case Hidden() | None:
            return "-1"
        case _:
            return str(cell).partition("\N{EN DASH}")[0].removesuffix(" and more")


def needing(report: Report) -> list[Result]:
    """The cases of which something is asked of the person."""
    return [r for r in report.cases or () if r.standing.needs_you
            or r.standing.status is Status.OVERDUE]


def text(report: Report) -> Iterator[str]:
    """The report as lines of at most 80 columns."""
    import textwrap

    yield f"Report of {report.on}"
    for note in report.notes:
        yield from textwrap.wrap(note, WIDTH)
    yield from _meanings()
    for table in report.tables:
        yield ""
        yield f"{table.id}  {table.title}"
        yield from textwrap.wrap(table.about, WIDTH, initial_indent="    ",
                                 subsequent_indent="    ")
        if len(table.columns) == 2:
            yield f"  {table.columns[0]:<40} {table.columns[1]}"
        for row in table.rows:
            yield from _row(table, row)


def _meanings() -> Iterator[str]:
    import textwrap

    yield ""
    yield "Percentages with 95 % intervals (Wilson; for days Kaplan-Meier)."
    yield "What the words mean:"
    for word, meaning in DEFINITIONS:
        yield from textwrap.wrap(f"{word}: {meaning}.", WIDTH, initial_indent="  ",
                                 subsequent_indent="    ")


def _row(table: Table, row: tuple[Cell, ...]) -> Iterator[str]:
    label, *cells = (printable(words(cell)) for cell in row)
    if len(cells) == 1 and max(columns(label), 40) + columns(cells[0]) < WIDTH - 4:
        yield f"  {label}{' ' * max(40 - columns(label), 0)} {cells[0]}".rstrip()
        return
    named = [f"{column}: {value}" for column, value in zip(table.columns[1:], cells, strict=True)]
    line = f"  {label}; {'; '.join(named)}"
    if columns(line) <= WIDTH:
        yield line
        return
    yield from _wrapped(label, indent=2)
    for name in named:
        yield from _wrapped(name, indent=4)


def _wrapped(line: str, *, indent: int) -> Iterator[str]:
    import textwrap

    yield from textwrap.wrap(line, WIDTH, initial_indent=" " * indent,
                             subsequent_indent=" " * (indent + 2))


def item(table: Table) -> dict[str, Any]:
    """A table as plain values for JSON; a cell that is hidden is an object that says so."""
    return {"table": table.id, "title": table.title, "about": table.about,
            "columns": list(table.columns),
            "rows": [[_plain(cell) for cell in row] for row in table.rows]}


def _plain(cell: Cell) -> Any:
    match cell:
        case Share(k=k, n=n):
            low, high = cell.interval or (None, None)
            return {"count": k, "of": n, "share": cell.share, "low": low, "high": high}
        case Estimate():
            return {"count": cell.k, "at_risk": cell.at_risk, "share": cell.share,
                    "low": cell.low, "high": cell.high}
        case Count(n=n):
            return n
        case Hidden():
            return {"hidden": True}
        case _:
            return cell


def document(report: Report) -> dict[str, Any]:
    """`items` and `summary` of the JSON: tables only, no single case."""
    return {"items": [item(table) for table in report.tables],
            "summary": {"on": report.on.isoformat(), "notes": list(report.notes),
                        "definitions": dict(DEFINITIONS), "tables": len(report.tables)}}
