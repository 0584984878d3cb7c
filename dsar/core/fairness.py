"""How many letters of a campaign one controller gets, and when: kind to the receiving inbox.

A controller that is flooded in a day can say that the number of requests made it late (for one,
Regulation (EU) 2016/679, Art. 12(3)). All functions are pure; zones and holidays come in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAY = timedelta(hours=24)
OPENS, CLOSES = time(9), time(17)
"""Office hours at the controller, local time (tool policy)."""

IsWorkingDay = Callable[[date], bool]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a campaign allows itself towards one controller.

    per_day: letters in any 24 hours. spread: only on working days between OPENS and CLOSES,
    as far apart as the day's number fits into these hours.
    """

    per_day: int = 20
    spread: bool = True

    @property
    def gap(self) -> timedelta:
        """The least time between two letters."""
        if not self.spread:
            return timedelta(0)
        hours = CLOSES.hour - OPENS.hour
        return timedelta(hours=hours) / max(1, self.per_day)


@dataclass(frozen=True, kw_only=True)
class Office:
    """When somebody is there: the controller's time zone and working days."""

    zone: tzinfo
    is_working_day: IsWorkingDay


def next_for_controller(
    sent: Sequence[datetime], pace: Pace, office: Office, now: datetime
) -> datetime | None:
    """The earliest instant, not before `now`, at which the controller may get another letter.

    sent: aware instants of letters that went or may have gone there, in any order. None: never.
    """
    if pace.per_day < 1:
        return None
    known = sorted(sent)
    at = max(now, known[-1] + pace.gap) if known else now
    if len(known) >= pace.per_day:
        at = max(at, known[-pace.per_day] + DAY)
    return _opened(at, office) if pace.spread else at


def _opened(at: datetime, office: Office) -> datetime:
    """The instant itself in office hours, else the next opening."""
    local = at.astimezone(office.zone)
    day = local.date()
    if office.is_working_day(day) and OPENS <= local.time() < CLOSES:
        return at
    if local.time() >= OPENS:
        day += timedelta(days=1)
    while not office.is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, OPENS, tzinfo=office.zone).astimezone(at.tzinfo)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """When a campaign's letters are all out. binding: `account`, `controller`, `none` or `never`.

    days: calendar days from the first to the last letter, both counted.
    """

    letters: int
    finish_on: date | None
    binding: str
    days: int


def forecast(
    letters: Mapping[str, int], pace: Pace, day_caps: Callable[[int], int | None], *,
    today: date, is_working_day: IsWorkingDay,
) -> Forecast:
    """Return when `letters` (controller → how many) are out.

    day_caps: how many letters the account may send on the n-th sending day, n from 0; None: no
    limit. is_working_day: counts only for a pace that is spread. The limit that binds is the one
    that held back more letters over all days; a tie goes to the controller's.
    """
    left = {slug: count for slug, count in letters.items() if count > 0}
    total, day, sending_days = sum(left.values()), today, 0
    by_account = by_controller = 0
    if total and pace.per_day < 1:
        return Forecast(letters=total, finish_on=None, binding="never", days=0)
    while left:
        if pace.spread and not is_working_day(day):
            day += timedelta(days=1)
            continue
        cap = day_caps(sending_days)
        wanted, room = sum(left.values()), sum(min(pace.per_day, n) for n in left.values())
        going = room if cap is None else min(room, cap)
        by_controller += wanted - room
        by_account += room - going
        if going == 0 and cap == 0 and day_caps(sending_days + 1) == 0:
            return Forecast(letters=total, finish_on=None, binding="never", days=0)
        left = _after_a_day(left, pace.per_day, going)
        day, sending_days = day + timedelta(days=1), sending_days + 1
    finish = day - timedelta(days=1) if total else today
    return Forecast(letters=total, finish_on=finish, days=(finish - today).days + 1 if total else 0,
                    binding=_binding(by_account, by_controller))


def _binding(by_account: int, by_controller: int) -> str:
    if not by_account and not by_controller:
        return "none"
    return "account" if by_account > by_controller else "controller"


def _after_a_day(left: Mapping[str, int], per_day: int, going: int) -> dict[str, int]:
    """What is left after `going` letters, most to those who still have most to get."""
    after: dict[str, int] = {}
    for slug, count in sorted(left.items(), key=lambda item: -item[1]):
        gone = min(per_day, count, going)
        going -= gone
        if count > gone:
            after[slug] = count - gone
    return after
