"""`dsar campaign progress | report`: how far it is, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room
from dsar.cli.options import global_options
from dsar.cli.standings import collector_paused
from dsar.core.letter import Stage
from dsar.core.progress import Counts, Progress, progress
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.campaign.board import People
    from dsar.core.funnel import Funnel
    from dsar.core.result import Result

COLUMNS = ("company", "opened", "waiting", "sent", "delivered", "acknowledged", "answered",
           "overdue", "in_doubt", "bounced", "refused", "needs_you", "withdrawn", "reminded")
FORMS = ("text", "html", "md", "csv", "json", "codebook")


@click.command(name="progress")
@click.argument("campaign_id", metavar="ID")
@global_options
@pass_app
def show_progress(app: App, *, campaign_id: str) -> None:
    """Show how far the campaign is, by company: numbers and codes, no contents."""
    with app.glancing() as store, collector_paused():
        room = Room.of(app, store, campaign_id)
        people = room.board.people(campaign_id, app.today)
        found = progress(room.board.tally(campaign_id), app.outlooks.of)
        waiting = _waiting(room, found)
    items = [{"company": slug, **counts.as_items()}
             for slug, counts in sorted(found.by_company.items())]
    if app.settings.json:
        app.emit("campaign-progress", items, _summary(room, people, found, waiting))
    elif app.settings.plain:
        app.emit_rows(COLUMNS, items)
    else:
        for line in _lines(room, people, found, waiting):
            click.echo(line)
    app.next(_next(room, found.total, waiting))


def _waiting(room: Room, found: Progress) -> Counter[int]:
    """Wave → letters that wait; of reminders only whole cases tell, and not every store has them
    at hand."""
    counted = Counter({number: counts.waiting for number, counts in found.by_wave.items()})
    reminders = {n for n, wave in room.campaign.waves.items()
                 if wave.proposed.stage is Stage.REMINDER}
    if reminders:
        for (number, _), count in room.board.waiting(room.campaign.id).items():
            counted[number] += count * (number in reminders)
    return counted


def _summary(room: Room, people: People, found: Progress, waiting: Mapping[int, int]
             ) -> dict[str, Any]:
    campaign = room.campaign
    return {
        "campaign": campaign.id, "members": people.joined, "left": people.left,
        "mandated": people.mandated, "kits": people.kits, "written_to": people.written_to,
        "shared": people.shared, "paused": campaign.paused.because if campaign.paused else None,
        "closed": campaign.closed is not None, **found.total.as_items(),
        "waves": [{"wave": n, **counts.as_items()}
                  for n, counts in sorted(found.by_wave.items())],
        "proposed": [{"wave": n, "stage": str(wave.proposed.stage),
                      "letters": wave.proposed.letters, "released": wave.released,
                      "withdrawn": wave.withdrawn is not None, "waiting": waiting.get(n, 0)}
                     for n, wave in sorted(campaign.waves.items())],
    }


def _lines(room: Room, people: People, found: Progress, waiting: Mapping[int, int]
           ) -> Iterator[str]:
    from dsar.report.terminal import row

    campaign, total = room.campaign, found.total
    yield f"{campaign.started.name} ({campaign.id}), {campaign.started.organisation}"
    yield (f"  members {people.joined}   left {people.left}   mandates {people.mandated}   "
           f"kits {people.kits}   brought answers {people.shared}")
    yield (f"  letters {total.opened}   sent {total.sent}   delivered {total.delivered}   "
           f"answered {total.answered}   overdue {total.overdue}")
    odd = [f"{name.replace('_', ' ')} {count}" for name, count in (
        ("in_doubt", total.in_doubt), ("bounced", total.bounced), ("refused", total.refused),
        ("withdrawn", total.withdrawn), ("needs_you", total.needs_you),
        ("reminded", total.reminded)) if count]
    if odd:
        yield "  " + "   ".join(odd)
    for number, wave in sorted(campaign.waves.items()):
        if wave.proposed.stage is Stage.REMINDER and not wave.withdrawn:
            told = f"{waiting.get(number, 0)} wait" if wave.released else "not approved yet"
            yield f"  wave {number}: {wave.proposed.letters} reminders, {told}"
    if campaign.paused:
        yield f"  paused: {campaign.paused.because}"
    for slug, known in campaign.announced.items():
        if known.settled is None:
            yield f"  announcement to {slug} is in doubt"
    yield row(("company", 30), ("sent", 8), ("wrote", 8), ("answered", 10), ("overdue", 9),
              last="waiting")
    for slug, counts in sorted(found.by_company.items()):
        yield row((slug, 30), (str(counts.sent), 8), (str(counts.acknowledged), 8),
                  (str(counts.answered), 10), (str(counts.overdue), 9), last=str(counts.waiting))
    if total.acknowledged > total.answered:
        yield ("wrote: something came; answered: a person said what it is, by `dsar inbox "
               "triage` or `dsar campaign confirm`")


def _next(room: Room, total: Counts, waiting: Mapping[int, int]) -> str:
    campaign = room.campaign
    if campaign.closed:
        return f"dsar campaign close {campaign.id} --purge" if not campaign.purged else ""
    if campaign.paused:
        return f"dsar campaign resume {campaign.id} --reason TEXT"
    if campaign.open_wave:
        return f"dsar campaign approve {campaign.id} {campaign.open_wave.number}"
    if total.waiting or any(waiting.get(number) for number in campaign.released):
        return (f"dsar campaign work {campaign.id}" if room.by_mandate
                else f"dsar campaign import {campaign.id}")
    if not total.opened:
        return (f"dsar campaign send {campaign.id} -n" if room.by_mandate
                else f"dsar campaign kit {campaign.id} -o kits")
    if total.overdue:
        return f"dsar campaign remind {campaign.id} -n"
    return f"dsar campaign report {campaign.id} html --public -o FILE"


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("form", type=click.Choice(FORMS), metavar="FORM")
@click.option("--public", is_flag=True,
              help="For publication: no number from 1 to 4, no single case, codes only.")
@click.option("--provisional", is_flag=True,
              help="Count answers that only the machine has read.")
@click.option("--invited", type=click.IntRange(min=0), metavar="N",
              help="How many people were invited, for the funnel.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to this file instead of standard output.")
@global_options
@pass_app
def report(app: App, *, campaign_id: str, form: str, public: bool, provisional: bool,
           invited: int | None, output: Path | None) -> None:
    """Report what came of it, as tables T1 to T14: text, html, md, csv, json or codebook.

    Members are never named; with --public there is no row of a single case either.
    """
    from dsar.cli.report import rendered, write_lines, write_out
    from dsar.report.statistics import report as make

    form = "json" if app.settings.json else form
    if form == "codebook":
        from dsar.report.codebook import lines

        write_out("".join(lines()), output)
        return
    if public and form == "csv":
        raise UsageProblem("A csv has one row per case, so it cannot be --public.",
                           hint="Take json, md or html.")
    with collector_paused():
        with app.glancing() as store:
            room = Room.of(app, store, campaign_id)
            found = _results(app, room, provisional=provisional)
            people = room.board.people(campaign_id, app.today)
            funnel = _funnel(people, found, invited, by_mandate=room.by_mandate)
        if form == "csv":
            from dsar.report.csv import rows

            write_lines(rows(found, anonymous=True), output)
            return
        write_out(rendered(app, form, make(found, app.today, hide_small=public, anonymous=True,
                                           provisional=provisional, people=funnel)), output)
    if output is not None:
        app.say(f"Report in {output}.")
        app.next(f"dsar campaign close {campaign_id} --purge (from "
                 f"{room.campaign.started.purge_on})")


def _results(app: App, room: Room, *, provisional: bool) -> list[Result]:
    from dsar.core.result import Results
    from dsar.core.status import Stand

    known, results = {c.slug: c for c in app.registry}, Results(app.today, provisional=provisional)
    found = []
    for seen in room.store.glances():
        if seen.campaign != room.campaign.id:
            continue
        company = known.get(seen.controller)
        found.append(results.of(Stand(seen, app.outlooks.of(seen.course)),
                                categories=company.categories if company else (),
                                seat=(company.country if company else "") or ""))
    return found


def _funnel(people: People, found: list[Result], invited: int | None, *, by_mandate: bool
            ) -> Funnel:
    """How many people went how far; with mandates nobody has to bring an answer back."""
    from dsar.core.funnel import Funnel

    answered = {r.case.subject_id for r in found if r.case.course.replies and r.answer}
    return Funnel(invited=invited, mandated=people.mandated or people.kits,
                  sent=people.written_to, answered=len(answered),
                  shared=None if by_mandate else people.shared)


COMMANDS = {"progress": show_progress, "report": report}
