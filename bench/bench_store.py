"""Appending to and loading the ledger, beside SQLite in WAL mode with synchronous=FULL.

    python bench/bench_store.py [CASES ...]        (default: 1000 10000 100000)

Both stores get the same record: one SQLite row holds what one line of the ledger holds. The
samples alternate between the two, so that a busy machine slows both. Times are medians. Last,
members of a campaign join: in batches of 500 as `dsar campaign add` records them, and one by one.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dsar.core.campaign_events import MemberAdded, member_stream
from dsar.core.case import (
    CaseEvent,
    CaseOpened,
    LetterApproved,
    LetterSent,
    NoteAdded,
    SendAttempted,
)
from dsar.core.letter import Stage
from dsar.store import Addition
from dsar.store.codec import encode
from dsar.store.lines import body_of
from dsar.store.tiny import TinyStore

DAY, AT = date(2026, 1, 5), datetime(2026, 1, 5, 10, tzinfo=UTC)
SAMPLES = 400
LOADS = 3
CLOSES = 5
MEMBERS, BATCH = 100_000, 500


def life(number: int) -> list[CaseEvent]:
    """Return a case whose request is sent: four events, some 1.7 kB."""
    to, message_id = f"privacy@company{number}.example", f"<{number:08x}@example.org>"
    return [
        CaseOpened(on=DAY, case_id=case_id(number), reference="DSAR-7K3M-Q2XT", subject_id="jo",
                   controller=f"company-{number}", controller_name="Company Ltd", right="access",
                   regime="eu-gdpr", language="en", country="DE", recipient=to,
                   reply_address=f"jo+{number}@example.org",
                   reply_domains=(f"company{number}.example",)),
        LetterApproved(on=DAY, stage=Stage.REQUEST, message_id=message_id, digest="ab" * 32,
                       recipient=to, account="main",
                       disclosed=(("name", "Jo Doe"), ("email", "jo@example.org"))),
        SendAttempted(on=DAY, at=AT, message_id=message_id, recipient=to, account="main"),
        LetterSent(on=DAY, message_id=message_id, stage=Stage.REQUEST, recipient=to,
                   server_reply="250 2.0.0 Ok: queued as 4F2C91"),
    ]


def case_id(number: int) -> str:
    """Return the id of a case."""
    return f"company-{number}-access-eu-gdpr"


def documents(cases: int) -> Iterator[dict[str, Any]]:
    """Yield what an append writes, for all events of all cases."""
    for number in range(cases):
        for first, event in enumerate(life(number), start=1):
            yield {"stream": case_id(number), "first": first, "at": AT.isoformat(), "by": "dsar",
                   "events": [encode(event)]}


def open_ledger(folder: Path, *, write: bool) -> TinyStore:
    """Open the ledger of a folder."""
    return TinyStore(folder, write=write, now=lambda: AT, author="dsar")


def open_sqlite(path: Path) -> sqlite3.Connection:
    """Open the database, every commit durable."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS entries "
               "(stream TEXT, first INTEGER, entry TEXT, PRIMARY KEY (stream, first))")
    return db


def fill(folder: Path, cases: int) -> None:
    """Write the same cases into both stores."""
    store = open_ledger(folder, write=True)
    store._storage.journal.rewrite(map(body_of, documents(cases)))
    store.close()
    db = open_sqlite(folder / "ledger.sqlite")
    db.execute("BEGIN")
    db.executemany("INSERT INTO entries VALUES (?, ?, ?)",
                   ((d["stream"], d["first"], json.dumps(d)) for d in documents(cases)))
    db.execute("COMMIT")
    db.close()


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_appends(folder: Path, cases: int) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of each append: ledger, SQLite, and a bare write with fdatasync."""
    store, db = open_ledger(folder, write=True), open_sqlite(folder / "ledger.sqlite")
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ours, sqlite, least = [], [], []
    for sample in range(min(SAMPLES, cases)):
        number = sample * (cases // min(SAMPLES, cases))
        event = NoteAdded(on=DAY, text=f"A note of the usual length, the {sample}th of them. " * 6)
        document = {"stream": case_id(number), "first": 5, "at": AT.isoformat(), "by": "dsar",
                    "events": [encode(event)]}
        line = body_of(document)
        stream = case_id(number)
        ours.append(timed(partial(store.append, stream, [event], after=4)))
        sqlite.append(timed(partial(_insert, db, document, event)))
        least.append(timed(partial(_write_durably, bare, line)))
    os.close(bare)
    store.close()
    db.close()
    return ours, sqlite, least


def _insert(db: sqlite3.Connection, document: dict[str, Any], event: NoteAdded) -> None:
    """Do for SQLite what the ledger does: encode the event, insert, commit durably."""
    entry = json.dumps(document | {"events": [encode(event)]})
    db.execute("INSERT INTO entries VALUES (?, ?, ?)",
               (document["stream"], document["first"], entry))


def _write_durably(descriptor: int, line: bytes) -> None:
    os.write(descriptor, line)
    os.fdatasync(descriptor)


def read_journal(folder: Path) -> int:
    """Read and parse every line, and do nothing else: the least a load can take."""
    with (folder / "ledger.jsonl").open("rb") as file:
        return sum(1 for line in file if json.loads(line))


def read_sqlite(folder: Path) -> int:
    """Read and parse every row, in the order of cases."""
    db = open_sqlite(folder / "ledger.sqlite")
    rows = db.execute("SELECT entry FROM entries ORDER BY stream, first")
    return sum(1 for (entry,) in rows if json.loads(entry))


def load(folder: Path) -> int:
    """Open the ledger, check every line, fold every case."""
    return sum(1 for _ in open_ledger(folder, write=False).cases())


def measure_loads(folder: Path) -> dict[str, float]:
    """Return the median seconds of each way to load."""
    ways: dict[str, Callable[[Path], object]] = {
        "read and parse the journal": read_journal, "open, checking each line": _open_only,
        "open and fold all cases": load, "read and parse SQLite rows": read_sqlite,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(LOADS):
        for name, way in ways.items():
            gc.collect()
            taken[name].append(timed(partial(way, folder)))
    return {name: statistics.median(times) for name, times in taken.items()}


def _open_only(folder: Path) -> int:
    return len(open_ledger(folder, write=False)._db)


def measure_closes(folder: Path, cases: int) -> float:
    """Return the median seconds in which a writer closes who appended one event."""
    taken = []
    for number in range(min(CLOSES + 1, cases)):
        store = open_ledger(folder, write=True)
        stream = case_id(number)
        event = NoteAdded(on=DAY, text="One more.")
        store.append(stream, [event], after=len(store.events(stream)))
        taken.append(timed(store.close))
    return statistics.median(taken[1:] or taken)  # the first folds every case


def joining(number: int) -> Addition:
    """A member whose name and keys are sealed, some 1 kB."""
    code = f"m-{number:08d}"
    event = MemberAdded(on=DAY, code=code, residence="DE", languages=("de",),
                        identity="x" * 300, blind="b" * 44, key="k" * 44, secret="s" * 90,
                        consent_version="1")
    return Addition(stream=member_stream("open", code), events=[event], after=0)


def join(folder: Path, members: int, batch: int) -> float:
    """Return the seconds in which so many members join."""
    store = open_ledger(folder, write=True)
    began = time.perf_counter()
    for first in range(0, members, batch):
        store.append_all([joining(n) for n in range(first, min(members, first + batch))])
    seconds = time.perf_counter() - began
    store.close()
    return seconds


def report_joining() -> None:
    """Measure how members join and print the rows."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        batches = join(Path(place, "batches"), MEMBERS, BATCH)
        single = join(Path(place, "single"), MEMBERS // 10, 1) * 10
        print(f"\n{MEMBERS} members join: {batches:.2f} s in batches of {BATCH}, one by one "
              f"{single:.1f} s (a tenth of them measured), ratio {batches / single:.3f}")


def report(cases: int) -> None:
    """Measure at one size and print the rows."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        folder = Path(place)
        fill(folder, cases)
        ours, sqlite, least = (statistics.median(t) * 1e6 for t in measure_appends(folder, cases))
        size = (folder / "ledger.jsonl").stat().st_size / 1e6
        print(f"\n{cases} cases, {size:.0f} MB in the ledger")
        print(f"  append one event   ledger {ours:6.0f} µs   SQLite {sqlite:6.0f} µs   "
              f"ratio {ours / sqlite:.2f}   (bare write and fdatasync {least:.0f} µs)")
        loads = measure_loads(folder)
        base = loads["read and parse the journal"]
        for name, seconds in loads.items():
            print(f"  {name:28} {seconds * 1000:7.0f} ms   ratio {seconds / base:.2f}")
        closing = measure_closes(folder, cases)
        print(f"  {'close after one event':28} {closing * 1000:7.0f} ms   "
              f"ratio {closing / base:.2f}")


if __name__ == "__main__":
    for wanted in [int(word) for word in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        report(wanted)
    report_joining()
