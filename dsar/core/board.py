"""What the workers of a campaign share: which letters are to be written, and which may go now.

The events stay the one truth: a board only finds cases, and records an attempt together with the
decision that it may be made, so that no two workers make the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from dsar.core.case import Case, LetterApproved, SendAttempted
from dsar.core.contact import mailbox_key
from dsar.core.course import Course
from dsar.core.fairness import Office, Pace
from dsar.core.house import House
from dsar.core.letter import Stage
from dsar.core.pacing import Limits
from dsar.core.retry import is_given_up, next_try
from dsar.core.taken import case_keys


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms letters may go out.

    waves: released ones. limits: of the account. office: company slug → when somebody is there.
    """

    campaign: str
    waves: Collection[int]
    account: str
    limits: Limits
    pace: Pace
    office: Callable[[str], Office]


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A letter that is this worker's: its case as it stands with the attempt recorded."""

    case: Case
    attempt: SendAttempted


@dataclass(frozen=True, kw_only=True)
class Later:
    """No letter may go now. at: when the next one may, None where that is not known.

    waiting: how many wait; 0: there is nothing left to send.
    """

    at: datetime | None
    waiting: int


@dataclass(frozen=True)
class Written:
    """An approved letter of a wave, as its digest counts it."""

    case_id: str
    message_id: str
    digest: str


class Tally(NamedTuple):
    """So many cases of one company and wave that ran alike."""

    company: str
    wave: int
    course: Course
    cases: int


@dataclass(frozen=True, kw_only=True)
class People:
    """Numbers of members. mandated: with a mandate that is valid today. written_to: with at least
    one letter out."""

    joined: int = 0
    left: int = 0
    mandated: int = 0
    kits: int = 0
    written_to: int = 0
    shared: int = 0
    analysis: int = 0


class Board(Protocol):
    """Finds cases of a campaign for its workers; the contract stands in tests/campaign."""

    def taken(self, campaign: str) -> dict[str, set[tuple[str, str]]]:
        """Member code → (right, company key) of the cases opened for the member."""

    def unwritten(self, campaign: str, *, limit: int) -> list[str]:
        """Up to `limit` open cases without a letter, so that workers seldom take the same."""

    def written(self, campaign: str, wave: int) -> Iterator[Written]:
        """The letters of a wave that wait or went out, in the order of case ids.

        A case is in the wave of its latest letter (`wave_of`), here and in `of_wave`.
        """

    def waiting(self, campaign: str) -> dict[tuple[int, str], int]:
        """Wave and company → how many letters are approved and wait for their turn."""

    def opened(self, campaign: str, wave: int) -> int:
        """How many cases of a wave are open and not yet written."""

    def of_member(self, campaign: str, code: str) -> list[Case]:
        """The cases of one member."""

    def of_wave(self, campaign: str, wave: int) -> Iterator[Case]:
        """The cases of one wave."""

    def latest(self, account: str, limit: int) -> list[Case]:
        """The cases of the latest `limit` attempts of an account."""

    def tally(self, campaign: str) -> Iterator[Tally]:
        """How many cases of each company and wave have the same course."""

    def people(self, campaign: str, today: date) -> People:
        """How many members went how far."""

    def sending_days(self, account: str) -> int:
        """On how many days (UTC) the account has sent."""

    def alone(self, what: str) -> AbstractContextManager[bool]:
        """Whether this worker is the only one at something, for as long as the context lasts."""

    def holds(self, what: str) -> bool:
        """Whether `alone` still holds: a database that was away has forgotten it."""

    def claim(self, terms: Terms, *, now: datetime, today: date, jitter: float) -> Claimed | Later:
        """Record the attempt at a letter that may go now, or say when one may.

        jitter: a random number from 0 up to 1. Whatever other workers do at the same time: no
        letter is claimed twice, neither the limits of the account nor the pace towards a
        controller are passed, and an account that rests sends nothing.
        """


def is_unwritten(case: Case) -> bool:
    """Whether a case waits for its letter to be written."""
    return not case.approvals and not case.closed


def waits(case: Case) -> bool:
    """Whether an approved letter of a case waits for its turn."""
    approved = case.approved
    return (approved is not None and approved.channel == "email" and not case.in_doubt
            and not case.closed and not is_given_up(case))


def letter_of(case: Case) -> LetterApproved | None:
    """The letter of a case that waits, else the latest that went out or was tried."""
    if case.approved is not None:
        return case.approved
    tried_ids = {a.message_id for a in case.attempts}
    return next((a for a in reversed(case.approvals) if a.message_id in tried_ids), None)


def wave_of(case: Case) -> int:
    """The wave that lets the letter of a case out: a reminder has another than the case.

    Whoever asks whether a letter may go, or what a wave is made of, has to ask this. A later
    letter that was approved in no wave is in none (0), which nobody can release.
    """
    letter = letter_of(case)
    if letter is None:
        return case.facts.wave
    return letter.wave or (case.facts.wave if letter.stage is Stage.REQUEST else 0)


def may_be_sent(case: Case, terms: Terms) -> bool:
    """Whether the approved letter of a case may go out on these terms, time apart."""
    approved = case.approved
    return (approved is not None and waits(case) and case.facts.campaign == terms.campaign
            and wave_of(case) in terms.waves and approved.account == terms.account)


def rests(house: House, account: str, now: datetime) -> bool:
    """Whether the rail `breaker` holds the account."""
    paused = house.paused.get(account)
    return paused is not None and (paused.until is None or now < paused.until)


def written(case: Case) -> Written | None:
    """The latest letter of a case that waits or went out: one that was withdrawn is none."""
    letter = letter_of(case)
    return Written(case.id, letter.message_id, letter.digest) if letter is not None else None


def taken_keys(case: Case) -> list[str] | None:
    """What a case takes of its member's letters; None for one that was closed unsent."""
    return None if case.closed and not case.attempts else sorted(case_keys(case))


def domain_of(address: str) -> str:
    """What stands behind the @."""
    return address.rpartition("@")[2]


class Tried(NamedTuple):
    """One attempt, as limits and pace count it."""

    account: str
    mailbox: str
    domain: str
    at: datetime


class Work(NamedTuple):
    """What a board keeps of a campaign's case. state: `unwritten`, `waiting` or `other`.

    account, mailbox, domain, not_before: of the letter that waits. letter: as `written` has it.
    """

    campaign: str
    wave: int
    subject_id: str
    right: str
    controller: str
    state: str
    account: str | None
    mailbox: str | None
    domain: str | None
    not_before: datetime | None
    message_id: str | None
    digest: str | None
    keys: tuple[str, ...] | None


def tried(case: Case) -> list[Tried]:
    """The attempts of a case."""
    return [Tried(a.account, mailbox_key(a.recipient), domain_of(a.recipient).lower(), a.at)
            for a in case.attempts]


def work(case: Case) -> Work | None:
    """What a board keeps of a case; None where it is no campaign's."""
    facts, approved, letter = case.facts, case.approved, written(case)
    if facts.campaign is None:
        return None
    keys = taken_keys(case)
    state = "unwritten" if is_unwritten(case) else "waiting" if waits(case) else "other"
    waiting = approved if state == "waiting" else None
    to = waiting.recipient if waiting else None
    return Work(
        facts.campaign, wave_of(case), facts.subject_id, facts.right, facts.controller, state,
        waiting.account if waiting else None, mailbox_key(to) if to is not None else None,
        domain_of(to).lower() if to is not None else None, next_try(case) if waiting else None,
        letter.message_id if letter else None, letter.digest if letter else None,
        None if keys is None else tuple(keys))
