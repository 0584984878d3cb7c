"""A file of members, row by row: only mapped columns are read, a bad row says what is wrong."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dsar.core.controller import IDENTIFIER_KINDS
from dsar.core.subject import Identifier, Place
from dsar.errors import StorageFailed, UsageProblem

OWN_FIELDS = ("name", "email", "residence", "languages", "address", "consent", "analysis",
              "told_by", "in_copy")
REQUIRED = ("name", "email", "residence", "consent")
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
TOLD_BY = ("email", "post", "none")
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "oui", "sí", "si", "sì", "sim", "tak"})
"""How a table says yes, in English and in languages the letters are written in."""
_NO = frozenset({"no", "n", "false", "0", "", "nein", "nee", "non", "não", "nie", "nej"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One member as the file has them; line: where. consented_on: None for a plain yes.

    cells: as they stood, for a row that turns out to be a member already.
    """

    line: int
    name: str
    email: str
    residence: Place
    languages: tuple[str, ...]
    cells: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    consented_on: date | None = None
    analysis: bool = False
    told_by: str = "email"
    in_copy: bool = False


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line, why, and its cells as they stood."""

    line: int
    problem: str
    cells: tuple[str, ...]


def read_mapping(text: str | None) -> dict[str, str]:
    """Read `field=Column,field=Column`; None or "" maps each field to the column of its name.

    Raises UsageProblem for a field there is not, or one named twice.
    """
    found: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in (text or "").split(","))):
        wanted, mark, column = (piece.strip() for piece in part.partition("="))
        if not mark or not column:
            raise UsageProblem(f"--map: {part!r} is not FIELD=COLUMN.")
        if wanted not in (*OWN_FIELDS, *IDENTIFIER_KINDS):
            raise UsageProblem(f"--map: there is no field {wanted!r}.",
                               hint=f"Fields: {', '.join((*OWN_FIELDS, *IDENTIFIER_KINDS))}")
        if wanted in found:
            raise UsageProblem(f"--map: {wanted} is mapped twice.")
        found[wanted] = column
    return found


@dataclass(frozen=True)
class Table:
    """The heading of a file and which column is which field."""

    path: Path
    heading: tuple[str, ...]
    columns: Mapping[str, int]

    @property
    def kept(self) -> tuple[str, ...]:
        """The heading of the columns that are used, in the order of the file."""
        return self.used(self.heading)

    def used(self, cells: Sequence[str]) -> tuple[str, ...]:
        """The cells of a row that stand in these columns."""
        places = sorted(set(self.columns.values()))
        return tuple(cells[n] if n < len(cells) else "" for n in places)


def open_table(path: Path, mapping: Mapping[str, str]) -> Table:
    """Read the heading of a CSV file (UTF-8, comma, semicolon or tab).

    Raises UsageProblem for a column that is not there or a field that must be there and is not.
    """
    heading = next(_cells(path), None)
    if heading is None:
        raise UsageProblem(f"{path}:1: the file is empty.")
    if isinstance(heading[1], str):
        raise UsageProblem(f"{path}:1: {heading[1]}.")
    names = [cell.strip() for cell in heading[1]]
    folded = [name.casefold() for name in names]
    if mapping:
        wanted = dict(mapping)
    else:
        wanted = {f: f for f in (*OWN_FIELDS, *IDENTIFIER_KINDS) if f.casefold() in folded}
    missing = [column for column in wanted.values() if column.casefold() not in folded]
    if missing:
        raise UsageProblem(f"{path}:1: there is no column {missing[0]!r}.",
                           hint=f"Columns: {', '.join(names)}")
    lacking = [f for f in REQUIRED if f not in wanted]
    if lacking:
        raise UsageProblem(f"{path}:1: no column for {', '.join(lacking)}.",
                           hint=f"--map {lacking[0]}=COLUMN; columns: {', '.join(names)}")
    columns = {field: folded.index(column.casefold()) for field, column in wanted.items()}
    return Table(path, tuple(names), columns)


def read_rows(table: Table, *, default_languages: Sequence[str]) -> Iterator[Row | BadRow]:
    """Yield each row, or why it is none; the file is not held in memory. Raises StorageFailed."""
    lines = _cells(table.path)
    next(lines, None)
    for line, cells in lines:
        if isinstance(cells, str):
            yield BadRow(line, cells, ())
            continue
        if not any(cell.strip() for cell in cells):
            continue
        try:
            yield _row(table, line, cells, tuple(default_languages))
        except ValueError as error:
            yield BadRow(line, str(error), table.used(cells))


def _cells(path: Path) -> Iterator[tuple[int, list[str] | str]]:
    """Yield line number and cells, or why the line has none.

    The separator is the one the heading has most of. A quote that is never closed swallows what
    follows, so that it is said of the line on which it begins.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = max(",;\t", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True)
            while True:
                line = reader.line_num + 1
                try:
                    yield line, next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield line, f"{error}; look at its quotes"
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{path}: is not UTF-8 ({error.reason} at byte {error.start}).",
                           hint="Save it as CSV in UTF-8.") from None
    except OSError as error:
        raise StorageFailed(f"{path}: {error.strerror}.") from error


def _row(table: Table, line: int, cells: Sequence[str], languages: tuple[str, ...]) -> Row:
    def cell(field: str) -> str:
        place = table.columns.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    if len(cells) > len(table.heading):
        raise ValueError(f"{len(cells)} cells, the heading has {len(table.heading)}")
    name, email = cell("name"), cell("email")
    if not name or not name.isprintable():
        raise ValueError("what stands for name is none" if name else "no name")
    if not _is_address(email):
        raise ValueError("no mail address" if not email else "what stands for email is none")
    return Row(
        line=line, cells=table.used(cells), name=name, email=email,
        residence=_place(cell("residence")), languages=_languages(cell("languages")) or languages,
        address=tuple(filter(None, (p.strip() for p in cell("address").replace("\n", ";")
                                    .split(";")))),
        identifiers=tuple(Identifier(kind, cell(kind)) for kind in IDENTIFIER_KINDS
                          if kind not in OWN_FIELDS and cell(kind)),
        consented_on=_consent(cell("consent")), analysis=_yes(cell("analysis"), "analysis"),
        told_by=_told_by(cell("told_by")), in_copy=_yes(cell("in_copy"), "in_copy"),
    )


def _is_address(text: str) -> bool:
    local, mark, domain = text.rpartition("@")
    bad = any(c.isspace() or c in "<>,;\"" or not c.isprintable() for c in text)
    return bool(mark and local and "." in domain.strip(".")) and not bad


def _place(text: str) -> Place:
    """Where somebody lives; it stands plain in the ledger, so nothing else may."""
    if not _PLACE.fullmatch(text.upper()):
        raise ValueError("what stands for residence is no country code such as DE or US-CA")
    return Place.parse(text)


def _languages(text: str) -> tuple[str, ...]:
    """Language codes; they stand plain in the ledger, so nothing else may."""
    spoken = tuple(text.replace(";", " ").split())
    if not all(map(_LANGUAGE.fullmatch, spoken)):
        raise ValueError("what stands for languages are no codes such as de or pt-BR")
    return spoken


def _consent(text: str) -> date | None:
    """The day of the consent, or None for a plain yes; anything else is no consent."""
    if text.casefold() in _YES:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("no consent: a date such as 2026-11-22, or yes") from None


def _yes(text: str, field: str) -> bool:
    if text.casefold() in _YES | _NO:
        return text.casefold() in _YES
    raise ValueError(f"what stands for {field} is neither yes nor no")


def _told_by(text: str) -> str:
    if text.casefold() in ("", *TOLD_BY):
        return text.casefold() or "email"
    raise ValueError(f"what stands for told_by is none of {', '.join(TOLD_BY)}")
