"""The board of a store with one writer; `dsar.store.pgboard` is the one of many.

The approved letters themselves are what workers share, and no queue of jobs beside them: a job
would be a second truth about a letter, and at the 380 jobs a second measured for Procrastinate no
faster than claiming the letter itself, which in bare SQL took 12,000 a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from typing import cast

from dsar.core.board import (
    Board,
    Claimed,
    Later,
    People,
    Tally,
    Terms,
    Written,
    domain_of,
    is_unwritten,
    may_be_sent,
    rests,
    taken_keys,
    waits,
    wave_of,
    written,
)
from dsar.core.campaign_events import MemberEvent, member_stream
from dsar.core.case import Case, SendAttempted
from dsar.core.contact import mailbox_key
from dsar.core.fairness import next_for_controller
from dsar.core.member import Member, fold_member
from dsar.core.pacing import Sent, next_slot
from dsar.core.retry import next_try
from dsar.store import Store

__all__ = ["Board", "Claimed", "Later", "People", "ScanningBoard", "Tally", "Terms", "Written",
           "domain_of", "is_unwritten", "may_be_sent"]


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
            own = found.setdefault(case.facts.subject_id, set())
            own.update((case.facts.right, key) for key in taken_keys(case) or ())
        return {code: own for code, own in found.items() if own}

    def unwritten(self, campaign: str, *, limit: int) -> list[str]:
        """Up to `limit` open cases without a letter."""
        found = [c.id for c in self._cases(campaign) if is_unwritten(c)]
        return found[:limit]

    def written(self, campaign: str, wave: int) -> Iterator[Written]:
        """The letters of a wave, in the order of case ids."""
        letters = (written(c) for c in self.of_wave(campaign, wave))
        yield from sorted((w for w in letters if w), key=lambda w: w.case_id)

    def opened(self, campaign: str, wave: int) -> int:
        """How many cases of a wave are open and not yet written."""
        return sum(is_unwritten(c) for c in self.of_wave(campaign, wave))

    def waiting(self, campaign: str) -> dict[tuple[int, str], int]:
        """Wave and company → how many letters wait."""
        return dict(Counter((wave_of(c), c.facts.controller) for c in self._cases(campaign)
                            if waits(c)))

    def of_member(self, campaign: str, code: str) -> list[Case]:
        """The cases of one member."""
        return [c for c in self._cases(campaign) if c.facts.subject_id == code]

    def of_wave(self, campaign: str, wave: int) -> Iterator[Case]:
        """The cases whose latest letter is of one wave."""
        return (c for c in self._cases(campaign) if wave_of(c) == wave)

    def latest(self, account: str, limit: int) -> list[Case]:
        """The cases of the latest `limit` attempts of an account."""
        cases = {c.id: c for c in self._store.cases()}
        tries = sorted((a.at, c.id) for c in cases.values() for a in c.attempts
                       if a.account == account)
        return [cases[case_id] for case_id in {case_id: 0 for _, case_id in tries[-limit:]}]

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

    def holds(self, what: str) -> bool:
        """It does: nobody else can write."""
        return True

    def claim(self, terms: Terms, *, now: datetime, today: date, jitter: float) -> Claimed | Later:
        """Record the attempt at a letter that may go now, or say when one may."""
        cases, house = list(self._store.cases()), self._store.house()
        by_account = [Sent(a.at, domain_of(a.recipient)) for c in cases for a in c.attempts
                      if a.account == terms.account]
        to_mailbox: dict[str, list[datetime]] = {}
        for case in cases:
            for attempt in case.attempts:
                to_mailbox.setdefault(mailbox_key(attempt.recipient), []).append(attempt.at)
        timed, waiting = [], 0
        for case in cases:
            if not may_be_sent(case, terms) or case.approved is None:
                continue
            waiting += 1
            recipient = case.approved.recipient
            slot = next_slot(by_account, terms.limits, domain_of(recipient), now=now,
                             jitter=jitter)
            fair = next_for_controller(to_mailbox.get(mailbox_key(recipient), ()), terms.pace,
                                       terms.office(case.facts.controller), now)
            if slot is not None and fair is not None:
                timed.append((max(slot, fair, next_try(case) or now), case.id, case))
        if waiting and rests(house, terms.account, now):
            return Later(at=house.paused[terms.account].until, waiting=waiting)
        if not timed:
            return Later(at=None, waiting=waiting)
        at, _, case = min(timed, key=lambda t: t[:2])
        if at > now or case.approved is None:
            return Later(at=at, waiting=waiting)
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
