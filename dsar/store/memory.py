"""A store that is gone when the process ends: for tests, the demo and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import cast

from dsar.core.case import Case, CaseEvent, fold
from dsar.core.glance import Glance, glance
from dsar.core.house import STREAM, House, HouseEvent, fold_house, forget
from dsar.errors import StoreNotEmpty, UnknownCase
from dsar.store import Addition, Event, Recorded
from dsar.store.rules import admit, admit_history, each_once, house_first, is_case, known, utc


class MemoryStore:
    """Keeps `dsar.store.Store`'s contract but for durability."""

    def __init__(self, *, now: Callable[[], datetime], author: str) -> None:
        self._now, self._author = now, author
        self._streams: dict[str, list[Recorded]] = {}

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened."""
        for stream in filter(is_case, list(self._streams)):
            yield self.case(stream)

    def glances(self) -> Iterator[Glance]:
        """Yield the glance of each case."""
        return map(glance, self.cases())

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""
        if not is_case(case_id) or case_id not in self._streams:
            raise UnknownCase(f"{case_id}: no case has this id.")
        return fold(cast(CaseEvent, kept.event) for kept in self._streams[case_id])

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a stream, in order; perhaps none."""
        return tuple(self._streams.get(stream, ()))

    def streams(self, prefix: str = "") -> Iterator[str]:
        """Yield the streams whose names begin so: the house, then in the order they began."""
        return iter(house_first(s for s in self._streams if s.startswith(prefix)))

    def history(self, prefix: str = "") -> Iterator[tuple[str, Sequence[Recorded]]]:
        """Yield each stream with its events."""
        return iter([(stream, self.events(stream)) for stream in self.streams(prefix)])

    def house(self) -> House:
        """Return the fold of the house events."""
        return fold_house(cast(HouseEvent, kept.event) for kept in self.events(STREAM))

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none; raises ConcurrentAppend, ValueError for misplaced ones."""
        self.append_all([Addition(stream=stream, events=events, after=after)])

    def append_all(self, additions: Iterable[Addition]) -> None:
        """Add to many streams, everything or nothing."""
        listed = each_once(additions)
        for one in listed:
            admit(one.stream, one.events, after=one.after, have=self._count(one.stream))
        if not any(one.events for one in listed):
            return
        at = utc(self._now)
        for one in (a for a in listed if a.events):
            self._streams.setdefault(one.stream, []).extend(
                Recorded(sequence=number, recorded_at=at, author=self._author, event=event)
                for number, event in enumerate(one.events, start=one.after + 1)
            )

    def adopt(self, history: Iterable[tuple[str, Sequence[Recorded]]]) -> None:
        """Fill the empty store with what another one recorded."""
        if self._streams:
            raise StoreNotEmpty("The store holds events already.")
        adopted: dict[str, list[Recorded]] = {}
        for stream, kept in history:
            admit_history(stream, kept)
            if stream in adopted:
                raise ValueError(f"{stream}: stands twice")
            adopted[stream] = list(kept)
        self._streams = adopted

    def erase(self, *streams: str) -> None:
        """Remove streams, and from the house events what names them; raises UnknownCase."""
        for stream in list(known(streams, self._count)):
            self._erase(stream)

    def _count(self, stream: str) -> int:
        return len(self._streams.get(stream, ()))

    def _erase(self, case_id: str) -> None:
        del self._streams[case_id]
        house = self._streams.pop(STREAM, [])
        kept = forget([cast(HouseEvent, k.event) for k in house], case_id)
        left = [(k, event) for k, event in zip(house, kept, strict=True) if event is not None]
        if left:
            self._streams[STREAM] = [
                Recorded(sequence=number, recorded_at=k.recorded_at, author=k.author, event=event)
                for number, (k, event) in enumerate(left, start=1)
            ]

    def close(self) -> None:
        """Nothing to release."""
