"""`dsar backup`: everything in one encrypted file."""

from __future__ import annotations

from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.cli.passphrases import PASSPHRASE_FILE, passphrase_from, source_of
from dsar.errors import UsageProblem


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@PASSPHRASE_FILE
@click.option("--with-secrets", is_flag=True, help="Also password files that lie in the home.")
@global_options
@pass_app
def backup(app: App, *, file: Path, passphrase_file: Path | None, with_secrets: bool) -> None:
    """Write everything into one encrypted FILE: settings, people, ledger, mail.

    Without its passphrase nobody can read the file, you neither: keep it elsewhere. Another
    dsar may be at work meanwhile. `dsar restore` brings everything back.
    """
    from dsar.keeping.backup import back_up

    _refuse_other_store(app)
    secrets = [*secret_files(app), *([passphrase_file.absolute()] if passphrase_file else [])]
    passphrase = passphrase_from(app, passphrase_file, what="the backup", fresh=True)
    taken = back_up(app.home, file.absolute(), passphrase, now=app.now(), secrets=secrets,
                    with_secrets=with_secrets)
    if app.settings.json:
        app.emit("backup", [{"file": str(file)} | vars(taken)])
    else:
        click.echo(f"{file}: {taken.files} files, {taken.size / 1e6:.1f} MB, encrypted.")
    app.next(f"dsar restore {file} --home A-NEW-FOLDER tries it")


def secret_files(app: App) -> list[Path]:
    """Files that hold passwords, as config.yaml names them."""
    from dsar.cli.mailing import accounts
    from dsar.mail.secret import SecretFile

    sources = [*(account.secret for account in accounts(app)), source_of(app)]
    return [s.path.expanduser() for s in sources if isinstance(s, SecretFile)]


def _refuse_other_store(app: App) -> None:
    """A backup that lacks the ledger would be none."""
    if app.config.store != "tinydb:":
        raise UsageProblem("The ledger lies outside of the home (`store:` in config.yaml).",
                           hint="Back it up with the means of that store, such as pg_dump, or "
                                "copy it into a folder with `dsar store copy`; and copy what the "
                                "home holds: config.yaml, companies.local.yaml, reply-tag.key, "
                                "campaigns/.")
