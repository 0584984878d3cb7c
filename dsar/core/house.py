"""Events that belong to no single case: messages waiting for a person, sending paused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import assert_never

STREAM = "_house"
"""The id of the stream these events stand in; no case may have it."""


@dataclass(frozen=True, kw_only=True)
class MessageSetAside:
    """A message that may answer one of `candidates`, kept until a person decides."""

    on: date
    at: datetime
    digest: str
    sender: str
    subject: str
    candidates: tuple[str, ...]
    evidence: tuple[str, ...]
    labels: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class MessageAssigned:
    """A person filed a message under a case."""

    on: date
    digest: str
    case_id: str


@dataclass(frozen=True, kw_only=True)
class MessageIgnored:
    """A person decided that a message answers no case."""

    on: date
    digest: str


@dataclass(frozen=True, kw_only=True)
class SendingPaused:
    """Sending from an account is held until the instant named, or until resumed."""

    on: date
    account: str
    because: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SendingResumed:
    """A person lifted the pause; what was sent before `at` no longer speaks against the account."""

    on: date
    account: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CompanyExcluded:
    """The person wants no letter to go to this company."""

    on: date
    slug: str
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class CompanyIncluded:
    """An exclusion was lifted."""

    on: date
    slug: str


HouseEvent = (
    MessageSetAside | MessageAssigned | MessageIgnored | SendingPaused | SendingResumed
    | CompanyExcluded | CompanyIncluded
)


@dataclass(frozen=True, kw_only=True)
class House:
    """What the house events add up to; messages by digest, pauses and their ends by account."""

    version: int = 0
    waiting: dict[str, MessageSetAside] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    paused: dict[str, SendingPaused] = field(default_factory=dict)
    resumed: dict[str, datetime] = field(default_factory=dict)
    excluded: dict[str, CompanyExcluded] = field(default_factory=dict)


def fold_house(events: Iterable[HouseEvent]) -> House:
    """Return the state that `events`, in the order recorded, add up to."""
    waiting: dict[str, MessageSetAside] = {}
    paused: dict[str, SendingPaused] = {}
    excluded: dict[str, CompanyExcluded] = {}
    seen: set[str] = set()
    resumed: dict[str, datetime] = {}
    version = 0
    for event in events:
        version += 1
        match event:
            case MessageSetAside():
                seen.add(event.digest)
                waiting[event.digest] = event
            case MessageAssigned() | MessageIgnored():
                seen.add(event.digest)
                waiting.pop(event.digest, None)
            case SendingPaused():
                paused[event.account] = event
            case SendingResumed():
                paused.pop(event.account, None)
                if event.at is not None:
                    resumed[event.account] = event.at
            case CompanyExcluded():
                excluded[event.slug] = event
            case CompanyIncluded():
                excluded.pop(event.slug, None)
            case _:
                assert_never(event)
    return replace(House(), version=version, waiting=waiting, seen=frozenset(seen),
                   paused=paused, resumed=resumed, excluded=excluded)


def forget(events: Sequence[HouseEvent], case_id: str) -> list[HouseEvent | None]:
    """Return the events as they stand once a case is erased; None where one has to go.

    A message filed under the case, or waiting for it alone, goes with it; a message that may
    also answer other cases stays for them and names this case no longer.
    """
    filed = {e.digest: e.case_id for e in events if isinstance(e, MessageAssigned)}
    alone = {e.digest: case_id for e in events
             if isinstance(e, MessageSetAside) and e.candidates == (case_id,)}
    gone = {digest for digest, case in (alone | filed).items() if case == case_id}
    return [_forget(event, case_id, gone) for event in events]


def _forget(event: HouseEvent, case_id: str, gone: set[str]) -> HouseEvent | None:
    match event:
        case MessageSetAside() | MessageAssigned() | MessageIgnored() if event.digest in gone:
            return None
        case MessageAssigned() if event.case_id == case_id:
            return None
        case MessageSetAside():
            return replace(event, candidates=tuple(c for c in event.candidates if c != case_id),
                           evidence=tuple(e for e in event.evidence if case_id not in e))
        case _:
            return event
