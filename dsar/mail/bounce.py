"""Reports that a letter did not arrive: by structure (RFC 3464) first, then by known forms."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from email.message import Message as Mime

from dsar.core.message import DeliveryReport, Message
from dsar.mail import body as bodies
from dsar.mail.automatic import machine_words
from dsar.mail.headers import addresses as parsed_addresses
from dsar.mail.headers import clean, first, message_ids, raw_headers

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\w.:/-])([45][0-5]\d)[ \-](?=[^\d\s])|\(#([45]\.\d\.\d)\)")
_RETURNED_ID = re.compile(r"^[\s>|]{0,8}Message-ID:\s{0,4}(<[^<>\s]{1,400}>)", re.I | re.M)
_RETURNED_HEAD = re.compile(r"^[\s>|]{0,8}(?:Received|Return-Path|Message-ID):", re.I | re.M)
_MAILBOX = re.compile(r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_RANK = ("failed", "delayed", "expanded", "relayed", "delivered")
_DAEMONS = ("mailer-daemon", "postmaster")
_HANDED_ON = re.compile(r"\s*(?:fwd?|wg|tr|i|rv|doorst|pd|vl|enc|vs|πρθ)\s?:", re.I)
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_PASSING = ("5.2.2", "5.2.4", "5.3.1", "5.4.7")
"""Full, expanding lists, system full, expired: "failed" for a cause that passes."""
_VAGUE = ("5.0.0", "5.2.0", "5.2.1", "5.5.0", "5.3.0")
_MAX_TEXT = 20_000


def delivery_report(mime: Mime, message: Message, body: bodies.Body) -> DeliveryReport | None:
    """Return what a mail reports on the delivery of another, or None when it reports nothing."""
    groups = [g for part in body.transport if _is_status(part) for g in _groups(part)]
    report = _by_structure(groups) if groups else None
    if report is None and any(_is_status(part) for part in body.transport):
        report = _report_from_words(_notice(body.text), message.subject, _own_addresses(message))
    if report is None and not _is_other_report(body):
        report = _by_form(mime, message, body)
    if report is None:
        return None
    return _with_returned(replace(report, passing=_is_passing(report, body.text)), body)


def _is_passing(report: DeliveryReport, text: str) -> bool:
    """Whether the cause passes, even where the server gave up (RFC 3463, section 2)."""
    if report.status.startswith("4") or report.status in _PASSING:
        return True
    if report.status.startswith("5") and report.status not in _VAGUE:
        return False
    return _says(f"{report.diagnostic} {_notice(text)[:1500]}", "passing")


def _is_status(part: Mime) -> bool:
    return bodies.content_type(part) in _STATUS_TYPES


def _is_other_report(body: bodies.Body) -> bool:
    """Read receipts and complaints are no bounces; a receipt that says "rejected" may be one."""
    for part in body.transport:
        kind = bodies.content_type(part)
        if kind == "message/feedback-report":
            return True
        if kind == "message/disposition-notification":
            said = part.as_string().lower()
            return "displayed" in said or "dispatched" in said or "deleted" not in said
    return False


def _groups(part: Mime) -> Iterator[dict[str, str]]:
    """The field groups of a delivery status: per message first, then per recipient."""
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = [{n: v[0] for n, v in raw_headers(b).items()} for b in payload
                  if isinstance(b, Mime)]
        trailing = [str(b.get_payload()) for b in payload if isinstance(b, Mime)]
        yield from (b for b in blocks if b)
        if any("final-recipient" in b for b in blocks):
            return
        text = "\n\n".join(trailing)
    else:
        text = bodies.part_text(part)[0]
    for block in re.split(r"\n[ \t]*\n", text[:_MAX_TEXT]):
        fields = re.findall(r"^([A-Za-z-]{2,40}):[ \t]*(.{0,2000})", block, re.M)
        if fields:
            yield {name.lower(): value.strip() for name, value in fields}


def _by_structure(groups: Iterable[dict[str, str]]) -> DeliveryReport | None:
    found = [g for g in groups if "action" in g or "final-recipient" in g or "status" in g]
    if not found:
        return None
    worst = min(found, key=lambda g: _rank(_action(g)))
    status = _ENHANCED.search(worst.get("status", ""))
    diagnostic = clean(" ".join(worst.get("diagnostic-code", "").split()))
    recipients = [_typed_address(g) for g in found if _action(g) == _action(worst)]
    return DeliveryReport(
        action=_action(worst),
        status=status.group(1) if status else "",
        recipients=tuple(dict.fromkeys(r for r in recipients if r)),
        diagnostic=diagnostic[:1000],
    )


def _action(group: dict[str, str]) -> str:
    word = re.match(r"\s*([a-z]+)", group.get("action", "").lower())
    if word and word.group(1) in _RANK:
        return word.group(1)
    return "delivered" if group.get("status", "").strip().startswith("2") else "failed"


def _rank(action: str) -> int:
    return _RANK.index(action)


def _typed_address(group: dict[str, str]) -> str:
    """`rfc822; someone@example.org` → the address, lower-case (RFC 3464, section 2.1.2)."""
    typed = group.get("final-recipient") or group.get("original-recipient", "")
    found = _MAILBOX.search(typed) or _MAILBOX.search(group.get("original-recipient", ""))
    return found.group(0).lower() if found else ""


def _by_form(mime: Mime, message: Message, body: bodies.Body) -> DeliveryReport | None:
    """Recognise what servers wrote before or beside RFC 3464, from several signs together."""
    text = body.text[:_MAX_TEXT]
    notice = _notice(text)
    if _has_signs(message, notice, text, body):
        return _report_from_words(notice, message.subject, _own_addresses(message))
    if is_daemon(message) or _says(message.subject, "subjects"):
        return _by_library(mime, notice, message.subject)
    return None


def _notice(text: str) -> str:
    """The server's own words: what stands before the returned message."""
    returned = _RETURNED_HEAD.search(text)
    return text[: returned.start()] if returned and returned.start() > 40 else text


def _has_signs(message: Message, notice: str, text: str, body: bodies.Body) -> bool:
    subject = _says(message.subject, "subjects")
    words = _says(notice, "failed") or _says(notice, "delayed")
    code = bool(_REPLY_CODE.search(notice) or _ENHANCED.search(notice))
    returned = bool(body.nested) or len(_RETURNED_HEAD.findall(text)) > 1
    headers_part = any(bodies.content_type(p) == "text/rfc822-headers" for p in body.transport)
    if is_daemon(message):
        proof = words or code or returned or headers_part
        return (subject and proof) or (words and (code or returned or headers_part))
    handed_on = _HANDED_ON.match(message.subject) is not None
    return subject and words and (returned or headers_part) and not handed_on


def is_daemon(message: Message) -> bool:
    """Whether a mail server, and no person, is the sender."""
    words = machine_words()
    path = first(message.headers, "return-path").strip().strip("< >").lower()
    null = "return-path" in message.headers and path.partition("@")[0] in ("", *_DAEMONS)
    if message.sender is None:
        return null or first(message.headers, "from").rstrip().endswith("<>")
    local = message.sender.addr.partition("@")[0]
    name = message.sender.name.lower()
    named = any(name.startswith(word) for word in words["names"])
    return local in words["mailboxes"] or named or null


def _says(text: str, which: str) -> bool:
    lowered = " ".join(text[:6000].lower().split())
    return any(word in lowered for word in machine_words()[which])


def _own_addresses(message: Message) -> frozenset[str]:
    sender = {message.sender.addr} if message.sender else set()
    return frozenset({r.addr for r in message.recipients} | sender | set(message.delivered_to))


def _report_from_words(notice: str, subject: str, own: frozenset[str]) -> DeliveryReport:
    status = _ENHANCED.search(notice)
    code = _REPLY_CODE.search(notice)
    klass = (status.group(1) if status else (code.group(1) or code.group(2)) if code else "5")[0]
    failed = _says(notice, "failed") and not _says(subject, "delayed")
    delayed = (_says(notice, "delayed") or _says(subject, "delayed")) and (
        klass == "4" or not failed)
    found = (a.lower().strip(".-") for a in _MAILBOX.findall(notice))
    recipients = dict.fromkeys(a for a in found if a not in own and not _is_message_id(a, notice))
    return DeliveryReport(
        action="delayed" if delayed else "failed",
        status=status.group(1) if status else f"{klass}.0.0" if code else "",
        recipients=tuple(recipients)[:20],
        diagnostic=" ".join(notice.split())[:1000],
    )


def _is_message_id(address: str, notice: str) -> bool:
    return re.search(rf"Message-ID:\s{{0,4}}<{re.escape(address)}>", notice, re.I) is not None


def _by_library(mime: Mime, notice: str, subject: str) -> DeliveryReport | None:
    """Ask flufl.bounce, which knows the forms that mailing lists have met since 1998."""
    from flufl.bounce import all_failures

    # it logs its own failures with a traceback; junk in a mail is no failure of ours
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)
    try:
        temporary, permanent = all_failures(mime)
    except Exception:  # its detectors raise IndexError and others on junk
        return None
    if not temporary and not permanent:
        return None
    addresses = parsed_addresses([a.decode("ascii", "replace") for a in permanent or temporary])
    report = _report_from_words(notice, subject, frozenset())
    return replace(report, action="failed" if permanent else "delayed",
                   recipients=tuple(sorted(a.addr for a in addresses)))


def _with_returned(report: DeliveryReport, body: bodies.Body) -> DeliveryReport:
    """Add the Message-ID and the beginning of the letter that came back."""
    ids, text = _from_parts(body)
    if not ids:
        ids = tuple(_RETURNED_ID.findall(body.text[:200_000]))
    start = _RETURNED_HEAD.search(body.text)
    text = text or (body.text[start.start():] if start else "")
    return replace(report, returned_message_id=ids[0] if ids else None,
                   returned_text=text[:_MAX_TEXT])


def _from_parts(body: bodies.Body) -> tuple[tuple[str, ...], str]:
    for nested in body.nested:
        ids = message_ids([str(nested.get("message-id", ""))])
        if ids:
            return ids, bodies.collect(nested, {}).text
    for part in body.transport:
        if bodies.content_type(part) in ("text/rfc822-headers", "message/global-headers"):
            text = bodies.part_text(part)[0]
            ids = tuple(_RETURNED_ID.findall(text))
            if ids:
                return ids, text
    return (), ""
