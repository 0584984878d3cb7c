"""One worker, step by step, over a store in memory and a server that takes or refuses letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from board_samples import DAY, FREELY, NOON, approved, attempted, more, opened, sent, waiting
from campaignfold import started

from dsar.campaign.board import ScanningBoard
from dsar.campaign.worker import Worker
from dsar.core.board import Terms
from dsar.core.campaign import Campaign
from dsar.core.campaign_events import (
    MandateSigned,
    MemberAdded,
    WaveApproved,
    WaveProposed,
    campaign_stream,
    member_stream,
)
from dsar.core.case import Case, NoteAdded, SendAbandoned
from dsar.core.fairness import Office
from dsar.core.letter import Outgoing
from dsar.core.pacing import OFF
from dsar.errors import StorageFailed
from dsar.outbox import Post
from dsar.store.memory import MemoryStore

CAMPAIGN = "open-files"


@dataclass
class Taking:
    """A server that takes every letter and keeps it."""

    got: list[bytes] = field(default_factory=list)

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Take it."""
        self.got.append(message)
        return "250 Ok"

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Copying(Taking):
    """A server whose copy to oneself is found by a poll before we hear that it took the letter."""

    store: MemoryStore | None = None
    note_only: bool = False

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Take it; meanwhile something is recorded."""
        assert self.store is not None
        event = NoteAdded(on=DAY, text="x") if self.note_only else sent("one")
        more(self.store, "one", event)
        return super().send(message, sender=sender, recipients=recipients)


class BusyBoard(ScanningBoard):
    """Somebody else is at everything."""

    @contextmanager
    def _busy(self) -> Iterator[bool]:
        yield False

    def alone(self, what: str):  # type: ignore[no-untyped-def]
        """It is not."""
        return self._busy()


@pytest.fixture
def store() -> MemoryStore:
    """A campaign whose first wave is released, with one member who signed a mandate."""
    store = MemoryStore(now=lambda: NOON, author="jo")
    store.append(campaign_stream(CAMPAIGN), [
        started(campaign_id=CAMPAIGN), WaveProposed(on=DAY, wave=1, letters=1, digest="d", by="a"),
        WaveApproved(on=DAY, wave=1, digest="d", by="b")], after=0)
    store.append(member_stream(CAMPAIGN, "m-1"), [
        MemberAdded(on=DAY, code="m-1", residence="DE", languages=("en",), identity="x",
                    blind="b", key="k", secret="s", consent_version="1"),
        MandateSigned(on=DAY, digest="d", how_signed="pen", signed_on=DAY,
                      expires_on=DAY + timedelta(days=9), rights=("access",),
                      controllers=("acme",))], after=0)
    return store


@dataclass
class Bench:
    """A worker with what it works on."""

    store: MemoryStore
    board: ScanningBoard
    server: Taking = field(default_factory=Taking)
    now: datetime = NOON
    lost: bool = False
    obstacle: str = ""
    written: list[str] = field(default_factory=list)

    def worker(self) -> Worker:
        post = Post(store=self.store, transport=self.server, now=lambda: self.now, today=DAY,
                    file_sent=lambda letter: None, copies_to=lambda letter: (),
                    check=lambda delivery: None)
        return Worker(store=self.store, board=self.board, campaign_id=CAMPAIGN,
                      terms=self._terms, write=self._write, letter=self._letter,
                      obstacle=lambda case: self.obstacle,
                      post=lambda: post, now=lambda: self.now, today=DAY, draw=lambda: 0.0)

    def _terms(self, campaign: Campaign) -> Terms:
        return Terms(campaign=campaign.id, waves=campaign.released, account="main", limits=OFF,
                     pace=FREELY, office=lambda slug: Office(
                         zone=UTC, is_working_day=lambda day: True))

    def _write(self, case_id: str) -> str:
        self.written.append(case_id)
        more(self.store, case_id, approved(case_id))
        return ""

    def _letter(self, case: Case) -> Outgoing:
        if self.lost:
            raise StorageFailed("The letter is not there.")
        letter = case.approvals[-1]
        return Outgoing(case_id=case.id, message=b"letter", message_id=letter.message_id,
                        sender="a@example.org", recipient=letter.recipient, stage=letter.stage,
                        account="main", controller="acme")


def test_a_letter_is_written_then_sent_then_a_person_has_to_look(store: MemoryStore) -> None:
    store.append("one", [opened("one")], after=0)
    bench = Bench(store, ScanningBoard(store))
    worker = bench.worker()
    assert [worker.step().kind for _ in range(4)] == ["wrote", "sent", "rests", "rests"]
    assert bench.server.got == [b"letter"]
    assert store.case("one").request is not None
    assert "wave 1 is out" in worker.step().why


def test_a_letter_that_another_is_writing_is_left_to_it(store: MemoryStore) -> None:
    store.append("one", [opened("one")], after=0)
    bench = Bench(store, BusyBoard(store))
    assert bench.worker().step().count == 0
    assert bench.written == []


def test_a_letter_that_cannot_be_read_leaves_no_doubt(store: MemoryStore) -> None:
    waiting(store, "one")
    bench = Bench(store, ScanningBoard(store), lost=True)
    with pytest.raises(StorageFailed):
        bench.worker().step()
    case = store.case("one")
    assert case.in_doubt is None
    assert isinstance(store.events("one")[-1].event, SendAbandoned)
    assert case.approved is not None, "it is not lost either"
    bench.lost, bench.now = False, NOON + timedelta(minutes=1)
    assert bench.worker().step().kind == "sent"


@pytest.mark.parametrize("note_only", [False, True])
def test_what_a_poll_records_meanwhile_stops_no_worker(
    store: MemoryStore, note_only: bool
) -> None:
    waiting(store, "one")
    bench = Bench(store, ScanningBoard(store), Copying(store=store, note_only=note_only))
    assert bench.worker().step().kind == "sent"
    case = store.case("one")
    assert len(case.letters) == 1
    assert case.in_doubt is None


def test_while_another_worker_sends_the_wave_is_not_over(store: MemoryStore) -> None:
    waiting(store, "one")
    more(store, "one", attempted("one", NOON))
    bench = Bench(store, ScanningBoard(store), now=NOON + timedelta(seconds=30))
    did = bench.worker().step()
    assert (did.kind, did.count) == ("waits", 1)
    assert did.until is not None
    assert did.until > bench.now
    bench.now = NOON + timedelta(minutes=5)
    assert "1 of 1 letters are in doubt" in bench.worker().step().why
    more(store, "one", sent("one"))


def test_a_member_whose_mandate_ended_sends_nothing(store: MemoryStore) -> None:
    waiting(store, "one", "beta")
    bench = Bench(store, ScanningBoard(store))
    bench.worker().step()
    assert bench.server.got == []
    assert store.case("one").closed is not None
