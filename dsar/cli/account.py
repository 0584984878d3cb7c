"""`dsar account`: mail accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account


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

    Servers of common providers are known; others are looked up if you agree, or given with
    --smtp and --imap. The password is never given on the command line: name a command, a file
    of mode 0600, the keyring or a systemd credential, or be asked at each use. An account that
    fails is not saved.
    """
    from dsar.cli.finding import found_servers
    from dsar.cli.setup import AccountWish, build_account, save_account
    from dsar.cli.signin import first_sign_in
    from dsar.cli.trying import show_trial, try_account

    if any(a.name == given["name"] for a in app.config.accounts):
        raise UsageProblem(f"There is an account {given['name']!r} already.")
    app.needs_network()
    wish = AccountWish(address=address, **given)
    fresh = build_account(app, wish, found_servers(app, wish))
    with first_sign_in(app, fresh):
        trial = try_account(app, fresh)
        if not show_trial(app, fresh, trial) and trial.first_error is not None:
            raise trial.first_error
        save_account(app, fresh)
    app.say(f"Saved account {fresh.name}.")
    app.next("dsar send --all -n" if app.config.people else "dsar person add")


@account.command(name="list")
@global_options
@pass_app
def list_accounts(app: App) -> None:
    """List the accounts; passwords are never shown."""
    from dsar.cli.mailing import accounts

    items = [{"name": a.name, "address": a.address, "smtp": _sending(a),
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


def _sending(account: Account) -> str | None:
    if account.sendmail:
        return f"sendmail:{account.sendmail[0]}"
    return str(account.smtp) if account.smtp else None


@account.command(name="test")
@click.argument("name", required=False)
@global_options
@pass_app
def test_one(app: App, name: str | None) -> None:
    """Try to log in for reading and for sending; nothing is sent."""
    from dsar.cli.mailing import account_named
    from dsar.cli.trying import show_trial, try_account

    chosen = account_named(app, name)
    trial = try_account(app, chosen)
    items = [{"account": chosen.name, "server": kind, "ok": error is None,
              "problem": str(error) if error else None} for kind, error in trial.results.items()]
    if app.settings.json:
        app.emit("account-test", items)
    elif app.settings.plain:
        app.emit_rows(("account", "server", "ok", "problem"), items)
    else:
        show_trial(app, chosen, trial)
    if trial.first_error is not None:
        raise trial.first_error


@account.command()
@click.argument("name", required=False)
@global_options
@pass_app
def login(app: App, name: str | None) -> None:
    """Sign in anew: a code at Microsoft, or a new password that is tried first.

    What was kept before is replaced only by what works. A password that comes from a command
    or from systemd is changed there.
    """
    from dsar.cli.mailing import account_named
    from dsar.cli.signin import sign_in

    chosen = account_named(app, name)
    app.needs_network()
    sign_in(app, chosen)
    app.next("dsar run")


_COUNT = click.IntRange(min=0)


@account.command()
@click.argument("name", required=False)
@click.option("--first-day", type=_COUNT, metavar="N", help="Set: recipients on the first day.")
@click.option("--per-day", type=_COUNT, metavar="N", help="Set: recipients in 24 hours.")
@click.option("--per-minute", type=_COUNT, metavar="N", help="Set: letters in a minute.")
@click.option("--jitter-s", type=_COUNT, metavar="S", help="Set: seconds of random delay.")
@click.option("--per-domain-s", type=_COUNT, metavar="S",
              help="Set: seconds between letters to one domain.")
@click.option("--usual", is_flag=True, help="Set: the cautious ones known for the provider.")
@global_options
@pass_app
def limits(app: App, name: str | None, *, usual: bool, **given: int | None) -> None:
    """Show how much the account may send and how much is used, or set it.

    More than the cautious figures of the provider is set only after a yes: providers lock
    accounts that suddenly write to many strangers.
    """
    from dsar.cli.limits import set_limits
    from dsar.cli.mailing import account_named

    chosen = account_named(app, name)
    wanted = {key: value for key, value in given.items() if value is not None}
    if usual and wanted:
        raise UsageProblem("--usual sets all limits: leave the others out.")
    if usual or wanted:
        chosen = set_limits(app, chosen, wanted)
    _show_limits(app, chosen)
    if usual or wanted:
        app.next("dsar send --all -n")


def _show_limits(app: App, chosen: Account) -> None:
    from dsar.cli.planning import capacity_of

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
