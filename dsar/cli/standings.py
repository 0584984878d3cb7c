"""Which cases a command is about, most urgent first."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.cli.options import Selector
from dsar.core.status import Glimpse, Outlook, Stand, Status
from dsar.errors import UsageProblem
from dsar.store import Store

if TYPE_CHECKING:
    from dsar.core.status import Standing

_ORDER = (Status.IN_DOUBT, Status.BOUNCED, Status.REFUSED, Status.NEEDS_YOU, Status.OVERDUE,
          Status.WAITING, Status.ACKNOWLEDGED, Status.EXTENDED, Status.UNSENT, Status.ANSWERED,
          Status.CLOSED)
_RANK = {status: number for number, status in enumerate(_ORDER)}
_NOT_URGENT = _RANK[Status.WAITING]


def standings(app: App, store: Store, wanted: Selector) -> list[Glimpse]:
    """The cases selected, most urgent first: those that need the person, then by due date.

    Raises UsageProblem for a word that is no status, UnknownCompany for a name that is neither
    a case nor a company: a mistyped name must not read as "no such case".
    """
    if wanted.status is not None and wanted.status not in tuple(Status):
        raise UsageProblem(f"{wanted.status!r} is no status.",
                           hint=f"Known: {', '.join(Status)}")
    person, outlook = app.settings.person, app.outlooks.of
    with collector_paused():
        found = [Stand(seen, outlook(seen.course)) for seen in store.glances()
                 if person in (None, seen.subject_id)]
        _refuse_unknown(app, found, wanted)
        if wanted != Selector(limit=wanted.limit):
            found = [standing for standing in found if _is_wanted(standing, wanted)]
        found.sort(key=lambda standing: _urgency(standing.outlook))
    return found[: wanted.limit]


def whole_standings(app: App, store: Store, wanted: Selector) -> list[Standing]:
    """The same with the whole cases, for what writes about them."""
    return [app.standing(store.case(s.case.id)) for s in standings(app, store, wanted)]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Cases have no cycles; looking for them takes a fifth of the time with 100,000 cases."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _refuse_unknown(app: App, found: list[Glimpse], wanted: Selector) -> None:
    names = (*wanted.slugs, *sorted(wanted.only), *sorted(wanted.exclude))
    if not names:
        return
    known = {s.case.id for s in found} | {s.case.controller for s in found}
    for name in names:
        if name not in known:
            app.registry.get(name)


def _urgency(outlook: Outlook) -> tuple[int, date]:
    rank = _RANK[outlook.status]
    if _NOT_URGENT <= rank < _RANK[Status.UNSENT]:
        rank = _NOT_URGENT
    return rank, (outlook.deadlines and outlook.deadlines.answer_by) or date.max


def _is_wanted(standing: Glimpse, wanted: Selector) -> bool:
    seen = standing.case
    named = set(wanted.slugs) | wanted.only
    left = standing.days_left
    return (
        (not named or seen.controller in named or seen.id in named)
        and seen.controller not in wanted.exclude
        and wanted.law in (None, seen.course.regime)
        and wanted.right in (None, seen.course.right)
        and wanted.status in (None, str(standing.status))
        and (not wanted.overdue or standing.status is Status.OVERDUE)
        and (wanted.due_days is None
             or (left is not None and standing.is_open and left <= wanted.due_days))
    )
