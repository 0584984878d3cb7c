"""Between approval and sending: mandates end, members leave, letters are put off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from board_samples import opened, reminding, terms
from campaignfold import DAY, added, approved, issued, proposed, signed, started

from dsar.campaign.board import ScanningBoard
from dsar.campaign.roster import load_campaign
from dsar.campaign.waves import (
    anomalies,
    propose,
    release,
    stop_claimed,
    withdraw_letter,
    withdraw_wave,
)
from dsar.campaign.worker import Worker
from dsar.core.board import Claimed
from dsar.core.campaign_events import (
    MandateRevoked,
    MemberEvent,
    MemberLeft,
    campaign_stream,
    member_stream,
)
from dsar.core.case import (
    LetterApproved,
    LetterRefused,
    LetterSent,
    NoteAdded,
    SendAttempted,
)
from dsar.core.letter import Outgoing, Stage
from dsar.errors import RefusedByRail
from dsar.outbox import Post
from dsar.store.memory import MemoryStore

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
CODE = "m-00000001"
ID = "<A@example.org>"


def letter(case_id: str = "A", digest: str = "ab" * 32) -> LetterApproved:
    return LetterApproved(on=DAY, stage=Stage.REQUEST, message_id=f"<{case_id}@example.org>",
                          digest=digest, recipient="privacy@acme.example", account="main")


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore(now=lambda: NOON, author="test")
    made.append(campaign_stream("spring"), [started(), proposed(1), approved(1)], after=0)
    made.append(member_stream("spring", CODE), [added(CODE), issued(), signed()], after=0)
    made.append("A", [opened("A", member=CODE, campaign="spring"), letter()], after=0)
    return made


def then(store: MemoryStore, *events: MemberEvent) -> None:
    store.append(member_stream("spring", CODE), list(events), after=3)


def worker(store: MemoryStore, why: str = "") -> Worker:
    def refuse(*_: object) -> Outgoing:
        pytest.fail("the letter was taken out of the archive to be sent")

    post: Callable[[], Post] = refuse  # type: ignore[assignment]
    return Worker(
        store=store, board=ScanningBoard(store), campaign_id="spring", write=lambda _: "",
        terms=lambda campaign: replace(terms(waves=campaign.released), campaign="spring"),
        obstacle=lambda case: why, letter=refuse, post=post, now=lambda: NOON,
        today=NOON.date(), draw=lambda: 0.0)


@pytest.mark.parametrize(("event", "words"), [
    (MandateRevoked(on=DAY), "revoked"), (MemberLeft(on=DAY), "left"),
    (signed(digest="3" * 64, controllers=("bolt",)), "does not cover"),
    (signed(digest="3" * 64, expires_on=date(2026, 3, 31)), "expired"),
])
def test_a_letter_that_waits_does_not_go_once_the_mandate_is_gone(
    store: MemoryStore, event: MemberEvent, words: str
) -> None:
    then(store, event)
    at_work = worker(store)
    assert at_work.step().kind != "sent"
    case = store.case("A")
    assert case.approved is None
    assert case.in_doubt is None
    assert case.closed is not None
    assert words in case.closed.note
    assert words in at_work.failed[0]


def test_a_letter_with_a_valid_mandate_is_taken_out_to_be_sent(store: MemoryStore) -> None:
    with pytest.raises(pytest.fail.Exception, match="taken out"):
        worker(store).step()


def refused(temporary: bool) -> LetterRefused:
    return LetterRefused(on=DAY, message_id=ID, code=451 if temporary else 550, reply="no",
                         temporary=temporary)


def attempt() -> SendAttempted:
    return SendAttempted(on=DAY, at=NOON, message_id=ID, recipient="privacy@acme.example",
                         account="main")


def test_a_letter_the_server_put_off_is_withdrawn_with_the_rest(store: MemoryStore) -> None:
    store.append("A", [attempt(), refused(temporary=True)], after=2)
    assert withdraw_letter(store, "A", "the member left", DAY)
    assert store.case("A").approved is None


@pytest.mark.parametrize("events", [
    [attempt()], [attempt(), refused(temporary=False)],
    [attempt(), LetterSent(on=DAY, message_id=ID, stage=Stage.REQUEST, recipient="x@y.example")],
])
def test_what_is_out_or_may_be_keeps_its_case_open(
    store: MemoryStore, events: list[SendAttempted | LetterRefused | LetterSent]
) -> None:
    store.append("A", events, after=2)
    assert not withdraw_letter(store, "A", "the member left", DAY)
    assert store.case("A").closed is None


def test_a_wave_with_another_letter_than_was_proposed_is_not_released(store: MemoryStore) -> None:
    board = ScanningBoard(store)
    store.append("B", [opened("B", member=CODE, campaign="spring", wave=2), letter("B")], after=0)
    found = propose(store, board, load_campaign(store, "spring"), 2, by="Ann", today=DAY,
                    keep=lambda listed: None)
    store.append("B", [letter("B", digest="cd" * 32)], after=2)
    with pytest.raises(RefusedByRail, match="other letters"):
        release(store, board, found, found.waves[2], by="Bea", today=DAY)


def test_a_wave_with_one_more_letter_than_was_proposed_is_not_released(
    store: MemoryStore,
) -> None:
    board = ScanningBoard(store)
    store.append("B", [opened("B", member=CODE, campaign="spring", wave=2), letter("B")], after=0)
    found = propose(store, board, load_campaign(store, "spring"), 2, by="Ann", today=DAY,
                    keep=lambda listed: None)
    store.append("C", [opened("C", member=CODE, campaign="spring", wave=2), letter("C")], after=0)
    with pytest.raises(RefusedByRail, match="other letters"):
        release(store, board, found, found.waves[2], by="Bea", today=DAY)


def test_withdrawing_a_wave_takes_back_also_what_was_not_written_yet(store: MemoryStore) -> None:
    store.append("B", [opened("B", member=CODE, campaign="spring")], after=0)
    _, count = withdraw_wave(store, ScanningBoard(store), load_campaign(store, "spring"), 1,
                             by="Ann", because="a mistake", today=DAY)
    assert count == 2
    assert all(case.closed for case in store.cases())


def test_letters_that_did_not_go_out_are_an_anomaly(store: MemoryStore) -> None:
    assert "1 of 1 letters did not go out" in anomalies(store.cases()).lines


def reminder(store: MemoryStore, wave: int) -> None:
    """The request is out, and a reminder of a wave is approved."""
    store.append("A", [attempt(), LetterSent(
        on=DAY, message_id=ID, stage=Stage.REQUEST, recipient="x@y.example"),
        reminding("A", wave)], after=2)


@pytest.mark.parametrize("why", ["", "a message has come since it was approved"])
def test_a_reminder_that_may_not_go_is_stopped_and_its_case_goes_on(
    store: MemoryStore, why: str
) -> None:
    reminder(store, 1)
    if not why:
        then(store, MandateRevoked(on=DAY))
    at_work = worker(store, why)
    assert at_work.step().kind != "sent"
    case = store.case("A")
    assert case.approved is None
    assert case.in_doubt is None
    assert case.closed is None
    assert case.request is not None
    assert (why or "revoked") in at_work.failed[0]
    assert at_work.step().kind == "rests", "the wave is out, and a person has to look"


def test_what_a_poll_files_while_a_letter_is_stopped_leaves_no_doubt(store: MemoryStore) -> None:
    reminder(store, 1)
    board = ScanningBoard(store)
    found = board.claim(replace(terms(), campaign="spring"), now=NOON, today=DAY, jitter=0.0)
    assert isinstance(found, Claimed)
    store.append("A", [NoteAdded(on=DAY, text="x")], after=found.case.version)
    stop_claimed(store, found, why="x", today=DAY)
    assert store.case("A").in_doubt is None


def test_a_letter_with_an_obstacle_is_stopped_and_its_case_closed(store: MemoryStore) -> None:
    at_work = worker(store, "the registry has another address now")
    at_work.step()
    case = store.case("A")
    assert case.closed is not None
    assert "another address" in case.closed.note


def test_a_reminder_without_a_released_wave_is_not_even_claimed(store: MemoryStore) -> None:
    reminder(store, 2)
    assert worker(store).step().kind == "rests"
    assert store.case("A").approved is not None
    assert len(store.case("A").attempts) == 1


def test_withdrawing_a_wave_of_reminders_closes_no_case(store: MemoryStore) -> None:
    reminder(store, 2)
    board = ScanningBoard(store)
    found = propose(store, board, load_campaign(store, "spring"), 2, by="Ann", today=DAY,
                    stage=Stage.REMINDER, keep=lambda listed: None)
    assert (found.waves[2].proposed.letters, found.waves[2].proposed.stage) == (1, Stage.REMINDER)
    _, none = withdraw_wave(store, board, found, 1, by="Ann", because="x", today=DAY)
    assert (none, store.case("A").approved is None) == (0, False)
    found, count = withdraw_wave(store, board, load_campaign(store, "spring"), 2, by="Ann",
                                 because="a mistake", today=DAY)
    case = store.case("A")
    assert (count, case.approved, case.closed) == (1, None, None)
    assert found.next_wave == 3
