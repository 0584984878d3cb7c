"""What only a ledger in PostgreSQL promises: many writers, lost connections, roles, migrations."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from servers.postgres import OWNER, PASSWORD, WORKER, PostgresServer
from store_samples import DAY, joined, note, opened, sent

from dsar.core.case import Retracted
from dsar.core.glance import glance
from dsar.core.house import STREAM, CompanyExcluded
from dsar.errors import ConcurrentAppend, StorageFailed, StoreUnreachable, UsageProblem
from dsar.keeping.copying import copy_ledger
from dsar.store import Addition, open_store
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_link import conninfo_of, shown
from dsar.store.postgres_migrate import SchemaNotReady, migrate
from dsar.store.postgres_projection import rebuild, wrong
from dsar.store.tiny import TinyStore

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def _open(url: str, *, write: bool = True) -> PostgresStore:
    return PostgresStore(url, write=write, now=lambda: AT, author="jo")


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[PostgresStore]:
    """An open ledger with one case of three events."""
    store = _open(postgres_url)
    store.append("acme", [opened("acme"), note("a"), sent("<1@example.org>")], after=0)
    yield store
    store.close()


def _database(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.parametrize("statement", [
    "UPDATE dsar.events SET body = '{}'", "DELETE FROM dsar.events", "TRUNCATE dsar.events",
    "INSERT INTO dsar.events VALUES (1, 9, now(), gen_random_uuid(), '', '', '')",
    "UPDATE dsar.streams SET version = 1", "DELETE FROM dsar.streams",
    "DELETE FROM dsar.glances", "DROP TABLE dsar.events",
    "ALTER TABLE dsar.events DISABLE TRIGGER append_only",
])
def test_the_role_dsar_works_as_can_change_no_row(
    ledger: PostgresStore, postgres_url: str, statement: str
) -> None:
    before = list(ledger.history())
    with psycopg.connect(postgres_url) as connection:
        connection.execute("SELECT set_config('dsar.erasing', 'on', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    assert list(ledger.history()) == before


@pytest.mark.parametrize("statement", [
    "UPDATE dsar.events SET body = '{}'", "DELETE FROM dsar.events", "TRUNCATE dsar.events",
])
def test_even_the_owner_is_stopped_by_a_trigger(
    ledger: PostgresStore, postgres: PostgresServer, postgres_url: str, statement: str
) -> None:
    owner = postgres.url(_database(postgres_url), OWNER)
    with psycopg.connect(owner) as connection, pytest.raises(
            psycopg.Error, match="append-only"):
        connection.execute(statement.encode())
    assert ledger.case("acme").version == 3


def test_writers_side_by_side_never_interleave_and_lose_nothing(postgres_url: str) -> None:
    first = _open(postgres_url)
    first.append("acme", [opened("acme")], after=0)
    won: list[str] = []

    def work(name: str) -> None:
        store = _open(postgres_url)
        while sum(w.startswith(name) for w in won) < 25:
            have = store.case("acme").version
            try:
                store.append("acme", [note(f"{name} {have}"), note("pair")], after=have)
                won.append(f"{name} {have}")
            except ConcurrentAppend:
                continue
        store.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes = [n.text for n in first.case("acme").notes]
    assert sorted(notes[::2]) == sorted(won)
    assert set(notes[1::2]) == {"pair"}
    assert list(wrong(first)) == []
    first.close()


def test_a_restarted_server_is_found_again(
    ledger: PostgresStore, postgres: PostgresServer
) -> None:
    for mode in ("fast", "immediate"):
        have = ledger.case("acme").version
        postgres.restart(mode)
        ledger.append("acme", [note(mode)], after=have)
        postgres.restart(mode)
        assert ledger.case("acme").notes[-1].text == mode
        assert [case.id for case in ledger.cases()] == ["acme"]


def test_kill_9_loses_nothing_that_was_acknowledged(postgres_url: str) -> None:
    dice, acknowledged = random.Random(20260105), 0
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("store_worker.py")), "append",
             postgres_url], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])})
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(dice.randint(1, 20))]
        time.sleep(dice.random() * 0.003)
        child.kill()
        said += child.communicate()[0].split("\n")[:-1]
        acknowledged = max([acknowledged, *map(int, said)])
        reader = _open(postgres_url, write=False)
        kept = len(reader.events("acme"))
        assert kept >= acknowledged
        assert kept % 2 == 0, "an append is all or nothing"
        assert list(wrong(reader)) == []
        reader.close()


class _Lossy:
    """Does what the connection does, and then loses it: the commit's outcome is unknown."""

    def __init__(self, real: psycopg.Connection[Any]) -> None:
        self.real, self.closed, self.lost = real, False, 0

    def execute(self, query: Any, params: Any = None) -> Any:
        found = self.real.execute(query, params)
        if "dsar.append" in str(query) or "dsar.erase" in str(query):
            self.real.close()
            self.closed = True
            raise psycopg.OperationalError("the connection was lost")
        return found

    def close(self) -> None:
        self.real.close()


def test_an_append_whose_outcome_is_unknown_is_recorded_once(ledger: PostgresStore) -> None:
    ledger.link._main = _Lossy(ledger.link._main)  # type: ignore[arg-type, assignment]
    ledger.append("acme", [note("once")], after=3)
    assert [n.text for n in ledger.case("acme").notes] == ["a", "once"]
    ledger.append("acme", [note("and on")], after=4)
    ledger.link._main = _Lossy(ledger.link._main)  # type: ignore[arg-type, assignment]
    ledger.append_all([Addition(stream="bolt", events=[opened("bolt")], after=0),
                       Addition(stream="acme", events=[note("x")], after=5)])
    assert [case.version for case in ledger.cases()] == [6, 1]
    ledger.link._main = _Lossy(ledger.link._main)  # type: ignore[arg-type, assignment]
    ledger.erase("bolt")
    assert [case.id for case in ledger.cases()] == ["acme"]


def test_a_backend_that_is_killed_is_no_reason_to_fail(
    ledger: PostgresStore, postgres: PostgresServer, postgres_url: str
) -> None:
    have = ledger.case("acme").version
    for _ in range(3):
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     f"WHERE datname = '{_database(postgres_url)}'")
        ledger.append("acme", [note("x")], after=have)
        have += 1
        assert len(ledger.events("acme")) == have


def test_no_server_is_an_error_that_names_it(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnreachable, match=r"dsar_worker@127\.0\.0\.1:1/none"):
        _open("postgresql://dsar_worker@127.0.0.1:1/none")
    with pytest.raises(StoreUnreachable, match="does not exist"):
        _open(postgres.url("nothing_here"))


def test_a_password_in_the_address_is_refused_and_never_shown(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for url in ("postgresql://jo:s3cret@db.example/x", "postgresql:password=s3cret dbname=x",
                "postgresql://jo@db.example/x?password=s3cret"):
        with pytest.raises(UsageProblem, match="holds a password") as refused:
            conninfo_of(url)
        assert "s3cret" not in str(refused.value) + (refused.value.hint or "")
    with pytest.raises(UsageProblem) as refused:
        conninfo_of("postgresql:no pairs s3cret")
    assert "s3cret" not in str(refused.value)
    wrong_one = tmp_path / "pgpass"
    wrong_one.write_text("*:*:*:*:s3cret\n")
    wrong_one.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(wrong_one))
    with pytest.raises(StoreUnreachable, match="authentication failed") as failed:
        _open(postgres.url("postgres"))
    assert "s3cret" not in str(failed.value)


def test_a_service_file_names_the_database(
    postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = tmp_path / "services"
    services.write_text(f"[dsar]\nhost=127.0.0.1\nport={postgres.port}\nuser={WORKER}\n"
                        f"dbname={_database(postgres_url)}\npassword={PASSWORD}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    store = _open("postgresql:service=dsar")
    assert list(store.cases()) == []
    assert store.link.name == "postgresql:service=dsar"
    assert PASSWORD not in shown(conninfo_of("postgresql:service=dsar"))
    store.close()


def test_a_database_without_tables_or_with_newer_ones_is_refused(
    postgres: PostgresServer
) -> None:
    name = postgres.new_database()
    owner = postgres.url(name, OWNER)
    with pytest.raises(SchemaNotReady, match="no tables"):
        _open(owner)
    assert migrate(owner)[0] == "0001_ledger.sql"
    assert migrate(owner) == []
    with pytest.raises(SchemaNotReady):
        _open(postgres.url(name))
    with pytest.raises(UsageProblem, match="no role"):
        migrate(owner, roles=["nobody here"])
    _open(owner).close()
    postgres.sql("DELETE FROM dsar.migrations WHERE number = 3", name)
    with pytest.raises(SchemaNotReady, match="1 migrations to go"):
        _open(owner)
    postgres.sql("INSERT INTO dsar.migrations VALUES (3, 'x', 'other')", name)
    with pytest.raises(SchemaNotReady, match="another text"):
        migrate(owner)
    postgres.sql("INSERT INTO dsar.migrations VALUES (999, 'x', 'y')", name)
    for attempt in (_open, migrate):
        with pytest.raises(SchemaNotReady, match="newer dsar"):
            attempt(owner)


def test_who_opens_to_read_cannot_write(ledger: PostgresStore, postgres_url: str) -> None:
    reader = _open(postgres_url, write=False)
    assert reader.case("acme").version == 3
    with pytest.raises(StorageFailed):
        reader.append("acme", [note("x")], after=3)
    reader.close()


def test_cases_are_those_of_the_start_while_others_write(
    ledger: PostgresStore, postgres_url: str
) -> None:
    ledger.append("bolt", [opened("bolt")], after=0)
    seen = []
    for case in ledger.cases():
        seen.append((case.id, case.version))
        ledger.append("bolt", [note("meanwhile")], after=ledger.case("bolt").version)
        ledger.append(f"new {case.id}", [opened(f"new {case.id}")], after=0)
    assert seen == [("acme", 3), ("bolt", 1)]
    assert ledger.case("bolt").version == 3


def test_the_projection_is_the_fold_and_can_be_made_anew(
    ledger: PostgresStore, postgres: PostgresServer, postgres_url: str
) -> None:
    ledger.append("acme", [Retracted(on=DAY, sequence=3, because="x")], after=3)
    other = _open(postgres_url)
    other.append("acme", [sent("<2@example.org>")], after=4)
    with pytest.raises(ConcurrentAppend):
        ledger.append("acme", [note("x")], after=4)
    other.append("bolt\x00\ud83d", [opened("bolt\x00\ud83d")], after=0)
    other.append("member/x/A", [joined("A")], after=0)
    expected = [glance(case) for case in ledger.cases()]
    assert list(ledger.glances()) == expected
    assert list(wrong(ledger)) == []
    for harm in ("DELETE FROM dsar.glances",
                 "UPDATE dsar.courses SET form = 'older', digest = '\\x00' || digest",
                 "UPDATE dsar.glances SET version = version - 1"):
        postgres.sql(harm, _database(postgres_url))
        fresh = _open(postgres_url)
        assert list(fresh.glances()) == expected
        assert [there for _, there in wrong(fresh)] == [False, False]
        assert rebuild(fresh) == 2
        assert list(wrong(fresh)) == []
        fresh.close()
    postgres.sql("UPDATE dsar.glances SET controller = 'x'", _database(postgres_url))
    assert [there for _, there in wrong(ledger)] == [True, True]
    assert rebuild(ledger) == 2
    assert list(ledger.glances()) == expected
    other.close()


def test_an_erased_case_leaves_nothing_in_any_table(
    ledger: PostgresStore, postgres: PostgresServer, postgres_url: str
) -> None:
    ledger.append(STREAM, [CompanyExcluded(on=DAY, slug="x")], after=0)
    ledger.erase("acme")
    for table in ("glances", "courses"):
        assert postgres.sql(f"SELECT count(*) FROM dsar.{table}",
                            _database(postgres_url)) == "0\n"
    assert [s for s, _ in ledger.history()] == [STREAM]


def test_a_case_opened_anew_is_not_taken_for_the_one_that_was_read(
    ledger: PostgresStore, postgres_url: str
) -> None:
    assert ledger.case("acme").version == 3
    other = _open(postgres_url)
    other.erase("acme")
    other.append("acme", [opened("acme"), note("b"), note("c")], after=0)
    ledger.append("acme", [note("d")], after=3)
    assert list(wrong(ledger)) == []
    other.close()


def test_a_ledger_goes_there_and_back_without_loss(
    ledger: PostgresStore, tmp_path: Path, postgres: PostgresServer
) -> None:
    ledger.append(STREAM, [CompanyExcluded(on=DAY, slug="x")], after=0)
    ledger.append("b\x00\ud83d\\", [opened("b\x00\ud83d\\"), note("\x00\udc80")], after=0)
    ledger.append("member/x/A", [joined("A")], after=0)
    tiny = TinyStore(tmp_path, write=True, now=lambda: AT, author="kim")
    assert copy_ledger(ledger, tiny).events == 7
    tiny.append("acme", [note("by kim")], after=3)
    back = open_store(postgres.new_ledger(), write=True)
    assert copy_ledger(tiny, back).streams == 4
    assert list(back.history()) == list(tiny.history())
    assert list(back.glances()) == list(map(glance, tiny.cases()))
    with pytest.raises(UsageProblem):
        copy_ledger(tiny, ledger)
    tiny.close()
    back.close()
