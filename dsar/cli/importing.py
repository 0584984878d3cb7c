"""Records imported cases, and their companies where those are unknown."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from dsar.caseimport import Import, Imported, slug_of
from dsar.cli.app import App
from dsar.core.case import Case, CaseOpened
from dsar.core.contact import mailbox_key
from dsar.errors import Problem
from dsar.store import Store


@dataclass
class Recorded:
    """What became of the rows: cases made, how many were there already, and the bad rows."""

    made: list[Imported] = field(default_factory=list)
    already: int = 0
    problems: list[Problem] = field(default_factory=list)


def record_import(app: App, store: Store, found: Import) -> Recorded:
    """Append each case that is not there yet; a bad row stops nothing else.

    Unknown companies come first: if we die in between, the next run makes the rest.
    """
    result = Recorded(problems=list(found.problems))
    known, good = {case.id: case for case in store.cases()}, []
    for row in (_owned(app, row) for row in found.cases):
        earlier = known.get(row.case_id)
        if problem := _problem(app, row, earlier):
            result.problems.append(Problem(found.path, row.line, problem))
            continue
        good.append(row)
        if earlier is None:
            result.made.append(row)
        else:
            result.already += 1
    _add_companies(app, good)
    for row in result.made:
        store.append(row.case_id, row.events, after=0)
    result.problems.sort()
    return result


def _owned(app: App, row: Imported) -> Imported:
    """The row under the id of the person of this home that it names.

    Otherwise the rail `duplicate` would not see it, and a second request would go out.
    """
    opened = row.events[0]
    assert isinstance(opened, CaseOpened)
    for person in app.config.people:
        if opened.subject_id in (person.id, slug_of(person.name)):
            owned = dataclasses.replace(opened, subject_id=person.id)
            return dataclasses.replace(row, events=(owned, *row.events[1:]))
    return row


def _doubtful_owner(app: App, row: Imported) -> str | None:
    """Why nobody can tell whose case it is: the mailbox is a person's, the name is not."""
    opened = row.events[0]
    assert isinstance(opened, CaseOpened)
    if opened.mailbox is None or opened.subject_id in {p.id for p in app.config.people}:
        return None
    for person in app.config.people:
        if mailbox_key(opened.mailbox) == mailbox_key(person.email):
            return (f"case {row.case_id!r}: the mailbox is that of {person.id}, the name is not: "
                    "give the name as in people.yaml, or add the person")
    return None


def _problem(app: App, row: Imported, earlier: Case | None) -> str | None:
    """Why a row cannot be taken, or None."""
    if earlier is not None and not _same(earlier, row):
        return f"there is another case {row.case_id!r} already"
    if doubt := _doubtful_owner(app, row):
        return doubt
    if row.company["slug"] in app.registry:
        return None
    from dsar.registry.overlay import imported_problem

    wrong = imported_problem(row.company, checked=app.today)
    return f"case {row.case_id!r}: the company: {wrong}" if wrong else None


def _same(case: Case, row: Imported) -> bool:
    opened, facts = row.events[0], case.facts
    return isinstance(opened, CaseOpened) and (
        (opened.reference, opened.controller, opened.right, opened.subject_id)
        == (facts.reference, facts.controller, facts.right, facts.subject_id))


def _add_companies(app: App, rows: list[Imported]) -> None:
    unknown = {c.company["slug"]: c.company for c in rows
               if c.company["slug"] not in app.registry}
    if unknown:
        from dsar.registry.overlay import add_imported

        add_imported(app.home.overlay, list(unknown.values()), checked=app.today)
