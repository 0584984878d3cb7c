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
DayCaps = Callable[[int], int | None]
"""How many letters the account may send on its n-th sending day, n from 0; None: no limit."""


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
    """When a campaign's letters are all out. binding: `account`, `controller`, `none`, `never`.

    days: calendar days from the first to the last letter, both counted.
    """

    letters: int
    finish_on: date | None
    binding: str
    days: int


def forecast(
    letters: Mapping[str, int], pace: Pace, day_caps: DayCaps, *,
    today: date, is_working_day: IsWorkingDay,
) -> Forecast:
    """Return when `letters` (controller → how many) are out.

    is_working_day: counts only for a pace that is spread. The limit that binds is the one
    without which all would be out soonest; a tie goes to the controller's.
    """
    total = sum(n for n in letters.values() if n > 0)
    if not total:
        return Forecast(letters=0, finish_on=today, binding="none", days=0)
    finish = _finish(letters, pace, day_caps, today, is_working_day)
    if finish is None:
        return Forecast(letters=total, finish_on=None, binding="never", days=0)
    days = (finish - today).days + 1
    fast = _finish(letters, Pace(per_day=total, spread=pace.spread), day_caps, today,
                   is_working_day)
    free = _finish(letters, pace, lambda day: None, today, is_working_day)
    binding = "none"
    if fast is not None and free is not None and min(fast, free) < finish:
        binding = "account" if free < fast else "controller"
    return Forecast(letters=total, finish_on=finish, days=days, binding=binding)


def _finish(
    letters: Mapping[str, int], pace: Pace, day_caps: DayCaps, today: date,
    is_working_day: IsWorkingDay,
) -> date | None:
    """The day on which the last letter goes out; None where none ever does."""
    left = {slug: count for slug, count in letters.items() if count > 0}
    day, last, sending_days = today, today, 0
    if pace.per_day < 1:
        return None
    while left:
        if not pace.spread or is_working_day(day):
            cap = day_caps(sending_days)
            if cap == 0 and day_caps(sending_days + 1) == 0:
                return None
            room = sum(min(pace.per_day, n) for n in left.values())
            left = _after_a_day(left, pace.per_day, room if cap is None else min(room, cap))
            last, sending_days = day, sending_days + 1
        day += timedelta(days=1)
    return last


def _after_a_day(left: Mapping[str, int], per_day: int, going: int) -> dict[str, int]:
    """What is left after `going` letters, most to those who still have most to get."""
    after: dict[str, int] = {}
    for slug, count in sorted(left.items(), key=lambda item: -item[1]):
        gone = min(per_day, count, going)
        going -= gone
        if count > gone:
            after[slug] = count - gone
    return after
