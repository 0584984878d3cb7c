"""One mail: bytes in, `Message` out; pure, and never an exception, whatever the bytes."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message as Mime

from dsar.core.message import Address, Message, Part
from dsar.mail import body as bodies
from dsar.mail import budget
from dsar.mail.authentic import verdict
from dsar.mail.automatic import automatic
from dsar.mail.bounce import delivery_report
from dsar.mail.headers import (
    addresses,
    clean,
    decoded,
    first,
    message_ids,
    parsed_date,
    raw_headers,
    received_date,
)
from dsar.mail.quoting import split_quoted

_LINK = re.compile(r"\bhttps?://[^\s<>\"']{3,300}", re.IGNORECASE)
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_NESTED_LEVELS = 3


def parse(
    raw: bytes | budget.Slimmed,
    *,
    trusted_authserv: Sequence[str],
    received: datetime | None = None,
) -> Message:
    """Return the mail as data.

    raw: the bytes, or what a `Slimmer` made of them. trusted_authserv: authserv-ids of the
    user's own provider (RFC 8601, section 2.5); no other Authentication-Results counts.
    received: when the provider got it (INTERNALDATE), before the topmost Received field.
    """
    slimmed = raw if isinstance(raw, budget.Slimmed) else budget.slim(raw)
    try:
        message = _parsed(slimmed, slimmed.digest, trusted_authserv)
    except Exception as error:  # the last line of defence: the mail stays readable as plain text
        message = _as_plain(slimmed.raw, slimmed.digest, f"unreadable: {type(error).__name__}")
    when = received.astimezone(UTC) if received else message.received
    return replace(message, received=when)


def _parsed(slimmed: budget.Slimmed, digest: str, trusted: Sequence[str]) -> Message:
    head = slimmed.raw[: budget.MAX_HEADER_BYTES]
    if budget.is_too_nested(slimmed.raw):
        return _as_plain(slimmed.raw, digest, "too much structure")
    ends = re.search(rb"\r?\n\r?\n", head)
    if ends is None and len(slimmed.raw) > budget.MAX_HEADER_BYTES:
        return _as_plain(head, digest, "headers too long")
    mime = email.message_from_bytes(slimmed.raw, policy=email.policy.compat32)
    body = bodies.collect(mime, slimmed.removed)
    envelope = _envelope(mime, digest, trusted)
    return _with_body(envelope, mime, body, slimmed.defects)


def _as_plain(raw: bytes, digest: str, defect: str) -> Message:
    """Headers as far as they go, and the rest as text."""
    head, _, rest = raw[: budget.MAX_TEXT].partition(b"\n\n")
    try:
        mime: Mime = email.message_from_bytes(head[: budget.MAX_HEADER_BYTES] + b"\n\n")
        envelope = _envelope(mime, digest, ())
    except Exception:  # nothing of the head can be read: the text still can
        envelope = Message(digest=digest, message_id=None)
    text = clean(rest.decode("utf-8", "replace").replace("\r\n", "\n"))
    own, quoted = split_quoted(text)
    return replace(envelope, own_text=own, quoted_text=quoted, defects=(defect,))


def _envelope(mime: Mime, digest: str, trusted: Sequence[str]) -> Message:
    headers = raw_headers(mime)
    senders = addresses(headers.get("from", ())) or addresses(headers.get("sender", ()))
    sender = senders[0] if senders else None
    order = [str(name).lower() for name, _ in mime.raw_items()]
    authentic, because = verdict(headers, order, sender.domain if sender else "", trusted)
    ids = message_ids(headers.get("message-id", ()))
    return Message(
        digest=digest,
        message_id=ids[0] if ids else None,
        in_reply_to=message_ids(headers.get("in-reply-to", ())),
        references=message_ids(headers.get("references", ())),
        sender=sender,
        reply_to=addresses(headers.get("reply-to", ())),
        recipients=addresses((*headers.get("to", ()), *headers.get("cc", ()))),
        delivered_to=tuple(_plain(v) for name in _DELIVERED for v in headers.get(name, ())),
        subject=decoded(first(headers, "subject")),
        dated=parsed_date(first(headers, "date")),
        received=received_date(headers),
        authentic=authentic,
        authentic_because=because,
        headers=headers,
    )


def _plain(value: str) -> str:
    found = addresses((value,))
    return found[0].addr if found else value.strip().lower()


def _with_body(message: Message, mime: Mime, body: bodies.Body, defects: Sequence[str]) -> Message:
    own, quoted = split_quoted(body.text[: budget.MAX_TEXT])
    own, quoted, parts = _with_nested(own, quoted, body, message.sender)
    kinds = frozenset(bodies.content_type(part) for part in body.transport)
    report = delivery_report(mime, message, body)
    links = [*body.links, *_LINK.findall(own[:20_000])]
    return replace(
        message,
        own_text=own,
        quoted_text=quoted,
        parts=tuple(parts[: budget.MAX_PARTS]),
        report=report,
        automatic=automatic(message.headers, message.subject, bodies.content_type(mime), kinds),
        links=tuple(dict.fromkeys(clean(link)[:500] for link in links))[:100],
        defects=tuple(dict.fromkeys([*defects, *body.defects])),
    )


def _with_nested(
    own: str, quoted: str, body: bodies.Body, sender: Address | None
) -> tuple[str, str, list[Part]]:
    """Add attached messages: to the own words where the same house wrote them, else as quoted."""
    parts, waiting = list(body.parts), [(m, 1) for m in body.nested]
    while waiting and len(parts) < budget.MAX_PARTS:
        nested, level = waiting.pop(0)
        inner = bodies.collect(nested, {})
        text = inner.text[: budget.MAX_TEXT]
        parts += inner.parts
        if _is_same_house(nested, sender):
            said, cited = split_quoted(text)
            own, quoted = f"{own}\n\n{said}".strip(), f"{quoted}\n{cited}".strip()
        else:
            quoted = f"{quoted}\n{decoded(str(nested.get('subject', '')))}\n{text}".strip()
        if level < _NESTED_LEVELS:
            waiting += [(m, level + 1) for m in inner.nested]
    return own[: budget.MAX_TEXT], clean(quoted)[: budget.MAX_TEXT], parts


def _is_same_house(nested: Mime, sender: Address | None) -> bool:
    if sender is None:
        return False
    authors = addresses(raw_headers(nested).get("from", ()))
    return any(author.domain == sender.domain for author in authors)
