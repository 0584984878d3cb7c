"""Fetches what is new in the mailboxes of accounts and files it; used by `poll`, `run`, `send`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.cli.care import Care, Failure
from dsar.cli.glimpse import Opened, rest_mark
from dsar.cli.rounds import Gone, NotAllMailboxes, Round
from dsar.errors import DsarError, NotSetUp
from dsar.heartbeat import note_success
from dsar.mailstate import MailState, Trouble, load_state, named, quarantined, save_state

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.caseindex import CaseIndex
    from dsar.inbox import Found, Reception
    from dsar.mail import Envelope, Fetched, Mailbox
    from dsar.mail.account import Account
    from dsar.store import Store

FEW = 200
"""Up to so many new messages the bodies of all are looked at, not of candidates only."""


@dataclass
class Tally:
    """What a poll did.

    troubles: messages that could not be dealt with this time. quarantine: all that are no longer
    tried. gone: mailboxes that are not there. failures: what was wrong with an account, by name.
    expected: False where no request is out, so that there is nothing to fetch. result: `ok`,
    `in part` or `failed`. open_ends: whether the ledger gives the next poll something to do,
    whatever comes: a doubt, or a pause that ends.
    """

    looked_at: int = 0
    filed: list[Found] = field(default_factory=list)
    waiting: list[Found] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    failures: dict[str, DsarError] = field(default_factory=dict)
    paused: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    quarantine: list[Trouble] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    expected: bool = True
    result: str = "ok"
    open_ends: bool = False

    @property
    def failed(self) -> list[str]:
        """What went wrong, an account a line."""
        return [f"{name}: {error}" for name, error in self.failures.items()]

    @property
    def unread(self) -> list[str]:
        """The accounts of which no mailbox could be read."""
        return [name for name, error in self.failures.items()
                if not isinstance(error, NotAllMailboxes)]

    @property
    def incomplete(self) -> list[str]:
        """What was not read although config.yaml says so, a line each."""
        return [*self.failed, *(str(each) for each in self.gone if each.listed)]


def can_be_read(account: Account) -> bool:
    """Whether there is a mailbox; some accounts only send."""
    return account.imap is not None or account.maildir is not None


def nothing_to_read(accounts: Iterable[Account]) -> NotSetUp:
    """The error where no account has a mailbox."""
    names = ", ".join(each.name for each in accounts)
    return NotSetUp(f"No mail can be fetched: {names} has neither an IMAP server nor a Maildir.",
                    hint="Put `imap:` into the account in config.yaml, or dsar account add.")


def poll_accounts(
    app: App, store: Store, chosen: Sequence[Account], *, rescan: bool = False,
    retry: bool = False, opened: Opened | None = None,
) -> Tally:
    """As `poll_each`; where there is but one account, what is wrong with it is raised."""
    tally = poll_each(app, store, chosen, rescan=rescan, retry=retry, opened=opened)
    if len(chosen) == 1:
        for error in tally.failures.values():
            raise error
    return tally


def poll_each(
    app: App, store: Store, chosen: Sequence[Account], *, rescan: bool = False,
    retry: bool = False, opened: Opened | None = None,
) -> Tally:
    """File what is new in every mailbox of the accounts; the lock is held by the caller.

    rescan: forget how far was read. retry: try at once what could not be read before.
    opened: the mailboxes of the home's own accounts that are open already, where `store` is the
    home's own.
    """
    first = min((c.letters[0].on if c.letters else c.facts.on for c in store.cases()),
                default=None)
    if first is None:
        return Tally(expected=False)
    tally = Tally()
    state = MailState() if rescan else load_state(app.home.cursors)
    if retry:
        state.hurry(app.now())
    since, tally.result = first - timedelta(days=1), "failed"
    try:
        for account in chosen:
            _poll_account(app, store, account, since, state, tally, opened or Opened())
        tally.result = _result(tally, chosen)
        if tally.result == "ok":
            note_success(app.home.heartbeat, app.now())
    finally:
        if tally.settled:
            from dsar.cli.sending import note_complaints

            note_complaints(app, store, tally.settled)
        tally.troubles = [t for t in tally.troubles if state.troubles.get(t.where) == t]
        state.forget_removed_files()
        tally.quarantine = quarantined(state.troubles.values())
        all_read = {a.name for a in app.config.accounts} <= {a.name for a in chosen}
        rests = (opened is not None and tally.result == "ok" and all_read
                 and not tally.open_ends and not tally.gone)
        state.rests_at = rest_mark(app) if rests else ""
        save_state(app.home.cursors, state, at=f"{app.now().astimezone():%Y-%m-%d %H:%M}",
                   result=tally.result)
    return tally


def _result(tally: Tally, chosen: Sequence[Account]) -> str:
    if not tally.failures:
        return "ok"
    return "failed" if len(tally.unread) == len(chosen) else "in part"


def _poll_account(
    app: App, store: Store, account: Account, since: date, state: MailState, tally: Tally,
    opened: Opened,
) -> None:
    """Poll one account; what fails there is noted and does not stop the others."""
    from dsar.cli.receiving import reception

    try:
        mailbox = _mailbox(app, account, since, opened)
        try:
            _settle(store, mailbox, tally)
            filing = reception(app, store, record=True)
            _round(app, filing, account, mailbox, state, tally)
            tally.settled += filing.settled
            cases = list(filing.cases.values())
            _check_bounces(app, store, account.name, cases, tally)
            tally.open_ends |= any(case.in_doubt for case in cases)
        finally:
            mailbox.close()
    except DsarError as error:
        tally.failures[account.name] = error
        _show_failure(app, account.name, error)


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


def _round(
    app: App, filing: Reception, account: Account, mailbox: Mailbox, state: MailState, tally: Tally
) -> None:
    """Read the mailboxes of an account; what is noted holds, whatever is raised."""
    one = Round(account, mailbox, state, app.now, _Filing(app, filing, tally))
    try:
        one.all()
    finally:
        tally.looked_at += sum(one.looked_at.values())
        tally.gone += one.gone
        for gone in one.gone:
            _show_gone(app, gone)


@dataclass
class _Filing:
    """Files what answers a case: keeps the protocol `Work`."""

    app: App
    filing: Reception
    tally: Tally
    care: Care = field(default_factory=Care)

    def chosen(self, envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
        """All where few are new, else those that may answer a case."""
        few = list(islice(envelopes, FEW + 1))
        listed = chain(few, envelopes)
        return self._promising(listed) if len(few) > FEW else listed

    def _promising(self, envelopes: Iterable[Envelope]) -> Iterator[Envelope]:
        """Those whose header fields leave it open that they answer a case."""
        from dsar.cli.receiving import index_of
        from dsar.core.candidates import may_matter, might_answer

        index: CaseIndex = index_of(self.app, self.filing.cases)
        first = min((f.sent_on for f in index.facts.values()), default=self.app.today)
        since = datetime.combine(first, time.min).astimezone()  # midnight where the user is
        for envelope in envelopes:
            if envelope.trouble:
                yield envelope
            elif envelope.received and envelope.received < since:
                continue
            elif may_matter(envelope.head, index) and might_answer(envelope.headers, index):
                yield envelope

    def take(self, fetched: Fetched) -> str:
        """File one message and show what came of it."""
        from dsar.cli.receiving import file_mail

        found = self.care.over(partial(
            file_mail, self.app, self.filing, fetched.pieces, fetched.received))
        if isinstance(found, Failure):
            return found.why
        if found.new:
            (self.tally.filed if found.match.case_ids else self.tally.waiting).append(found)
            _show(self.app, found, fetched.coordinates.mailbox)
        return ""

    def could_not(self, trouble: Trouble) -> None:
        """Note and show it."""
        self.tally.troubles.append(trouble)
        show_trouble(self.app, trouble)


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


def show_trouble(app: App, trouble: Trouble) -> None:
    """Name a message that could not be dealt with: a line, or the JSON line."""
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
    return _unclear(named(where), trouble.why, new=True) | {
        "trouble": {
            "account": where.account, "uidvalidity": where.uidvalidity, "uid": where.uid,
            "received": trouble.received.isoformat() if trouble.received else None,
            "attempts": trouble.attempts, "quarantined": trouble.next_at is None,
            "next_at": trouble.next_at.isoformat() if trouble.next_at else None,
        },
    }


def _show_failure(app: App, account: str, error: DsarError) -> None:
    """The JSON line for an account that could not be read, or not as a whole; people see it last.
    """
    if app.settings.json:
        app.emit_line(_unclear("", str(error), new=False) | {"problem": {
            "account": account, "mailbox": None, "code": error.exit_status, "hint": error.hint}})


def _show_gone(app: App, gone: Gone) -> None:
    if app.settings.json:
        app.emit_line(_unclear(gone.mailbox, str(gone), new=False) | {"problem": {
            "account": gone.account, "mailbox": gone.mailbox, "code": 3 if gone.listed else 0,
            "hint": ""}})


def _unclear(file: str, why: str, *, new: bool) -> dict[str, object]:
    """A line that names no case."""
    return {
        "file": file, "message_id": "", "case": None, "candidates": [], "evidence": [],
        "label": "unclear", "labels": ["unclear"], "confidence": 0, "sentence": "",
        "language": None, "new_due_on": None, "suspicious": "", "why": why, "new": new,
    }
