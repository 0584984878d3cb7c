"""`dsar campaign remind`: letters in the cases whose answer is late, in a wave of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from dsar.campaign.kit import KitLetter, waiting_letters, write_reminder
from dsar.campaign.reminders import Calls, Reminding, begun, call_of, opened, survey
from dsar.campaign.reminders import write_reminder as write_in_wave
from dsar.campaign.roster import load_campaign, load_member, subject_of
from dsar.campaign.waves import Writing, propose
from dsar.cli.app import App, pass_app
from dsar.cli.campaign_calls import kit_obstacle, reminding
from dsar.cli.campaign_kit import drop_of, hand_out
from dsar.cli.campaign_send import BY, forecast_of, waiting_by_company
from dsar.cli.campaigning import Room, alone, refuse_closed, who
from dsar.cli.options import global_options
from dsar.cli.standings import collector_paused
from dsar.core.campaign import four_eyes_problem
from dsar.core.followup import TIMES
from dsar.core.letter import Stage
from dsar.core.member import Member
from dsar.core.remind import NotNow
from dsar.errors import (
    ConcurrentAppend,
    DoneInPart,
    DsarError,
    LetterIncomplete,
    RefusedByRail,
    StorageFailed,
    UsageProblem,
)
from dsar.home import make_private_folder

SHOWN = 20
"""Letters that were not written are shown so many."""


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("-n", "--dry-run", is_flag=True,
              help="Show who is reminded and who is not, and why; write nothing.")
@click.option("--letters", "size", type=click.IntRange(min=1), metavar="N",
              help="At most so many, the oldest cases first; else all.")
@click.option("--confirm", type=int, metavar="N", help="The number of letters, in place of "
              "typing it.")
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path),
              help="Where each member sends: where the reminders go, one ZIP a member.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def remind(app: App, *, campaign_id: str, dry_run: bool, size: int | None, confirm: int | None,
           output: Path | None, by: str | None) -> None:
    """Write reminders in the cases whose answer is late, and follow-ups to confirmed answers.

    No company is reminded before its period has ended on every reading of the law. Nothing
    leaves the machine here: the letters are a wave, which `approve` releases and `work` sends.
    Where each member sends, they come in a kit.
    """
    if dry_run:
        with app.reading() as store, collector_paused():
            room = Room.of(app, store, campaign_id)
            calls = survey(store.glances(), reminding(room))
        _show(app, room, calls, _count(calls, size))
        app.next(_next(room, calls))
        return
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        author = who(app, by)
        with alone(room, "plan") as still:
            room.campaign = load_campaign(store, campaign_id)
            _refuse_now(room)
            if room.by_mandate:
                _remind_by_mandate(app, room, author, _Wanted(size, confirm, still))
            else:
                _remind_by_kit(app, room, _Wanted(size, confirm, still), output)


@dataclass(frozen=True)
class _Wanted:
    """How many letters, the number confirmed, and what raises once others may be at it."""

    size: int | None
    confirm: int | None
    still: Callable[[], None]


def _refuse_now(room: Room) -> None:
    """The gates that stand before any letter of the campaign."""
    campaign = room.campaign
    refuse_closed(campaign)
    if campaign.paused:
        raise RefusedByRail("wave", f"Campaign {campaign.id} is paused: "
                            f"{campaign.paused.because}.",
                            hint=f"dsar campaign resume {campaign.id} --reason TEXT")
    if not room.by_mandate:
        return
    if campaign.open_wave:
        number = campaign.open_wave.number
        raise RefusedByRail("four-eyes", f"Wave {number} waits to be approved.",
                            hint=f"dsar campaign approve {campaign.id} {number}")
    if campaign.waves and not campaign.reviewed:
        raise RefusedByRail("wave", "Nobody has looked at the first wave yet.",
                            hint=f"dsar campaign work {campaign.id}; then `campaign resume`")
    if any(True for _ in opened(room.board, campaign)):
        raise RefusedByRail("wave", f"Wave {campaign.next_wave} of requests was begun.",
                            hint=f"dsar campaign send {campaign.id} finishes it.")


# -- the group sends --------------------------------------------------------------------------


def _remind_by_mandate(app: App, room: Room, by: str, wanted: _Wanted) -> None:
    """Write the letters and propose the wave; one that broke off comes first, as it is."""
    failed: list[str] = []
    if any(True for _ in begun(room.board, room.campaign)):
        app.say(f"Wave {room.campaign.next_wave} was begun; what is written of it is proposed.")
    else:
        judged = reminding(room)
        calls, cases = _confirmed(app, room, judged, wanted)
        if not cases:
            app.next(_next(room, calls))
            return
        failed = _write_all(room, judged, cases, wanted.still)
    _propose(app, room, by, failed)


def _confirmed(app: App, room: Room, judged: Reminding, wanted: _Wanted
               ) -> tuple[Calls, list[str]]:
    """The cases to write in, once the number of letters was confirmed."""
    with collector_paused():
        calls = survey(room.store.glances(), judged)
    count = _count(calls, wanted.size)
    _show(app, room, calls, count)
    if count:
        app.confirm_number(count, given=wanted.confirm)
    return calls, calls.cases[:count]


def _write_all(room: Room, judged: Reminding, cases: Sequence[str], still: Callable[[], None]
               ) -> list[str]:
    """Write in each case; returns what could not be written, with why."""
    writing, number, failed = room.writing({}), room.campaign.next_wave, list[str]()
    for case_id in cases:
        still()
        if why := write_in_wave(case_id, number, judged, writing):
            failed.append(f"{case_id}: {why}")
    return failed


def _propose(app: App, room: Room, by: str, failed: Sequence[str]) -> None:
    for line in failed[:SHOWN]:
        app.say(f"  not written: {line}")
    number = room.campaign.next_wave
    campaign = propose(room.store, room.board, room.campaign, number, by=by, today=app.today,
                       stage=Stage.REMINDER, keep=room.archive.add)
    wave = campaign.waves[number]
    app.say(f"Wave {number}: {wave.proposed.letters} reminders written, "
            f"digest {wave.proposed.digest[:16]}.")
    if four_eyes_problem(wave, campaign, by):
        app.say(f"More than {campaign.started.four_eyes_over} letters: "
                "a second person approves them.")
    app.next(f"dsar campaign approve {campaign.id} {number}")


# -- each member sends ------------------------------------------------------------------------


@dataclass
class _Made:
    kits: int = 0
    letters: int = 0
    failed: list[str] = field(default_factory=list)


def _remind_by_kit(app: App, room: Room, wanted: _Wanted, output: Path | None) -> None:
    if output is None:
        raise UsageProblem(f"In campaign {room.campaign.id} each member sends.",
                           hint="-o FOLDER says where the reminders go.")
    judged, made = reminding(room), _Made()
    calls, cases = _confirmed(app, room, judged, wanted)
    make_private_folder(output.absolute())
    by_member = _by_member(room, cases)
    for code in dict.fromkeys([*by_member, *calls.waiting]):
        wanted.still()
        try:
            _one(room, judged, code, by_member.get(code, ()), output.absolute(), made)
        except StorageFailed:
            raise
        except DsarError as error:
            made.failed.append(f"{code}: {error}")
    app.say(f"{made.kits} kits with {made.letters} reminders in {output}.")
    for line in made.failed[:SHOWN]:
        app.say(f"  {line}")
    app.next(f"dsar campaign import {room.campaign.id}" if made.kits else _next(room, calls))
    if made.failed:
        raise DoneInPart(f"{len(made.failed)} reminders could not be written.")


def _by_member(room: Room, cases: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for case_id in cases:
        found.setdefault(room.store.case(case_id).facts.subject_id, []).append(case_id)
    return found


def _one(room: Room, judged: Reminding, code: str, cases: Sequence[str], folder: Path,
         made: _Made) -> None:
    """The reminders of one member: what is written now, and what was and is in no kit yet."""
    member, writing = load_member(room.store, room.campaign, code), room.writing({})
    if member.left is not None:
        return
    for case_id in cases:
        try:
            why = _write_one(room, judged, case_id, member, writing)
        except (ConcurrentAppend, LetterIncomplete, UsageProblem) as error:
            why = str(error)
        if why:
            made.failed.append(f"{case_id}: {why}")
    waiting = waiting_letters(member, writing, read=room.archive.read,
                              obstacle=kit_obstacle(room))
    letters = [one for one in waiting if isinstance(one, KitLetter) and one.reminder
               and one.reminder not in member.reminded]
    if letters:
        hand_out(room, member, writing, letters, folder / f"reminders-{code}.zip")
        made.kits, made.letters = made.kits + 1, made.letters + len(letters)


def _write_one(room: Room, judged: Reminding, case_id: str, member: Member, writing: Writing
               ) -> str:
    """Write what the case calls for; return "" or why there is nothing."""
    case = room.store.case(case_id)
    found = call_of(case, judged)
    if isinstance(found, NotNow):
        return f"{found.rail}: {found.why}"
    planned = judged.letter(case, found, subject_of(member, room.keys))
    write_reminder(planned, member, writing, drop=drop_of(room, member))
    return ""


# -- showing ----------------------------------------------------------------------------------


def _count(calls: Calls, size: int | None) -> int:
    return len(calls.cases) if size is None else min(size, len(calls.cases))


def _next(room: Room, calls: Calls) -> str:
    campaign = room.campaign
    if room.by_mandate and campaign.open_wave:
        return f"dsar campaign approve {campaign.id} {campaign.open_wave.number}"
    if calls.cases:
        return f"dsar campaign remind {campaign.id}" + ("" if room.by_mandate else " -o kits")
    if any(rail == "mandate" for rail, _ in calls.held):
        return f"dsar campaign members {campaign.id} --without-mandate"
    if any(rail == "unread" for rail, _ in calls.held):
        return "dsar inbox triage"
    return f"dsar campaign progress {campaign.id}"


def _show(app: App, room: Room, calls: Calls, this_wave: int) -> None:
    waiting = waiting_by_company(room)
    seen = forecast_of(room, calls.per_company, waiting) if room.by_mandate else None
    if app.settings.json:
        app.emit("campaign-reminders", [
            {"company": slug, "letters": count}
            for slug, count in sorted(calls.per_company.items())], {
            "campaign": room.campaign.id, "members": len(calls.members),
            "letters": len(calls.cases), "this_wave": this_wave,
            "waiting": sum(waiting.values()),
            "from": calls.from_day.isoformat() if calls.from_day else None,
            "fetched_at": _fetched(app),
            "finish_on": seen.finish_on.isoformat() if seen and seen.finish_on else None,
            "days": seen.days if seen else 0, "binding": seen.binding if seen else "none",
            "held": [{"rail": rail, "why": why, "cases": count}
                     for (rail, why), count in calls.held.most_common()]})
        return
    for line in _lines(room, calls):
        app.say(line)
    if calls.cases:
        app.say(f"Mail was fetched here last at {fetched}." if (fetched := _fetched(app)) else
                "No mail was fetched here yet: what has been answered may not be known.")
    if seen is not None and calls.cases:
        if waiting:
            app.say(f"{sum(waiting.values())} letters wait already and go first.")
        app.say(f"All out by {seen.finish_on} ({seen.days} days), once approved."
                if seen.finish_on else "With these limits no letter ever goes out.")
        if seen.finish_on and seen.finish_on > app.today + TIMES[0] / 2:
            app.say("What has not gone within a week is taken back, for it asks for an answer by a "
                    "date; --letters N writes fewer.")
    if this_wave:
        app.say(f"This wave: {this_wave} of them. Nothing leaves this machine yet.")


def _fetched(app: App) -> str | None:
    """When this machine last fetched mail: an answer that came since is not known yet."""
    from dsar.mailstate import last_poll

    found = last_poll(app.home.cursors)
    return found.at if found else None


def _lines(room: Room, calls: Calls) -> list[str]:
    lines = [
        f"Campaign {room.campaign.id}: {len(calls.cases)} letters to write, to "
        f"{len(calls.per_company)} companies, for {len(calls.members)} members."]
    if calls.held:
        lines.append(f"Not now ({sum(calls.held.values())}):")
        lines += [f"  {count:>7}  {rail}: {why}"
                  for (rail, why), count in calls.held.most_common(SHOWN)]
    if calls.from_day:
        lines.append(f"The next company is late from {calls.from_day} on.")
    return lines


COMMANDS = {"remind": remind}
