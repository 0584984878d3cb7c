"""A table as data, and what is left of it when small numbers must not be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dsar.core.statistics import Share

SMALLEST_SHOWN = 5
"""`--public` shows no count below this."""


@dataclass(frozen=True)
class Count:
    """A number of cases, people or companies, as opposed to days."""

    n: int


@dataclass(frozen=True)
class Estimate:
    """A share read from a curve, with its 95 % interval, both as fractions.

    k: how many ended by then; at_risk: how many were still seen then.
    """

    share: float
    low: float
    high: float
    k: int
    at_risk: int


class Hidden:
    """Stands where a small number stood."""

    def __repr__(self) -> str:
        return "Hidden()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden)

    def __hash__(self) -> int:
        return hash(Hidden)


Cell = Share | Count | Estimate | Hidden | str | float | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells under `columns`; the first cell of a row is its label.

    parts: the rows add up to a total printed elsewhere, so that one hidden row could be computed.
    nested: each row counts a part of what the one before counts, as far as the totals agree.
    about: which cases are counted, in words.
    """

    id: str
    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    parts: bool = False
    nested: bool = False


def public(table: Table) -> Table:
    """Return the table without cells below 5, and without what would give them away.

    A row with a small cell, or with two numbers that differ by little, is hidden as a whole.
    Where the rows are parts of a known total and one is hidden, the next smallest is hidden with
    it; where they are nested, so is a row that differs by little from one that is shown.
    """
    hidden = {number for number, row in enumerate(table.rows)
              if any(map(_is_small, row)) or _are_near(_numbers(row))}
    if table.nested:
        hidden |= _near_others(table.rows, hidden)
    if table.parts and len(hidden) == 1 and len(table.rows) > 1:
        rest = [n for n in range(len(table.rows)) if n not in hidden]
        hidden.add(min(rest, key=lambda n: _size(table.rows[n])))
    return replace(table, rows=tuple(
        _covered(row) if number in hidden else row for number, row in enumerate(table.rows)))


def _is_small(cell: Cell) -> bool:
    match cell:
        case Share(k=k, n=n):
            return min(k, n) < SMALLEST_SHOWN or 0 < n - k < SMALLEST_SHOWN
        case Count(n=n):
            return n < SMALLEST_SHOWN
        case Estimate(k=k, at_risk=at_risk):
            return min(k, at_risk) < SMALLEST_SHOWN
        case _:
            return False


def _numbers(row: Sequence[Cell]) -> set[int]:
    """Every count of a row, totals included."""
    found = {n for c in row if isinstance(c, Share) for n in (c.k, c.n)}
    return found | {c.n for c in row if isinstance(c, Count)}


def _are_near(numbers: Iterable[int]) -> bool:
    ordered = sorted(numbers)
    return any(0 < b - a < SMALLEST_SHOWN for a, b in pairwise(ordered))


def _near_others(rows: Sequence[tuple[Cell, ...]], hidden: set[int]) -> set[int]:
    """Rows to hide so that no two shown ones differ by a small number."""
    seen: set[int] = set()
    near = set()
    for number, row in enumerate(rows):
        own = _numbers(row)
        if number not in hidden:
            if _are_near(seen | own):
                near.add(number)
            else:
                seen |= own
    return near


def _size(row: Sequence[Cell]) -> int:
    sizes = [c.k if isinstance(c, Share) else c.n for c in row if isinstance(c, Share | Count)]
    return min(sizes, default=0)


def _covered(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return (row[0], *(None if cell is None else Hidden() for cell in row[1:]))


def spread(estimates: Iterable[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of a cumulative table between which at least five answers lie, or none at all.

    Two neighbouring rows that differ by less would give the difference away.
    """
    kept: list[tuple[Cell, ...]] = []
    last = 0
    for row in estimates:
        found = next((c for c in row if isinstance(c, Estimate)), None)
        if found is None or found.k == last or found.k - last >= SMALLEST_SHOWN:
            kept.append(row)
            last = found.k if found else last
    return tuple(kept)
