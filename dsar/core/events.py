"""What can happen in a case: a closed union of facts in the past tense, never changed.

A kind keeps its meaning for ever: add kinds, add fields with defaults, never rename.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from dsar.core.letter import Stage


@dataclass(frozen=True, kw_only=True)
class CaseOpened:
    """One subject, one controller, one right, one law.

    country, subdivision: whose holidays count; controller_outside: the controller sits outside
    the law's countries. mailbox: the person's own address. reply_address: where answers to this
    case arrive. message_ids: of letters filed elsewhere, for a case that was imported.
    campaign, wave: of a request that a group files for a member, whose code is `subject_id`.
    """

    on: date
    case_id: str
    reference: str
    subject_id: str
    controller: str
    controller_name: str
    right: str
    regime: str
    language: str
    country: str
    subdivision: str | None = None
    controller_outside: bool = False
    group: str | None = None
    recipient: str | None = None
    reply_address: str | None = None
    reply_domains: tuple[str, ...] = ()
    reply_mailboxes: tuple[str, ...] = ()
    origin: str = "dsar"
    mailbox: str | None = None
    message_ids: tuple[str, ...] = ()
    follows: str | None = None
    campaign: str | None = None
    wave: int = 0


@dataclass(frozen=True, kw_only=True)
class LetterApproved:
    """What is approved is what is sent: these bytes (SHA-256), to this recipient.

    wave: in which a later letter of a campaign's case goes; the request goes in that of the case.
    """

    on: date
    stage: Stage
    message_id: str
    digest: str
    recipient: str
    account: str
    channel: str = "email"
    disclosed: tuple[tuple[str, str], ...] = ()
    wave: int = 0


@dataclass(frozen=True, kw_only=True)
class ApprovalWithdrawn:
    """A letter that was approved will not be sent."""

    on: date
    message_id: str
    because: str


@dataclass(frozen=True, kw_only=True)
class SendAttempted:
    """Recorded before the SMTP dialogue, so that a crash leaves a trace."""

    on: date
    at: datetime
    message_id: str
    recipient: str
    account: str


@dataclass(frozen=True, kw_only=True)
class LetterSent:
    """The server took the letter; `server_reply` is its word, kept as evidence of acceptance."""

    on: date
    message_id: str
    stage: Stage
    recipient: str
    server_reply: str = ""
    channel: str = "email"
    settled_by: str = ""


@dataclass(frozen=True, kw_only=True)
class LetterRefused:
    """The server would not take the letter; nothing went out."""

    on: date
    message_id: str
    code: int
    reply: str
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class SendAbandoned:
    """An attempt that certainly did not go out: no connection, or the user says so."""

    on: date
    message_id: str
    because: str


@dataclass(frozen=True, kw_only=True)
class DeliveryFailed:
    """A bounce of one of our letters; it sets delivery, never the end of the case.

    permanent: the address does not work. passing: the server gave up for a cause that passes, such
    as a full mailbox; the letter has not arrived either. Neither: a delay, nothing is known yet.
    """

    on: date
    message_id: str
    recipient: str
    permanent: bool
    status: str = ""
    diagnostic: str = ""
    digest: str = ""
    passing: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the letter did not arrive and nobody tries it any more."""
        return self.permanent or self.passing


@dataclass(frozen=True, kw_only=True)
class ReplyReceived:
    """A message was filed under this case, with the evidence for it."""

    on: date
    at: datetime
    digest: str
    message_id: str | None
    sender: str
    subject: str
    authentic: str
    evidence: tuple[str, ...]
    filed_by: str = "machine"
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReplyRead:
    """A reading of a reply: by machine with the sentence it rests on, or by a person."""

    on: date
    digest: str
    labels: tuple[str, ...]
    by: str
    sentence: str = ""
    confidence: float = 1.0
    language: str = ""
    new_due_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerChecked:
    """An answer was gone through: which demands of the request it meets and which it lacks.

    present, missing: ids of demands as the law's data name them. digest: of the answer, where
    one message is meant.
    """

    on: date
    missing: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    digest: str = ""
    by: str = "person"


@dataclass(frozen=True, kw_only=True)
class ReceiptKnown:
    """When the letter reached the controller, where that differs from sending."""

    on: date
    how: str


@dataclass(frozen=True, kw_only=True)
class ClockEvent:
    """Something that may move the period: id_requested, id_provided, clarification_requested, …

    digest: of the message that said so, where one did.
    """

    on: date
    type: str
    justified: bool = True
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class IdentityProvided:
    """The person proved their identity; `how` says by what."""

    on: date
    how: str = ""


@dataclass(frozen=True, kw_only=True)
class ExtensionNotified:
    """The controller announced that it needs longer; valid only as the law says."""

    on: date
    until: date | None = None
    reasoned: bool = True
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class ComplaintLodged:
    """A complaint went to a supervisory authority; `message_id` where it was a letter of ours."""

    on: date
    authority: str
    reference: str = ""
    message_id: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseClosed:
    """How it ended: erased, answered, nothing-held, partly, refused, withdrawn, no-answer, …"""

    on: date
    outcome: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseReopened:
    """Closed by mistake, or it goes on."""

    on: date
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteAdded:
    """What the user wants to remember."""

    on: date
    text: str


@dataclass(frozen=True, kw_only=True)
class RailOverridden:
    """A safety rail was overridden by the user, for this reason."""

    on: date
    rail: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ProofKept:
    """A screenshot of a filing, a receipt of the post: bytes in the archive, and their name."""

    on: date
    digest: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Retracted:
    """The event with this number (1 is the first of the case) counts no longer."""

    on: date
    sequence: int
    because: str


CaseEvent = (
    CaseOpened | LetterApproved | ApprovalWithdrawn | SendAttempted | LetterSent | LetterRefused
    | SendAbandoned | DeliveryFailed | ReplyReceived | ReplyRead | AnswerChecked | ReceiptKnown
    | ClockEvent | IdentityProvided | ExtensionNotified | ComplaintLodged | CaseClosed
    | CaseReopened | NoteAdded | RailOverridden | ProofKept | Retracted
)
