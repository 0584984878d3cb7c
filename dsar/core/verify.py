"""Whether an erasure is old enough to be checked by asking what is still held."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import date

from dsar.core.case import Case
from dsar.core.followup import labels_of
from dsar.core.message import Label
from dsar.core.remind import NotNow


def erased_on(case: Case) -> date | None:
    """The day the company said it had erased, once a person confirmed that reading."""
    days = [r.received.on for r in case.replies
            if r.confirmed and Label.FULFILLED_ERASURE in labels_of(r)]
    if days:
        return max(days)
    return case.closed.on if case.closed and case.closed.outcome == "erased" else None


def may_verify(
    case: Case, followed: Collection[str], today: date, months: int
) -> NotNow | None:
    """Why this case is not to be checked now, or None. followed: cases checked already."""
    show = f"dsar case show {case.id}"
    if case.facts.right != "erasure":
        return NotNow(rail="right", why="it asked for no erasure", way_out=show)
    day = erased_on(case)
    if day is None:
        return NotNow(rail="unread", why="no confirmed erasure", way_out=show)
    if case.id in followed:
        return NotNow(rail="duplicate", why="it was checked already", way_out="dsar status")
    from_day = months_later(day, months)
    if today < from_day:
        return NotNow(rail="early", why=f"erased {day}, less than {months} months ago",
                      from_day=from_day, way_out="--after N")
    return None


def months_later(day: date, months: int) -> date:
    """The same day number so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
