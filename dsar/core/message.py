"""One incoming mail, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Label(StrEnum):
    """What a message is; a closed set (see the reply labels in the documentation)."""

    ACKNOWLEDGEMENT = "acknowledgement"
    IDENTITY_REQUEST = "identity_request"
    CLARIFICATION_REQUEST = "clarification_request"
    EXTENSION_NOTICE = "extension_notice"
    REFUSAL = "refusal"
    PARTIAL_FULFILMENT = "partial_fulfilment"
    FULFILLED_ACCESS = "fulfilled_access"
    FULFILLED_ERASURE = "fulfilled_erasure"
    NO_DATA_HELD = "no_data_held"
    REDIRECT_TO_PORTAL = "redirect_to_portal"
    REDIRECT_TO_OTHER_CONTROLLER = "redirect_to_other_controller"
    FEE_DEMAND = "fee_demand"
    AUTO_REPLY = "auto_reply"
    BOUNCE_PERMANENT = "bounce_permanent"
    BOUNCE_TEMPORARY = "bounce_temporary"
    UNRELATED = "unrelated"
    PHISHING_SUSPECT = "phishing_suspect"
    UNCLEAR = "unclear"


class Authentic(StrEnum):
    """What the user's own provider says about the sender (RFC 8601), or that it says nothing."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Address:
    """A mailbox as it stands in a header: display name and addr-spec, the latter lower-cased."""

    name: str
    addr: str

    @property
    def domain(self) -> str:
        """The part behind the last @, or an empty string."""
        return self.addr.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True)
class Part:
    """An attachment or inline part: its name as written, declared type, size in bytes, SHA-256.

    kind: what the first bytes say it is ("pdf", "zip", "program", ...), or an empty string.
    """

    name: str
    declared_type: str
    size: int
    digest: str
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """A delivery status notification (RFC 3464) or what an MTA wrote in its place.

    action: "failed", "delayed", "delivered", "relayed" or "expanded".
    status: enhanced status code such as "5.1.1" (RFC 3463), or an empty string.
    passing: the cause passes (a full mailbox, a busy server), even where the server gave up.
    """

    action: str
    status: str
    recipients: tuple[str, ...]
    diagnostic: str = ""
    returned_message_id: str | None = None
    returned_text: str = ""
    passing: bool = False


@dataclass(frozen=True, kw_only=True)
class Message:
    """One mail, as pure data. `own_text` is the sender's words, `quoted_text` what they quote.

    automatic: why it was not written by a person ("auto-replied", "auto-generated", "bulk",
    "read-receipt", "challenge", "feedback-report", "vacation"), or an empty string.
    links: the web addresses it contains. defects: what could not be read as it should be.
    """

    digest: str
    message_id: str | None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    recipients: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    dated: datetime | None = None
    received: datetime | None = None
    authentic: Authentic = Authentic.NONE
    authentic_because: str = ""
    own_text: str = ""
    quoted_text: str = ""
    parts: tuple[Part, ...] = ()
    report: DeliveryReport | None = None
    automatic: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
