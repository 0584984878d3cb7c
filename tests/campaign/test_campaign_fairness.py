"""The pace towards a company: never more than agreed, only when somebody is there; the forecast."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.core.fairness import CLOSES, DAY, OPENS, Office, Pace, forecast, next_for_controller

MONDAY = date(2026, 1, 5)


def is_weekday(day: date) -> bool:
    return day.weekday() < 5


OFFICES = [Office(zone=zone, is_working_day=is_weekday)
           for zone in (UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles"),
                        ZoneInfo("Pacific/Auckland"))]
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PACES = st.builds(Pace, per_day=st.integers(1, 25), spread=st.booleans())
WAITS = st.lists(st.integers(0, 36 * 3600), min_size=1, max_size=60)


def sendings(start: datetime, waits: list[int], pace: Pace, office: Office) -> list[datetime]:
    """A worker that looks now and then and sends as soon as it may."""
    sent: list[datetime] = []
    now = start
    for wait in waits:
        now += timedelta(seconds=wait)
        at = next_for_controller(sent, pace, office, now)
        assert at is not None
        assert at >= now
        sent.append(at)
        now = at
    return sent


@settings(deadline=None)
@given(INSTANTS, WAITS, PACES, st.sampled_from(OFFICES))
def test_no_24_hours_have_more_letters_than_agreed(
    start: datetime, waits: list[int], pace: Pace, office: Office
) -> None:
    sent = sendings(start, waits, pace, office)
    for at in sent:
        assert sum(at <= other < at + DAY for other in sent) <= pace.per_day


@settings(deadline=None)
@given(INSTANTS, WAITS, st.integers(1, 25), st.sampled_from(OFFICES))
def test_spread_letters_come_in_office_hours_and_apart(
    start: datetime, waits: list[int], per_day: int, office: Office
) -> None:
    pace = Pace(per_day=per_day)
    sent = sendings(start, waits, pace, office)
    for at in sent:
        local = at.astimezone(office.zone)
        assert OPENS <= local.time() < CLOSES
        assert is_weekday(local.date())
    assert all(b - a >= pace.gap for a, b in pairwise(sent))


@settings(deadline=None)
@given(st.lists(INSTANTS, max_size=30), INSTANTS, st.integers(0, 10**6), PACES,
       st.sampled_from(OFFICES))
def test_who_asks_later_is_told_no_earlier_instant_and_the_instant_told_holds(
    sent: list[datetime], now: datetime, later: int, pace: Pace, office: Office
) -> None:
    first = next_for_controller(sent, pace, office, now)
    second = next_for_controller(sent, pace, office, now + timedelta(seconds=later))
    assert first is not None
    assert second is not None
    assert now <= first <= second
    assert next_for_controller(sent, pace, office, first) == first


@settings(deadline=None)
@given(st.lists(INSTANTS, max_size=30), INSTANTS, PACES, st.sampled_from(OFFICES))
def test_the_order_of_what_was_sent_makes_no_difference(
    sent: list[datetime], now: datetime, pace: Pace, office: Office
) -> None:
    shuffled = sorted(sent, reverse=True)
    assert next_for_controller(sent, pace, office, now) == next_for_controller(
        shuffled, pace, office, now)


def test_a_pace_of_nothing_lets_nothing_out() -> None:
    now = datetime.combine(MONDAY, time(10), UTC)
    assert next_for_controller([], Pace(per_day=0), OFFICES[0], now) is None


def simulated(letters: dict[str, int], per_day: int, caps: list[int | None], spread: bool
              ) -> date | None:
    """One letter at a time, each working day anew, to whoever still waits for most."""
    left, day, last, turn = dict(letters), MONDAY, None, 0
    while any(left.values()):
        if not spread or is_weekday(day):
            cap = caps[min(turn, len(caps) - 1)]
            today = dict.fromkeys(left, 0)
            while cap is None or sum(today.values()) < cap:
                open_to = [s for s, n in left.items() if n and today[s] < per_day]
                if not open_to:
                    break
                slug = max(open_to, key=lambda s: left[s])
                left[slug] -= 1
                today[slug] += 1
                last = day
            turn += 1
        day += timedelta(days=1)
    return last


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 60), max_size=5),
       st.integers(1, 25), st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=1,
                                    max_size=4), st.booleans())
def test_the_forecast_is_what_a_letter_by_letter_simulation_finds(
    letters: dict[str, int], per_day: int, caps: list[int | None], spread: bool
) -> None:
    seen = forecast(letters, Pace(per_day=per_day, spread=spread),
                    lambda day: caps[min(day, len(caps) - 1)], today=MONDAY,
                    is_working_day=is_weekday)
    expected = simulated(letters, per_day, caps, spread)
    assert seen.letters == sum(letters.values())
    if not seen.letters:
        assert (seen.binding, seen.days) == ("none", 0)
        return
    assert seen.finish_on is not None
    assert expected is not None
    # Sharing an account's day fairly or greedily may differ by which company waits, by a day.
    assert abs((seen.finish_on - expected).days) <= (3 if spread else 1)
    uncapped = all(cap is None for cap in caps)
    if uncapped or len(letters) == 1:
        assert seen.finish_on == expected


FIVE = {f"company-{n}": 3000 for n in range(5)}


@pytest.mark.parametrize(("account", "per_controller", "days", "binding"), [
    (150, 3000, 100, "account"),       # one Gmail at dsar's own default
    (400, 3000, 38, "account"),        # Google Workspace at dsar's own default
    (2000, 3000, 8, "account"),        # Google Workspace as published
    (500, 3000, 30, "account"),        # Microsoft 365 at dsar's own default
    (None, 20, 150, "controller"),     # the pace towards each company
    (None, 200, 15, "controller"),     # a pace agreed with the companies
    (None, 3000, 1, "none"),
    (150, 20, 150, "controller"),      # both: 100 a day are fewer than 150
    (50, 20, 300, "account"),
])
def test_capacity_of_three_thousand_members_and_five_companies(
    account: int | None, per_controller: int, days: int, binding: str
) -> None:
    seen = forecast(FIVE, Pace(per_day=per_controller, spread=False), lambda day: account,
                    today=MONDAY, is_working_day=is_weekday)
    assert (seen.letters, seen.days, seen.binding) == (15_000, days, binding)


def test_working_days_only_make_three_weeks_of_fifteen_days() -> None:
    seen = forecast(FIVE, Pace(per_day=200), lambda day: None, today=MONDAY,
                    is_working_day=is_weekday)
    assert (seen.days, seen.finish_on) == (19, date(2026, 1, 23))


def test_limits_that_let_nothing_out_are_said_to() -> None:
    for pace, cap in ((Pace(per_day=0), None), (Pace(), 0)):
        seen = forecast(FIVE, pace, lambda day, cap=cap: cap, today=MONDAY,  # type: ignore[misc]
                        is_working_day=is_weekday)
        assert (seen.binding, seen.finish_on) == ("never", None)
