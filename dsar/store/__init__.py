"""Where the events live: the protocol every store keeps, and the way to open one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dsar.core.case import Case, CaseEvent
from dsar.core.house import House, HouseEvent
from dsar.errors import UsageProblem

Event = CaseEvent | HouseEvent


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event as kept: its number in the stream (from 1), when it was recorded (UTC)."""

    sequence: int
    recorded_at: datetime
    author: str
    event: Event


class Store(Protocol):
    """Where the events live; `tests/store/` holds the contract every store keeps."""

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened."""

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a case, or of `house.STREAM`, in order; perhaps none."""

    def house(self) -> House:
        """Return the fold of the house events."""

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none of them, durably before returning.

        after: how many events of the stream the caller has seen. Raises ConcurrentAppend
        when the stream has another number by now, so that two writers never interleave,
        StorageFailed when nothing could be written.
        """

    def erase(self, case_id: str) -> None:
        """Remove a case with all its events: the only deletion there is. Raises UnknownCase."""

    def close(self) -> None:
        """Release the lock and the files."""


def open_store(url: str, *, write: bool) -> Store:
    """Open the store at `url` (`tinydb:/path/to/folder` or `memory:`).

    write: takes the one writer's lock; raises AnotherAtWork when another process has it.
    Raises UsageProblem for an unknown scheme, LedgerDamaged for an unreadable ledger.
    """
    scheme, _, rest = url.partition(":")
    match scheme:
        case "tinydb":
            from dsar.store.tiny import TinyStore

            return TinyStore(Path(rest), write=write)
        case "memory":
            from dsar.store.memory import MemoryStore

            return MemoryStore()
        case _:
            raise UsageProblem(f"{scheme}: is no kind of store.", hint="Use tinydb: or postgresql:")
