"""Reads the answers to FETCH (UID INTERNALDATE BODY[HEADER]) as imaplib hands them over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

_UID = re.compile(rb"\bUID (\d{1,10})\b")
_DATE = re.compile(
    rb"INTERNALDATE \"\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\"")
_MONTHS = {name: number for number, name in enumerate(
    (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
     b"dec"), start=1)}


def read_heads(
    answers: Sequence[bytes | tuple[bytes, bytes] | None]
) -> Iterator[tuple[int, datetime | None, bytes]]:
    """Yield UID, INTERNALDATE (UTC) and header block of each message (RFC 9051, 7.5.2).

    answers: as `imaplib.IMAP4.uid` returns them: a tuple of what stands before a literal and the
    literal, then what stands behind it. Answers without a UID or a literal are passed over.
    """
    for place, answer in enumerate(answers):
        if not isinstance(answer, tuple):
            continue
        behind = answers[place + 1] if place + 1 < len(answers) else b""
        facts = answer[0] + (behind if isinstance(behind, bytes) else b"")
        uid = _UID.search(facts)
        if uid is not None:
            yield int(uid.group(1)), _instant(facts), answer[1]


def _instant(facts: bytes) -> datetime | None:
    """INTERNALDATE as date-time of RFC 9051 (section 9, `date-time`)."""
    found = _DATE.search(facts)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == b"-" else 1)
    try:
        when = datetime(int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute),
                        int(second), tzinfo=timezone(offset))
    except (KeyError, ValueError):
        return None
    return when.astimezone(UTC)
