"""Whether a machine wrote a mail, by its header fields and the form of its subject."""

from __future__ import annotations

import re
from functools import lru_cache

from dsar import shipped, yamlfile
from dsar.mail.headers import Headers, first

_PREFIX = re.compile(r"^\s*(?:(?:re|aw|wg|fw|fwd|sv|vs|odp|tr|r|rv|antw|res|απ)\s?:\s*)+", re.I)


@lru_cache(maxsize=1)
def machine_words() -> dict[str, tuple[str, ...]]:
    """The word lists of bounces.yaml; raises FileProblems for a broken file."""
    document = yamlfile.read(shipped.data("mail/bounces.yaml"))
    reader = yamlfile.Reader.of(document, document.value, "bounce words")
    reader.text("sources")
    names = ("mailboxes", "names", "subjects", "failed", "delayed", "passing", "vacation",
             "receipts", "challenges")
    found = {name: tuple(t.lower() for t in reader.texts(name)) for name in names}
    reader.finish()
    document.raise_problems()
    return found


def automatic(headers: Headers, subject: str, kind: str, kinds: frozenset[str]) -> str:
    """Say why a mail is not from a person's hand, or return an empty string.

    kind: the media type of the whole. kinds: the media types of its transport parts.
    Sources: RFC 3834 (Auto-Submitted), RFC 8098 (disposition notification), RFC 5965 (feedback),
    RFC 2919 and 2369 (lists), MS-OXCMAIL (X-Auto-Response-Suppress).
    """
    if "message/disposition-notification" in kinds:
        return "read-receipt"
    if "message/feedback-report" in kinds:
        return "feedback-report"
    lowered = _PREFIX.sub("", subject.lower())
    words = machine_words()
    if any(word in lowered for word in words["challenges"]) or "x-challenge" in headers:
        return "challenge"
    if any(lowered.startswith(word) for word in words["vacation"]):
        return "vacation"
    if any(lowered.startswith(word) for word in words["receipts"]):
        return "read-receipt"
    return _by_header(headers)


def _by_header(headers: Headers) -> str:
    submitted = first(headers, "auto-submitted").lower().strip()
    if submitted.startswith("auto-replied"):
        return "auto-replied"
    precedence = first(headers, "precedence").lower().strip()
    if precedence in ("auto_reply", "auto-reply"):
        return "auto-replied"
    marks = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply", "x-autoreply-from")
    if any(first(headers, m).lower() not in ("", "no", "false") for m in marks):
        return "auto-replied"
    if "list-unsubscribe" in headers or "list-id" in headers:
        return "bulk"
    if submitted and submitted != "no":
        return "auto-generated"
    return "bulk" if precedence in ("bulk", "list", "junk") else ""
