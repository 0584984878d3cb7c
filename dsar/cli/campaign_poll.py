"""Replies to a campaign's letters: fetched by one worker at a time, sealed to whom they concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dsar.campaign.roster import load_campaign, load_member
from dsar.cli.app import App
from dsar.cli.campaigning import Room
from dsar.core.case import Case
from dsar.errors import (
    ConcurrentAppend,
    MailServerUnreachable,
    StoreUnreachable,
    Temporary,
    UsageProblem,
)
from dsar.inbox import Discretion
from dsar.store import Store

EVERY = timedelta(minutes=5)


class Poller:
    """Polls the campaign's mailbox now and then, unless another worker is at it."""

    def __init__(self, app: App, room: Room) -> None:
        self._app, self._room = app, room
        self._next: datetime | None = None

    def when_due(self) -> None:
        """Poll if it is time."""
        now, account = self._app.now(), self._room.account
        if self._next is not None and now < self._next:
            return
        self._next = now + EVERY
        if account.imap is None and account.maildir is None:
            return
        with self._room.board.alone(f"poll {account.name}") as mine:
            if mine:
                self._poll()

    def _poll(self) -> None:
        """Fetch and file; what cannot be done now is done next time, and letters go on."""
        from dsar.cli.polling import poll_accounts

        try:
            tally = poll_accounts(self._app, self._room.store, [self._room.account])
        except (ConcurrentAppend, Temporary, MailServerUnreachable, StoreUnreachable) as error:
            self._app.say(f"  mail is fetched later: {error}")
        else:
            self._app.say(f"  {len(tally.settled)} doubts settled by the mailbox")


def discretion(app: App, store: Store, cases: Sequence[Case]) -> Discretion | None:
    """How a message that may answer these cases is kept; None where no member is concerned.

    It is sealed to the key of each member, and to the campaign's own key only where all of them
    agreed that the group reads their answers.
    """
    members = [(c.facts.campaign, c.facts.subject_id) for c in cases if c.facts.campaign]
    if not members:
        return None
    from dsar.store.agekeys import RecipientSealer
    from dsar.store.archive import Archive

    publics, open_to_group, group = list[str](), True, set[str]()
    for campaign_id, code in dict.fromkeys(members):
        key, analysis, sending = _member_key(store, campaign_id or "", code)
        publics.append(key)
        group.add(sending)
        open_to_group = open_to_group and analysis
    keys = [*publics, *(sorted(group) if open_to_group else ())]
    return Discretion(archive=Archive(app.shelf, RecipientSealer(keys)),
                      sealed=not open_to_group)


def _member_key(store: Store, campaign_id: str, code: str) -> tuple[str, bool, str]:
    """Public key and consent of a member, and the campaign's own public key."""
    try:
        campaign = load_campaign(store, campaign_id)
        member = load_member(store, campaign, code)
    except UsageProblem as error:
        raise UsageProblem(f"A case belongs to a member that is not there: {error}") from None
    return member.added.key, member.analysis, campaign.started.sending_key
