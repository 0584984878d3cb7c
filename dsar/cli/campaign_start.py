"""`dsar campaign init | list | change | targets`: the terms of a campaign."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, campaign_folder, entropy, refuse_closed
from dsar.cli.options import Day, global_options
from dsar.core.campaign_events import (
    CAMPAIGN_PREFIX,
    CampaignChanged,
    CampaignStarted,
    TargetsChosen,
    campaign_stream,
)
from dsar.errors import NeedsConfirmation, StorageFailed, UsageProblem
from dsar.home import make_private_folder

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--name", metavar="TEXT", help="What the campaign is called; else its ID.")
@click.option("--organisation", required=True, metavar="TEXT", help="Who runs it.")
@click.option("--contact", required=True, metavar="ADDRESS",
              help="Mail address of a person controllers and members can ask.")
@click.option("--mode", type=click.Choice(("kit", "mandate")), default="kit", show_default=True,
              help="Each member sends (kit), or the group with signed mandates (mandate).")
@click.option("--right", "rights", multiple=True, default=("access",), show_default=True,
              metavar="RIGHT", help="What is asked; may be given more than once.")
@click.option("--consent", "consent", required=True, metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The text members agreed to; kept with its version.")
@click.option("--consent-version", default="1", show_default=True, metavar="TEXT",
              help="The version of that text.")
@click.option("--purge-on", required=True, type=Day(), metavar="DATE",
              help="When the members' data are deleted.")
@click.option("--account", default="", metavar="NAME", help="The account letters go out from.")
@click.option("--per-day", type=click.IntRange(1, 1000), default=20, show_default=True,
              metavar="N", help="Letters to one controller in 24 hours.")
@click.option("--spread/--no-spread", default=True, show_default=True,
              help="Spread them over the controller's working hours.")
@click.option("--erase-because", default="", metavar="TEXT",
              help="Why erasures may go before a request for access was answered; else they wait.")
@click.option("--passphrase-command", metavar="COMMAND",
              help="Prints the passphrase of the content key; else it is asked for.")
@global_options
@pass_app
def init(
    app: App, *, campaign_id: str, name: str | None, organisation: str, contact: str, mode: str,
    rights: tuple[str, ...], consent: Path, consent_version: str, purge_on: date, account: str,
    per_day: int, spread: bool, erase_because: str, passphrase_command: str | None,
) -> None:
    """Begin a campaign and make its keys.

    The content key opens the answers of members. It is sealed with a passphrase for one keeper;
    move the file content.key.age to a machine of the keeper alone.
    """
    from dsar.campaign.keys import make_keys

    if not _ID.fullmatch(campaign_id):
        raise UsageProblem(f"{campaign_id!r} is no id: small letters, digits and hyphens.")
    if purge_on <= app.today:
        raise UsageProblem(f"--purge-on {purge_on} is not in the future.")
    unknown = sorted(set(rights) - app.rights)
    if unknown:
        raise UsageProblem(f"No right {unknown[0]!r}.", hint=", ".join(sorted(app.rights)))
    if "@" not in contact:
        raise UsageProblem(f"--contact {contact!r} is no mail address.")
    folder = campaign_folder(app, campaign_id)
    with app.writing() as store:
        if store.events(campaign_stream(campaign_id)):
            raise UsageProblem(f"There is a campaign {campaign_id!r}.")
        text = _read(consent)
        make_private_folder(folder.parent)
        keys = make_keys(folder, new_passphrase(app, passphrase_command), entropy(32))
        digest = app.archive.add(text)
        store.append(campaign_stream(campaign_id), [CampaignStarted(
            on=app.today, campaign_id=campaign_id, name=name or campaign_id,
            organisation=organisation, contact=contact, mode=mode,
            rights=tuple(dict.fromkeys(rights)), purge_on=purge_on,
            consent_version=consent_version, consent_digest=digest, sending_key=keys.sending,
            content_key=keys.content, account=account, per_controller_per_day=per_day,
            spread=spread, erasure_because=erase_because)], after=0)
    app.say(f"Campaign {campaign_id}: {organisation}, {mode}, members' data until {purge_on}.")
    app.say(f"Keys in {folder}. Give content.key.age to the keeper and remove it here.")
    app.next(f"dsar campaign targets {campaign_id} SLUG...")


@click.command(name="list")
@global_options
@pass_app
def list_campaigns(app: App) -> None:
    """List the campaigns."""
    with app.reading() as store:
        found = [Room.of(app, store, s.removeprefix(CAMPAIGN_PREFIX)).campaign
                 for s in store.streams(CAMPAIGN_PREFIX)]
    items = [{"campaign": c.id, "name": c.started.name, "organisation": c.started.organisation,
              "mode": c.started.mode, "rights": list(c.started.rights),
              "targets": len(c.targets), "waves": len(c.waves), "paused": c.paused is not None,
              "closed": c.closed is not None, "purge_on": c.started.purge_on.isoformat()}
             for c in found]
    if app.settings.json:
        app.emit("campaigns", items, {"total": len(items)})
        return
    if app.settings.plain:
        app.emit_rows(("campaign", "mode", "targets", "waves", "purge_on"), items)
        return
    for item in items:
        state = "closed" if item["closed"] else "paused" if item["paused"] else "open"
        click.echo(f"{item['campaign']}  {item['organisation']}  {item['mode']}  "
                   f"{item['targets']} companies  {state}  purge {item['purge_on']}")
    if not items:
        click.echo("No campaign. Begin one: dsar campaign init ID")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--per-day", type=click.IntRange(1, 1000), metavar="N",
              help="Letters to one controller in 24 hours.")
@click.option("--spread/--no-spread", default=None,
              help="Spread them over the controller's working hours.")
@click.option("--purge-on", type=Day(), metavar="DATE",
              help="When the members' data are deleted.")
@click.option("--account", metavar="NAME", help="The account letters go out from.")
@click.option("--contact", metavar="ADDRESS", help="Whom controllers and members can ask.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, kept in the ledger.")
@global_options
@pass_app
def change(
    app: App, *, campaign_id: str, per_day: int | None, spread: bool | None, account: str | None,
    purge_on: date | None, contact: str | None, reason: str,
) -> None:
    """Agree on another pace, purge date, account or contact."""
    from dsar.campaign.roster import record_campaign

    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        if purge_on is not None and purge_on > room.campaign.started.purge_on:
            raise UsageProblem("Members agreed to the earlier purge date; it can only come nearer.")
        if contact is not None and "@" not in contact:
            raise UsageProblem(f"--contact {contact!r} is no mail address.")
        if account is not None and account != room.account.name and _waiting(room):
            raise UsageProblem(f"{_waiting(room)} letters wait to go out from {room.account.name}.",
                               hint="Let them go, or withdraw their wave, and then change it.")
        record_campaign(store, room.campaign, CampaignChanged(
            on=app.today, because=reason, per_controller_per_day=per_day, spread=spread,
            purge_on=purge_on, account=account, contact=contact))
    app.next(f"dsar campaign send {campaign_id} -n")


def _waiting(room: Room) -> int:
    """How many letters are approved for the account and not out."""
    waves = range(1, room.campaign.next_wave + 1)
    return sum(case.approved is not None and case.closed is None
               for wave in waves for case in room.board.of_wave(room.campaign.id, wave))


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@click.option("--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="FILE", help="Read the slugs from a file, one a line.")
@global_options
@pass_app
def targets(app: App, *, campaign_id: str, slugs: tuple[str, ...], source: Path | None) -> None:
    """Choose the companies the campaign writes to; without SLUG show them."""
    from dsar.campaign.roster import record_campaign

    listed = [*slugs, *(_read(source).decode("utf-8").split() if source else ())]
    chosen = tuple(dict.fromkeys(listed))
    for slug in chosen:
        app.registry.get(slug)
    if not chosen:
        with app.reading() as store:
            campaign = Room.of(app, store, campaign_id).campaign
        if app.settings.json:
            app.emit("targets", [{"company": slug} for slug in campaign.targets])
        else:
            click.echo("\n".join(campaign.targets) or "No targets yet.")
        return
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        refuse_closed(room.campaign)
        record_campaign(store, room.campaign, TargetsChosen(on=app.today, controllers=chosen))
    app.say(f"{len(chosen)} companies.")
    app.next(f"dsar campaign add-members {campaign_id} FILE.csv")


def new_passphrase(app: App, command: str | None) -> str:
    """The passphrase of the keeper, from a command or typed twice. Raises NeedsConfirmation."""
    if command:
        return from_command(command)
    if not app.can_ask:
        raise NeedsConfirmation("The content key needs a passphrase; nobody can be asked.",
                                hint="--passphrase-command COMMAND")
    return str(click.prompt("Passphrase of the content key (for the keeper)", hide_input=True,
                            confirmation_prompt=True, err=True))


def from_command(command: str) -> str:
    """What a command prints first, without its line end. Raises SecretUnavailable."""
    import shlex

    from dsar.mail.secret import Command, read_secret

    return read_secret(Command(tuple(shlex.split(command)))).reveal()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageFailed(f"{path}: {error.strerror}.") from error


COMMANDS = {"init": init, "list": list_campaigns, "change": change, "targets": targets}
