"""The report as Markdown tables; names cannot become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsar.core.result import DEFINITIONS
from dsar.core.table import Cell, Table
from dsar.report.statistics import Report, words
from dsar.report.terminal import printable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def markdown(report: Report) -> Iterator[str]:
    """Return the lines of the report, GitHub's tables included."""
    yield f"# Report of {report.on}"
    yield ""
    yield from (f"- {escaped(note)}" for note in report.notes)
    yield ""
    yield "## What the words mean"
    yield ""
    yield from (f"- **{word}**: {meaning}." for word, meaning in DEFINITIONS)
    yield ""
    yield "Percentages with 95 % intervals (Wilson; for days Kaplan-Meier)."
    for table in report.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield ""
    yield f"## {table.id} {escaped(table.title)}"
    yield ""
    yield escaped(table.about)
    yield ""
    yield _line(table.columns)
    yield _line(("---",) * len(table.columns), raw=True)
    yield from (_line(row) for row in table.rows)


def _line(cells: tuple[Cell, ...], *, raw: bool = False) -> str:
    shown = (words(cell) if raw else escaped(words(cell)) for cell in cells)
    return f"| {' | '.join(shown)} |"


def escaped(value: str) -> str:
    """The value on one line, every character of Markdown and HTML taken literally."""
    return _MARKUP.sub(r"\\\1", printable(value))
