"""`dsar campaign send | approve | withdraw | pause | resume`: waves, looked at before they go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from dsar.campaign.listing import Left, what_left
from dsar.campaign.planning import Outlook, choose_wave, survey
from dsar.campaign.reminders import begun, opened
from dsar.campaign.roster import load_campaign, load_members
from dsar.campaign.waves import (
    open_cases,
    propose,
    release,
    withdraw_wave,
    write_letter,
)
from dsar.campaign.waves import pause as pause_campaign
from dsar.campaign.waves import resume as resume_campaign
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, alone, who
from dsar.cli.options import global_options
from dsar.core.campaign import four_eyes_problem
from dsar.core.fairness import Forecast, Pace, forecast
from dsar.core.letter import Stage
from dsar.errors import RefusedByRail, UsageProblem

BY = "Who acts, for the ledger; else DSAR_AUTHOR, or the user of this machine."


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("-n", "--dry-run", is_flag=True,
              help="Show the plan, when it is done and which limit binds; write nothing.")
@click.option("--letters", "size", type=click.IntRange(min=1), metavar="N",
              help="Letters of this wave; else 50 for the first, then all.")
@click.option("--confirm", type=int, metavar="N", help="The number of letters, in place of "
              "typing it.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def send(app: App, *, campaign_id: str, dry_run: bool, size: int | None, confirm: int | None,
         by: str | None) -> None:
    """Plan, and write the next wave of letters.

    Nothing leaves the machine here: `approve` releases a wave and `work` sends it. The first wave
    is small and chosen across members and companies; after it the campaign pauses by itself.
    """
    if dry_run:
        with app.reading() as store:
            room = Room.of(app, store, campaign_id)
            outlook = _survey(room)
            _show(app, room, outlook)
        app.next(_next(room, outlook))
        return
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        author = who(app, by)
        with alone(room, "plan") as still:
            room.campaign = load_campaign(store, campaign_id)
            _refuse_now(room)
            if _is_begun(room) or _begin(app, room, size, confirm, still):
                _write_and_propose(app, room, author)


def _is_begun(room: Room) -> bool:
    """Whether a wave was opened and not proposed, by a run that broke off: it comes first."""
    if any(True for _ in begun(room.board, room.campaign)):
        raise RefusedByRail("wave", f"Wave {room.campaign.next_wave} of reminders was begun.",
                            hint=f"dsar campaign remind {room.campaign.id} finishes it.")
    return any(True for _ in opened(room.board, room.campaign))


def _begin(app: App, room: Room, size: int | None, confirm: int | None,
           still: Callable[[], None]) -> bool:
    """Plan a wave, have its number confirmed and open its cases; False where none is to write."""
    outlook = _survey(room)
    wave = size or (room.campaign.started.first_wave if not room.campaign.waves
                    else max(outlook.letters, 1))
    count = min(wave, outlook.letters)
    _show(app, room, outlook, this_wave=count)
    if not count:
        app.next(_next(room, outlook))
        return False
    app.confirm_number(count, given=confirm)
    _open(app, room, outlook, count, still)
    return True


def _next(room: Room, outlook: Outlook) -> str:
    """What comes after the plan was shown."""
    campaign = room.campaign
    if not outlook.members:
        return f"dsar campaign add-members {campaign.id} FILE.csv"
    if not room.by_mandate:
        return f"dsar campaign kit {campaign.id} -o kits"
    if campaign.open_wave:
        return f"dsar campaign approve {campaign.id} {campaign.open_wave.number}"
    if not outlook.letters and any(rail == "mandate" for rail, _ in outlook.held):
        return f"dsar campaign members {campaign.id} --without-mandate"
    return (f"dsar campaign send {campaign.id}" if outlook.letters
            else f"dsar campaign progress {campaign.id}")


def _refuse_now(room: Room) -> None:
    campaign = room.campaign
    if campaign.closed:
        raise UsageProblem(f"Campaign {campaign.id} is closed.")
    if not room.by_mandate:
        raise RefusedByRail("mandate", f"In campaign {campaign.id} each member sends.",
                            hint=f"dsar campaign kit {campaign.id} -o FOLDER")
    if campaign.paused:
        raise RefusedByRail("wave", f"Campaign {campaign.id} is paused: "
                            f"{campaign.paused.because}.",
                            hint=f"dsar campaign resume {campaign.id} --reason TEXT")
    if campaign.open_wave:
        number = campaign.open_wave.number
        raise RefusedByRail("four-eyes", f"Wave {number} waits to be approved.",
                            hint=f"dsar campaign approve {campaign.id} {number}")


def _survey(room: Room) -> Outlook:
    planner = room.planner(room.board.taken(room.campaign.id))
    return survey(load_members(room.store, room.campaign), planner)


def _open(app: App, room: Room, outlook: Outlook, count: int, still: Callable[[], None]) -> None:
    chosen, done = choose_wave(outlook, count), 0
    writing = room.writing(room.board.taken(room.campaign.id))
    for _ in open_cases(chosen, room.campaign.next_wave, writing, before=still):
        done += 1
    app.say(f"{done} cases opened.")


def _write_and_propose(app: App, room: Room, by: str) -> None:
    """Write what is opened and not written; other workers may help. Then propose the wave."""
    writing = room.writing({})
    failed: list[str] = []
    while some := room.board.unwritten(room.campaign.id, limit=500):
        for case_id in some:
            why = write_letter(case_id, writing)
            if why:
                failed.append(f"{case_id}: {why}")
    number = room.campaign.next_wave
    campaign = propose(room.store, room.board, room.campaign, number, by=by, today=app.today,
                       keep=room.archive.add)
    wave = campaign.waves[number]
    app.say(f"Wave {number}: {wave.proposed.letters} letters written, "
            f"digest {wave.proposed.digest[:16]}.")
    for line in failed[:20]:
        app.say(f"  not written: {line}")
    if four_eyes_problem(wave, campaign, by):
        app.say(f"More than {campaign.started.four_eyes_over} letters: "
                "a second person approves them.")
    app.next(f"dsar campaign approve {campaign.id} {number}")


def _show(app: App, room: Room, outlook: Outlook, *, this_wave: int | None = None) -> None:
    waiting = waiting_by_company(room)
    seen = forecast_of(room, outlook.per_company, waiting)
    summary: dict[str, Any] = {
        "campaign": room.campaign.id, "members": len(outlook.members),
        "companies": len(outlook.companies), "letters": outlook.letters,
        "waiting": sum(waiting.values()), "without_letter": outlook.without_letter,
        "this_wave": this_wave,
        "finish_on": seen.finish_on.isoformat() if seen.finish_on else None,
        "days": seen.days, "binding": seen.binding,
    }
    if app.settings.json:
        items = [{"company": slug, "letters": outlook.per_company[slug]}
                 for slug in outlook.companies]
        held = [{"rail": rail, "why": why, "letters": n}
                for (rail, why), n in outlook.held.most_common()]
        app.emit("campaign-plan", items, {**summary, "held": held})
        return
    for line in _plan_lines(room, outlook, seen):
        app.say(line)
    if this_wave:
        app.say(f"This wave: {this_wave} of them. Nothing leaves this machine yet.")


def _plan_lines(room: Room, outlook: Outlook, seen: Forecast) -> list[str]:
    started = room.campaign.started
    lines = [f"Campaign {room.campaign.id}: {len(outlook.members)} members, "
             f"{len(outlook.companies)} companies, {outlook.letters} letters to write."]
    if outlook.held:
        lines.append(f"Held back ({sum(outlook.held.values())}):")
        lines += [f"  {count:>7}  {rail}: {why}"
                  for (rail, why), count in outlook.held.most_common(12)]
    pace = f"{started.per_controller_per_day} a day to each company"
    pace += ", in its working hours" if started.spread else ""
    limits = room.account.limits
    lines.append(f"Limits: {pace}; account {room.account.name} "
                 f"{limits.per_day or 'unlimited'} a day.")
    if seen.binding == "never":
        lines.append("With these limits no letter ever goes out.")
    elif seen.letters:
        if more := seen.letters - outlook.letters:
            lines.append(f"{more} letters wait already and go first.")
        what = {"account": f"the account {room.account.name} binds",
                "controller": "the pace towards the companies binds",
                "none": "no limit binds"}[seen.binding]
        lines.append(f"All out by {seen.finish_on} ({seen.days} days): {what}.")
    return lines


def waiting_by_company(room: Room) -> Counter[str]:
    """Company → how many letters wait, of any wave: they share limits and pace with new ones."""
    found = Counter[str]()
    for (_, company), count in room.board.waiting(room.campaign.id).items():
        found[company] += count
    return found


def forecast_of(room: Room, per_company: Counter[str], waiting: Counter[str]) -> Forecast:
    """When all letters are out, by the account's limits and the pace towards each company."""
    started, limits = room.campaign.started, room.account.limits
    before = room.board.sending_days(room.account.name)
    hours = 8 if started.spread else 24

    def cap(day: int) -> int | None:
        caps = [c for c in (
            limits.per_day,
            limits.per_minute * 60 * hours if limits.per_minute else None,
            limits.first_day * 2 ** min(before + day, 30)
            if limits.first_day is not None and limits.per_day is not None else None,
        ) if c is not None]
        return min(caps, default=None)

    pace = Pace(per_day=started.per_controller_per_day, spread=started.spread)
    return forecast(per_company + waiting, pace, cap, today=room.app.today,
                    is_working_day=_is_weekday)


def _is_weekday(day: date) -> bool:
    return day.weekday() < 5


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("wave", type=int, metavar="WAVE")
@click.option("--show", "shown", type=click.IntRange(min=0), default=3, show_default=True,
              metavar="N", help="Show so many of its letters first.")
@click.option("--confirm", type=int, metavar="N", help="The number of letters, in place of "
              "typing it, where some of those proposed were taken out.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def approve(app: App, *, campaign_id: str, wave: int, shown: int, confirm: int | None,
            by: str | None) -> None:
    """Let a wave go out: over 100 letters, by a second person.

    What is approved are the very bytes: their digest is compared again. Letters of members who
    left since it was proposed are named, and the number of those that are left is asked for.
    """
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        found = room.campaign.waves.get(wave)
        if found is None:
            raise UsageProblem(f"Campaign {campaign_id} has no wave {wave}.",
                               hint=f"dsar campaign send {campaign_id} writes the next one.")
        waits = not found.approved and not found.withdrawn
        left = what_left(store, room.board, room.campaign, found, room.archive.read) if (
            waits) else None
        for line in _samples(room, wave, shown):
            app.say(line)
        noun = "reminders" if found.proposed.stage is Stage.REMINDER else "letters"
        app.say(f"Wave {wave}: {found.proposed.letters} {noun}, proposed by "
                f"{found.proposed.by}, digest {found.proposed.digest[:16]}.")
        _ask(app, wave, left, confirm)
        if left is not None:
            room.archive.add(left.listed)
        release(store, room.board, room.campaign, found, by=who(app, by), today=app.today,
                left=left)
    app.say(f"Wave {wave} is released.")
    app.next(f"dsar campaign work {campaign_id}")


def _ask(app: App, wave: int, left: Left | None, confirm: int | None) -> None:
    """Ask for a yes, or for the number of letters where it is not the one that was proposed."""
    if left is None:
        app.ask_yes(f"Let wave {wave} go out?")
        return
    for each in left.taken_out:  # also under --quiet: nobody approves what was not shown
        click.echo(f"  taken out: {each.case_id}, {each.member}: {each.why}", err=True)
    if left.forgotten:
        click.echo(f"  taken out: {left.forgotten} of members who were forgotten", err=True)
    click.echo(f"{left.letters} are left, digest {left.digest[:16]}.", err=True)
    app.confirm_number(left.letters, given=confirm)


def _samples(room: Room, wave: int, count: int) -> list[str]:
    """The text of some letters, spread over the wave, as they will go out."""
    from dsar.mail.parse import parse

    letters = list(room.board.written(room.campaign.id, wave))
    step = max(1, len(letters) // max(count, 1))
    lines = []
    for letter in letters[::step][:count]:
        message = parse(room.archive.read(letter.digest), trusted_authserv=())
        lines += [f"--- {letter.case_id}: {message.subject}", message.own_text, ""]
    return lines


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("wave", type=int, metavar="WAVE")
@click.option("--reason", required=True, metavar="TEXT", help="Why, kept in the ledger.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def withdraw(app: App, *, campaign_id: str, wave: int, reason: str, by: str | None) -> None:
    """Take back what of a wave has not gone out; it can be planned anew."""
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        found = room.campaign.waves.get(wave)
        if found is None:
            raise UsageProblem(f"Campaign {campaign_id} has no wave {wave}.")
        _, count = withdraw_wave(store, room.board, room.campaign, wave, by=who(app, by),
                                 because=reason, today=app.today)
    app.say(f"{count} letters withdrawn.")
    again = "remind" if found.proposed.stage is Stage.REMINDER else "send"
    app.next(f"dsar campaign {again} {campaign_id} -n")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why, kept in the ledger.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def pause(app: App, *, campaign_id: str, reason: str, by: str | None) -> None:
    """Let nothing go out until `resume`; workers stop after the letter at hand."""
    with app.writing() as store:
        pause_campaign(store, load_campaign(store, campaign_id), because=reason,
                       by=who(app, by), today=app.today)
    app.next(f"dsar campaign resume {campaign_id} --reason TEXT")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="What was looked at.")
@click.option("--by", metavar="NAME", help=BY)
@global_options
@pass_app
def resume(app: App, *, campaign_id: str, reason: str, by: str | None) -> None:
    """Go on after a pause."""
    with app.writing() as store:
        resume_campaign(store, load_campaign(store, campaign_id), because=reason,
                        by=who(app, by), today=app.today)
    app.next(f"dsar campaign send {campaign_id}")


COMMANDS = {"send": send, "approve": approve, "withdraw": withdraw, "pause": pause,
            "resume": resume}
