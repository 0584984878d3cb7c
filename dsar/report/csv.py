"""One row per case with stable columns, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from dsar.core.comparisons import round_numbers
from dsar.core.message import Label
from dsar.core.result import Result

COLUMNS = (
    "case", "person", "company", "company_name", "categories", "country", "law", "right",
    "language", "status", "sent_on", "delivered", "contact", "acknowledged", "answered_on",
    "substantive_on", "days_to_answer", "days_seen", "answer", "timing", "due", "extended_due",
    "latest_due", "time_is_over", "complete", "missing", "identity_demand", "reminders",
    "complaint_on", "closed_on", "outcome", "labels", "told", "read_by", "channel", "round",
    "follows",
)
"""Columns are added at the end and never renamed."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}",
            "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH HYPHEN-MINUS}",
            "\N{FULLWIDTH COMMERCIAL AT}")


def rows(results: Sequence[Result], *, anonymous: bool = False) -> Iterator[str]:
    """Return the lines of the file (RFC 4180: CRLF), heading first.

    anonymous: person and case id stay empty, and so do words that the person wrote.
    """
    yield _line(COLUMNS)
    numbers = round_numbers(results)
    for result in results:
        found = _values(result) | {"round": str(numbers.get(result.case.id, 1 if result.sent
                                                            else ""))}
        if anonymous:
            found |= {"case": "", "person": "", "follows": "yes" if result.case.follows else ""}
            found["identity_demand"] = "yes" if result.identity else ""
        yield _line(safe(found[column]) for column in COLUMNS)


def _line(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def safe(value: str) -> str:
    """A value that no spreadsheet takes for a formula: what looks like one starts with a quote."""
    clean = " ".join(value.split()) if value.isprintable() else " ".join(
        "".join(c if c.isprintable() else " " for c in value).split())
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def _values(result: Result) -> dict[str, str]:
    facts = result.case.facts
    return {
        "case": result.case.id, "person": facts.subject_id, "company": facts.controller,
        "company_name": facts.controller_name, "categories": ";".join(result.categories),
        "country": result.seat, "law": facts.regime, "right": facts.right,
        "language": facts.language, "status": str(result.standing.status),
    } | _course(result) | _end(result)


def _course(result: Result) -> dict[str, str]:
    case, found, wait = result.case, result.standing.deadlines, result.wait
    return {
        "sent_on": _day(case.request.on if case.request else None),
        "delivered": _yes(result.delivered), "contact": result.health,
        "acknowledged": _yes(result.acknowledged), "answered_on": _day(result.answered_on),
        "substantive_on": _day(result.substantive_on),
        "days_to_answer": str(wait.days) if wait and wait.ended else "",
        "days_seen": str(wait.days) if wait else "", "answer": result.answer,
        "timing": str(result.timing), "due": _day(result.standing.due),
        "extended_due": _day(found.extended_due if found else None),
        "latest_due": _day(found.complain_after if found else None),
        "time_is_over": _yes(result.time_is_over),
    }


def _end(result: Result) -> dict[str, str]:
    case = result.case
    labels = {Label(x) for r in case.replies for x in r.labels}
    return {
        "complete": _yes(result.complete),
        "missing": ";".join(case.checked.missing) if case.checked else "",
        "identity_demand": result.identity, "reminders": str(len(case.course.reminders)),
        "complaint_on": _day(case.complaint.on if case.complaint else None),
        "closed_on": _day(case.closed.on if case.closed else None),
        "outcome": case.closed.outcome if case.closed else "",
        "labels": ";".join(sorted(labels)),
        "told": ";".join(result.told),
        "channel": case.request.channel if case.request else "",
        "follows": case.facts.follows or "",
        "read_by": ("machine" if result.machine else "person") if result.substantive_on else "",
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]
