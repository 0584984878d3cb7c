"""What every board keeps: which letter may go, and numbers that are those of the fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from board_samples import (
    DAY,
    FREELY,
    NOON,
    approved,
    attempted,
    more,
    opened,
    sent,
    terms,
    waiting,
)

from dsar.core.board import Board, Claimed, Later, People, Terms, Written
from dsar.core.campaign_events import (
    AnswerShared,
    ConsentChanged,
    KitWritten,
    MandateIssued,
    MandateRevoked,
    MandateSigned,
    MemberAdded,
    MemberEvent,
    MemberLeft,
    member_stream,
)
from dsar.core.case import (
    ApprovalWithdrawn,
    CaseClosed,
    CaseReopened,
    LetterRefused,
    NoteAdded,
    Retracted,
    SendAbandoned,
)
from dsar.core.fairness import Pace
from dsar.core.house import STREAM, SendingPaused, SendingResumed
from dsar.core.pacing import Limits
from dsar.store import Store
from dsar.store.memory import MemoryStore

DAYS = timedelta(days=1)


@dataclass
class Table:
    """A store and its board."""

    store: Store
    board: Board

    def claim(self, given: Terms, *, now: datetime = NOON) -> Claimed | Later:
        return self.board.claim(given, now=now, today=now.date(), jitter=0.0)

    def claimed(self, given: Terms, *, now: datetime = NOON) -> str:
        found = self.claim(given, now=now)
        assert isinstance(found, Claimed)
        return found.case.id


@pytest.fixture(params=["scanning", "postgres"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """An empty store with the board that goes with it."""
    if request.param == "scanning":
        from dsar.campaign.board import ScanningBoard

        memory = MemoryStore(now=lambda: NOON, author="jo")
        yield Table(memory, ScanningBoard(memory))
        return
    from dsar.store.postgres import PostgresStore

    url = request.getfixturevalue("postgres").new_ledger()
    store = PostgresStore(url, write=True, now=lambda: NOON, author="jo")
    yield Table(store, store.board())
    store.close()


def test_without_a_letter_there_is_nothing_to_send(table: Table) -> None:
    table.store.append("one", [opened("one")], after=0)
    assert table.claim(terms()) == Later(at=None, waiting=0)


def test_a_claim_records_the_attempt_and_is_made_once(table: Table) -> None:
    waiting(table.store, "one")
    found = table.claim(terms())
    assert isinstance(found, Claimed)
    assert found.attempt == attempted("one", NOON)
    assert found.case == table.store.case("one")
    assert found.case.in_doubt == found.attempt
    assert table.claim(terms()) == Later(at=None, waiting=0)


def test_the_outcome_is_recorded_after_the_claim(table: Table) -> None:
    waiting(table.store, "one")
    found = table.claim(terms())
    assert isinstance(found, Claimed)
    table.store.append("one", [sent("one")], after=found.case.version)
    assert table.store.case("one").request == sent("one")


@pytest.mark.parametrize("other", [
    lambda s: waiting(s, "x", wave=2), lambda s: waiting(s, "x", account="other"),
    lambda s: s.append("x", [opened("x", campaign="another"), approved("x")], after=0),
    lambda s: s.append("x", [opened("x", campaign=None), approved("x")], after=0),
])
def test_only_letters_of_these_terms_are_claimed(
    table: Table, other: Callable[[Store], None]
) -> None:
    other(table.store)
    assert table.claim(terms()) == Later(at=None, waiting=0)
    waiting(table.store, "mine")
    assert table.claimed(terms()) == "mine"


@pytest.mark.parametrize("event", [
    CaseClosed(on=DAY, outcome="withdrawn"),
    ApprovalWithdrawn(on=DAY, message_id="<x@example.org>", because="left"),
    attempted("x", NOON - DAYS * 3), sent("x"),
    LetterRefused(on=DAY, message_id="<x@example.org>", code=550, reply="no", temporary=False),
])
def test_what_is_withdrawn_closed_in_doubt_or_done_is_not_claimed(
    table: Table, event: CaseClosed
) -> None:
    waiting(table.store, "x")
    more(table.store, "x", event)
    assert table.claim(terms()) == Later(at=None, waiting=0)


def test_a_case_opened_again_sends_nothing_and_a_retracted_closing_does(table: Table) -> None:
    waiting(table.store, "x")
    more(table.store, "x", CaseClosed(on=DAY, outcome="withdrawn"))
    more(table.store, "x", NoteAdded(on=DAY, text="by mistake"))
    more(table.store, "x", Retracted(on=DAY, sequence=3, because="mistake"))
    assert table.claimed(terms()) == "x"
    waiting(table.store, "y")
    more(table.store, "y", CaseClosed(on=DAY, outcome="withdrawn"), CaseReopened(on=DAY))
    assert table.claim(terms()) == Later(at=None, waiting=0)


def test_the_pace_towards_a_mailbox_counts_every_account_and_spelling(table: Table) -> None:
    pace = Pace(per_day=2, spread=False)
    table.store.append("old", [opened("old", campaign=None), approved("old"), attempted(
        "old", NOON - timedelta(hours=20), account="other", recipient="Privacy@ACME.example"),
        sent("old")], after=0)
    for name in ("a", "b", "c"):
        waiting(table.store, name)
    assert isinstance(table.claim(terms(pace=pace)), Claimed)
    assert table.claim(terms(pace=pace)) == Later(at=NOON + timedelta(hours=4), waiting=2)
    later = NOON + timedelta(hours=4)
    assert isinstance(table.claim(terms(pace=pace), now=later), Claimed)
    assert table.claim(terms(pace=pace), now=later) == Later(at=NOON + DAYS, waiting=1)


def test_a_lane_that_rests_does_not_hold_up_the_others(table: Table) -> None:
    pace = Pace(per_day=1, spread=False)
    for name, company in (("a", "acme"), ("b", "acme"), ("c", "beta"), ("d", "beta")):
        waiting(table.store, name, company)
    got = {table.claimed(terms(pace=pace)), table.claimed(terms(pace=pace))}
    assert len(got & {"a", "b"}) == len(got & {"c", "d"}) == 1
    assert table.claim(terms(pace=pace)) == Later(at=NOON + DAYS, waiting=2)


def test_letters_are_spread_over_office_hours(table: Table) -> None:
    pace = Pace(per_day=20, spread=True)
    waiting(table.store, "a")
    waiting(table.store, "b")
    night = NOON - timedelta(hours=8)
    assert table.claim(terms(pace=pace), now=night) == Later(
        at=NOON - timedelta(hours=3), waiting=2)
    table.claimed(terms(pace=pace))
    assert table.claim(terms(pace=pace)) == Later(at=NOON + timedelta(minutes=24), waiting=1)


def test_the_accounts_own_limits_hold(table: Table) -> None:
    limits = Limits(first_day=2, per_day=8, per_minute=2, jitter_s=0, per_domain_s=120)
    for n in range(4):
        waiting(table.store, f"c{n}", f"company{n}")
    table.claimed(terms(limits=limits))
    half = NOON + timedelta(seconds=30)
    assert table.claim(terms(limits=limits)) == Later(at=half, waiting=3)
    table.claimed(terms(limits=limits), now=half)
    assert table.claim(terms(limits=limits), now=NOON + timedelta(minutes=3)) == Later(
        at=NOON + DAYS, waiting=2)
    # a day later the cap has doubled
    assert isinstance(table.claim(terms(limits=limits), now=NOON + DAYS), Claimed)


def test_a_domain_that_rests_lets_another_go_first(table: Table) -> None:
    limits = Limits(first_day=None, per_day=None, per_minute=None, jitter_s=0, per_domain_s=120)
    waiting(table.store, "a", recipient="one@acme.example")
    table.claimed(terms(limits=limits))
    waiting(table.store, "b", recipient="two@ACME.example")
    assert table.claim(terms(limits=limits)) == Later(
        at=NOON + timedelta(minutes=2), waiting=1)
    waiting(table.store, "c", "beta")
    assert table.claimed(terms(limits=limits)) == "c"


def test_an_account_that_may_never_send_has_letters_waiting_and_no_time(table: Table) -> None:
    limits = Limits(first_day=0, per_day=0, per_minute=None, jitter_s=0, per_domain_s=0)
    waiting(table.store, "a")
    assert table.claim(terms(limits=limits)) == Later(at=None, waiting=1)


def test_a_letter_that_was_put_off_waits_for_its_next_try(table: Table) -> None:
    waiting(table.store, "a")
    more(table.store, "a", attempted("a", NOON), LetterRefused(
        on=DAY, message_id="<a@example.org>", code=451, reply="later", temporary=True))
    soon = NOON + timedelta(minutes=15)
    assert table.claim(terms(), now=NOON + timedelta(minutes=1)) == Later(at=soon, waiting=1)
    waiting(table.store, "b")
    assert table.claimed(terms(), now=NOON + timedelta(minutes=1)) == "b"
    assert table.claimed(terms(), now=soon) == "a"


def test_an_abandoned_attempt_may_be_made_again(table: Table) -> None:
    waiting(table.store, "a")
    found = table.claim(terms())
    assert isinstance(found, Claimed)
    table.store.append("a", [SendAbandoned(on=DAY, message_id="<a@example.org>",
                                           because="LoginRefused")], after=found.case.version)
    assert table.claimed(terms(), now=NOON + timedelta(seconds=1)) == "a"


def test_a_paused_account_claims_nothing_until_it_is_resumed(table: Table) -> None:
    for name in ("a", "b", "c"):
        waiting(table.store, name)
    table.claimed(terms())
    until = NOON + timedelta(hours=2)
    table.store.append(STREAM, [SendingPaused(on=DAY, account="main", because="spam",
                                              until=until)], after=0)
    assert table.claim(terms()) == Later(at=until, waiting=2)
    assert isinstance(table.claim(terms(), now=until), Claimed)
    table.store.append(STREAM, [SendingPaused(on=DAY, account="main", because="spam")], after=1)
    assert table.claim(terms(), now=until) == Later(at=None, waiting=1)
    table.store.append(STREAM, [SendingResumed(on=DAY, account="main", at=until)], after=2)
    assert isinstance(table.claim(terms(), now=until), Claimed)


def test_other_terms_are_worked_out_anew(table: Table) -> None:
    for number, name in enumerate(("a", "b", "c"), start=1):
        waiting(table.store, name, f"company{number}", wave=number)
    assert table.claimed(terms()) == "a"
    assert table.claim(terms()) == Later(at=None, waiting=0)
    assert table.claimed(terms(waves=(1, 2))) == "b"
    assert table.claimed(terms(waves=(1, 3))) == "c"


def test_an_erased_case_is_neither_sent_nor_counted(table: Table) -> None:
    waiting(table.store, "a")
    waiting(table.store, "b")
    more(table.store, "a", attempted("a", NOON - timedelta(hours=1)), sent("a"))
    table.store.erase("a")
    pace = Pace(per_day=1, spread=False)
    assert table.claimed(terms(pace=pace)) == "b"
    assert table.board.sending_days("main") == 1
    table.store.erase("b")
    assert table.board.sending_days("main") == 0
    assert table.board.taken("open-files") == {}


def test_unwritten_letters_are_found_until_they_are_written(table: Table) -> None:
    for name in ("a", "b", "c"):
        table.store.append(name, [opened(name, wave=2)], after=0)
    table.store.append("d", [opened("d", campaign="another")], after=0)
    assert sorted(table.board.unwritten("open-files", limit=9)) == ["a", "b", "c"]
    assert len(table.board.unwritten("open-files", limit=2)) == 2
    assert table.board.opened("open-files", 2) == 3
    more(table.store, "a", approved("a"))
    more(table.store, "b", CaseClosed(on=DAY, outcome="withdrawn"))
    assert table.board.unwritten("open-files", limit=9) == ["c"]
    assert table.board.opened("open-files", 2) == 1


def test_the_letters_of_a_wave_are_counted_as_they_wait_or_went_out(table: Table) -> None:
    for name in ("c", "a", "b", "e"):
        waiting(table.store, name)
    waiting(table.store, "d", wave=2)
    more(table.store, "c", attempted("c", NOON), sent("c"))
    more(table.store, "e", ApprovalWithdrawn(on=DAY, message_id="<e@example.org>", because="x"))
    assert list(table.board.written("open-files", 1)) == [
        Written(name, f"<{name}@example.org>", "ab" * 32) for name in ("a", "b", "c")]
    assert sorted(c.id for c in table.board.of_wave("open-files", 1)) == ["a", "b", "c", "e"]


def test_what_a_member_has_taken_is_known_by_company_and_mailbox(table: Table) -> None:
    waiting(table.store, "a", member="m-1", recipient="dpo@acme.example")
    waiting(table.store, "b", "beta", member="m-2")
    more(table.store, "b", CaseClosed(on=DAY, outcome="withdrawn"))
    assert table.board.taken("open-files") == {"m-1": {
        ("access", "slug:acme"), ("access", "mail:privacy@acme.example"),
        ("access", "mail:dpo@acme.example")}}
    assert [c.id for c in table.board.of_member("open-files", "m-2")] == ["b"]


def test_days_and_the_latest_attempts_of_an_account_are_counted(table: Table) -> None:
    for number, hours in enumerate((0, 2, 30, 31, 80)):
        name = f"c{number}"
        waiting(table.store, name)
        more(table.store, name, attempted(name, NOON + timedelta(hours=hours)), sent(name))
    assert table.board.sending_days("main") == 3
    assert table.board.sending_days("other") == 0
    assert {c.id for c in table.board.latest("main", 2)} == {"c3", "c4"}
    assert len(table.board.latest("main", 99)) == 5


def test_alike_cases_are_counted_together(table: Table) -> None:
    for name in ("a", "b", "c"):
        waiting(table.store, name)
    waiting(table.store, "d", "beta", wave=2)
    more(table.store, "c", attempted("c", NOON), sent("c"))
    counted = sorted((t.company, t.wave, len(t.course.letters), t.cases)
                     for t in table.board.tally("open-files"))
    assert counted == [("acme", 1, 0, 2), ("acme", 1, 1, 1), ("beta", 2, 0, 1)]


def _added(code: str, *, analysis: bool = False) -> MemberAdded:
    return MemberAdded(on=DAY, code=code, residence="DE", languages=("en",), identity="x",
                       blind="b", key="k", secret="s", consent_version="1", analysis=analysis)


def _signed(expires_on: date) -> MandateSigned:
    return MandateSigned(on=DAY, digest="d", how_signed="pen", signed_on=DAY,
                         expires_on=expires_on, rights=("access",), controllers=("acme",))


def test_people_are_counted_as_far_as_they_went(table: Table) -> None:
    issued = MandateIssued(on=DAY, digest="d", language="en", expires_on=DAY + DAYS,
                           rights=("access",), controllers=("acme",))
    lives: dict[str, list[MemberEvent]] = {
        "m-1": [issued, _signed(DAY), KitWritten(on=DAY, digest="d", letters=1)],
        "m-2": [issued, _signed(DAY + DAYS), MandateRevoked(on=DAY, because="x"),
                ConsentChanged(on=DAY, analysis=True)],
        "m-3": [issued, _signed(DAY - DAYS), AnswerShared(on=DAY, case_id="x", digest="d")],
        "m-4": [issued, _signed(DAY + DAYS), MemberLeft(on=DAY, because="x")],
        "m-5": [issued, MandateRevoked(on=DAY, because="x"), _signed(DAY + DAYS)],
        "m-6": [ConsentChanged(on=DAY, analysis=False)],
    }
    for code, events in lives.items():
        first = _added(code, analysis=code == "m-6")
        table.store.append(member_stream("open-files", code), [first, *events], after=0)
    table.store.append(member_stream("open-files-2", "m-9"), [_added("m-9")], after=0)
    for name, member in (("a", "m-1"), ("b", "m-1"), ("c", "m-2")):
        waiting(table.store, name, member=member)
        if name != "c":
            more(table.store, name, attempted(name, NOON), sent(name))
    assert table.board.people("open-files", DAY) == People(
        joined=6, left=1, mandated=2, kits=1, written_to=1, shared=1, analysis=1)


def test_one_at_a_time(table: Table) -> None:
    with table.board.alone("poll main") as mine:
        assert mine
    with table.board.alone("poll main") as mine:
        assert mine
    assert FREELY.per_day  # the pace of other tests lets all go
