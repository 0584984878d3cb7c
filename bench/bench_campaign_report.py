"""The reports of a campaign in PostgreSQL: whole commands, their time, processor time and memory.

    python bench/bench_campaign_report.py [CASES ...]        (default: 10000 100000)

Starts a PostgreSQL of its own. Half of the cases have an answer that a person read: five events on
average, requests of 60 days, answers within 45. 1000000 cases take 4 GB and some minutes to fill.
The limit for reports is 60 s at a million cases; processor time is that of the command alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from math import gcd
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import psycopg
from bench_campaign import (
    NOON,
    approved,
    attempted,
    case_id,
    filled,
    members_of,
    opened,
    process_of,
    row,
    sent,
    url_of,
)
from many import CAMPAIGN, ManyLetters, companies
from servers.labconfig import Ports
from servers.maillab import MailLab
from servers.postgres import PostgresServer

from dsar.core.case import CaseEvent, ReplyRead, ReplyReceived

LABELS = ("fulfilled_access", "no_data_held", "refusal", "partial_fulfilment", "auto_reply")


def measure_reports(server: PostgresServer, cases: int) -> None:
    """Time and memory of `campaign progress` and of the reports in each form."""
    samples = [_course(n) for n in range(3600)]
    members = next(m for m in count(max(cases // 30, 1)) if gcd(m, 30) == 1)
    start = time.perf_counter()
    store = filled(server, samples, cases, members)
    url = url_of(store)
    with tempfile.TemporaryDirectory() as folder:
        many = ManyLetters(Path(folder) / "home", url, MailLab(Path(folder), Ports(25_000)),
                           "u1@example.test", server.environment["PGPASSFILE"])
        many.begin(companies(30), 1, per_day=20)
        store.append_all(members_of(members))
        store.close()
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("VACUUM ANALYZE")
            events, size = db.execute("SELECT (SELECT sum(version) FROM dsar.streams), "
                                      "pg_database_size(current_database()) / 1000000"
                                      ).fetchone() or (0, 0)
        print(f"\n{cases} cases, {events} events in all, {members} members, {size} MB "
              f"(filled in {time.perf_counter() - start:.0f} s)")
        for words, limit in _commands(Path(folder)):
            seconds, kilobytes, busy = process_of(many, *words)
            shown = " ".join(w for w in words if not w.startswith(("/", "-o")))
            row(f"dsar {shown}", f"{seconds:.2f} s",
                f"{limit:8} {busy:6.2f} s of processor, {kilobytes // 1024} MB")
    server.sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def _commands(folder: Path) -> Iterator[tuple[list[str], str]]:
    yield ["campaign", "progress", CAMPAIGN, "--plain"], "<= 1 s"
    for form in ("text", "html", "json", "csv"):
        yield ["campaign", "report", CAMPAIGN, form, "-o", str(folder / form)], "<= 60 s"
    yield ["campaign", "report", CAMPAIGN, "html", "--public", "-o", str(folder / "p")], "<= 60 s"
    for form in ("text", "csv"):
        yield ["report", form, "-o", str(folder / form)], "<= 60 s"


def _course(n: int) -> list[CaseEvent]:
    """Four events without an answer, or six with one: 60 days of sending, answers within 45."""
    company, at = f"c{n % 30:04}", NOON + timedelta(days=n // 30 % 60)
    told = (("name", "Jo Doe"), ("email", "jo@example.org"))
    asked = [opened(case_id(n), company), replace(approved(case_id(n), company), disclosed=told),
             attempted(case_id(n), at, company), replace(sent(case_id(n), company), on=at.date())]
    if (n + n // 30) % 2:
        return asked
    then = at + timedelta(days=1 + n * 7 // 60 % 45)
    digest = f"{n:064x}"
    return [*asked, ReplyReceived(on=then.date(), at=then, digest=digest, authentic="aligned",
                                  message_id=f"<r{n}@x.example>", evidence=("In-Reply-To",),
                                  sender=f"privacy@{company}.example", subject="Your request"),
            ReplyRead(on=then.date(), digest=digest, labels=(LABELS[n // 30 % 5],), by="jo",
                      sentence="We refer to your request. " * 8)]


def main(sizes: list[int]) -> None:
    """Measure at each size, on a server that is gone afterwards."""
    server = PostgresServer.make()
    try:
        server.start()
        os.environ.update(server.environment)
        for cases in sizes:
            measure_reports(server, cases)
    finally:
        server.stop(purge=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000])
