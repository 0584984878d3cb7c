"""The lines of a journal: one JSON object per append, checked by a chain of checksums.

    {"crc":"1c291ca3","stream":"acme-access","first":3,"count":1,"at":"…","by":"dsar","events":[…]}

`crc` is the CRC-32 of what follows it, begun with the CRC-32 of the line before: a changed,
lost or moved line is found. `first` numbers the first event within its stream, from 1. Lines
that were added together are a batch: `"more":N` behind `count` says how many of it still follow.
A line without it ends its batch, and is mostly all of it.
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
    rb'"first":([1-9]\d*),"count":([1-9]\d*),(?:"more":([1-9]\d*),)?'
)
_CHECKED_FROM = len('{"crc":"01234567",')
_CRC = slice(len('{"crc":"'), len('{"crc":"01234567'))
Checked = tuple[bytes, int, int, int]
"""Of a line that may come next: stream, its count of events with the line, CRC, `more`."""


class BadLine(ValueError):
    """A line that is not what was written, or does not stand where it was."""


def body_of(document: Mapping[str, Any], *, more: int = 0) -> bytes:
    """Return a document as the checked part of its line; ASCII, so that no line break is in it.

    more: how many lines of its batch still follow.
    """
    ordered = {
        "stream": document["stream"],
        "first": document["first"],
        "count": len(document["events"]),
        **({"more": more} if more else {}),
        "at": document["at"],
        "by": document["by"],
        "events": document["events"],
    }
    return json.dumps(ordered, separators=(",", ":"), allow_nan=False)[1:].encode("ascii")


def body_in(line: bytes) -> bytes:
    """Return the checked part of a line, as it is written where the line stands for itself."""
    head = _HEAD.match(line)
    if head is None or head[5] is None:
        return line[_CHECKED_FROM:]
    return line[_CHECKED_FROM:head.end(4) + 1] + line[head.end():]


def crc_in(line: bytes) -> str:
    """Return the checksum that a line begins with, as it is written."""
    return line[_CRC].decode("ascii")


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
            document.pop("more", None)
            if document.pop("count") != len(document["events"]):
                raise BadLine("the number of events is wrong")
    except (ValueError, KeyError, TypeError) as error:
        raise BadLine(f"no entry of a ledger: {error}") from error
    return documents


@dataclass
class Lines:
    """The lines in order, with the numbers of each stream's lines and its count of events.

    Streams are known by their JSON bytes, so that reading need not decode them.
    more: how many lines the last batch lacks; where the file ends so, it was never acknowledged.
    """

    all: list[bytes] = field(default_factory=list)
    crc: int = 0
    more: int = 0
    _of: dict[bytes, list[int]] = field(default_factory=dict)
    _counts: dict[bytes, int] = field(default_factory=dict)

    def add(self, line: bytes) -> None:
        """Take the next line; raises BadLine and changes nothing when it cannot be that."""
        self.take(line, self.check(line))

    def check(self, line: bytes, before: Checked | None = None) -> Checked:
        """Return what is said of a line that comes next, or behind `before`; raises BadLine."""
        head = _HEAD.match(line)
        if head is None:
            raise BadLine("no entry of a ledger")
        written, stream, first, count, said = head.groups()
        last_crc, awaited = before[2:] if before else (self.crc, self.more)
        crc = crc32(line[_CHECKED_FROM:], last_crc)
        if int(written, 16) != crc:
            raise BadLine("the checksum does not fit: the line was changed, or one before it lost")
        have = self._counts.get(stream, 0)
        if int(first) != have + 1:
            raise BadLine(f"event {int(first)} of its case follows event {have}")
        more = int(said or 0)
        if awaited and more != awaited - 1:
            raise BadLine(f"of the batch before it {awaited} lines are missing")
        return stream, have + int(count), crc, more

    def batch(self, bodies: Sequence[bytes]) -> list[tuple[bytes, Checked]]:
        """Return the next lines, checked but not taken; raises BadLine for no whole batch.

        No two of them may be of one stream.
        """
        found: list[tuple[bytes, Checked]] = []
        for body in bodies:
            before = found[-1][1] if found else None
            line, _ = line_of(body, before[2] if before else self.crc)
            found.append((line, self.check(line, before)))
        if found and found[-1][1][3]:
            raise BadLine("the batch is not whole")
        return found

    def take(self, line: bytes, checked: Checked) -> None:
        """Take a line that was checked as the next one."""
        stream, self._counts[stream], self.crc, self.more = checked
        self._of.setdefault(stream, []).append(len(self.all))
        self.all.append(line)

    def cut_batch(self) -> int:
        """Drop the lines of a batch that lacks some; return their bytes with line breaks."""
        size = 0
        while self.more and self.all and (head := _HEAD.match(self.all[-1])) and head[5]:
            size += len(self.all.pop()) + 1
            self._of[head[2]].pop()
            self._counts[head[2]] = int(head[3]) - 1
            if not self._of[head[2]]:
                del self._of[head[2]], self._counts[head[2]]
        if size:
            self.crc, self.more = int(crc_in(self.all[-1]), 16) if self.all else 0, 0
        return size

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
