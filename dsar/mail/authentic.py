"""What the user's own provider says about the sender (RFC 8601); all other claims are ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dsar.core.message import Authentic
from dsar.mail.headers import Headers, first

_COMMENT = re.compile(r"\([^()]{0,500}\)")
_RESULT = re.compile(r"^\s*([a-z][\w-]*)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(header\.(?:from|d|i)|smtp\.(?:mailfrom|helo))\s*=\s*([^\s;]+)", re.I)
_BY = re.compile(r"\bby\s+([A-Za-z0-9.-]+)")


def verdict(
    headers: Headers, order: Sequence[str], sender_domain: str, trusted: Sequence[str]
) -> tuple[Authentic, str]:
    """Return the verdict, and the words of the field it rests on.

    order: lower-case names of all fields from the top. trusted: authserv-ids of the provider;
    where there are none, a field counts only when it stands above the topmost Received field
    and bears the name of the host that received the mail: a sender cannot write there. Below it,
    a field in that host's name may be forged: its FAIL is believed, its PASS is not.
    """
    field = _trusted_field(headers, order, trusted)
    if field is not None:
        return _judged(field, sender_domain), field
    claimed = None if trusted else _in_the_name_of_the_host(headers)
    if claimed is not None and _judged(claimed, sender_domain) is Authentic.FAIL:
        return Authentic.FAIL, claimed
    return Authentic.NONE, ""


def _judged(field: str, sender_domain: str) -> Authentic:
    results = [r for part in field.split(";")[1:] if (r := _result(part))]
    return _judge(results, sender_domain)


def _in_the_name_of_the_host(headers: Headers) -> str | None:
    """The first field that bears the name of the host of the topmost Received field."""
    host = _BY.search(first(headers, "received"))
    fields = [_COMMENT.sub(" ", f) for f in headers.get("authentication-results", ())]
    return next((f for f in fields if host and _authserv(f) == host.group(1).lower()), None)


def _trusted_field(headers: Headers, order: Sequence[str], trusted: Sequence[str]) -> str | None:
    fields = [_COMMENT.sub(" ", f) for f in headers.get("authentication-results", ())]
    if trusted:
        known = {t.lower() for t in trusted}
        return next((f for f in fields if _authserv(f) in known), None)
    return fields[0] if fields and _is_above_received(fields[0], headers, order) else None


def _is_above_received(field: str, headers: Headers, order: Sequence[str]) -> bool:
    found = list(order)
    if "received" not in found:
        return False
    above = found.index("authentication-results") < found.index("received")
    host = _BY.search(first(headers, "received"))
    return above and host is not None and host.group(1).lower() == _authserv(field)


def _authserv(field: str) -> str:
    words = field.split(";")[0].split()
    return words[0].lower() if words else ""


def _result(part: str) -> tuple[str, str, dict[str, str]] | None:
    found = _RESULT.match(part)
    if not found:
        return None
    properties = {k.lower(): v.lower() for k, v in _PROPERTY.findall(part)}
    return found.group(1).lower(), found.group(2).lower(), properties


def _judge(results: Sequence[tuple[str, str, dict[str, str]]], domain: str) -> Authentic:
    """DMARC decides; without it, an aligned DKIM or SPF result does (RFC 7489, section 3.1)."""
    said = {method: result for method, result, _ in reversed(results)}
    if said.get("dmarc") in ("pass", "fail"):
        return Authentic.PASS if said["dmarc"] == "pass" else Authentic.FAIL
    if any(r == "pass" and _is_aligned(p, domain) for _, r, p in results):
        return Authentic.PASS
    failed = {m for m, r, _ in results if r in ("fail", "softfail", "permerror")}
    return Authentic.FAIL if {"dkim", "spf"} <= failed else Authentic.NONE


def _is_aligned(properties: dict[str, str], domain: str) -> bool:
    for key in ("header.d", "header.i", "smtp.mailfrom"):
        signed = properties.get(key, "").rpartition("@")[2]
        if signed and domain and _is_one_tree(signed, domain):
            return True
    return False


def _is_one_tree(one: str, other: str) -> bool:
    return one == other or one.endswith("." + other) or other.endswith("." + one)
