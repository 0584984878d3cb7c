"""DKIM signatures (RFC 6376) checked again, with keys that are given: nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dsar.errors import UsageProblem

_TAG = re.compile(r"(?:^|;)\s*([dsl])\s*=\s*([^;\s]+)")
_HEADER = re.compile(rb"^dkim-signature:(.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Signature:
    """One signature: who signed with which key, and what checking it came to.

    result: "pass", "pass, beginning only" (l= leaves the end of the text unsigned: RFC 6376,
    section 8.2), "fail", "no key given", "not checked" (dkimpy is not installed).
    """

    domain: str
    selector: str
    result: str


def check_signatures(raw: bytes, keys: Mapping[str, str]) -> tuple[Signature, ...]:
    """Return every signature of a message with its result.

    keys: name of the key's DNS record, `selector._domainkey.domain`, → its text.
    """
    found = []
    for number, tags in enumerate(_signatures(raw)):
        domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
        name = f"{selector}._domainkey.{domain}"
        result = _checked(raw, number, keys) if name in keys else "no key given"
        result += ", beginning only" if result == "pass" and "l" in tags else ""
        found.append(Signature(domain, selector, result))
    return tuple(found)


def read_keys(text: str) -> dict[str, str]:
    """Keys of a file with one `name text` a line. Raises UsageProblem for any other line."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, _, key = line.strip().partition(" ")
        if not name or name.startswith("#"):
            continue
        if "._domainkey." not in name or "p=" not in key:
            raise UsageProblem(f"line {number} is no key such as "
                               "`s1._domainkey.example.com v=DKIM1; k=rsa; p=…`.")
        found[name.rstrip(".").lower()] = key.strip().strip('"')
    return found


def _signatures(raw: bytes) -> list[dict[str, str]]:
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    found = []
    for header in _HEADER.findall(head):
        plain = re.sub(r"\r?\n[ \t]+", " ", header.decode("ascii", "replace"))
        found.append(dict(_TAG.findall(plain)))
    return found


def _checked(raw: bytes, number: int, keys: Mapping[str, str]) -> str:
    try:
        import dkim
    except ImportError:
        return "not checked"

    def record(name: bytes, timeout: int = 0) -> bytes | None:
        text = keys.get(name.decode("ascii", "replace").rstrip(".").lower())
        return text.encode() if text else None

    try:
        return "pass" if dkim.DKIM(raw).verify(number, dnsfunc=record) else "fail"
    except (dkim.DKIMException, ValueError):
        return "fail"
