"""Encryption at rest, as the stores see it: a protocol, and how a sealed event is written.

    {"kind":"ReplyReceived","on":"…","digest":"…","sealed":"…"}   status stays readable
    {"sealed":"…"}                                                everything is sealed

`sealed` holds the other fields as JSON, encrypted, bound to the stream and the event's number.
What is written plain is a closed list: a field nobody thought of is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from io import RawIOBase
from typing import Any, BinaryIO, Protocol, get_args, get_origin, get_type_hints

from dsar.errors import DsarError
from dsar.store.codec import KINDS
from dsar.store.lines import BadLine

MAGIC = b"dsar sealed 1\n"
"""How a sealed item of the archive begins."""
AGE = b"age-encryption.org/v1\n"
"""How it goes on where it is sealed to public keys, those of a campaign."""
SEALED = "sealed"
READABLE = frozenset({
    "kind", "on", "at", "case_id", "reference", "subject_id", "controller", "controller_name",
    "right", "regime", "language", "country", "subdivision", "group", "origin", "follows", "stage",
    "passing",
    "message_id", "digest", "channel", "account", "temporary", "code", "permanent", "status",
    "authentic", "filed_by", "labels", "by", "confidence", "new_due_on", "type", "justified",
    "until", "reasoned", "outcome", "sequence", "candidates", "slug", "rail",
    "campaign", "wave", "campaign_id", "mode", "letters", "members", "cases", "files", "rights",
    "controllers", "purge_on", "expires_on", "signed_on",
})
"""What `status`, `deadlines` and the progress of a campaign need.

No address, no name of a person, no word of a mail. No kind of event has a field named `sealed`.
"""


class Locked(DsarError):
    """The ledger or the mail is encrypted, and there is no key."""

    exit_status = 4
    hint = ("Run it at a terminal to type the passphrase, or set `passphrase: {command: […]}` in "
            "config.yaml.")


class CannotOpen(ValueError):
    """Bytes that were sealed with another key, elsewhere, or were changed."""


class Sealer(Protocol):
    """Has the key of a home. seals: whether what is new is sealed; false while it is removed."""

    @property
    def seals(self) -> bool:
        """Whether new events and mail are sealed."""

    @property
    def readable_status(self) -> bool:
        """Whether what `status` needs is written plain."""

    def seal(self, plain: bytes, bound: bytes) -> str:
        """Return a few bytes sealed, as ASCII text; `bound` is needed again, and not hidden."""

    def unseal(self, sealed: str, bound: bytes) -> bytes:
        """Undo `seal`; raises CannotOpen."""

    def seal_item(self, chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        """Yield an item of any size sealed; it begins with `MAGIC`."""

    def unseal_item(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the chunks of a sealed item; raises CannotOpen."""


def sealed_document(document: Mapping[str, Any], sealer: Sealer | None) -> dict[str, Any]:
    """Return a document of the ledger as it is written: its events and their author sealed."""
    if sealer is None or not sealer.seals:
        return dict(document)
    stream, first = document["stream"], document["first"]
    events = [_sealed(record, sealer, _bound(stream, number))
              for number, record in enumerate(document["events"], start=first)]
    author = sealer.seal(_json(document["by"]), _bound(stream, first) + b"by")
    return {**document, "by": {SEALED: author}, "events": events}


def opened_document(document: Mapping[str, Any], sealer: Sealer | None) -> dict[str, Any]:
    """Undo `sealed_document`, for sealed and plain events alike.

    Without a key, events whose status is readable come with the rest left blank. Raises Locked
    where that is not so, BadLine for events that cannot be unsealed.
    """
    stream, first, author = document["stream"], document["first"], document["by"]
    events = [_opened(record, sealer, _bound(stream, number))
              for number, record in enumerate(document["events"], start=first)]
    if isinstance(author, dict):
        bound = _bound(stream, first) + b"by"
        author = _loaded(sealer, author[SEALED], bound) if sealer else ""
    return {**document, "by": author, "events": events}


def _sealed(record: Mapping[str, Any], sealer: Sealer, bound: bytes) -> dict[str, Any]:
    plain = {k: v for k, v in record.items() if _stays_readable(record["kind"], k)
             } if sealer.readable_status else {}
    hidden = {k: v for k, v in record.items() if k not in plain}
    return {**plain, SEALED: sealer.seal(_json(hidden), bound)}


def _stays_readable(kind: str, name: str) -> bool:
    """The Message-ID of somebody else's mail says who wrote; those of our letters do not."""
    return name in READABLE and (kind, name) != ("ReplyReceived", "message_id")


def _opened(record: Mapping[str, Any], sealer: Sealer | None, bound: bytes) -> Mapping[str, Any]:
    if SEALED not in record:
        return record
    plain = {k: v for k, v in record.items() if k != SEALED}
    if sealer is not None:
        return {**plain, **_loaded(sealer, record[SEALED], bound)}
    if "kind" not in plain:
        raise Locked("The ledger is encrypted.")
    return {**_blanks(plain["kind"]), **plain}


def _loaded(sealer: Sealer, sealed: str, bound: bytes) -> Any:
    try:
        return json.loads(sealer.unseal(sealed, bound))
    except ValueError as error:
        raise BadLine(f"cannot be unsealed: {error}") from None


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _bound(stream: str, number: int) -> bytes:
    return f"{json.dumps(stream)}#{number}".encode("ascii")


@cache
def _blanks(kind: str) -> Mapping[str, Any]:
    """JSON values for the fields of a kind that have no default and may be sealed."""
    cls = KINDS.get(kind)
    if cls is None:
        return {}
    hints = get_type_hints(cls)
    return {f.name: _blank(hints[f.name]) for f in fields(cls)
            if f.default is MISSING and not _stays_readable(kind, f.name)}


def _blank(hint: Any) -> Any:
    if type(None) in get_args(hint):
        return None
    if get_origin(hint) is tuple:
        return []
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint)).value
    known: Mapping[Any, Any] = {str: "", bool: False, int: 0, float: 0.0}
    if hint not in known:
        raise TypeError(f"no blank for {hint!r}: name the field in READABLE")
    return known[hint]


class Pieces(RawIOBase):
    """An iterator of bytes as a file to read from, once and forwards."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def has_sealed(lines: Sequence[bytes]) -> bool:
    """Whether the last line holds a sealed event; a quote within a text would be escaped."""
    return bool(lines) and b'"sealed":"' in lines[-1]
