"""Records imported cases, with their people and companies where those are unknown."""

from __future__ import annotations

from dsar.caseimport import Import, Imported
from dsar.cli.app import App
from dsar.core.house import STREAM
from dsar.errors import ConcurrentAppend, Problem
from dsar.store import Store


def record_import(app: App, store: Store, found: Import) -> tuple[list[Imported], list[Problem]]:
    """Append each case; a case id that is taken becomes a problem and stops nothing else."""
    made: list[Imported] = []
    problems = list(found.problems)
    for case in found.cases:
        if case.case_id == STREAM or not _append(store, case):
            problems.append(Problem("ledger", 1, f"there is a case {case.case_id!r} already"))
        else:
            made.append(case)
    _add_companies(app, made)
    return made, problems


def _append(store: Store, case: Imported) -> bool:
    try:
        store.append(case.case_id, case.events, after=0)
    except ConcurrentAppend:
        return False
    return True


def _add_companies(app: App, made: list[Imported]) -> None:
    unknown = {c.company["slug"]: c.company for c in made
               if c.company["slug"] not in app.registry}
    if unknown:
        from dsar.registry.overlay import add_imported

        add_imported(app.home.overlay, list(unknown.values()), checked=app.today)
