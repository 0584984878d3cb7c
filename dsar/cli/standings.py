"""Which cases a command is about, most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dsar.cli.app import App
from dsar.cli.options import Selector
from dsar.core.status import Standing, Status
from dsar.errors import UsageProblem
from dsar.store import Store

_ORDER = (Status.IN_DOUBT, Status.BOUNCED, Status.REFUSED, Status.NEEDS_YOU, Status.OVERDUE,
          Status.WAITING, Status.ACKNOWLEDGED, Status.EXTENDED, Status.UNSENT, Status.ANSWERED,
          Status.CLOSED)
_RANK = {status: number for number, status in enumerate(_ORDER)}
_NOT_URGENT = _RANK[Status.WAITING]


def standings(app: App, store: Store, wanted: Selector, *,
              keep: Callable[[Standing], Standing] = lambda standing: standing
              ) -> list[Standing]:
    """The cases selected, most urgent first: those that need the person, then by due date.

    keep: what of each is kept, where there are too many to keep everything.
    Raises UsageProblem for a word that is no status, UnknownCompany for a name that is neither
    a case nor a company: a mistyped name must not read as "no such case".
    """
    person = app.settings.person
    found = [keep(app.standing(case)) for case in store.cases()
             if person in (None, case.facts.subject_id)]
    _refuse_unknown(app, found, wanted)
    chosen = sorted((s for s in found if _is_wanted(s, wanted)), key=_urgency)
    return chosen[: wanted.limit]


def _refuse_unknown(app: App, found: list[Standing], wanted: Selector) -> None:
    if wanted.status is not None and wanted.status not in tuple(Status):
        raise UsageProblem(f"{wanted.status!r} is no status.",
                           hint=f"Known: {', '.join(Status)}")
    known = {s.case.id for s in found} | {s.case.facts.controller for s in found}
    for name in (*wanted.slugs, *sorted(wanted.only), *sorted(wanted.exclude)):
        if name not in known:
            app.registry.get(name)


def _urgency(standing: Standing) -> tuple[int, date]:
    rank = _RANK[standing.status]
    if _NOT_URGENT <= rank < _RANK[Status.UNSENT]:
        rank = _NOT_URGENT
    return rank, standing.answer_by or date.max


def _is_wanted(standing: Standing, wanted: Selector) -> bool:
    facts = standing.case.facts
    named = set(wanted.slugs) | wanted.only
    left = standing.days_left
    return (
        (not named or facts.controller in named or facts.case_id in named)
        and facts.controller not in wanted.exclude
        and wanted.law in (None, facts.regime)
        and wanted.right in (None, facts.right)
        and wanted.status in (None, str(standing.status))
        and (not wanted.overdue or standing.status is Status.OVERDUE)
        and (wanted.due_days is None
             or (left is not None and standing.is_open and left <= wanted.due_days))
    )
