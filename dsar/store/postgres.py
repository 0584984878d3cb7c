"""The store for many at once: PostgreSQL, where any number of writers work side by side.

Events are added by a function of the database and never changed; the projection behind `glances`
is written in the same transaction. `migrations/` has the tables, `postgres_read` the queries,
`postgres_rows` the way from events to rows and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection

from dsar.core.case import Case, CaseEvent, Retracted, extend, fold
from dsar.core.glance import Glance, glance
from dsar.core.house import STREAM, House, HouseEvent, fold_house
from dsar.errors import ConcurrentAppend, StoreNotEmpty, UnknownCase
from dsar.store import Addition, Event, Recorded
from dsar.store.codec import encode
from dsar.store.postgres_cache import Known
from dsar.store.postgres_link import Link
from dsar.store.postgres_migrate import check
from dsar.store.postgres_read import (
    AT_ONCE,
    Courses,
    of_all,
    of_stream,
    of_streams,
    projected,
    versions,
)
from dsar.store.postgres_rows import (
    Row,
    beginning,
    case_row,
    dumped,
    event_row,
    events_of,
    recorded_of,
    stored,
    unstored,
)
from dsar.store.postgres_single import BEHIND, RECORDED_BEFORE, Single
from dsar.store.rules import (
    admit,
    admit_history,
    behind,
    each_once,
    house_without,
    is_case,
    known,
    utc,
)

if TYPE_CHECKING:
    from dsar.store.pgboard import PgBoard

NOT_EMPTY = "DS004"
ROOM = 4096
"""How many cases are remembered between reading and appending, and how many courses times 16."""
_APPEND = "SELECT dsar.append(%s, %s::json, %s::json, %s::json)"
_STREAMS = "SELECT stream FROM dsar.streams WHERE starts_with(stream, %s) ORDER BY position"


class PostgresStore:
    """Keeps `dsar.store.Store`'s contract in one database; several may be open to write."""

    def __init__(
        self, url: str, *, write: bool, now: Callable[[], datetime], author: str
    ) -> None:
        """Connect; raises StoreUnreachable, SchemaNotReady, UsageProblem for an unusable URL."""
        self._now, self._author = now, author
        self.known, self.courses = Known(ROOM), Courses(16 * ROOM)
        self.link = Link(url, write=write)
        self._single = Single(self.link, self.known, now, author)
        try:
            self.link.run(lambda connection: check(connection, self.link.name))
        except BaseException:
            self.close()
            raise

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened."""
        with self.link.snapshot() as connection:
            for stream, rows in of_all(connection, ""):
                if is_case(stream):
                    yield self._folded(rows)

    def glances(self) -> Iterator[Glance]:
        """Yield the glance of every case: from the projection where it holds, else folded."""
        with self.link.snapshot() as connection:
            for batch in projected(connection, self.courses):
                stale = [stream for stream, found in batch if found is None]
                rows = of_streams(connection, stale) if stale else {}
                for stream, found in batch:
                    yield found or glance(self._folded(rows[stream]))

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""
        rows = self._rows(case_id) if is_case(case_id) else []
        if not rows:
            raise UnknownCase(f"{case_id}: no case has this id.")
        found = self._folded(rows)
        self.known.put(case_id, (found, rows[-1].append_id))
        return found

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a stream, in order; perhaps none."""
        return recorded_of(self._rows(stream), self.link.name)

    def streams(self, prefix: str = "") -> Iterator[str]:
        """Yield the streams whose names begin so: the house, then in the order they began."""
        found = self.link.run(
            lambda connection: connection.execute(_STREAMS, [beginning(prefix)]).fetchall())
        return (s for (name,) in found if (s := unstored(name)).startswith(prefix))

    def history(self, prefix: str = "") -> Iterator[tuple[str, Sequence[Recorded]]]:
        """Yield each stream with its events, as they stood at the start."""
        with self.link.snapshot() as connection:
            for stream, rows in of_all(connection, prefix):
                yield stream, recorded_of(rows, self.link.name)

    def house(self) -> House:
        """Return the fold of the house events."""
        found = events_of(self._rows(STREAM), self.link.name)
        return fold_house(cast(list[HouseEvent], found))

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none, committed on the server's disk before this returns."""
        if len(events) == 1 and self._single.added(stream, events[0], after):
            return
        self.append_all([Addition(stream=stream, events=events, after=after)])

    def append_all(self, additions: Iterable[Addition]) -> None:
        """Add to many streams in one transaction; never twice, whatever the connection does."""
        listed = each_once(additions)
        records = self._admitted(listed)
        if not any(records):
            return
        at, append_id = utc(self._now), uuid4()
        rows = [event_row(one.stream, number, at=at, author=self._author, record=record)
                for one, some in zip(listed, records, strict=True)
                for number, record in enumerate(some, start=one.after + 1)]
        if not self._added(listed, rows, append_id):
            self._refuse_stale(listed)
            # As many events, but not those that were read: erased meanwhile, and opened anew.
            if not self._added(listed, rows, append_id):
                self._refuse_stale(listed)
                raise ConcurrentAppend("Another run recorded something first.")

    def adopt(self, history: Iterable[tuple[str, Sequence[Recorded]]]) -> None:
        """Fill the empty ledger with what another one recorded, in one transaction."""
        left = iter(history)

        def work(connection: Connection[Any]) -> None:
            with connection.transaction():
                connection.execute("SELECT dsar.begin_adopting()")
                while some := list(islice(left, AT_ONCE)):
                    connection.execute(_APPEND, _adopted(some))

        try:
            self.link.once(work)
        except psycopg.Error as error:
            if error.sqlstate == NOT_EMPTY:
                raise StoreNotEmpty(f"{self.link.name}: holds events already.") from None
            raise ValueError("a stream stands twice") from error

    def erase(self, *streams: str) -> None:
        """Remove streams, and from the house events what names them; raises UnknownCase."""
        listed = self._known(streams)
        for stream in listed:
            self.known.drop(stream)
        while listed and not self._erased(listed):  # the house went on meanwhile: read it again
            self._known(listed)

    def board(self) -> PgBoard:
        """What the workers of a campaign share. Raises SchemaNotReady before a `rebuild`."""
        from dsar.store.pgboard import PgBoard

        return PgBoard(self)

    def event_row(self, stream: str, sequence: int, event: Event) -> dict[str, Any]:
        """An event as this store records it now."""
        return event_row(stream, sequence, at=utc(self._now), author=self._author,
                         record=encode(event))

    def close(self) -> None:
        """Close the connections."""
        self.link.close()

    def _rows(self, stream: str) -> list[Row]:
        return self.link.run(lambda connection: of_stream(connection, stream))

    def _folded(self, rows: list[Row]) -> Case:
        return fold(cast(list[CaseEvent], events_of(rows, self.link.name)))

    def _admitted(self, listed: Sequence[Addition]) -> list[list[dict[str, Any]]]:
        """Return the events encoded; whoever has not seen all is told that before anything else."""
        records = []
        for number, one in enumerate(listed, start=1):
            if not one.events:
                self._refuse_stale(listed[:number])
            try:
                records.append(admit(one.stream, one.events, after=one.after, have=one.after))
            except ValueError:
                self._refuse_stale(listed[:number])
                raise
        return records

    def _refuse_stale(self, listed: Sequence[Addition]) -> None:
        """Raise ConcurrentAppend for the first stream that has another number of events."""
        have = self.link.run(lambda c: versions(c, [one.stream for one in listed]))
        for one in listed:
            if have.get(one.stream, 0) != one.after:
                raise behind(one.stream, after=one.after, have=have.get(one.stream, 0))

    def _added(
        self, listed: Sequence[Addition], rows: list[dict[str, Any]], append_id: UUID
    ) -> bool:
        """Call the database's `append`; false when a stream is not as the caller, or we, saw it.

        A lost connection is made anew and the call repeated: with the same id nothing is added
        twice, not even while the server is still busy with the first call.
        """
        bases = self._bases(listed)
        grown = {a.stream: self._grown(a, bases) for a in listed if a.events and is_case(a.stream)}
        order = sorted(listed, key=lambda one: not one.events)
        heads = [{"stream": stored(a.stream), "after": a.after, "count": len(a.events),
                  "last": bases[a.stream][1] if a.stream in bases else None}
                 for a in order if a.events or a.after]
        call = (append_id, dumped(heads), dumped(rows), dumped(
            case_row(grown[a.stream], a.events) for a in listed if a.stream in grown))
        try:
            self.link.run(lambda connection: connection.execute(_APPEND, call))
        except psycopg.Error as error:
            for one in listed:
                self.known.drop(one.stream)
            if error.sqlstate == BEHIND:
                return False
            if error.sqlstate != RECORDED_BEFORE:
                raise
        for stream, case in grown.items():
            self.known.put(stream, (case, append_id))
        return True

    def _bases(self, listed: Sequence[Addition]) -> dict[str, tuple[Case | list[CaseEvent], str]]:
        """Return the cases as they are before: folded, or their events where one is retracted."""
        bases: dict[str, tuple[Case | list[CaseEvent], str]] = {}
        unread = []
        for one in (a for a in listed if a.events and a.after and is_case(a.stream)):
            kept = self.known.get(one.stream)
            if kept and kept[0].version == one.after and not _retracts(one):
                bases[one.stream] = kept[0], str(kept[1])
            else:
                unread.append(one)
        if unread:
            read = self.link.run(lambda c: of_streams(c, [one.stream for one in unread]))
            for one in unread:
                rows = read.get(one.stream, [])
                if len(rows) != one.after:
                    raise behind(one.stream, after=one.after, have=len(rows))
                earlier = cast(list[CaseEvent], events_of(rows, self.link.name))
                bases[one.stream] = earlier, str(rows[-1].append_id)
        return bases

    def _grown(
        self, one: Addition, bases: dict[str, tuple[Case | list[CaseEvent], str]]
    ) -> Case:
        """Return a case as it is with the addition."""
        base = bases[one.stream][0] if one.stream in bases else []
        fresh = cast(Sequence[CaseEvent], one.events)
        if isinstance(base, list):
            return fold([*base, *fresh])
        for event in fresh:
            base = extend(base, event, ())
        return base

    def _known(self, streams: Sequence[str]) -> list[str]:
        have = self.link.run(lambda connection: versions(connection, streams))
        return list(known(streams, lambda stream: have.get(stream, 0)))

    def _erased(self, listed: list[str]) -> bool:
        """Call the database's `erase`; false when the house has other events by now."""
        tried = False

        def work(connection: Connection[Any]) -> None:
            nonlocal tried
            if tried and not versions(connection, listed):
                return  # the connection was lost after the first call had done it
            rows = of_stream(connection, STREAM)
            house = _house_rows(rows, self.link.name, listed)
            tried = True
            connection.execute("SELECT dsar.erase(%s, %s, %s::json)",
                               [list(map(stored, listed)), len(rows), house])

        try:
            self.link.run(work)
        except psycopg.Error as error:
            if error.sqlstate == BEHIND:
                return False
            self._known(listed)
            raise
        return True


def _retracts(one: Addition) -> bool:
    return any(isinstance(event, Retracted) for event in one.events)


def _house_rows(rows: list[Row], database: str, case_ids: Iterable[str]) -> str | None:
    """Return the events of the house without these cases as JSON; None where nothing changes."""
    before = cast(list[HouseEvent], events_of(rows, database))
    after = house_without(before, case_ids)
    if after == before:
        return None
    left = [(row, event) for row, event in zip(rows, after, strict=True) if event is not None]
    return dumped(
        {**event_row(STREAM, number, at=row.recorded_at, author=unstored(row.author),
                     record=encode(event)), "append_id": str(row.append_id)}
        for number, (row, event) in enumerate(left, start=1))


def _adopted(some: Sequence[tuple[str, Sequence[Recorded]]]) -> tuple[UUID, str, str, str]:
    """Return what `append` needs to take over streams with all they recorded."""
    heads, rows, cases = [], [], []
    for stream, kept in some:
        records = admit_history(stream, kept)
        heads.append({"stream": stored(stream), "after": 0, "count": len(kept)})
        rows += [event_row(stream, k.sequence, at=k.recorded_at, author=k.author, record=record)
                 for k, record in zip(kept, records, strict=True)]
        if is_case(stream):
            cases.append(case_row(fold(cast(CaseEvent, k.event) for k in kept)))
    return uuid4(), dumped(heads), dumped(rows), dumped(cases)
