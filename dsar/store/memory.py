"""A store that is gone when the process ends: for tests, the demo and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import cast

from dsar.core.case import Case, CaseEvent, fold
from dsar.core.house import STREAM, House, HouseEvent, fold_house, forget
from dsar.errors import UnknownCase
from dsar.store import Event, Recorded
from dsar.store.rules import admit, utc


class MemoryStore:
    """Keeps `dsar.store.Store`'s contract but for durability."""

    def __init__(self, *, now: Callable[[], datetime], author: str) -> None:
        self._now, self._author = now, author
        self._streams: dict[str, list[Recorded]] = {}

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened."""
        for stream in list(self._streams):
            if stream != STREAM:
                yield self.case(stream)

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""
        if case_id == STREAM or case_id not in self._streams:
            raise UnknownCase(f"{case_id}: no case has this id.")
        return fold(cast(CaseEvent, kept.event) for kept in self._streams[case_id])

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a case, or of `house.STREAM`, in order; perhaps none."""
        return tuple(self._streams.get(stream, ()))

    def house(self) -> House:
        """Return the fold of the house events."""
        return fold_house(cast(HouseEvent, kept.event) for kept in self.events(STREAM))

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none; raises ConcurrentAppend, ValueError for misplaced ones."""
        have = len(self._streams.get(stream, ()))
        admit(stream, events, after=after, have=have)
        if events:
            at = utc(self._now)
            self._streams.setdefault(stream, []).extend(
                Recorded(sequence=number, recorded_at=at, author=self._author, event=event)
                for number, event in enumerate(events, start=have + 1)
            )

    def erase(self, *case_ids: str) -> None:
        """Remove cases, and from the house events what names them; raises UnknownCase."""
        for case_id in case_ids:
            self.case(case_id)
        for case_id in set(case_ids):
            self._erase(case_id)

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
