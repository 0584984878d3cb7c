"""`dsar inbox read`: mail from files, dealt with as if it had just arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.care import Care, Failure
from dsar.cli.options import global_options
from dsar.errors import DoneInPart

if TYPE_CHECKING:
    from dsar.inbox import Reception
    from dsar.mail.maildir import FiledMail
    from dsar.mailstate import MailState, Trouble
    from dsar.store import Store


@click.command()
@click.argument("paths", nargs=-1, required=True,
                type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--dry-run", "-n", is_flag=True, help="Show what would be filed; record nothing.")
@global_options
@pass_app
def read(app: App, paths: tuple[Path, ...], *, dry_run: bool) -> None:
    """Read mail from .eml files, folders, mbox or Maildir, as if it had just arrived.

    A message that cannot be read or filed holds up no other. It is named, also by `status` and
    `doctor`, until it is read once more with success or its file is gone.
    """
    from dsar.cli.receiving import reception
    from dsar.mail.maildir import mails_in
    from dsar.mailstate import load_state

    with app.reading() if dry_run else _at_work(app) as store:
        filing = reception(app, store, record=not dry_run)
        reader = _Reader(app, filing, load_state(app.home.cursors))
        try:
            for path in paths:
                for mail in mails_in(path):
                    reader.take(mail)
                reader.finished(path)
        finally:
            if not dry_run:
                reader.note()
        if filing.settled:
            from dsar.cli.sending import note_complaints

            note_complaints(app, store, filing.settled)
    if reader.failed:
        raise _not_all(reader.failed)
    app.next("" if dry_run else "dsar status")


@contextmanager
def _at_work(app: App) -> Iterator[Store]:
    with app.home.working(), app.writing() as store:
        yield store


@dataclass
class _Reader:
    """Files messages from files one by one. failed: those that could not be, this time."""

    app: App
    filing: Reception
    state: MailState
    care: Care = field(default_factory=Care)
    failed: list[Trouble] = field(default_factory=list)
    _known: bool = False

    def __post_init__(self) -> None:
        self._known = bool(self.state.troubles)

    def take(self, mail: FiledMail) -> None:
        """File one message and show what came of it, or why nothing did."""
        from dsar.cli.receiving import file_mail, found_item

        found = Failure(mail.trouble) if mail.trouble else self.care.over(
            partial(file_mail, self.app, self.filing, mail.pieces, None))
        if isinstance(found, Failure):
            self._failed(mail, found.why)
            return
        _show_read(self.app, found_item(mail.name, found))

    def _failed(self, mail: FiledMail, why: str) -> None:
        from dsar.cli.polling import trouble_item

        trouble = self.state.failed(_where(mail), why, now=self.app.now())
        self.failed.append(trouble)
        _show_read(self.app, trouble_item(trouble))

    def finished(self, path: Path) -> None:
        """All below a path was read: what failed there before and not this time is dealt with."""
        from dsar.mailstate import FILES

        below, again = path.absolute(), {each.where for each in self.failed}
        self.state.troubles = {
            where: trouble for where, trouble in self.state.troubles.items()
            if where in again or where.account != FILES
            or not Path(where.mailbox).is_relative_to(below)}

    def note(self) -> None:
        """Keep what is to be taken up again, beside what polls keep."""
        from dsar.mailstate import save_troubles

        self.state.forget_removed_files()
        if self._known or self.state.troubles:
            save_troubles(self.app.home.cursors, self.state)


def _where(mail: FiledMail) -> Any:
    from dsar.mail import Coordinates
    from dsar.mailstate import FILES

    return Coordinates(account=FILES, mailbox=str(mail.file.absolute()), uidvalidity=0,
                       uid=mail.number)


def _not_all(failed: list[Trouble]) -> DoneInPart:
    from dsar.mailstate import placed

    lines = [f"{placed(each.where)}: {each.why}" for each in failed]
    count = f"{len(lines)} message was" if len(lines) == 1 else f"{len(lines)} messages were"
    return DoneInPart(f"{count} not filed:\n" + "\n".join(lines),
                      hint="Run `dsar inbox read` on the same files again once they can be read; "
                           "nothing is filed twice. `dsar doctor` names them until then.")


def _show_read(app: App, item: dict[str, Any]) -> None:
    if app.settings.json:
        app.emit_line(item)
        return
    from dsar.report.terminal import row

    case = item["case"] if isinstance(item["case"], str) else ",".join(item["case"] or ["-"])
    click.echo(row((Path(item["file"]).name, 24), (case, 14), (item["label"], 24),
                   last=item["suspicious"] or item["why"]))
