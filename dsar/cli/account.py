"""`dsar account`: mail accounts."""

from __future__ import annotations

from typing import Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import DsarError, UsageProblem


@click.group()
@global_options
def account() -> None:
    """Mail accounts: where letters go out and answers come in."""


def _options(command: Any) -> Any:
    from dsar.cli.setup import account_options

    return account_options(command)


@account.command()
@click.argument("address", metavar="ADDRESS")
@click.option("--name", default="main", show_default=True, help="What to call the account.")
@click.option("--display-name", default="", help="The name beside the address.")
@_options
@global_options
@pass_app
def add(app: App, address: str, **given: Any) -> None:
    """Add an account, after trying it.

    Servers of common providers are known; for others give --smtp and --imap. The password is
    never given on the command line: name a command, a file of mode 0600, the keyring or a
    systemd credential, or be asked at each use. An account that fails is not saved.
    """
    from dsar.cli.setup import AccountWish, build_account, save_account, show_test, test_account

    if any(a.name == given["name"] for a in app.config.accounts):
        raise UsageProblem(f"There is an account {given['name']!r} already.")
    fresh = build_account(app, AccountWish(address=address, **given))
    results = test_account(app, fresh)
    if not show_test(app, fresh, results):
        raise next(error for error in results.values() if error is not None)
    save_account(app, fresh)
    app.say(f"Saved account {fresh.name}.")
    app.next("dsar send --all -n" if app.config.people else "dsar person add")


@account.command(name="list")
@global_options
@pass_app
def list_accounts(app: App) -> None:
    """List the accounts; passwords are never shown."""
    from dsar.cli.mailing import accounts

    items = [{"name": a.name, "address": a.address, "smtp": str(a.smtp) if a.smtp else None,
              "imap": str(a.imap) if a.imap else None,
              "provider": a.provider, "per_day": a.limits.per_day} for a in accounts(app)]
    if app.settings.json:
        app.emit("accounts", items)
    elif app.settings.plain:
        app.emit_rows(("name", "address", "smtp", "imap", "provider", "per_day"), items)
    else:
        for item in items:
            click.echo(f"{item['name']:12} {item['address']}  {item['smtp'] or '-'}"
                       f"  {item['imap'] or '-'}")
        if not items:
            click.echo("No account yet: dsar account add ADDRESS")


@account.command(name="test")
@click.argument("name", required=False)
@global_options
@pass_app
def try_account(app: App, name: str | None) -> None:
    """Try to log in for reading and for sending; nothing is sent."""
    from dsar.cli.mailing import account_named
    from dsar.cli.setup import show_test, test_account

    chosen = account_named(app, name)
    results = test_account(app, chosen)
    items = [{"account": chosen.name, "server": kind, "ok": error is None,
              "problem": str(error) if error else None} for kind, error in results.items()]
    if app.settings.json:
        app.emit("account-test", items)
    elif app.settings.plain:
        app.emit_rows(("account", "server", "ok", "problem"), items)
    else:
        show_test(app, chosen, results)
    failed: list[DsarError] = [e for e in results.values() if e is not None]
    if failed:
        raise failed[0]


@account.command()
@click.argument("name", required=False)
@global_options
@pass_app
def limits(app: App, name: str | None) -> None:
    """Show how much the account may send, and how much of it is used."""
    from dsar.cli.mailing import account_named
    from dsar.cli.planning import capacity_of

    chosen = account_named(app, name)
    with app.reading() as store:
        room = capacity_of(app, chosen, list(store.cases()), 0)
    item = {"account": chosen.name, "used_24h": room.used, "cap_now": room.per_day,
            "first_day": room.first_day} | vars(chosen.limits)
    if app.settings.json:
        app.emit("limits", [item])
        return
    if app.settings.plain:
        app.emit_rows(tuple(item), [item])
        return
    for key, value in item.items():
        click.echo(f"{key:14} {'no limit' if value is None else value}")


@account.command()
@click.argument("name", required=False)
@global_options
@pass_app
def resume(app: App, name: str | None) -> None:
    """Send again from an account that the rail `breaker` has paused.

    Bounces from before no longer count. First mend what the pause was about.
    """
    from dsar.cli.mailing import account_named
    from dsar.core.house import STREAM, SendingResumed

    chosen = account_named(app, name)
    with app.writing() as store:
        event = SendingResumed(on=app.today, account=chosen.name, at=app.now())
        store.append(STREAM, [event], after=store.house().version)
    app.say(f"Sending from {chosen.name} goes on.")
    app.next("dsar send --all -n")
