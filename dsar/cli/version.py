"""`dsar version`: the version of dsar and of its data."""

from __future__ import annotations

import platform

import click

from dsar import __version__
from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options


@click.command()
@global_options
@pass_app
def version(app: App) -> None:
    """Show the version of dsar and of its data."""
    laws = sum(1 for _ in app.laws.regimes)
    facts = {"version": __version__, "python": platform.python_version(),
             "companies": len(app.registry), "laws": laws}
    if app.settings.json:
        app.emit("version", [facts])
        return
    if app.settings.plain:
        app.emit_rows(tuple(facts), [facts])
        return
    click.echo(f"dsar {__version__} (Python {facts['python']})")
    click.echo(f"{facts['companies']} companies, {laws} laws")
