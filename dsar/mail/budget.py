"""Limits for hostile mail: what is too large, too deep or too many is cut, and said so."""

from __future__ import annotations

import binascii
import hashlib
import re
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

    digest, size: SHA-256 and bytes of the whole mail. removed: mark (as decoded) → what stood
    there.
    """

    raw: bytes
    digest: str
    size: int
    removed: dict[bytes, Removed] = field(default_factory=dict)
    defects: tuple[str, ...] = ()


def slim(raw: bytes) -> Slimmed:
    """Return `raw` without its long base64 bodies, so that parsing costs little memory."""
    if len(raw) <= SLIM_ABOVE:
        return Slimmed(raw, hashlib.sha256(raw).hexdigest(), len(raw))
    slimmer, view = Slimmer(), memoryview(raw)
    for start in range(0, len(raw), _CHUNK):
        slimmer.feed(bytes(view[start:start + _CHUNK]))
    return slimmer.finish()


class Slimmer:
    """Slims a mail that comes in pieces; never holds more than `MAX_BYTES` and a piece of it.

    The marks bear the digest of the mail: no mail can contain its own, so none can be forged.
    """

    def __init__(self) -> None:
        self._hash, self._size, self._kept_size = hashlib.sha256(), 0, 0
        self._small: list[bytes] | None = []
        self._kept: list[bytes | Removed] = []
        self._rest = b""
        self._within_line = False
        self._run: list[bytes] = []
        self._run_size = 0
        self._measure: _Measure | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the mail."""
        self._hash.update(piece)
        self._size += len(piece)
        if self._small is None:
            self._take(piece)
            return
        self._small.append(piece)
        if self._size > SLIM_ABOVE:
            small, self._small = self._small, None
            for each in small:
                self._take(each)

    def finish(self) -> Slimmed:
        """What is left of the whole mail."""
        digest = self._hash.hexdigest()
        if self._small is not None:
            return Slimmed(b"".join(self._small), digest, self._size)
        self._other(self._rest)
        removed: dict[bytes, Removed] = {}
        pieces: list[bytes] = []
        for each in self._kept:
            if isinstance(each, Removed):
                mark = f"dsar:{digest}:{len(removed)}".encode()
                removed[mark] = each
                each = binascii.b2a_base64(mark)
            pieces.append(each)
        cut = self._kept_size > MAX_BYTES
        defects = (f"cut at {MAX_BYTES} of {self._kept_size} bytes",) if cut else ()
        return Slimmed(b"".join(pieces), digest, self._size, removed, defects)

    def _take(self, piece: bytes) -> None:
        data, place = self._rest + piece, 0
        while place < len(data):
            run = None if self._within_line else _BASE64_LINES.match(data, place)
            if run is not None:
                self._base64(run.group())
                place = run.end()
                continue
            end = data.find(b"\n", place) + 1
            if not end and len(data) - place < _MAX_LINE:
                break
            self._other(data[place:end or len(data)])
            self._within_line = not end
            place = end or len(data)
        self._rest = data[place:]

    def _base64(self, lines: bytes) -> None:
        if self._measure is not None:
            self._measure.feed(lines)
            return
        self._run.append(lines)
        self._run_size += len(lines)
        if self._run_size > _LONG_RUN:
            self._measure = _Measure()
            for each in self._run:
                self._measure.feed(each)
            self._run, self._run_size = [], 0

    def _other(self, line: bytes) -> None:
        """A line that is no full line of base64: it ends a run, whose last line is shorter."""
        if self._measure is not None:
            if last := line.strip().translate(None, _BASE64) == b"":
                self._measure.feed(line)
            self._kept.append(self._measure.end())
            self._measure = None
            if last:
                return
        for each in (*self._run, line):
            self._keep(each)
        self._run, self._run_size = [], 0

    def _keep(self, data: bytes) -> None:
        room = MAX_BYTES - self._kept_size
        self._kept_size += len(data)
        if room > 0:
            self._kept.append(data[:room])


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
# No possessive quantifier around others: Python before 3.11.5 ends such a run too early.
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/=]{40,990}[ \t]{0,5}\r?\n)+")
_MAX_LINE = 1000


class _Measure:
    """Decodes a body piece by piece, and keeps nothing but what describes the whole."""

    def __init__(self) -> None:
        self._hash, self._size, self._rest, self._head = hashlib.sha256(), 0, b"", b""

    def feed(self, lines: bytes) -> None:
        clean = self._rest + lines.translate(None, b"\r\n \t")
        whole = len(clean) // 4 * 4
        self._rest = clean[whole:]
        decoded = _decoded(clean[:whole])
        self._hash.update(decoded)
        self._size += len(decoded)
        self._head = self._head or decoded[:16]

    def end(self) -> Removed:
        return Removed(self._size, self._hash.hexdigest(), self._head)


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
