"""The ledger in PostgreSQL: appending beside a bare INSERT with commit, and reading all glances.

    python bench/bench_postgres.py [CASES ...]        (default: 10000 100000)

Starts a PostgreSQL of its own. Each case has five events; they are written by COPY. Samples
alternate between the ledger and a bare INSERT of the same row into a table of the same size, so
that a busy machine slows both; three rounds each. 1000000 cases take 8 GB and some minutes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import psycopg
from bench_store import life
from servers.postgres import OWNER, PostgresServer

from dsar.core.case import (
    CaseEvent,
    NoteAdded,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
    fold,
)
from dsar.store.codec import encode
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_rows import case_row

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
SAMPLES, VARIANTS, MARK, ROUNDS = 400, 60, 987654321, 3
KINDS = ("note", "reading", "attempt", "unread")
BARE = """CREATE TABLE bare AS TABLE dsar.events;
ALTER TABLE bare ADD PRIMARY KEY (position, sequence)"""


def five(number: int, day: date) -> list[CaseEvent]:
    """Return a case that got a reply on `day`."""
    reply = ReplyReceived(on=day, at=AT, digest="cd" * 32, message_id=f"<r{number}@x.example>",
                          sender=f"privacy@company{number}.example", subject="Your request",
                          authentic="aligned", evidence=("In-Reply-To",))
    return [*life(number), reply]


def templates() -> list[tuple[list[tuple[str, str]], dict[str, Any]]]:
    """Return per day the kinds and bodies of a case, and its projection, for number MARK."""
    found = []
    for variant in range(VARIANTS):
        events = five(MARK, date(2026, 1, 6) + timedelta(days=variant))
        bodies = [json.dumps(encode(e), separators=(",", ":")) for e in events]
        found.append(([(type(e).__name__, b) for e, b in zip(events, bodies, strict=True)],
                      case_row(fold(events))))
    return found


def fill(url: str, cases: int) -> None:
    """Write streams, events and projection by COPY, as the owner may."""
    made = templates()
    with psycopg.connect(url) as db:
        _copy(db, "streams (position, stream, version)",
              ((n, f"company-{n}-access-eu-gdpr", 5) for n in range(1, cases + 1)))
        _copy(db, "events (position, sequence, recorded_at, append_id, author, kind, body)",
              _event_rows(made, cases))
        _copy(db, "courses (digest, form, value)",
              ((f"\\x{row['digest']}", row["form"], row["value"]) for _, row in made))
        ids: dict[str, int] = dict(db.execute(
            "SELECT encode(digest, 'hex'), id FROM dsar.courses").fetchall())
        _copy(db, "glances (position, version, course, subject_id, controller, controller_name, "
              "campaign, wave)",
              ((n, 5, ids[made[n % VARIANTS][1]["digest"]], "jo", f"company-{n}", "Company Ltd",
                "open-files", 1) for n in range(1, cases + 1)))
        db.execute("SELECT setval('dsar.streams_position_seq', %s)", [cases])
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(BARE.encode())
        db.execute("VACUUM ANALYZE")


def _event_rows(made: list[Any], cases: int) -> Iterator[tuple[Any, ...]]:
    mark, hexadecimal = str(MARK), f"{MARK:08x}"
    at = AT.isoformat()
    for n in range(1, cases + 1):
        append_id, number, code = UUID(int=n), str(n), f"{n:08x}"
        for sequence, (kind, body) in enumerate(made[n % VARIANTS][0], start=1):
            yield (n, sequence, at, append_id, "dsar", kind,
                   body.replace(mark, number).replace(hexadecimal, code))


def _copy(db: psycopg.Connection[Any], table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with db.cursor().copy(f"COPY dsar.{table} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_appends(
    store: PostgresStore, db: psycopg.Connection[Any], cases: int, kind: str
) -> tuple[list[float], list[float]]:
    """Return the seconds of each bare INSERT and of the append beside it, in turns.

    kind: of the event; `unread` is a note for a case that the ledger has to read first.
    """
    bare, appended = [], []
    step, offset = cases // (2 * SAMPLES), KINDS.index(kind) * 7
    for sample in range(SAMPLES):
        number = 1 + (2 * sample) * step + offset % max(2 * step, 1)
        stream, event = f"company-{number}-access-eu-gdpr", _event(kind, number, sample)
        after = len(store.events(stream))
        if kind == "unread":
            store.known.drop(stream)
        else:
            store.case(stream)
        pair = [(bare, partial(_insert, db, number, after, event)),
                (appended, partial(store.append, stream, [event], after=after))]
        for times, work in pair if sample % 2 else reversed(pair):
            times.append(timed(work))
    return bare, appended


def _event(kind: str, number: int, sample: int) -> CaseEvent:
    """A note; a reading, which changes the course; an attempt, which limits are counted by."""
    if kind == "reading":
        return ReplyRead(on=AT.date(), digest="cd" * 32, labels=("fulfilled_access",), by="jo",
                         sentence=f"We attach your data, no. {sample}. " * 7)
    if kind == "attempt":
        to, message_id = f"privacy@company{number}.example", f"<{number:08x}@example.org>"
        return SendAttempted(on=AT.date(), at=AT, message_id=message_id, recipient=to,
                             account="main")
    return NoteAdded(on=AT.date(), text=f"A note of the usual length, no. {sample}. " * 7)


def _insert(db: psycopg.Connection[Any], number: int, after: int, event: CaseEvent) -> None:
    """Encode the same event, insert one row, commit durably."""
    body = json.dumps(encode(event), separators=(",", ":"))
    db.execute("INSERT INTO bare VALUES (%s, %s, %s, %s, %s, %s, %s)",
               [number, after + 1, AT, uuid4(), "dsar", type(event).__name__, body])


def compared(bare: list[float], appended: list[float]) -> tuple[float, float, float, float]:
    """Return medians in µs, their ratio, and the median of the ratios of each pair.

    How long the disk takes jumps where others write to it, and seldom between the two of a pair.
    """
    ours, theirs = statistics.median(appended), statistics.median(bare)
    pair = statistics.median(one / other for one, other in zip(appended, bare, strict=True))
    return theirs * 1e6, ours * 1e6, ours / theirs, pair


def report(server: PostgresServer, cases: int, before: dict[str, float]) -> dict[str, float]:
    """Measure at one size and print the rows; return the figures to compare with."""
    name = server.new_database()
    owner = server.url(name, OWNER)
    from dsar.store.postgres_migrate import migrate

    migrate(owner)
    filled = timed(partial(fill, owner, cases))
    store = PostgresStore(owner, write=True, now=lambda: AT, author="dsar")
    with psycopg.connect(owner, autocommit=True) as db:
        appends = {kind: [compared(*measure_appends(store, db, cases, kind))
                          for _ in range(ROUNDS)] for kind in KINDS}
        progress = timed(lambda: db.execute(
            "SELECT course, count(*) FROM dsar.glances WHERE campaign = 'open-files' "
            "GROUP BY course").fetchall())
    found = {"courses of a campaign": progress * 1e6,
             "all glances": timed(lambda: sum(1 for _ in store.glances())) * 1e6}
    if cases <= 100_000:
        found["all cases folded"] = timed(lambda: sum(1 for _ in store.cases())) * 1e6
    store.close()
    size = server.sql(f"SELECT pg_database_size('{name}') / 1000000").strip()
    print(f"\n{cases} cases, {5 * cases} events, {size} MB, filled in {filled:.0f} s")
    for kind, rounds in appends.items():
        _show_append(kind, rounds)
    for what, micros in found.items():
        grown = f"   {micros / before[what]:5.2f} of the size before" if what in before else ""
        shown = f"{micros:8.0f} µs" if micros < 1e5 else f"{micros / 1e6:8.2f} s "
        print(f"  {what:24} {shown} {grown}")
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")
    return found


def _show_append(kind: str, rounds: list[tuple[float, float, float, float]]) -> None:
    """One line; the ratios are those of each round: of the medians, median of the pairs."""
    bare, ours = (statistics.median(one[n] for one in rounds) for n in (0, 1))
    medians, pairs = (" ".join(f"{one[n]:.2f}" for one in sorted(rounds, key=lambda r: r[n]))
                         for n in (2, 3))
    limit = " (<= 1.5)" if kind in ("note", "reading") else ""
    print(f"  append, {kind:10} {ours:6.0f} µs, bare INSERT {bare:6.0f} µs; "
          f"medians {medians}, pairs {pairs}{limit}")


def main(sizes: list[int]) -> None:
    """Measure at each size, on a server that is gone afterwards."""
    server = PostgresServer.make()
    before: dict[str, float] = {}
    try:
        server.start()
        os.environ.update(server.environment)
        for cases in sizes:
            before = report(server, cases, before)
    finally:
        server.stop(purge=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000])
