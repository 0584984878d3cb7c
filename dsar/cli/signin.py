"""Signing in for an account: a device code at Microsoft, or a new password that is tried first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.cli.trying import wrapped
from dsar.errors import NeedsConfirmation, UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account
    from dsar.mail.secret import Microsoft, Secret


def sign_in(app: App, account: Account) -> None:
    """Sign in anew, in the way of the account, and keep what came of it only if it works.

    Raises LoginRefused, MailServerUnreachable, UsageProblem for a secret that is kept elsewhere.
    """
    from dsar.mail.secret import Keyring, Microsoft, Prompt, SecretFile

    match account.secret:
        case Microsoft() as source:
            with_device_code(app, account, source)
            _try(app, account)
        case SecretFile() | Keyring():
            password = new_password(app, account)
            _try(app, account)
            keep_password(account, password)
            app.say("  the new password is kept")
        case Prompt():
            _try(app, account)
        case _:
            raise UsageProblem(
                "The password of this account comes from elsewhere; change it there.",
                hint=f"dsar account test {account.name}")


@contextmanager
def first_sign_in(app: App, account: Account) -> Iterator[None]:
    """Sign in for an account that is not saved yet; what is kept goes again if it fails."""
    from dsar.mail.secret import Microsoft

    source = account.secret
    if not isinstance(source, Microsoft):
        yield
        return
    kept_before = isinstance(source.cache, Path) and source.cache.exists()
    try:
        with_device_code(app, account, source)
        yield
    except BaseException:
        if isinstance(source.cache, Path) and not kept_before:
            source.cache.unlink(missing_ok=True)
        raise


def with_device_code(app: App, account: Account, source: Microsoft) -> None:
    """Show a code, wait until it was typed at Microsoft, and keep the tokens."""
    from dsar.mail.microsoft import MicrosoftLogin

    app.needs_network()
    login = MicrosoftLogin(source)
    code = login.start()
    click.echo(f"  Open {code.url} in a browser, sign in as {account.address}\n"
               f"  and type the code {code.code} (good for {code.expires_s // 60} minutes).",
               err=True)
    app.say("  Waiting; Ctrl-C stops.")
    name = login.finish(code)
    if name and name.lower() != account.address.lower():
        app.say(wrapped(f"Signed in as {name}, which is not {account.address}: this works only "
                        "where that mailbox is shared with you."))
    else:
        app.say("  Signed in.")


def new_password(app: App, account: Account) -> Secret:
    """Ask for the password and use it from now on in this call. Raises NeedsConfirmation."""
    from dsar.mail.secret import Secret

    if not app.can_ask:
        raise NeedsConfirmation("The password must be typed, and nobody can be asked.",
                                hint="Run it in a terminal, or put it in place yourself.")
    typed = click.prompt(f"Password or app password for {account.address}", hide_input=True,
                         err=True)
    password = Secret(str(typed))
    app.secrets[account.name] = password
    return password


def keep_password(account: Account, password: Secret) -> None:
    """Write the password where the account reads it from. Raises StorageFailed."""
    from dsar.home import write_private
    from dsar.mail.secret import Keyring, SecretFile, store_in_keyring

    match account.secret:
        case SecretFile(path):
            write_private(path, password.reveal().encode())
        case Keyring() as entry:
            store_in_keyring(entry, password.reveal())


def _try(app: App, account: Account) -> None:
    from dsar.cli.trying import show_trial, try_account

    trial = try_account(app, account)
    if not show_trial(app, account, trial) and trial.first_error is not None:
        raise trial.first_error
