"""Accounts as commands use them: which one, its connections, and how fast it may send."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App
from dsar.core.pacing import OFF, Sent, next_slot
from dsar.errors import NotSetUp, RefusedByRail

if TYPE_CHECKING:
    from dsar.core.case import Case
    from dsar.core.letter import Outgoing
    from dsar.mail import Mailbox, Transport
    from dsar.mail.account import Account
    from dsar.mail.login import SecretGiver


def accounts(app: App) -> tuple[Account, ...]:
    """All accounts of config.yaml. Raises FileProblems."""
    from dsar.mail.account import read_account

    config = app.config
    found = tuple(read_account(a.reader, base=app.home.config_folder) for a in config.accounts)
    config.document.raise_problems()
    return found


def account_named(app: App, name: str | None) -> Account:
    """The account of that name, else of the person's own address, else the first.

    Raises NotSetUp.
    """
    found = accounts(app)
    if not found:
        raise NotSetUp("No mail account is set up yet.", hint="dsar init, or dsar account add")
    if name is None:
        own = app.subject.email.lower() if app.config.people else ""
        return next((a for a in found if a.address.lower() == own), found[0])
    for account in found:
        if account.name == name:
            return account
    known = ", ".join(a.name for a in found)
    raise NotSetUp(f"No account {name!r}.", hint=f"Known: {known}")


def sending_account(app: App, name: str | None) -> Account:
    """The account the letters of this person go from.

    Raises RefusedByRail where it is the mailbox of another person of this home and nobody named
    it: the company would learn an address of theirs, and they would get the answers.
    """
    account = account_named(app, name)
    other = next((p for p in app.config.people if p.id != app.subject.id
                  and p.email.lower() == account.address.lower()), None)
    if other is not None and name is None:
        raise RefusedByRail(
            "account", f"{app.subject.id} has no account, and {account.address} is the mailbox "
            f"of {other.id}.", hint="dsar account add, or where both of you want it so: "
                                    f"--account {account.name}")
    return account


def account_note(app: App, account: Account) -> str:
    """What the plan says where the person writes from a mailbox that is not theirs, or ""."""
    if account.address.lower() == app.subject.email.lower():
        return ""
    return (f"Written from {account.address}, not {app.subject.email}: "
            "answers come to that mailbox.")


def written_name(app: App, account: Account) -> str:
    """Whose name a letter bears: the account's, unless that is another person of this home."""
    others = {p.name for p in app.config.people if p.id != app.subject.id}
    named = account.display_name
    return named if named and named not in others else app.subject.name


def refuse_real_account_under_set_clock(app: App, account: Account) -> None:
    """A date that is not today's must never stand in a letter to a real company."""
    from dsar.mail.account import is_loopback

    if app.clock_is_set and (account.smtp is None or not is_loopback(account.smtp.host)):
        raise RefusedByRail("clock", "DSAR_TODAY is set and the account is a real one.",
                            hint="Unset DSAR_TODAY to send.")


def secret_of(app: App, account: Account) -> SecretGiver:
    """What fetches the password or token for each login; a person is asked only once.

    Tokens are fetched anew where a server refuses one as too old. Raises SecretUnavailable
    when called.
    """
    from dsar.mail.account import Auth
    from dsar.mail.login import Renewing
    from dsar.mail.secret import Prompt, Secret, read_secret

    if account.auth is Auth.NONE:
        return Secret("")

    def ask() -> str:
        question = f"Password for {account.address}"
        return str(click.prompt(question, hide_input=True, err=True))

    def fetch(*, renew: bool = False) -> Secret:
        known = app.secrets.get(account.name)
        if known is None:
            known = read_secret(account.secret, ask=ask if app.can_ask else None, renew=renew)
            if isinstance(account.secret, Prompt):
                app.secrets[account.name] = known
        return known

    if account.auth in (Auth.XOAUTH2, Auth.OAUTHBEARER):
        return Renewing(fetch, lambda: fetch(renew=True))
    return fetch


def open_transport(app: App, account: Account) -> Transport:
    """A connection for sending; opened when the first letter goes. Raises NotSetUp."""
    app.needs_network()
    if account.sendmail:
        from dsar.mail.sendmail import SendmailTransport

        return SendmailTransport(account.sendmail)
    if account.smtp is None:
        raise NotSetUp(f"Account {account.name} has no SMTP server.", hint="dsar account add")
    from dsar.mail.smtp import SmtpTransport

    return SmtpTransport(account, secret_of(app, account))


def open_mailbox(app: App, account: Account, *, since: date | None = None) -> Mailbox:
    """A connection for reading. Raises NotSetUp, LoginRefused, MailServerUnreachable.

    since: where a mailbox was never read, messages received before that day are passed over.
    """
    if account.maildir is not None:
        from dsar.mail.maildir import MaildirMailbox

        return MaildirMailbox(account)
    app.needs_network()
    if account.imap is None:
        raise NotSetUp(f"Account {account.name} has no IMAP server.", hint="dsar account add")
    from dsar.mail.imap import ImapMailbox

    return ImapMailbox(account, secret_of(app, account), since=since)


def history(cases: Iterable[Case], account: str) -> list[Sent]:
    """Every recipient an account may have written to, for the rail `limits`."""
    return [Sent(a.at, a.recipient.rpartition("@")[2])
            for case in cases for a in case.attempts if a.account == account]


def paced(
    app: App, letters: Iterable[Outgoing], account: Account, sent: list[Sent],
    *, meanwhile: Callable[[], None],
) -> Iterator[Outgoing]:
    """Yield letters one by one, each when it may go; ends when the day's room is used up.

    meanwhile: called before each wait, to look for what came back. Of those that wait, the one
    that may go first goes first, so that a company with two letters does not hold up the others.
    """
    import secrets

    if account.limits == OFF:
        yield from letters
        return
    waiting = list(letters)
    until = app.now().replace(hour=23, minute=59)
    while waiting:
        now = app.now()
        timed = [(slot, n) for n, letter in enumerate(waiting)
                 if (slot := next_slot(sent, account.limits, _domain(letter), now=now,
                                       jitter=secrets.randbelow(1000) / 1000)) is not None]
        if not timed or min(timed)[0] > max(until, now):
            return
        at, number = min(timed)
        if at > now:
            meanwhile()
        _sleep_until(app, at)
        letter = waiting.pop(number)
        sent.append(Sent(app.now(), _domain(letter)))
        yield letter


def _domain(letter: Outgoing) -> str:
    return letter.recipient.rpartition("@")[2]


def _sleep_until(app: App, at: datetime) -> None:
    pause = (at - app.now()).total_seconds()
    if pause > 2:
        app.say(f"  waiting {pause:.0f} s (limits of the account)")
    time.sleep(max(pause, 0))
