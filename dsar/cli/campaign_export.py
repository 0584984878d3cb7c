"""`dsar campaign export`: the keeper opens what is sealed to a member, for that member."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from dsar.campaign.roster import load_member
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room, suffix_of
from dsar.cli.options import global_options
from dsar.core.case import Case
from dsar.core.member import Member
from dsar.errors import DoneInPart, DsarError, NeedsConfirmation, NotSetUp, UsageProblem
from dsar.home import make_private_folder, write_private

if TYPE_CHECKING:
    from dsar.store.archive import Archive

COLUMNS = ("file", "case", "company", "what", "date")
_F = TypeVar("_F", bound=Callable[..., object])


def with_content_key(command: _F) -> _F:
    """Add `--content-key` and `--passphrase-command`, as `key_file` and `passphrase_command`."""
    command = click.option(
        "--passphrase-command", metavar="COMMAND",
        help="Prints the passphrase of the content key; else it is asked for.")(command)
    return click.option(
        "--content-key", "key_file", metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The keeper's content.key.age; else it is looked for beside the other keys.")(command)


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("code", metavar="MEMBER")
@click.option("-o", "--output", required=True, metavar="FOLDER",
              type=click.Path(file_okay=False, path_type=Path), help="Where the files go.")
@with_content_key
@global_options
@pass_app
def export(app: App, *, campaign_id: str, code: str, output: Path, key_file: Path | None,
           passphrase_command: str | None) -> None:
    """Write the letters, answers and mandates of one member as files, to hand them over.

    Only the keeper's content key opens answers of members who do not let the group read them.
    The files are as they were sent and received, and not encrypted: they are the member's.
    """
    with app.reading() as store:
        room = Room.of(app, store, campaign_id)
        member = load_member(store, room.campaign, code)
        secret = content_key(app, key_file or room.folder / "content.key.age", passphrase_command)
        work = _Handover(opened_for(room, [member], secret), output.absolute())
        make_private_folder(work.folder)
        for item in _items(room, member):
            work.write(item)
    work.write_index()
    app.say(f"{len(work.rows)} files of {code} in {output}.")
    for line in work.missing:
        app.say(f"  not there: {line}")
    app.next(f"dsar campaign progress {campaign_id}")
    if work.missing:
        raise DoneInPart(f"{len(work.missing)} files could not be written.",
                         hint="Restore the archive from a backup.")


def content_key(app: App, path: Path, command: str | None) -> str:
    """The keeper's secret key. Raises NotSetUp, NeedsConfirmation, UsageProblem."""
    from dsar.campaign.keys import CONTENT, open_content_key
    from dsar.cli.campaign_start import from_command
    from dsar.store.sealing import CannotOpen

    if not path.exists():
        raise NotSetUp(f"{path}: is not on this machine.",
                       hint=f"The keeper has {CONTENT}: --content-key FILE.")
    if command:
        passphrase = from_command(command)
    elif app.can_ask:
        passphrase = str(click.prompt("Passphrase of the content key", hide_input=True, err=True))
    else:
        raise NeedsConfirmation("The content key needs its passphrase; nobody can be asked.",
                                hint="--passphrase-command COMMAND")
    try:
        return open_content_key(path, passphrase)
    except CannotOpen:
        raise UsageProblem(f"{path}: that passphrase does not open it.") from None


def opened_for(room: Room, members: Iterable[Member], content_secret: str) -> Archive:
    """The archive with the keeper's key, those of these members, and that of the letters where
    it is here. Raises UsageProblem for another campaign's key."""
    from dsar.campaign.keys import member_pair
    from dsar.store.agekeys import RecipientSealer, public_of
    from dsar.store.archive import Archive
    from dsar.store.sealing import CannotOpen

    try:
        secrets = [member_pair(m.added.key, m.added.secret, content_secret).secret
                   for m in members]
        if public_of(content_secret) != room.campaign.started.content_key:
            raise CannotOpen("another key")
    except CannotOpen:
        raise UsageProblem(f"This is not the content key of campaign {room.campaign.id}."
                           ) from None
    try:
        letters = [room.keys.secret]
    except NotSetUp:
        letters = []
    return Archive(room.app.shelf, RecipientSealer([], [content_secret, *secrets, *letters]))


@dataclass(frozen=True, kw_only=True)
class _Item:
    """One file of a member: what it is, of which case and company, and of which day."""

    digest: str
    what: str
    day: str
    case: str = ""
    company: str = ""


def _items(room: Room, member: Member) -> Iterator[_Item]:
    """The mandates, then each case in turn, then what waits for one of these cases alone."""
    for digest in dict.fromkeys(member.signed):
        yield _Item(digest=digest, what="mandate", day="")
    cases = room.board.of_member(room.campaign.id, member.code)
    for case in sorted(cases, key=lambda c: (c.facts.controller, c.id)):
        yield from _of_case(case)
    own = {case.id for case in cases}
    for digest, aside in room.store.house().waiting.items():
        if own.issuperset(aside.candidates):
            yield _Item(digest=digest, what="waiting", day=aside.on.isoformat())


def _of_case(case: Case) -> Iterator[_Item]:
    named = {"case": case.id, "company": case.facts.controller_name}
    for approved in case.approvals:
        yield _Item(digest=approved.digest, what=str(approved.stage), day=approved.on.isoformat(),
                    **named)
    for reply in case.replies:
        yield _Item(digest=reply.received.digest, what="answer",
                    day=reply.received.on.isoformat(), **named)
    for digest in sorted(case.bounces):
        yield _Item(digest=digest, what="bounce", day="", **named)


@dataclass
class _Handover:
    """Writes what can be opened, and remembers what cannot."""

    archive: Archive
    folder: Path
    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def write(self, item: _Item) -> None:
        """Write one file, 0600, named by its number, case and what it is."""
        label = "-".join(filter(None, (item.case, item.what)))
        try:
            content = self.archive.read(item.digest)
        except DsarError as error:
            self.missing.append(f"{label}: {error}")
            return
        suffix = suffix_of(content) if item.what == "mandate" else ".eml"
        name = f"{len(self.rows) + 1:03}-{label}{suffix}"
        write_private(self.folder / name, content)
        self.rows.append((name, item.case, item.company, item.what, item.day))

    def write_index(self) -> None:
        """Write what each file is."""
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *self.rows])
        write_private(self.folder / "index.csv", text.getvalue().encode())


COMMANDS = {"export": export}
