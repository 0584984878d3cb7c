"""Any number of workers claim at the same time: no letter twice, no limit and no pace passed."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from board_samples import DAY, NOON, attempted, more, opened, sent, terms, waiting
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from many import wait_until
from servers.postgres import OWNER, PostgresServer

from dsar.core.board import Board, Claimed, Later, Terms
from dsar.core.case import CaseClosed, LetterRefused
from dsar.core.fairness import Pace
from dsar.core.house import STREAM, SendingPaused
from dsar.core.pacing import OFF, Limits, Sent, day_cap
from dsar.errors import ConcurrentAppend
from dsar.store.postgres import PostgresStore
from dsar.store.postgres_migrate import SchemaNotReady
from dsar.store.postgres_projection import rebuild, wrong

DAYS = timedelta(days=1)
PACES = st.builds(Pace, per_day=st.integers(1, 4), spread=st.booleans())
LIMITS = st.just(OFF) | st.builds(
    Limits, first_day=st.integers(1, 6), per_day=st.integers(4, 12),
    per_minute=st.sampled_from([None, 6]), jitter_s=st.just(0.0),
    per_domain_s=st.sampled_from([0.0, 30.0]))


def _open(url: str) -> PostgresStore:
    return PostgresStore(url, write=True, now=lambda: NOON, author="jo")


class Worker(threading.Thread):
    """Claims at each of `times` whatever it can, and records an outcome for most."""

    def __init__(self, url: str, given: Terms, times: list[datetime], number: int) -> None:
        super().__init__()
        self.store, self.given, self.times, self.number = _open(url), given, times, number
        self.claimed: list[Claimed] = []
        self.error: Exception | None = None

    def run(self) -> None:
        """Claim until nothing may go, at each of the times."""
        board = self.store.board()
        try:
            for now in self.times:
                while isinstance(found := board.claim(self.given, now=now, today=now.date(),
                                                      jitter=0.0), Claimed):
                    self.claimed.append(found)
                    self._conclude(found)
        except Exception as error:
            self.error = error
        finally:
            self.store.close()

    def _conclude(self, found: Claimed) -> None:
        """Sent, or put off; every fifth worker's letters stay in doubt, as if it had died."""
        name = found.case.id
        if self.number % 5 == 4:
            return
        put_off = LetterRefused(on=DAY, message_id=found.attempt.message_id, code=451,
                                reply="later", temporary=True)
        event = put_off if int(name[1:]) % 7 == 0 else sent(name, found.case.facts.controller)
        self.store.append(name, [event], after=found.case.version)


@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pace=PACES, limits=LIMITS, workers=st.integers(2, 5), letters=st.integers(1, 40),
       companies=st.integers(1, 5), step=st.sampled_from([1, 30, 3600, 40_000]))
def test_side_by_side_no_letter_goes_twice_and_nothing_is_passed(
    postgres: PostgresServer, pace: Pace, limits: Limits, workers: int, letters: int,
    companies: int, step: int,
) -> None:
    url = postgres.new_ledger()
    store = _open(url)
    for n in range(letters):
        waiting(store, f"c{n}", f"company{n % companies}")
    times = [NOON + timedelta(seconds=step * n) for n in range(4)]
    running = [Worker(url, terms(pace=pace, limits=limits), times, n) for n in range(workers)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    assert [one.error for one in running if one.error] == []
    attempts = sorted((a.at, a.recipient, case.id) for case in store.cases()
                      for a in case.attempts)
    claimed = [(c.attempt.at, c.attempt.recipient, c.case.id) for one in running
               for c in one.claimed]
    assert sorted(claimed) == attempts, "what was claimed was recorded, once"
    assert max(Counter((at, name) for at, _, name in attempts).values(), default=1) == 1
    for at, recipient, _ in attempts:
        day = [a for a, to, _ in attempts if to == recipient and timedelta(0) <= at - a < DAYS]
        assert len(day) <= pace.per_day
    _assert_limits([Sent(at, to.rpartition("@")[2]) for at, to, _ in attempts], limits)
    assert list(wrong(store)) == []
    store.close()


def _assert_limits(attempts: list[Sent], limits: Limits) -> None:
    for number, one in enumerate(attempts):
        before = attempts[:number]
        cap = day_cap(before, limits, one.at)
        if cap is not None:
            assert sum(b.at > one.at - timedelta(days=1) for b in before) < cap
        if limits.per_minute and before:
            assert one.at - before[-1].at >= timedelta(seconds=60 / limits.per_minute)
        same = [b.at for b in before if b.domain == one.domain]
        assert not same or (one.at - same[-1]).total_seconds() >= limits.per_domain_s


def test_a_letter_withdrawn_at_the_same_time_is_withdrawn_or_claimed_never_both(
    postgres: PostgresServer
) -> None:
    url = postgres.new_ledger()
    store = _open(url)
    names = [f"c{n}" for n in range(60)]
    for name in names:
        waiting(store, name)
    worker = Worker(url, terms(), [NOON], 4)
    worker.start()
    withdrawn = []
    for name in reversed(names):
        try:
            store.append(name, [CaseClosed(on=DAY, outcome="withdrawn")], after=2)
            withdrawn.append(name)
        except ConcurrentAppend:
            continue
    worker.join()
    assert worker.error is None
    assert sorted([c.case.id for c in worker.claimed] + withdrawn) == sorted(names)
    store.close()


class _Cut:
    """Loses the connection right after a statement of the claim was done, once."""

    def __init__(self, real: psycopg.Connection[Any], after: str) -> None:
        self.real, self.after, self.cut = real, after, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def execute(self, query: Any, params: Any = None) -> Any:
        """Run it; lose the connection where it is the one."""
        found = self.real.execute(query, params)
        if self.after in str(query) and not self.cut:
            self.cut = True
            if self.after == "dsar.append":
                self.real.pgconn.exec_(b"COMMIT")
            self.real.close()
            raise psycopg.OperationalError("the connection was lost")
        return found


@pytest.mark.parametrize("after", ["dsar.look", "dsar.append"])
def test_a_claim_whose_answer_was_lost_is_made_once(
    postgres: PostgresServer, after: str
) -> None:
    """After the look nothing was recorded, and it is done anew; after the append it is found."""
    url = postgres.new_ledger()
    store = _open(url)
    for name in ("a", "b"):
        waiting(store, name)
    board = store.board()
    link: Any = store.link
    link._main = _Cut(link._main, after)
    found = board.claim(terms(), now=NOON, today=DAY, jitter=0.0)
    assert isinstance(found, Claimed)
    attempted = [case.id for case in _open(url).cases() if case.attempts]
    assert attempted == [found.case.id]
    store.append(found.case.id, [sent(found.case.id)], after=found.case.version)
    store.close()


def test_a_server_that_restarts_is_waited_for(postgres: PostgresServer) -> None:
    store = _open(postgres.new_ledger())
    for n in range(4):
        waiting(store, f"c{n}")
    board = store.board()
    for mode in ("fast", "immediate"):
        postgres.restart(mode)
        assert isinstance(board.claim(terms(), now=NOON, today=DAY, jitter=0.0), Claimed)
    assert sum(len(case.attempts) for case in store.cases()) == 2
    store.close()


def _is_alone(board: Board, what: str) -> bool:
    with board.alone(what) as mine:
        return mine


def test_only_one_is_alone_and_the_dead_are_not(postgres: PostgresServer) -> None:
    url = postgres.new_ledger()
    first, second = _open(url), _open(url)
    one, other = first.board(), second.board()
    with one.alone("poll main") as mine, other.alone("poll main") as theirs:
        assert (mine, theirs) == (True, False)
        with other.alone("poll other") as elsewhere:
            assert elsewhere
    with one.alone("poll main"):
        first.close()  # as a worker that dies; the server sees it a moment later
        assert wait_until(partial(_is_alone, other, "poll main"), 10.0)
        first.link._main = first.link._connect()
    second.close()
    first.close()


def test_a_pause_recorded_by_another_stops_the_next_claim(postgres: PostgresServer) -> None:
    url = postgres.new_ledger()
    first, second = _open(url), _open(url)
    for n in range(3):
        waiting(first, f"c{n}")
    board = first.board()
    assert isinstance(board.claim(terms(), now=NOON, today=DAY, jitter=0.0), Claimed)
    second.append(STREAM, [SendingPaused(on=DAY, account="main", because="spam")], after=0)
    assert board.claim(terms(), now=NOON, today=DAY, jitter=0.0) == Later(at=None, waiting=2)
    first.close()
    second.close()


def test_cases_older_than_the_projection_are_counted_first(postgres: PostgresServer) -> None:
    url = postgres.new_ledger()
    store = _open(url)
    waiting(store, "a")
    more(store, "a", attempted("a", NOON), sent("a"))
    store.append("b", [opened("b", campaign=None)], after=0)
    owner = postgres.url(url.rpartition("/")[2], OWNER)
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE dsar.glances SET worked = false")
        connection.execute("DELETE FROM dsar.work")
    with pytest.raises(SchemaNotReady, match="not in the projection"):
        store.board()
    assert {case.id for case, _ in wrong(store)} == {"a", "b"}
    assert rebuild(store) == 2
    assert list(wrong(store)) == []
    assert [w.case_id for w in store.board().written("open-files", 1)] == ["a"]
    store.close()


@pytest.mark.parametrize("statement", [
    "UPDATE dsar.attempts SET at = at - interval '2 days'", "DELETE FROM dsar.attempts",
    "UPDATE dsar.work SET state = 'waiting'", "UPDATE dsar.work SET not_before = 'infinity'",
    "UPDATE dsar.work SET keys = NULL", "DELETE FROM dsar.work",
])
def test_a_row_that_is_not_what_the_events_say_is_found_and_mended(
    postgres: PostgresServer, statement: str
) -> None:
    url = postgres.new_ledger()
    store = _open(url)
    waiting(store, "a")
    store.board().claim(terms(), now=NOON, today=DAY, jitter=0.0)
    assert list(wrong(store)) == []
    with psycopg.connect(postgres.url(url.rpartition("/")[2], OWNER)) as connection:
        connection.execute(statement.encode())
    assert [case.id for case, _ in wrong(store)] == ["a"]
    assert rebuild(store) == 1
    assert list(wrong(store)) == []
    store.close()
