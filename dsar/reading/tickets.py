"""Numbers the sender gave to the matter, so that later mail can be recognised by them."""

from __future__ import annotations

import re

from dsar.core.message import Message

_BRACKETED = re.compile(
    r"[\[(]\s*(?:[^\W\d_]{2,12}[\s:#-]*)?#?\s*([A-Z]{0,4}[-/]?\d[\w/-]{3,18})\s*[\])]")
_NAMED = re.compile(r"(?:#|\b(?:ticket|case|ref|reference|vorgang|zaak|zaaknummer|dossier|caso|"
                    r"pratica|sprawa|ärende|kenmerk|aktenzeichen)\b\.?:?\s*(?:no\.?|nr\.?|#)?\s*)"
                    r"([A-Z]{0,4}[-/]?\d[\w/-]{3,18})", re.IGNORECASE)
_OURS = re.compile(r"DSAR[\s_-]{0,3}\w{4}[\s_-]{0,3}\w{4}", re.IGNORECASE)
_SLASHED = re.compile(r"\b([A-Z]{1,4}/\d{2,4}/\d{2,6}|\d{4}-\d{4,8})\b")


def tickets(message: Message) -> tuple[str, ...]:
    """Ticket numbers in the subject, and labelled ones in the own words; at most five."""
    subject = _OURS.sub(" ", message.subject)
    found = [*_BRACKETED.findall(subject), *_NAMED.findall(subject), *_SLASHED.findall(subject),
             *_NAMED.findall(_OURS.sub(" ", message.own_text[:1500]))]
    good = (t.strip("-/") for t in found if sum(c.isdigit() for c in t) >= 4)
    return tuple(dict.fromkeys(good))[:5]
