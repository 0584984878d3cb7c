"""Several letters under way at once: none twice, none lost, one writer of the ledger."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from dsar.core.breaker import Trip
from dsar.core.case import CaseOpened, LetterApproved, LetterSent, SendAbandoned, SendAttempted
from dsar.core.letter import Outgoing, Stage
from dsar.core.pacing import OFF, Limits
from dsar.errors import LoginRefused, RefusedByRail
from dsar.mail import OutcomeUnknown
from dsar.outbox import Delivery, Post
from dsar.sidebyside import deliver_side_by_side
from dsar.store.memory import MemoryStore

ON, NOW = date(2026, 11, 2), datetime(2026, 11, 2, 9, tzinfo=UTC)


class Server:
    """What several connections lead to: waits until `together` letters are there at once."""

    def __init__(self, together: int = 1) -> None:
        self.taken: list[bytes] = []
        self.lock, self.gate = threading.Lock(), threading.Barrier(together)
        self.fails: dict[bytes, Exception] = {}

    def take(self, message: bytes) -> str:
        self.gate.wait(timeout=20)
        with self.lock:
            if error := self.fails.get(message):
                raise error
            self.taken.append(message)
        return "250 2.0.0 Ok"


class Connection:
    def __init__(self, server: Server) -> None:
        self.server = server

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        return self.server.take(message)

    def close(self) -> None: ...


class OneWriter(MemoryStore):
    """A ledger that only the thread that made it may write to."""

    def append(self, case_id, events, *, after):  # type: ignore[no-untyped-def]
        assert threading.current_thread() is threading.main_thread()
        return super().append(case_id, events, after=after)


def scene(count: int, server: Server, trips: Trip | None = None
          ) -> tuple[list[Outgoing], Post, OneWriter]:
    store = OneWriter(now=lambda: NOW, author="test")
    letters = []
    for n in range(count):
        case_id, message_id = f"K{n}", f"<{n}@example.org>"
        store.append(case_id, [
            CaseOpened(on=ON, case_id=case_id, reference=f"DSAR-43KQ-3M{n:02}", subject_id="jo",
                       controller=f"c{n}", controller_name="C", right="access", language="en",
                       regime="eu-gdpr", country="DE"),
            LetterApproved(on=ON, stage=Stage.REQUEST, message_id=message_id, digest="d" * 64,
                           recipient=f"dpo@c{n}.example", account="main")], after=0)
        letters.append(Outgoing(case_id=case_id, message=b"%d" % n, message_id=message_id,
                                sender="jo@example.org", recipient=f"dpo@c{n}.example",
                                stage=Stage.REQUEST, account="main"))
    post = Post(store=store, transport=Connection(server), now=lambda: NOW, today=ON,
                file_sent=lambda letter: None, copies_to=lambda letter: (),
                check=lambda delivery: trips if delivery.letter.case_id == "K2" else None)
    return letters, post, store


def run(letters: list[Outgoing], post: Post, server: Server, width: int) -> list[Delivery]:
    return list(deliver_side_by_side(letters, post, [Connection(server) for _ in range(width)]))


def test_three_letters_are_under_way_at_once_and_each_goes_out_once() -> None:
    server = Server(together=3)
    letters, post, store = scene(9, server)
    done = run([*letters, *letters], post, server, 3)
    assert sorted(server.taken) == [b"%d" % n for n in range(9)]
    assert all(isinstance(each.outcome, LetterSent) for each in done)
    assert all(store.case(each.case_id).request for each in letters)


def test_a_doubtful_letter_stays_in_doubt_and_the_others_go() -> None:
    server = Server()
    letters, post, store = scene(4, server)
    server.fails[b"1"] = OutcomeUnknown("cut")
    run(letters, post, server, 2)
    assert [c.id for c in store.cases() if c.in_doubt] == ["K1"]
    assert sorted(server.taken) == [b"0", b"2", b"3"]


def test_a_login_that_is_refused_ends_it_and_what_was_under_way_is_recorded() -> None:
    server = Server()
    letters, post, store = scene(30, server)
    server.fails = {each.message: LoginRefused("no") for each in letters}
    with pytest.raises(LoginRefused):
        run(letters, post, server, 3)
    tried = [c for c in store.cases() if c.attempts]
    assert 1 <= len(tried) <= 3, "no further letter is begun"
    assert not [c for c in store.cases() if c.in_doubt]
    assert all(isinstance(r.event, SendAttempted | SendAbandoned | CaseOpened | LetterApproved)
               for c in tried for r in store.events(c.id))


def test_a_trip_of_the_breaker_ends_it_and_the_rest_stays_approved() -> None:
    server = Server()
    letters, post, store = scene(30, server, Trip(because="three came back"))
    with pytest.raises(RefusedByRail, match="three came back"):
        run(letters, post, server, 2)
    waiting = [c for c in store.cases() if c.approved]
    assert len(waiting) >= 26
    assert len(server.taken) == 30 - len(waiting)


def test_who_stops_in_between_leaves_no_outcome_unrecorded() -> None:
    server = Server()
    letters, post, store = scene(10, server)
    going = deliver_side_by_side(letters, post, [Connection(server) for _ in range(4)])
    next(going)
    going.close()  # type: ignore[attr-defined]
    assert not [c for c in store.cases() if c.in_doubt]
    assert len([c for c in store.cases() if c.request]) == len(server.taken)


@pytest.mark.parametrize(("limits", "width"), [
    (Limits(connections=4), 1), (OFF, 1),
    (Limits(connections=4, per_minute=600, jitter_s=0, per_domain_s=0), 4),
    (Limits(connections=4, per_minute=600, jitter_s=0, per_domain_s=120), 1),
    (Limits(connections=4, per_minute=None, jitter_s=0, per_domain_s=0), 4),
])
def test_letters_that_wait_for_each_other_go_one_by_one(limits: Limits, width: int) -> None:
    assert limits.side_by_side == width
