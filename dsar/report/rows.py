"""Cases as rows of plain values: for JSON, for tab-separated values, for calendars."""

from __future__ import annotations

from typing import Any

from dsar.core.case import Case
from dsar.core.remind import follow_ups
from dsar.core.status import Standing

STATUS_COLUMNS = ("case", "company", "person", "right", "regime", "status", "sent_on", "due",
                  "extended_due", "days_left", "needs_you", "next")


def status_item(standing: Standing) -> dict[str, Any]:
    """The item of `status --json`; dates ISO 8601, null where there is none."""
    case = standing.case
    request = case.request
    deadlines = standing.deadlines
    extended = deadlines.extended_due if deadlines else None
    return {
        "case": case.id, "company": case.facts.controller, "person": case.facts.subject_id,
        "right": case.facts.right, "regime": case.facts.regime, "status": str(standing.status),
        "sent_on": request.on.isoformat() if request else None,
        "due": standing.due.isoformat() if standing.due else None,
        "extended_due": extended.isoformat() if extended else None,
        "days_left": standing.days_left, "needs_you": bool(standing.needs_you),
        "why": standing.needs_you or None, "next": standing.next or None,
        "company_name": case.facts.controller_name, "reminded_on": _reminded_on(case),
    }


def _reminded_on(case: Case) -> str | None:
    sent = follow_ups(case)
    return sent[-1].on.isoformat() if sent else None


def deadline_item(standing: Standing) -> dict[str, Any]:
    """The item of `deadlines --json`: every date the law's clock gives for this case."""
    item = status_item(standing)
    found = standing.deadlines
    for name in ("strict_due", "charitable_due", "extension_notice_due", "ack_due"):
        day = getattr(found, name) if found else None
        item[name] = day.isoformat() if day else None
    item["steps"] = list(found.steps) if found else []
    item["cites"] = list(found.cites) if found else []
    item["unverified"] = list(found.unverified) if found else []
    return item
