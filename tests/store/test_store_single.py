"""One event for a case at hand goes to PostgreSQL by a call of its own, with the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from servers.postgres import OWNER, WORKER, PostgresServer
from store_samples import DAY, note, opened, sent

from dsar.core.case import LetterApproved, ReplyReceived, Retracted, SendAttempted
from dsar.core.glance import glance
from dsar.core.letter import Stage
from dsar.errors import ConcurrentAppend
from dsar.store import Event
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_migrate import SchemaNotReady, migrate, migrations
from dsar.store.postgres_projection import rebuild, wrong

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def _open(url: str) -> PostgresStore:
    return PostgresStore(url, write=True, now=lambda: AT, author="jo\\")


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[PostgresStore]:
    """An open ledger with one case of a campaign."""
    store = _open(postgres_url)
    store.append("acme", [replace(opened("acme"), campaign="open-files", wave=1)], after=0)
    yield store
    store.close()


def _reply(digest: str = "ab" * 32) -> ReplyReceived:
    return ReplyReceived(on=DAY, at=AT, digest=digest, message_id="<r@x.example>", subject="Re",
                         sender="privacy@x.example", authentic="aligned", evidence=("To",))


APPROVED = LetterApproved(
    on=DAY, message_id="<1@example.org>", digest="ab" * 32, recipient="x@x.example",
    stage=Stage.REQUEST, account="main")
ATTEMPT = SendAttempted(on=DAY, at=AT, message_id="<1@example.org>", recipient="x@x.example",
                        account="main")


class _Listening:
    """Writes down which functions of the database are called."""

    def __init__(self, real: psycopg.Connection[Any], said: list[str]) -> None:
        self._real, self._said = real, said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, query: Any, params: Any = None) -> Any:
        self._said.append(str(query).partition("(")[0])
        return self._real.execute(query, params)


@pytest.fixture
def said(ledger: PostgresStore) -> list[str]:
    """What the ledger asks of the database."""
    found: list[str] = []
    ledger.link._main = _Listening(  # type: ignore[assignment]
        ledger.link.run(lambda c: c), found)
    return found


ONE, ANY = "SELECT dsar.append_one", "SELECT dsar.append"


@pytest.mark.parametrize("events", [
    [note("a\x00\ud83d\\")], [sent("<1@example.org>"), _reply(), note("b")],
    [APPROVED, ATTEMPT, sent("<1@example.org>"), _reply()],
], ids=["note", "reply", "letter"])
def test_each_event_of_a_known_case_is_one_call_and_the_projection_is_the_fold(
    ledger: PostgresStore, said: list[str], events: list[Event]
) -> None:
    for after, event in enumerate(events, start=1):
        ledger.append("acme", [event], after=after)
    assert said == [ONE] * len(events)
    assert [r.event for r in ledger.events("acme")][1:] == events
    assert ledger.events("acme")[-1].author == "jo\\"
    assert list(wrong(ledger)) == []
    assert list(ledger.glances()) == [glance(case) for case in ledger.cases()]


def test_what_needs_all_events_or_a_new_row_is_left_to_append(
    ledger: PostgresStore, said: list[str], postgres: PostgresServer, postgres_url: str
) -> None:
    ledger.append("acme", [note("a")], after=1)
    ledger.append("acme", [Retracted(on=DAY, sequence=2, because="x")], after=2)
    postgres.sql("DELETE FROM dsar.glances", postgres_url.rpartition("/")[2])
    ledger.append("acme", [note("b")], after=3)
    assert [s for s in said if s.startswith(ANY)] == [ONE, ANY, ONE, ANY]
    assert [n.text for n in ledger.case("acme").notes] == ["b"]
    # What workers look at went with the row, and no worker sends before it is made anew.
    assert [there for _, there in wrong(ledger)] == [False]
    with pytest.raises(SchemaNotReady):
        ledger.board()
    assert rebuild(ledger) == 1
    assert list(wrong(ledger)) == []


@pytest.mark.parametrize("event", [note("x"), opened("acme")])
def test_who_is_behind_is_told_so_and_nothing_is_added(
    ledger: PostgresStore, postgres_url: str, event: Event
) -> None:
    other = _open(postgres_url)
    assert other.case("acme").version == 1
    ledger.append("acme", [note("first")], after=1)
    with pytest.raises(ConcurrentAppend):
        other.append("acme", [event], after=1)
    assert [len(events) for _, events in ledger.history()] == [2]
    other.close()


def test_an_event_that_does_not_belong_there_is_refused(ledger: PostgresStore) -> None:
    with pytest.raises(ValueError, match="begins with CaseOpened"):
        ledger.append("acme", [opened("acme")], after=1)
    assert ledger.case("acme").version == 1


def test_a_role_that_may_append_may_after_an_upgrade(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.new_database()
    before: Callable[[], Any] = lambda: migrations()[:6]  # noqa: E731
    with monkeypatch.context() as older:
        older.setattr("dsar.store.postgres_migrate.migrations", before)
        older.setattr("dsar.store.postgres_migrate._FUNCTIONS", (
            "append(uuid, json, json, json)", "erase(text[], integer, json)"))
        migrate(postgres.url(name, OWNER), roles=[WORKER])
    assert migrate(postgres.url(name, OWNER))[0] == "0007_append_one.sql"
    store = _open(postgres.url(name))
    store.append("acme", [opened("acme")], after=0)
    store.append("acme", [note("x")], after=1)
    assert store.case("acme").version == 2
    assert list(wrong(store)) == []
    store.close()
