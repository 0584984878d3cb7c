"""`dsar campaign announce`: one letter to each controller before the first wave."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from dsar.campaign.roster import record_campaign
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, refuse_closed
from dsar.cli.mailing import open_transport, refuse_real_account_under_set_clock
from dsar.cli.options import Day, global_options
from dsar.core.campaign_events import AnnouncementAttempted, AnnouncementSettled
from dsar.core.contact import contact_problem
from dsar.core.controller import Controller
from dsar.errors import DoneInPart, LoginRefused, MailServerUnreachable, RefusedByRail
from dsar.home import make_private_folder, write_private
from dsar.mail import NotAttempted, OutcomeUnknown, Rejected, Transport


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--letters", type=click.IntRange(min=1), required=True, metavar="N",
              help="How many letters each company may expect.")
@click.option("--from", "first_on", type=Day(), required=True, metavar="DATE",
              help="From which day on.")
@click.option("-o", "--output", metavar="FOLDER", help="Write the letters here and send nothing.",
              type=click.Path(file_okay=False, path_type=Path))
@click.option("--send", "sends", is_flag=True, help="Send them, each company once.")
@click.option("--confirm", type=int, metavar="N", help="The number of letters, in place of "
              "typing it.")
@global_options
@pass_app
def announce(app: App, *, campaign_id: str, letters: int, first_on: date, output: Path | None,
             sends: bool, confirm: int | None) -> None:
    """Tell the controllers in advance of the letters: how many, from when, whom to ask.

    It names no member and asks for no data.
    """
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        refuse_closed(room.campaign)
        todo, held = _todo(room)
        for line in held:
            app.say(f"  held: {line}")
        drafts = [(c, to, _compose(room, c, to, letters, first_on)) for c, to in todo]
        if not sends:
            _write(app, output or Path.cwd() / f"announce-{campaign_id}", drafts)
            app.next(f"dsar campaign announce {campaign_id} --letters {letters} "
                     f"--from {first_on} --send")
            return
        if not drafts:
            app.say("Nothing to announce.")
            return
        app.needs_network()
        refuse_real_account_under_set_clock(app, room.account)
        app.confirm_number(len(drafts), given=confirm)
        transport = open_transport(app, room.account)
        try:
            failed = _send(room, transport, drafts)
        finally:
            transport.close()
    app.next(f"dsar campaign send {campaign_id} -n")
    if failed:
        raise DoneInPart(f"{failed} announcements did not go out.", hint="dsar campaign progress "
                         + campaign_id)


Draft = tuple[Controller, str, tuple[str, bytes]]


def _todo(room: Room) -> tuple[list[tuple[Controller, str]], list[str]]:
    """Whom to tell, and why others are not: told already, or no address that may be used."""
    found, held = list[tuple[Controller, str]](), list[str]()
    for company in room.companies:
        known = room.campaign.announced.get(company.slug)
        if known and (known.settled is None or known.settled.outcome == "sent"):
            held.append(f"{company.slug}: announced before"
                        if known.settled else f"{company.slug}: in doubt")
            continue
        right = room.campaign.started.rights[0]
        usable = [c.value for c in company.emails(right)
                  if contact_problem(c, room.app.today, accept_unverified=False) is None]
        officer = [c.value for c in company.contacts if c.kind == "dpo" and "@" in c.value
                   and contact_problem(c, room.app.today, accept_unverified=False) is None]
        address = next(iter([*officer, *usable]), None)
        if address is None:
            held.append(f"{company.slug}: no address that may be used")
        else:
            found.append((company, address))
    return found, held


def _compose(room: Room, company: Controller, to: str, letters: int, first_on: date
             ) -> tuple[str, bytes]:
    from dsar.core.message import Address
    from dsar.mail.compose import compose

    started, account = room.campaign.started, room.account
    words = room.paper("announcement", company.languages, {
        "organisation": started.organisation, "contact": started.contact, "letters": letters,
        "company": company.legal_entity or company.name, "first_on": first_on,
        "per_day": started.per_controller_per_day, "by_mandate": room.by_mandate,
        "written_on": room.app.today})
    domain = account.address.rpartition("@")[2]
    message_id = f"<{secrets.token_hex(12)}@{domain}>"
    return message_id, compose(
        words.subject, words.body, message_id=message_id, date=room.app.now(),
        sender=Address(name=started.organisation, addr=account.address),
        recipient=Address(name="", addr=to), reply_to=Address(name="", addr=started.contact))


def _write(app: App, folder: Path, drafts: Sequence[Draft]) -> None:
    make_private_folder(folder.absolute())
    for company, _, (_, content) in drafts:
        write_private(folder.absolute() / f"announcement-{company.slug}.eml", content)
    app.say(f"{len(drafts)} announcements in {folder}; nothing was sent.")


def _send(room: Room, transport: Transport, drafts: Sequence[Draft]) -> int:
    """Send each once: the attempt is in the ledger before the server hears of it."""
    failed, app = 0, room.app
    for company, to, (message_id, content) in drafts:
        digest = room.archive.add(content)
        room.campaign = record_campaign(room.store, room.campaign, AnnouncementAttempted(
            on=app.today, controller=company.slug, message_id=message_id, digest=digest,
            recipient=to, account=room.account.name))
        outcome, reply, fatal = _attempt(transport, room.account.address, to, content)
        if outcome:
            room.campaign = record_campaign(room.store, room.campaign, AnnouncementSettled(
                on=app.today, controller=company.slug, message_id=message_id, outcome=outcome,
                reply=reply))
        app.say(f"  {company.slug}  {outcome or 'in doubt'}")
        failed += outcome != "sent"
        if fatal is not None:
            raise fatal
    return failed


def _attempt(transport: Transport, sender: str, to: str, content: bytes
             ) -> tuple[str, str, Exception | None]:
    """`sent`, `refused`, `unsent` or "" for a doubt; the server's word; what ends the run."""
    try:
        return "sent", transport.send(content, sender=sender, recipients=(to,)), None
    except Rejected as refusal:
        return "refused", f"{refusal.code} {refusal.reply}", None
    except NotAttempted:
        return "unsent", "", None
    except (LoginRefused, MailServerUnreachable, RefusedByRail) as failure:
        return "unsent", "", failure
    except OutcomeUnknown:
        return "", "", None


COMMANDS = {"announce": announce}
