"""One row per case with stable columns, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
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
    line = csv.writer(_Lines()).writerow
    yield line(COLUMNS)
    numbers = round_numbers(results)
    known: dict[int, dict[str, str]] = {}
    for result in results:
        same = id(result.counted)
        if same not in known:
            known[same] = _safe(_of_course(result, anonymous=anonymous))
        number = str(numbers.get(result.case.id, 1 if result.sent else ""))
        found = known[same] | _safe(_own(result, anonymous=anonymous) | {"round": number})
        yield line([found[column] for column in COLUMNS])


class _Lines:
    """Gives a line back to whoever writes it: `writerow` returns what `write` does."""

    def write(self, line: str) -> str:
        return line


def _safe(values: dict[str, str]) -> dict[str, str]:
    return {column: safe(value) for column, value in values.items()}


def safe(value: str) -> str:
    """A value that no spreadsheet takes for a formula: what looks like one starts with a quote."""
    clean = " ".join(value.split()) if value.isprintable() else " ".join(
        "".join(c if c.isprintable() else " " for c in value).split())
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def _own(result: Result, *, anonymous: bool) -> dict[str, str]:
    """Whose the case is, and the company."""
    case = result.case
    shown = {"company": case.controller, "company_name": case.controller_name,
             "categories": ";".join(result.categories), "country": result.seat}
    if anonymous:
        return shown | {"case": "", "person": "", "follows": "yes" if case.follows else ""}
    return shown | {"case": case.id, "person": case.subject_id, "follows": case.follows or ""}


def _of_course(result: Result, *, anonymous: bool) -> dict[str, str]:
    """What all cases of the same course have in common: most of a row."""
    case = result.case
    found = {"law": case.regime, "right": case.right, "language": case.language,
             "status": str(result.standing.status)} | _course(result) | _end(result)
    return found | {"identity_demand": "yes" if result.identity else ""} if anonymous else found


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
        "read_by": ("machine" if result.machine else "person") if result.substantive_on else "",
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]
