"""One case in full: where it stands, what happened, and how its due dates come about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from dsar.core.case import (
    AnswerChecked,
    ApprovalWithdrawn,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    ClockEvent,
    ComplaintLodged,
    DeliveryFailed,
    ExtensionNotified,
    IdentityProvided,
    LetterApproved,
    LetterRefused,
    LetterSent,
    NoteAdded,
    ProofKept,
    RailOverridden,
    ReceiptKnown,
    ReplyRead,
    ReplyReceived,
    Retracted,
    SendAbandoned,
    SendAttempted,
)
from dsar.core.letter import Stage
from dsar.core.status import Standing, as_glimpse
from dsar.report.rows import deadline_item
from dsar.report.terminal import WIDTH, columns, printable
from dsar.store import Event, Recorded


def case_item(standing: Standing, events: Sequence[Recorded]) -> dict[str, Any]:
    """The item of `case show --json`: the row of `deadlines`, with facts, events and replies."""
    facts = standing.case.facts
    return deadline_item(as_glimpse(standing)) | {
        "reference": facts.reference, "language": facts.language, "recipient": facts.recipient,
        "reply_address": facts.reply_address, "origin": facts.origin,
        "disclosed": [list(d) for a in standing.case.approvals for d in a.disclosed],
        "events": [_event_item(e) for e in events],
    }


def _event_item(recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    values = {f.name: _plain(getattr(event, f.name)) for f in fields(event)}
    if isinstance(event, Retracted):
        values["retracts"] = values.pop("sequence")
    return {"sequence": recorded.sequence, "recorded_at": recorded.recorded_at.isoformat(),
            "author": recorded.author, "kind": type(event).__name__} | values


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def case_lines(
    standing: Standing, events: Sequence[Recorded], *, explain: bool
) -> Iterator[str]:
    """Yield the case as text; with `explain` also the steps behind each due date."""
    for line in _lines(standing, events, explain=explain):
        yield from _folded(line)


def _folded(line: str) -> list[str]:
    """A line over several where the terminal would break it anyhow, indented below its text."""
    if columns(line) <= WIDTH:
        return [line]
    deep = 19 if line[:5].strip().isdigit() else len(line) - len(line.lstrip()) + 2
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * deep, break_long_words=False,
                         break_on_hyphens=False)


def _lines(
    standing: Standing, events: Sequence[Recorded], *, explain: bool
) -> Iterator[str]:
    case, facts = standing.case, standing.case.facts
    yield f"{case.id}  {printable(facts.controller_name)}: {facts.right} under {facts.regime}"
    yield f"  {standing.status}" + (f": {standing.needs_you}" if standing.needs_you else "")
    yield from _due_lines(standing, explain=explain)
    if facts.recipient:
        yield f"  to {printable(facts.recipient)}, reference {facts.reference}"
    if told := [kind for a in case.approvals if a.stage is not Stage.COMPLAINT
                for kind, _ in a.disclosed]:
        yield f"  learned about you: {', '.join(dict.fromkeys(told))}"
    yield "What happened:"
    for recorded in events:
        on = getattr(recorded.event, "on", "")
        yield f"  {recorded.sequence:3}  {on}  {printable(describe(recorded.event))}"
    if standing.next:
        yield f"Next: {standing.next}"


def _due_lines(standing: Standing, *, explain: bool) -> Iterator[str]:
    found = standing.deadlines
    if found is None:
        yield "  no due date yet: no request has arrived"
        return
    if found.waits_for:
        words = " or ".join(w.replace("_", " ") for w in found.waits_for)
        yield f"  no due date now: the clock stands still until {words}"
    elif found.due is None:
        yield "  this law names no date for an answer"
    else:
        yield f"  due {found.due}" + (f", extended to {found.extended_due}"
                                      if found.extended_due else "")
    if found.strict_due != found.due or found.charitable_due != found.due:
        latest = f"at the latest {found.charitable_due}" if found.charitable_due else (
            "while the clock stands still nobody is late")
        yield f"  strictly read {found.strict_due}, {latest}"
    if explain:
        yield from (f"    {step}" for step in found.steps)
        yield from (f"    rests on: {cite}" for cite in found.cites)
        yield from (f"    unverified: {point}" for point in found.unverified)


def describe(event: Event) -> str:
    """One event in words."""
    match event:
        case CaseOpened():
            return f"case opened ({event.origin})"
        case LetterApproved():
            return f"{event.stage} approved for {event.recipient}"
        case ApprovalWithdrawn():
            return f"approval withdrawn: {event.because}"
        case SendAttempted():
            return f"sending began, {event.at:%H:%M:%S} UTC"
        case LetterSent():
            how = event.server_reply or (f"settled by {event.settled_by}" if event.settled_by
                                         else "")
            return f"{event.stage} sent to {event.recipient}" + (f" ({how})" if how else "")
        case LetterRefused():
            later = ", to be tried again" if event.temporary else ""
            return f"refused by the mail server{later}: {event.code} {event.reply}"
        case SendAbandoned():
            return f"not sent: {event.because}"
        case DeliveryFailed():
            kind = "bounced" if event.is_final else "delayed"
            return f"{kind} at {event.recipient}: {event.status} {event.diagnostic}".strip()
        case _:
            return _describe_answer(event)


def _describe_answer(event: Event) -> str:
    match event:
        case ReplyReceived():
            because = ", ".join(event.evidence)
            return f"reply from {event.sender} [{event.digest[:10]}], filed by {because}"
        case ReplyRead():
            sentence = f": “{event.sentence}”" if event.sentence else ""
            by = {"machine": "read by machine", "member": "read by the member"}.get(
                event.by, "read by a person")
            return f"{by} as {', '.join(event.labels)}{sentence}"
        case AnswerChecked():
            lacks = f"lacks {', '.join(event.missing)}" if event.missing else "lacks nothing"
            return f"answer gone through: {lacks}"
        case ReceiptKnown():
            return f"received by the company ({event.how})"
        case ClockEvent():
            return event.type.replace("_", " ")
        case IdentityProvided():
            return f"identity proved {event.how}".strip()
        case ExtensionNotified():
            until = f" until {event.until}" if event.until else ""
            return f"extension announced{until}" + ("" if event.reasoned else ", without reasons")
        case ComplaintLodged():
            return f"complaint lodged with {event.authority}"
        case CaseClosed():
            return f"closed: {event.outcome}" + (f" ({event.note})" if event.note else "")
        case CaseReopened():
            return f"opened again {event.note}".strip()
        case NoteAdded():
            return f"note: {event.text}"
        case ProofKept():
            return f"proof kept: {event.name} [{event.digest[:10]}]"
        case RailOverridden():
            return f"rail {event.rail} overridden: {event.reason}"
        case Retracted():
            return f"number {event.sequence} retracted: {event.because}"
        case _:
            return type(event).__name__

