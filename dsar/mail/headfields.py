"""Which header fields are asked for before a body is, and how much of a header block."""

from __future__ import annotations

MAX_BLOCK = 256 * 1024
"""Octets of a header block that are looked at before the body is fetched."""
TRIAGE_FIELDS = frozenset({
    b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"message-id", b"in-reply-to",
    b"references", b"return-path", b"delivered-to", b"x-original-to", b"envelope-to",
    b"content-type", b"x-failed-recipients",
})
"""What decides whether a body is worth fetching."""
