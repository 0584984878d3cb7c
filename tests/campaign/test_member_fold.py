"""What the events of a member add up to, and when the rail `mandate` holds a letter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from campaignfold import DAY, added, issued, signed
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.campaign_events import (
    AnswerShared,
    ConsentChanged,
    MandateRevoked,
    MemberEvent,
    MemberLeft,
)
from dsar.core.member import Member, fold_member, mandate_problem

FIRST, LAST = date(2026, 1, 10), date(2026, 6, 30)
REVOKED = MandateRevoked(on=date(2026, 3, 1))
LEFT = MemberLeft(on=date(2026, 3, 1))


def member(*events: MemberEvent) -> Member:
    return fold_member([added(), *events], holder="Rights Group")


def problem(of: Member, on: date = date(2026, 4, 1), controller: str = "acme",
            right: str = "access") -> str:
    return mandate_problem(of, controller=controller, right=right, on=on)


@pytest.mark.parametrize(("events", "words"), [
    ((), "no signed mandate"),
    ((issued(),), "no signed mandate"),
    ((issued(), MandateRevoked(on=DAY)), "no signed mandate"),
    ((issued(), signed(), REVOKED), "revoked on 2026-03-01"),
    ((issued(), signed(), LEFT), "left"),
    ((LEFT, issued(), signed()), "left"),
    ((issued(), signed(expires_on=date(2026, 3, 31))), "expired on 2026-03-31"),
    ((issued(), signed(signed_on=date(2026, 4, 2))), "a later day"),
    ((issued(), signed(controllers=("bolt",))), "does not cover access at acme"),
    ((issued(), signed(rights=("erasure",))), "does not cover access at acme"),
])
def test_a_letter_without_a_valid_mandate_is_held(
    events: tuple[MemberEvent, ...], words: str
) -> None:
    assert words in problem(member(*events))


@pytest.mark.parametrize("events", [
    (signed(),), (signed(controllers=()),), (signed(rights=()),),
    (signed(), REVOKED, signed(digest="3" * 64, signed_on=date(2026, 3, 2))),
])
def test_a_valid_mandate_holds_nothing(events: tuple[MemberEvent, ...]) -> None:
    assert problem(member(*events)) == ""


@given(st.integers(-30, 250))
def test_a_mandate_holds_from_the_day_it_is_signed_through_its_last_day(offset: int) -> None:
    day = FIRST + timedelta(days=offset)
    assert (problem(member(signed()), on=day) == "") is (FIRST <= day <= LAST)


@given(st.integers(-400, 400))
def test_a_mandate_that_was_taken_back_is_valid_on_no_day(offset: int) -> None:
    assert problem(member(signed(), REVOKED), on=REVOKED.on + timedelta(days=offset))


EVENTS: st.SearchStrategy[MemberEvent] = st.sampled_from([
    issued(), signed(), signed(digest="3" * 64, controllers=("bolt",)),
    signed(expires_on=date(2026, 2, 1)), REVOKED, LEFT, ConsentChanged(on=DAY, analysis=True)])


@given(st.lists(EVENTS, max_size=8), st.integers(0, 300))
def test_no_letter_goes_but_by_the_latest_mandate_of_a_member_who_is_there(
    events: list[MemberEvent], offset: int
) -> None:
    found, day = member(*events), DAY + timedelta(days=offset)
    if problem(found, on=day) == "":
        assert found.left is None
        assert found.mandate is not None
        assert found.mandate.revoked_on is None
        assert found.mandate.covers(controller="acme", right="access", on=day)


def test_consent_is_as_it_was_said_last() -> None:
    yes, no = ConsentChanged(on=DAY, analysis=True), ConsentChanged(on=DAY, analysis=False)
    assert member(yes).analysis
    assert not member(yes, no).analysis
    assert fold_member([added(analysis=True)]).analysis


def test_every_signed_paper_is_remembered_and_every_answer() -> None:
    found = member(signed(), signed(digest="3" * 64),
                   AnswerShared(on=DAY, case_id="A", digest="9" * 64))
    assert found.signed == ("2" * 64, "3" * 64)
    assert found.shared == ("9" * 64,)
    assert found.version == 4


def test_a_member_begins_once_and_at_the_beginning() -> None:
    for events in ([], [signed()], [added(), added()]):
        with pytest.raises(ValueError, match="member"):
            fold_member(events)
