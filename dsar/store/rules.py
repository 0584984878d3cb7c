"""What every store holds to, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from dsar.core.case import CaseEvent, CaseOpened, Retracted
from dsar.core.house import STREAM, HouseEvent
from dsar.errors import ConcurrentAppend
from dsar.store import Event
from dsar.store.codec import encode


def admit(
    stream: str, events: Sequence[Event], *, after: int, have: int
) -> list[dict[str, Any]]:
    """Return `events` encoded, once it is certain that the stream may take them.

    have: how many events the stream has. Raises ConcurrentAppend when that is not `after`,
    ValueError for events that do not belong there or could not be read again.
    """
    if after != have:
        raise ConcurrentAppend(f"{stream}: another run recorded something first "
                               f"({have} events, not {after}).")
    allowed = get_args(HouseEvent if stream == STREAM else CaseEvent)
    for number, event in enumerate(events, start=have + 1):
        if not isinstance(event, allowed):
            raise ValueError(f"{type(event).__name__} does not belong into {stream}")
        if stream != STREAM:
            _check_place(stream, event, number)
    return [encode(event) for event in events]


def _check_place(stream: str, event: Event, number: int) -> None:
    """A case begins with its one CaseOpened, which stays; only earlier events are retracted."""
    if isinstance(event, CaseOpened) != (number == 1):
        raise ValueError(f"{stream}: a case begins with CaseOpened, and has one")
    if isinstance(event, CaseOpened) and event.case_id != stream:
        raise ValueError(f"{stream}: the events of case {event.case_id} stand elsewhere")
    if isinstance(event, Retracted) and not 1 < event.sequence < number:
        raise ValueError(f"{stream}: event {event.sequence} cannot be retracted by event {number}")


def utc(now: Callable[[], datetime]) -> datetime:
    """Return the present instant in UTC; raises ValueError for a clock without time zone."""
    instant = now()
    if instant.tzinfo is None:
        raise ValueError("recorded_at needs a time zone")
    return instant.astimezone(UTC)
