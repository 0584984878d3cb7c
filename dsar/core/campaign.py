"""A campaign as its events add up to: targets, waves that may go out, whether it rests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never
from unicodedata import category, normalize

from dsar.core.campaign_events import (
    AnnouncementAttempted,
    AnnouncementSettled,
    CampaignChanged,
    CampaignClosed,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    MembersPurged,
    TargetsChosen,
    WaveApproved,
    WaveProposed,
    WaveWithdrawn,
)


@dataclass(frozen=True, kw_only=True)
class Wave:
    """One batch of letters. approved: by whom, and only for the digest that was proposed."""

    proposed: WaveProposed
    approved: WaveApproved | None = None
    withdrawn: WaveWithdrawn | None = None

    @property
    def number(self) -> int:
        """1 is the first."""
        return self.proposed.wave

    @property
    def released(self) -> bool:
        """Whether its letters may go out."""
        return self.approved is not None and self.withdrawn is None


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """The letter that told a controller of the batch; settled: None while nobody knows."""

    attempted: AnnouncementAttempted
    settled: AnnouncementSettled | None = None


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """The fold over the events of `campaign/<id>`; `version` is how many events there are.

    reviewed: a person resumed the campaign after its first wave was out, for which dsar had
    paused it: further waves may go out. A pause of a person's own says nothing of that wave.
    """

    started: CampaignStarted
    version: int = 1
    targets: tuple[str, ...] = ()
    waves: Mapping[int, Wave] = field(default_factory=dict)
    announced: Mapping[str, Announcement] = field(default_factory=dict)
    paused: CampaignPaused | None = None
    reviewed: bool = False
    closed: CampaignClosed | None = None
    purged: MembersPurged | None = None

    @property
    def id(self) -> str:
        """The slug of the campaign."""
        return self.started.campaign_id

    @property
    def next_wave(self) -> int:
        """The number a new wave gets."""
        return max(self.waves, default=0) + 1

    @property
    def open_wave(self) -> Wave | None:
        """The wave that is proposed and waits for a person."""
        waiting = (w for w in self.waves.values() if not w.approved and not w.withdrawn)
        return next(waiting, None)

    @property
    def released(self) -> tuple[int, ...]:
        """The waves whose letters may go out now: none while the campaign rests or is closed."""
        if self.paused or self.closed:
            return ()
        first = min((n for n, wave in self.waves.items() if wave.released), default=0)
        return tuple(sorted(n for n, wave in self.waves.items()
                            if wave.released and (self.reviewed or n == first)))


def fold_campaign(events: Iterable[CampaignEvent]) -> Campaign:
    """Return what the events of one campaign add up to; raises ValueError without a start."""
    listed = list(events)
    if not listed or not isinstance(listed[0], CampaignStarted):
        raise ValueError("a campaign begins with CampaignStarted")
    campaign = Campaign(started=listed[0])
    for event in listed[1:]:
        campaign = _apply(campaign, event)
    return replace(campaign, version=len(listed))


def same_name(name: str) -> str:
    """A name as it is compared: the same however its letters, spaces and case are written."""
    folded = normalize("NFKC", name).casefold()
    visible = (c for c in folded if category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join("".join(visible).split())


def four_eyes_problem(wave: Wave, campaign: Campaign, approver: str) -> str:
    """Why this person may not release the wave, or "".

    Over the campaign's limit of letters a second person has to look: the rail of four eyes. What
    one person has let out alone counts together, so that many small waves are no way round it.
    """
    if not same_name(approver):
        return "it is not known who approves it"
    if wave.withdrawn:
        return f"wave {wave.number} was withdrawn"
    if wave.approved:
        return f"wave {wave.number} is approved already"
    alone = _let_out_alone(campaign)
    small = alone + wave.proposed.letters <= campaign.started.four_eyes_over
    if small or same_name(approver) != same_name(wave.proposed.by):
        return ""
    before = f", after {alone} that nobody else looked at," if alone else ""
    return (f"wave {wave.number} has {wave.proposed.letters} letters{before} and was proposed by "
            f"{wave.proposed.by}; another person has to approve it")


def _let_out_alone(campaign: Campaign) -> int:
    """The letters of waves that the person who proposed them released.

    Also of one that was withdrawn afterwards: how many of it had gone out by then is not known.
    """
    return sum(w.proposed.letters for w in campaign.waves.values()
               if w.approved is not None and same_name(w.approved.by) == same_name(w.proposed.by))


def _apply(campaign: Campaign, event: CampaignEvent) -> Campaign:
    match event:
        case CampaignStarted():
            raise ValueError("a campaign begins once")
        case CampaignChanged():
            return replace(campaign, started=_changed(campaign.started, event))
        case TargetsChosen():
            return replace(campaign, targets=event.controllers)
        case AnnouncementAttempted():
            return _with_announcement(campaign, Announcement(attempted=event))
        case AnnouncementSettled():
            known = campaign.announced.get(event.controller)
            if known is None or known.attempted.message_id != event.message_id:
                return campaign
            return _with_announcement(campaign, replace(known, settled=event))
        case WaveProposed():
            return _with_wave(campaign, Wave(proposed=event))
        case WaveApproved():
            wave = campaign.waves.get(event.wave)
            same = wave is not None and wave.proposed.digest == event.digest
            return _with_wave(campaign, replace(wave, approved=event)) if wave and same else (
                campaign)
        case WaveWithdrawn():
            wave = campaign.waves.get(event.wave)
            return _with_wave(campaign, replace(wave, withdrawn=event)) if wave else campaign
        case CampaignPaused():
            return replace(campaign, paused=event)
        case CampaignResumed():
            seen = campaign.paused is not None and campaign.paused.by == "dsar" and any(
                wave.released for wave in campaign.waves.values())
            return replace(campaign, paused=None, reviewed=campaign.reviewed or seen)
        case MembersPurged():
            return replace(campaign, purged=event)
        case CampaignClosed():
            return replace(campaign, closed=event)
        case _:
            assert_never(event)


def _changed(started: CampaignStarted, event: CampaignChanged) -> CampaignStarted:
    """The terms of the campaign as they are now."""
    return replace(
        started,
        per_controller_per_day=started.per_controller_per_day
        if event.per_controller_per_day is None else event.per_controller_per_day,
        spread=started.spread if event.spread is None else event.spread,
        purge_on=min(event.purge_on or started.purge_on, started.purge_on),  # never later
        account=started.account if event.account is None else event.account,
        contact=event.contact or started.contact,
    )


def _with_wave(campaign: Campaign, wave: Wave) -> Campaign:
    return replace(campaign, waves={**campaign.waves, wave.number: wave})


def _with_announcement(campaign: Campaign, announcement: Announcement) -> Campaign:
    slug = announcement.attempted.controller
    return replace(campaign, announced={**campaign.announced, slug: announcement})
