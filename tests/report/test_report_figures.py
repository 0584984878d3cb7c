"""Intervals and curves equal those of an independent library and of published tables."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.core.statistics import Share, Wait, kaplan_meier, median_wait, step_at, wilson

waits = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=40)


@pytest.mark.parametrize(("k", "n", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
])
def test_wilson_gives_the_intervals_of_newcombe_1998(
    k: int, n: int, low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None)
def test_wilson_equals_scipy(counts: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(*counts).proportion_ci(method="wilson")
    assert wilson(*counts) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(waits)
@settings(deadline=None)
def test_the_curve_and_its_band_equal_scipy(pairs: list[tuple[int, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    data = stats.CensoredData(uncensored=[d for d, ended in pairs if ended],
                              right=[d for d, ended in pairs if not ended])
    survival = stats.ecdf(data).sf
    steps = kaplan_meier(Wait(*pair) for pair in pairs)
    assert [s.day for s in steps] == list(survival.quantiles)
    assert [s.waiting for s in steps] == pytest.approx(list(survival.probabilities), abs=1e-12)
    with warnings.catch_warnings(action="ignore"):
        band = survival.confidence_interval(method="log-log")
    for step, low, high in zip(steps, band.low.probabilities, band.high.probabilities,
                               strict=True):
        if 0 < step.waiting < 1:
            assert (step.low, step.high) == pytest.approx((low, high), abs=1e-9)




def test_the_curve_of_the_remission_times_of_freireich_1963() -> None:
    """6-MP arm, 21 patients: the curve printed in Kalbfleisch & Prentice and many textbooks."""
    ended = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    censored = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    steps = kaplan_meier([*(Wait(d, True) for d in ended), *(Wait(d, False) for d in censored)])
    curve = {s.day: round(s.waiting, 3) for s in steps if s.ended}
    assert curve == {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert median_wait(steps) == 23


def test_open_cases_count_as_long_as_they_were_seen_and_are_not_dropped() -> None:
    steps = kaplan_meier([Wait(5, True), Wait(3, False), Wait(10, False), Wait(10, False)])
    found = step_at(steps, 5)
    assert found is not None
    assert found.waiting == pytest.approx(2 / 3)
    assert found.at_risk == 3


def test_nothing_to_count_has_no_share_and_no_interval() -> None:
    assert (Share(0, 0).share, Share(0, 0).interval) == (None, None)
    assert kaplan_meier([]) == ()
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)
