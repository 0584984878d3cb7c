"""A reminder in a case of a released wave is no letter of that wave, on every board."""

from __future__ import annotations

from functools import partial

from board_samples import DAY, NOON, attempted, more, out, reminding, sent, terms, waiting
from many import wait_until
from servers.postgres import PostgresServer
from test_board_contract import DAYS, Table, table

from dsar.core.board import Board, Claimed, Later, Written
from dsar.core.case import ApprovalWithdrawn, CaseClosed
from dsar.core.fairness import Pace
from dsar.store.postgres import PostgresStore

__all__ = ["table"]


def test_a_reminder_waits_for_its_own_wave_though_that_of_its_case_is_released(
    table: Table,
) -> None:
    out(table.store, "a", at=NOON - DAYS * 40)
    more(table.store, "a", reminding("a", 7))
    assert table.claim(terms()) == Later(at=None, waiting=0)
    assert table.claim(terms(waves=(1, 6, 8))) == Later(at=None, waiting=0)
    found = table.claim(terms(waves=(1, 7)))
    assert isinstance(found, Claimed)
    assert found.attempt.message_id == "<a-1@example.org>"
    assert table.claim(terms(waves=(1, 7))) == Later(at=None, waiting=0)


def test_a_later_letter_that_was_approved_in_no_wave_never_goes(table: Table) -> None:
    out(table.store, "a", at=NOON - DAYS * 40)
    more(table.store, "a", reminding("a", 0))
    assert table.claim(terms(waves=(1, 2, 3))) == Later(at=None, waiting=0)
    assert list(table.board.written("open-files", 1)) == []


def test_a_reminder_is_of_its_wave_from_its_approval_until_that_is_withdrawn(
    table: Table,
) -> None:
    first = Written("a", "<a@example.org>", "ab" * 32)
    reminder = Written("a", "<a-1@example.org>", "cd" * 32)
    out(table.store, "a", at=NOON - DAYS * 40)

    def seen(wave: int) -> tuple[list[Written], list[str]]:
        board = table.board
        return (list(board.written("open-files", wave)),
                [c.id for c in board.of_wave("open-files", wave)])

    assert (seen(1), seen(7)) == (([first], ["a"]), ([], []))
    more(table.store, "a", reminding("a", 7))
    assert (seen(1), seen(7)) == (([], []), ([reminder], ["a"]))
    assert table.board.waiting("open-files") == {(7, "acme"): 1}
    assert table.board.opened("open-files", 7) == 0
    more(table.store, "a", ApprovalWithdrawn(on=DAY, message_id="<a-1@example.org>",
                                             because="answered"))
    assert (seen(1), seen(7)) == (([first], ["a"]), ([], []))
    assert table.board.waiting("open-files") == {}
    assert table.claim(terms(waves=(1, 7))) == Later(at=None, waiting=0)


def test_letters_that_wait_are_counted_by_their_wave(table: Table) -> None:
    for name in ("a", "b", "c", "d"):
        waiting(table.store, name, wave=2 if name == "d" else 1)
    more(table.store, "b", CaseClosed(on=DAY, outcome="withdrawn"))
    more(table.store, "c", attempted("c", NOON - DAYS * 40), sent("c"), reminding("c", 3))
    assert table.board.waiting("open-files") == {
        (1, "acme"): 1, (2, "acme"): 1, (3, "acme"): 1}
    assert table.board.waiting("another") == {}


def test_a_reminder_counts_for_the_pace_like_any_letter(table: Table) -> None:
    pace = Pace(per_day=1, spread=False)
    for name in ("a", "b"):
        out(table.store, name, at=NOON - DAYS * 40)
        more(table.store, name, reminding(name, 7))
    assert isinstance(table.claim(terms(pace=pace, waves=(7,))), Claimed)
    assert table.claim(terms(pace=pace, waves=(7,))) == Later(at=NOON + DAYS, waiting=1)


def test_who_is_alone_at_something_can_ask_whether_that_still_holds(table: Table) -> None:
    with table.board.alone("plan spring") as mine:
        assert mine
        assert table.board.holds("plan spring")
    with table.board.alone("plan spring"):
        assert table.board.holds("plan spring")


def _holds_alone(board: Board, what: str) -> bool:
    """The server sees a moment later that the other one's connection went."""
    with board.alone(what) as mine:
        assert board.holds(what) is mine
        return mine


def test_a_database_that_was_away_has_forgotten_who_was_alone(postgres: PostgresServer) -> None:
    url = postgres.new_ledger()
    first, second = (PostgresStore(url, write=True, now=lambda: NOON, author=name)
                     for name in ("jo", "kim"))
    one, other = first.board(), second.board()
    with one.alone("plan spring") as mine:
        assert (mine, one.holds("plan spring"), other.holds("plan spring")) == (True, True, False)
        assert not one.holds("plan summer")
        first.link.close()
        assert not one.holds("plan spring")
        assert wait_until(partial(_holds_alone, other, "plan spring"), 10.0)
    first.close()
    second.close()
