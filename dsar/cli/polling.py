"""Fetches what is new in the mailboxes of accounts and files it; used by `poll`, `run`, `send`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.cli.glimpse import Opened, ledger_mark
from dsar.errors import DsarError, StorageFailed, Temporary
from dsar.heartbeat import note_success
from dsar.mailstate import MailState, Trouble, load_state, quarantined, save_state

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.caseindex import CaseIndex
    from dsar.inbox import Found, Reception
    from dsar.mail import Coordinates, Envelope, Fetched, Mailbox
    from dsar.mail.account import Account
    from dsar.store import Store

FEW = 200
"""Up to so many new messages the bodies of all are looked at, not of candidates only."""


@dataclass
class Tally:
    """What a poll did.

    troubles: messages that could not be dealt with this time. quarantine: all that are no longer
    tried. missing: mailboxes that were read before and are not there. open_ends: whether the
    ledger gives the next poll something to do, whatever comes: a doubt, or a pause that ends.
    """

    looked_at: int = 0
    filed: list[Found] = field(default_factory=list)
    waiting: list[Found] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    quarantine: list[Trouble] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    open_ends: bool = False


def poll_accounts(
    app: App, store: Store, chosen: Sequence[Account], *, rescan: bool = False,
    retry: bool = False, opened: Opened | None = None,
) -> Tally:
    """File what is new in every mailbox of the accounts; the lock is held by the caller.

    rescan: forget how far was read. retry: try at once what could not be read before.
    opened: the mailboxes of the home's own accounts that are open already, where `store` is the
    home's own.
    """
    tally = Tally()
    state = MailState() if rescan else load_state(app.home.cursors)
    if retry:
        state.hurry(app.now())
    result = "failed"
    try:
        for account in chosen:
            _poll_account(app, store, account, state, tally, opened or Opened())
        result = "ok" if not tally.failed else "failed"
        if chosen and result == "ok":
            note_success(app.home.heartbeat, app.now())
    finally:
        if tally.settled:
            from dsar.cli.sending import note_complaints

            note_complaints(app, store, tally.settled)
        tally.quarantine = quarantined(state.troubles.values())
        all_read = {a.name for a in app.config.accounts} <= {a.name for a in chosen}
        rests = opened is not None and result == "ok" and all_read and not tally.open_ends
        state.rests_at = ledger_mark(app) if rests else ""
        save_state(app.home.cursors, state, at=f"{app.now().astimezone():%Y-%m-%d %H:%M}",
                   result=result)
    return tally


def _poll_account(
    app: App, store: Store, account: Account, state: MailState, tally: Tally, opened: Opened
) -> None:
    """Poll one account; what fails there is noted and does not stop the others."""
    from dsar.cli.receiving import reception

    first = min((c.letters[0].on if c.letters else c.facts.on for c in store.cases()),
                default=None)
    if first is None:
        return
    try:
        mailbox = _mailbox(app, account, first - timedelta(days=1), opened)
        try:
            _settle(store, mailbox, tally)
            filing = reception(app, store, record=True)
            _MailboxPoll(app, filing, account, mailbox, state, tally).all()
            tally.settled += filing.settled
            cases = list(filing.cases.values())
            _check_bounces(app, store, account.name, cases, tally)
            tally.open_ends |= any(case.in_doubt for case in cases)
        finally:
            mailbox.close()
    except DsarError as error:
        if len(app.config.accounts) == 1:
            raise
        tally.failed.append(f"{account.name}: {error}")


def _mailbox(app: App, account: Account, since: date, opened: Opened) -> Mailbox:
    """The one that is open, or another; raises again why it could not be opened."""
    from dsar.cli.mailing import open_mailbox

    if (error := opened.failed.get(account.name)) is not None:
        raise error
    known = opened.mailboxes.pop(account.name, None)
    if known is None:
        return open_mailbox(app, account, since=since)
    known.since = since
    return known


def _check_bounces(app: App, store: Store, account: str, cases: list[Case], tally: Tally) -> None:
    """Pause the account when what came back by mail trips the breaker."""
    from dsar.core.breaker import posted, trip
    from dsar.outbox import pause

    house = store.house()
    found = trip(posted(cases, account, since=house.resumed.get(account)))
    known = house.paused.get(account)
    rests = known is not None and (known.until is None or app.now() < known.until)
    if found is not None and not rests:
        pause(store, account, found, today=app.today)
        tally.paused.append(f"{account}: {found.because}")
    tally.open_ends |= found is not None or bool(house.paused)


def _settle(store: Store, mailbox: Mailbox, tally: Tally) -> None:
    from dsar.inbox import settle_from_sent

    cases = {case.id: case for case in store.cases()}
    doubtful = [case.in_doubt.message_id for case in cases.values() if case.in_doubt]
    if doubtful:
        tally.settled += settle_from_sent(store, cases, mailbox.sent_ids(doubtful))


@dataclass
class _MailboxPoll:
    """The mailboxes of one account, one after the other."""

    app: App
    filing: Reception
    account: Account
    mailbox: Mailbox
    state: MailState
    tally: Tally
    storage_failed: bool = False

    def all(self) -> None:
        """Poll each; one that fails does not stop the others, and is raised at the end."""
        seen: list[str] = []
        failed: list[Temporary] = []
        for name in self.mailbox.mailboxes():
            seen.append(name)
            try:
                self._one(name)
            except Temporary as error:
                failed.append(error)
        self._note_missing(seen)
        if failed:
            raise failed[0]

    def _one(self, name: str) -> None:
        """File what is new in one mailbox, and what is to be tried again."""
        key = (self.account.name, name)
        envelopes, following = self.mailbox.new(name, self.state.cursors.get(key))
        self.state.forget_others(*key, following.uidvalidity)
        again = self.state.due(*key, self.app.now())
        wanted = dict.fromkeys([*again, *self._candidates(envelopes)])
        for fetched in self.mailbox.fetch(list(wanted)):
            del wanted[fetched.coordinates]
            self._file(fetched)
        for gone in wanted:
            self.state.troubles.pop(gone, None)
        self.state.cursors[key] = following

    def _candidates(self, envelopes: Iterator[Envelope]) -> Iterator[Coordinates]:
        few = list(islice(envelopes, FEW + 1))
        listed = chain(few, envelopes)
        for envelope in self._promising(listed) if len(few) > FEW else listed:
            self.tally.looked_at += len(few) <= FEW
            if envelope.coordinates in self.state.troubles:
                continue  # it has a time of its own
            if envelope.trouble:
                self._failed(envelope.coordinates, envelope.trouble, envelope)
            else:
                yield envelope.coordinates

    def _promising(self, envelopes: Iterable[Envelope]) -> Iterator[Envelope]:
        """Those whose header fields leave it open that they answer a case."""
        from dsar.cli.receiving import index_of
        from dsar.core.candidates import may_matter, might_answer

        index: CaseIndex = index_of(self.app, self.filing.cases)
        first = min((f.sent_on for f in index.facts.values()), default=self.app.today)
        since = datetime.combine(first, time.min).astimezone()  # midnight where the user is
        for envelope in envelopes:
            self.tally.looked_at += 1
            if envelope.trouble:
                yield envelope
            elif envelope.received and envelope.received < since:
                continue
            elif may_matter(envelope.head, index) and might_answer(envelope.headers, index):
                yield envelope

    def _file(self, fetched: Fetched) -> None:
        """File one message; what fails with it is noted, and the next one has its turn."""
        from dsar.mail import Unfetchable

        try:
            found = self._filed(fetched)
        except Unfetchable as error:
            self._failed(fetched.coordinates, str(error), fetched)
        except StorageFailed as error:
            if self.storage_failed or type(error) is not StorageFailed:
                raise  # it is not this message: nothing can be written
            self.storage_failed = True
            self._failed(fetched.coordinates, str(error), fetched)
        except DsarError:
            raise
        except Exception as error:  # one message must not keep those behind it from us
            self._failed(fetched.coordinates, f"reading it fails ({type(error).__name__})", fetched)
        else:
            self.storage_failed = False
            self.state.troubles.pop(fetched.coordinates, None)
            if found.new:
                self.tally_of(found).append(found)
                _show(self.app, found, fetched.coordinates.mailbox)

    def tally_of(self, found: Found) -> list[Found]:
        """Filed, or waiting for a person."""
        return self.tally.filed if found.match.case_ids else self.tally.waiting

    def _filed(self, fetched: Fetched) -> Found:
        from dsar.cli.receiving import taken_in
        from dsar.mail.parse import parse

        with taken_in(fetched.pieces, self.app.archive) as (raw, slimmed):
            message = parse(slimmed, trusted_authserv=(), received=fetched.received)
            return self.filing.file(raw, message)

    def _failed(self, where: Coordinates, why: str, known: Envelope | Fetched) -> None:
        trouble = self.state.failed(where, why, now=self.app.now(), received=known.received)
        self.tally.troubles.append(trouble)
        _show_trouble(self.app, trouble)

    def _note_missing(self, seen: Sequence[str]) -> None:
        """A mailbox that was read before and is gone, perhaps renamed, is not passed over."""
        name = self.account.name
        known = [m for a, m in self.state.cursors if a == name and m not in seen]
        for mailbox in known:
            self.tally.missing.append(f"{name}: {mailbox}")
            self.state.forget_others(name, mailbox, -1)
            if mailbox not in self.account.mailboxes:
                del self.state.cursors[name, mailbox]


def _show(app: App, found: Found, mailbox: str) -> None:
    from dsar.cli.receiving import found_item
    from dsar.report.terminal import row

    if app.settings.json:
        app.emit_line(found_item(mailbox, found))
        return
    sender = found.message.sender.addr if found.message.sender else "unknown sender"
    chosen = ", ".join(found.match.case_ids)
    what = str(found.reading.label) if chosen else f"waits for you: {_why(found)}"
    click.echo(row(("", 2), (chosen or "-", 11), (sender, 32), last=what))


def _why(found: Found) -> str:
    return found.match.suspicious or found.match.why or "which case?"


def _show_trouble(app: App, trouble: Trouble) -> None:
    from dsar.report.terminal import row

    where = trouble.where
    if app.settings.json:
        app.emit_line(trouble_item(trouble))
        return
    click.echo(row(("", 2), ("-", 11), (f"{where.mailbox}, UID {where.uid}", 32),
                   last=f"cannot be read: {trouble.why}"))


def trouble_item(trouble: Trouble) -> dict[str, object]:
    """The JSON line for a message that could not be dealt with: unclear, with what is known."""
    where = trouble.where
    return {
        "file": where.mailbox, "message_id": "", "case": None, "candidates": [], "evidence": [],
        "label": "unclear", "labels": ["unclear"], "confidence": 0, "sentence": "",
        "language": None, "new_due_on": None, "suspicious": "", "why": trouble.why, "new": True,
        "trouble": {
            "account": where.account, "uidvalidity": where.uidvalidity, "uid": where.uid,
            "received": trouble.received.isoformat() if trouble.received else None,
            "attempts": trouble.attempts, "quarantined": trouble.next_at is None,
            "next_at": trouble.next_at.isoformat() if trouble.next_at else None,
        },
    }
