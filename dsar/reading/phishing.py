"""Signs that somebody wants something else than to answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dsar.core.message import Authentic, Label, Message
from dsar.reading.engine import Hit, Tagged
from dsar.reading.opinion import Opinion

RISKY = re.compile(
    r"\.(?:exe|scr|js|jse|vbs|vbe|bat|cmd|com|pif|msi|jar|hta|lnk|iso|img|ps1|wsf|docm|xlsm|"
    r"html?|shtml|svg|chm|cpl|reg|one)$", re.IGNORECASE)
DOUBLED = re.compile(r"\.(?:pdf|docx?|xlsx?|jpe?g|png|txt|zip|csv)\.[a-z0-9]{2,4}$", re.IGNORECASE)


_LIKELY = 0.6
"""How likely a fraud must be by its words alone."""


def phishing_reason(
    message: Message, hits: Sequence[Hit], tagged: Sequence[Tagged], suspicious: str,
    opinion: Opinion,
) -> str:
    """Return the reason to suspect a message, or "".

    suspicious: what matching found (a look-alike, a failed check, answers going elsewhere).
    opinion: the second reader's, which counts where there is something to click.
    """
    if suspicious.startswith(("look-alike", "answers would")):
        return suspicious
    file = next((p.name for p in message.parts if is_risky(p.name, p.kind)), "")
    if file:
        return f"attachment {file}"
    secret = next((h for h in hits if h.concept == "ask_secret" and not h.negated), None)
    failed = message.authentic is Authentic.FAIL
    threat = any(h.concept == "threat" for h in hits)
    if secret and (failed or threat or _asks_card(secret, tagged) or _plain_link(message)):
        return tagged[secret.sentence].sentence.text[:300]
    if message.links and opinion.of(Label.PHISHING_SUSPECT) >= _LIKELY:
        return tagged[opinion.places[Label.PHISHING_SUSPECT]].sentence.text[:300]
    if failed and (threat or message.links):
        return message.authentic_because or "the sender fails the provider's checks"
    return ""


def is_risky(name: str, kind: str) -> bool:
    """Whether a file is a program, or pretends to be something else than it is."""
    return kind in ("program", "script") or bool(DOUBLED.search(name)) or (
        bool(RISKY.search(name)) and kind not in ("pdf", "image"))


def _asks_card(hit: Hit, tagged: Sequence[Tagged]) -> bool:
    """Money data or a lowered guard; "körkort" is a proof, and no card."""
    return any(not {"card", "disable"}.isdisjoint(tags) and "id" not in tags
               for tags in tagged[hit.sentence].tags)


def _plain_link(message: Message) -> bool:
    return any(link.lower().startswith("http://") for link in message.links)
