"""New mail → recorded replies; what answers no case is neither stored nor named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from dsar.core.case import (
    Case,
    CaseEvent,
    DeliveryFailed,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
)
from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.contact import mailbox_key
from dsar.core.house import STREAM, MessageSetAside
from dsar.core.letter import Stage
from dsar.core.match import Evidence, Match
from dsar.core.message import Message
from dsar.drafting import Archive
from dsar.reading.reading import Reading
from dsar.store import Store


@dataclass(frozen=True, kw_only=True)
class Found:
    """One message with what was made of it. `new`: something was recorded (or would be).

    sealed: no word of the message may stand in the ledger, nor be shown.
    """

    message: Message
    match: Match
    reading: Reading
    new: bool
    sealed: bool = False


class Held(Protocol):
    """A mail that is written already, and taken into the archive when it answers a case."""

    def keep(self) -> None:
        """Take it in, durably."""

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes, for another archive to keep."""


class SealingArchive(Protocol):
    """Where messages are kept sealed to somebody's key, under the digest of the plain bytes."""

    def add(self, data: bytes | Iterable[bytes]) -> str:
        """Store `data` durably and return its SHA-256 in hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class Discretion:
    """A message concerns members of a campaign. sealed: no word of it may stand in the ledger."""

    archive: SealingArchive
    sealed: bool


def _unlearned(case_id: str, tickets: Sequence[str]) -> None:
    """Nobody keeps ticket numbers for the next message."""


def _never(digest: str, message: Message) -> bool:
    """Only the same bytes are the same message."""
    return False


def _nobody(cases: Sequence[Case]) -> None:
    """No member of a campaign is concerned."""


@dataclass(kw_only=True)
class Reception:
    """Files messages one by one.

    cases: folded cases by id, kept up to date as events are added. judge: message → match and
    reading. local: instant → the local date that counts. store/archive: None for a dry run.
    set_aside: digests of what a person decides on, or has decided on: never filed by itself.
    settled: cases whose doubtful letter turned out to have been sent. discretion: how a message
    that may answer these cases is kept, or None for the ordinary way. learned: hears the ticket
    numbers of each reply that is filed. same: whether the mail archived under a digest says the
    same as a message: asked only where both bear one Message-ID.
    """

    cases: dict[str, Case]
    judge: Callable[[Message], tuple[Match, Reading]]
    local: Callable[[datetime], date]
    now: Callable[[], datetime]
    store: Store | None = None
    archive: Archive | None = None
    set_aside: set[str] = field(default_factory=set)
    settled: list[str] = field(default_factory=list)
    discretion: Callable[[Sequence[Case]], Discretion | None] = _nobody
    learned: Callable[[str, Sequence[str]], None] = _unlearned
    same: Callable[[str, Message], bool] = _never

    def file(self, raw: bytes | Held, message: Message) -> Found:
        """Record what `message` means for our cases, once for each (digest, case).

        raw: its bytes, or what holds them. They are archived before any event names
        them; mail that answers no case and has no candidate leaves no trace. Raises StorageFailed.
        """
        match, reading = self.judge(message)
        decided = message.digest in self.set_aside
        if match.own:
            return self._own_copy(Found(message=message, match=match, reading=reading, new=False))
        fresh = [c for c in match.case_ids if not decided
                 and self.cases[c].reply(message.digest) is None
                 and not self._is_written_anew(self.cases[c], message)
                 and not _is_known_bounce(self.cases[c], message)
                 and not _is_about_copy(self.cases[c], message)]
        aside = bool(match.candidates and not match.case_ids and not decided)
        private = self.discretion([self.cases[c] for c in match.case_ids or match.candidates])
        found = Found(message=message, match=match, reading=reading, new=bool(fresh or aside),
                      sealed=private is not None and private.sealed)
        if not found.new or self.store is None or self.archive is None:
            return found
        if private is not None:
            private.archive.add(raw if isinstance(raw, bytes) else raw.chunks())
        elif isinstance(raw, bytes):
            self.archive.add(raw)
        else:
            raw.keep()
        for case_id in fresh:
            self._record(case_id, found)
        if aside:
            self._put_aside(found)
        return found

    def file_brought(self, raw: bytes, message: Message, case_id: str) -> Found:
        """Record a message that the person whose case it is brought: filed by the person.

        What it says is read by machine, and provisional like every reading. Raises StorageFailed.
        """
        assert self.store is not None
        assert self.archive is not None
        reading = self.judge(message)[1]
        private = self.discretion([self.cases[case_id]])
        evidence = Evidence(kind="brought by the person", case_id=case_id, detail="")
        found = Found(message=message, reading=reading, new=True,
                      match=Match(case_ids=(case_id,), evidence=(evidence,)),
                      sealed=private is not None and private.sealed)
        (private.archive if private else self.archive).add(raw)
        self._record(case_id, found)
        return found

    def _is_written_anew(self, case: Case, message: Message) -> bool:
        """Whether it is a filed reply in other bytes: servers and mail programs write mail anew.

        A Message-ID alone proves nothing: it may be used twice, or forged.
        """
        return bool(message.message_id) and any(
            each.received.message_id == message.message_id
            and self.same(each.received.digest, message) for each in case.replies)

    def _own_copy(self, found: Found) -> Found:
        """A copy of a doubtful letter proves that the server took it: nobody else has its id."""
        own = found.message.message_id
        for case in self.cases.values():
            doubt = case.in_doubt
            if doubt is not None and doubt.message_id == own and self.store is not None:
                event = sent_after_all(case, doubt, "the copy to oneself")
                self.store.append(case.id, [event], after=case.version)
                self.cases[case.id] = self.store.case(case.id)
                self.settled.append(case.id)
        return found

    def _record(self, case_id: str, found: Found) -> None:
        assert self.store is not None
        case = self.cases[case_id]
        events = self._events(case, found)
        self.store.append(case_id, events, after=case.version)
        self.learned(case_id, found.reading.tickets)
        self.cases[case_id] = self.store.case(case_id)

    def _events(self, case: Case, found: Found) -> list[CaseEvent]:
        message = found.message
        on = self.local(message.received or self.now())
        events: list[CaseEvent] = list(_settled(case, found))
        if message.report is not None and message.report.action in ("failed", "delayed"):
            return [*events, _delivery_failed(case, message, on)]
        because = tuple(dict.fromkeys(e.kind for e in found.match.evidence
                                      if e.case_id == case.id))
        sender = message.sender.addr if message.sender else ""
        return [*events, ReplyReceived(
            on=on, at=message.received or self.now(), digest=message.digest,
            message_id=message.message_id, sender=sender,
            subject="" if found.sealed else message.subject,
            authentic=str(message.authentic), evidence=because, tickets=found.reading.tickets,
        ), machine_reading(found, on)]

    def _put_aside(self, found: Found) -> None:
        assert self.store is not None
        message, match = found.message, found.match
        at = message.received or self.now()
        event = MessageSetAside(
            on=self.local(at), at=at, digest=message.digest,
            subject="" if found.sealed else message.subject,
            sender=message.sender.addr if message.sender else "", candidates=match.candidates,
            evidence=tuple(f"{e.kind}: {e.case_id}" for e in match.evidence),
            labels=tuple(map(str, found.reading.labels)),
            why=match.suspicious or match.why or "ambiguous",
        )
        self.store.append(STREAM, [event], after=len(self.store.events(STREAM)))
        self.set_aside.add(message.digest)


def machine_reading(found: Found, on: date) -> ReplyRead:
    """The provisional reading of a message as an event."""
    reading = found.reading
    return ReplyRead(
        on=on, digest=found.message.digest, labels=tuple(map(str, reading.labels)), by="machine",
        sentence="" if found.sealed else reading.sentence, confidence=reading.confidence,
        language=reading.language,
        new_due_on=reading.clock.new_due_on,
    )


def _settled(case: Case, found: Found) -> Iterator[LetterSent]:
    """A message that names the letter in doubt proves that the letter went out."""
    doubt = case.in_doubt
    if doubt is None:
        return
    message, report = found.message, found.message.report
    named = {*message.in_reply_to, *message.references}
    if report and report.returned_message_id:
        named.add(report.returned_message_id)
    if doubt.message_id in named:
        yield sent_after_all(case, doubt, "a reply")


def sent_after_all(case: Case, doubt: SendAttempted, how: str) -> LetterSent:
    """The event that settles a doubtful letter as sent, on the day of the attempt."""
    stages = {a.message_id: a.stage for a in case.approvals}
    return LetterSent(on=doubt.on, message_id=doubt.message_id, recipient=doubt.recipient,
                      stage=stages.get(doubt.message_id, Stage.REQUEST), settled_by=how)


def _delivery_failed(case: Case, message: Message, on: date) -> DeliveryFailed:
    report = message.report
    assert report is not None
    failed = report.action == "failed"
    passing = failed and (report.passing or report.status.startswith("4"))
    return DeliveryFailed(
        on=on, message_id=report.returned_message_id or _letter_to(case, report.recipients),
        status=report.status, passing=passing, permanent=failed and not passing,
        recipient=report.recipients[0] if report.recipients else case.facts.recipient or "",
        diagnostic=report.diagnostic[:500], digest=message.digest,
    )


def _is_known_bounce(case: Case, message: Message) -> bool:
    return message.digest in case.bounces


def _letter_to(case: Case, recipients: Sequence[str]) -> str:
    """The latest letter to one of these addresses, where a report names none; else the latest."""
    keys = {mailbox_key(address) for address in recipients}
    sent = [(s.message_id, s.recipient) for s in case.letters]
    sent += [(a.message_id, a.recipient) for a in case.attempts]
    named = [id_ for id_, address in sent if mailbox_key(address) in keys]
    return (named or [id_ for id_, _ in sent] or [""])[-1]


def _is_about_copy(case: Case, message: Message) -> bool:
    """Whether a report is about the copy to oneself only: the letter itself may have arrived."""
    told = message.report.recipients if message.report else ()
    own = mailbox_key(case.facts.mailbox or "")
    return bool(told and own) and all(mailbox_key(address) == own for address in told)


def case_facts(case: Case) -> CaseFacts:
    """What matching has to know of a case."""
    facts = case.facts
    complaints = [a for a in case.approvals if a.stage is Stage.COMPLAINT]
    sent = [s.on for s in case.letters] or [a.on for a in case.attempts] or [facts.on]
    return CaseFacts(
        case_id=case.id, message_ids=case.message_ids, reference=facts.reference,
        origin=facts.origin, reply_address=facts.reply_address, mailbox=facts.mailbox or "",
        controller=facts.controller, name=facts.controller_name,
        addresses=frozenset(a.lower() for a in (facts.recipient, *facts.reply_mailboxes) if a),
        domains=facts.reply_domains, shared_domain=not facts.reply_domains,
        tickets=tuple(t for r in case.replies for t in r.received.tickets),
        is_open=case.closed is None, sent_on=sent[0], latest_sent_on=max(sent),
        language=facts.language, right=facts.right, person=facts.subject_id,
        one_mailbox=facts.campaign is not None,
        complaint_ids=frozenset(a.message_id for a in complaints),
        authorities=frozenset(a.recipient.lower().rpartition("@")[2] for a in complaints),
    )


def index_of(cases: Mapping[str, Case], **lists: Iterable[str]) -> CaseIndex:
    """The index over all cases; `lists` are those of `CaseIndex.of`."""
    return CaseIndex.of(map(case_facts, cases.values()), **lists)


def settle_from_sent(store: Store, cases: Mapping[str, Case], sent: frozenset[str]) -> list[str]:
    """Record as sent every doubtful letter whose Message-ID lies in the Sent mailbox."""
    settled: list[str] = []
    for case in cases.values():
        doubt = case.in_doubt
        if doubt is None or doubt.message_id not in sent:
            continue
        event = sent_after_all(case, doubt, "the Sent mailbox")
        store.append(case.id, [event], after=case.version)
        settled.append(case.id)
    return settled

