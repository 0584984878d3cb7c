"""`dsar passphrase`: encrypt ledger and mail at rest, or stop doing so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.cli.passphrases import (
    PASSPHRASE_FILE,
    home_passphrase,
    passphrase_from,
    source_of,
)
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.store.tiny import TinyStore


@click.group()
@global_options
def passphrase() -> None:
    """Encrypt ledger and mail at rest, so that the disk alone tells nothing.

    people.yaml, config.yaml and your own companies are not encrypted. Without the passphrase
    everything that is encrypted is lost: keep it, and a backup with one of its own.
    """


@passphrase.command(name="set")
@PASSPHRASE_FILE
@click.option("--readable-status/--sealed-status", default=True, show_default=True,
              help="Whether `dsar status` works without the passphrase; then company names, dates "
                   "and what became of a case stay readable.")
@global_options
@pass_app
def set_(app: App, *, passphrase_file: Path | None, readable_status: bool) -> None:
    """Encrypt the ledger and the mail, or finish an encryption that broke off."""
    from dsar.keeping.atrest import set_passphrase, unfinished

    known = app.home.sealed_key.exists()
    if known and not unfinished(app.home):
        raise UsageProblem("This home is encrypted already.", hint="dsar passphrase change")
    word = _existing(app, passphrase_file) if known else _fresh(app, passphrase_file)
    with _ledger(app, word if known else None) as store:
        count = set_passphrase(app.home, store, word, readable_status=readable_status)
    click.echo(f"The ledger and {count} mails are encrypted now.")
    app.say("Copies made before, on this disk or in backups of it, are as readable as they were.")
    app.next("dsar status" if source_of(app) else
             "for a timer, set `passphrase: {command: […]}` in config.yaml")


@passphrase.command()
@PASSPHRASE_FILE
@click.option("--new-passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
              help="The new one, in a file (mode 0600); else it is asked for.")
@global_options
@pass_app
def change(app: App, *, passphrase_file: Path | None, new_passphrase_file: Path | None) -> None:
    """Change the passphrase; nothing has to be encrypted anew."""
    from dsar.keeping.atrest import change_passphrase, unlock

    _refuse_plain(app)
    old = _existing(app, passphrase_file)
    unlock(app.home.sealed_key, old)
    new = passphrase_from(app, new_passphrase_file, what="this home (the new one)", fresh=True)
    with app.home.working():
        change_passphrase(app.home, old, new)
    click.echo("The passphrase is changed.")
    app.next("dsar backup FILE: copies made before open with the old passphrase")


@passphrase.command()
@PASSPHRASE_FILE
@global_options
@pass_app
def remove(app: App, *, passphrase_file: Path | None) -> None:
    """Decrypt the ledger and the mail for good."""
    from dsar.keeping.atrest import remove_passphrase

    _refuse_plain(app)
    word = _existing(app, passphrase_file)
    with _ledger(app, word) as store:
        app.ask_yes("Shall ledger and mail lie readable on this disk?")
        count = remove_passphrase(app.home, store, word)
    click.echo(f"The ledger and {count} mails are decrypted.")
    app.next("dsar status")


def _refuse_plain(app: App) -> None:
    if not app.home.sealed_key.exists():
        raise UsageProblem("This home is not encrypted.", hint="dsar passphrase set")


def _existing(app: App, file: Path | None) -> str:
    return passphrase_from(app, file, what="this home") if file else home_passphrase(app)


def _fresh(app: App, file: Path | None) -> str:
    """A new passphrase: from a file, from where the user already keeps it, or typed twice."""
    if file is None and source_of(app) is not None:
        return home_passphrase(app)
    return passphrase_from(app, file, what="this home (a new one)", fresh=True)


@contextmanager
def _ledger(app: App, word: str | None) -> Iterator[TinyStore]:
    """The embedded ledger with all locks. Raises UsageProblem for another kind of store."""
    from dsar.keeping.atrest import unlock
    from dsar.store.tiny import TinyStore

    key = unlock(app.home.sealed_key, word) if word is not None else None
    with app.home.working():
        store = app.store(write=True, sealer=key)
        try:
            if not isinstance(store, TinyStore):
                raise UsageProblem("Only the embedded ledger is encrypted by dsar.",
                                   hint="Use the means of the database for its own data.")
            yield store
        finally:
            store.close()
