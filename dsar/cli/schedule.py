"""`dsar schedule`: how to have `dsar run` called by systemd or cron."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import UsageProblem
from dsar.home import write_private

SERVICE = """\
[Unit]
Description=dsar: fetch replies, send what is approved
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
"""
TIMER = """\
[Unit]
Description=dsar every hour

[Timer]
OnCalendar=hourly
RandomizedDelaySec=900
Persistent=true

[Install]
WantedBy=timers.target
"""


@click.group()
@global_options
def schedule() -> None:
    """Have `dsar run` called every hour."""


def _command(app: App) -> str:
    program = shutil.which("dsar") or f"{sys.executable} -m dsar"
    home = f" --home {app.home.config_folder}" if (
        app.home.config_folder == app.home.data_folder) else ""
    return f"{program} run --no-input --quiet{home}"


@schedule.command()
@global_options
@pass_app
def show(app: App) -> None:
    """Show the systemd units and the cron line; nothing is changed."""
    if app.settings.json:
        app.emit("schedule", [{"command": _command(app), "cron": f"23 * * * * {_command(app)}",
                               "service": SERVICE.format(command=_command(app)),
                               "timer": TIMER}])
        return
    click.echo("# ~/.config/systemd/user/dsar.service")
    click.echo(SERVICE.format(command=_command(app)))
    click.echo("# ~/.config/systemd/user/dsar.timer")
    click.echo(TIMER)
    click.echo("# or, with cron:")
    click.echo(f"23 * * * * {_command(app)}")


@schedule.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path),
              default=lambda: Path.home() / ".config" / "systemd" / "user",
              show_default="~/.config/systemd/user", help="Where the units go.")
@global_options
@pass_app
def install(app: App, folder: Path) -> None:
    """Write the systemd units; an existing one that differs is not overwritten."""
    units = {"dsar.service": SERVICE.format(command=_command(app)), "dsar.timer": TIMER}
    for name, text in units.items():
        path = folder / name
        if path.exists() and path.read_text() != text:
            raise UsageProblem(f"{path} is there already and differs.", hint="Remove it first.")
    for name, text in units.items():
        write_private(folder / name, text.encode())
        app.say(f"Wrote {folder / name}.")
    app.next("systemctl --user daemon-reload && systemctl --user enable --now dsar.timer")
