"""Whom a request already went to: what the rail `duplicate` compares companies and cases by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from dsar.core.case import Case
from dsar.core.contact import mailbox_key
from dsar.core.controller import Contact, Controller

COOL_DOWN_MONTHS = {"access": 6, "erasure": 12}
"""Months after a case closed before the same request is planned again (tool policy)."""


@dataclass
class Taken:
    """Whom a request already went to, by slug, group and mailbox.

    planned: the number of the letter of this plan that goes there.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Sequence[Case], right: str, today: date) -> Taken:
        """Cases that hold a new request back: open ones, and closed ones in their cool-down."""
        taken = cls()
        months = COOL_DOWN_MONTHS.get(right, 6)
        for case in cases:
            never_left = not case.attempts and not case.letters
            if case.closed and (never_left or months_since(case.closed.on, today) >= months):
                continue
            for key in case_keys(case):
                taken.cases[key] = case
        return taken

    def holding(self, controller: Controller, contact: Contact | None) -> list[Case]:
        """Every case that speaks against a new letter; those in doubt come first."""
        found = {self.cases[k].id: self.cases[k] for k in keys(controller, contact)
                 if k in self.cases}
        return sorted(found.values(), key=lambda case: case.in_doubt is None)

    def waiting(self, controller: Controller) -> Case | None:
        """The case of this very company whose approved letter was never attempted."""
        case = self.cases.get(f"slug:{controller.slug}")
        if case and case.approved and not case.in_doubt and not case.closed and (
                case.approved.channel == "email"):
            return case
        return None

    def add(self, controller: Controller, contact: Contact, number: int) -> None:
        """Note that the letter with this number goes to the company."""
        for key in keys(controller, contact):
            self.planned.setdefault(key, number)

    def planned_with(self, controller: Controller, contact: Contact) -> int | None:
        """The number of the letter that already reaches this company, or None."""
        wanted = keys(controller, contact)
        return next((self.planned[k] for k in wanted if k in self.planned), None)


def keys(controller: Controller, contact: Contact | None) -> list[str]:
    """What one recipient is known by: slug, group, and the mailbox where there is one."""
    found = [f"slug:{controller.slug}"]
    if controller.group:
        found.append(f"group:{controller.group}")
    if contact is not None and "@" in contact.value:
        found.append(f"mail:{mailbox_key(contact.value)}")
    return found


def case_keys(case: Case) -> list[str]:
    """What the recipient of a case is known by: slug, group, every mailbox written to."""
    facts = case.facts
    found = [f"slug:{facts.controller}"]
    if facts.group:
        found.append(f"group:{facts.group}")
    addresses = {facts.recipient, *(a.recipient for a in case.approvals)}
    return found + [f"mail:{mailbox_key(a)}" for a in addresses if a and "@" in a]


def months_since(day: date, today: date) -> int:
    """Whole months from `day` to `today`."""
    months = (today.year - day.year) * 12 + today.month - day.month
    return months - (1 if today.day < day.day else 0)


def person_keys(person_id: str, *addresses: str | None) -> frozenset[str]:
    """What a tombstone knows a person by: the id, and the mailboxes they write from."""
    return frozenset({person_id, *(mailbox_key(a) for a in addresses if a)})


def company_keys(case: Case) -> frozenset[str]:
    """`case_keys` as a set, for tombstones."""
    return frozenset(case_keys(case))
