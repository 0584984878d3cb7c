"""The projection held against the events it was computed from, and computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from psycopg import Connection

from dsar.core.case import Case, CaseEvent, fold
from dsar.core.glance import glance
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_read import AT_ONCE, of_streams, projected
from dsar.store.postgres_rows import case_row, dumped, events_of


def wrong(store: PostgresStore) -> Iterator[tuple[Case, bool]]:
    """Yield each case whose row of the projection is missing or differs from the fold.

    With it, whether the row is there and differs: that must not happen; a missing one is only slow.
    """
    with store.link.snapshot() as connection:
        for batch in projected(connection, store.courses):
            rows = of_streams(connection, [stream for stream, _ in batch])
            for stream, found in batch:
                events = cast(list[CaseEvent], events_of(rows[stream], store.link.name))
                case = fold(events)
                if found != glance(case):
                    yield case, found is not None


def rebuild(store: PostgresStore) -> int:
    """Write anew what is missing or differs, and sweep courses without a case; return how many.

    Others may work meanwhile: a row is written only for the version it was computed from.
    """
    left, count = (case for case, _ in wrong(store)), 0
    while some := list(islice(left, AT_ONCE)):
        given = dumped(map(case_row, some))
        store.link.run(lambda c, given=given: c.execute(  # type: ignore[misc]
            "SELECT dsar.project(%s::json)", [given]))
        count += len(some)
    store.link.run(_sweep)
    return count


def _sweep(connection: Connection[Any]) -> None:
    connection.execute("SELECT dsar.sweep()")
