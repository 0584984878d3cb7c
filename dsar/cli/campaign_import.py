"""`dsar campaign import`: the answers that members bring back, from files or the mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.campaign_kit import KNOWN, DropDesk
from dsar.cli.campaigning import Room
from dsar.cli.care import Care, Failure
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, Temporary, UsageProblem

if TYPE_CHECKING:
    from dsar.cli.rounds import Gone
    from dsar.mail import Envelope, Fetched
    from dsar.mail.maildir import FiledMail
    from dsar.mailstate import Trouble


@click.command(name="import")
@click.argument("campaign_id", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH]...",
                type=click.Path(exists=True, path_type=Path))
@click.option("--member", "code", metavar="MEMBER", help="Whose answers the files are.")
@click.option("--rescan", is_flag=True, help="Forget how far was read; nothing is filed twice.")
@global_options
@pass_app
def bring_back(
    app: App, *, campaign_id: str, paths: tuple[Path, ...], code: str | None, rescan: bool
) -> None:
    """File the answers that members bring back: .eml files, folders, mbox or Maildir.

    Without PATH, what came to the members' drop addresses since the last time is fetched from the
    campaign's account. A forwarded message is filed as the company sent it, where it is attached.
    A copy of the member's own letter proves that it was sent. What names no single case of the
    member who brings it is listed, stays out, and is looked at again the next time.
    """
    if paths and rescan:
        raise UsageProblem("--rescan is for the mailbox; files are always read as a whole.")
    if code and not paths:
        raise UsageProblem("--member says whose files these are; there is no PATH.")
    with app.writing() as store:
        room = Room.of(app, store, campaign_id)
        brought = _Brought(DropDesk(room, code))
        if paths:
            _from_files(paths, brought)
        else:
            _from_account(room, brought, rescan=rescan)
    _tell(app, brought)
    app.next(f"dsar campaign progress {campaign_id}")
    if brought.broken is not None:
        raise brought.broken
    if brought.left:
        raise DoneInPart(f"{len(brought.left)} messages were not filed.",
                         hint="A file can be given with --member CODE.")
    if unread := [str(each) for each in brought.gone if each.listed]:
        raise DoneInPart("Not everything could be read:\n" + "\n".join(unread))


def _tell(app: App, brought: _Brought) -> None:
    app.say(f"{brought.filed} answers filed, {brought.sent} letters known as sent.")
    for name, why in brought.left[:20]:
        app.say(f"  not filed: {name}: {why}")
    for gone in brought.gone:
        app.say(str(gone))
    if app.settings.json:
        app.emit("campaign-import",
                 [{"file": name, "problem": why} for name, why in brought.left],
                 {"filed": brought.filed, "sent": brought.sent, "left": len(brought.left)})


@dataclass
class _Brought:
    """What came back: keeps the protocol `Work` of a round through the mailboxes.

    left: where each message lies that was not filed, and why. gone: mailboxes that are not there.
    broken: why not every mailbox could be read.
    """

    desk: DropDesk
    filed: int = 0
    sent: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    broken: Temporary | None = None
    care: Care = field(default_factory=Care)

    def chosen(self, envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
        """What came to a drop address, and what cannot be told."""
        return (each for each in envelopes if each.trouble or b"+drop-" in each.head.lower())

    def take(self, fetched: Fetched) -> str:
        """File one message; why it stays out, or nothing."""
        return self._taken(fetched)

    def could_not(self, trouble: Trouble) -> None:
        """List it."""
        where = trouble.where
        self.left.append((f"{where.mailbox}, UID {where.uid}", trouble.why))

    def from_file(self, mail: FiledMail) -> None:
        """File a message that lies in a file, or list it."""
        if why := mail.trouble or self._taken(mail):
            self.left.append((mail.name, why))

    def _taken(self, mail: Fetched | FiledMail) -> str:
        outcome = self.care.over(lambda: self.desk.take(b"".join(mail.pieces)))
        if isinstance(outcome, Failure):
            return outcome.why
        self.filed += outcome == "filed"
        self.sent += outcome == "sent"
        return "" if outcome in ("filed", "sent", KNOWN) else outcome


def _from_files(paths: Sequence[Path], brought: _Brought) -> None:
    from dsar.mail.maildir import mails_in

    for path in paths:
        for mail in mails_in(path):
            brought.from_file(mail)


def _from_account(room: Room, brought: _Brought, *, rescan: bool) -> None:
    """What is new in the mailboxes of the campaign's account, and what stayed out before.

    How far was read is kept apart from what `poll` keeps: both read every message once. It lies
    among the caches, which no backup holds and a purge removes.
    """
    from dsar.cli.mailing import open_mailbox
    from dsar.cli.rounds import Round
    from dsar.mailstate import MailState, load_state, save_troubles

    app = room.app
    cursors = app.home.cache_folder / f"campaign-{room.campaign.id}.json"
    state = MailState() if rescan else load_state(cursors)
    state.hurry(app.now())
    mailbox = open_mailbox(app, room.account)
    one = Round(room.account, mailbox, state, app.now, brought)
    try:
        one.all()
    except Temporary as error:
        brought.broken = error
    finally:
        mailbox.close()
        brought.gone += one.gone
        save_troubles(cursors, state)


COMMANDS = {"import": bring_back}
