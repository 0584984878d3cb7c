"""Reminders of a campaign: which cases call for a letter now, and its writing in its own wave.

Each case is judged by the same function as that of a person who files alone, so that no rail
differs; on top come the mandate and what waits already. It is judged three times: in the plan, when
the letter is written, and when it is this worker's to send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from dsar.campaign.board import Board
from dsar.campaign.roster import load_member, subject_of
from dsar.campaign.waves import Writing, mandate_facts
from dsar.core.board import wave_of
from dsar.core.campaign import Campaign
from dsar.core.case import Case
from dsar.core.course import Course, course
from dsar.core.glance import Glance
from dsar.core.letter import Stage
from dsar.core.member import Member, mandate_problem
from dsar.core.plan import PlannedLetter
from dsar.core.remind import FollowUp, NotNow, follow_up, written_for
from dsar.core.status import Outlook
from dsar.core.subject import DataSubject
from dsar.drafting import approve
from dsar.errors import ConcurrentAppend, LetterIncomplete, UsageProblem
from dsar.store import Store

WAITS = "queued"
CHANGED = "something has happened since it was approved"


@dataclass(frozen=True, kw_only=True)
class Reminding:
    """What judging cases needs.

    outlook: what today makes of a course. reach: why no further letter may go to the company of
    a case. changed: why the approved letter of a case is not what one would send today. letter:
    the letter for a follow-up, in the name of the member.
    """

    store: Store
    campaign: Campaign
    today: date
    outlook: Callable[[Course], Outlook]
    reach: Callable[[Case], NotNow | None]
    changed: Callable[[Case], str]
    letter: Callable[[Case, FollowUp, DataSubject], PlannedLetter]

    @property
    def by_mandate(self) -> bool:
        """Whether the group sends, and so needs mandates."""
        return self.campaign.started.mode == "mandate"


@dataclass
class Calls:
    """Which cases call for a letter, in the order they were opened, and why not the others.

    waiting: members with a letter that waits. from_day: the first day on which one of those that
    are too early may be reminded.
    """

    cases: list[str] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    per_company: Counter[str] = field(default_factory=Counter)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: dict[str, None] = field(default_factory=dict)
    from_day: date | None = None

    def hold(self, reason: NotNow) -> None:
        """Count a case that gets no letter now."""
        why = "the answer is not late yet" if reason.rail == "early" else reason.why
        self.held[reason.rail, why] += 1
        if reason.from_day is not None:
            self.from_day = min(self.from_day or reason.from_day, reason.from_day)


def survey(seen: Iterable[Glance], reminding: Reminding) -> Calls:
    """Judge the open cases of the campaign; a whole case is loaded only where it may be late."""
    calls, members = Calls(), dict[str, Member]()
    for glance in seen:
        if glance.campaign != reminding.campaign.id or glance.closed is not None:
            continue
        early = _nothing_yet(glance.course, reminding)
        found = early or call_of(reminding.store.case(glance.id), reminding, members)
        if isinstance(found, NotNow):
            calls.hold(found)
            if found.rail == WAITS:
                calls.waiting[glance.subject_id] = None
            continue
        calls.cases.append(glance.id)
        calls.members.add(glance.subject_id)
        calls.per_company[glance.controller] += 1
    return calls


def _nothing_yet(seen: Course, reminding: Reminding) -> NotNow | None:
    """Why there is nothing to say to a company that is silent and in time, as the course shows."""
    if seen.request is None:
        return NotNow(rail="unsent", why="no request has reached the company")
    found = reminding.outlook(seen).deadlines
    after = found.complain_after if found else None
    if seen.replies or after is None or reminding.today > after:
        return None
    return NotNow(rail="early", why=f"at the latest {after}",
                  from_day=date.fromordinal(after.toordinal() + 1))


def call_of(
    case: Case, reminding: Reminding, members: dict[str, Member] | None = None
) -> FollowUp | NotNow:
    """The letter a case calls for today, or why there is none. members: those known by now."""
    if case.approved is not None and not case.closed:
        return NotNow(rail=WAITS, why="a letter waits to be sent")
    found = _judged(case, reminding)
    if isinstance(found, NotNow):
        return found
    held = _came_back(case) or _no_mandate(case, reminding, {} if members is None else members)
    return held or reminding.reach(case) or found


def _judged(case: Case, reminding: Reminding) -> FollowUp | NotNow:
    return follow_up(case, reminding.outlook(course(case)).deadlines, reminding.today)


def _came_back(case: Case) -> NotNow | None:
    """After a letter that did not arrive the next one would not either: a person has to look."""
    show = f"dsar registry show {case.facts.controller}"
    last = case.letters[-1] if case.letters else None
    if last is not None and last.message_id in case.bounced:
        return NotNow(rail="contact", why="the latest letter came back", way_out=show)
    if case.refused is not None and not case.refused.temporary:
        return NotNow(rail="contact", why="the mail server refused the latest letter",
                      way_out=show)
    return None


def _no_mandate(case: Case, reminding: Reminding, members: dict[str, Member]) -> NotNow | None:
    code, facts = case.facts.subject_id, case.facts
    if code not in members:
        members[code] = load_member(reminding.store, reminding.campaign, code)
    member = members[code]
    if member.left is not None:
        return NotNow(rail="member", why="the member left the campaign")
    if not reminding.by_mandate:
        return None
    why = mandate_problem(member, controller=facts.controller, right=facts.right,
                          on=reminding.today)
    way_out = f"dsar campaign mandate issue {reminding.campaign.id} {code} --again"
    return NotNow(rail="mandate", why=why, way_out=way_out) if why else None


def obstacle(case: Case, reminding: Reminding) -> str:
    """Why the approved letter of a case is not what one would send today, or "".

    For a reminder the case is judged anew: an answer, an extension or a day that a person
    corrected may have come since. An attempt at this very letter does not count.
    """
    approved = case.approved
    changed = reminding.changed(case)
    if changed or approved is None or approved.stage is Stage.REQUEST:
        return changed
    doubts = tuple(a for a in case.unsettled if a.message_id != approved.message_id)
    found = _judged(replace(case, unsettled=doubts), reminding)
    if isinstance(found, NotNow):
        return found.why
    if reminding.today > written_for(case, approved.on):
        return f"it was written on {approved.on}: the day it asks an answer by is too near"
    return "" if found.stage is approved.stage else CHANGED


def write_reminder(case_id: str, wave: int, reminding: Reminding, writing: Writing) -> str:
    """Write and approve the letter a case calls for; return "" or why there is none."""
    case = reminding.store.case(case_id)
    found = call_of(case, reminding)
    if isinstance(found, NotNow):
        return f"{found.rail}: {found.why}"
    member = load_member(writing.store, writing.campaign, case.facts.subject_id)
    subject = subject_of(member, writing.planner.keys)
    try:
        planned = reminding.letter(case, found, subject)
        approve(replace(planned, facts={**planned.facts, **mandate_facts(member, writing)}),
                subject, writing.desk(member), overrides={}, wave=wave)
    except ConcurrentAppend:
        return "something was recorded in the case meanwhile"
    except (LetterIncomplete, UsageProblem) as error:  # not a full disk: that ends the run
        return str(error)
    return ""


def begun(board: Board, campaign: Campaign) -> Iterator[Case]:
    """Cases of the next wave whose reminder is written, by a run that broke off."""
    return (case for case in board.of_wave(campaign.id, campaign.next_wave)
            if case.closed is None and case.facts.wave != campaign.next_wave)


def opened(board: Board, campaign: Campaign) -> Iterator[Case]:
    """Cases that were opened for the next wave, by a run that broke off."""
    return (case for case in board.of_wave(campaign.id, campaign.next_wave)
            if case.closed is None and case.facts.wave == campaign.next_wave
            and wave_of(case) == case.facts.wave)
