"""Whatever one does to them, the stores agree, and the folds agree with each other."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from servers.postgres import PostgresServer
from store_samples import DAY, case_events, house_events, joined, member_events, opened

from dsar.core.case import Case, CaseOpened, NoteAdded, Retracted, extend, fold
from dsar.core.glance import glance
from dsar.core.house import STREAM
from dsar.errors import ConcurrentAppend, UnknownCase
from dsar.store import Addition, Store, renewal
from dsar.store.memory import MemoryStore
from dsar.store.postgres import PostgresStore
from dsar.store.tiny import TinyStore

NAMES = st.sampled_from(["acme", "bolt", 'c"\u2028\\d'])


def _now() -> datetime:
    return datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _kept_from_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "FEWEST_LINES", 1)
    monkeypatch.setattr(renewal, "SHARE", renewal.SHARE)  # each machine sets it


class Ledgers(RuleBasedStateMachine):
    """Every step is done to both stores, and must have the same outcome in both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore(now=_now, author="jo")
        self.tiny: Store = self._open()

    def _open(self) -> Store:
        return TinyStore(Path(self.folder.name), write=True, now=_now, author="jo")

    def _reader(self) -> Store:
        return TinyStore(Path(self.folder.name), write=False, now=_now, author="jo")

    @initialize(share=st.sampled_from([0, 2, 8]))
    def keep_glances(self, share: int) -> None:
        """0: each writer adds a section to what is kept; else some write all of it."""
        renewal.SHARE = share

    def teardown(self) -> None:
        self.tiny.close()
        self.folder.cleanup()

    def _both(self, method: str, *arguments: Any, **named: Any) -> None:
        outcomes = []
        for store in (self.memory, self.tiny):
            try:
                outcomes.append(getattr(store, method)(*arguments, **named))
            except (ConcurrentAppend, UnknownCase, ValueError) as error:
                outcomes.append((type(error), str(error)))
        assert outcomes[0] == outcomes[1]

    @rule(name=NAMES)
    def open_case(self, name: str) -> None:
        self._both("append", name, [opened(name)], after=0)

    @rule(name=NAMES, events=st.lists(case_events, max_size=3), late=st.integers(0, 9))
    def append(self, name: str, events: list[Any], late: int) -> None:
        have = len(self.memory.events(name))
        after = have if late else max(0, have - 1)
        kept = [e for e in events if not isinstance(e, CaseOpened | Retracted)]
        self._both("append", name, kept, after=after)

    @rule(name=NAMES, sequence=st.integers(-1, 9))
    def retract(self, name: str, sequence: int) -> None:
        have = len(self.memory.events(name))
        event = Retracted(on=DAY, sequence=sequence, because="a mistake")
        self._both("append", name, [event], after=have)

    @rule(name=NAMES, events=st.lists(case_events, max_size=2))
    def append_anything(self, name: str, events: list[Any]) -> None:
        self._both("append", name, events, after=len(self.memory.events(name)))

    @rule(events=st.lists(house_events, max_size=3))
    def append_to_the_house(self, events: list[Any]) -> None:
        self._both("append", STREAM, events, after=len(self.memory.events(STREAM)))

    @rule(name=NAMES)
    def append_with_a_stale_view(self, name: str) -> None:
        have = len(self.memory.events(name))
        for store in (self.memory, self.tiny):
            with pytest.raises(ConcurrentAppend):
                store.append(name, [opened(name)], after=have + 1)

    @rule(events=st.lists(member_events, max_size=2), begin=st.booleans())
    def append_to_a_member(self, events: list[Any], begin: bool) -> None:
        member = "member/x/A"
        more = [joined("A"), *events] if begin else events
        self._both("append", member, more, after=len(self.memory.events(member)))

    @rule(names=st.lists(NAMES, max_size=3), events=st.lists(case_events, max_size=2))
    def append_together(self, names: list[str], events: list[Any]) -> None:
        self._both("append_all", [
            Addition(stream=name, events=events, after=len(self.memory.events(name)))
            for name in names])

    @rule(name=st.sampled_from(["member/x/A", STREAM]))
    def erase_no_case(self, name: str) -> None:
        self._both("erase", name)

    @rule(name=NAMES)
    def erase(self, name: str) -> None:
        self._both("erase", name)

    @rule()
    def reopen(self) -> None:
        self.tiny.close()
        self.tiny = self._open()

    @rule(name=NAMES, events=st.lists(house_events, max_size=1))
    def read_glances_after_two_writers(self, name: str, events: list[Any]) -> None:
        """The first may write all of what is kept for readers, the second add to it."""
        for text in ("first", "second"):
            have = len(self.memory.events(name))
            event = NoteAdded(on=DAY, text=text) if have else opened(name)
            self._both("append", name, [event], after=have)
            self.append_to_the_house(events)
            self.reopen()
            self._check_glances()

    @rule()
    def read_glances(self) -> None:
        self._check_glances()

    def _check_glances(self) -> None:
        """Those of the writer, and of a reader beside it."""
        reader, truth = self._reader(), list(map(glance, self.memory.cases()))
        assert list(self.tiny.glances()) == truth
        assert list(reader.glances()) == truth
        assert reader.house() == self.memory.house()
        reader.close()

    @invariant()
    def both_hold_the_same(self) -> None:
        assert list(self.memory.cases()) == list(self.tiny.cases())
        assert self.memory.house() == self.tiny.house()
        assert list(self.memory.history()) == list(self.tiny.history())

    @invariant()
    def folding_step_by_step_is_folding_all(self) -> None:
        for case in self.memory.cases():
            events: list[Any] = [kept.event for kept in self.memory.events(case.id)]
            grown = Case()
            for number, event in enumerate(events):
                grown = extend(grown, event, events[:number])
            assert grown == fold(events) == case


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_memory_and_postgres_agree_whatever_one_does(postgres: PostgresServer) -> None:
    class InPostgres(Ledgers):
        def __init__(self) -> None:
            self.url = postgres.new_ledger()
            super().__init__()

        def _open(self) -> Store:
            return PostgresStore(self.url, write=True, now=_now, author="jo")

        def _reader(self) -> Store:
            return PostgresStore(self.url, write=False, now=_now, author="jo")

        @invariant()
        def the_projection_is_the_fold(self) -> None:
            assert list(self.tiny.glances()) == list(map(glance, self.memory.cases()))

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        InPostgres, settings=settings(max_examples=8, stateful_step_count=20, deadline=None,
                                      suppress_health_check=list(HealthCheck)))
