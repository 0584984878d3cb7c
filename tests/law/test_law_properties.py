"""What holds for every rule and every date, and a slow second implementation that agrees."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slowwalk import slow_due, walk

from dsar.core.counting import due_on, unrolled
from dsar.core.deadline import Deadlines, Facts, Moment, deadlines
from dsar.core.regime import Counting, Unit
from dsar.law.load import Laws, load_laws

LAWS = load_laws()
IDS = sorted(LAWS.regimes)
DAYS = st.dates(date(2016, 1, 1), date(2034, 6, 30))
OFFSETS = st.integers(0, 60)
UNITS = st.sampled_from([u for u in Unit if u is not Unit.NONE])
CALENDARS = st.sampled_from([
    "none", "weekend-only", "holidays:DE-BY", "holidays:GB-NIR", "sun-holidays:HK",
    "nz-privacy-act", "ca-interpretation-act", "us-ca-statutory", "holidays:IL",
])


@st.composite
def countings(draw: st.DrawFn) -> Counting:
    unit = draw(UNITS)
    length = draw(st.integers(1, 90))
    return Counting(
        length=24 * draw(st.integers(1, 9)) if unit is Unit.HOUR else length, unit=unit,
        first_day_counts=draw(st.booleans()) and unit is not Unit.HOUR,
        rolls=draw(st.booleans()), calendar=draw(CALENDARS),
    )


def works(calendar: str) -> object:
    return lambda day: LAWS.calendars.is_working_day(calendar, day)


@given(DAYS, countings())
@settings(max_examples=400, deadline=None)
def test_a_period_agrees_with_one_walked_day_by_day(received: date, counting: Counting) -> None:
    is_working = works(counting.calendar)
    assert due_on(received, counting, is_working) == slow_due(
        received, length=counting.length, unit=counting.unit.value,
        first_day="included" if counting.first_day_counts else "excluded",
        rolls=counting.rolls, is_off=lambda day: not is_working(day))


@given(DAYS, st.integers(1, 400), countings())
@settings(max_examples=300, deadline=None)
def test_a_later_receipt_never_gives_an_earlier_due_date(
    received: date, later: int, counting: Counting
) -> None:
    is_working = works(counting.calendar)
    second = received + timedelta(days=later % 30)
    assert due_on(received, counting, is_working) <= due_on(second, counting, is_working)


@given(DAYS, countings())
@settings(max_examples=300, deadline=None)
def test_a_roll_lands_on_a_working_day_and_never_goes_back(
    received: date, counting: Counting
) -> None:
    is_working = works(counting.calendar)
    due = due_on(received, counting, is_working)
    assert due >= unrolled(received, counting, is_working)
    assert is_working(due) or not counting.rolls


def found_for(regime_id: str, right: str, received: date, *moments: Moment) -> Deadlines:
    regime = LAWS.regimes[regime_id]
    place = next((p for p in regime.applies.residence if p != "*"), "DE")
    facts = Facts(right=right, received=received, country=place[:2],
                  subdivision=place[3:] or None, moments=moments)
    return deadlines(regime, facts, LAWS.calendars)


@given(st.sampled_from(IDS), st.data(), DAYS, OFFSETS, OFFSETS, st.booleans())
@settings(max_examples=600, deadline=None)
def test_strict_is_never_after_due_nor_due_after_charitable(
    regime_id: str, data: st.DataObject, received: date, asked: int, given_after: int, just: bool
) -> None:
    regime = LAWS.regimes[regime_id]
    right = data.draw(st.sampled_from(sorted({*regime.rights, *regime.periods} - {"default"})
                                      or ["access"]))
    kind = data.draw(st.sampled_from([("id_requested", "id_provided"),
                                      ("clarification_requested", "clarification_provided"),
                                      ("fee_requested", "fee_paid")]))
    day = received + timedelta(days=asked)
    moments = (Moment(type=kind[0], on=day, justified=just),
               Moment(type=kind[1], on=day + timedelta(days=given_after)),
               Moment(type="extension_notice", on=received + timedelta(days=given_after)))
    found = found_for(regime_id, right, received, *moments)
    if found.due:
        assert found.strict_due <= found.due <= found.charitable_due
        assert found.extended_due is None or found.extended_due >= found.due
        assert found.complain_after >= max(found.charitable_due, found.extended_due or found.due)
    else:
        assert found.complain_after is None


@given(st.sampled_from(IDS), DAYS)
@settings(max_examples=300, deadline=None)
def test_a_late_extension_notice_changes_nothing(regime_id: str, received: date) -> None:
    bare = found_for(regime_id, "access", received)
    if not bare.extension_notice_due:
        return
    late = Moment(type="extension_notice", on=max(
        bare.extension_notice_due, bare.charitable_due) + timedelta(days=1))
    found = found_for(regime_id, "access", received, late)
    assert (found.due, found.strict_due, found.charitable_due, found.extended_due) == (
        bare.due, bare.strict_due, bare.charitable_due, None)


@given(st.sampled_from(IDS), DAYS)
@settings(max_examples=300, deadline=None)
def test_an_extension_without_reasons_changes_nothing(regime_id: str, received: date) -> None:
    notice = Moment(type="extension_notice", on=received, justified=False)
    assert found_for(regime_id, "access", received, notice).extended_due is None


@given(st.sampled_from(IDS), DAYS)
@settings(max_examples=300, deadline=None)
def test_a_law_not_in_force_yields_no_date(regime_id: str, received: date) -> None:
    regime = LAWS.regimes[regime_id]
    found = found_for(regime_id, "access", received)
    if regime.valid_from and received < regime.valid_from:
        assert not found.in_force
        assert found.in_force_from == regime.valid_from
        assert found.due is found.strict_due is found.charitable_due is found.ack_due is None
        assert str(regime.valid_from.year) in found.steps[0]


@given(st.sampled_from(IDS), DAYS)
@settings(max_examples=300, deadline=None)
def test_every_date_comes_with_its_receipt_its_result_and_its_grounds(
    regime_id: str, received: date
) -> None:
    found = found_for(regime_id, "access", received)
    assert found.cites
    assert found.steps
    if found.due:
        assert str(received.day) in found.steps[0]
        assert any(f"{found.due.day} " in step for step in found.steps)


def test_the_slow_implementation_is_right_where_a_month_is_short() -> None:
    assert walk(date(2026, 1, 31), 1, "months", False, lambda _: False) == date(2026, 2, 28)
    assert walk(date(2028, 1, 31), 1, "months", False, lambda _: False) == date(2028, 2, 29)
    assert walk(date(2026, 8, 31), 1, "months", False, lambda _: False) == date(2026, 9, 30)


@pytest.mark.parametrize("months", [1, 2, 3])
def test_a_month_ends_on_the_same_number_over_two_years_of_receipts(months: int) -> None:
    counting = Counting(length=months, unit=Unit.MONTH)
    for n in range(730):
        day = date(2027, 1, 1) + timedelta(days=n)
        due = due_on(day, counting, lambda _: True)
        assert due.day == day.day or (due + timedelta(days=1)).day == 1


def test_the_laws_are_those_of_the_package(laws: Laws) -> None:
    assert sorted(laws.regimes) == IDS
