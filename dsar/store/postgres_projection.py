"""The projection held against the events it was computed from, and computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, cast

from psycopg import Connection

from dsar.core.case import Case, CaseEvent, fold
from dsar.core.glance import glance
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_read import AT_ONCE, of_streams, projected
from dsar.store.postgres_rows import case_row, dumped, events_of, stored, unstored, work_row


def wrong(store: PostgresStore) -> Iterator[tuple[Case, bool]]:
    """Yield each case whose row of the projection is missing or differs from the fold.

    With it, whether the row is there and differs: that must not happen; a missing one is only slow.
    """
    with store.link.snapshot() as connection:
        for batch in projected(connection, store.courses):
            rows = of_streams(connection, [stream for stream, _ in batch])
            work = _work(connection, [stream for stream, _ in batch])
            for stream, found in batch:
                events = cast(list[CaseEvent], events_of(rows[stream], store.link.name))
                case = fold(events)
                differs = found != glance(case)
                if differs or not _is_worked(work.get(stream), case):
                    yield case, found is not None and stream in work


def rebuild(store: PostgresStore) -> int:
    """Write anew what is missing or differs, and sweep courses without a case; return how many.

    Others may work meanwhile: a row is written only for the version it was computed from.
    """
    left, count = (case for case, _ in wrong(store)), 0
    while some := list(islice(left, AT_ONCE)):
        given = dumped(map(case_row, some))
        store.link.run(partial(_project, given=given))
        count += len(some)
    store.link.run(_sweep)
    return count


def _project(connection: Connection[Any], given: str) -> None:
    connection.execute("SELECT dsar.project(%s::json)", [given])


_WORK = """SELECT s.stream, g.worked,
    (SELECT json_build_array(w.stream, w.campaign, w.wave, w.subject_id, w."right", w.controller,
        w.state, w.account, w.mailbox, w.domain,
        CASE WHEN w.not_before > '-infinity' THEN w.not_before END, w.message_id, w.digest,
        w.keys) FROM dsar.work AS w WHERE w.position = s.position),
    (SELECT coalesce(json_agg(json_build_array(a.account, a.mailbox, a.domain, a.at)
        ORDER BY a.number), '[]') FROM dsar.attempts AS a WHERE a.position = s.position)
FROM dsar.streams AS s LEFT JOIN dsar.glances AS g USING (position) WHERE s.stream = ANY (%s)"""


def _work(connection: Connection[Any], streams: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """What workers look at, of each case that has it: its row, its attempts."""
    found = connection.execute(_WORK, [list(map(stored, streams))]).fetchall()
    return {unstored(stream): (work, attempts) for stream, worked, work, attempts in found
            if worked}


def _is_worked(kept: tuple[Any, Any] | None, case: Case) -> bool:
    """Whether it is what the events say."""
    if kept is None:
        return False
    row = work_row(case)
    work = row["work"] and [stored(case.id), *row["work"].values()]
    attempts = [[a["account"], a["mailbox"], a["domain"], a["at"]] for a in row["attempts"]]
    return bool(_timed(kept[0]) == _timed(work) and _timed(kept[1]) == _timed(attempts))


def _timed(value: Any) -> Any:
    """Instants as such: their texts differ in zeros."""
    if isinstance(value, list):
        return [_timed(one) for one in value]
    try:
        return datetime.fromisoformat(value) if value and "T" in value else value
    except (TypeError, ValueError):
        return value


def _sweep(connection: Connection[Any]) -> None:
    connection.execute("SELECT dsar.sweep()")
