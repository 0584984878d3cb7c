"""Header fields as text, whatever bytes they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email import policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message as Mime
from email.utils import getaddresses, parsedate_to_datetime

from dsar.core.message import Address
from dsar.mail.budget import MAX_HEADERS, MAX_VALUE
from dsar.mail.headfields import MAX_BLOCK, TRIAGE_FIELDS

Headers = Mapping[str, tuple[str, ...]]
"""Lower-case names; values unfolded, but not yet decoded by RFC 2047."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<\s*([^<>\s]{1,500})\s*>")
_ENCODED = re.compile(r"=\?[^?\s]{1,60}\?[BbQq]\?[^?]{0,4000}\?=")


def clean(text: str) -> str:
    """Return text without NULs, other control characters and lone surrogates."""
    return _CONTROL.sub("", text) if _CONTROL.search(text) else text


def raw_headers(message: Mime) -> dict[str, tuple[str, ...]]:
    """All header fields; 8-bit bytes are read as UTF-8, or else as windows-1252."""
    found: dict[str, list[str]] = {}
    for name, value in list(message.raw_items())[:MAX_HEADERS]:
        found.setdefault(str(name).lower(), []).append(_unfolded(str(value)))
    return {name: tuple(values) for name, values in found.items()}


_FIELD = re.compile(
    rb"^([!-9;-~]{1,100}):[ \t]*((?:[^\r\n]*\r?\n?)(?:[ \t][^\r\n]*\r?\n?)*)", re.MULTILINE)


def quick_headers(block: bytes) -> dict[str, tuple[str, ...]]:
    """The TRIAGE_FIELDS of a header block, some ten times as fast as the email parser.

    Values are unfolded and the subject decoded; whoever needs more parses the whole mail.
    """
    found: dict[str, list[str]] = {}
    for match in _FIELD.finditer(block[:MAX_BLOCK]):
        name = match.group(1).lower()
        if name in TRIAGE_FIELDS:
            raw = match.group(2).decode("utf-8", "surrogateescape")
            value = _unfolded(raw)
            found.setdefault(name.decode("ascii"), []).append(
                decoded(value) if name == b"subject" else value)
    return {name: tuple(values) for name, values in found.items()}


def _unfolded(value: str) -> str:
    value = value[: MAX_VALUE * 4]
    if not value.isascii():
        data = value.encode("utf-8", "surrogateescape")
        try:
            value = data.decode("utf-8")
        except UnicodeDecodeError:
            value = data.decode("windows-1252", "replace")
    return clean(re.sub(r"\r?\n[ \t]*", " ", value))[:MAX_VALUE].strip()


def decoded(value: str) -> str:
    """A header value as people read it (RFC 2047); junk is left as it stands."""
    if "=?" not in value:
        return value
    # between two encoded words white space does not count (RFC 2047, section 6.2)
    value = re.sub(r"(\?=)\s+(?==\?)", r"\1", value)
    return clean(_ENCODED.sub(_decoded_word, value)).replace("\n", " ").replace("\r", "")


def _decoded_word(found: re.Match[str]) -> str:
    try:
        [(data, charset)] = decode_header(found.group(0))
        return data.decode(charset or "utf-8", "replace") if isinstance(data, bytes) else data
    except (MessageError, HeaderParseError, LookupError, ValueError, AssertionError):
        return found.group(0)


def first(headers: Headers, name: str) -> str:
    """The first value of a header, or an empty string."""
    values = headers.get(name)
    return values[0] if values else ""


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """The Message-IDs in In-Reply-To or References, with their angle brackets."""
    found = (f"<{m}>" for value in values for m in _MESSAGE_ID.findall(value))
    return tuple(dict.fromkeys(found))


def addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """The mailboxes of address headers (RFC 5322, section 3.4), at most 100."""
    found: list[Address] = []
    for value in values:
        found += _registry_addresses(value) or _plain_addresses(value)
    return tuple(found[:100])


def _registry_addresses(value: str) -> list[Address]:
    if len(value) > 2000 or not value:
        return []
    try:
        header = policy.default.header_factory("To", value)
        return [_address(a.display_name, a.addr_spec) for a in header.addresses if a.addr_spec]
    except Exception:  # the standard library raises many kinds on junk, IndexError among them
        return []


def _plain_addresses(value: str) -> list[Address]:
    try:
        pairs = getaddresses([decoded(value)])
    except (ValueError, IndexError, TypeError):
        return []
    return [_address(name, addr) for name, addr in pairs if "@" in addr]


def _address(name: str, addr: str) -> Address:
    plain = clean(addr).strip().strip("<>").strip()
    return Address(name=clean(decoded(name)).strip(), addr=plain.lower())


def parsed_date(value: str) -> datetime | None:
    """An RFC 5322 date as aware UTC, or None for what is none."""
    try:
        found = parsedate_to_datetime(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def received_date(headers: Headers) -> datetime | None:
    """When the receiving server got the mail: the date of the topmost Received field."""
    return parsed_date(first(headers, "received").rpartition(";")[2].strip())
