"""`dsar campaign pack | join`: a second machine for the same campaign."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room
from dsar.cli.options import global_options
from dsar.cli.passphrases import PASSPHRASE_FILE, passphrase_from
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.campaign.secondhome import Pack

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@PASSPHRASE_FILE
@global_options
@pass_app
def pack(app: App, *, campaign_id: str, file: Path, passphrase_file: Path | None) -> None:
    """Write what a second machine needs into one encrypted FILE, for `campaign join` there.

    The keys that say who members are, the settings of the account and the group's own companies;
    never the keeper's key, and no password. Tell the passphrase on another way than the file.
    """
    from dsar.campaign.secondhome import gather, sealed
    from dsar.drafting import tag_key
    from dsar.home import write_private

    _refuse_ledger_of_one(app)
    if file.exists():
        raise UsageProblem(f"{file} exists already.")
    with app.reading() as store:
        room = Room.of(app, store, campaign_id)
        entry = _entry(app, room.account.name)
    tag_key(app.home.tag_key, os.urandom)
    packed = gather(app.home, campaign_id, store=app.config.store, account=entry)
    passphrase = passphrase_from(app, passphrase_file, what="the second machine", fresh=True)
    write_private(file.absolute(), sealed(packed, passphrase))
    app.say(f"{file}: {len(packed.files)} files and the account {room.account.name}.")
    app.next(f"dsar campaign join {file.name}, on the other machine; then delete the file")


def _refuse_ledger_of_one(app: App) -> None:
    if app.config.store.startswith("tinydb:") or app.config.archive != "store":
        raise UsageProblem(
            "The ledger or the mail lies in this home alone.",
            hint="`dsar store copy` into PostgreSQL, and `archive: store` in config.yaml.")


def _entry(app: App, name: str) -> dict[str, Any]:
    from dsar import yamlfile

    return next(dict(yamlfile.plain(a.reader.value)) for a in app.config.accounts
                if a.name == name)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE")
@PASSPHRASE_FILE
@click.option("--store", "url", metavar="URL",
              help="The ledger as this machine reaches it: another role, another host name.")
@click.option("--password-command", metavar="CMD",
              help="A command that prints the password of the mailbox.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="FILE", help="A file (mode 0600) with it; else it is asked for each time.")
@global_options
@pass_app
def join(app: App, *, file: Path, passphrase_file: Path | None, url: str | None,
         password_command: str | None, password_file: Path | None) -> None:
    """Set this machine up to work on a campaign, from what `campaign pack` wrote.

    What is here already stays: where it is another, nothing is written. The ledger is looked at
    before the settings are kept, so that a database out of reach is told at once.
    """
    from dsar.campaign.secondhome import in_the_way, put, unsealed

    if password_command and password_file:
        raise UsageProblem("Give the password in one way only.")
    packed = unsealed(file.read_bytes(), passphrase_from(app, passphrase_file, what=str(file)))
    if not _ID.fullmatch(packed.campaign):
        raise UsageProblem("This is no file of `dsar campaign pack`.")
    where = url or packed.store
    problems = [f"{path} is another" for path in in_the_way(app.home, packed)]
    problems += _settings_in_the_way(app, packed, where)
    if problems:
        raise UsageProblem("Something else is here already: " + "; ".join(problems) + ".",
                           hint="Join into a home of its own: --home FOLDER.")
    _look(app, packed, where)
    put(app.home, packed)
    if not app.config.accounts:
        _write_settings(app, packed, where, _secret(password_command, password_file))
    app.say(f"This machine works on campaign {packed.campaign}; delete {file}.")
    app.next("dsar doctor --network")


def _settings_in_the_way(app: App, packed: Pack, where: str) -> list[str]:
    """What config.yaml says otherwise; with the same ledger and account it stays as it is."""
    config, name = app.config, str(packed.account["name"])
    if not app.home.config.exists():
        return []
    same = config.store == where and config.archive == "store"
    if same and name in {a.name for a in config.accounts}:
        return []
    return [f"{app.home.config} has another ledger, or no account {name}"]


def _look(app: App, packed: Pack, where: str) -> None:
    """The campaign is in the ledger, and these are its keys. Raises StoreUnreachable."""
    from dsar.campaign.keys import SENDING
    from dsar.campaign.roster import load_campaign
    from dsar.store import open_store
    from dsar.store.agekeys import public_of

    store = open_store(where, write=False, now=app.now, author="join")
    try:
        campaign = load_campaign(store, packed.campaign)
    finally:
        store.close()
    secret = packed.files[f"campaigns/{packed.campaign}/{SENDING}"].decode("ascii").strip()
    if public_of(secret) != campaign.started.sending_key:
        raise UsageProblem(f"These are not the keys of campaign {packed.campaign} in that ledger.")


def _secret(command: str | None, file: Path | None) -> dict[str, Any]:
    import shlex

    if command:
        return {"secret": {"command": shlex.split(command)}}
    return {"secret": {"file": str(file.absolute())}} if file else {}


def _write_settings(app: App, packed: Pack, where: str, secret: dict[str, Any]) -> None:
    from dsar import yamlfile
    from dsar.config import HEADER
    from dsar.home import write_private

    content = {"store": where, "archive": "store", "accounts": [{**packed.account, **secret}]}
    write_private(app.home.config, (HEADER + yamlfile.dump(content)).encode())


COMMANDS = {"pack": pack, "join": join}
