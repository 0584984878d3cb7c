"""`dsar demo`: the full cycle on mail servers of its own, with invented companies."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import NotSetUp, RefusedByRail

if TYPE_CHECKING:
    from dsar.demo.run import Show

PAUSE_S = 0.4


@click.command()
@click.option("--keep", is_flag=True, help="Keep the demo's folder and say where it is.")
@click.option("--fast", is_flag=True, help="Do not pause before each command.")
@global_options
@pass_app
def demo(app: App, *, keep: bool, fast: bool) -> None:
    """Watch the full cycle with invented companies: no network, no real data.

    Starts an SMTP and an IMAP server on this machine, lets one invented person write to a dozen
    invented companies, and steps through two months: every command shown is run for real. Your
    own set-up is neither read nor touched; the demo's folder is removed at the end.
    """
    if app.settings.offline:
        raise RefusedByRail("offline", "The demo talks to its own mail servers on this machine.",
                            hint="Leave out --offline; no connection goes beyond 127.0.0.1.")
    _need_the_extra()
    pause = time.sleep if sys.stdout.isatty() and not fast else _no_pause
    with _ended_by_signals(), _folder(keep=keep) as folder:
        show = _perform(folder, lambda: pause(PAUSE_S))
        _say_end(show, folder, keep=keep)


EXTRA = frozenset({"aiosmtpd", "pymap", "pysasl", "proxyprotocol"})


def _need_the_extra() -> None:
    """Raises NotSetUp where the mail servers are not installed."""
    try:
        import dsar.demo.servers  # noqa: F401
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise NotSetUp(
            "The demo's mail servers (aiosmtpd and pymap) are not installed.",
            hint="pip install 'dsar-cli[demo]'; in a checkout, `make demo` does it.") from error


def _no_pause(_: float) -> None:
    """In a pipe nobody reads along."""


def _perform(folder: Path, pause: Callable[[], None]) -> Show:
    from dsar.demo.companies import load_cast
    from dsar.demo.run import Show, perform
    from dsar.demo.servers import MailServers

    cast = load_cast()
    exists = {company.mail for company in cast.companies if company.mail}
    with MailServers(host=cast.host, user=cast.email, accepts=exists.__contains__) as servers:
        show = Show(cast=cast, servers=servers, folder=folder, show=click.echo, pause=pause,
                    command=lambda arguments, today: _command(arguments, today, folder))
        perform(show)
    return show


def _command(arguments: Sequence[str], today: date, folder: Path) -> int:
    """Run one real command on that day, in the demo's home."""
    from dsar.cli import run

    with _only_these({"DSAR_HOME": str(folder), "DSAR_TODAY": str(today)}):
        return run(arguments)


@contextmanager
def _only_these(wanted: Mapping[str, str]) -> Iterator[None]:
    """Put these in place of the user's own DSAR_ variables for a while."""
    own = {key: value for key, value in os.environ.items() if key.startswith("DSAR_")}
    _replace(own, wanted)
    try:
        yield
    finally:
        _replace(wanted, own)


def _replace(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for key in old:
        os.environ.pop(key, None)
    os.environ.update(new)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    """A folder for the demo's home, readable by the user alone; removed unless kept."""
    folder = Path(tempfile.mkdtemp(prefix="dsar-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a closed terminal or a `kill` end the demo as Ctrl-C does, so that it cleans up."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    named = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ends = [number for number in named if signal.getsignal(number) is signal.SIG_DFL]
    for number in ends:  # not where the caller has a wish of its own, such as nohup
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_DFL)


def _say_end(show: Show, folder: Path, *, keep: bool) -> None:
    click.echo("\nThat was all: nobody was written to, and nothing left this machine.")
    if keep:
        from dsar.demo.run import keep_mail

        keep_mail(show)
        click.echo("Kept, with the mail that arrived below mail/:")
        click.echo(f"  export DSAR_HOME={folder} DSAR_TODAY={show.today}")
    click.echo("For yourself: dsar init")
