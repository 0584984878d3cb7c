"""Campaigns in PostgreSQL: claims, progress, plans, and workers beside Postfix's own smtp-source.

    python bench/bench_campaign.py claims [WAITING ...]      (default: 10000 100000)
    python bench/bench_campaign.py progress [CASES ...]      (default: 10000 100000)
    python bench/bench_campaign.py plan [MEMBERSxCOMPANIES ...]  (default: 3000x5 10000x30)
    python bench/bench_campaign.py workers [LETTERS]         (default: 400; root, Postfix, Dovecot)

Each starts servers of its own. Cases are copied inside the database from a few that were recorded;
1000000 of five events take 8 GB. A plan is a whole command, a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/campaign"))

import psycopg
from board_samples import NOON, approved, attempted, opened, sent, terms
from many import CAMPAIGN, ManyLetters, companies
from servers.labconfig import Ports
from servers.maillab import MailLab
from servers.postgres import OWNER, PostgresServer

from dsar.core.board import Claimed
from dsar.core.campaign_events import MandateSigned, MemberAdded, member_stream
from dsar.core.case import CaseEvent, NoteAdded
from dsar.core.fairness import Pace
from dsar.store import Addition
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_migrate import migrate

DAY = date(2026, 1, 5)
COPY_SQL = """
CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT n, (1 + (n - 1) %% %(samples)s)::bigint AS sample,
    %(samples)s + n AS position, 'x' || lpad(n::text, 8, '0') AS name
    FROM generate_series(1, %(count)s::bigint) AS g (n);
CREATE TEMP TABLE samples ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY position) AS sample,
    position, stream, version FROM dsar.streams WHERE stream ~ '^s[0-9]{8}$';
INSERT INTO dsar.streams (position, stream, version)
    SELECT w.position, w.name, s.version FROM wanted AS w JOIN samples AS s USING (sample);
INSERT INTO dsar.events (position, sequence, recorded_at, append_id, author, kind, body)
    SELECT w.position, e.sequence, e.recorded_at, e.append_id, e.author, e.kind,
           replace(e.body, s.stream, w.name)
    FROM wanted AS w JOIN samples AS s USING (sample) JOIN dsar.events AS e
    ON e.position = s.position;
INSERT INTO dsar.glances (position, version, course, subject_id, controller, controller_name,
                          case_group, campaign, wave, follows)
    SELECT w.position, g.version, g.course, 'm-' || w.n %% %(members)s, g.controller,
           g.controller_name, g.case_group, g.campaign, g.wave, g.follows
    FROM wanted AS w JOIN samples AS s USING (sample) JOIN dsar.glances AS g
    ON g.position = s.position;
INSERT INTO dsar.work SELECT w.position, w.name, k.campaign, k.wave, 'm-' || w.n %% %(members)s,
           k."right", k.controller, k.state, k.account, k.mailbox, k.domain, k.not_before,
           k.message_id, k.digest, k.keys
    FROM wanted AS w JOIN samples AS s USING (sample) JOIN dsar.work AS k
    ON k.position = s.position;
INSERT INTO dsar.attempts SELECT w.position, a.number, a.account, a.mailbox, a.domain, a.at
    FROM wanted AS w JOIN samples AS s USING (sample) JOIN dsar.attempts AS a
    ON a.position = s.position;
SELECT setval('dsar.streams_position_seq', %(samples)s + %(count)s)
"""


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(what: str, value: str, limit: str = "") -> None:
    """Print one figure beside its limit."""
    print(f"  {what:58} {value:>16}  {limit}", flush=True)


def ledger(server: PostgresServer, name: str) -> str:
    """An empty ledger, with the URL of its owner."""
    url = server.url(name, OWNER)
    migrate(url)
    return url


def filled(server: PostgresServer, samples: list[list[CaseEvent]], count: int, members: int
           ) -> PostgresStore:
    """Record the samples and copy them in the database; case ids begin `s…`, copies `x…`."""
    url = ledger(server, server.new_database())
    store = PostgresStore(url, write=True, now=lambda: NOON, author="bench")
    store.append_all(Addition(stream=case_id(n), events=events, after=0)
                     for n, events in enumerate(samples))
    words = {"samples": len(samples), "count": count, "members": members}
    with psycopg.connect(url) as db, psycopg.ClientCursor(db) as cursor:
        cursor.execute(COPY_SQL.encode(), words)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM ANALYZE")
    return store


def case_id(number: int) -> str:
    return f"s{number:08}"


# -- claims ------------------------------------------------------------------------------------


def measure_claims(server: PostgresServer, waiting: int) -> None:
    """Claims a second of one worker and of four, while so many letters wait at 250 companies."""
    samples: list[list[CaseEvent]] = [
        [opened(case_id(n), f"c{n:04}"), approved(case_id(n), f"c{n:04}")] for n in range(250)]
    store = filled(server, samples, waiting, 1000)
    given, url = terms(pace=Pace(per_day=1000, spread=False)), url_of(store)
    print(f"\n{waiting} letters wait at 250 companies")
    first = timed(lambda: store.board().claim(given, now=NOON, today=DAY, jitter=0.0))
    row("first claim of a worker, which looks at all lanes", f"{first * 1000:.0f} ms")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE bare (at timestamptz, body text)")
        bare = statistics.median(timed(lambda: db.execute(
            "INSERT INTO bare VALUES (%s, %s)", [NOON, "x" * 500])) for _ in range(400))
    row("bare INSERT with commit, one after the other, a second", f"{1 / bare:.0f}")
    for workers in (1, 4):
        times: list[float] = []
        running = [threading.Thread(target=_claim, args=(url, given, 400, times))
                   for _ in range(workers)]
        seconds = timed(partial(_run, running))
        row(f"claims a second, {workers} at once ({statistics.median(times) * 1000:.1f} ms each)",
            f"{workers * 400 / seconds:.0f}", ">= 200")
    store.close()


def _claim(url: str, given: Any, count: int, times: list[float]) -> None:
    store = PostgresStore(url, write=True, now=lambda: NOON, author="bench")
    board = store.board()
    for _ in range(count):
        start = time.perf_counter()
        found = board.claim(given, now=NOON, today=DAY, jitter=0.0)
        times.append(time.perf_counter() - start)
        assert isinstance(found, Claimed)
    store.close()


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def url_of(store: PostgresStore) -> str:
    name = store.link.run(lambda c: c.info.dbname)
    return store.link.run(lambda c: f"postgresql://{OWNER}@127.0.0.1:{c.info.port}/{name}")


# -- progress ----------------------------------------------------------------------------------


def measure_progress(server: PostgresServer, cases: int) -> None:
    """What `campaign progress` reads, with 30 cases to a member and five events to a case."""
    samples = list[list[CaseEvent]]()
    for n in range(1800):
        company, on = f"c{n % 30:04}", NOON + timedelta(days=n // 30)
        samples.append([opened(case_id(n), company), approved(case_id(n), company),
                        attempted(case_id(n), on, company),
                        replace(sent(case_id(n), company), on=on.date()),
                        NoteAdded(on=on.date(), text="A note of the usual length. " * 8)])
    members = max(cases // 30, 1)
    filling = time.perf_counter()
    store = filled(server, samples, cases, members)
    store.append_all(members_of(members))
    with psycopg.connect(url_of(store), autocommit=True) as db:
        db.execute("VACUUM ANALYZE")
    print(f"\n{cases} cases, {5 * cases} events, {members} members "
          f"(filled in {time.perf_counter() - filling:.0f} s)")
    board = store.board()
    tally = statistics.median(timed(lambda: list(board.tally("open-files"))) for _ in range(3))
    people = statistics.median(timed(lambda: board.people("open-files", DAY)) for _ in range(3))
    row("tally", f"{tally * 1000:.0f} ms")
    row("people", f"{people * 1000:.0f} ms")
    row("both, what progress reads", f"{(tally + people) * 1000:.0f} ms", "<= 1000 ms")
    days = timed(lambda: board.sending_days("main"))
    row("days on which the account sent", f"{days * 1000:.0f} ms")
    store.close()


def members_of(count: int) -> list[Addition]:
    return [Addition(stream=member_stream("open-files", f"m-{n}"), after=0, events=[
        MemberAdded(on=DAY, code=f"m-{n}", residence="DE", languages=("en",), identity="x" * 900,
                    blind=f"{n:064}", key="k" * 62, secret="s" * 500, consent_version="1"),
        MandateSigned(on=DAY, digest="d" * 64, how_signed="pen", signed_on=DAY,
                      expires_on=DAY + timedelta(days=300), rights=("access",),
                      controllers=("c0000",))]) for n in range(count)]


# -- plans -------------------------------------------------------------------------------------


def measure_plan(server: PostgresServer, members: int, targets: int) -> None:
    """The whole plan of a campaign: time and memory of `dsar campaign send -n`."""
    with tempfile.TemporaryDirectory() as folder:
        url = ledger(server, server.new_database())
        many = ManyLetters(Path(folder) / "home", url, MailLab(Path(folder), Ports(25_000)),
                           "u1@example.test", server.environment["PGPASSFILE"])
        adding = timed(lambda: many.begin(companies(targets), members, per_day=20))
        _sign_all(many, targets)
        seconds, kilobytes, _ = process_of(many, "campaign", "send", CAMPAIGN, "-n")
        quick = members * targets <= 15_000
        print(f"\n{members} members x {targets} companies = {members * targets} letters")
        row("campaign and members added, from nothing", f"{adding:.0f} s")
        row("plan (dsar campaign send -n)", f"{seconds:.1f} s", "<= 10 s" if quick else "<= 60 s")
        row("memory of it", f"{kilobytes // 1024} MB", "<= 1024 MB")


def _sign_all(many: ManyLetters, targets: int) -> None:
    """A signed mandate for each member, recorded at once."""
    store = PostgresStore(many.ledger, write=True, now=lambda: datetime.now(UTC), author="bench")
    today = datetime.now().astimezone().date()
    signed = MandateSigned(on=today, digest="d" * 64, how_signed="pen", signed_on=today,
                           expires_on=today + timedelta(days=300), rights=("access",),
                           controllers=tuple(companies(targets)))
    store.append_all(Addition(stream=s, events=[signed], after=1)
                     for s in store.streams(member_stream(CAMPAIGN, "")))
    store.close()


_LAUNCH = """import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
assert status == 0
print(time.perf_counter() - start, used.ru_maxrss, used.ru_utime + used.ru_stime)"""


def process_of(many: ManyLetters, *words: str) -> tuple[float, int, float]:
    """Run a command; seconds, the largest resident memory in KB, seconds of its own processor.

    From a process of its own, whose memory is small: what is forked begins with that of its parent.
    """
    said = subprocess.run([sys.executable, "-c", _LAUNCH, sys.executable, "-m", "dsar", *words],
                          env=many.environment, capture_output=True, text=True, check=True)
    seconds, kilobytes, busy = said.stdout.split()
    return float(seconds), int(kilobytes), float(busy)


# -- workers -----------------------------------------------------------------------------------


def measure_workers(server: PostgresServer, letters: int) -> None:
    """Letters a second of 1, 2 and 4 workers, and of smtp-source with as many sessions."""
    lab = MailLab.make()
    try:
        lab.start()
        with tempfile.TemporaryDirectory() as folder:
            url = ledger(server, server.new_database())
            many = ManyLetters(Path(folder) / "home", url, lab, lab.new_user(),
                               server.environment["PGPASSFILE"])
            slugs = companies(30)
            members = -(-letters * 3 // len(slugs))
            many.prepare(slugs, members, per_day=1000)
            print(f"\n{letters} letters each, {members * len(slugs)} in all")
            row("letters written a second, by four", f"{_written(many, members * len(slugs)):.0f}")
            for workers in (1, 2, 4):
                rate = _sent(many, url, workers, letters // workers)
                bare = _smtp_source(lab, workers, letters)
                row(f"letters a second, {workers} workers", f"{rate:.0f}",
                    f"smtp-source {bare:.0f}, ratio {rate / bare:.2f}")
    finally:
        lab.stop(purge=True)


def _written(many: ManyLetters, letters: int) -> float:
    return letters / timed(lambda: many.write(letters))


def _sent(many: ManyLetters, url: str, workers: int, each: int) -> float:
    """From the first attempt to the last: the start of the processes is not counted."""
    with psycopg.connect(url, autocommit=True) as db:
        before = db.execute("SELECT coalesce(max(at), 'epoch') FROM dsar.attempts").fetchone()
        many.start(workers, "--letters", str(each))
        for worker in many.workers:
            worker.wait()
        many.workers.clear()
        found = db.execute("SELECT count(*), extract(epoch FROM max(at) - min(at)) "
                           "FROM dsar.attempts WHERE at > %s", before).fetchone()
    assert found is not None
    assert found[0] == workers * each, many.said()[-2000:]
    return float(found[0] / float(found[1]))


def _smtp_source(lab: MailLab, sessions: int, letters: int) -> float:
    """Postfix's own client, to the same server, with messages of the same size to two each."""
    return letters / timed(lambda: subprocess.run(
        ["smtp-source", "-s", str(sessions), "-m", str(letters), "-l", "4000", "-r", "2",
         "-f", "u1@example.test", "-t", "catchall@example.test", f"127.0.0.1:{lab.ports.plain}"],
        check=True))


def main(words: list[str]) -> None:
    """Measure one thing, on servers that are gone afterwards."""
    what, *sizes = words or ["claims"]
    server = PostgresServer.make()
    try:
        server.start()
        os.environ.update(server.environment)
        match what:
            case "claims":
                for size in sizes or ["10000", "100000"]:
                    measure_claims(server, int(size))
            case "progress":
                for size in sizes or ["10000", "100000"]:
                    measure_progress(server, int(size))
            case "plan":
                for size in sizes or ["3000x5", "10000x30"]:
                    members, _, targets = size.partition("x")
                    measure_plan(server, int(members), int(targets))
            case "workers":
                measure_workers(server, int(sizes[0]) if sizes else 400)
            case _:
                print(__doc__)
    finally:
        server.stop(purge=True)


if __name__ == "__main__":
    main(sys.argv[1:])
