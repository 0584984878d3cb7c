"""`dsar poll`: fetch new mail and file the replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.glimpse import Opened, nothing_to_do
from dsar.cli.options import global_options
from dsar.cli.polling import Tally, can_be_read, nothing_to_read, poll_accounts, poll_each
from dsar.errors import DoneInPart, DsarError, MailServerUnreachable, Temporary
from dsar.mailstate import FILES, load_state, placed

if TYPE_CHECKING:
    from dsar.mail.account import Account
    from dsar.mailstate import Trouble

PAUSE_S = 60.0
"""Between two looks, where the server does not tell of news by itself."""
AGAIN = "Tried again in a minute."

__all__ = ["Tally", "poll", "poll_accounts", "report"]


@click.command()
@click.option("--account", "account_name", metavar="NAME", help="Only this account.")
@click.option("--rescan", is_flag=True, help="Forget how far was read; nothing is filed twice.")
@click.option("--retry", is_flag=True, help="Try again now what could not be read before.")
@click.option("--watch", is_flag=True, help="Stay, and file replies as they arrive; Ctrl-C ends.")
@global_options
@pass_app
def poll(
    app: App, *, account_name: str | None, rescan: bool, retry: bool, watch: bool
) -> None:
    """Fetch new mail and file the replies.

    Never changes the mailbox. Mail that answers no case is neither stored nor shown. Letters
    that are in doubt are looked up in the Sent mailbox. A message that cannot be read is tried
    again later, five times in all; then it is named until you have looked at it.
    """
    from dsar.cli.mailing import account_named, accounts

    named = [account_named(app, account_name)] if account_name else list(accounts(app))
    chosen = [a for a in named or [account_named(app, None)] if can_be_read(a)]
    if not chosen:
        raise nothing_to_read(named)
    tally = _poll_once(app, chosen, rescan=rescan, retry=retry)
    while watch:
        _tell_or_stop(app, tally)
        _wait(app, [] if tally.failures else chosen)
        tally = _poll_once(app, chosen)
    app.next("dsar inbox list" if tally.waiting else "dsar status")
    _raise_what_failed(tally, chosen)


def _tell_or_stop(app: App, tally: Tally) -> None:
    """Go on watching where it may work in a moment, but not with a login that is refused."""
    for name, error in tally.failures.items():
        if error.exit_status != Temporary.exit_status:
            raise error
        app.say(f"{name}: {error} {AGAIN}")


def _raise_what_failed(tally: Tally, chosen: Sequence[Account]) -> None:
    """The exit status says whether all, some or none could be read, and the text which."""
    errors = list(tally.failures.values())
    if len(chosen) == 1 and errors:
        raise errors[0]
    if chosen and len(tally.unread) == len(chosen):
        raise NoAccountRead(errors, tally.failed)
    if tally.incomplete:
        raise DoneInPart("Not everything could be read:\n" + "\n".join(tally.incomplete))


class NoAccountRead(DsarError):
    """None of several accounts could be read; the status is theirs where they have the same."""

    def __init__(self, errors: Sequence[DsarError], lines: Sequence[str]) -> None:
        hints = dict.fromkeys(error.hint for error in errors if error.hint)
        super().__init__("No account could be read:\n" + "\n".join(lines), hint=" ".join(hints))
        kinds = {error.exit_status for error in errors}
        self.exit_status = kinds.pop() if len(kinds) == 1 else 1


def _poll_once(
    app: App, chosen: Sequence[Account], *, rescan: bool = False, retry: bool = False
) -> Tally:
    with app.home.working(), closing(Opened()) as opened:
        if not (rescan or retry) and nothing_to_do(app, chosen, opened):
            tally = Tally()
        else:
            with app.writing() as store:
                tally = poll_each(app, store, chosen, rescan=rescan, retry=retry, opened=opened)
    if tally.looked_at or tally.troubles or not app.settings.quiet:
        report(app, tally)
    return tally


def _wait(app: App, chosen: Sequence[Account]) -> None:
    """Wait for news: by IDLE with one IMAP account, a minute where there are several or none.

    No lock is held meanwhile, so that other commands can work. After a quarter of an hour the
    other mailboxes of the account have their turn as well.
    """
    import time

    from dsar.cli.mailing import open_mailbox
    from dsar.mail.imap import ImapMailbox

    mailbox = open_mailbox(app, chosen[0]) if len(chosen) == 1 else None
    if not isinstance(mailbox, ImapMailbox):
        time.sleep(PAUSE_S)
        return
    known = load_state(app.home.cursors).cursors.get((chosen[0].name, "INBOX"))
    try:
        mailbox.wait("INBOX", 15 * PAUSE_S, above=known)
    except (MailServerUnreachable, Temporary) as error:
        app.say(f"{error} {AGAIN}")
        time.sleep(PAUSE_S)
    finally:
        mailbox.close()


def report(app: App, tally: Tally) -> None:
    """Say in one line what a poll did."""
    labels = Counter(str(f.reading.label) for f in tally.filed)
    if not tally.expected:
        app.say("No request is out yet, so that no mail was fetched.")
    elif not app.settings.json and tally.result != "failed":
        read = ", ".join(f"{count} {label}" for label, count in labels.most_common())
        filed = f"{len(tally.filed)} filed" + (f" ({read})" if read else "")
        settled = f", {len(tally.settled)} doubtful letters settled" if tally.settled else ""
        waiting = len(tally.waiting)
        new = f"{tally.looked_at} new {'message' if tally.looked_at == 1 else 'messages'}"
        done = (f"{new}, {filed}, {waiting} {'waits' if waiting == 1 else 'wait'} for you"
                f"{settled}.")
        click.echo(done if len(done) < 72 else _folded(done))
    for line in tally.paused:
        app.say(f"Sending is paused by the rail `breaker`: {line}")
    for line in _warnings(tally):
        app.say(line)


def _folded(line: str) -> str:
    import textwrap

    from dsar.report.terminal import WIDTH

    return textwrap.fill(line, WIDTH, subsequent_indent="  ")


def _warnings(tally: Tally) -> Iterator[str]:
    later = [each for each in tally.troubles if each.next_at is not None]
    if later:
        first = min(each.next_at for each in later if each.next_at)
        yield (f"{_count(later)} could not be read; tried again from "
               f"{first.astimezone():%Y-%m-%d %H:%M} on.")
    yield from map(left_to_you, tally.quarantine)
    yield from (str(gone) for gone in tally.gone if not gone.listed)


def left_to_you(trouble: Trouble) -> str:
    """A message that is not tried again by itself, and the way out."""
    where, when = trouble.where, trouble.received
    if where.account == FILES:
        return (f"Not filed: {placed(where)}: {trouble.why}. "
                f"`dsar inbox read {where.mailbox}` takes it up again; or remove the file.")
    of = f" of {when.astimezone():%Y-%m-%d %H:%M}" if when else ""
    return (f"Cannot be read, and is no longer tried ({trouble.attempts} times): "
            f"{where.account}, {where.mailbox}, message{of} (UID {where.uid}): {trouble.why}. "
            "Look at it in your mail program; save it and `dsar inbox read FILE`, or "
            "`dsar poll --retry`.")


def _count(troubles: Sequence[Trouble]) -> str:
    return f"{len(troubles)} message{'' if len(troubles) == 1 else 's'}"
