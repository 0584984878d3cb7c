"""Which days are working days, and where that is known from."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dsar.core.deadline import Facts, deadlines
from dsar.law.calendars import Override, pack, public_holidays, unpack
from dsar.law.dayrules import days_of, easter
from dsar.law.load import Laws, load_laws


@pytest.mark.parametrize(("calendar", "day", "works"), [
    ("none", date(2026, 12, 25), True),
    ("weekend-only", date(2026, 12, 25), True),
    ("weekend-only", date(2026, 12, 26), False),
    ("holidays:DE", date(2026, 1, 6), True),
    ("holidays:DE-BY", date(2026, 1, 6), False),
    ("holidays:GB-NIR", date(2026, 7, 13), False),
    ("holidays:GB-ENG", date(2026, 7, 13), True),
    ("holidays:IL", date(2026, 7, 3), False),
    ("holidays:IL", date(2026, 7, 5), True),
    ("sun-holidays:HK", date(2026, 7, 4), True),
    ("sun-holidays:HK", date(2026, 7, 5), False),
    ("nz-privacy-act", date(2026, 12, 24), True),
    ("nz-privacy-act", date(2026, 12, 29), False),
    ("nz-privacy-act", date(2027, 1, 15), False),
    ("nz-privacy-act", date(2026, 1, 26), True),
    ("ca-interpretation-act", date(2026, 10, 31), True),
    ("ca-interpretation-act", date(2026, 4, 6), False),
    ("ca-interpretation-act", date(2026, 5, 18), False),
    ("ca-interpretation-act", date(2025, 12, 26), True),
    ("ca-bc-day", date(2026, 2, 16), False),
    ("ca-bc-day", date(2026, 8, 3), False),
    ("us-ca-statutory", date(2026, 9, 25), False),
    ("us-ca-statutory", date(2026, 11, 27), True),
    ("us-ca-latest", date(2026, 11, 27), False),
    ("eu-institution-holidays", date(2026, 4, 2), False),
    ("eu-institution-holidays", date(2027, 1, 2), False),
    ("holidays:NL+eu-institution-holidays", date(2027, 4, 27), False),
])
def test_a_day_is_off_where_the_law_says_so(
    laws: Laws, calendar: str, day: date, works: bool
) -> None:
    assert laws.calendars.is_working_day(calendar, day) is works


def test_a_part_of_a_country_without_days_of_its_own_has_the_country_s(laws: Laws) -> None:
    assert not laws.calendars.is_working_day("holidays:DE-NOWHERE", date(2026, 12, 25))


def test_asked_for_many_days_a_calendar_says_the_same(laws: Laws) -> None:
    works = laws.calendars.working_days("holidays:GB-SCT")
    for n in range(0, 12000, 7):
        day = date(2010, 1, 1) + timedelta(days=n)
        assert works(day) == laws.calendars.is_working_day("holidays:GB-SCT", day)


@pytest.mark.parametrize("calendar", ["holidays:ZZ", "no-such-calendar"])
def test_an_unknown_calendar_is_a_key_error(laws: Laws, calendar: str) -> None:
    with pytest.raises(KeyError):
        laws.calendars.is_working_day(calendar, date(2026, 1, 1))


def test_the_snapshot_says_what_the_package_of_its_version_said(laws: Laws) -> None:
    from importlib.metadata import version

    if laws.calendars.version != f"holidays {version('holidays')}":
        pytest.skip("another version of the holidays package is installed")
    for place in ("DE-BY", "GB-SCT", "US-CA", "CH-ZH", "FR", "JP", "ZA"):
        for year in (2015, 2026, 2035):
            off = laws.calendars.holidays(f"holidays:{place}", year)
            assert off == public_holidays(place, year), (place, year)


def test_outside_the_snapshot_the_package_is_asked_and_the_explanation_says_so(
    laws: Laws,
) -> None:
    assert not laws.calendars.is_working_day("holidays:DE", date(2012, 12, 25))
    assert "live" in laws.calendars.describe("holidays:DE", date(2012, 12, 25))
    assert "live" not in laws.calendars.describe("holidays:DE", date(2026, 12, 25))
    facts = Facts(right="access", received=date(2012, 3, 5), country="DE", subdivision="BE")
    found = deadlines(laws.regimes["eu-gdpr"], facts, laws.calendars)
    assert any("outside the snapshot" in step for step in found.steps)


def test_a_user_s_own_days_count() -> None:
    day = date(2026, 7, 1)
    facts = Facts(right="access", received=date(2026, 6, 1), country="DE", subdivision="BE")
    own = load_laws(overrides={"holidays:DE-BE": Override(extra=frozenset({day}))})
    found = deadlines(own.regimes["eu-gdpr"], facts, own.calendars)
    assert found.due == date(2026, 7, 2)
    fewer = load_laws(overrides={
        "holidays:DE-BE": Override(removed=frozenset({date(2026, 12, 25)}))})
    assert fewer.calendars.is_working_day("holidays:DE-BE", date(2026, 12, 25))


def test_packing_loses_no_day() -> None:
    first, second = date(2026, 1, 6), date(2026, 8, 15)
    days = {"": frozenset({first}), "BY": frozenset({second}), "BE": frozenset({first, second})}
    assert unpack(pack(days)) == days


@pytest.mark.parametrize(("rule", "day"), [
    ("12-25", date(2026, 12, 25)), ("easter-2", date(2026, 4, 3)), ("easter", date(2026, 4, 5)),
    ("2nd monday 10", date(2026, 10, 12)), ("last monday 12", date(2026, 12, 28)),
    ("monday before 05-25", date(2026, 5, 18)),
    ("day after 4th thursday 11", date(2026, 11, 27)),
])
def test_a_rule_names_its_day(rule: str, day: date) -> None:
    assert days_of(rule, 2026) == {day}


def test_the_monday_before_the_25th_is_never_the_25th() -> None:
    assert days_of("monday before 05-25", 2020) == {date(2020, 5, 18)}


def test_easter_is_a_sunday_between_22_march_and_25_april() -> None:
    for year in range(1900, 2200):
        day = easter(year)
        assert day.weekday() == 6
        assert date(year, 3, 22) <= day <= date(year, 4, 25)
    assert [easter(y) for y in (2024, 2025, 2026, 2038)] == [
        date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)]


def test_a_stretch_over_new_year_is_off_on_both_sides() -> None:
    days = days_of("12-25..01-15", 2026)
    assert {date(2026, 12, 25), date(2027, 1, 15)} <= days
    assert len(days) == (date(2027, 1, 15) - date(2026, 12, 25)) // timedelta(days=1) + 1
