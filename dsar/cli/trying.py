"""Trying an account: reading and sending apart, with what the provider needs where one fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.errors import DsarError

if TYPE_CHECKING:
    from dsar.mail.account import Account


@dataclass
class Trial:
    """What came of trying: by "IMAP" and "SMTP" the error, None where it works.

    folders: the mailboxes that will be read. sent: the one for copies, None where there is none.
    """

    results: dict[str, DsarError | None] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    sent: str | None = None

    @property
    def first_error(self) -> DsarError | None:
        """The error to end with."""
        return next((error for error in self.results.values() if error is not None), None)


def try_account(app: App, account: Account) -> Trial:
    """Log in for reading and for sending; nothing is sent, nothing in the mailbox changes."""
    trial = Trial()
    trial.results["IMAP"] = _error_of(lambda: _read(app, account, trial))
    trial.results["SMTP"] = _error_of(lambda: _send(app, account))
    return trial


def _read(app: App, account: Account, trial: Trial) -> None:
    from dsar.cli.mailing import open_mailbox
    from dsar.mail.imap import ImapMailbox

    mailbox = open_mailbox(app, account)
    try:
        trial.folders = tuple(mailbox.mailboxes())
        if isinstance(mailbox, ImapMailbox):
            trial.sent = mailbox.sent_mailbox()
    finally:
        mailbox.close()


def _send(app: App, account: Account) -> None:
    from dsar.cli.mailing import open_transport
    from dsar.mail.sendmail import SendmailTransport
    from dsar.mail.smtp import SmtpTransport

    transport = open_transport(app, account)
    try:
        if isinstance(transport, SmtpTransport | SendmailTransport):
            transport.check()
    finally:
        transport.close()


def _error_of(attempt: Callable[[], None]) -> DsarError | None:
    try:
        attempt()
    except DsarError as error:
        return error
    return None


def wrapped(text: str, indent: str = "  ", *, mark: str = "") -> str:
    """A paragraph for a terminal of 80 columns; `mark` stands before its first line."""
    import textwrap

    return textwrap.fill(" ".join(text.split()), 79, initial_indent=indent + mark,
                         subsequent_indent=indent + " " * len(mark), break_long_words=False,
                         break_on_hyphens=False)


def show_trial(app: App, account: Account, trial: Trial) -> bool:
    """Print one line per server, and the likely cause and way out where one failed."""
    from dsar.mail.advice import advice

    places = server_names(account)
    told: set[str] = set()
    for kind, error in trial.results.items():
        fine = "is there; nothing was run" if kind == "SMTP" and account.sendmail else "works"
        app.say(f"  {places[kind]}: " + (fine if error is None else "failed"))
        if error is not None and str(error) not in told:
            told.add(str(error))
            app.say(wrapped(str(error), "    "))
    if trial.folders:
        copies = f"copies go to {trial.sent}" if trial.sent else "no mailbox for copies"
        app.say(wrapped(f"reads {', '.join(trial.folders)}; {copies}", "    "))
    for line in advice(account, trial.results):
        app.say(wrapped(line, "    ", mark="- "))
    return trial.first_error is None


def server_names(account: Account) -> Mapping[str, str]:
    """What stands at the beginning of the line of each."""
    reading = f"Maildir {account.maildir}" if account.maildir else f"IMAP {account.imap}"
    sending = f"SMTP {account.smtp}"
    if account.sendmail:
        sending = f"sendmail {' '.join(account.sendmail)}"
    return {"IMAP": reading, "SMTP": sending}
