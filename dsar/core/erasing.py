"""The rail `erasure`: not where one is a customer, and not before one knows what is held.

What is erased cannot be looked at any more, so access comes first: the answer to it is the
evidence of what the company held, from where and for whom.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dsar.core.case import Case
from dsar.core.controller import Controller
from dsar.core.needs import confirmed_answer
from dsar.core.taken import case_keys, keys

DELETING = frozenset({"erasure"})
"""Rights after which the data are gone."""


@dataclass(frozen=True)
class AccessCases:
    """The person's requests for access, by what their recipients are known by."""

    by_key: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Iterable[Case]) -> AccessCases:
        """Index the access cases among `cases`, all of one person."""
        found: dict[str, tuple[Case, ...]] = {}
        for case in cases:
            if case.facts.right == "access":
                for key in case_keys(case):
                    found[key] = (*found.get(key, ()), case)
        return cls(found)

    def with_any(self, known_by: Collection[str]) -> list[Case]:
        """The cases whose recipient one of these keys names."""
        return list({c.id: c for key in known_by for c in self.by_key.get(key, ())}.values())


def in_use(controller: Controller, right: str) -> str:
    """Why an erasure would hurt where the person uses the company, or ""."""
    if right not in DELETING or controller.in_use is None:
        return ""
    return f"in use: {controller.in_use}" if controller.in_use else "in use"


def in_use_keys(controllers: Iterable[Controller], right: str) -> dict[str, str]:
    """What the companies in use are known by, each with the reason: a letter to another company
    of the group, or to a mailbox they share, would reach them as well."""
    found: dict[str, str] = {}
    for controller in controllers if right in DELETING else ():
        why = in_use(controller, right)
        if why:
            known = [key for contact in (None, *controller.emails()) for key in
                     keys(controller, contact)]
            found |= dict.fromkeys(known, why)
    return found


def access_first(controller: Controller, known_by: Collection[str], access: AccessCases
                 ) -> tuple[str, str] | None:
    """Why the person should ask for access before an erasure, and the way; None: it was done.

    Done is an access case that was sent and is closed, or whose answer a person confirmed.
    """
    known = access.with_any(known_by)
    if any(_is_done(case) for case in known):
        return None
    open_ = next((case for case in known if not case.closed), None)
    if open_ is not None:
        return f"access {open_.id} is not answered yet", f"dsar case show {open_.id}"
    return "access comes first", f"dsar send {controller.slug}"


def _is_done(case: Case) -> bool:
    if not case.letters:
        return False
    return case.closed is not None or confirmed_answer(case) is not None
