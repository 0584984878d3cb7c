"""Filing by a person: assign, ignore, take out; shared by `inbox` commands and triage."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.core.case import (
    CaseEvent,
    ClockEvent,
    ExtensionNotified,
    ReplyRead,
    ReplyReceived,
    Retracted,
)
from dsar.core.house import STREAM, MessageAssigned, MessageIgnored, MessageSetAside
from dsar.core.message import Label
from dsar.errors import StorageFailed, UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case, Reply
    from dsar.core.message import Message
    from dsar.store import Store


def file_under(
    app: App, store: Store, case_id: str, digest: str, *, labels: tuple[str, ...],
    until: date | None = None, raw: bytes | None = None,
) -> None:
    """Record that a person filed a message under a case and, with labels, what it says.

    raw: the bytes, where the person has another key than this machine. Raises UsageProblem where
    nobody here can read the message: who files it, or says what it is, has to know what it says.
    """
    case = store.case(case_id)
    message = archived(app, digest) if raw is None else _parsed(raw)
    if is_unreadable(message):
        raise _refusal(case, digest)
    events = _assigned(app, store, case, message, labels, raw)
    if labels:
        effects = _effects(app, store, case, message, labels, until)
        events += _taken_back(app, store, case, digest, effects)
        events += [event for event in effects if not _has(case, event)]
    store.append(case_id, events, after=case.version)
    if digest in store.house().waiting:
        done = MessageAssigned(on=app.today, digest=digest, case_id=case_id)
        store.append(STREAM, [done], after=store.house().version)


def note_reading(app: App, store: Store, case: Case, reply: Reply, *, labels: tuple[str, ...],
                 until: date | None) -> None:
    """Record what a member says of an answer that is filed; nobody here has to be able to read it.
    """
    from dsar.core.message import Message

    digest = reply.received.digest
    unseen = Message(digest=digest, message_id=None)
    effects = _effects(app, store, case, unseen, labels, until)
    events: list[CaseEvent] = [
        ReplyRead(on=app.today, digest=digest, labels=labels, by="member"),
        *_taken_back(app, store, case, digest, effects),
        *(event for event in effects if not _has(case, event))]
    store.append(case.id, events, after=case.version)


def ignore_message(app: App, store: Store, digest: str) -> None:
    """Record that a waiting message answers no case, and remove its bytes."""
    if digest not in store.house().waiting:
        raise UsageProblem(f"{digest[:10]} is filed under a case.",
                           hint="dsar inbox unfile MESSAGE CASE takes it out.")
    event = MessageIgnored(on=app.today, digest=digest)
    store.append(STREAM, [event], after=store.house().version)
    app.archive.delete(digest)


def take_out(app: App, store: Store, case_id: str, digest: str, reason: str) -> None:
    """Retract everything this message did in a case; it waits for the person again.

    The bytes stay in the archive. That it waits is recorded first: no later poll files it back.
    """
    case = store.case(case_id)
    numbers = [r.sequence for r in store.events(case_id)
               if isinstance(r.event, ReplyReceived | ReplyRead | ExtensionNotified | ClockEvent)
               and r.event.digest == digest]
    known = case.reply(digest)
    if known is None or not numbers:
        raise UsageProblem(f"{digest[:10]} is not filed under {case_id}.")
    got, labels = known.received, known.machine.labels if known.machine else ("unclear",)
    aside = MessageSetAside(
        on=got.on, at=got.at, digest=digest, subject=got.subject, sender=got.sender,
        candidates=(case_id,), evidence=(), labels=labels, why=f"taken out of {case_id}")
    if not _is_elsewhere(store, case_id, digest):
        store.append(STREAM, [aside], after=store.house().version)
    events = [Retracted(on=app.today, sequence=n, because=reason) for n in numbers]
    store.append(case_id, events, after=case.version)


def _is_elsewhere(store: Store, case_id: str, digest: str) -> bool:
    """Whether the message is filed under another case as well, or waits already."""
    return digest in store.house().waiting or any(
        case.id != case_id and case.reply(digest) is not None for case in store.cases())


def _taken_back(
    app: App, store: Store, case: Case, digest: str, effects: list[CaseEvent]
) -> list[CaseEvent]:
    """Retractions of what an earlier label of this message did to the clock."""
    return [
        Retracted(on=app.today, sequence=r.sequence, because="another label")
        for r in store.events(case.id)
        if isinstance(r.event, ExtensionNotified | ClockEvent) and r.event.digest == digest
        and r.event in case.clock and r.event not in effects]


def _has(case: Case, event: CaseEvent) -> bool:
    """Whether the clock knows of it; from before a message was noted with it, too."""
    if isinstance(event, ClockEvent):
        return any(isinstance(e, ClockEvent) and (e.on, e.type) == (event.on, event.type)
                   for e in case.clock)
    return event in case.clock


def full_digest(store: Store, short: str) -> str:
    """The one waiting or filed message whose digest begins so. Raises UsageProblem."""
    known = set(store.house().seen) | {r.received.digest for c in store.cases() for r in c.replies}
    found = [d for d in known if d.startswith(short.lower())]
    if len(found) == 1 and len(short) >= 4:
        return found[0]
    problem = "No message begins" if not found else f"{len(found)} messages begin"
    raise UsageProblem(f"{problem} with {short!r}.", hint="dsar inbox list")


def archived(app: App, digest: str) -> Message:
    """A message of the archive; what is sealed to a member stands there without its words."""
    from dsar.store.sealing import Locked

    try:
        return _parsed(app.archive.read(digest))
    except (Locked, StorageFailed):
        if not app.home.campaigns.is_dir() or not app.archive.is_sealed(digest):
            raise
    from dsar.cli.campaign_mail import opened, sealed_message

    raw = opened(app, digest)
    return sealed_message(digest) if raw is None else _parsed(raw)


def is_unreadable(message: Message) -> bool:
    """Whether it is sealed to a member: nobody here can say what stands in it."""
    from dsar.cli.campaign_mail import SEALED

    return message.message_id is None and message.own_text == SEALED


def _parsed(raw: bytes) -> Message:
    from dsar.mail.parse import parse

    return parse(raw, trusted_authserv=())


def _refusal(case: Case, digest: str) -> UsageProblem:
    """Why nobody here files a sealed message, or says what it is."""
    campaign = case.facts.campaign or "ID"
    way = (f"dsar campaign confirm {campaign}" if case.reply(digest) is not None
           else f"The keeper can: dsar campaign assign {campaign} {digest[:10]}")
    return UsageProblem(f"{digest[:10]} is sealed: nobody here can read it.", hint=way)


def _kept(app: App, store: Store, case: Case, message: Message, raw: bytes | None) -> bool:
    """Keep a message for whom it is filed, also where it was sealed to others before.

    Returns whether no word of it may stand in the ledger.
    """
    if raw is None and case.facts.campaign is None and not app.home.campaigns.is_dir():
        return False
    from dsar.cli.campaign_mail import keep_for, opened
    from dsar.store.sealing import Locked

    own = False
    if raw is None:
        try:
            raw, own = app.archive.read(message.digest), True
        except (Locked, StorageFailed):
            raw = opened(app, message.digest)
    if raw is None or (own and case.facts.campaign is None):
        return False
    return keep_for(app, store, case, message.digest, raw)


def _assigned(app: App, store: Store, case: Case, message: Message, labels: tuple[str, ...],
              raw: bytes | None) -> list[CaseEvent]:
    from dsar.cli.receiving import local_date

    digest, known = message.digest, case.reply(message.digest)
    aside: MessageSetAside | None = store.house().waiting.get(digest)
    when = message.received or (aside.at if aside else app.now())
    sealed = known is None and _kept(app, store, case, message, raw)
    events: list[CaseEvent] = [] if known else [ReplyReceived(
        on=local_date(when), at=when, digest=digest, message_id=message.message_id,
        sender=message.sender.addr if message.sender else aside.sender if aside else "",
        subject="" if sealed else message.subject, authentic=str(message.authentic),
        evidence=("said by you",), filed_by="person")]
    if labels:
        events.append(ReplyRead(on=app.today, digest=digest, labels=labels, by="person"))
    elif known is None:
        machine = aside.labels if aside else (str(Label.UNCLEAR),)
        events.append(ReplyRead(on=app.today, digest=digest, labels=machine, by="machine"))
    return events


def _effects(app: App, store: Store, case: Case, message: Message, labels: tuple[str, ...],
             until: date | None) -> list[CaseEvent]:
    """What a confirmed label does to the law's clock, dated by the arrival of the message."""
    from dsar.cli.receiving import local_date

    digest, known = message.digest, case.reply(message.digest)
    aside = store.house().waiting.get(digest)
    if message.received is not None:
        on = local_date(message.received)
    else:
        on = known.received.on if known else aside.on if aside else app.today
    machine = known.machine.new_due_on if known and known.machine else None
    day = until or machine
    found: list[CaseEvent] = []
    if Label.EXTENSION_NOTICE in labels:
        found.append(ExtensionNotified(on=on, until=day, digest=digest))
    if Label.IDENTITY_REQUEST in labels:
        found.append(ClockEvent(on=on, type="id_requested", digest=digest))
    if Label.CLARIFICATION_REQUEST in labels:
        found.append(ClockEvent(on=on, type="clarification_requested", digest=digest))
    if Label.FEE_DEMAND in labels:
        found.append(ClockEvent(on=on, type="fee_requested", digest=digest))
    return found
