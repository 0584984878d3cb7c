"""How fast letters go out: never above a limit, whatever was sent before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.pacing import DAY, OFF, Limits, Sent, capacity, day_cap, next_slot, slots

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CALM = Limits(first_day=10, per_day=40, per_minute=2, jitter_s=25, per_domain_s=120)

limits_strategy = st.builds(
    Limits,
    first_day=st.integers(1, 8),
    per_day=st.integers(1, 20),
    per_minute=st.integers(1, 6),
    jitter_s=st.integers(0, 30),
    per_domain_s=st.integers(0, 300),
)
pasts = st.lists(
    st.builds(
        Sent,
        st.integers(0, 5 * 86_400).map(lambda seconds: NOW - timedelta(seconds=seconds)),
        st.sampled_from(["acme.example", "shop.example", "data.example"]),
    ),
    max_size=40,
)
names = st.sampled_from(["acme.example", "shop.example", "new.example"])
domain_rows = st.lists(names, max_size=25)


def at(*, days: float = 0, minutes: float = 0, domain: str = "acme.example") -> Sent:
    return Sent(NOW - timedelta(days=days, minutes=minutes), domain)


def test_a_new_account_starts_small() -> None:
    assert day_cap([], CALM, NOW) == 10
    assert capacity([at(minutes=5)] * 10, CALM, NOW) == 0


def test_the_cap_doubles_with_each_day_of_sending_up_to_the_limit() -> None:
    days = [at(days=n + 1.1) for n in range(4)]
    assert [day_cap(days[:n], CALM, NOW) for n in range(5)] == [10, 20, 40, 40, 40]


def test_many_letters_on_one_day_double_once() -> None:
    assert day_cap([at(days=2)] * 9, CALM, NOW) == 20


def test_the_day_is_24_hours_and_not_a_date() -> None:
    late = [Sent(NOW - timedelta(hours=23, minutes=59), "acme.example")] * 10
    assert capacity(late, CALM, NOW) == 0
    assert capacity(late, CALM, NOW + timedelta(minutes=1)) == 20


def test_letters_keep_their_distance_with_jitter() -> None:
    past = [Sent(NOW, "shop.example")]
    assert next_slot(past, CALM, "acme.example", now=NOW, jitter=0) == NOW + timedelta(seconds=30)
    later = next_slot(past, CALM, "acme.example", now=NOW, jitter=0.5)
    assert later == NOW + timedelta(seconds=42.5)


def test_one_domain_gets_one_letter_in_two_minutes() -> None:
    past = [Sent(NOW, "ACME.example")]
    assert next_slot(past, CALM, "acme.example", now=NOW, jitter=0) == NOW + timedelta(minutes=2)


def test_a_full_day_waits_until_its_first_letter_is_a_day_old() -> None:
    first = NOW - timedelta(hours=3)
    past = [Sent(first + timedelta(minutes=n), f"d{n}.example") for n in range(10)]
    assert next_slot(past, CALM, "new.example", now=NOW, jitter=0) == first + DAY


@pytest.mark.parametrize("limits", [Limits(per_day=0, first_day=0), Limits(per_minute=0)])
def test_an_account_that_may_not_send_has_no_slot(limits: Limits) -> None:
    assert next_slot([], limits, "acme.example", now=NOW, jitter=0) is None


def test_without_limits_everything_goes_at_once() -> None:
    past = [Sent(NOW, "acme.example")] * 5000
    assert capacity(past, OFF, NOW) is None
    assert next_slot(past, OFF, "acme.example", now=NOW, jitter=0.9) == NOW


@given(pasts, limits_strategy, domain_rows, st.floats(0, 0.999))
def test_no_plan_ever_breaks_a_limit(
    past: list[Sent], limits: Limits, domains: list[str], jitter: float
) -> None:
    planned = slots(past, limits, domains, now=NOW, jitters=[jitter] * len(domains))
    done = list(past)
    for slot, domain in zip(planned, domains, strict=True):
        assert slot is not None
        assert slot >= NOW
        room = capacity(done, limits, slot)
        assert room is not None
        assert room > 0
        if done:
            assert slot - max(each.at for each in done) >= timedelta(seconds=60 / limits.per_minute)
        for each in done:
            if each.domain == domain:
                assert slot - each.at >= timedelta(seconds=limits.per_domain_s)
        done.append(Sent(slot, domain))


@given(pasts, limits_strategy, st.floats(0, 0.999))
def test_the_slot_is_the_same_one_by_one_and_in_a_plan(
    past: list[Sent], limits: Limits, jitter: float
) -> None:
    alone = next_slot(past, limits, "acme.example", now=NOW, jitter=jitter)
    assert [alone] == slots(past, limits, ["acme.example"], now=NOW, jitters=[jitter])


@given(pasts, limits_strategy)
def test_the_order_in_which_the_past_is_told_does_not_matter(
    past: list[Sent], limits: Limits
) -> None:
    turned = list(reversed(past))
    assert capacity(past, limits, NOW) == capacity(turned, limits, NOW)
