"""What every store holds to, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from dsar.core.campaign_events import (
    CAMPAIGN_PREFIX,
    MEMBER_PREFIX,
    CampaignEvent,
    CampaignStarted,
    MemberAdded,
    MemberEvent,
    campaign_stream,
)
from dsar.core.case import CaseEvent, CaseOpened, Retracted
from dsar.core.house import STREAM, HouseEvent, forget
from dsar.errors import ConcurrentAppend, UnknownCase
from dsar.store import Addition, Event, Recorded
from dsar.store.codec import encode


@dataclass(frozen=True)
class Family:
    """Streams of one sort: the kinds of event they take, and the one they begin with, once."""

    kinds: tuple[type, ...]
    first: type | None


CASE = Family(get_args(CaseEvent), CaseOpened)
HOUSE = Family(get_args(HouseEvent), None)
CAMPAIGN = Family(get_args(CampaignEvent), CampaignStarted)
MEMBER = Family(get_args(MemberEvent), MemberAdded)


def family(stream: str) -> Family:
    """Tell by its name which sort of stream this is."""
    if stream == STREAM:
        return HOUSE
    if stream.startswith(CAMPAIGN_PREFIX):
        return CAMPAIGN
    return MEMBER if stream.startswith(MEMBER_PREFIX) else CASE


def is_case(stream: str) -> bool:
    """Whether a stream holds the events of a case."""
    return family(stream) is CASE


def house_first(streams: Iterable[str]) -> list[str]:
    """Return the streams with the house, where it is among them, before all others."""
    return sorted(streams, key=lambda stream: stream != STREAM)


def admit(
    stream: str, events: Sequence[Event], *, after: int, have: int
) -> list[dict[str, Any]]:
    """Return `events` encoded, once it is certain that the stream may take them.

    have: how many events the stream has. Raises ConcurrentAppend when that is not `after`,
    ValueError for events that do not belong there or could not be read again.
    """
    if after != have:
        raise behind(stream, after=after, have=have)
    sort = family(stream)
    for number, event in enumerate(events, start=have + 1):
        if not isinstance(event, sort.kinds):
            raise ValueError(f"{type(event).__name__} does not belong into {stream}")
        _check_place(stream, sort, event, number)
    return [encode(event) for event in events]


def behind(stream: str, *, after: int, have: int) -> ConcurrentAppend:
    """Return the error for a writer who has not seen all events of a stream."""
    return ConcurrentAppend(f"{stream}: another run recorded something first "
                            f"({have} events, not {after}).")


def each_once(additions: Iterable[Addition]) -> list[Addition]:
    """Return the additions; raises ValueError for a stream named twice."""
    listed = list(additions)
    if len({a.stream for a in listed}) != len(listed):
        raise ValueError("a stream stands twice in one batch")
    return listed


def admit_history(stream: str, kept: Sequence[Recorded]) -> list[dict[str, Any]]:
    """Return what another store recorded encoded, once it is certain that it may stand here."""
    if not kept or [k.sequence for k in kept] != list(range(1, len(kept) + 1)):
        raise ValueError(f"{stream}: its events are not numbered from 1 without a gap")
    if any(k.recorded_at.tzinfo is None for k in kept):
        raise ValueError(f"{stream}: recorded_at needs a time zone")
    return admit(stream, [k.event for k in kept], after=0, have=0)


def house_without(
    events: Sequence[HouseEvent], case_ids: Iterable[str]
) -> list[HouseEvent | None]:
    """Forget one case after another; each event keeps its place, None where it has to go."""
    places: list[HouseEvent | None] = list(events)
    for case_id in case_ids:
        left = [(place, e) for place, e in enumerate(places) if e is not None]
        for (place, _), after in zip(left, forget([e for _, e in left], case_id), strict=True):
            places[place] = after
    return places


def known(streams: Iterable[str], count: Callable[[str], int]) -> Iterator[str]:
    """Yield each stream once that may be erased; raises UnknownCase for any other."""
    for stream in dict.fromkeys(streams):
        if stream == STREAM or not count(stream):
            raise UnknownCase(f"{stream}: no case has this id.")
        yield stream


def _check_place(stream: str, sort: Family, event: Event, number: int) -> None:
    """Each stream begins with its one first kind; only earlier events are retracted."""
    first = sort.first
    if first is not None and isinstance(event, first) != (number == 1):
        what = "a case" if sort is CASE else "it"
        raise ValueError(f"{stream}: {what} begins with {first.__name__}, and has one")
    match event:
        case CaseOpened() if event.case_id != stream:
            raise ValueError(f"{stream}: the events of case {event.case_id} stand elsewhere")
        case CampaignStarted() if campaign_stream(event.campaign_id) != stream:
            raise ValueError(f"{stream}: the events of {event.campaign_id} stand elsewhere")
        case MemberAdded() if not _is_member(stream, event.code):
            raise ValueError(f"{stream}: the events of member {event.code} stand elsewhere")
        case Retracted() if not 1 < event.sequence < number:
            raise ValueError(f"{stream}: event {event.sequence} cannot be retracted "
                             f"by event {number}")


def _is_member(stream: str, code: str) -> bool:
    """Whether the stream is `member/<campaign>/<code>` with neither of them empty."""
    campaign = stream.removeprefix(MEMBER_PREFIX).removesuffix(f"/{code}")
    return bool(code and campaign) and stream == f"{MEMBER_PREFIX}{campaign}/{code}"


def utc(now: Callable[[], datetime]) -> datetime:
    """Return the present instant in UTC; raises ValueError for a clock without time zone."""
    instant = now()
    if instant.tzinfo is None:
        raise ValueError("recorded_at needs a time zone")
    return instant.astimezone(UTC)
