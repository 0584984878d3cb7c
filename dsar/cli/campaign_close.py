"""`dsar campaign close | forget`: no further letter; members' data are deleted."""

from __future__ import annotations

import click

from dsar.campaign.closing import plan_purge
from dsar.campaign.closing import purge as delete_all
from dsar.campaign.roster import load_member, record_campaign
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room
from dsar.cli.options import global_options
from dsar.core.campaign_events import CampaignClosed, MembersPurged
from dsar.errors import RefusedByRail


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why, kept in the ledger.")
@click.option("--purge", "purges", is_flag=True,
              help="Delete members, cases, letters, answers and keys.")
@click.option("--early", is_flag=True, help="Purge before the date members were told.")
@global_options
@pass_app
def close(app: App, *, campaign_id: str, reason: str, purges: bool, early: bool) -> None:
    """End the campaign; with --purge delete the members' data, and prove it.

    Write the report first: after the purge nothing is left to count. What stays is the
    campaign's own record with the number of members and the digest of what was deleted.
    """
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        if purges and app.today < room.campaign.started.purge_on and not early:
            raise RefusedByRail(
                "purge", f"Members were told {room.campaign.started.purge_on}.",
                hint="--early purges now; members lose what they have not fetched.")
        if room.campaign.closed is None:
            app.ask_yes(f"End campaign {campaign_id} for good?")
            room.campaign = record_campaign(store, room.campaign,
                                            CampaignClosed(on=app.today, because=reason))
            app.say(f"Campaign {campaign_id} is closed; nothing further goes out.")
        if not purges:
            app.next(f"dsar campaign close {campaign_id} --purge "
                     f"(from {room.campaign.started.purge_on})")
            return
        going = plan_purge(store, room.campaign)
        app.say(f"{len(going.members)} members, {len(going.cases)} cases, "
                f"{len(going.files)} files go for good.")
        app.ask_yes("Delete all of it?")
        delete_all(going, store, app.archive, room.folder)
        _drop_caches(app)
        record_campaign(store, room.campaign, MembersPurged(
            on=app.today, members=len(going.members), cases=len(going.cases),
            files=len(going.files), proof=going.proof))
    app.say(f"Deleted; digest of what was deleted: {going.proof}")
    app.next(f"dsar campaign progress {campaign_id}")


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@global_options
@pass_app
def forget(app: App, *, campaign_id: str, code: str) -> None:
    """Delete what there is of one member for good: who it is, cases, letters, answers, mandate.

    What waits does not go out. What is out already is not taken back: before, `leave` and
    `mandate withdraw` write to the companies, and `export` hands the member the answers.
    """
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        load_member(store, room.campaign, code)
        going = plan_purge(store, room.campaign, code)
        app.say(f"{code}: {len(going.cases)} cases and {len(going.files)} files go for good.")
        app.ask_yes("Delete all of it?")
        delete_all(going, store, app.archive, None)
        _drop_caches(app)
    app.say(f"Deleted; digest of what was deleted: {going.proof}")
    app.next(f"dsar campaign progress {campaign_id}")


def _drop_caches(app: App) -> None:
    """They are made anew; what was deleted may stand in them."""
    for cached in app.home.cache_folder.glob("*"):
        if cached.is_file():
            cached.unlink()


COMMANDS = {"close": close, "forget": forget}
