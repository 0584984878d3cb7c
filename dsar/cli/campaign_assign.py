"""`dsar campaign assign`: the keeper says whose a message is that may be of several members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.campaign.roster import load_member
from dsar.cli.app import App, pass_app
from dsar.cli.campaign_export import content_key, opened_for, with_content_key
from dsar.cli.campaigning import Room
from dsar.cli.options import global_options
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.core.case import Case


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("message", metavar="MESSAGE")
@click.argument("case_id", metavar="[CASE]", required=False)
@with_content_key
@global_options
@pass_app
def assign(app: App, *, campaign_id: str, message: str, case_id: str | None,
           key_file: Path | None, passphrase_command: str | None) -> None:
    """The keeper says whose a message is that may be of several members.

    Until then it is sealed to the keeper alone. Without CASE it is shown, with the cases it may
    answer; with CASE it is filed there, sealed to that member, and read by machine only.
    """
    from dsar.cli.filing import file_under, full_digest

    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        digest = full_digest(store, message)
        cases = _candidates(room, digest)
        chosen = _case_of(room, case_id) if case_id is not None else None
        secret = content_key(app, key_file or room.folder / "content.key.age",
                             passphrase_command)
        codes = {c.facts.subject_id for c in cases}  # of one: taken out of that member's case
        alone = [load_member(store, room.campaign, c) for c in codes] if len(codes) == 1 else []
        raw = opened_for(room, alone, secret).read(digest)
        if chosen is None:
            _show(app, raw, cases)
            app.next(f"dsar campaign assign {campaign_id} {digest[:10]} CASE, or dsar inbox ignore")
            return
        file_under(app, store, chosen.id, digest, labels=(), raw=raw)
    app.say(f"Filed under {chosen.id}, sealed to {chosen.facts.subject_id}.")
    app.next("dsar inbox list")


def _candidates(room: Room, digest: str) -> list[Case]:
    """The campaign's cases that a waiting message may answer. Raises UsageProblem."""
    aside = room.store.house().waiting.get(digest)
    found = [room.store.case(c) for c in aside.candidates] if aside else []
    own = [case for case in found if case.facts.campaign == room.campaign.id]
    if not own:
        raise UsageProblem(f"{digest[:10]} does not wait for a member of {room.campaign.id}.",
                           hint="dsar inbox list")
    return own


def _case_of(room: Room, case_id: str) -> Case:
    case = room.store.case(case_id)
    if case.facts.campaign != room.campaign.id:
        raise UsageProblem(f"{case_id} is no case of campaign {room.campaign.id}.")
    return case


def _show(app: App, raw: bytes, cases: list[Case]) -> None:
    from dsar.cli.inbox import show_message
    from dsar.mail.parse import parse

    show_message(parse(raw, trusted_authserv=()))
    for case in cases:
        app.say(f"  could be {case.id}  {case.facts.subject_id}  {case.facts.controller_name}, "
                f"{case.facts.right}")


COMMANDS = {"assign": assign}
