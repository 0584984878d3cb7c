"""What a public report leaves out so that no number from 1 to 4 can be read or computed.

The attack: whoever has the tables adds and subtracts what they show, within a table and across
them. The rules here close each known equation between tables: totals that lie close together,
the same number in two places, a group and the rest of it, days and the sums of days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import floor

from dsar.core.statistics import Share
from dsar.core.table import (
    SMALLEST_SHOWN,
    Cell,
    Count,
    Estimate,
    Hidden,
    Table,
    are_near,
    covered,
    is_showable,
    numbers,
    public,
)

SINGLE_COMPANIES = frozenset({"T7a", "T9a", "T13a", "T14a"})
"""Tables whose rows are single companies, or authorities with the complaint of one person."""

LINKED = ("T5a", "T9")
"""Tables that say of the same countries, in the same order, how many requests were delivered."""

Bin = tuple[int, int | None]


def of_single_companies(tables: Iterable[Table]) -> Iterator[Table]:
    """Every table but those."""
    return (table for table in tables if table.id not in SINGLE_COMPANIES)


def merged(days: Sequence[int], bins: Sequence[Bin]) -> tuple[Bin, ...]:
    """Join neighbouring bins until each has at least five of `days`; none where there are fewer.

    Where the curve is read at the ends of these bins only, it says nothing more than they do.
    """
    found: list[Bin] = []
    start: int | None = None
    count = 0
    for first, last in bins:
        start = first if start is None else start
        count += sum(first <= day and (last is None or day <= last) for day in days)
        if count >= SMALLEST_SHOWN:
            found.append((start, last))
            start, count = None, 0
    if found and start is not None:
        found[-1] = (found[-1][0], bins[-1][1])
    return tuple(found)


def rounded(table: Table) -> Table:
    """Numbers down to fives and shares to whole percents: the curve has a step for each answer."""
    rows = tuple(tuple(map(_coarse, row)) for row in table.rows if is_showable(row))
    return replace(table, rows=rows, about=f"{table.about} Numbers are rounded down to fives, "
                                           "shares to whole percents.")


def _coarse(cell: Cell) -> Cell:
    if not isinstance(cell, Estimate):
        return cell
    k, at_risk = (n // SMALLEST_SHOWN * SMALLEST_SHOWN for n in (cell.k, cell.at_risk))
    share, low, high = (floor(x * 100 + 0.5) / 100 for x in (cell.share, cell.low, cell.high))
    return Estimate(share, low, high, k, at_risk)


def suppressed(tables: Sequence[Table]) -> list[Table]:
    """Return the tables with everything hidden that is small or would give small numbers away."""
    by_id = {table.id: table for table in tables}
    linked = [_as_parts(table, by_id) for table in _linked(tables)]
    return _parted(_suppressed(linked, by_id), tables)


def _linked(tables: Sequence[Table]) -> list[Table]:
    """The tables, each of the linked ones with what all of them say of a country in its row.

    They add up to the same total. Were one country hidden in the first and another in the second,
    the numbers shown in either would leave that of a third.
    """
    of_countries = [table.rows for table in tables if table.id in LINKED]
    rows = tuple((found[0][0], *(cell for row in found for cell in row[1:]))
                 for found in zip(*of_countries, strict=True))
    return [replace(table, rows=rows) if table.id in LINKED else table for table in tables]


def _as_parts(table: Table, by_id: dict[str, Table]) -> Table:
    """The categories as parts of a whole, where each company has one: their numbers add up."""
    if table.id != "T8" or "T9" not in by_id:
        return table
    return replace(table, parts=table.parts or _everyone(table)[1:2] == _everyone(by_id["T9"])[1:2])


def _parted(shown: Sequence[Table], tables: Sequence[Table]) -> list[Table]:
    """The opposite: each table with its own cells, as far as its rows are shown."""
    return [replace(seen, rows=tuple(
        covered(row) if any(isinstance(c, Hidden) for c in now) else row
        for row, now in zip(table.rows, seen.rows, strict=True)))
        for table, seen in zip(tables, shown, strict=True)]


def _suppressed(tables: Sequence[Table], by_id: dict[str, Table]) -> list[Table]:
    known = _totals(by_id)
    also: dict[str, set[int]] = {table.id: set(_given(table, by_id, known)) for table in tables}
    while True:
        shown = [public(t, also=also[t.id], seen=known) if t.id == "T1" else
                 public(t, also=also[t.id]) for t in tables]
        fresh = {t.id: _same_as_hidden(t, _hidden(tables, shown)) for t in tables}
        if all(fresh[id_] <= also[id_] for id_ in also):
            return shown
        also = {id_: also[id_] | fresh[id_] for id_ in also}


def _total(table: Table | None) -> int | None:
    """How many cases a table of parts is about."""
    found = table.rows[0][1] if table is not None and table.rows else None
    return found.n if isinstance(found, Share) else None


def _totals(by_id: dict[str, Table]) -> set[int]:
    """Totals that may be shown together: none lies within five of another; delivered first."""
    known: set[int] = set()
    for number in (_total(by_id.get("T2")), _substantive(by_id), _total(by_id.get("T1a")),
                   _total(by_id.get("T4a")), _total(by_id.get("T11"))):
        if number is not None and not are_near(known | {number}):
            known.add(number)
    return known


def _substantive(by_id: dict[str, Table]) -> int | None:
    """How many of the delivered have an answer in substance: all rows of T2 but the last."""
    cell = by_id["T2"].rows[-1][1] if "T2" in by_id and by_id["T2"].rows else None
    return cell.n - cell.k if isinstance(cell, Share) else None


def _given(table: Table, by_id: dict[str, Table], known: set[int]) -> Iterator[int]:
    """Rows that give a small number away together with what other tables show."""
    total = _total(table)
    if table.id in ("T1a", "T4a", "T11") and total not in known:
        yield from range(len(table.rows))
    if table.id == "T4" and _total(by_id.get("T4a")) not in known:
        yield from range(len(table.rows))
    if table.id == "T5" and _answers_lie_close(by_id):
        yield from range(len(table.rows))
    if table.id == "T8" and "T9" in by_id and by_id["T9"].rows:
        everyone = _everyone(by_id["T9"])
        yield from (n for n, row in enumerate(table.rows) if not _rest_is_showable(row, everyone))


def _answers_lie_close(by_id: dict[str, Table]) -> bool:
    """Whether proof was demanded of nobody, and few had an answer that is none in substance.

    T5 then divides all who had an answer by whether data were given, T2 those in substance.
    """
    demanded = _added([row[3] for row in by_id["T5a"].rows]) if "T5a" in by_id else None
    if not isinstance(demanded, Share) or demanded.k:
        return False
    return are_near({demanded.n, _substantive(by_id) or 0})


def _everyone(table: Table) -> tuple[Cell, ...]:
    """The countries together: each case has one."""
    return tuple(_added(column) for column in zip(*table.rows, strict=True))


def _added(cells: Sequence[Cell]) -> Cell:
    shares = [c for c in cells if isinstance(c, Share)]
    if shares:
        return Share(sum(c.k for c in shares), sum(c.n for c in shares))
    counts = [c.n for c in cells if isinstance(c, Count)]
    return Count(sum(counts)) if counts else None


def _rest_is_showable(row: Sequence[Cell], everyone: Sequence[Cell]) -> bool:
    """Whether those outside the group could be shown as a group, or there are none."""
    rest = tuple(_less(whole, part) for whole, part in zip(everyone, row, strict=True))
    return not any(numbers(rest)) or is_showable(rest)


def _less(whole: Cell, part: Cell) -> Cell:
    if isinstance(whole, Share) and isinstance(part, Share):
        return Share(whole.k - part.k, whole.n - part.n)
    if isinstance(whole, Count) and isinstance(part, Count):
        return Count(whole.n - part.n)
    return None


def _hidden(tables: Sequence[Table], shown: Sequence[Table]) -> set[tuple[int, int]]:
    """The shares that are hidden somewhere, and what they leave of their total."""
    found = [cell for table, public_ in zip(tables, shown, strict=True)
             for row, seen in zip(table.rows, public_.rows, strict=True)
             for cell, now in zip(row, seen, strict=True)
             if isinstance(cell, Share) and isinstance(now, Hidden)]
    return {(c.k, c.n) for c in found} | {(c.n - c.k, c.n) for c in found}


def _same_as_hidden(table: Table, hidden: set[tuple[int, int]]) -> set[int]:
    """Rows with a number that is hidden elsewhere, in the same total."""
    return {number for number, row in enumerate(table.rows)
            if any(isinstance(c, Share) and (c.k, c.n) in hidden for c in row)}


