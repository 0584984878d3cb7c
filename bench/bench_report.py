"""Time and memory of `dsar report`, each form in a process of its own.

    python bench/bench_report.py [CASES ...]        (default: 2000 100000)

Requests were sent on 200 days; six of ten have an answer that a person read. The limit for a
report on 100,000 cases is 20 s and 1 GB, for `status` 1.5 times the time of reading the journal:
every line read and parsed in this process and nothing else, just before each command. The ratio is
one of processor time, which a busy machine changes less. `status` is also measured without what
writers leave beside the ledger, as after a restore.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_store import AT, DAY, life, open_ledger, read_journal

from dsar.core.case import CaseEvent, ReplyRead, ReplyReceived
from dsar.store.codec import encode
from dsar.store.lines import body_of
from dsar.store.sidecar import NAME

COMMANDS = (("status",), ("status", "--json"), ("deadlines", "--json"), ("report", "json"),
            ("report", "csv"), ("report", "html"), ("report", "json", "--public"))
LABELS = ("fulfilled_access", "no_data_held", "refusal", "partial_fulfilment")


def answered(number: int) -> list[CaseEvent]:
    """A case as in the store's measurement, and with luck an answer."""
    chance = random.Random(number)
    start = DAY - timedelta(days=number % 200)
    events = [replace(event, on=start) for event in life(number)]
    if chance.random() < 0.4:
        return events
    on = start + timedelta(days=1 + int(chance.expovariate(1 / 20)))
    digest = f"{number:064x}"
    return [*events, ReplyReceived(
        on=on, at=datetime.combine(on, AT.timetz()).astimezone(UTC), digest=digest,
        message_id=None, sender=f"privacy@company{number}.example", subject="Re",
        authentic="pass", evidence=("reference",)),
        ReplyRead(on=on, digest=digest, labels=(chance.choice(LABELS),), by="person")]


def documents(cases: int) -> Iterator[dict[str, Any]]:
    """What appends would have written."""
    for number in range(cases):
        events = answered(number)
        stream = events[0].case_id  # type: ignore[union-attr]  # the first is CaseOpened
        for first, event in enumerate(events, start=1):
            yield {"stream": stream, "first": first, "at": AT.isoformat(), "by": "dsar",
                   "events": [encode(event)]}


def fill(home: Path, cases: int) -> None:
    """Write a ledger of so many cases at once."""
    store = open_ledger(home / "ledger", write=True)
    store._storage.journal.rewrite(map(body_of, documents(cases)))
    store.close()


def measured(home: Path, command: Sequence[str]) -> tuple[float, float, float, int]:
    """Seconds, seconds of the processor, MB at the most, bytes of output."""
    environment = os.environ | {"DSAR_HOME": str(home), "DSAR_TODAY": "2026-06-01"}
    with tempfile.TemporaryFile() as out:
        begun = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "dsar", *command], stdout=out,
                                   env=environment, cwd=Path(__file__).resolve().parent.parent)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        busy = usage.ru_utime + usage.ru_stime
        return took, busy, usage.ru_maxrss / 1024, out.seek(0, os.SEEK_END)


def main() -> None:
    """Print one line for each number of cases and command, and the ratios of this run."""
    for cases in map(int, sys.argv[1:] or ("2000", "100000")):
        with tempfile.TemporaryDirectory() as folder:
            # In a process of its own: what this one once held would count for its children.
            filling = get_context("spawn").Process(target=fill, args=(Path(folder), cases))
            filling.start()
            filling.join()
            home = Path(folder)
            for command in COMMANDS:
                show(cases, home, command)
            (home / "ledger" / NAME).unlink(missing_ok=True)
            show(cases, home, ("status",), note=", nothing kept")


def show(cases: int, home: Path, command: Sequence[str], *, note: str = "") -> None:
    """Measure reading the journal and a command, and print the line of the command."""
    begun = time.process_time()
    read_journal(home / "ledger")
    reading = time.process_time() - begun
    took, busy, memory, size = measured(home, command)
    named = " ".join(command) + note
    print(f"{cases:>7} cases  {named:<24} {took:6.2f} s, busy {busy:6.2f} s = "
          f"{busy / reading:5.2f} x {reading:5.2f} s reading  {memory:5.0f} MB "
          f"{size / 1e6:6.2f} MB written", flush=True)


if __name__ == "__main__":
    main()
