"""Cases as rows of plain values: for JSON, for tab-separated values, for calendars."""

from __future__ import annotations

from typing import Any

from dsar.core.status import Glimpse

STATUS_COLUMNS = ("case", "company", "person", "right", "regime", "status", "sent_on", "due",
                  "extended_due", "days_left", "needs_you", "next")


def status_item(standing: Glimpse) -> dict[str, Any]:
    """The item of `status --json`; dates ISO 8601, null where there is none."""
    case, course = standing.case, standing.case.course
    request = course.request
    deadlines = standing.deadlines
    extended = deadlines.extended_due if deadlines else None
    reminded = [s.on for s in course.reminders if not s.bounced]
    return {
        "case": case.id, "company": case.controller, "person": case.subject_id,
        "right": course.right, "regime": course.regime, "status": str(standing.status),
        "sent_on": request.on.isoformat() if request else None,
        "due": standing.due.isoformat() if standing.due else None,
        "extended_due": extended.isoformat() if extended else None,
        "days_left": standing.days_left, "needs_you": bool(standing.needs_you),
        "why": standing.needs_you or None, "next": standing.next or None,
        "company_name": case.controller_name,
        "reminded_on": reminded[-1].isoformat() if reminded else None,
    }


def deadline_item(standing: Glimpse) -> dict[str, Any]:
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
