"""The rail `breaker`: when letters come back, or the provider objects, sending pauses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dsar.core.case import Case, LetterRefused

WINDOW = 20
"""Of so many letters, the latest of an account, ..."""
MAX_FAILED = 3
"""... so many hard bounces pause the account."""
MAX_SHARE = 0.08
"""More than this share of a batch of at least `WINDOW` pauses it as well."""
PAUSE = timedelta(hours=24)
"""How long an account rests after its provider spoke of spam or limits."""

_ENHANCED = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
_LIMIT_STATUS = {("4", "7"), ("4", "5")}
_WORDS = re.compile(
    r"spam|rate.?limit|too many|limit exceeded|exceeded.{0,40}limit|quota|throttl|blocked|"
    r"reputation|suspicious|unusual|try again tomorrow|daily.{0,20}limit|bulk", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Trip:
    """Why sending pauses, and until when (None: until a person resumes it)."""

    because: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One letter that was tried: when, and whether it came back for good."""

    at: datetime
    failed: bool
    recipient: str


def posted(cases: Iterable[Case], account: str, *, since: datetime | None = None) -> list[Posted]:
    """The letters of an account, oldest first; since: only those tried after that instant."""
    found = [
        Posted(at=a.at, failed=_came_back(case, a.message_id), recipient=a.recipient)
        for case in cases for a in case.attempts
        if a.account == account and (since is None or a.at > since)
    ]
    return sorted(found, key=lambda one: one.at)


def _came_back(case: Case, message_id: str) -> bool:
    refused = case.refused
    hard = refused is not None and not refused.temporary and refused.message_id == message_id
    return hard or message_id in case.bounced


def trip(letters: Sequence[Posted]) -> Trip | None:
    """Whether the latest letters of an account came back too often.

    letters: oldest first. The third hard bounce among the last twenty pauses; so does a share
    above 8 % once there are twenty.
    """
    latest = letters[-WINDOW:]
    failed = [one.recipient for one in latest if one.failed]
    if len(failed) >= MAX_FAILED:
        return Trip(because=f"{len(failed)} of the last {len(latest)} letters came back")
    share = sum(one.failed for one in letters) / len(letters) if letters else 0.0
    if len(letters) >= WINDOW and share > MAX_SHARE:
        return Trip(because=f"{share:.0%} of {len(letters)} letters came back")
    return None


def objection(refusal: LetterRefused, now: datetime) -> Trip | None:
    """Whether a refusal is about us rather than the recipient: spam, rates, limits.

    RFC 3463: 4.7.x (security or policy) and 4.5.x (protocol, too many recipients) of our own
    provider, or words to that effect with 5.7.x and 421.
    """
    status = _ENHANCED.search(refusal.reply)
    kind = (status.group(1), status.group(2)) if status else ("", "")
    spoken = bool(_WORDS.search(refusal.reply))
    about_us = kind in _LIMIT_STATUS or (spoken and (kind[1] == "7" or refusal.code in (
        421, 450, 451, 452, 454, 550, 552, 554)))
    if not about_us:
        return None
    return Trip(because=f"the provider objects: {refusal.code} {refusal.reply}"[:300],
                until=now + PAUSE)
