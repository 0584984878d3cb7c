"""Whether an approved letter that waits may still go out as it was approved."""

from __future__ import annotations

from datetime import date

from dsar.core.case import Case
from dsar.core.contact import contact_problem, mailbox_key
from dsar.core.controller import Controller
from dsar.core.erasing import in_use
from dsar.core.letter import Stage

MACHINE_MAIL = frozenset({"auto_reply", "bounce_permanent", "bounce_temporary"})
"""Labels of messages that nobody wrote; they hold no approved letter back."""


def changed_since_approval(case: Case, controller: Controller, today: date) -> str:
    """Why an approved letter is no longer what one would send today, or an empty string.

    It is then held and shown, never changed silently.
    """
    approved = case.approved
    if approved is None or approved.channel != "email":
        return ""
    if approved.stage is not Stage.REQUEST and _is_answered_since(case):
        return "a message has come since it was approved"
    if approved.stage is Stage.COMPLAINT:
        return ""
    if approved.stage is Stage.REQUEST and not _overridden(case, "erasure") and (
            using := in_use(controller, case.facts.right)):
        return using
    return recipient_problem(case, controller, approved.recipient, today)


def _is_answered_since(case: Case) -> bool:
    """Whether a message that nobody's machine sent by itself came after the approval."""
    return any(not (r.reading and set(r.reading.labels) <= MACHINE_MAIL)
               for r in case.replies[case.replies_at_approval:])


def recipient_problem(case: Case, controller: Controller, address: str, today: date) -> str:
    """Why the rail `contact` holds another letter to an address of the case, or ""."""
    if not controller.contactable or controller.status == "defunct":
        return "the company cannot be written to any more"
    if controller.excluded is not None:
        return "the company is excluded by you"
    same = [c for c in controller.emails(case.facts.right)
            if mailbox_key(c.value) == mailbox_key(address)]
    if not same:
        return "the registry has another address now"
    overridden = _overridden(case, "contact")
    return contact_problem(same[0], today, accept_unverified=overridden) or ""


def _overridden(case: Case, rail: str) -> bool:
    return any(o.rail == rail for o in case.overrides)
