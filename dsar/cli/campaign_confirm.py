"""`dsar campaign confirm`: members say what their answers are, on sheets without a word of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from dsar.campaign.roster import load_members
from dsar.campaign.rows import BadRow
from dsar.campaign.sheets import Said, open_answers, read_sheet, sheet_of
from dsar.cli.app import App, pass_app
from dsar.cli.campaigning import Room
from dsar.cli.options import global_options
from dsar.core.message import Label
from dsar.errors import DoneInPart, UsageProblem
from dsar.home import make_private_folder, write_private

SHOWN = 20


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.argument("sheets", nargs=-1, metavar="[SHEET]...",
                type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path),
              help="Write a sheet for each member with answers that nobody has confirmed.")
@global_options
@pass_app
def confirm(app: App, *, campaign_id: str, sheets: tuple[Path, ...], output: Path | None) -> None:
    """Let members say what their answers are, so that also sealed ones count in the report.

    With -o one sheet a member, named by code, with case, company and what the machine read. The
    member, who has the answer, writes `yes` under `is`, or the right label (labels.csv), and
    brings it back; SHEET is such a file, or a folder. What members say counts as read by a person.
    """
    if bool(sheets) == (output is not None):
        raise UsageProblem("Either -o FOLDER, or sheets that came back.")
    if output is not None:
        with app.reading() as store:
            count, answers = _write(Room.of(app, store, campaign_id), output.absolute())
        app.say(f"{count} sheets with {answers} answers in {output}.")
        app.next(f"dsar campaign confirm {campaign_id} FOLDER" if count
                 else f"dsar campaign progress {campaign_id}")
        return
    with app.writing() as store:
        desk = _Desk(Room.of(app, store, campaign_id))
        for path in _files(sheets):
            desk.take(path)
    app.say(f"{desk.recorded} answers confirmed, {desk.corrected} of them not as the machine "
            "read them.")
    for line in desk.problems[:SHOWN]:
        app.say(f"  {line}")
    app.next(f"dsar campaign report {campaign_id} text")
    if desk.problems:
        raise DoneInPart(f"{len(desk.problems)} rows could not be used.",
                         hint="Mend them and give the sheet again; what is recorded stays.")


def _write(room: Room, folder: Path) -> tuple[int, int]:
    """Write the sheets, 0600; returns how many, and how many answers stand on them."""
    from dsar.report.codebook import LABELS

    make_private_folder(folder)
    count = answers = 0
    for member in load_members(room.store, room.campaign):
        found = open_answers(room.board.of_member(room.campaign.id, member.code))
        if found:
            write_private(folder / f"answers-{member.code}.csv", sheet_of(member.code, found))
            count, answers = count + 1, answers + len(found)
    text = io.StringIO()
    csv.writer(text).writerows([("label", "meaning"), *((str(k), v) for k, v in LABELS.items())])
    write_private(folder / "labels.csv", text.getvalue().encode("utf-8-sig"))
    return count, answers


def _files(sheets: Sequence[Path]) -> Iterator[Path]:
    for path in sheets:
        yield from sorted(path.glob("answers-*.csv")) if path.is_dir() else (path,)


@dataclass
class _Desk:
    """Records what stands on sheets, row by row."""

    room: Room
    recorded: int = 0
    corrected: int = 0
    problems: list[str] = field(default_factory=list)

    def take(self, path: Path) -> None:
        """One sheet: what cannot be used is told by line, and stops nothing else."""
        try:
            for said in read_sheet(path.read_bytes()):
                why = said.problem if isinstance(said, BadRow) else self._record(said)
                if why:
                    self.problems.append(f"{path.name}, line {said.line}: {why}")
        except (UsageProblem, OSError) as error:
            self.problems.append(f"{path.name}: {error}")

    def _record(self, said: Said) -> str:
        """Record one row; returns why it cannot be, or ""."""
        from dsar.cli.filing import note_reading

        room = self.room
        case = next((c for c in room.board.of_member(room.campaign.id, said.member)
                     if c.id == said.case_id), None)
        found = [r for r in case.replies if r.received.digest.startswith(said.answer)] if (
            case is not None) else []
        if case is None or len(found) != 1:
            return f"{said.answer} is no answer in a case of {said.member}"
        read = found[0].machine.labels if found[0].machine else ()
        labels = said.labels or read
        if not labels or str(Label.UNCLEAR) in labels:
            return "the machine could not read it: say which label it is"
        known = found[0].confirmed
        if known is not None and known.labels == labels:
            return ""
        note_reading(room.app, room.store, case, found[0], labels=labels, until=said.until)
        self.recorded += 1
        self.corrected += labels != read
        return ""


COMMANDS = {"confirm": confirm}
