"""`dsar` alone: one sentence, the commands for today, and where things are."""

from __future__ import annotations

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector

SENTENCE = "dsar sends data-subject requests and follows them until they are answered."


@click.command()
@pass_app
def welcome(app: App) -> None:
    """Show the commands for today and the current state."""
    click.echo(SENTENCE)
    if not app.home.people.exists() and not app.home.ledger.exists():
        click.echo("Nothing is set up yet.")
        click.echo("  dsar demo             watch the full cycle, nothing real is touched")
        click.echo("  dsar init             set up a person, a mailbox and a first list")
        return
    for command, text in (("dsar send --all -n", "see what would be sent"),
                          ("dsar poll", "fetch and file the replies"),
                          ("dsar status", "see where everything stands"),
                          ("dsar inbox list", "see replies that wait for you"),
                          ("dsar doctor", "check the set-up")):
        click.echo(f"  {command:22}{text}")
    from dsar.cli.standings import standings
    from dsar.report.terminal import next_line

    with app.glancing() as store:
        found = standings(app, store, Selector())
        line = next_line(found, triage=len(store.house().waiting))
    click.echo(f"{len(found)} cases." if found else "No cases yet.")
    if line:
        click.echo(line)
