"""What came of reading one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dsar.core.message import Label


@dataclass(frozen=True, kw_only=True)
class DueFacts:
    """What the law says of the case, handed in so that reading needs to know no law.

    due_on: without, latest_due_on: with the full extension. period_from: the due date when the
    period begins on a given day.
    """

    sent_on: date
    due_on: date
    latest_due_on: date
    period_from: Callable[[date], date]


@dataclass(frozen=True, kw_only=True)
class ClockReading:
    """What a message does to the time limit.

    effect: "none", "extension_until", "clock_stop_start" or "clock_stop_end". stated_on: the date
    in the message. new_due_on: by the conventions of `due`; None = unchanged or not known.
    sentence: what it rests on.
    """

    effect: str = "none"
    stated_on: date | None = None
    new_due_on: date | None = None
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Labels, the first one being the main one; provisional until a person confirms it.

    confidence: 0 to 1. sentence: the words it rests on. language: BCP 47.
    reasons: per label the sentence it rests on. tickets: numbers the sender gave to the matter.
    """

    labels: tuple[Label, ...]
    confidence: float
    sentence: str
    language: str
    clock: ClockReading = ClockReading()
    reasons: tuple[tuple[str, str], ...] = ()
    tickets: tuple[str, ...] = ()

    @property
    def label(self) -> Label:
        """The main label."""
        return self.labels[0]
