"""Shares with Wilson intervals and waiting times by Kaplan-Meier; nothing else is estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
"""The two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True)
class Share:
    """`k` of `n`; the interval is that of Wilson (JASA 22, 1927), 95 %, as fractions."""

    k: int
    n: int

    @property
    def share(self) -> float | None:
        """The fraction, or None where there is nothing to count."""
        return self.k / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end, or None where there is nothing to count."""
        return wilson(self.k, self.n) if self.n else None


def wilson(k: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval for `k` of `n`, without continuity correction.

    Raises ValueError unless 0 <= k <= n and n > 0.
    """
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"{k} of {n} is no share")
    p, shrink = k / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / shrink
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


@dataclass(frozen=True)
class Wait:
    """Days from receipt to the answer, or (`ended` false) days seen so far without one."""

    days: int
    ended: bool


@dataclass(frozen=True)
class Step:
    """The curve from `day` on: the share still waiting, its 95 % interval, how many are at risk.

    at_risk: waits of at least `day` days. ended, censored: how many end, or are last seen, then.
    """

    day: int
    waiting: float
    low: float
    high: float
    at_risk: int
    ended: int
    censored: int


def kaplan_meier(waits: Iterable[Wait]) -> tuple[Step, ...]:
    """Return the product-limit curve (Kaplan & Meier, JASA 53, 1958), one step a day seen.

    Greenwood's variance; the interval is taken on the scale log(-log), so that it stays within
    0 and 1 (Kalbfleisch & Prentice). A wait censored on a day still counts as at risk that day.
    """
    seen = Counter((w.days, w.ended) for w in waits)
    at_risk, waiting, variance = sum(seen.values()), 1.0, 0.0
    steps = []
    for day in sorted({day for day, _ in seen}):
        ended, censored = seen[day, True], seen[day, False]
        waiting *= 1 - ended / at_risk
        variance += inf if ended == at_risk else ended / (at_risk * (at_risk - ended))
        low, high = _around(waiting, variance)
        steps.append(Step(day, waiting, low, high, at_risk, ended, censored))
        at_risk -= ended + censored
    return tuple(steps)


def _around(waiting: float, variance: float) -> tuple[float, float]:
    """The interval; where everybody or nobody has been answered it is a point, as by convention."""
    if waiting in (0.0, 1.0) or variance == 0.0:
        return waiting, waiting
    spread = exp(Z95 * sqrt(variance) / abs(log(waiting)))
    return waiting ** spread, waiting ** (1 / spread)


def step_at(steps: Sequence[Step], day: int) -> Step | None:
    """The step that holds on `day`, or None before the first."""
    return next((s for s in reversed(steps) if s.day <= day), None)


def median_wait(steps: Sequence[Step]) -> int | None:
    """The first day on which at most half still wait; None where the curve never gets there."""
    return next((s.day for s in steps if s.waiting <= 0.5), None)


def last_day_seen(steps: Sequence[Step]) -> int:
    """The longest wait seen; beyond it the curve says nothing."""
    return steps[-1].day if steps else 0
