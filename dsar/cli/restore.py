"""`dsar restore`: an encrypted backup back into an empty home."""

from __future__ import annotations

from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.cli.passphrases import PASSPHRASE_FILE, passphrase_from


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@PASSPHRASE_FILE
@global_options
@pass_app
def restore(app: App, *, file: Path, passphrase_file: Path | None) -> None:
    """Bring back what `dsar backup` wrote, into an empty home.

    Every file, every mail and the ledger are verified before anything is put in its place. A
    home that is not empty is left alone. The next poll looks at all mail again, and files what
    is not filed yet.
    """
    from dsar.keeping.restore import restore as bring_back

    found = bring_back(file, app.home, lambda: passphrase_from(
        app, passphrase_file, what="the backup"))
    if app.settings.json:
        app.emit("restore", [vars(found)])
    else:
        cases = "an encrypted ledger" if found.sealed else f"{found.cases} cases"
        click.echo(f"Restored as of {found.taken_at}: {found.files} files, {cases}, "
                   f"{found.mails} mails, all verified.")
    if found.missing:
        app.say(f"{len(found.missing)} mails that the ledger names were missing already when the "
                "backup was taken; `dsar doctor` counts them.")
    app.next("dsar doctor")
