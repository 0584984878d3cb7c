"""Replies to a campaign's letters: fetched by one worker at a time, sealed to whom they concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dsar.campaign.roster import load_campaign, load_member
from dsar.cli.app import App
from dsar.cli.campaigning import Room
from dsar.core.campaign import Campaign
from dsar.core.case import Case
from dsar.core.member import Member
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
    """Polls the campaign's mailbox now and then, unless another worker is at it.

    lost: the latest try failed, so that an answer may lie there which nobody has seen.
    """

    def __init__(self, app: App, room: Room) -> None:
        self._app, self._room = app, room
        self.lost = False
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
            self.lost = True
        else:
            self.lost = False
            self._app.say(f"  {len(tally.settled)} doubts settled by the mailbox")


def discretion(app: App, store: Store, cases: Sequence[Case]) -> Discretion | None:
    """How a message that may answer these cases is kept; None where no member is concerned.

    What concerns one member alone is sealed to that member's key. What may be anybody's is
    sealed to the keeper's, so that no member's key opens what is another's. The campaign's own
    key is added only where all of them agreed that the group reads their answers.
    """
    members = list(dict.fromkeys((c.facts.campaign, c.facts.subject_id) for c in cases
                                 if c.facts.campaign))
    if not members:
        return None
    from dsar.store.agekeys import RecipientSealer
    from dsar.store.archive import Archive

    terms = {id_: _campaign(store, id_ or "") for id_ in dict.fromkeys(m[0] for m in members)}
    open_to_group = all(_member(store, terms[id_], code).analysis for id_, code in members)
    of_one = len({(c.facts.campaign, c.facts.subject_id) for c in cases}) == 1
    keys = ([_member(store, terms[id_], code).added.key for id_, code in members] if of_one
            else [each.started.content_key for each in terms.values()])
    if open_to_group:
        keys += [each.started.sending_key for each in terms.values()]
    return Discretion(archive=Archive(app.shelf, RecipientSealer(keys)),
                      sealed=not open_to_group)


def _campaign(store: Store, campaign_id: str) -> Campaign:
    try:
        return load_campaign(store, campaign_id)
    except UsageProblem as error:
        raise UsageProblem(f"A case belongs to a campaign that is not there: {error}") from None


def _member(store: Store, campaign: Campaign, code: str) -> Member:
    try:
        return load_member(store, campaign, code)
    except UsageProblem as error:
        raise UsageProblem(f"A case belongs to a member that is not there: {error}") from None
