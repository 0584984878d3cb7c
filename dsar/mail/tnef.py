"""The plain text inside a winmail.dat (MS-OXTNEF); nothing else of it is unpacked."""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIGNATURE = 0x223E9F78
_BODY = 0x0002800C
_TITLE = 0x00018010
_MAX_ATTRIBUTES = 500


def tnef_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text body and the names of the files inside; empty for what is no TNEF."""
    text, names = "", []
    for identifier, value in _attributes(data):
        words = value.rstrip(b"\0").decode("windows-1252", "replace")
        if identifier == _BODY and not text:
            text = words
        elif identifier == _TITLE:
            names.append(words)
    return text, tuple(names)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute: level, id, length, value, checksum (MS-OXTNEF, section 2.1.3)."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != SIGNATURE:
        return
    position = 6
    for _ in range(_MAX_ATTRIBUTES):
        if position + 9 > len(data):
            return
        _, identifier, length = struct.unpack_from("<BII", data, position)
        yield identifier, data[position + 9:position + 9 + length]
        position += 9 + length + 2
