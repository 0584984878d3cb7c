"""A case told by date, with the proof of each sending and how its due date comes about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from dsar.core.case import CaseEvent, LetterApproved, LetterSent, SendAttempted
from dsar.core.status import Standing
from dsar.report.onecase import describe
from dsar.report.terminal import printable
from dsar.store import Recorded

WIDTH = 78
QUIET = ("LetterApproved", "ApprovalWithdrawn", "SendAttempted", "RailOverridden", "NoteAdded")
"""Kinds that say how the work was done, not what happened between person and company."""


def timeline_lines(
    events: Sequence[Recorded], files: Mapping[str, str], *, everything: bool = True
) -> Iterator[str]:
    """Yield the events by the day they happened.

    files: digest → name of the file with the message, named behind the event. everything: also
    what is of interest inside the house only.
    """
    shown = [r for r in events if everything or type(r.event).__name__ not in QUIET]
    for recorded in sorted(shown, key=lambda r: (str(getattr(r.event, "on", "")), r.sequence)):
        event = recorded.event
        text = printable(describe(event))
        if name := files.get(getattr(event, "digest", "")):
            text += f" [{name}]"
        yield from wrapped(f"{getattr(event, 'on', ''):%Y-%m-%d}  {text}", indent=12)


def proof_lines(events: Sequence[CaseEvent]) -> Iterator[str]:
    """Yield for each letter that left: when, to whom, its Message-ID, and the server's words."""
    digests = {e.message_id: e.digest for e in events if isinstance(e, LetterApproved)}
    begun = {e.message_id: e.at for e in events if isinstance(e, SendAttempted)}
    for sent in (e for e in events if isinstance(e, LetterSent)):
        yield f"{sent.stage} of {sent.on} to {printable(sent.recipient)}"
        if sent.message_id in begun:
            yield f"  sending began: {begun[sent.message_id].isoformat(' ', 'seconds')}"
        yield f"  Message-ID: {printable(sent.message_id)}"
        if sent.message_id in digests:
            yield f"  SHA-256 of the bytes sent: {digests[sent.message_id]}"
        if sent.server_reply:
            yield f"  reply of the mail server, word for word: {printable(sent.server_reply)}"
        elif sent.settled_by:
            yield f"  that it went out is known from: {printable(sent.settled_by)}"
        yield ""


def computation_lines(standing: Standing) -> Iterator[str]:
    """Yield the due date step by step, as the law's data give it."""
    found, case = standing.deadlines, standing.case
    if found is None or case.request is None:
        yield "No due date: no request has reached the company."
        return
    receipt = case.receipt
    why = "the mail server accepted the letter that day" if case.request.server_reply else (
        "no later day is known")
    how = f"received {receipt.on} ({receipt.how})" if receipt else (
        f"received {case.request.on}, presumed: {why}")
    yield from wrapped(f"Law: {case.facts.regime}; sent {case.request.on}; {printable(how)}")
    for words, day in (("due", found.due), ("with the extension", found.extended_due),
                       ("on the earliest reading", found.strict_due),
                       ("on the latest reading", found.complain_after)):
        if day:
            yield f"{words}: {day}"
    yield ""
    for step in found.steps:
        yield from wrapped(f"- {printable(step)}", indent=2)
    for cite in found.cites:
        yield from wrapped(f"Rests on: {printable(cite)}", indent=2)
    for doubt in found.unverified:
        yield from wrapped(f"Not verified: {printable(doubt)}", indent=2)


def wrapped(line: str, *, indent: int = 0) -> list[str]:
    """A line over several, the following ones indented."""
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False,
                         break_on_hyphens=False) or [""]
