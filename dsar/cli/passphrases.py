"""Where a passphrase comes from: a command, a file, the keyring, or typed at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.errors import NeedsConfirmation, UsageProblem

if TYPE_CHECKING:
    from dsar.keeping.atrest import Key
    from dsar.mail.secret import SecretSource

COMMAND = "DSAR_PASSPHRASE_COMMAND"
"""Environment variable: a command that prints the passphrase; goes before config.yaml."""


def passphrase_from(app: App, file: Path | None, *, what: str, fresh: bool = False) -> str:
    """Return the passphrase for `what`. fresh: it is made now, so it is typed twice.

    Raises SecretUnavailable for a file that others can read, NeedsConfirmation where nobody
    can be asked, UsageProblem when the two typings differ.
    """
    if file is not None:
        from dsar.mail.secret import SecretFile, read_secret

        return read_secret(SecretFile(file.absolute())).reveal()
    if not app.can_ask:
        raise NeedsConfirmation(f"The passphrase for {what} must be typed; nobody can be asked.",
                                hint="Give --passphrase-file FILE (mode 0600).")
    typed = str(click.prompt(f"Passphrase for {what}", hide_input=True, err=True))
    if fresh and typed != click.prompt("The same again", hide_input=True, err=True):
        raise UsageProblem("The two are not the same.")
    return typed


PASSPHRASE_FILE = click.option(
    "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
    help="A file (mode 0600) whose first line is the passphrase; else it is asked for.")


def unlocked(app: App) -> Key:
    """The key of an encrypted home. Raises Locked, SecretUnavailable, CannotUnseal."""
    from dsar.keeping.atrest import unlock

    return unlock(app.home.sealed_key, home_passphrase(app))


def home_passphrase(app: App) -> str:
    """The passphrase of this home, from where the user keeps it, else typed."""
    from dsar.mail.secret import read_secret
    from dsar.store.sealing import Locked

    source = source_of(app)
    if source is not None:
        return read_secret(source).reveal()
    if not app.can_ask:
        raise Locked("This home is encrypted, and nobody can be asked for the passphrase.")
    return str(click.prompt("Passphrase of this home", hide_input=True, err=True))


def source_of(app: App) -> SecretSource | None:
    """What the environment or `passphrase:` in config.yaml names; None: it is to be typed."""
    import shlex

    from dsar.mail.secret import Command, Keyring, SecretFile, SystemdCredential

    if command := app.environment.get(COMMAND):
        return Command(tuple(shlex.split(command)))
    reader = app.config.passphrase
    if reader is None:
        return None
    given = {key: reader.texts(key) if key == "command" else (reader.text(key),)
             for key in ("command", "keyring", "file", "credential") if reader.raw(key) is not None}
    reader.finish()
    if len(given) != 1:
        reader.problem("passphrase", "needs exactly one of command, keyring, file, credential")
    app.config.document.raise_problems()
    [(kind, value)] = given.items()
    match kind:
        case "command":
            return Command(value)
        case "keyring":
            return Keyring(value[0], "dsar")
        case "file":
            return SecretFile(app.home.config_folder / Path(value[0]).expanduser())
        case _:
            return SystemdCredential(value[0])
