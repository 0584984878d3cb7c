"""What can happen in a campaign and to its members: closed unions of facts in the past tense.

A campaign has the stream `campaign/<id>`, each member the stream `member/<id>/<code>`. What says
who a member is stands sealed; codes, countries and dates are all an operator sees. A kind keeps
its meaning for ever: add kinds, add fields with defaults, never rename.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dsar.core.letter import Stage

CAMPAIGN_PREFIX = "campaign/"
MEMBER_PREFIX = "member/"


def campaign_stream(campaign_id: str) -> str:
    """The id of the stream a campaign's events stand in."""
    return CAMPAIGN_PREFIX + campaign_id


def member_stream(campaign_id: str, code: str) -> str:
    """The id of the stream a member's events stand in; with code "" the prefix of them all."""
    return f"{MEMBER_PREFIX}{campaign_id}/{code}"


@dataclass(frozen=True, kw_only=True)
class CampaignStarted:
    """A group begins to file for its members.

    contact: the address of a person at the group whom a controller can ask. mode: `kit`, each
    member sends, or `mandate`, the group sends with signed mandates. sending_key, content_key:
    public keys; identities are sealed to the first, answers never to it without consent.
    account: of the mailbox letters go out from. consent_digest: SHA-256 of the consent text.
    spread: the letters of a day are spread over the working hours of each controller.
    erasure_because: why an erasure may go before access was answered; "" is the rail `erasure`.
    """

    on: date
    campaign_id: str
    name: str
    organisation: str
    contact: str
    mode: str
    rights: tuple[str, ...]
    purge_on: date
    consent_version: str
    consent_digest: str
    sending_key: str
    content_key: str
    account: str = ""
    per_controller_per_day: int = 20
    spread: bool = True
    first_wave: int = 50
    four_eyes_over: int = 100
    erasure_because: str = ""


@dataclass(frozen=True, kw_only=True)
class CampaignChanged:
    """Something was agreed anew, such as the pace with the controllers; None leaves it as is."""

    on: date
    because: str
    per_controller_per_day: int | None = None
    spread: bool | None = None
    purge_on: date | None = None
    account: str | None = None
    contact: str | None = None


@dataclass(frozen=True, kw_only=True)
class TargetsChosen:
    """The controllers a campaign writes to, as slugs; the latest choice counts."""

    on: date
    controllers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AnnouncementAttempted:
    """Recorded before the letter that announces a batch to a controller goes to the server."""

    on: date
    controller: str
    message_id: str
    digest: str
    recipient: str
    account: str


@dataclass(frozen=True, kw_only=True)
class AnnouncementSettled:
    """What became of an announcement: `sent`, `refused` or `unsent`; `reply` as the server said."""

    on: date
    controller: str
    message_id: str
    outcome: str
    reply: str = ""


@dataclass(frozen=True, kw_only=True)
class WaveProposed:
    """The letters of a wave are written; digest: over the digests of all of them.

    stage: `reminder` where they are letters in cases whose request is out.
    """

    on: date
    wave: int
    letters: int
    digest: str
    by: str
    stage: Stage = Stage.REQUEST


@dataclass(frozen=True, kw_only=True)
class WaveApproved:
    """A person looked at the wave with this digest and lets it go out."""

    on: date
    wave: int
    digest: str
    by: str


@dataclass(frozen=True, kw_only=True)
class WaveWithdrawn:
    """A wave that was proposed does not go out; its letters are withdrawn."""

    on: date
    wave: int
    because: str
    by: str


@dataclass(frozen=True, kw_only=True)
class CampaignPaused:
    """No letter of the campaign goes out until a person resumes it."""

    on: date
    because: str
    by: str = "dsar"


@dataclass(frozen=True, kw_only=True)
class CampaignResumed:
    """A person looked at what paused the campaign."""

    on: date
    by: str
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class MembersPurged:
    """The members' data were deleted; `proof`: SHA-256 of the list of what was deleted."""

    on: date
    members: int
    cases: int
    files: int
    proof: str


@dataclass(frozen=True, kw_only=True)
class CampaignClosed:
    """No further letter, no further member."""

    on: date
    because: str = ""


CampaignEvent = (
    CampaignStarted | CampaignChanged | TargetsChosen | AnnouncementAttempted | AnnouncementSettled
    | WaveProposed | WaveApproved | WaveWithdrawn | CampaignPaused | CampaignResumed
    | MembersPurged | CampaignClosed
)


@dataclass(frozen=True, kw_only=True)
class MemberAdded:
    """A person joined.

    residence: `CC` or `CC-SUB`. languages: BCP 47. identity: who it is, sealed to the campaign's
    sending key. blind: keyed digest of the mail address, by which the same person is found again.
    key: the member's public key, to which answers are sealed; secret: its private part, sealed
    to the campaign's content key. told_by: `email`, `post` or `none`. analysis: whether the group
    may read the answers.
    """

    on: date
    code: str
    residence: str
    languages: tuple[str, ...]
    identity: str
    blind: str
    key: str
    secret: str
    consent_version: str
    told_by: str = "email"
    analysis: bool = False
    in_copy: bool = False


@dataclass(frozen=True, kw_only=True)
class ConsentChanged:
    """The member gave or took back the consent that the group reads the answers."""

    on: date
    analysis: bool
    consent_version: str = ""


@dataclass(frozen=True, kw_only=True)
class KitWritten:
    """The member's letters were written for the member to send; digest: of the kit's archive.

    reminders: Message-IDs of the letters in it that remind.
    """

    on: date
    digest: str
    letters: int
    reminders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MandateIssued:
    """A mandate was written for the member to sign; digest: of the document.

    answers_to: as the paper says, `member` or `holder`.
    """

    on: date
    digest: str
    language: str
    expires_on: date
    rights: tuple[str, ...]
    controllers: tuple[str, ...]
    answers_to: str = "member"


@dataclass(frozen=True, kw_only=True)
class MandateSigned:
    """The signed mandate is here. digest: of the file. rights, controllers: empty means all.

    how_signed: `pen`, `qualified`, `advanced` or `click`. answers_to: `member` or `holder`.
    """

    on: date
    digest: str
    how_signed: str
    signed_on: date
    expires_on: date
    rights: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    answers_to: str = "member"


@dataclass(frozen=True, kw_only=True)
class MandateRevoked:
    """The member took the mandate back; what is queued is not sent."""

    on: date
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class AnswerShared:
    """The member brought an answer back; digest: of the message, as filed under a case."""

    on: date
    case_id: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class MemberLeft:
    """The member left the campaign; no further letter."""

    on: date
    because: str = ""


MemberEvent = (
    MemberAdded | ConsentChanged | KitWritten | MandateIssued | MandateSigned | MandateRevoked
    | AnswerShared | MemberLeft
)
