"""What usually happens with a company, from the cases in one's own ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from dsar.core.case import Case
from dsar.core.message import Label

TRANSPORT = frozenset({
    Label.AUTO_REPLY, Label.BOUNCE_PERMANENT, Label.BOUNCE_TEMPORARY, Label.UNRELATED,
    Label.PHISHING_SUSPECT,
})
"""Labels that say nothing about what the company does with a request."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Counts over requests that were sent. `labels`: how many cases had such a reply.

    first_reply_days: the median number of days to the first reply of the company itself, None
    where there was none. confirmed: how many of the replies counted a person has confirmed.
    """

    sent: int
    replied: int
    first_reply_days: float | None
    labels: tuple[tuple[str, int], ...]
    confirmed: int


def expectation(cases: Iterable[Case], slugs: frozenset[str]) -> Expectation | None:
    """Return what happened to the requests to these companies; None where none was sent."""
    sent = [(c, c.request) for c in cases if c.facts.controller in slugs and c.request]
    if not sent:
        return None
    days, confirmed = [], 0
    labels: Counter[str] = Counter()
    for case, request in sent:
        replies = [r for r in case.replies if r.reading and not TRANSPORT & set(r.reading.labels)]
        if replies:
            days.append(max((min(r.received.on for r in replies) - request.on).days, 0))
        confirmed += sum(r.confirmed is not None for r in replies)
        labels.update({label for r in replies if r.reading for label in r.reading.labels})
    return Expectation(
        sent=len(sent), replied=len(days), first_reply_days=median(days) if days else None,
        labels=tuple(labels.most_common()), confirmed=confirmed,
    )


def in_words(found: Expectation | None) -> str:
    """Return the expectation as one sentence."""
    if found is None:
        return "You have not written to this company yet."
    requests = "request" if found.sent == 1 else "requests"
    if found.first_reply_days is None:
        return f"No reply to {found.sent} {requests} so far."
    common = ", ".join(f"{label.replace('_', ' ')} {count}" for label, count in found.labels)
    return (f"Replied to {found.replied} of {found.sent} {requests}, first after "
            f"{found.first_reply_days:g} days (median). Replies: {common or 'none read'}; "
            f"{found.confirmed} confirmed by you.")
