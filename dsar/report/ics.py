"""Due dates as a calendar file (RFC 5545): case ids only, no names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from dsar.core.status import Glimpse


def calendar(standings: Iterable[Glimpse], now: datetime) -> str:
    """Return an iCalendar with one all-day event per open due date, lines ended by CRLF.

    The UID stays the same for a case, so that an import again moves the event (section 3.8.4.7).
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//dsar//deadlines//EN",
             "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for standing in standings:
        if standing.is_open and standing.answer_by is not None:
            lines += _event(standing, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(standing: Glimpse, now: datetime) -> list[str]:
    case, due = standing.case, standing.answer_by
    assert due is not None
    return [
        "BEGIN:VEVENT",
        f"UID:{_text(case.id.lower())}@dsar.invalid",
        f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{case.version}",
        f"DTSTART;VALUE=DATE:{due:%Y%m%d}",
        f"DTEND;VALUE=DATE:{due + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_text(f'Answer due: case {case.id}')}",
        f"DESCRIPTION:{_text(f'dsar case show {case.id}')}",
        "TRANSP:TRANSPARENT",
        *_alarm(case.id, days_before=7),
        *_alarm(case.id, days_before=0),
        "END:VEVENT",
    ]


def _alarm(case_id: str, *, days_before: int) -> list[str]:
    trigger = f"-P{days_before}D" if days_before else "PT9H"
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:{trigger}",
            f"DESCRIPTION:{_text(f'Answer due: case {case_id}')}", "END:VALARM"]


def _text(value: str) -> str:
    """TEXT values escape backslash, semicolon, comma and line ends (section 3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, continued with a space (section 3.1)."""
    first = True
    while line:
        room = 75 if first else 74
        piece = line[:room]
        while len(piece.encode()) > room:
            piece = piece[:-1]
        yield piece if first else f" {piece}"
        line, first = line[len(piece):], False
