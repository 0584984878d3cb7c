"""Tables of the state registries: columns found by their labels, however they are written."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping

from dsar.errors import FileProblems, Problem
from dsar.registry.sources import Reading

HEADER_WITHIN = 12
Row = tuple[int, Mapping[str, str]]
"""Line (1-based) and the cells by our own column names."""


def label(text: str) -> str:
    """Return a column label as it is compared: letters and digits in lower case, single spaces.

    >>> label("Data broker\\xa0primary phone number: [optional] ")
    'data broker primary phone number optional'
    """
    plain = unicodedata.normalize("NFKC", text[:600]).casefold().replace("’", "'")
    return " ".join(re.sub(r"[^a-z0-9']+", " ", plain).split())


def rows(
    raw: bytes, reading: Reading, columns: Mapping[str, str], *, delimiter: str = ","
) -> Iterator[Row]:
    """Yield the rows below the header.

    columns: our name → a regular expression for the whole normalised label; `name` is needed.
    Raises FileProblems where no line within the first twelve has such a label.
    """
    text = _decoded(raw, reading)
    header: dict[str, int] | None = None
    for place, cells in _lines(text, reading, delimiter):
        if header is None:
            header = _header(cells, columns)
            if header is None and place > HEADER_WITHIN:
                break
        elif any(cell.strip() for cell in cells):
            reading.records += 1
            yield place, {name: cells[at] for name, at in header.items() if at < len(cells)}
    if header is None:
        message = "has no line of labels that this format needs"
        raise FileProblems([Problem(reading.source, 1, message, "Is it the right file?")])


def _decoded(raw: bytes, reading: Reading) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        reading.mend(1, "", "file is not UTF-8: read as Windows-1252")
        return raw.decode("cp1252", errors="replace")


def _lines(text: str, reading: Reading, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Lines of cells; one that the csv module cannot take (a huge field) is refused alone."""
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        place = table.line_num + 1
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            reading.records += 1
            reading.refuse(place, "", f"line cannot be read: {error}")
            continue
        if len(cells) == 1 and delimiter in cells[0]:  # the whole line stood in quotes
            reading.mend(place, "", "the line as a whole was quoted")
            cells = cells[0].split(delimiter)
        yield place, cells


def _header(cells: list[str], columns: Mapping[str, str]) -> dict[str, int] | None:
    labels = [label(cell) for cell in cells]
    found = {}
    for name, pattern in columns.items():
        at = next((n for n, text in enumerate(labels) if re.fullmatch(pattern, text)), None)
        if at is not None:
            found[name] = at
    return found if "name" in found else None
