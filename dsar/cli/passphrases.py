"""Where a passphrase comes from: a file of mode 0600, or typed at the terminal, unseen."""

from __future__ import annotations

from pathlib import Path

import click

from dsar.cli.app import App
from dsar.errors import NeedsConfirmation, UsageProblem


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
