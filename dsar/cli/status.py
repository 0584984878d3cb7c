"""`dsar status`: where everything stands, offline, writing nothing."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector, global_options, selectors
from dsar.cli.standings import standings
from dsar.core.status import Glimpse, Status
from dsar.errors import UsageProblem

DUE_SOON_DAYS = 7
SILENT_DAYS = 2
"""After so many days without a poll that worked, `status` says so (a timer that died)."""
LOOK_EVERY_S = 5
CLEAR = "\x1b[H\x1b[J"
"""Home, then erase to the end of the screen (ECMA-48: CUP, ED)."""


@click.command()
@selectors
@click.option("--exit-code", is_flag=True,
              help="End with 12 (needs you), 10 (overdue) or 11 (due within 7 days).")
@click.option("--watch", is_flag=True,
              help="Stay on a terminal, and show it again when something changes; Ctrl-C ends.")
@global_options
@pass_app
def status(app: App, *, wanted: Selector, exit_code: bool, watch: bool) -> None:
    """Show where everything stands, most urgent first.

    Reads the ledger only: no network, nothing written. Companies and case ids narrow it down. On
    a terminal long lists are cut to the screen and say how many more there are.
    """
    if watch:
        _watch(app, wanted, exit_code=exit_code)
        return
    from dsar.report.rows import STATUS_COLUMNS, status_item

    with app.glancing() as store:
        found = standings(app, store, wanted)
        triage = len(store.house().waiting)
    items = map(status_item, found)
    if app.settings.json:
        app.emit("status", list(items), summary(found, triage=triage)
                 | {"days_without_mail": silent_days(app, found)})
    elif app.settings.plain:
        app.emit_rows(STATUS_COLUMNS, items)
    else:
        _show(app, found, triage, chosen=wanted != Selector())
    if exit_code:
        click.get_current_context().exit(_code(found))


def _show(app: App, found: Sequence[Glimpse], triage: int, *, chosen: bool) -> None:
    click.echo("\n".join(_screen(app, found, triage, chosen=chosen,
                                 height=None if chosen else screen_height())))


def _screen(
    app: App, found: Sequence[Glimpse], triage: int, *, chosen: bool, height: int | None
) -> list[str]:
    if chosen and not found:
        return ["No case is like that."]
    from dsar.mailstate import last_poll, load_state, quarantined
    from dsar.report.terminal import status_lines

    poll = last_poll(app.home.cursors)
    silence = _silence(app, found)
    room = height - len(silence) if height is not None else None
    shown = list(status_lines(found, _who(app, found), app.today, poll=poll, triage=triage,
                              height=room))
    shown += silence
    if unread := quarantined(load_state(app.home.cursors).troubles.values()):
        shown.insert(1, f"  Mail that cannot be read: {len(unread)} (dsar doctor names it)")
    return shown


def screen_height() -> int | None:
    """How many lines the terminal has, or None where the answer goes elsewhere."""
    return shutil.get_terminal_size().lines if sys.stdout.isatty() else None


def _watch(app: App, wanted: Selector, *, exit_code: bool) -> None:
    """Look every few seconds, and draw again only what has changed."""
    if exit_code or app.settings.json or app.settings.plain or not sys.stdout.isatty():
        raise UsageProblem("--watch is for a terminal, alone.",
                           hint="For a script: dsar status --json, or --exit-code.")
    shown: list[str] = []
    while True:
        app = _of_today(app)
        with app.glancing() as store:
            found, triage = standings(app, store, wanted), len(store.house().waiting)
        height = screen_height() or 24
        lines = _screen(app, found, triage, chosen=wanted != Selector(), height=height - 1)
        if lines != shown:
            cut = [*lines[:height - 2], "  Ctrl-C ends."]
            sys.stdout.write(CLEAR)  # no colour, so that --no-color leaves it in
            click.echo("\n".join(cut))
            shown = lines
        time.sleep(LOOK_EVERY_S)


def _of_today(app: App) -> App:
    """The same home on the day it is now: a screen may stay open over night."""
    fresh = App(app.settings, app.environment)
    return app if fresh.today == app.today else fresh


def _silence(app: App, found: Sequence[Glimpse]) -> list[str]:
    """The hint that a timer died, with the way out."""
    days = silent_days(app, found)
    if days is None or days <= SILENT_DAYS:
        return []
    return [f"No mail fetched for {days} days: answers may wait unseen. dsar poll",
            "  (by itself every hour: dsar schedule show)"]


def silent_days(app: App, found: Sequence[Glimpse]) -> int | None:
    """Days since every account was last read, or since the first letter where none ever was.

    None where no answer is expected, or no account is set up to fetch it.
    """
    from dsar.heartbeat import load_heartbeat

    sent = [s.case.letters[0].on for s in found if s.is_open and s.case.letters]
    if not sent or not app.config.accounts:
        return None
    last = load_heartbeat(app.home.heartbeat).last_ok
    since = last.astimezone().date() if last else min(sent)
    return max((app.today - since).days, 0)


def _who(app: App, found: Sequence[Glimpse]) -> str:
    """The name of the one person the cases are about, or how many people there are."""
    names = {p.id: p.name for p in app.config.people}
    people = {s.case.facts.subject_id for s in found} or set(names)
    if len(people) == 1:
        one = people.pop()
        return names.get(one, one)
    return f"{len(people)} people" if people else "nobody yet"


def summary(found: Sequence[Glimpse], *, triage: int) -> dict[str, int]:
    """How many cases stand how; `needs_you` counts every case with an open question."""
    by = Counter(str(s.status) for s in found)
    return {str(status): by[str(status)] for status in Status} | {
        "total": len(found), "needs_you": sum(bool(s.needs_you) for s in found),
        "sent": sum(bool(s.case.letters) for s in found), "triage": triage,
    }


def _code(found: Sequence[Glimpse]) -> int:
    if any(s.needs_you for s in found):
        return 12
    if any(s.status is Status.OVERDUE for s in found):
        return 10
    soon = any(s.is_open and s.days_left is not None and 0 <= s.days_left <= DUE_SOON_DAYS
               for s in found)
    return 11 if soon else 0
