"""`dsar export`: everything that is kept about a person, in open formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, NotSetUp, UsageProblem

if TYPE_CHECKING:
    from dsar.core.glance import Glance


@click.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              metavar="FOLDER|FILE.zip", help="A new folder, or a zip file.")
@global_options
@pass_app
def export(app: App, *, output: Path) -> None:
    """Give a person everything that is kept about them, in open formats.

    Cases and events as JSON and as text, each letter and reply as .eml, the person's entry, and
    a table of what was told to whom. --person says who; else it is the first. index.txt lists
    it all. The files are not encrypted.
    """
    from dsar.keeping.export import export as write_all
    from dsar.keeping.sinks import sink_for

    with app.reading() as store:
        person = _person(app, list(store.glances()))
        known = next((p for p in app.config.people if p.id == person), None)
        with sink_for(output.absolute(), app.now()) as sink:
            done = write_all(person, known, store, app.archive, sink, now=app.now())
    if app.settings.json:
        files = [{"file": name, "size": size, "sha256": digest, "what": what}
                 for name, (size, digest, what) in done.files.items()]
        app.emit("export", files, {"person": person, "cases": done.cases, "mails": done.mails,
                                   "missing": done.missing, "held_back": done.held_back})
    else:
        click.echo(f"{output}: {done.cases} cases, {done.mails} mails of {person}.")
    if done.held_back:
        app.say(f"{done.held_back} messages wait that may be somebody else's: left out.")
        app.next("dsar inbox list")
    if done.missing:
        raise DoneInPart(f"{len(done.missing)} mails named by the cases are missing or damaged.",
                         hint="index.txt names them; `dsar restore` of a backup may have them.")


def _person(app: App, seen: Sequence[Glance]) -> str:
    """Who it is about; somebody without an entry may still have cases. Raises NotSetUp.

    Raises UsageProblem for a member of a campaign, whose answers are sealed.
    """
    wanted = app.settings.person
    with_cases = {g.subject_id for g in seen if g.campaign is None}
    for found in seen:
        if found.campaign is not None and found.subject_id == wanted:
            raise UsageProblem(f"{wanted} is a member of campaign {found.campaign}.",
                               hint=f"dsar campaign export {found.campaign} {wanted} -o FOLDER")
    if wanted is not None and wanted in with_cases:
        return wanted
    if wanted is None and not app.config.people and len(with_cases) == 1:
        return with_cases.pop()
    try:
        return app.config.person(wanted).id
    except NotSetUp as error:
        if not with_cases:
            raise
        raise NotSetUp(str(error), hint=f"People with cases: {', '.join(sorted(with_cases))}"
                       ) from None
