"""The facts a due date is computed from: receipt, right, place, and what happened since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol


class Calendars(Protocol):
    """Working days by calendar id (law/calendars.py)."""

    @property
    def version(self) -> str:
        """Which holiday data these are, for the explanation."""
        ...

    def is_working_day(self, calendar_id: str, day: date) -> bool:
        """Whether one can act on `day` under this calendar."""
        ...

    def describe(self, calendar_id: str, day: date) -> str:
        """The calendar and its version in words, for the explanation."""
        ...


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened to a request: `id_requested`, `id_provided`, `extension_notice`, …

    justified: false where the controller gave no reason, or an untenable one.
    until: the end the controller named, or the last day of something that lasts.
    """

    type: str
    on: date
    justified: bool = True
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a due date is computed from.

    received: the local date at the recipient. country, subdivision: where the controller has to
    act (for a controller outside the law's territory: where the person lives). received_at: the
    same instant with its offset at the recipient, where the hour is known.
    """

    right: str
    received: date
    country: str | None = None
    subdivision: str | None = None
    moments: tuple[Moment, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)
    received_at: datetime | None = None

    def of(self, kinds: Iterable[str]) -> list[Moment]:
        """The moments of these kinds, the earliest first."""
        wanted = set(kinds)
        return sorted((m for m in self.moments if m.type in wanted), key=lambda m: m.on)
