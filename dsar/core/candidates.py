"""From the header fields alone: could a message answer one of our cases at all?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from dsar.core.caseindex import CaseIndex

Fields = Mapping[str, tuple[str, ...]]
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"]{1,200}@[^\s<>()\[\],;:\"]{1,200}")
_ADDRESSED = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_ROBOTS = ("mailer-daemon@", "postmaster@")


def might_answer(headers: Fields, index: CaseIndex) -> bool:
    """Whether the body is worth fetching; names of `headers` are lower-case.

    Generous on purpose: it spares fetching thousands of bodies, `match` decides.
    """
    return (
        _refers(headers, index)
        or _is_addressed(headers, index)
        or bool(set(index.references_in(" ".join(headers.get("subject", ()))))
                & index.by_reference.keys())
        or _is_report(headers)
        or _comes_from(headers, index)
    )


_HINTS = (b"dsar", b"multipart/report", b"mailer-daemon@", b"postmaster@",
          b"x-failed-recipients", b"<>", b"=?", b"in-reply-to:", b"references:")
_SENDERS = re.compile(rb"^(?:from|sender|reply-to):(.*(?:\n[ \t].*)*)", re.MULTILINE)
_ID_NAME = b"message-id:"
_OWN_ID = re.compile(rb"^message-id:\s*(<[^<>\s]{1,500}>)", re.MULTILINE | re.IGNORECASE)
_AT = re.compile(rb"@([a-z0-9.-]{1,253})")


def may_matter(head: bytes, index: CaseIndex) -> bool:
    """Whether a header block is worth reading field by field: quick, and never too strict.

    Everything `might_answer` looks for shows in the bytes: a reference or plus tag of ours, a
    report, a thread, a copy of our letter, an encoded word, or a sender's domain we know.
    """
    low = head.lower()
    for hint in _hints(index.reply_hints):
        if hint in low:
            return True
    own = _own_id(head, low)
    if own is not None and own.decode("ascii", "replace") in index.by_message_id:
        return True
    for line in _SENDERS.findall(low):
        for domain in _AT.findall(line):
            if _is_known(domain.decode("ascii"), index):
                return True
    return False


@lru_cache(maxsize=8)
def _hints(own: frozenset[str]) -> tuple[bytes, ...]:
    return (*_HINTS, *(hint.encode() for hint in own))


def _own_id(head: bytes, low: bytes) -> bytes | None:
    """The Message-ID; its name is looked for first, for this is asked of every message there is."""
    if _ID_NAME not in low:
        return None
    found = _OWN_ID.search(head)
    return found.group(1) if found else None


def _is_known(domain: str, index: CaseIndex) -> bool:
    known = index.judged_domains.get(domain)
    if known is None:
        known = index.judged_domains[domain] = _look_up(domain, index)
    return known


def _look_up(domain: str, index: CaseIndex) -> bool:
    if any(index.at_domain(domain)) or domain in index.address_domains:
        return True
    return index.is_shared(domain) and not index.is_free_mail(domain)


def _refers(headers: Fields, index: CaseIndex) -> bool:
    fields = ("message-id", "in-reply-to", "references")
    named = [value for name in fields for value in headers.get(name, ())]
    return any(i in index.by_message_id for value in named for i in _MESSAGE_ID.findall(value))


def _is_addressed(headers: Fields, index: CaseIndex) -> bool:
    return any(a in index.by_reply_address for a in _addresses(headers, _ADDRESSED))


def _is_report(headers: Fields) -> bool:
    """Delivery reports name the letter in their body only."""
    kind = " ".join(headers.get("content-type", ())).lower()
    robot = any(a.startswith(_ROBOTS) for a in _addresses(headers, ("from", "sender")))
    empty = any(v.strip() == "<>" for v in headers.get("return-path", ()))
    return "multipart/report" in kind or robot or empty or "x-failed-recipients" in headers


def _comes_from(headers: Fields, index: CaseIndex) -> bool:
    """From a company written to, or from a help desk."""
    for address in _addresses(headers, ("from", "sender", "reply-to")):
        domain = address.rpartition("@")[2]
        known = index.at_address(address) or any(index.at_domain(domain))
        if known or (index.is_shared(domain) and not index.is_free_mail(domain)):
            return True
    return False


def _addresses(headers: Fields, names: Iterable[str]) -> list[str]:
    text = " ".join(value for name in names for value in headers.get(name, ()))
    return [found.lower().rstrip(".") for found in _ADDRESS.findall(text[:20_000])]
