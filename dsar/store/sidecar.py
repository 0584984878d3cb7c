"""Glances kept beside the journal, for speed: `ledger.glances`.

    {"form":"…","size":224453266,"digest":"…","body":"…"}
    {"house":[[offset,length],…],"courses":[…],"columns":[[ids],[versions],…,[numbers of courses]]}

`size` and `digest` (SHA-256) are those of the journal's bytes that the glances reflect, `body` is
the digest of the second line, `form` that of the code that made them. What does not fit is
ignored: the journal is read instead. Only a writer writes it, whole, under its lock.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from dsar.core import case, course, events, glance, letter, message, moments, needs
from dsar.core.glance import Glance, course_from_json, course_to_json
from dsar.core.house import STREAM
from dsar.errors import DsarError
from dsar.store.files import open_private, storage_errors, sync_folder, write_all
from dsar.store.journal import Journal
from dsar.store.lines import Lines
from dsar.store.rules import is_case
from dsar.store.sealing import has_sealed

NAME = "ledger.glances"
FEWEST_LINES = 2000
"""A journal with fewer is folded before one notices; nothing is kept beside it."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Kept:
    """What is kept: glances in the order of the cases, and where the house's lines stand.

    size, digest: of the part of the journal that is reflected. house: offset and length of each.
    """

    size: int
    digest: str
    house: Sequence[tuple[int, int]]
    glances: Sequence[Glance]


class Snapshot:
    """A journal that `kept` reflects to its last byte, held open: a rewrite leaves it as it is."""

    def __init__(self, file: BinaryIO, kept: Kept) -> None:
        self._file, self.kept = file, kept

    def house_lines(self) -> list[bytes]:
        """Return the lines of the house, without line breaks."""
        found = []
        with storage_errors(Path(str(self._file.name))):
            for offset, length in self.kept.house:
                self._file.seek(offset)
                found.append(self._file.read(length))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def snapshot(journal: Path) -> Snapshot | None:
    """Return the journal with the glances kept beside it, or None where they do not fit it all."""
    kept = read(journal)
    if kept is None:
        return None
    try:
        file = journal.open("rb")
    except OSError:
        return None
    if os.fstat(file.fileno()).st_size == kept.size and _digest(file) == kept.digest:
        return Snapshot(file, kept)
    file.close()
    return None


def _digest(file: BinaryIO) -> str:
    found = sha256()
    while chunk := file.read(_CHUNK):
        found.update(chunk)
    return found.hexdigest()


def size_kept(journal: Path) -> int | None:
    """How much of the journal is reflected, by the first line alone; None where nothing fits."""
    try:
        with _path(journal).open("rb") as file:
            header = json.loads(file.readline())
        return int(header["size"]) if header["form"] == form() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read(journal: Path) -> Kept | None:
    """Return what is kept, if it is whole and of this code; whether it fits is another matter."""
    try:
        first, _, body = _path(journal).read_bytes().partition(b"\n")
        header = json.loads(first)
        if header["form"] != form() or header["body"] != sha256(body).hexdigest():
            return None
        return _kept(header, json.loads(body))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _kept(header: dict[str, Any], body: dict[str, Any]) -> Kept:
    courses = list(map(course_from_json, body["courses"]))
    *columns, numbers = body["columns"]
    rows = zip(*columns, map(courses.__getitem__, numbers), strict=True)
    house = [(int(offset), int(length)) for offset, length in body["house"]]
    return Kept(int(header["size"]), str(header["digest"]), house, list(map(Glance._make, rows)))


def write(journal: Path, kept: Kept) -> None:
    """Replace what is kept, atomically. Raises StorageFailed, and leaves nothing then."""
    path, body = _path(journal), _body(kept)
    header = {"form": form(), "size": kept.size, "digest": kept.digest,
              "body": sha256(body).hexdigest()}
    new = _temporary(path)
    with storage_errors(path):
        try:
            descriptor = open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                write_all(descriptor, json.dumps(header).encode("ascii") + b"\n")
                write_all(descriptor, body)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise


def _body(kept: Kept) -> bytes:
    numbers: dict[Any, int] = {}
    of = [numbers.setdefault(seen.course, len(numbers)) for seen in kept.glances]
    columns = [list(column) for column in zip(*(seen[:-1] for seen in kept.glances), strict=True)]
    body = {"house": list(kept.house), "courses": list(map(course_to_json, numbers)),
            "columns": [*columns, of]}
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def remove(journal: Path) -> None:
    """Delete what is kept, and what a broken-off writer left of it, durably."""
    path = _path(journal)
    with storage_errors(path):
        found = [p for p in (path, _temporary(path)) if p.exists()]
        for one in found:
            one.unlink(missing_ok=True)
        if found:
            sync_folder(path.parent)


def current(lines: Lines, old: Kept | None, glance_of: Callable[[str], Glance]) -> Kept:
    """Return the glances of a whole journal: those of `old`, where it reflects how it begins.

    glance_of: makes the glance of a case; asked for those that `old` lacks or that went on.
    """
    total, size, upto = sha256(), 0, None
    places, numbers = [], set(lines.of(STREAM)[0])
    for number, line in enumerate(lines.all, start=1):
        total.update(line)
        total.update(b"\n")
        if number in numbers:
            places.append((size, len(line)))
        size += len(line) + 1
        if old is not None and size == old.size and total.hexdigest() == old.digest:
            upto = number
    known = {seen.id: seen for seen in old.glances} if old and upto is not None else {}
    for stream in lines.streams_after(upto or 0):
        known.pop(stream, None)
    found = [known.get(s) or glance_of(s) for s in lines.streams() if is_case(s)]
    return Kept(size, total.hexdigest(), places, found)


def renew(journal: Journal, glance_of: Callable[[str], Glance]) -> None:
    """Bring what is kept up to the journal, or remove it; never fails, since it is for speed."""
    path, lines = journal.path, journal.lines
    try:
        if len(lines.all) < FEWEST_LINES or has_sealed(lines.all):
            remove(path)
        elif size_kept(path) != journal.size:
            write(path, current(lines, read(path), glance_of))
    except (DsarError, OSError, ValueError) as error:
        logging.getLogger("dsar.store").debug("%s: nothing is kept beside it: %s", path, error)
        with suppress(DsarError):
            remove(path)


@cache
def form() -> str:
    """The digest of the code that makes glances: a change of it makes what is kept worthless."""
    found = sha256(glance.FORM.encode())
    for module in (case, course, events, glance, letter, message, moments, needs):
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()


def _path(journal: Path) -> Path:
    return journal.with_name(NAME)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
