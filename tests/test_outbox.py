"""What `deliver` does with letters whose case has changed while they waited their turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from dsar.core.case import (
    ApprovalWithdrawn,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    LetterApproved,
    LetterSent,
    NoteAdded,
    SendAttempted,
)
from dsar.core.letter import Outgoing, Stage
from dsar.outbox import Post, deliver
from dsar.store.memory import MemoryStore

ON = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Counting:
    """A transport that takes everything and counts."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        self.taken.append(message)
        return "250 2.0.0 Ok"

    def close(self) -> None: ...


def sent_after(*meanwhile: CaseEvent) -> tuple[int, MemoryStore]:
    """How many letters go out when this happens between approval and the letter's turn."""
    store = MemoryStore(now=lambda: NOW, author="test")
    opened = CaseOpened(on=ON, case_id="K1", reference="DSAR-43KQ-3MS6", subject_id="alex",
                        controller="acme", controller_name="Acme", right="access",
                        regime="eu-gdpr", language="en", country="DE")
    approved = LetterApproved(on=ON, stage=Stage.REQUEST, message_id="<one@example.org>",
                              digest="d" * 64, recipient="dpo@acme.example", account="main")
    store.append("K1", [opened, approved, *meanwhile], after=0)
    letter = Outgoing(case_id="K1", message=b"letter", message_id="<one@example.org>",
                      sender="alex@example.org", recipient="dpo@acme.example",
                      stage=Stage.REQUEST, account="main")
    transport = Counting()
    post = Post(store=store, transport=transport, now=lambda: NOW, today=ON,
                file_sent=lambda letter: None, copies_to=lambda letter: (),
                check=lambda delivery: None)
    list(deliver([letter, letter], post))
    return len(transport.taken), store


def test_a_letter_given_twice_goes_out_once() -> None:
    count, store = sent_after()
    assert count == 1
    assert len(store.case("K1").letters) == 1


def test_something_else_in_the_case_meanwhile_does_not_stop_the_letter() -> None:
    assert sent_after(NoteAdded(on=ON, text="a note"))[0] == 1


def test_a_letter_taken_back_meanwhile_stays_here() -> None:
    gone = ApprovalWithdrawn(on=ON, message_id="<one@example.org>", because="changed my mind")
    assert sent_after(gone)[0] == 0


def test_a_closed_case_sends_nothing() -> None:
    assert sent_after(CaseClosed(on=ON, outcome="withdrawn"))[0] == 0


def test_a_letter_in_doubt_or_sent_by_another_run_stays_here() -> None:
    attempt = SendAttempted(on=ON, at=NOW, message_id="<one@example.org>", account="main",
                            recipient="dpo@acme.example")
    assert sent_after(attempt)[0] == 0
    sent = LetterSent(on=ON, message_id="<one@example.org>", stage=Stage.REQUEST,
                      recipient="dpo@acme.example")
    assert sent_after(attempt, sent)[0] == 0
