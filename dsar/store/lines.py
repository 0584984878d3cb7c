"""The lines of a journal: one JSON object per append, checked by a chain of checksums.

    {"crc":"1c291ca3","stream":"acme-access","first":3,"count":1,"at":"…","by":"dsar","events":[…]}

`crc` is the CRC-32 of what follows it, begun with the CRC-32 of the line before: a changed,
lost or moved line is found. `first` numbers the first event within its stream, from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

_HEAD = re.compile(
    rb'\{"crc":"([0-9a-f]{8})","stream":"([^"\\]*(?:\\.[^"\\]*)*)",'
    rb'"first":([1-9]\d*),"count":([1-9]\d*),'
)
_CHECKED_FROM = len('{"crc":"01234567",')


class BadLine(ValueError):
    """A line that is not what was written, or does not stand where it was."""


def body_of(document: Mapping[str, Any]) -> bytes:
    """Return a document as the checked part of its line; ASCII, so that no line break is in it."""
    ordered = {
        "stream": document["stream"],
        "first": document["first"],
        "count": len(document["events"]),
        "at": document["at"],
        "by": document["by"],
        "events": document["events"],
    }
    return json.dumps(ordered, separators=(",", ":"), allow_nan=False)[1:].encode("ascii")


def body_in(line: bytes) -> bytes:
    """Return the checked part of a line."""
    return line[_CHECKED_FROM:]


def line_of(body: bytes, crc: int) -> tuple[bytes, int]:
    """Return the line without its line break, and its CRC; `crc` is that of the line before."""
    crc = crc32(body, crc)
    return b'{"crc":"%08x",%b' % (crc, body), crc


def document_in(line: bytes) -> dict[str, Any]:
    """Return the document of a checked line; raises BadLine."""
    return documents_in([line])[0]


def documents_in(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the documents of checked lines; raises BadLine."""
    try:
        documents: list[dict[str, Any]] = json.loads(f"[{b','.join(lines).decode('ascii')}]")
        for document in documents:
            del document["crc"]
            if document.pop("count") != len(document["events"]):
                raise BadLine("the number of events is wrong")
    except (ValueError, KeyError, TypeError) as error:
        raise BadLine(f"no entry of a ledger: {error}") from error
    return documents


@dataclass
class Lines:
    """The lines in order, with the numbers of each stream's lines and its count of events.

    Streams are known by their JSON bytes, so that reading need not decode them.
    """

    all: list[bytes] = field(default_factory=list)
    crc: int = 0
    _of: dict[bytes, list[int]] = field(default_factory=dict)
    _counts: dict[bytes, int] = field(default_factory=dict)

    def add(self, line: bytes) -> None:
        """Take the next line; raises BadLine and changes nothing when it cannot be that."""
        self.take(line, self.check(line))

    def check(self, line: bytes) -> tuple[bytes, int, int]:
        """Return stream, its count of events with this line, and CRC; raises BadLine."""
        head = _HEAD.match(line)
        if head is None:
            raise BadLine("no entry of a ledger")
        written, stream, first, count = head.groups()
        crc = crc32(line[_CHECKED_FROM:], self.crc)
        if int(written, 16) != crc:
            raise BadLine("the checksum does not fit: the line was changed, or one before it lost")
        have = self._counts.get(stream, 0)
        if int(first) != have + 1:
            raise BadLine(f"event {int(first)} of its case follows event {have}")
        return stream, have + int(count), crc

    def take(self, line: bytes, checked: tuple[bytes, int, int]) -> None:
        """Take a line that was checked as the next one."""
        stream, self._counts[stream], self.crc = checked
        self._of.setdefault(stream, []).append(len(self.all))
        self.all.append(line)

    def count(self, stream: str) -> int:
        """How many events a stream has."""
        return self._counts.get(_key(stream), 0)

    def streams(self) -> list[str]:
        """The streams in the order of their first lines."""
        return [json.loads(b'"%b"' % key) if b"\\" in key else key.decode() for key in self._of]

    def streams_after(self, number: int) -> list[str]:
        """The streams that have lines behind the one with this number (from 1)."""
        return [json.loads(b'"%b"' % key) for key, places in self._of.items()
                if places[-1] >= number]

    def of(self, stream: str) -> tuple[list[int], list[bytes]]:
        """Return the numbers (from 1) and the texts of the lines of a stream."""
        places = self._of.get(_key(stream), ())
        return [index + 1 for index in places], [self.all[index] for index in places]


def _key(stream: str) -> bytes:
    return json.dumps(stream)[1:-1].encode("ascii")
