"""The facts of what goes with a complaint: steps by date, proofs of sending, end of the period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from dsar.core.case import (
    Case,
    CaseEvent,
    DeliveryFailed,
    IdentityProvided,
    LetterApproved,
    LetterSent,
    ReplyReceived,
    SendAttempted,
)
from dsar.core.followup import NO_EVENT, OURS, answers_in, labels_of, words_of
from dsar.core.lastday import PAUSED, ROLLED
from dsar.core.letter import Stage
from dsar.core.status import Standing, deadline_facts

LONGEST = 300
"""Characters of one fact of a letter (letters/view.py)."""

WORD_OF = {Stage.REQUEST: "request", Stage.REMINDER: "reminder", Stage.FOLLOW_UP: "reminder",
           Stage.COMPLAINT_FIRST: "complaint"}
"""How a letter of ours is called in a list of enclosures; one to an authority is in none."""

MISSING = "-"
"""Stands where a proof has nothing to show."""

Step = tuple[date, str, str]
"""A day, the id of a phrase, and the digest of the message behind it or an empty text."""

Fact = date | str


def steps_of(case: Case, events: Sequence[CaseEvent], today: date) -> tuple[Step, ...]:
    """Return what happened between person and company, by date and then as recorded.

    What was retracted, automatic mail and doubtful senders are no part of it. Where no answer
    has come, the last step says so.
    """
    found = sorted(_steps(case, events), key=lambda step: step[0])
    if not answers_in(word for _, word, _ in found):
        found.append((today, "no_answer", ""))
    return tuple(found)


def _steps(case: Case, events: Sequence[CaseEvent]) -> Iterator[Step]:
    digests = {a.message_id: a.digest for a in case.approvals}
    for event in events:
        match event:
            case LetterSent() if event in case.letters and event.stage in OURS:
                yield event.on, OURS[event.stage], digests.get(event.message_id, "")
            case DeliveryFailed() if event.is_final and event.digest in case.bounces:
                yield event.on, "came_back", event.digest
            case IdentityProvided() if event in case.clock:
                yield event.on, "identified", ""
            case ReplyReceived() if reply := case.reply(event.digest):
                if not NO_EVENT & set(labels_of(reply)):
                    yield from ((event.on, word, event.digest) for word in words_of(reply))


def proofs_of(events: Iterable[CaseEvent]) -> tuple[tuple[Fact, ...], ...]:
    """Return for each letter to the company that left what proves it.

    The id of its word, the day, the recipient, Message-ID, begin of sending in UTC, the digest of
    the bytes with its name, the words of the mail server; `MISSING` where there is none.
    """
    listed = list(events)
    digests = {e.message_id: f"SHA-256: {e.digest}" for e in listed
               if isinstance(e, LetterApproved)}
    begun = {e.message_id: e.at for e in listed if isinstance(e, SendAttempted)}
    return tuple(
        (WORD_OF[e.stage], e.on, *(_cut(text) for text in (
            e.recipient, e.message_id,
            f"{begun[e.message_id]:%Y-%m-%d %H:%M:%S}" if e.message_id in begun else "",
            digests.get(e.message_id, ""), e.server_reply)))
        for e in listed if isinstance(e, LetterSent) and e.stage in WORD_OF)


def _cut(text: str) -> str:
    return " ".join(text.split())[:LONGEST] or MISSING


def due_facts(standing: Standing) -> dict[str, object]:
    """Return the days from which and to which the period runs, for a request that arrived.

    No end is named where the law gives no number or only advice, or the clock stands still.
    """
    found, case = standing.deadlines, standing.case
    known = deadline_facts(case)
    if known is None or case.request is None:
        return {}
    facts: dict[str, object] = {
        "sent_on": case.request.on, "received_on": known.received,
        "presumed": case.receipt is None or case.receipt.on < case.request.on}
    if found is None or found.due is None or found.advisory or found.waits_for:
        return facts
    first = found.steps[:next((n for n, step in enumerate(found.steps)
                               if step.startswith("extension notice")), None)]
    facts |= {"ends_on": found.due, "rolled": any(s.startswith(ROLLED) for s in first),
              "paused": any(PAUSED in s for s in first)}
    if found.extended_due:
        facts["extended_to"] = found.extended_due
    if found.complain_after and found.complain_after != (found.extended_due or found.due):
        facts["latest_on"] = found.complain_after
    return facts
