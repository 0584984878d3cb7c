"""How many letters an account may send, and when the next one may go: the rail `limits`.

A provider locks an account that suddenly writes to many strangers, so a new account starts
small and doubles. All functions are pure: what was sent, the limits and the time come in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
MAX_WAIT_S = 2.0
"""Letters go side by side only where none waits longer than this for its turn."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an account may do; None means that this limit does not hold.

    first_day: recipients in the first 24 hours; the cap doubles with each day on which letters
    went out, up to per_day. jitter_s, per_domain_s: seconds. connections: how many may be open
    for sending at once, where the account allows it.
    """

    first_day: int | None = 10
    per_day: int | None = 40
    per_minute: int | None = 2
    jitter_s: float = 25.0
    per_domain_s: float = 120.0
    connections: int = 1

    @property
    def side_by_side(self) -> int:
        """How many letters may be under way at once.

        One where letters have to wait for each other for long: an outcome would wait as well
        until it is recorded, and a crash meanwhile would leave a letter in doubt.
        """
        pause = 60 / self.per_minute if self.per_minute else 0.0
        waits = max(pause + self.jitter_s, self.per_domain_s)
        return max(self.connections, 1) if waits <= MAX_WAIT_S else 1


OFF = Limits(first_day=None, per_day=None, per_minute=None, jitter_s=0.0, per_domain_s=0.0)


@dataclass(frozen=True)
class Sent:
    """One recipient of one letter that went out, or may have gone out."""

    at: datetime
    domain: str


def day_cap(sent: Iterable[Sent], limits: Limits, now: datetime) -> int | None:
    """How many recipients fit into the 24 hours before `now`; None: as many as one likes.

    Days of warming-up are the calendar days (UTC) of letters older than 24 hours.
    """
    return _History(sent).cap(limits, now)


def capacity(sent: Iterable[Sent], limits: Limits, now: datetime) -> int | None:
    """How many recipients may still be written to today; None: as many as one likes."""
    return _History(sent).room(limits, now)


def next_slot(
    sent: Iterable[Sent], limits: Limits, domain: str, *, now: datetime, jitter: float
) -> datetime | None:
    """The earliest instant, not before `now`, at which a letter to `domain` may go out.

    jitter: a random number from 0 up to 1 that the caller draws. None: never, because the
    account may not send at all.
    """
    return _History(sent).next_slot(limits, domain, now, jitter)


def slots(
    sent: Iterable[Sent],
    limits: Limits,
    domains: Sequence[str],
    *,
    now: datetime,
    jitters: Sequence[float],
) -> list[datetime | None]:
    """When each of a row of letters may go out, one after the other: what the dry run shows."""
    history, times = _History(sent), list[datetime | None]()
    for domain, jitter in zip(domains, jitters, strict=True):
        at = history.next_slot(limits, domain, now, jitter)
        times.append(at)
        if at is not None:
            history.add(Sent(at, domain))
            now = at
    return times


class _History:
    """What was sent, sorted once, so that a plan of thousands of letters stays quick."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        self._times: list[datetime] = []
        self._day_starts: list[datetime] = []
        self._last_to: dict[str, datetime] = {}
        for each in sorted(sent, key=lambda one: one.at):
            self.add(each)

    def add(self, each: Sent) -> None:
        """Note one more letter, later than all others."""
        if not self._times or self._times[-1].date() != each.at.date():
            self._day_starts.append(each.at)
        self._times.append(each.at)
        self._last_to[each.domain.lower()] = each.at

    def cap(self, limits: Limits, now: datetime) -> int | None:
        if limits.per_day is None or limits.first_day is None:
            return limits.per_day
        days = bisect_right(self._day_starts, now - DAY)
        # 2 ** 30 is more than any account sends: no need for larger numbers
        return int(min(limits.per_day, limits.first_day * 2 ** min(days, 30)))

    def room(self, limits: Limits, now: datetime) -> int | None:
        cap = self.cap(limits, now)
        if cap is None:
            return None
        return max(0, cap - (len(self._times) - bisect_right(self._times, now - DAY)))

    def next_slot(
        self, limits: Limits, domain: str, now: datetime, jitter: float
    ) -> datetime | None:
        if limits.per_minute == 0:
            return None
        at = max(now, *self._pauses(limits, domain, jitter)) if self._times else now
        # room appears when a letter grows older than 24 hours; the cap may double then, too
        oldest = bisect_right(self._times, at - DAY)
        for moment in (at, *(each + DAY for each in self._times[oldest:])):
            room = self.room(limits, moment)
            if room is None or room > 0:
                return moment
        return None

    def _pauses(self, limits: Limits, domain: str, jitter: float) -> Iterator[datetime]:
        yield self._times[-1] + timedelta(seconds=_pause_s(limits, jitter))
        if (last := self._last_to.get(domain.lower())) is not None:
            yield last + timedelta(seconds=limits.per_domain_s)


def _pause_s(limits: Limits, jitter: float) -> float:
    return 60 / limits.per_minute + limits.jitter_s * jitter if limits.per_minute else 0.0
