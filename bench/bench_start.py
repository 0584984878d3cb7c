"""How fast `dsar` starts, beside a process that only imports click.

    python bench/bench_start.py [rounds]

Whole processes, one after the other in turn, so that a slow moment of the machine meets all of
them alike; medians and the ratio to `import click`. The home has no cases, or 2,000 with 9,000
events. With Python's default settings: compiled files are kept and used (the first call after an
installation is slower; PYTHONDONTWRITEBYTECODE would make every call that slow).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from dsar.core.case import (
    CaseEvent,
    CaseOpened,
    LetterApproved,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
)
from dsar.core.letter import Stage
from dsar.store import open_store

ROOT = Path(__file__).resolve().parent.parent
CASES = 2000
LAWS = ("eu-gdpr", "uk-gdpr", "ch-fadp", "us-ca-ccpa")
AIM_HELP, AIM_STATUS_S = 1.5, 0.4


def events(number: int) -> list[CaseEvent]:
    """A case as it is after some weeks; every second one has a reply."""
    sent = date(2026, 11, 20) - timedelta(days=number % 60)
    at = datetime(sent.year, sent.month, sent.day, 9, tzinfo=UTC)
    message_id, to = f"<{number:024x}@example.org>", f"privacy@c{number}.example"
    found: list[CaseEvent] = [
        CaseOpened(on=sent, case_id=f"B{number:04}", reference=f"DSAR-B{number:04}-0000",
                   subject_id="alex", controller=f"c{number}", language="en", recipient=to,
                   controller_name=f"Company {number}", right="access", country="DE",
                   regime=LAWS[number % len(LAWS)], mailbox="alex@example.org"),
        LetterApproved(on=sent, stage=Stage.REQUEST, message_id=message_id, digest="0" * 64,
                       recipient=to, account="main",
                       disclosed=(("name", "to find you"), ("email", "to answer"))),
        SendAttempted(on=sent, at=at, message_id=message_id, recipient=to, account="main"),
        LetterSent(on=sent, message_id=message_id, stage=Stage.REQUEST, recipient=to,
                   server_reply="2.0.0 Ok: queued"),
    ]
    if number % 2:
        digest = f"{number:064x}"
        found += [
            ReplyReceived(on=sent, at=at, digest=digest, message_id=f"<r{number}@c.example>",
                          sender=to, subject="Re: Access request", authentic="pass",
                          evidence=("in-reply-to",), filed_by="machine"),
            ReplyRead(on=sent, digest=digest, labels=("acknowledgement",), by="machine"),
        ]
    return found


def fill(home: Path) -> None:
    """A ledger of CASES cases."""
    store = open_store(f"tinydb:{home / 'ledger'}", write=True, now=lambda: datetime.now(UTC),
                       author="bench")
    for number in range(CASES):
        store.append(f"B{number:04}", events(number), after=0)
    store.close()


def seconds(argv: list[str], home: Path) -> float:
    """The wall time of one whole process."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    kept |= {"PYTHONPATH": str(ROOT), "DSAR_HOME": str(home), "DSAR_TODAY": "2026-11-24"}
    begun = time.perf_counter()
    subprocess.run(argv, env=kept, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure in turn and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        fill(full)
        dsar = [sys.executable, "-m", "dsar"]
        subjects = {
            "python -c pass": ([sys.executable, "-c", "pass"], empty),
            "python -c 'import click'": ([sys.executable, "-c", "import click"], empty),
            "dsar --help": ([*dsar, "--help"], empty),
            "dsar status, no case": ([*dsar, "status"], empty),
            f"dsar status, {CASES} cases": ([*dsar, "status"], full),
            f"dsar status --json, {CASES} cases": ([*dsar, "status", "--json"], full),
        }
        taken: dict[str, list[float]] = {name: [] for name in subjects}
        for round_ in range(rounds + 1):  # the first one compiles
            for name, (argv, home) in subjects.items():
                spent = seconds(argv, home)
                if round_:
                    taken[name].append(spent)
    base = statistics.median(taken["python -c 'import click'"])
    for name, values in taken.items():
        middle = statistics.median(values)
        print(f"{name:36} {middle * 1000:7.1f} ms   {middle / base:5.2f} x")
    print(f"aims: --help at most {AIM_HELP} x, status of {CASES} cases at most {AIM_STATUS_S} s")


if __name__ == "__main__":
    main()
