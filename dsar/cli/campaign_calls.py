"""What a campaign's cases call for: judged with the laws, the registry and the accounts at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dsar.campaign.reminders import Reminding, obstacle
from dsar.cli.campaigning import Room
from dsar.cli.followups import naming_the_authority, no_way_to, other_mailbox, planned
from dsar.core.case import Case
from dsar.core.plan import PlannedLetter
from dsar.core.queued import changed_since_approval
from dsar.core.remind import FollowUp, NotNow
from dsar.core.subject import DataSubject


def reminding(room: Room) -> Reminding:
    """What judging the cases of a campaign needs; with the date of now."""
    app = room.app
    return Reminding(
        store=room.store, campaign=room.campaign, today=app.today, outlook=app.outlooks.of,
        reach=lambda case: _reach(room, case), changed=lambda case: _changed(room, case),
        letter=lambda case, found, subject: _letter(room, case, found, subject))


def obstacle_of(room: Room) -> Callable[[Case], str]:
    """Why the approved letter of a case may not go any more, or ""."""
    found = reminding(room)
    return lambda case: obstacle(case, found)


def kit_obstacle(room: Room) -> Callable[[Case], str]:
    """Why a letter that waits for a member to send it may not go any more, or ""."""
    found = reminding(room)

    def why(case: Case) -> str:
        held = _reach(room, case)
        return obstacle(case, found) or (held.why if held else "")

    return why


def _reach(room: Room, case: Case) -> NotNow | None:
    """A member's own mailbox is nobody's to choose; the group writes from one to the end."""
    other = other_mailbox(case, room.account) if room.by_mandate else None
    if other is not None:
        return replace(other, way_out=f"dsar campaign change {room.campaign.id} --account NAME")
    return no_way_to(room.app, case, room.store.house())


def _changed(room: Room, case: Case) -> str:
    """Why the company, as the registry has it now, may not get the letter."""
    app, slug = room.app, case.facts.controller
    if slug not in app.registry_with_pulled:
        return "the registry knows the company no more"
    if slug in room.store.house().excluded:
        return "the company is excluded by you"
    return changed_since_approval(case, app.registry_with_pulled.get(slug), app.today)


def _letter(room: Room, case: Case, found: FollowUp, subject: DataSubject) -> PlannedLetter:
    named = naming_the_authority(room.app, case, found, subject.residence)
    return planned(room.app, case, named.stage, named.facts, because=named.because,
                   subject=subject)
