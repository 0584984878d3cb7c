"""A table as data, and what is left of it when small numbers must not be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import inf

from dsar.core.statistics import Share

SMALLEST_SHOWN = 5
"""`--public` shows no count below this, except zero: behind that there is nobody."""


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
    blocks: how many rows, from the top, add up to further totals of their own printed elsewhere.
    inner: the same, for totals within the blocks.
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
    blocks: tuple[int, ...] = ()
    inner: tuple[int, ...] = ()


def public(table: Table, *, also: Collection[int] = (), seen: Collection[int] = ()) -> Table:
    """Return the table without cells from 1 to 4, and without what would give them away.

    A row with a small cell, or with two numbers that differ by little, is hidden as a whole.
    Where rows are parts of a known total, those hidden are together a row that anyone can
    compute, so it has to be one that could be shown: else the next smallest is hidden too. Where
    they are nested, so is a row that differs by little from one that is shown.
    also: rows to hide in any case; seen: totals that nested rows must not come near.
    """
    rows = table.rows
    hidden = {number for number, row in enumerate(rows) if not is_showable(row)} | set(also)
    if table.nested:
        hidden |= _near_others(rows, hidden, seen)
    if table.parts:
        hidden = _all_closed(table, hidden)
    return replace(table, rows=tuple(
        covered(row) if number in hidden else row for number, row in enumerate(rows)))


def is_showable(row: Sequence[Cell]) -> bool:
    """Whether no cell is small and no two numbers differ by little."""
    return not any(map(_is_small, row)) and not are_near(numbers(row))


def _all_closed(table: Table, hidden: set[int]) -> set[int]:
    """The rows to hide of every block; what one needs may open another again."""
    blocks = (*_blocks(table.inner), *_blocks(table.blocks), range(len(table.rows)))
    while True:
        found = hidden.union(*(_closed(table.rows, hidden, block) for block in blocks))
        if found == hidden:
            return hidden
        hidden = found


def _blocks(sizes: Sequence[int]) -> list[range]:
    return [range(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)
            if size > 1]


def _closed(rows: Sequence[tuple[Cell, ...]], hidden: set[int], block: range) -> set[int]:
    """The rows of the block to hide; in the end perhaps all of them."""
    found = hidden & set(block)
    while found and len(found) < len(block):
        if len(found) > 1 and is_showable(_together([rows[n] for n in found])):
            break
        found.add(min(set(block) - found, key=lambda n: (_size(rows[n]) or inf, n)))
    return found


def _together(rows: Sequence[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """The sum of the rows, column by column; where each has a total of its own, of these too."""
    own_totals = any(isinstance(cell, Count) for cell in rows[0])
    return tuple(_sum(cells, own_totals=own_totals) for cells in zip(*rows, strict=True))


def _sum(cells: Sequence[Cell], *, own_totals: bool) -> Cell:
    shares = [c for c in cells if isinstance(c, Share)]
    if shares:
        n = sum(c.n for c in shares) if own_totals else shares[0].n
        return Share(sum(c.k for c in shares), n)
    counts = [c.n for c in cells if isinstance(c, Count)]
    return Count(sum(counts)) if counts else None


def _is_small(cell: Cell) -> bool:
    """Whether somebody few stand behind a number of the cell; behind a zero stands nobody."""
    match cell:
        case Share(k=k, n=n):
            return any(0 < number < SMALLEST_SHOWN for number in (k, n, n - k))
        case Count(n=n):
            return 0 < n < SMALLEST_SHOWN
        case Estimate(k=k, at_risk=at_risk):
            return any(0 < number < SMALLEST_SHOWN for number in (k, at_risk))
        case _:
            return False


def numbers(row: Sequence[Cell]) -> set[int]:
    """Every count of a row, totals included."""
    found = {n for c in row if isinstance(c, Share) for n in (c.k, c.n)}
    return found | {c.n for c in row if isinstance(c, Count)}


def are_near(found: Iterable[int]) -> bool:
    """Whether two of the numbers differ, by less than five."""
    ordered = sorted(set(found) - {0})
    return any(0 < b - a < SMALLEST_SHOWN for a, b in pairwise(ordered))


def _near_others(rows: Sequence[tuple[Cell, ...]], hidden: set[int], known: Collection[int]
                 ) -> set[int]:
    """Rows to hide so that no two shown ones differ by a small number."""
    seen = set(known)
    near = set()
    for number, row in enumerate(rows):
        own = numbers(row)
        if number not in hidden:
            if are_near(seen | own):
                near.add(number)
            else:
                seen |= own
    return near


def _size(row: Sequence[Cell]) -> int:
    sizes = [c.k if isinstance(c, Share) else c.n for c in row if isinstance(c, Share | Count)]
    return min(sizes, default=0)


def covered(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The row with its label only."""
    return (row[0], *(None if cell is None else Hidden() for cell in row[1:]))
