"""A case at a glance: whose it is, and its course. What `status` and reports read.

Stores may keep glances for speed. They depend on no law and on no day, so that neither a new
law file nor a new morning makes them stale.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from dsar.core.case import Case
from dsar.core.course import (
    Checked,
    Course,
    Ended,
    Heard,
    Lodged,
    Receipt,
    Sent,
    course,
)
from dsar.core.letter import Stage
from dsar.core.moments import Moment

FORM = "2"
"""The version of what `glance` computes and `course_to_json` writes: anything kept under another
one is computed anew. Raise it with every change of either, or of what `needs_you` says."""


class Glance(NamedTuple):
    """One case. group, campaign, wave and follows are those of `CaseOpened`."""

    id: str
    version: int
    subject_id: str
    controller: str
    controller_name: str
    group: str | None
    campaign: str | None
    wave: int
    follows: str | None
    course: Course

    @property
    def facts(self) -> Glance:
        """What the case is about, under the names that `Case.facts` has."""
        return self

    @property
    def case_id(self) -> str:
        """The case id."""
        return self.id

    @property
    def on(self) -> date:
        """When the case was opened."""
        return self.course.on

    @property
    def right(self) -> str:
        """What was asked for."""
        return self.course.right

    @property
    def regime(self) -> str:
        """The law it was asked under."""
        return self.course.regime

    @property
    def language(self) -> str:
        """The language of the letters."""
        return self.course.language

    @property
    def country(self) -> str:
        """Where the controller has to act."""
        return self.course.country

    @property
    def request(self) -> Sent | None:
        """The request that counts."""
        return self.course.request

    @property
    def letters(self) -> tuple[Sent, ...]:
        """Every letter that left."""
        return self.course.letters

    @property
    def replies(self) -> tuple[Heard, ...]:
        """Every reply filed."""
        return self.course.replies

    @property
    def receipt(self) -> Receipt | None:
        """When the request arrived, where that is known."""
        return self.course.receipt

    @property
    def complaint(self) -> Lodged | None:
        """The complaint that was lodged."""
        return self.course.complaint

    @property
    def closed(self) -> Ended | None:
        """How the case was closed."""
        return self.course.closed

    @property
    def checked(self) -> Checked | None:
        """The answer as it was gone through."""
        return self.course.checked


def glance(case: Case) -> Glance:
    """Return the glance of a case."""
    facts = case.facts
    return Glance(facts.case_id, case.version, facts.subject_id, facts.controller,
                  facts.controller_name, facts.group, facts.campaign, facts.wave, facts.follows,
                  course(case))


def course_to_json(found: Course) -> list[Any]:
    """Return a course as JSON values, by position; dates ISO 8601."""
    return [_plain(value) for value in found]


def _plain(value: Any) -> Any:
    match value:
        case date():
            return value.isoformat()
        case Moment():
            return [value.type, value.on.isoformat(), value.justified, _plain(value.until)]
        case tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def course_from_json(values: list[Any]) -> Course:
    """Undo `course_to_json`. Raises ValueError or TypeError for what it did not write."""
    found = Course._make(values)
    return found._replace(
        on=_day(found.on),
        letters=tuple(Sent(_day(on), Stage(stage), channel, bounced)
                      for on, stage, channel, bounced in found.letters),
        receipt=found.receipt and Receipt(*map(_day, found.receipt)),
        moments=tuple(Moment(type=type_, on=_day(on), justified=justified,
                             until=until and _day(until))
                      for type_, on, justified, until in values[_MOMENTS]),
        replies=tuple(Heard(_day(on), _words(machine), _words(confirmed))
                      for on, machine, confirmed in found.replies),
        complaint=found.complaint and Lodged(_day(found.complaint[0]), found.complaint[1]),
        closed=found.closed and Ended(_day(found.closed[0]), found.closed[1]),
        checked=found.checked and Checked(*map(tuple, found.checked)),
        proofs=tuple(found.proofs), told=tuple(found.told),
    )


_MOMENTS = Course._fields.index("moments")


def _words(values: Any) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _day(text: Any) -> date:
    return date.fromisoformat(text)
