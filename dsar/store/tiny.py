"""The store on disk: TinyDB over a journal, so that an append costs the same at any size.

TinyDB's own storage writes the whole file anew for each change. Its documented points of
extension (`Storage`, `table_class`, `Table._read_table` and `_update_table`) are used here to
append one line instead; its queries work over the lines as they are.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, NoReturn, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from dsar.core.case import Case, CaseEvent, fold
from dsar.core.glance import Glance, glance
from dsar.core.house import STREAM, House, HouseEvent, fold_house
from dsar.errors import AnotherAtWork, LedgerDamaged, StoreNotEmpty, UnknownCase
from dsar.store import Addition, Event, Recorded
from dsar.store.codec import CodecError, decode, encode
from dsar.store.files import FILE_MODE, make_folder, storage_errors
from dsar.store.journal import Journal
from dsar.store.lines import BadLine, Lines, body_in, body_of, document_in, documents_in
from dsar.store.renewal import glances, renew
from dsar.store.rules import (
    admit,
    admit_history,
    each_once,
    house_first,
    house_without,
    is_case,
    known,
    utc,
)
from dsar.store.sealing import Locked, Sealer, has_sealed, opened_document, sealed_document
from dsar.store.sidecar import read, remove, snapshot

EVENTS = "events"
AT_ONCE = 1000
"""How many cases are folded together: what a reader of `cases` holds at the least."""


class Documents(Mapping[str, dict[str, Any]]):
    """The lines of the journal as TinyDB's documents, parsed when looked at; id is the line."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getitem__(self, doc_id: str) -> dict[str, Any]:
        if doc_id not in self:
            raise KeyError(doc_id)
        try:
            return document_in(self._journal.lines.all[int(doc_id) - 1])
        except BadLine as error:
            raise _damage(self._journal.path, int(doc_id), error) from error

    def __contains__(self, doc_id: object) -> bool:
        return isinstance(doc_id, str) and doc_id.isdecimal() and 0 < int(doc_id) <= len(self)

    def __iter__(self) -> Iterator[str]:
        return map(str, range(1, len(self) + 1))

    def __len__(self) -> int:
        return len(self._journal.lines.all)


class JournalStorage(Storage):
    """TinyDB's storage as a journal: `append` adds a document, `write` replaces them all."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self.journal = Journal(path, write=write)

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Return the tables; there is one. TinyDB only reads from what it gets."""
        return {EVENTS: cast(dict[str, Any], Documents(self.journal))}

    def write(self, data: Mapping[str, Mapping[str, dict[str, Any]]]) -> None:
        """Replace the whole journal by these documents."""
        self.journal.rewrite(map(body_of, data.get(EVENTS, {}).values()))

    def append(self, documents: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add documents, durably and all or none; return their ids."""
        left = range(len(documents) - 1, -1, -1)
        return list(self.journal.append(
            [body_of(d, more=more) for d, more in zip(documents, left, strict=True)]))

    def close(self) -> None:
        """Close the file."""
        self.journal.close()


class JournalTable(Table):
    """A table to which documents are added; what is in it is not changed."""

    def insert(self, document: Mapping[str, Any]) -> int:
        """Add {stream, first, at, by, events} as one line; return its id."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Add documents of as many streams as one batch: all of them or none."""
        ids = cast(JournalStorage, self.storage).append(list(documents))
        self.clear_cache()
        return ids

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> NoReturn:
        raise TypeError("the ledger is append-only")


class Ledger(TinyDB):
    """TinyDB with our storage, our table, and no other table."""

    table_class = JournalTable
    default_table_name = EVENTS


class TinyStore:
    """Keeps `dsar.store.Store`'s contract in `ledger.jsonl` of one folder."""

    def __init__(
        self, folder: Path, *, write: bool, now: Callable[[], datetime], author: str,
        sealer: Sealer | None = None,
    ) -> None:
        """Read the ledger; raises AnotherAtWork, LedgerDamaged, StorageFailed.

        A folder that is not there is an empty store for a reader, and is made for a writer.
        sealer: has the key of an encrypted ledger; without it Locked is raised when an event
        has to be read, or comes with blanks where the ledger keeps its status readable.
        """
        self._now, self._author, self._sealer = now, author, sealer
        self._path = folder / "ledger.jsonl"
        self._lock = _acquire(folder) if write else None
        self._snapshot = None if write or sealer else snapshot(self._path)
        if self._snapshot is None:
            try:
                self._db  # noqa: B018  # reads and checks the ledger
            except BaseException:
                self._release()
                raise

    @cached_property
    def _db(self) -> Ledger:
        """The ledger; a reader of what is kept beside it may never need it."""
        return Ledger(self._path, write=self._lock is not None, storage=JournalStorage)

    @property
    def _storage(self) -> JournalStorage:
        return cast(JournalStorage, self._db.storage)

    @property
    def _lines(self) -> Lines:
        return self._storage.journal.lines

    @property
    def dropped(self) -> int:
        """Bytes of an unacknowledged append that were cut off when the ledger was opened."""
        return self._storage.journal.dropped

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened."""
        streams = iter([s for s in self._lines.streams() if is_case(s)])
        while some := list(islice(streams, AT_ONCE)):
            with _collector_paused():
                folded = [self._fold(stream) for stream in some]
            yield from folded

    def glances(self) -> Iterator[Glance]:
        """Yield the glance of each case, from beside the ledger as far as that fits."""
        if self._snapshot is not None:
            return iter(self._snapshot.kept.glances)
        old = None if self._sealer else read(self._path)
        if old is None:
            return map(glance, self.cases())
        with _collector_paused():
            return iter(glances(self._lines, old, self._glance))

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""
        if not is_case(case_id) or not self._lines.count(case_id):
            raise UnknownCase(f"{case_id}: no case has this id.")
        return self._fold(case_id)

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a stream, in order; perhaps none."""
        return tuple(self._recorded(stream))

    def streams(self, prefix: str = "") -> Iterator[str]:
        """Yield the streams whose names begin so: the house, then in the order they began."""
        return iter(house_first(s for s in self._lines.streams() if s.startswith(prefix)))

    def history(self, prefix: str = "") -> Iterator[tuple[str, Sequence[Recorded]]]:
        """Yield each stream with its events."""
        return ((stream, self.events(stream)) for stream in self.streams(prefix))

    def house(self) -> House:
        """Return the fold of the house events."""
        if self._snapshot is not None:
            documents = documents_in(self._snapshot.house_lines())
            records = chain.from_iterable(document["events"] for document in documents)
            return fold_house(cast(HouseEvent, decode(record)) for record in records)
        return fold_house(cast(HouseEvent, event) for event in self._events(STREAM))

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none, as one line that is on the disk before this returns."""
        self.append_all([Addition(stream=stream, events=events, after=after)])

    def append_all(self, additions: Iterable[Addition]) -> None:
        """Add to many streams as one batch of lines, a line for each: one write, one sync."""
        listed = each_once(additions)
        records = [admit(a.stream, a.events, after=a.after, have=self._lines.count(a.stream))
                   for a in listed]
        if any(records):
            self._refuse_without_key()
            at = utc(self._now)
            self._db.table(EVENTS).insert_multiple(
                [self._document(a.stream, a.after, r, at)
                 for a, r in zip(listed, records, strict=True) if r])

    def adopt(self, history: Iterable[tuple[str, Sequence[Recorded]]]) -> None:
        """Write the whole ledger as another store recorded it."""
        if self._lines.all:
            raise StoreNotEmpty(f"{self._path}: holds events already.")
        self._rewrite(self._adopted(history))

    def erase(self, *streams: str) -> None:
        """Rewrite the ledger without the streams, once for all of them; raises UnknownCase."""
        listed = list(known(streams, self._lines.count))
        self._refuse_without_key()
        remove(self._path)
        self._rewrite(self._bodies_without(listed))

    def reseal(self, sealer: Sealer | None) -> None:
        """Rewrite the whole ledger as `sealer` has it, or plain for None: all of it or nothing.

        Raises Locked when the old key is not there, LedgerDamaged, StorageFailed.
        """
        self._refuse_without_key()
        lines = enumerate(self._lines.all, start=1)
        remove(self._path)
        self._rewrite(
            body_of(sealed_document(self._whole(number, line), sealer)) for number, line in lines)
        self._sealer = sealer

    def close(self) -> None:
        """Close the file and release the lock; a writer leaves the glances beside the ledger."""
        if self._snapshot is not None:
            self._snapshot.close()
        if self._lock is not None and self._sealer is None and self._storage.journal.is_open:
            with _collector_paused():
                renew(self._storage.journal, self._glance)
        if "_db" in self.__dict__:
            self._db.close()
        self._release()

    def _glance(self, case_id: str) -> Glance:
        return glance(self._fold(case_id))

    def _rewrite(self, bodies: Iterable[bytes]) -> None:
        self._storage.journal.rewrite(bodies)
        self._db.table(EVENTS).clear_cache()

    def _document(
        self, stream: str, have: int, records: list[dict[str, Any]], at: datetime
    ) -> dict[str, Any]:
        return sealed_document({"stream": stream, "first": have + 1, "at": at.isoformat(),
                                "by": self._author, "events": records}, self._sealer)

    def _adopted(
        self, history: Iterable[tuple[str, Sequence[Recorded]]]
    ) -> Iterator[bytes]:
        """Yield lines for streams as they were recorded, each event with its time and author."""
        seen: set[str] = set()
        for stream, kept in history:
            if stream in seen:
                raise ValueError(f"{stream}: stands twice")
            seen.add(stream)
            pairs = zip(kept, admit_history(stream, kept), strict=True)
            for (at, by), group in groupby(pairs, lambda p: (p[0].recorded_at, p[0].author)):
                some = list(group)
                yield body_of(sealed_document({
                    "stream": stream, "first": some[0][0].sequence,
                    "at": at.astimezone(UTC).isoformat(), "by": by,
                    "events": [record for _, record in some]}, self._sealer))

    def _fold(self, stream: str) -> Case:
        return fold(cast(CaseEvent, event) for event in self._events(stream))

    def _documents(self, stream: str) -> list[tuple[dict[str, Any], list[Event]]]:
        """Return each line of a stream as document, and decoded."""
        numbers, lines = self._lines.of(stream)
        try:
            opened = [opened_document(d, self._sealer) for d in documents_in(lines)]
            return [(d, list(map(decode, d["events"]))) for d in opened]
        except (BadLine, CodecError):
            self._find_damage(numbers, lines)
            raise

    def _find_damage(self, numbers: list[int], lines: list[bytes]) -> None:
        """Raise LedgerDamaged with the first line that holds no events."""
        for number, line in zip(numbers, lines, strict=True):
            try:
                list(map(decode, opened_document(document_in(line), self._sealer)["events"]))
            except (BadLine, CodecError) as error:
                raise _damage(self._path, number, error) from error

    def _events(self, stream: str) -> Iterator[Event]:
        return chain.from_iterable(events for _, events in self._documents(stream))

    def _recorded(self, stream: str) -> Iterator[Recorded]:
        for document, events in self._documents(stream):
            at = datetime.fromisoformat(document["at"])
            for sequence, event in enumerate(events, start=document["first"]):
                yield Recorded(
                    sequence=sequence, recorded_at=at, author=document["by"], event=event
                )

    def _bodies_without(self, listed: Sequence[str]) -> Iterator[bytes]:
        """Yield the checked part of each line that stays; house events are counted anew."""
        erased = {number for case_id in listed for number in self._lines.of(case_id)[0]}
        house = dict(self._house_without(listed))
        for number, line in enumerate(self._lines.all, start=1):
            if number in house:
                yield from house[number]
            elif number not in erased:
                yield body_in(line)

    def _house_without(self, case_ids: Iterable[str]) -> Iterator[tuple[int, list[bytes]]]:
        """Yield number and new text, perhaps none, of each line of the house."""
        documents = self._documents(STREAM)
        events = [cast(HouseEvent, e) for _, decoded in documents for e in decoded]
        kept, first = iter(house_without(events, case_ids)), 1
        numbers, _ = self._lines.of(STREAM)
        for number, (document, decoded) in zip(numbers, documents, strict=True):
            stay = [encode(e) for e in islice(kept, len(decoded)) if e is not None]
            fresh = sealed_document(document | {"first": first, "events": stay}, self._sealer)
            yield number, [body_of(fresh)] if stay else []
            first += len(stay)

    def _whole(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            return opened_document(document_in(line), self._sealer)
        except BadLine as error:
            raise _damage(self._path, number, error) from error

    def _refuse_without_key(self) -> None:
        """Whoever writes must have the key: plain events would stand among sealed ones."""
        if self._sealer is None and has_sealed(self._lines.all):
            raise Locked(f"{self._path}: is encrypted.")

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Decoding makes many objects and no rubbish; looking for some would double the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _damage(path: Path, number: int, error: Exception) -> LedgerDamaged:
    """Return the error that names the line in which an event cannot be read."""
    return LedgerDamaged(f"{path}:{number}: {error}.")


def _acquire(folder: Path) -> Any:
    """Take the one writer's lock of a folder, at once or not at all."""
    from filelock import FileLock, Timeout

    path = folder / "ledger.lock"
    lock = FileLock(path, timeout=0, mode=FILE_MODE)
    with storage_errors(path):
        make_folder(folder)
        try:
            lock.acquire()
        except Timeout:
            raise AnotherAtWork(f"{path}: another dsar is writing here.") from None
        path.chmod(FILE_MODE)
    return lock
