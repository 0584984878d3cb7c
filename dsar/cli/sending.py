"""Approves the letters of a plan and sends what waits: used by `send` and by `run`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.cli.mailing import (
    history,
    open_mailbox,
    open_transport,
    paced,
    secret_of,
    written_name,
)
from dsar.core.breaker import Posted, Trip, objection, posted, trip
from dsar.core.case import Case, ComplaintLodged, LetterRefused, LetterSent
from dsar.core.letter import Letter, Outgoing, Rendered, Stage
from dsar.core.plan import Plan
from dsar.drafting import Desk, Headers, Sender, approve, tag_key, waiting_letters
from dsar.errors import DsarError, StorageFailed
from dsar.outbox import Delivery, Post, deliver, refuse_while_paused
from dsar.sidebyside import deliver_side_by_side
from dsar.store import Store

if TYPE_CHECKING:
    from dsar.mail import Mailbox, Transport
    from dsar.mail.account import Account
    from dsar.mail.compose import Attachment


def desk(
    app: App, store: Store, account: Account, *, attach: str, channel: str = "email",
    annexes: Sequence[Attachment] = (), render: Callable[[Letter], Rendered] | None = None,
) -> Desk:
    """What writing letters from this account needs. attach: "none" or "docx".

    render: gives the words in place of the templates.
    """
    from dsar.cli.channels import written
    from dsar.letters.words import render as from_templates

    folders = app.template_folders
    key = tag_key(app.home.tag_key, os.urandom) if account.reply_tags else None
    return Desk(
        store=store, archive=app.archive, today=app.today, now=app.now(), entropy=os.urandom,
        sender=Sender(account=account.name, address=account.address, tag_key=key,
                      display_name=written_name(app, account)),
        render=render or (lambda letter: from_templates(letter, folders)),
        compose=lambda words, letter, headers: (
            composed(words, letter, headers, attach=attach, annexes=annexes) if channel == "email"
            else written(words, letter, channel)),
    )


def composed(
    words: Rendered, letter: Letter, headers: Headers, *, attach: str = "none",
    annexes: Sequence[Attachment] = (), copy_to: str | None = None,
) -> bytes:
    """The bytes of a letter as they go out. copy_to: who stands in Cc."""
    from dsar.core.message import Address
    from dsar.mail.compose import Attachment, compose

    attachments = list(annexes)
    if attach == "docx":
        from dsar.letters.document import as_docx

        content = as_docx(words, letter)
        attachments.append(Attachment(name=f"{letter.reference}.docx", type=DOCX,
                                      content=content))
    reply_to = Address(name=headers.display_name, addr=headers.reply_to) if (
        headers.reply_to) else None
    return compose(
        words.subject, words.body, message_id=headers.message_id, date=headers.dated,
        sender=Address(name=headers.display_name, addr=headers.sender), reply_to=reply_to,
        recipient=Address(name="", addr=headers.recipient), attachments=attachments,
        in_reply_to=headers.in_reply_to, references=headers.references,
        copies=[Address(name="", addr=copy_to)] if copy_to else (),
    )


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def approve_all(
    app: App, plan: Plan, writing: Desk, *, overrides: Mapping[str, str]
) -> tuple[list[Outgoing], list[str]]:
    """Write and approve every letter of the plan; a letter with a gap is listed, not sent.

    Returns what is ready, and a line for each letter that could not be written.
    """
    ready: list[Outgoing] = []
    failed: list[str] = []
    for planned in plan.letters:
        try:
            ready.append(approve(planned, app.subject, writing, overrides=overrides))
        except StorageFailed:
            raise
        except DsarError as error:
            failed.append(f"{planned.controller.slug}: {error}")
    return ready, failed


def queued_letters(
    app: App, store: Store, cases: Sequence[Case], account: Account
) -> Iterator[Outgoing]:
    """Letters approved earlier for this account, with the bytes that were approved."""
    return waiting_letters(store, app.archive.read, [case.id for case in cases],
                           {account.name: account.address}, now=app.now())


def send_all(
    app: App, store: Store, letters: Iterable[Outgoing], account: Account, cases: Sequence[Case]
) -> Iterator[Delivery]:
    """Send what may go today, yielding each recorded outcome."""
    refuse_while_paused(store, account.name, app.now())
    with posting(app, store, account, cases) as post, _more(app, account) as more:
        timed = paced(app, letters, account, history(cases, account.name),
                      meanwhile=_Lookout(app, store, account).look)
        going = deliver_side_by_side(timed, post, (post.transport, *more)) if more else (
            deliver(timed, post))
        for delivery in going:
            note_complaints(app, store, [delivery.letter.case_id])
            yield delivery


@contextmanager
def _more(app: App, account: Account) -> Iterator[list[Transport]]:
    """Further connections, where the account allows them; a password is asked for only once."""
    count = account.limits.side_by_side - 1
    if count:
        giver = secret_of(app, account)
        if callable(giver):
            giver()
    more = [open_transport(app, account) for _ in range(count)]
    try:
        yield more
    finally:
        for transport in more:
            transport.close()


@contextmanager
def posting(
    app: App, store: Store, account: Account, cases: Sequence[Case], *,
    in_copy: Callable[[Outgoing], tuple[str, ...]] = lambda letter: (),
) -> Iterator[Post]:
    """What sending from an account needs, over one connection that is closed in the end.

    in_copy: who else gets a letter, besides the account itself where it wants its own copies.
    """
    from dsar.mail.account import SentCopy

    transport = open_transport(app, account)
    sent_box = _SentBox(app, account) if account.sent_copy is SentCopy.APPEND else None
    own = (account.address,) if account.sent_copy is SentCopy.BCC else ()
    try:
        yield Post(
            store=store, transport=transport, now=app.now, today=app.today,
            check=breaker(app, store, account.name, cases),
            copies_to=lambda letter: (*own, *in_copy(letter)),
            file_sent=sent_box.file if sent_box else lambda letter: None,
        )
    finally:
        transport.close()
        if sent_box:
            sent_box.close()


def note_complaints(app: App, store: Store, case_ids: Iterable[str]) -> None:
    """Record as lodged every complaint of these cases that went out and is not recorded yet.

    Whichever command sent it, and also where only a later look into the Sent mailbox tells.
    """
    for case_id in dict.fromkeys(case_ids):
        case = store.case(case_id)
        lodged = [_lodged(app, letter) for letter in case.letters
                  if letter.stage is Stage.COMPLAINT and letter.message_id not in case.bounced]
        if lodged and case.complaint is None:
            store.append(case_id, lodged[-1:], after=case.version)


def _lodged(app: App, letter: LetterSent) -> ComplaintLodged:
    address = letter.recipient.lower()
    authority = next((a.id for a in app.laws.authorities.values()
                      if a.email and a.email.lower() == address), letter.recipient)
    return ComplaintLodged(on=letter.on, authority=authority, message_id=letter.message_id)


def breaker(
    app: App, store: Store, account: str, cases: Sequence[Case]
) -> Callable[[Delivery], Trip | None]:
    """The rail `breaker` over what the account sent before and in this run."""
    known = posted(cases, account, since=store.house().resumed.get(account))

    def check(delivery: Delivery) -> Trip | None:
        outcome, failed = delivery.outcome, False
        if isinstance(outcome, LetterRefused):
            if found := objection(outcome, app.now()):
                return found
            if outcome.temporary:
                return None
            failed = True
        known.append(Posted(at=app.now(), failed=failed, recipient=delivery.letter.recipient))
        return trip(known) if failed else None

    return check


class _Lookout:
    """Looks for bounces while a long batch waits for its turn, at most once a minute."""

    def __init__(self, app: App, store: Store, account: Account) -> None:
        self._app, self._store, self._account = app, store, account
        self._next = app.now() + LOOK_EVERY

    def look(self) -> None:
        """Poll the account; raises RefusedByRail when what came back trips the breaker."""
        readable = self._account.imap is not None or self._account.maildir is not None
        if not readable or self._app.now() < self._next:
            return
        from dsar.cli.poll import poll_accounts

        self._next = self._app.now() + LOOK_EVERY
        try:
            poll_accounts(self._app, self._store, [self._account])
        except DsarError as error:
            self._app.say(f"  could not look for bounces: {error}")
        refuse_while_paused(self._store, self._account.name, self._app.now())


LOOK_EVERY = timedelta(seconds=60)


class _SentBox:
    """Copies letters into the Sent mailbox; gives up quietly, for the letter is out."""

    def __init__(self, app: App, account: Account) -> None:
        self._app, self._account = app, account
        self._mailbox: Mailbox | None = None
        self._failed = account.imap is None and account.maildir is None

    def file(self, letter: Outgoing) -> None:
        if self._failed:
            return
        try:
            if self._mailbox is None:
                self._mailbox = open_mailbox(self._app, self._account)
            self._mailbox.file_sent(letter.message)
        except DsarError as error:
            self._failed = True
            self._app.say(f"  no copy in the Sent mailbox ({error}); the letters are archived.")

    def close(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close()
