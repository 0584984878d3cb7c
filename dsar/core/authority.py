"""Which supervisory authority a person complains to, when, and what comes before that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from dsar.core.case import Case, ClockEvent
from dsar.core.controller import Controller
from dsar.core.deadline import Deadlines
from dsar.core.letter import Stage
from dsar.core.message import Label
from dsar.core.regime import Regime
from dsar.core.remind import NotNow, unread
from dsar.core.status import GRACE, confirmed_answer, may_complain
from dsar.core.subject import Place

ENDED_BADLY = ("refused", "partly", "no-answer")
"""Ends of a case after which a complaint still makes sense."""

STEP_DONE = {"complaint": "complained_to_company", "appeal": "appealed"}
"""Step that a law wants first → the kind of moment that says it was taken."""


class Supervises(Protocol):
    """An authority (law/authorities.py): for which places and bodies it is there."""

    @property
    def places(self) -> tuple[str, ...]:
        """`CC-SUB` of the parts of its country, where there are several authorities."""
        ...

    @property
    def bodies(self) -> tuple[str, ...]:
        """"private", "public"; empty is both."""
        ...


class HasAuthorities(Protocol):
    """A state (law/states.py) with the ids of its authorities."""

    @property
    def authorities(self) -> tuple[str, ...]:
        """Ids in authorities.yaml."""
        ...


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The authority, or None where the person has to choose; others: also competent."""

    authority: str | None
    because: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """What the law wants before the authority: "complaint" or "appeal" to the company.

    done_on: when the person took it, by a letter of ours or by their own word.
    """

    step: str
    section: str
    because: str
    done_on: date | None = None


def choose_authority(
    regime: Regime, residence: Place, controller: Controller,
    authorities: Mapping[str, Supervises], states: Mapping[str, HasAuthorities],
) -> Chosen:
    """Return to whom one complains about `controller` under `regime`.

    The authority that the law names; else that of the home of the person (where the law holds
    there), for a public body that of its own state; else that of the seat.
    """
    named = regime.complaint.authority
    if named:
        return Chosen(authority=named, because="the law names it")
    held_in = {*regime.countries, *regime.applies.residence, *regime.applies.establishment}
    if not held_in & set(states):
        rule = regime.complaint.authority_rule or "the data of this law name none"
        return Chosen(authority=None, because=f"no authority: {rule}")
    seat = _of_seat(controller, authorities, states)
    if controller.public_body:
        return seat
    if residence.country not in states:
        return seat
    home = _of_state(residence, authorities, states, private=True, why="you live in")
    elsewhere = tuple(a for a in (seat.authority,) if a and a != home.authority)
    return Chosen(authority=home.authority, because=home.because,
                  others=home.others or elsewhere)


def _of_seat(
    controller: Controller, authorities: Mapping[str, Supervises],
    states: Mapping[str, HasAuthorities],
) -> Chosen:
    lead = controller.lead_authority
    if lead in authorities and lead is not None:
        return Chosen(authority=lead, because="the registry names it for the company")
    if controller.country not in states:
        return Chosen(authority=None,
                      because="neither you nor the company have a home under this law")
    return _of_state(Place(controller.country or ""), authorities, states,
                     private=not controller.public_body, why="the seat is in")


def _of_state(
    place: Place, authorities: Mapping[str, Supervises], states: Mapping[str, HasAuthorities],
    *, private: bool, why: str,
) -> Chosen:
    body = "private" if private else "public"
    there = tuple(a for a in states[place.country].authorities
                  if not authorities[a].bodies or body in authorities[a].bodies)
    local = tuple(a for a in there if str(place) in authorities[a].places)
    fitting = local if len(there) > 1 else there
    if len(fitting) == 1:
        return Chosen(authority=fitting[0], because=f"{why} {place}")
    return Chosen(authority=None, others=there,
                  because=f"{place.country} has several authorities, by region")


def first_step(regime: Regime, case: Case, today: date) -> FirstStep | None:
    """What the law wants before a complaint, or None where nothing is in the way."""
    first = regime.complaint.first
    if first is None or (first.since is not None and today < first.since):
        return None
    sent = [s.on for s in case.letters if s.stage is Stage.COMPLAINT_FIRST
            and s.message_id not in case.bounced]
    said = [e.on for e in case.clock if isinstance(e, ClockEvent)
            and e.type == STEP_DONE[first.step]]
    return FirstStep(step=first.step, section=first.section, because=first.basis,
                     done_on=min([*sent, *said], default=None))


def wait_until(step: FirstStep, wait_days: int | None, answer_due: date | None) -> date | None:
    """The last day the company has for the step: the law's date, else a number of days."""
    if step.done_on is None:
        return None
    if answer_due is not None:
        return answer_due
    return step.done_on + timedelta(days=wait_days) if wait_days else step.done_on


def against_complaint(case: Case, deadlines: Deadlines | None, today: date) -> NotNow | None:
    """Why no complaint may be lodged yet, or None.

    One may after the latest defensible due date and some days of grace, or once a person has
    confirmed that the company refused or answered in part.
    """
    if case.in_doubt:
        return NotNow(rail="in-doubt", why="a letter may or may not have been sent",
                      way_out=f"dsar poll; dsar case set {case.id} sent|unsent")
    if case.closed and case.closed.outcome not in ENDED_BADLY:
        return NotNow(rail="closed", why=f"the case is closed: {case.closed.outcome}",
                      way_out=f"dsar case reopen {case.id}")
    if case.request is None:
        return NotNow(rail="unsent", why="no request has reached the company",
                      way_out=f"dsar case show {case.id}")
    if unread(case):
        return NotNow(rail="unread", why="a reply waits to be read",
                      way_out=f"dsar case show {case.id}")
    return _not_yet(case, deadlines, today)


def _not_yet(case: Case, deadlines: Deadlines | None, today: date) -> NotNow | None:
    answer = confirmed_answer(case)
    if answer in (Label.REFUSAL, Label.PARTIAL_FULFILMENT):
        return None
    if case.closed or (case.checked and case.checked.missing):
        return None
    if answer is not None:
        return NotNow(rail="answered", why="the company has answered",
                      way_out=f"dsar case check {case.id}")
    if may_complain(deadlines, today):
        return None
    after = deadlines.complain_after if deadlines else None
    if after is None:
        return NotNow(rail="early", why="no date for an answer is running",
                      way_out=f"dsar case show {case.id} --explain")
    return NotNow(rail="early", why=f"the company may answer in time until {after}",
                  from_day=after + GRACE + timedelta(days=1),
                  way_out=f"dsar case show {case.id} --explain")


def lodged_on(case: Case) -> date | None:
    """When a complaint went out: as recorded, or by the letter to the authority."""
    if case.complaint is not None:
        return case.complaint.on
    sent = [s.on for s in case.letters if s.stage is Stage.COMPLAINT
            and s.message_id not in case.bounced]
    return sent[-1] if sent else None
