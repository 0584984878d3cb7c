"""What the workers of a campaign share: which letters are to be written, and which may go now.

The events stay the one truth: a board only finds cases, and records an attempt together with the
decision that it may be made, so that no two workers make the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol, cast

from dsar.core.campaign_events import MemberEvent, member_stream
from dsar.core.case import Case, SendAttempted
from dsar.core.contact import mailbox_key
from dsar.core.course import Course
from dsar.core.fairness import Office, Pace, next_for_controller
from dsar.core.member import Member, fold_member
from dsar.core.pacing import Limits, Sent, next_slot
from dsar.core.retry import is_given_up, next_try
from dsar.core.taken import case_keys
from dsar.store import Store


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms letters may go out.

    waves: released ones. limits: of the account. office: company slug → when somebody is there.
    jitter: a random number from 0 up to 1.
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
    """No letter may go now. at: when the next one may, None where none waits. waiting: how many."""

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
        """The letters of a wave that wait or went out, in the order of case ids."""

    def opened(self, campaign: str, wave: int) -> int:
        """How many cases of a wave are open and not yet written."""

    def of_member(self, campaign: str, code: str) -> list[Case]:
        """The cases of one member."""

    def tally(self, campaign: str) -> Iterator[Tally]:
        """How many cases of each company and wave have the same course."""

    def people(self, campaign: str, today: date) -> People:
        """How many members went how far."""

    def sending_days(self, account: str) -> int:
        """On how many days (UTC) the account has sent."""

    def alone(self, what: str) -> AbstractContextManager[bool]:
        """Whether this worker is the only one at something, for as long as the context lasts."""

    def claim(self, terms: Terms, *, now: datetime, today: date, jitter: float) -> Claimed | Later:
        """Record the attempt at the letter that may go first, or say when one may.

        Whatever other workers do at the same time: no letter is claimed twice, and neither the
        limits of the account nor the pace towards a controller are passed.
        """


class ScanningBoard:
    """A board over a store with one writer: it looks at all cases, and keeps nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _cases(self, campaign: str) -> Iterator[Case]:
        return (c for c in self._store.cases() if c.facts.campaign == campaign)

    def taken(self, campaign: str) -> dict[str, set[tuple[str, str]]]:
        """Member code → (right, company key) of the cases opened for the member."""
        found: dict[str, set[tuple[str, str]]] = {}
        for case in self._cases(campaign):
            if case.closed and not case.attempts:
                continue
            own = found.setdefault(case.facts.subject_id, set())
            own.update((case.facts.right, key) for key in case_keys(case))
        return found

    def unwritten(self, campaign: str, *, limit: int) -> list[str]:
        """Up to `limit` open cases without a letter."""
        found = [c.id for c in self._cases(campaign) if is_unwritten(c)]
        return found[:limit]

    def written(self, campaign: str, wave: int) -> Iterator[Written]:
        """The letters of a wave, in the order of case ids."""
        letters = [Written(c.id, c.approvals[-1].message_id, c.approvals[-1].digest)
                   for c in self._cases(campaign)
                   if c.facts.wave == wave and c.approvals and (c.approved or c.attempts)]
        yield from sorted(letters, key=lambda w: w.case_id)

    def opened(self, campaign: str, wave: int) -> int:
        """How many cases of a wave are open and not yet written."""
        return sum(c.facts.wave == wave and is_unwritten(c) for c in self._cases(campaign))

    def of_member(self, campaign: str, code: str) -> list[Case]:
        """The cases of one member."""
        return [c for c in self._cases(campaign) if c.facts.subject_id == code]

    def tally(self, campaign: str) -> Iterator[Tally]:
        """How many cases of each company and wave have the same course."""
        counted = Counter((g.controller, g.wave, g.course) for g in self._store.glances()
                          if g.campaign == campaign)
        yield from (Tally(*key, cases) for key, cases in counted.items())

    def people(self, campaign: str, today: date) -> People:
        """How many members went how far."""
        reached = {g.subject_id for g in self._store.glances()
                   if g.campaign == campaign and g.course.letters}
        counted = Counter[str]()
        for _, recorded in self._store.history(member_stream(campaign, "")):
            member = fold_member(cast(MemberEvent, r.event) for r in recorded)
            counted.update(_marks(member, today))
            counted["written_to"] += member.code in reached
        return People(**counted)

    def sending_days(self, account: str) -> int:
        """On how many days (UTC) the account has sent."""
        return len({a.at.date() for c in self._store.cases() for a in c.attempts
                    if a.account == account})

    def alone(self, what: str) -> AbstractContextManager[bool]:
        """It is: the store has one writer."""
        return nullcontext(True)

    def claim(self, terms: Terms, *, now: datetime, today: date, jitter: float) -> Claimed | Later:
        """Record the attempt at the letter that may go first, or say when one may."""
        cases = list(self._store.cases())
        by_account = [Sent(a.at, domain_of(a.recipient)) for c in cases for a in c.attempts
                      if a.account == terms.account]
        to_mailbox: dict[str, list[datetime]] = {}
        for case in cases:
            for attempt in case.attempts:
                to_mailbox.setdefault(mailbox_key(attempt.recipient), []).append(attempt.at)
        timed = []
        for case in cases:
            if not may_be_sent(case, terms) or case.approved is None:
                continue
            recipient = case.approved.recipient
            slot = next_slot(by_account, terms.limits, domain_of(recipient), now=now,
                             jitter=jitter)
            fair = next_for_controller(to_mailbox.get(mailbox_key(recipient), ()), terms.pace,
                                       terms.office(case.facts.controller), now)
            if slot is not None and fair is not None:
                timed.append((max(slot, fair, next_try(case) or now), case.id, case))
        if not timed:
            return Later(at=None, waiting=0)
        at, _, case = min(timed, key=lambda t: t[:2])
        if at > now or case.approved is None:
            return Later(at=at, waiting=len(timed))
        attempt = SendAttempted(on=today, at=now, message_id=case.approved.message_id,
                                recipient=case.approved.recipient, account=terms.account)
        self._store.append(case.id, [attempt], after=case.version)
        return Claimed(case=self._store.case(case.id), attempt=attempt)


def _marks(member: Member, today: date) -> Iterator[str]:
    yield "joined"
    mandate = member.mandate
    if member.left:
        yield "left"
    if mandate and mandate.revoked_on is None and today <= mandate.expires_on and not member.left:
        yield "mandated"
    if member.kit:
        yield "kits"
    if member.shared:
        yield "shared"
    if member.analysis:
        yield "analysis"


def is_unwritten(case: Case) -> bool:
    """Whether a case waits for its letter to be written."""
    return not case.approvals and not case.closed


def may_be_sent(case: Case, terms: Terms) -> bool:
    """Whether the approved letter of a case may go out on these terms, time apart."""
    approved, facts = case.approved, case.facts
    return (approved is not None and facts.campaign == terms.campaign
            and facts.wave in terms.waves and approved.account == terms.account
            and approved.channel == "email" and not case.in_doubt and not case.closed
            and not is_given_up(case))


def domain_of(address: str) -> str:
    """What stands behind the @."""
    return address.rpartition("@")[2]
