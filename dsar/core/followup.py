"""What a follow-up may say of a case: only what the ledger shows, and no lapse still in doubt."""

from __future__ import annotations

from datetime import date, timedelta

from dsar.core.case import Case
from dsar.core.deadline import Deadlines
from dsar.core.message import Label

SHORT_TIME = timedelta(days=14)
"""How long a follow-up leaves for the answer (tool policy, no statute)."""


def facts_of_case(case: Case, deadlines: Deadlines | None, today: date) -> dict[str, object]:
    """Return `sent_on`, `reply_by` and, where they hold, `acknowledged_on` and `due_on`.

    `due_on` is there only once the controller is late on every defensible reading, so that no
    letter accuses one that may still be in time.
    """
    facts: dict[str, object] = {"reply_by": today + SHORT_TIME}
    if case.request:
        facts["sent_on"] = case.request.on
    acknowledged = _acknowledged_on(case)
    if acknowledged:
        facts["acknowledged_on"] = acknowledged
    if deadlines and deadlines.answer_by and _is_late(deadlines, today):
        facts["due_on"] = deadlines.answer_by
    return facts


def _is_late(deadlines: Deadlines, today: date) -> bool:
    return deadlines.complain_after is not None and today > deadlines.complain_after


def _acknowledged_on(case: Case) -> date | None:
    """The day of the first authentic acknowledgement, by the reading that counts."""
    return next((r.received.on for r in case.replies
                 if r.reading and Label.ACKNOWLEDGEMENT in r.reading.labels), None)
