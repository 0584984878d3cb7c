"""IMAP commands whose answers are read as they come: FETCH and SEARCH (RFC 9051, 6.4).

IMAPClient reads every answer byte by byte and keeps all of them, which for a large mailbox takes
longer than the server does. These two commands have answers simple enough to read by themselves,
and several can be under way at once (RFC 9051, section 5.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from imaplib import IMAP4
from itertools import count
from typing import Any

MAX_LITERAL = 64 * 1024 * 1024
"""Octets of one answer that are read at all, whatever the server says is coming."""
_BLOCK = 256 * 1024
_LITERAL = re.compile(rb"\{(\d{1,20})\}\r?\n$")
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,20})\b")
_SHORT = re.compile(rb"\bBODY\[[^]]*\](?:<\d+>)? (?:(NIL)|\"((?:[^\"\\\r\n]|\\.)*)\")")
_DATE = re.compile(
    rb"INTERNALDATE \"\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\"")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ALL = re.compile(rb"^\* ESEARCH\b.*\bALL ([0-9:,]+)", re.IGNORECASE)
_MOST_UIDS = 20_000_000
_tags = count(1)
# What servers say when a login has run out in the middle (RFC 5530; Exchange has its own words).
_LOGIN_OVER = re.compile(r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]"
                         r"|authenticated but not connected|session (has )?expired", re.IGNORECASE)


class Refused(Exception):
    """The server answered NO or BAD to this command; the connection goes on."""


def login_is_over(refusal: str) -> bool:
    """Whether a command was refused because the login has run out: then another one helps."""
    return bool(_LOGIN_OVER.search(refusal))


@dataclass(frozen=True)
class Answer:
    """What FETCH says of one message; `data` None: the server has nothing to give."""

    uid: int
    received: datetime | None
    size: int | None
    data: bytes | None


def send(imap: Any, command: bytes) -> bytes:
    """Send a command and return its tag; its answers are read with `answers` or `lines`."""
    tag = b"DSAR%d" % next(_tags)
    imap.send(tag + b" " + command + b"\r\n")
    return tag


@dataclass(frozen=True)
class Done:
    """A command ended; refused: what the server said with NO or BAD, or empty."""

    tag: bytes
    refused: str


def answers(imap: Any, tag: bytes, *, keep: int) -> Iterator[Answer]:
    """Yield the answers to a FETCH as they come, until the command of `tag` is done.

    keep: octets of each literal that are kept; what is longer is read and dropped.
    Raises Refused, and what imaplib raises where the connection breaks or makes no sense.
    """
    while not isinstance(found := next_answer(imap, (tag,), keep=keep), Done):
        if found is not None:
            yield found
    if found.refused:
        raise Refused(found.refused)


def next_answer(imap: Any, tags: Sequence[bytes], *, keep: int) -> Answer | Done | None:
    """The next answer of FETCH, or which of the commands under way is done; None for others.

    Several commands may be answered in turns, and end in any order (RFC 9051, section 5.5).
    """
    line = _line(imap)
    if not line:
        raise IMAP4.abort("the connection was lost")
    tag = line.partition(b" ")[0]
    if tag in tags:
        try:
            _end(line, tag)
        except Refused as refusal:
            return Done(tag, str(refusal))
        return Done(tag, "")
    if (found := _LITERAL.search(line)) is None:
        return _short_answer(line)
    return _long_answer(imap, line, int(found.group(1)), keep)


def lines(imap: Any, tag: bytes) -> Iterator[bytes]:
    """Yield the untagged answers of a command that has no literals in them. Raises as above."""
    while (line := _line(imap)) and not line.startswith(tag + b" "):
        if _LITERAL.search(line):
            raise IMAP4.abort("unexpected answer")
        yield line
    _end(line, tag)


def _line(imap: Any) -> bytes:
    try:
        line: bytes = imap.readline()
    except IMAP4.abort:
        raise
    except IMAP4.error as error:  # a line without an end: what follows it cannot be told apart
        raise IMAP4.abort(str(error)) from None
    return line


def _end(line: bytes, tag: bytes) -> None:
    if not line:
        raise IMAP4.abort("the connection was lost")
    words = line[len(tag) + 1:].strip()
    if not words.upper().startswith(b"OK"):
        raise Refused(words[:200].decode("ascii", "replace") or "no reason")


def _short_answer(line: bytes) -> Answer | None:
    """An answer with a quoted text or NIL in place of a literal; None for any other line."""
    if line.upper().startswith(b"* BYE"):
        raise IMAP4.abort("the server ended the connection")
    found = _SHORT.search(line)
    if found is None or b" FETCH " not in line.upper():
        return None
    text = None if found.group(1) else re.sub(rb"\\(.)", rb"\1", found.group(2))
    return _answer(line, text)


def _long_answer(imap: Any, line: bytes, size: int, keep: int) -> Answer | None:
    if size > MAX_LITERAL:
        raise IMAP4.abort("an answer longer than any that was asked for")
    data = _literal(imap, size, keep)
    behind = _line(imap)
    while (more := _LITERAL.search(behind)) is not None:  # nothing we asked for: passed over
        if int(more.group(1)) > MAX_LITERAL:
            raise IMAP4.abort("an answer longer than any that was asked for")
        _literal(imap, int(more.group(1)), 0)
        behind = _line(imap)
    if behind[:1] not in (b")", b" ") or not behind.rstrip(b"\r\n").endswith(b")"):
        raise IMAP4.abort("an answer that is not as long as was said")
    return _answer(line + behind, data) if b" FETCH " in line.upper() else None


def _literal(imap: Any, size: int, keep: int) -> bytes:
    if size <= _BLOCK:
        data: bytes = _exactly(imap, size)
        return data if size <= keep else data[:keep]
    kept, left = bytearray(), size
    while left:
        block = _exactly(imap, min(left, _BLOCK))
        left -= len(block)
        kept += block[: max(0, keep - len(kept))]
    return bytes(kept)


def _exactly(imap: Any, size: int) -> bytes:
    data: bytes = imap.read(size)
    if len(data) != size:
        raise IMAP4.abort("the connection was lost")
    return data


def _answer(facts: bytes, data: bytes | None) -> Answer | None:
    uid, size = _UID.search(facts), _SIZE.search(facts)
    if uid is None:
        return None
    return Answer(int(uid.group(1)), instant(facts), int(size.group(1)) if size else None, data)


def instant(facts: bytes) -> datetime | None:
    """INTERNALDATE as date-time of RFC 9051 (section 9, `date-time`), in UTC."""
    found = _DATE.search(facts)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == b"-" else 1)
    try:
        when = datetime(int(year), _MONTHS.index(month.decode().lower()) + 1, int(day), int(hour),
                        int(minute), int(second), tzinfo=timezone(offset) if offset else UTC)
        return when.astimezone(UTC) if offset else when
    except (ValueError, OverflowError):
        return None


def search_all(imap: Any, first: int, since: date | None) -> list[int]:
    """UIDs from `first` on by one ESEARCH (RFC 4731), which answers in ranges."""
    words = b"UID SEARCH RETURN (ALL) UID %d:*" % first
    if since is not None:
        month = _MONTHS[since.month - 1].capitalize()
        words += f" SINCE {since.day}-{month}-{since.year}".encode()
    found: list[int] = []
    for line in lines(imap, send(imap, words)):
        listed = _ALL.search(line)
        found += _expanded(listed.group(1)) if listed else []
    return sorted({uid for uid in found if uid >= first})


def _expanded(text: bytes) -> list[int]:
    found: list[int] = []
    for part in text.split(b","):
        start, _, end = part.partition(b":")
        low, high = sorted((int(start), int(end or start)))
        if len(found) + high - low > _MOST_UIDS:
            raise IMAP4.abort("more messages than any mailbox holds")
        found += range(low, high + 1)
    return found


def sequence_set(uids: Sequence[int]) -> bytes:
    """Rising UIDs as short as they can be written: `1:3,7` (RFC 9051, section 9)."""
    parts: list[str] = []
    start = last = uids[0]
    for uid in (*uids[1:], -1):
        if uid == last + 1:
            last = uid
            continue
        parts.append(f"{start}:{last}" if last > start else str(start))
        start = last = uid
    return ",".join(parts).encode()
