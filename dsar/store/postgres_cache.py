"""What the PostgreSQL store remembers: cases that an append can build on, and shared courses."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar

from dsar.core.case import Case

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values used last, at most `room` of them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, where it is still here."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value; the one that was not used for longest may go."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._room:
            self._kept.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._kept.pop(key, None)


class Known(Recent[str, tuple[Case, Any]]):
    """Folded cases with the id of the append that recorded their last event.

    By that id the database tells whether a case is still the one that was read: it may have been
    erased, and another opened under its name.
    """
