"""`dsar poll`: fetch new mail and file the replies."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, DsarError

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.caseindex import CaseIndex
    from dsar.inbox import Found, Reception
    from dsar.mail import Coordinates, Cursor, Envelope, Mailbox
    from dsar.mail.account import Account
    from dsar.store import Store

FEW = 200
"""Up to so many new messages the bodies of all are looked at, not of candidates only."""


@dataclass
class Tally:
    """What a poll did."""

    looked_at: int = 0
    filed: list[Found] = field(default_factory=list)
    waiting: list[Found] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)


@click.command()
@click.option("--account", "account_name", metavar="NAME", help="Only this account.")
@click.option("--rescan", is_flag=True, help="Forget how far was read; nothing is filed twice.")
@click.option("--watch", is_flag=True, help="Stay, and file replies as they arrive; Ctrl-C ends.")
@global_options
@pass_app
def poll(app: App, *, account_name: str | None, rescan: bool, watch: bool) -> None:
    """Fetch new mail and file the replies.

    Never changes the mailbox. Mail that answers no case is neither stored nor shown. Letters
    that are in doubt are looked up in the Sent mailbox.
    """
    from dsar.cli.mailing import account_named, accounts

    chosen = [account_named(app, account_name)] if account_name else list(accounts(app))
    if not chosen:
        chosen = [account_named(app, None)]
    tally = _poll_once(app, chosen, rescan=rescan)
    while watch:
        _wait(app, chosen)
        tally = _poll_once(app, chosen, rescan=False)
    app.next("dsar inbox list" if tally.waiting else "dsar status")
    if tally.failed:
        raise DoneInPart("Not every account could be read:\n" + "\n".join(tally.failed))


def _poll_once(app: App, chosen: Sequence[Account], *, rescan: bool) -> Tally:
    with app.home.working(), app.writing() as store:
        tally = poll_accounts(app, store, chosen, rescan=rescan)
    if tally.looked_at or not app.settings.quiet:
        report(app, tally)
    return tally


def _wait(app: App, chosen: Sequence[Account]) -> None:
    """Wait for news: by IDLE with one IMAP account, a minute where there are several.

    No lock is held meanwhile, so that other commands can work.
    """
    import time

    from dsar.cli.mailing import open_mailbox
    from dsar.mail.imap import ImapMailbox

    mailbox = open_mailbox(app, chosen[0]) if len(chosen) == 1 else None
    if not isinstance(mailbox, ImapMailbox):
        time.sleep(60)
        return
    try:
        while not mailbox.wait("INBOX", 15 * 60):
            pass
    finally:
        mailbox.close()


def poll_accounts(
    app: App, store: Store, chosen: Sequence[Account], *, rescan: bool = False
) -> Tally:
    """File what is new in every mailbox of the accounts; the lock is held by the caller."""
    from dsar.mailstate import load_cursors, save_cursors

    tally = Tally()
    cursors = {} if rescan else load_cursors(app.home.cursors)
    for account in chosen:
        _poll_account(app, store, account, cursors, tally)
    if tally.settled:
        from dsar.cli.sending import note_complaints

        note_complaints(app, store, tally.settled)
    result = "ok" if not tally.failed else "failed"
    save_cursors(app.home.cursors, cursors, at=f"{app.now().astimezone():%Y-%m-%d %H:%M}",
                 result=result)
    return tally


def _poll_account(
    app: App, store: Store, account: Account, cursors: dict[tuple[str, str], Cursor], tally: Tally
) -> None:
    """Poll one account; what fails there is noted and does not stop the others."""
    from dsar.cli.mailing import open_mailbox
    from dsar.cli.receiving import reception

    first = min((c.letters[0].on if c.letters else c.facts.on for c in store.cases()),
                default=None)
    if first is None:
        return
    try:
        mailbox = open_mailbox(app, account, since=first - timedelta(days=1))
        try:
            _settle(store, mailbox, tally)
            filing = reception(app, store, record=True)
            for name in mailbox.mailboxes():
                key = (account.name, name)
                cursors[key] = _poll_mailbox(app, filing, mailbox, name, cursors.get(key), tally)
            tally.settled += filing.settled
            _check_bounces(app, store, account.name, list(filing.cases.values()), tally)
        finally:
            mailbox.close()
    except DsarError as error:
        if len(app.config.accounts) == 1:
            raise
        tally.failed.append(f"{account.name}: {error}")


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


def _settle(store: Store, mailbox: Mailbox, tally: Tally) -> None:
    from dsar.inbox import settle_from_sent

    cases = {case.id: case for case in store.cases()}
    doubtful = [case.in_doubt.message_id for case in cases.values() if case.in_doubt]
    if doubtful:
        tally.settled += settle_from_sent(store, cases, mailbox.sent_ids(doubtful))


def _poll_mailbox(
    app: App, filing: Reception, mailbox: Mailbox, name: str, cursor: Cursor | None, tally: Tally
) -> Cursor:
    """File what is new in one mailbox and return how far was read."""
    from dsar.mail.parse import parse

    envelopes, following = mailbox.new(name, cursor)
    wanted = dict(_candidates(app, filing, list(envelopes), tally))
    for coordinates, raw in mailbox.fetch(list(wanted)):
        envelope = wanted[coordinates]
        message = parse(raw, trusted_authserv=(), received=envelope.received)
        found = filing.file(raw, message)
        if not found.new:
            continue
        (tally.filed if found.match.case_ids else tally.waiting).append(found)
        _show(app, found, name)
    return following


def _candidates(
    app: App, filing: Reception, envelopes: list[Envelope], tally: Tally
) -> Iterator[tuple[Coordinates, Envelope]]:
    from dsar.cli.receiving import index_of, local_date
    from dsar.core.candidates import may_matter, might_answer

    tally.looked_at += len(envelopes)
    if not envelopes:
        return
    index: CaseIndex = index_of(app, filing.cases)
    first = min((f.sent_on for f in index.facts.values()), default=app.today)
    for envelope in envelopes:
        if envelope.received and local_date(envelope.received) < first:
            continue
        if len(envelopes) <= FEW or (
                may_matter(envelope.head, index) and might_answer(envelope.headers, index)):
            yield envelope.coordinates, envelope


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


def report(app: App, tally: Tally) -> None:
    """Say in one line what a poll did."""
    from dsar.report.terminal import WIDTH

    labels = Counter(str(f.reading.label) for f in tally.filed)
    if not app.settings.json:
        read = ", ".join(f"{count} {label}" for label, count in labels.most_common())
        filed = f"{len(tally.filed)} filed" + (f" ({read})" if read else "")
        settled = f", {len(tally.settled)} doubtful letters settled" if tally.settled else ""
        waiting = len(tally.waiting)
        new = f"{tally.looked_at} new {'message' if tally.looked_at == 1 else 'messages'}"
        done = (f"{new}, {filed}, {waiting} {'waits' if waiting == 1 else 'wait'} for you"
                f"{settled}.")
        click.echo(textwrap.fill(done, WIDTH, subsequent_indent="  "))
    for line in tally.paused:
        app.say(f"Sending is paused by the rail `breaker`: {line}")
