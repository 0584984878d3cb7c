"""Waves: cases are opened, letters written, the whole looked at by a second person, then sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dsar.campaign.board import Board, Claimed
from dsar.campaign.listing import Left, list_of, others_than_proposed
from dsar.campaign.planning import Held, Planner, plan_member
from dsar.campaign.roster import load_member, record_campaign, subject_of
from dsar.core.board import wave_of
from dsar.core.campaign import Campaign, Wave, four_eyes_problem
from dsar.core.campaign_events import (
    CampaignPaused,
    CampaignResumed,
    WaveApproved,
    WaveProposed,
    WaveWithdrawn,
)
from dsar.core.case import ApprovalWithdrawn, Case, CaseClosed, CaseEvent, SendAbandoned
from dsar.core.letter import Stage
from dsar.core.member import Member, mandate_problem
from dsar.core.plan import PlannedLetter
from dsar.core.reference import reference_from
from dsar.drafting import Desk, approve, opening, reply_address
from dsar.errors import ConcurrentAppend, LetterIncomplete, RefusedByRail, UsageProblem
from dsar.store import Addition, Store

BATCH = 500
TRIES = 5
"""How often new references are drawn where some are taken: 35 bits meet now and then."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What writing the letters of a campaign needs. desk: for a member, with what is enclosed."""

    store: Store
    board: Board
    planner: Planner
    desk: Callable[[Member], Desk]
    today: date

    @property
    def campaign(self) -> Campaign:
        """The campaign as it was when the planner was made."""
        return self.planner.campaign


def open_cases(
    chosen: Mapping[str, set[tuple[str, str]]], wave: int, writing: Writing, *,
    before: Callable[[], None] = lambda: None,
) -> Iterator[str]:
    """Open a case for each (company, right) chosen of each member; yield the ids, in batches.

    before: called before each batch; raises where the wave may be somebody else's by now.
    """
    waiting: list[tuple[PlannedLetter, Member]] = []
    for code, pairs in chosen.items():
        member = load_member(writing.store, writing.campaign, code)
        planned = plan_member(member, writing.planner, only=pairs)
        waiting += [(p, member) for p in planned if isinstance(p, PlannedLetter)]
        while len(waiting) >= BATCH:
            before()
            yield from _opened(waiting[:BATCH], wave, writing)
            waiting = waiting[BATCH:]
    before()
    yield from _opened(waiting, wave, writing)


def _opened(
    letters: list[tuple[PlannedLetter, Member]], wave: int, writing: Writing
) -> list[str]:
    for last in range(TRIES, -1, -1):
        additions = [_opening(planned, member, wave, writing) for planned, member in letters]
        if len({a.stream for a in additions}) < len(additions):
            continue
        try:
            writing.store.append_all(additions)
        except ConcurrentAppend:
            if not last:
                raise
            continue
        return [a.stream for a in additions]
    raise ConcurrentAppend("No free references were found; run it again.")


def _opening(planned: PlannedLetter, member: Member, wave: int, writing: Writing) -> Addition:
    desk = writing.desk(member)
    reference = reference_from(desk.entropy(5))
    sender = desk.sender
    reply_to = reply_address(sender.address, reference, sender.tag_key) if sender.tag_key else None
    subject = subject_of(member, writing.planner.keys)
    event = replace(opening(planned, subject, desk, reference, reply_to),
                    campaign=writing.campaign.id, wave=wave)
    return Addition(stream=event.case_id, events=[event], after=0)


def write_letter(case_id: str, writing: Writing) -> str:
    """Write and approve the letter of a case that was opened; return "" or why it cannot be.

    A case for which no letter may be written any more is closed with the reason.
    """
    case = writing.store.case(case_id)
    if case.approvals or case.closed:
        return ""
    member = load_member(writing.store, writing.campaign, case.facts.subject_id)
    planner = replace(writing.planner, taken={})
    pair = (case.facts.controller, case.facts.right)
    found = next(plan_member(member, planner, only={pair}), None)
    why = "the company is no target any more" if found is None else (
        f"{found.rail}: {found.why}" if isinstance(found, Held) else "")
    if isinstance(found, PlannedLetter):
        planned = replace(found, case=case, facts={**found.facts, **mandate_facts(member, writing)})
        try:
            approve(planned, subject_of(member, planner.keys), writing.desk(member),
                    overrides=overrides_of(planned, writing.campaign))
        except ConcurrentAppend:
            return ""  # another worker was faster
        except (LetterIncomplete, UsageProblem) as error:  # not a full disk: that ends the run
            why = str(error)
    if why:
        closed = CaseClosed(on=writing.today, outcome="withdrawn", note=f"not written: {why}")
        try:
            writing.store.append(case_id, [closed], after=case.version)
        except ConcurrentAppend:
            return ""
    return why


def overrides_of(planned: PlannedLetter, campaign: Campaign) -> dict[str, str]:
    """The rails that held this letter and that the campaign overrides, with its reason."""
    return dict.fromkeys(planned.overridden, campaign.started.erasure_because)


def mandate_facts(member: Member, writing: Writing) -> dict[str, object]:
    """What a letter says of the mandate it comes with; nothing where there is none."""
    mandate = member.mandate
    if mandate is None or not writing.planner.by_mandate:
        return {}
    return {"mandate_holder": mandate.holder, "mandate_signed_on": mandate.signed_on,
            "answers_to_holder": member.answers_to == "holder",
            "member_email": subject_of(member, writing.planner.keys).email}


def propose(store: Store, board: Board, campaign: Campaign, wave: int, *, by: str, today: date,
            keep: Callable[[bytes], object], stage: Stage = Stage.REQUEST) -> Campaign:
    """Say that the letters of a wave are written, by their digest. Raises UsageProblem.

    keep: takes the list of the letters into the archive.
    """
    left = board.opened(campaign.id, wave)
    if left:
        raise UsageProblem(f"{left} letters of wave {wave} are not written yet.",
                           hint=f"dsar campaign work {campaign.id}")
    listed = list_of(board.written(campaign.id, wave))
    if not listed:
        raise UsageProblem(f"Wave {wave} has no letter.")
    keep(listed)
    event = WaveProposed(on=today, wave=wave, letters=listed.count(b"\n"), by=by, stage=stage,
                         digest=hashlib.sha256(listed).hexdigest())
    return record_campaign(store, campaign, event)


def release(store: Store, board: Board, campaign: Campaign, wave: Wave, *, by: str, today: date,
            left: Left | None = None) -> Campaign:
    """Let a wave go out. Raises RefusedByRail: four eyes, or other letters than proposed.

    left: what of it is left, as the approver has seen it; it is then proposed anew with these
    letters, for whoever proposed it. Four eyes are judged by what was proposed at first.
    """
    problem = four_eyes_problem(wave, campaign, by)
    if problem:
        raise RefusedByRail("four-eyes", problem[0].upper() + problem[1:] + ".",
                            hint="Another person runs it, with --by or DSAR_AUTHOR set.")
    seen = left.digest if left is not None else wave.proposed.digest
    listed = list_of(board.written(campaign.id, wave.number))
    if hashlib.sha256(listed).hexdigest() != seen:
        raise others_than_proposed(campaign, wave, listed.count(b"\n"))
    events: list[WaveProposed | WaveApproved] = [
        WaveApproved(on=today, wave=wave.number, digest=seen, by=by)]
    if left is not None:
        events.insert(0, replace(wave.proposed, on=today, letters=left.letters, digest=seen))
    return record_campaign(store, campaign, *events)


def withdraw_wave(store: Store, board: Board, campaign: Campaign, wave: int, *, by: str,
                  because: str, today: date) -> tuple[Campaign, int]:
    """Take back what of a wave has not gone out; returns how many letters that were."""
    event = WaveWithdrawn(on=today, wave=wave, because=because, by=by)
    campaign = record_campaign(store, campaign, event)
    taken = [c.id for c in board.of_wave(campaign.id, wave)]
    return campaign, sum(withdraw_letter(store, c, because, today, wave=wave) for c in taken)


def withdraw_letter(store: Store, case_id: str, because: str, today: date, *,
                    wave: int | None = None) -> bool:
    """Withdraw what waits in a case, and close it unless a letter is out or may be.

    That is also a letter which the server put off. A reminder is withdrawn and its case stays
    open: the request in it is out. wave: only a letter of this one. Raises ConcurrentAppend
    where others write to the case without end.
    """
    for last in range(TRIES, -1, -1):
        try:
            case = store.case(case_id)
            mine = wave in (None, wave_of(case))
            return mine and _withdraw(store, case, because, today)
        except ConcurrentAppend:
            if not last:
                raise
    return False


def _withdraw(store: Store, case: Case, because: str, today: date) -> bool:
    if case.closed or case.in_doubt:
        return False
    if case.approved is None and (case.letters or case.attempts):
        return False  # out, or refused for good: what happened stays as it is
    events: list[ApprovalWithdrawn | CaseClosed] = []
    if case.approved is not None:
        events.append(ApprovalWithdrawn(on=today, message_id=case.approved.message_id,
                                        because=because))
    if not case.letters:
        events.append(CaseClosed(on=today, outcome="withdrawn", note=because))
    store.append(case.id, events, after=case.version)
    return True


def stop_claimed(store: Store, claimed: Claimed, *, why: str, today: date) -> None:
    """A letter was claimed, and may not go after all: the server has not heard of it.

    A case whose request is out goes on without its reminder.
    """
    case, attempt = claimed.case, claimed.attempt
    events: list[CaseEvent] = [
        SendAbandoned(on=today, message_id=attempt.message_id, because=why),
        ApprovalWithdrawn(on=today, message_id=attempt.message_id, because=why)]
    if not case.letters:
        events.append(CaseClosed(on=today, outcome="withdrawn", note=why))
    record_unsent(store, case, events)


def record_unsent(store: Store, case: Case, events: Sequence[CaseEvent]) -> None:
    """Record what became of a claim, though a poll files something at the same time."""
    version = case.version
    for last in range(TRIES, -1, -1):
        try:
            return store.append(case.id, events, after=version)
        except ConcurrentAppend:
            if not last:
                raise
            version = store.case(case.id).version
    return None


def claim_problem(store: Store, campaign: Campaign, case: Case, *, on: date) -> str:
    """Why the letter of a case may not go out on this day although it was approved, or "".

    Between approval and sending a mandate may expire or be taken back, and a member may leave.
    """
    member = load_member(store, campaign, case.facts.subject_id)
    if campaign.started.mode != "mandate":
        return "each member sends"
    return mandate_problem(member, controller=case.facts.controller, right=case.facts.right, on=on)


def pause(store: Store, campaign: Campaign, *, because: str, by: str, today: date) -> Campaign:
    """Let nothing go out until a person resumes the campaign."""
    return record_campaign(store, campaign, CampaignPaused(on=today, because=because, by=by))


def resume(store: Store, campaign: Campaign, *, because: str, by: str, today: date) -> Campaign:
    """Go on. Raises UsageProblem where nothing rests."""
    if campaign.paused is None:
        raise UsageProblem(f"Campaign {campaign.id} is not paused.")
    return record_campaign(store, campaign, CampaignResumed(on=today, by=by, because=because))


@dataclass(frozen=True, kw_only=True)
class Anomalies:
    """What after a wave should make somebody look; shares of the letters that went out."""

    letters: int
    bounced: int
    refused: int
    in_doubt: int
    held: int
    companies: Mapping[str, int]
    left: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each thing, in words; none where nothing is odd."""
        found = []
        for count, words in ((self.bounced, "came back"), (self.refused, "were refused"),
                             (self.in_doubt, "are in doubt"), (self.held, "were not written"),
                             (self.left, "did not go out")):
            if count:
                found.append(f"{count} of {self.letters} letters {words}")
        found += [f"{slug}: {count} letters came back or were refused"
                  for slug, count in sorted(self.companies.items(), key=lambda i: -i[1])]
        return tuple(found)


def anomalies(cases: Iterable[Case]) -> Anomalies:
    """Count what went wrong with the letters of a wave."""
    letters = bounced = refused = doubt = held = left = 0
    companies: dict[str, int] = {}
    for case in cases:
        letters += 1
        bad = bool(case.bounced) or case.refused is not None
        bounced += bool(case.bounced)
        refused += case.refused is not None and not case.bounced
        doubt += case.in_doubt is not None
        left += case.approved is not None and not case.in_doubt and not case.closed
        held += bool(case.closed and case.closed.outcome == "withdrawn" and not case.attempts)
        if bad:
            slug = case.facts.controller
            companies[slug] = companies.get(slug, 0) + 1
    return Anomalies(letters=letters, bounced=bounced, refused=refused, in_doubt=doubt, held=held,
                     companies=companies, left=left)
