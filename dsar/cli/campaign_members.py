"""`dsar campaign add-members | members | consent | leave`."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, entropy
from dsar.cli.options import global_options
from dsar.core.member import Member
from dsar.errors import DoneInPart, UsageProblem

if TYPE_CHECKING:
    from dsar.campaign.rows import BadRow

EVERY_S = 1.0
"""Seconds between two lines of progress."""
SHOWN = 5
"""Rows that cannot be used are shown so many; the file has all."""


@click.command(name="add-members")
@click.argument("campaign_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE")
@click.option("--map", "mapping", metavar="FIELD=COLUMN,...",
              help="Which column is what; without it columns have the names of the fields.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True,
              metavar="LANG", help="Languages of a row that names none.")
@click.option("--bad", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where rows that cannot be used go; else FILE.bad.csv.")
@global_options
@pass_app
def add_members(
    app: App, *, campaign_id: str, file: Path, mapping: str | None, languages: tuple[str, ...],
    bad: Path | None,
) -> None:
    """Add members from a CSV file, row by row; only the mapped columns are kept.

    Fields: name, email, residence, consent (a date, or yes), and if there are columns for them
    languages, address, analysis, told_by, in_copy and any kind of identifier. A row that cannot
    be used goes to a file of its own with line and reason, and stops nothing else.
    """
    from dsar.campaign.roster import Added, Enrolment
    from dsar.campaign.rows import BadRow, open_table, read_mapping, read_rows

    table = open_table(file, read_mapping(mapping))
    bad_path = bad or file.with_name(f"{file.name}.bad.csv")
    added, refused = 0, list[BadRow]()
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        if room.campaign.closed:
            raise UsageProblem(f"Campaign {campaign_id} is closed.")
        enrolment = Enrolment(store=store, campaign=room.campaign, keys=room.keys,
                              today=app.today, entropy=entropy)
        show = _Progress(app)
        for found in enrolment.add(read_rows(table, default_languages=languages)):
            if isinstance(found, Added):
                added += 1
            else:
                refused.append(found)
            show.at(added + len(refused))
    if refused:
        _write_bad(bad_path, table.kept, refused)
    if app.settings.json:
        app.emit("members-added", [{"line": r.line, "problem": r.problem} for r in refused],
                 {"added": added, "refused": len(refused)})
    app.say(f"{added} members added, {len(refused)} rows not used"
            + (f" (see {bad_path})." if refused else "."))
    for row in refused[:SHOWN]:
        app.say(f"  line {row.line}: {row.problem}")
    if len(refused) > SHOWN:
        app.say(f"  and {len(refused) - SHOWN} more")
    if added:
        app.next(_next(room))
    if refused:
        raise DoneInPart(f"{len(refused)} rows could not be used.",
                         hint=f"Mend them in {bad_path} and add that file.")


def _next(room: Room) -> str:
    """What comes after members were added."""
    campaign = room.campaign
    if not campaign.targets:
        return f"dsar campaign targets {campaign.id} SLUG..."
    return (f"dsar campaign mandate issue {campaign.id} -o mandates" if room.by_mandate
            else f"dsar campaign kit {campaign.id} -o kits")


class _Progress:
    """A line on stderr now and then, on terminals only."""

    def __init__(self, app: App) -> None:
        self._app, self._begun = app, time.monotonic()
        self._shown = self._begun

    def at(self, count: int) -> None:
        """Tell how many rows are done, and how fast."""
        now = time.monotonic()
        if now - self._shown < EVERY_S or not self._app.can_ask:
            return
        self._shown = now
        self._app.say(f"  {count} rows, {count / (now - self._begun):.0f} a second")


def _write_bad(path: Path, heading: tuple[str, ...], rows: Sequence[BadRow]) -> None:
    """Write what could not be used with line and reason, 0600; it can be mended and added."""
    from dsar.home import write_private

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*heading, "line", "problem"])
    for row in rows:
        cells = [*row.cells, *[""] * (len(heading) - len(row.cells))][:len(heading)]
        writer.writerow([*cells, row.line, row.problem])
    write_private(path.absolute(), text.getvalue().encode())


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--without-mandate", is_flag=True, help="Only those whose mandate is not valid.")
@click.option("--addresses", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write code, name and mail address of each to this file, to hand out papers.")
@global_options
@pass_app
def members(app: App, *, campaign_id: str, without_mandate: bool, addresses: Path | None) -> None:
    """List members by code: who joined when, consent, mandate, kit. No names.

    With --addresses a file that you alone can read says who is behind a code, for whoever hands
    out kits and mandates; delete it afterwards.
    """
    from dsar.campaign.roster import load_members

    with app.reading() as store:
        room = Room.of(app, store, campaign_id)
        found = ((m, _item(m, app)) for m in load_members(store, room.campaign))
        chosen = [(m, i) for m, i in found if not (without_mandate and i["mandate"] == "valid")]
        items = [item for _, item in chosen]
        if addresses is not None:
            _write_addresses(addresses, room, [m for m, _ in chosen])
            app.say(f"{len(chosen)} members in {addresses}; delete it when it is done with.")
            return
    columns = ("member", "joined", "residence", "mandate", "expires_on", "analysis", "kit",
               "shared")
    if app.settings.json:
        app.emit("members", items, {"total": len(items)})
    elif app.settings.plain:
        app.emit_rows(columns, items)
    else:
        for line in _lines(items):
            click.echo(line)


def _write_addresses(path: Path, room: Room, chosen: Sequence[Member]) -> None:
    """One line a member: code, name, mail address; 0600. Those who left are left out."""
    from dsar.campaign.roster import subject_of
    from dsar.home import write_private

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("member", "name", "email"))
    for member in chosen:
        if not member.left:
            subject = subject_of(member, room.keys)
            writer.writerow((member.code, subject.name, subject.email))
    write_private(path.absolute(), text.getvalue().encode())


def _item(member: Member, app: App) -> dict[str, object]:
    mandate = member.mandate
    state = "none"
    if member.issued and not mandate:
        state = "issued"
    if mandate:
        late = app.today > mandate.expires_on
        state = "revoked" if mandate.revoked_on else "expired" if late else "valid"
    return {"member": member.code, "joined": member.added.on.isoformat(),
            "residence": member.added.residence, "left": member.left is not None,
            "mandate": state, "analysis": member.analysis, "kit": member.kit is not None,
            "expires_on": mandate.expires_on.isoformat() if mandate else None,
            "shared": len(member.shared)}


def _lines(items: list[dict[str, object]]) -> Iterator[str]:
    from dsar.report.terminal import row

    for i in items:
        reads = "may be read" if i["analysis"] else "sealed"
        state = "left" if i["left"] else f"mandate {i['mandate']}"
        yield row((str(i["member"]), 12), (str(i["residence"]), 8), (state, 18), (reads, 14),
                  last=f"{i['shared']} shared")
    yield f"{len(items)} members."


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@click.option("--analysis/--no-analysis", required=True,
              help="Whether the group may read the answers that come from now on.")
@global_options
@pass_app
def consent(app: App, *, campaign_id: str, code: str, analysis: bool) -> None:
    """Record whether a member lets the group read answers."""
    from dsar.campaign.roster import load_member, record
    from dsar.core.campaign_events import ConsentChanged

    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        member = load_member(store, room.campaign, code)
        record(store, room.campaign, member, ConsentChanged(
            on=app.today, analysis=analysis,
            consent_version=room.campaign.started.consent_version))
    app.say(f"{code}: answers {'may be read' if analysis else 'stay sealed'} from now on.")
    app.next(f"dsar campaign progress {campaign_id}")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@click.option("--reason", default="", metavar="TEXT", help="Why, kept in the ledger.")
@global_options
@pass_app
def leave(app: App, *, campaign_id: str, code: str, reason: str) -> None:
    """Record that a member leaves; nothing further goes out."""
    from dsar.campaign.mandates import leave as leave_campaign
    from dsar.campaign.roster import load_member

    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        member = load_member(store, room.campaign, code)
        _, stopped, out = leave_campaign(member, room.office(), because=reason)
    app.say(f"{code} left. {stopped} letters withdrawn; {len(out)} are out already.")
    app.next(f"dsar campaign mandate withdraw {campaign_id} {code} -o FOLDER" if out
             else f"dsar campaign progress {campaign_id}")


COMMANDS = {"add-members": add_members, "members": members, "consent": consent, "leave": leave}
