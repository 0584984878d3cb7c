"""The board of many workers: claims and counts in PostgreSQL, over the projection `work`.

An attempt is decided and recorded in one transaction, and no two are decided at the same time:
limits and pace rest on all attempts there are. SQL only narrows what has to be looked at; the
functions of core decide. What a lane (the letters of a wave to one mailbox) waits for is
remembered by each worker, for attempts of others can only make it later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection

from dsar.core.board import Claimed, Later, People, Tally, Terms, Written, may_be_sent, rests
from dsar.core.case import Case, CaseEvent, SendAttempted, extend, fold
from dsar.core.fairness import next_for_controller
from dsar.core.house import STREAM, House, HouseEvent, fold_house
from dsar.core.pacing import next_slot
from dsar.core.retry import next_try
from dsar.errors import ConcurrentAppend, Temporary
from dsar.store.pgcounts import counted_people, tallied
from dsar.store.pglanes import Lane, Standing, lanes, sent_of, standings
from dsar.store.postgres_migrate import SchemaNotReady
from dsar.store.postgres_read import AT_ONCE, of_stream, of_streams
from dsar.store.postgres_rows import Row, case_row, dumped, events_of, stored, unstored

if TYPE_CHECKING:
    from dsar.store.postgres import PostgresStore

BEHIND = "DS001"
TRIES = 20
"""How often a claim that others got ahead of looks anew."""
NEAR = 1000
"""Of so many letters to be written, the oldest ones, a worker takes some at random."""
_APPEND = "SELECT dsar.append(%s, %s::json, %s::json, %s::json)"
_LOOK = "SELECT dsar.look(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_RECORDED = """SELECT EXISTS (SELECT FROM dsar.streams AS s JOIN dsar.events AS e USING (position)
WHERE s.stream = %s AND e.sequence = %s AND e.append_id = %s)"""
_UNWRITTEN = """SELECT stream FROM (
    SELECT stream FROM dsar.work WHERE campaign = %s AND state = 'unwritten'
    ORDER BY position LIMIT %s) AS near ORDER BY random() LIMIT %s"""
_WRITTEN = """SELECT stream, message_id, digest FROM dsar.work
WHERE campaign = %s AND wave = %s AND message_id IS NOT NULL"""
_OPENED = """SELECT count(*) FROM dsar.work
WHERE campaign = %s AND wave = %s AND state = 'unwritten'"""
_WAITING = """SELECT wave, controller, count(*) FROM dsar.work
WHERE campaign = %s AND state = 'waiting' GROUP BY wave, controller"""
_TAKEN = """SELECT subject_id, "right", keys FROM dsar.work
WHERE campaign = %s AND keys IS NOT NULL"""
_DAYS = """WITH RECURSIVE days (day) AS (
    SELECT (min(at) AT TIME ZONE 'UTC')::date FROM dsar.attempts WHERE account = %(account)s
    UNION ALL
    SELECT (SELECT (min(at) AT TIME ZONE 'UTC')::date FROM dsar.attempts
            WHERE account = %(account)s AND at >= (d.day + 1)::timestamp AT TIME ZONE 'UTC')
    FROM days AS d WHERE d.day IS NOT NULL)
SELECT count(day) FROM days"""
_LATEST = """SELECT s.stream FROM (
    SELECT position FROM dsar.attempts WHERE account = %s ORDER BY at DESC LIMIT %s) AS a
JOIN dsar.streams AS s USING (position) GROUP BY s.stream"""
_ALONE = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_NOT_ALONE = "SELECT pg_advisory_unlock(%s, hashtext(%s))"
_HOLDS = """SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
AND pid = pg_backend_pid() AND classid = %s::oid AND objid = hashtext(%s)::oid)"""
_SPACE = 3701198
_UNREAD = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Memory:
    """What one worker remembers between claims on the same terms.

    turns: lanes from which a letter may go, in the order in which it looks at them.
    house: as it was when it had so many events.
    """

    terms: Any = None
    turns: deque[Lane] = field(default_factory=deque)
    house: House | None = None


@dataclass(frozen=True)
class _Try:
    """An append that was sent to the server; perhaps the answer was lost."""

    append_id: UUID
    claimed: Claimed


class PgBoard:
    """Keeps `dsar.core.board.Board` over one database."""

    def __init__(self, store: PostgresStore) -> None:
        """Raises SchemaNotReady where the projection lacks what older cases did."""
        self._store, self._link, self._memory = store, store.link, _Memory()
        lacking = self._one("SELECT EXISTS (SELECT FROM dsar.glances WHERE NOT worked)")
        if lacking:
            raise SchemaNotReady(f"{self._link.name}: older cases are not in the projection yet.",
                                 hint="`dsar store rebuild`")

    # -- what there is ------------------------------------------------------------------------

    def taken(self, campaign: str) -> dict[str, set[tuple[str, str]]]:
        """Member code → (right, company key) of the cases opened for the member."""
        found: dict[str, set[tuple[str, str]]] = {}
        with self._link.snapshot() as connection, connection.cursor("taken") as cursor:
            cursor.itersize = AT_ONCE
            for code, right, keys in cursor.execute(_TAKEN, [stored(campaign)]):
                own = found.setdefault(unstored(code), set())
                own.update((unstored(right), unstored(key)) for key in keys)
        return found

    def unwritten(self, campaign: str, *, limit: int) -> list[str]:
        """Up to `limit` open cases without a letter, some of the oldest ones by chance."""
        return self._streams(_UNWRITTEN, [stored(campaign), max(NEAR, limit), limit])

    def written(self, campaign: str, wave: int) -> Iterator[Written]:
        """The letters of a wave that wait or went out, in the order of case ids."""
        rows = self._rows(_WRITTEN, [stored(campaign), wave])
        letters = (Written(*map(unstored, row)) for row in rows)
        yield from sorted(letters, key=lambda letter: letter.case_id)

    def opened(self, campaign: str, wave: int) -> int:
        """How many cases of a wave are open and not yet written."""
        return int(self._one(_OPENED, [stored(campaign), wave]))

    def waiting(self, campaign: str) -> dict[tuple[int, str], int]:
        """Wave and company → how many letters wait."""
        rows = self._rows(_WAITING, [stored(campaign)])
        return {(wave, unstored(company)): count for wave, company, count in rows}

    def of_member(self, campaign: str, code: str) -> list[Case]:
        """The cases of one member."""
        return list(self._cases(self._streams(
            "SELECT stream FROM dsar.work WHERE campaign = %s AND subject_id = %s "
            "ORDER BY position", [stored(campaign), stored(code)])))

    def of_wave(self, campaign: str, wave: int) -> Iterator[Case]:
        """The cases whose latest letter is of one wave."""
        return self._cases(self._streams(
            "SELECT stream FROM dsar.work WHERE campaign = %s AND wave = %s ORDER BY position",
            [stored(campaign), wave]))

    def latest(self, account: str, limit: int) -> list[Case]:
        """The cases of the latest `limit` attempts of an account."""
        return list(self._cases(self._streams(_LATEST, [stored(account), limit])))

    def tally(self, campaign: str) -> Iterator[Tally]:
        """How many cases of each company and wave have the same course."""
        return tallied(self._store, campaign)

    def people(self, campaign: str, today: date) -> People:
        """How many members went how far."""
        return counted_people(self._store, campaign, today)

    def sending_days(self, account: str) -> int:
        """On how many days (UTC) the account has sent."""
        return int(self._link.run(lambda c: c.execute(
            _DAYS, {"account": stored(account)}).fetchall())[0][0])

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether this worker is the only one at something; whoever dies is at it no longer."""
        words = [_SPACE, stored(what)]
        mine = bool(self._one(_ALONE, words))
        try:
            yield mine
        finally:
            if mine:
                self._one(_NOT_ALONE, words)

    def holds(self, what: str) -> bool:
        """Whether `alone` still holds: it goes with the connection, which is made anew."""
        return bool(self._one(_HOLDS, [_SPACE, stored(what)]))

    # -- claiming -----------------------------------------------------------------------------

    def claim(self, terms: Terms, *, now: datetime, today: date, jitter: float) -> Claimed | Later:
        """Record the attempt at a letter that may go now, or say when one may."""
        self._remember(terms)
        attempt = _Claim(self._store, terms, self._memory, now, today, jitter)
        for _ in range(TRIES):
            if (found := attempt.in_turn()) is not None:
                return found
            attempt.stopped = False
            later = self._survey(terms, now, jitter)
            if not self._memory.turns:
                return later
        raise Temporary("Other workers were faster each time; run it again.")

    def _remember(self, terms: Terms) -> None:
        """Forget the turns that were worked out on other terms."""
        known = (terms.campaign, tuple(terms.waves), terms.account, terms.limits, terms.pace)
        if self._memory.terms != known:
            self._memory.terms = known
            self._memory.turns.clear()

    def _survey(self, terms: Terms, now: datetime, jitter: float) -> Later:
        """Look at every lane: when its next letter may go; those that may now have turns."""
        with self._link.snapshot() as connection:
            found = lanes(connection, terms)
            standing = standings(connection, found, terms, now) if found else Standing()
        self._memory.turns.clear()
        if not found:
            return Later(at=None, waiting=0)
        waiting, first = sum(lane.letters for lane in found), None
        house = self._memory.house = self._store.house()
        if rests(house, terms.account, now):
            return Later(at=house.paused[terms.account].until, waiting=waiting)
        for lane in found:
            at = _when(lane, standing, terms, now, jitter)
            if at is not None and at <= now:
                self._memory.turns.append(lane)
            elif at is not None:
                first = at if first is None else min(first, at)
        return Later(at=now if self._memory.turns else first, waiting=waiting)

    # -- reading ------------------------------------------------------------------------------

    def _rows(self, query: str, words: list[Any]) -> list[tuple[Any, ...]]:
        return self._link.run(lambda c: c.execute(query.encode(), words).fetchall())

    def _one(self, query: str, words: list[Any] | None = None) -> Any:
        return self._rows(query, words or [])[0][0]

    def _streams(self, query: str, words: list[Any]) -> list[str]:
        return [unstored(name) for (name,) in self._rows(query, words)]

    def _cases(self, names: list[str]) -> Iterator[Case]:
        for start in range(0, len(names), AT_ONCE):
            some = names[start:start + AT_ONCE]
            rows = self._link.run(partial(of_streams, streams=some))
            yield from (fold(cast(list[CaseEvent], events_of(rows[name], self._link.name)))
                        for name in some if name in rows)


def _when(lane: Lane, standing: Standing, terms: Terms, now: datetime, jitter: float
          ) -> datetime | None:
    """When the next letter of a lane may go; None: never on these terms."""
    slot = next_slot(standing.account, terms.limits, lane.domain, now=now, jitter=jitter)
    fair = next_for_controller(standing.mailboxes.get(lane.mailbox, ()), terms.pace,
                               terms.office(lane.controller), now)
    if slot is None or fair is None:
        return None
    return max(slot, fair, lane.not_before or now)


@dataclass
class _Claim:
    """One claim: turn after turn, until a letter is this worker's or none may go."""

    store: PostgresStore
    terms: Terms
    memory: _Memory
    now: datetime
    today: date
    jitter: float
    pending: _Try | None = None
    stopped: bool = False

    def in_turn(self) -> Claimed | None:
        """Try the lanes that have a turn; None where none of them has a letter that may go."""
        turns = self.memory.turns
        while turns and not self.stopped:
            lane = turns.popleft()
            try:
                found = self.store.link.run(partial(self._try, lane=lane))
            except psycopg.Error as error:
                if error.sqlstate != BEHIND:
                    raise
                turns.append(lane)
                continue
            if found is not None:
                turns.append(lane)
                self._keep(found)
                return found
        turns.clear()
        return None

    def _try(self, connection: Connection[Any], lane: Lane) -> Claimed | None:
        """Decide and record in one transaction; called again when the connection was lost."""
        terms, limits = self.terms, self.terms.limits
        with connection.transaction():
            row = connection.execute(_LOOK, [
                stored(terms.campaign), stored(terms.account), lane.wave, stored(lane.mailbox),
                stored(lane.controller), stored(lane.domain), self.now,
                max(terms.pace.per_day, 1), limits.per_day or 0]).fetchone()
            # Only now, for the one before may have been busy until it got the lock.
            if self.pending is not None and self._recorded(connection, self.pending):
                return self.pending.claimed
            self.pending = None
            look = row[0] if row else {"rows": []}
            if not look["rows"] or self._account_rests(connection, look):
                return None
            rows = [_row(r) for r in look["rows"]]
            case = fold(cast(list[CaseEvent], events_of(rows, self.store.link.name)))
            if not self._may_go(case, lane, look):
                return None
            return self._append(connection, case, rows[-1].append_id)

    def _may_go(self, case: Case, lane: Lane, look: dict[str, Any]) -> bool:
        """What core says of this letter, now that no other attempt is being decided."""
        standing = Standing(sent_of(look["account"]), {
            lane.mailbox: [datetime.fromisoformat(at) for at in look["mailbox"]]})
        at = _when(lane, standing, self.terms, self.now, self.jitter)
        later = next_try(case)
        return (may_be_sent(case, self.terms) and at is not None and at <= self.now
                and (later is None or later <= self.now))

    def _account_rests(self, connection: Connection[Any], look: dict[str, Any]) -> bool:
        """Whether the account may send to nobody now: then no other lane need be looked at."""
        house, limits = self.memory.house, self.terms.limits
        if house is None or house.version != look["house"]:
            events = events_of(of_stream(connection, STREAM), self.store.link.name)
            house = self.memory.house = fold_house(cast(list[HouseEvent], events))
        slot = next_slot(sent_of(look["account"]), replace(limits, per_domain_s=0.0), "",
                         now=self.now, jitter=self.jitter)
        self.stopped = (rests(house, self.terms.account, self.now)
                        or slot is None or slot > self.now)
        return self.stopped

    def _append(self, connection: Connection[Any], case: Case, last: Any) -> Claimed:
        approved = case.approved
        if approved is None:
            raise ConcurrentAppend(f"{case.id}: no letter waits any more.")
        attempt = SendAttempted(on=self.today, at=self.now, message_id=approved.message_id,
                                recipient=approved.recipient, account=self.terms.account)
        grown = extend(case, attempt, ())
        self.pending = _Try(uuid4(), Claimed(case=grown, attempt=attempt))
        head = {"stream": stored(case.id), "after": case.version, "count": 1, "last": str(last)}
        connection.execute(_APPEND, [
            self.pending.append_id, dumped([head]),
            dumped([self.store.event_row(case.id, grown.version, attempt)]),
            dumped([case_row(grown)])])
        return self.pending.claimed

    def _recorded(self, connection: Connection[Any], earlier: _Try) -> bool:
        case = earlier.claimed.case
        found = connection.execute(
            _RECORDED, [stored(case.id), case.version, earlier.append_id]).fetchone()
        return bool(found and found[0])

    def _keep(self, found: Claimed) -> None:
        """The outcome is recorded without reading the case again."""
        if self.pending is not None:
            self.store.known.put(found.case.id, (found.case, self.pending.append_id))


def _row(values: list[Any]) -> Row:
    stream, version, sequence, author, body, append_id = values
    return Row(stream, version, sequence, _UNREAD, author, body, append_id)
