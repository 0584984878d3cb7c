"""A look at the mailboxes before the ledger is opened: mostly they hold nothing new.

`dsar poll` of an unchanged mailbox then loads neither the ledger nor the rules of reading. Where
anything may be to do, the whole poll follows, over the connections made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.errors import DsarError, LoginRefused, MailServerUnreachable, Temporary
from dsar.heartbeat import note_success
from dsar.mailstate import MailState, load_state, save_state

if TYPE_CHECKING:
    from dsar.mail.account import Account
    from dsar.mail.imap import ImapMailbox


@dataclass
class Opened:
    """The mailboxes that were opened by account, or why one could not be: no second try."""

    mailboxes: dict[str, ImapMailbox] = field(default_factory=dict)
    failed: dict[str, DsarError] = field(default_factory=dict)

    def close(self) -> None:
        """Log out of all that are left; never raises."""
        while self.mailboxes:
            self.mailboxes.popitem()[1].close()


def rest_mark(app: App) -> str:
    """What changes with each change of ledger or config.yaml; empty where that cannot be told.

    That is so in a database, and in an encrypted home, which asks for its passphrase first.
    """
    if app.config.store != "tinydb:" or app.home.sealed_key.exists():
        return ""
    try:
        found = [path.stat() for path in (app.home.ledger / "ledger.jsonl", app.home.config)]
    except OSError:
        return ""
    return "-".join(f"{each.st_ino}-{each.st_size}-{each.st_mtime_ns}" for each in found)


def nothing_to_do(app: App, chosen: Sequence[Account], opened: Opened) -> bool:
    """Whether neither mailboxes nor ledger have changed since the last poll; notes the time.

    The lock of the home is held by the caller. A mailbox that is new, made anew, gone or cannot
    be read, a message that is to be tried again, a letter in doubt: all that is for the poll.
    """
    state = load_state(app.home.cursors)
    if not state.rests_at or state.troubles or state.rests_at != rest_mark(app):
        return False
    if not all(_is_as_it_was(app, account, state, opened) for account in chosen):
        return False
    # Not synced: both files are caches, and what is on the disk differs in the time alone.
    note_success(app.home.heartbeat, app.now(), durable=False)
    save_state(app.home.cursors, state, at=f"{app.now().astimezone():%Y-%m-%d %H:%M}",
               result="ok", durable=False)
    return True


def _is_as_it_was(app: App, account: Account, state: MailState, opened: Opened) -> bool:
    from dsar.cli.mailing import open_mailbox
    from dsar.mail.imap import ImapMailbox

    known = {mailbox for name, mailbox in state.cursors if name == account.name}
    if account.imap is None or account.maildir is not None or "INBOX" not in known:
        return False
    try:
        mailbox = open_mailbox(app, account)
        if not isinstance(mailbox, ImapMailbox):
            return False
        opened.mailboxes[account.name] = mailbox
        for name in mailbox.mailboxes():
            cursor = state.cursors.get((account.name, name))
            if cursor is None or not mailbox.holds_nothing_above(name, cursor):
                return False
            known.discard(name)
    except (LoginRefused, MailServerUnreachable) as error:
        opened.failed[account.name] = error
        return False
    except Temporary:  # the other mailboxes have their turn in the poll
        return False
    return not known
