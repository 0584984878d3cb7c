"""Facts of one outgoing text; the words come from templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from dsar.core.controller import Controller
from dsar.core.regime import Regime, RightRule
from dsar.core.subject import DataSubject, Identifier


class Stage(StrEnum):
    """Where in the life of a case a letter stands."""

    REQUEST = "request"
    FOLLOW_UP = "follow-up"
    REMINDER = "reminder"
    WITHDRAWAL = "withdrawal"
    COMPLAINT_FIRST = "complaint-first"
    COMPLAINT = "complaint"


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One identifier a letter tells the controller, and why it has to know it."""

    identifier: Identifier
    reason: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter before it has words.

    reference: `DSAR-XXXX-XXXX`. language: BCP 47. facts: what a follow-up quotes, by name.
    """

    stage: Stage
    right: RightRule
    regime: Regime
    language: str
    reference: str
    subject: DataSubject
    controller: Controller
    disclosures: tuple[Disclosure, ...]
    written_on: date
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """The words of a letter: a subject line and a body of plain paragraphs.

    dated: the day of writing in the words of the language, as it stands at the foot of the body.
    """

    subject: str
    body: str
    language: str
    dated: str = ""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One approved letter: its exact bytes, from whom and to whom, and its case.

    controller: the slug of the company it was written to.
    """

    case_id: str
    message: bytes
    message_id: str
    sender: str
    recipient: str
    stage: Stage
    account: str
    controller: str = ""
