"""Limits for hostile mail: what is too large, too deep or too many is cut, and said so."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BYTES = 8 * 1024 * 1024
"""What the MIME parser may see once long attachments have been taken out."""
MAX_HEADER_BYTES = 128 * 1024
MAX_HEADERS = 500
MAX_VALUE = 4000
"""Characters of one header value."""
MAX_PARTS = 200
MAX_STRUCTURE = 120
"""How many boundaries and attached messages a mail may declare before it is read as plain text."""
MAX_DELIMITERS = 3000
"""How many lines may look like the beginning of a part."""
MAX_TEXT = 200_000
"""Characters of text kept of one mail."""
MAX_HTML = 2_000_000
"""Characters of HTML converted."""
MAX_NAME = 255
SLIM_ABOVE = 256 * 1024
_LONG_RUN = 64 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Removed:
    """A long body taken out: size in bytes, SHA-256 and first bytes, all of it decoded."""

    size: int
    digest: str
    head: bytes


@dataclass(frozen=True)
class Slimmed:
    """A mail whose long base64 bodies are replaced by short marks.

    removed: mark (as decoded) → what stood there.
    """

    raw: bytes
    removed: dict[bytes, Removed] = field(default_factory=dict)
    defects: tuple[str, ...] = ()


def slim(raw: bytes, digest: str) -> Slimmed:
    """Return `raw` without its long base64 bodies, so that parsing costs little memory.

    digest: SHA-256 of `raw`; no mail can contain its own, so the marks cannot be forged.
    """
    if len(raw) <= SLIM_ABOVE:
        return Slimmed(raw)
    kept: list[bytes | memoryview] = []
    removed: dict[bytes, Removed] = {}
    view, done = memoryview(raw), 0
    for start, end in _base64_runs(raw):
        mark = f"dsar:{digest}:{len(removed)}".encode()
        removed[mark] = _measure(view[start:end])
        kept += [view[done:start], binascii.b2a_base64(mark)]
        done = end
    kept.append(view[done:])
    size = sum(map(len, kept))
    if size <= MAX_BYTES:
        return Slimmed(b"".join(kept), removed)
    return Slimmed(b"".join(_head(kept)), removed, (f"cut at {MAX_BYTES} of {size} bytes",))


def _head(pieces: list[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    left = MAX_BYTES
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _base64_runs(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield where base64 lines follow each other for more than `_LONG_RUN` bytes."""
    start = position = 0
    while position < len(raw):
        end = raw.find(b"\n", position) + 1 or len(raw)
        line = raw[position:min(end, position + 1000)]
        if not _is_base64_line(line, end - position):
            if position - start > _LONG_RUN:  # the last line is shorter, and belongs to it
                yield start, end if line.rstrip().translate(None, _BASE64) == b"" else position
            start = end
        position = end
    if position - start > _LONG_RUN:
        yield start, position


def _is_base64_line(line: bytes, length: int) -> bool:
    if not 40 < length < 1000:
        return False
    return line.rstrip().translate(None, _BASE64) == b""


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def _measure(view: memoryview) -> Removed:
    """Decode piece by piece, and keep nothing but what describes the whole."""
    hashed, size, rest, head = hashlib.sha256(), 0, b"", b""
    for offset in range(0, len(view), _CHUNK):
        clean = rest + bytes(view[offset:offset + _CHUNK]).translate(None, b"\r\n \t")
        whole = len(clean) // 4 * 4
        rest = clean[whole:]
        decoded = _decoded(clean[:whole])
        hashed.update(decoded)
        size += len(decoded)
        head = head or decoded[:16]
    return Removed(size, hashed.hexdigest(), head)


def _decoded(clean: bytes) -> bytes:
    try:
        return binascii.a2b_base64(clean)
    except binascii.Error:
        return clean


def is_too_nested(raw: bytes) -> bool:
    """Whether a mail declares so much structure that walking it would cost too much."""
    lowered = raw.lower() if len(raw) < MAX_BYTES else raw[:MAX_BYTES].lower()
    declared = lowered.count(b"boundary") + lowered.count(b"message/rfc822")
    return declared > MAX_STRUCTURE or lowered.count(b"\n--") > MAX_DELIMITERS
