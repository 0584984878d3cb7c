"""`dsar run`: the one command for a timer: poll, settle doubts, send what is approved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import Selector, global_options
from dsar.errors import DoneInPart, DsarError

if TYPE_CHECKING:
    from dsar.cli.notices import Ways
    from dsar.core.case import Case
    from dsar.mail.account import Account
    from dsar.store import Store


@click.command()
@click.option("--notify", metavar="CMD", help="Run this command with the notice as input, "
              "when something needs you that did not before.")
@click.option("--notify-desktop", is_flag=True, help="Show the notice on the desktop.")
@click.option("--notify-mail", is_flag=True, help="Mail the notice to yourself.")
@global_options
@pass_app
def run(app: App, *, notify: str | None, notify_desktop: bool, notify_mail: bool) -> None:
    """Fetch replies, settle doubts and send what is approved: for a timer.

    Never starts a new letter. One account that fails does not stop the others; run it again at
    any time. A notice is given once of each thing that needs you; on the desktop and by mail it
    names no case. `dsar schedule` shows how to call it every hour.
    """
    from dsar.cli.mailing import account_named, accounts, refuse_real_account_under_set_clock
    from dsar.cli.notices import Ways
    from dsar.cli.poll import poll_accounts, report
    from dsar.cli.polling import can_be_read, nothing_to_read

    chosen = list(accounts(app)) or [account_named(app, None)]
    for account in chosen:
        refuse_real_account_under_set_clock(app, account)
    failed: list[str] = []
    ways = Ways(command=notify, desktop=notify_desktop, mail=notify_mail)
    with app.home.working(), app.writing() as store:
        if readable := [a for a in chosen if can_be_read(a)]:
            tally = poll_accounts(app, store, readable)
            report(app, tally)
            failed += tally.incomplete
        else:
            app.say(str(nothing_to_read(chosen)))
        for account in chosen:
            failed += _drain(app, store, account)
        if ways:
            failed += _tell(app, ways, _needing(app, store), chosen[0])
    app.next("dsar status")
    if failed:
        raise DoneInPart("Not everything could be done:\n" + "\n".join(failed))


def _tell(app: App, ways: Ways, needing: set[str], account: Account) -> list[str]:
    """Give notice of what is new since the last notice; one that failed is given again."""
    from dsar.cli.notices import give_notice
    from dsar.heartbeat import load_heartbeat, note_told

    fresh = load_heartbeat(app.home.heartbeat).fresh(needing)
    problems = give_notice(app, ways, fresh, account) if fresh else []
    if not problems:
        note_told(app.home.heartbeat, needing)
    return problems


def _needing(app: App, store: Store) -> set[str]:
    """Case and reason of everything that needs the person or is overdue, without names."""
    from dsar.cli.standings import standings
    from dsar.core.status import Status

    found = standings(app, store, Selector())
    return {f"{s.case.id}: {s.needs_you or s.status}" for s in found
            if s.needs_you or s.status is Status.OVERDUE}


def _drain(app: App, store: Store, account: Account) -> list[str]:
    """Send the approved letters of one account; returns what went wrong, in words."""
    from dsar.cli.send import show_outcomes
    from dsar.cli.sending import queued_letters, send_all

    cases = list(store.cases())
    excluded = store.house().excluded
    held = [case for case in cases if case.approved and not case.closed
            and case.facts.campaign is None  # those go out in waves, by workers
            and (case.facts.controller in excluded or _is_held(app, case))]
    letters = list(queued_letters(app, store, [c for c in cases if c not in held], account))
    done: Counter[str] = Counter()
    problems = [f"{c.id}: approved letter held, see dsar plan" for c in held]
    if not letters:
        return problems
    try:
        show_outcomes(app, send_all(app, store, letters, account, cases), len(letters), done)
    except DsarError as error:
        problems.append(f"{account.name}: {error}")
    if not app.settings.json:
        click.echo(f"{done['sent']} of {len(letters)} approved letters sent.")
    return problems


def _is_held(app: App, case: Case) -> bool:
    from dsar.core.queued import changed_since_approval

    if case.facts.controller not in app.registry_with_pulled:
        return True
    controller = app.registry_with_pulled.get(case.facts.controller)
    return bool(changed_since_approval(case, controller, app.today))
