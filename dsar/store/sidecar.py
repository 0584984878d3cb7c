"""Glances kept beside the journal, for speed: `ledger.glances`.

    {"form":"…","size":224453266,"digest":"…","crc":"1c291ca3","sum":"…"}
    {"house":[[offset,length],…],"courses":[…],"columns":[[ids],[versions],…,[numbers of courses]]}

Two lines are a section. The first section has the glances of all cases when it was written, each
further one those of cases that went on or were opened since, and the house's new lines. `size` is
where the part of the journal ends that a section reflects, `digest` the SHA-256 of that part from
where the section before ends, `crc` that of its last line; `form` is the digest of the code that
made it, `sum` that of all this and the second line. What does not fit is ignored: the journal is
read instead. Only a writer writes, under its lock (`dsar.store.renewal`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from dsar.core import case, course, events, glance, letter, message, moments, needs
from dsar.core.glance import Glance, course_from_json, course_to_json
from dsar.store.files import open_private, storage_errors, sync_folder, write_all

NAME = "ledger.glances"
FORM = "2"
"""The version of what is written here; raise it with every change of that."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Part:
    """A part of the journal: its end in bytes, its SHA-256, the checksum of its last line."""

    size: int
    digest: str
    crc: str


@dataclass(frozen=True)
class Kept:
    """What is kept: glances in the order of the cases, and where the house's lines stand.

    parts: of the journal, one after the other. house: offset and length of each line.
    """

    parts: Sequence[Part]
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
    if _is_made_of(file, kept.parts):
        return Snapshot(file, kept)
    file.close()
    return None


def _is_made_of(file: BinaryIO, parts: Sequence[Part]) -> bool:
    """Whether the journal is these parts and nothing else."""
    if os.fstat(file.fileno()).st_size != parts[-1].size:
        return False
    return all(_digest(file, part.size) == part.digest for part in parts)


def _digest(file: BinaryIO, end: int) -> str:
    """Return the digest of what stands from here to the offset `end`."""
    found, left = sha256(), end - file.tell()
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        found.update(chunk)
        left -= len(chunk)
    return found.hexdigest()


def sections(journal: Path) -> list[tuple[Part, bytes]] | None:
    """Return part and body of each section; None where one is not whole or of other code."""
    try:
        lines = _path(journal).read_bytes().split(b"\n")
        return [_checked(json.loads(header), body)
                for header, body in zip(lines[::2], lines[1::2], strict=True)]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(header: dict[str, Any], body: bytes) -> tuple[Part, bytes]:
    part = Part(int(header["size"]), str(header["digest"]), str(header["crc"]))
    if header["form"] != form() or header["sum"] != _sum(part, body):
        raise ValueError("changed, or of other code")
    return part, body


def _sum(part: Part, body: bytes) -> str:
    found = sha256(f"{form()} {part.size} {part.digest} {part.crc}\n".encode())
    found.update(body)
    return found.hexdigest()


def read(journal: Path) -> Kept | None:
    """Return what is kept, if it is whole and of this code; whether it fits is another matter."""
    found = sections(journal)
    try:
        return _kept(found) if found else None
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _kept(found: Iterable[tuple[Part, bytes]]) -> Kept:
    parts, house, known = list[Part](), list[tuple[int, int]](), dict[str, Glance]()
    for part, raw in found:
        body = json.loads(raw)
        parts.append(part)
        house += [(int(offset), int(length)) for offset, length in body["house"]]
        known.update((seen.id, seen) for seen in _glances(body))
    return Kept(parts, house, list(known.values()))


def _glances(body: dict[str, Any]) -> list[Glance]:
    if not body["columns"]:
        return []
    courses = list(map(course_from_json, body["courses"]))
    *columns, numbers = body["columns"]
    rows = zip(*columns, map(courses.__getitem__, numbers), strict=True)
    return list(map(Glance._make, rows))


def write(journal: Path, kept: Kept) -> None:
    """Replace what is kept by one section, atomically. Raises StorageFailed, leaves nothing then.

    kept: has one part, the whole journal.
    """
    path, [part] = _path(journal), kept.parts
    new = _temporary(path)
    with storage_errors(path):
        try:
            descriptor = open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                write_all(descriptor, _section(part, kept.house, kept.glances))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise


def add(
    journal: Path, part: Part, house: Sequence[tuple[int, int]], glances: Sequence[Glance]
) -> None:
    """Add a section. Nothing is synced: what is lost or torn is made anew. Raises OSError."""
    data = b"\n" + _section(part, house, glances)
    descriptor = os.open(_path(journal), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _section(
    part: Part, house: Sequence[tuple[int, int]], glances: Sequence[Glance]
) -> bytes:
    numbers: dict[Any, int] = {}
    of = [numbers.setdefault(seen.course, len(numbers)) for seen in glances]
    columns = [list(column) for column in zip(*(seen[:-1] for seen in glances), strict=True)]
    body = _json({"house": list(house), "courses": list(map(course_to_json, numbers)),
                  "columns": [*columns, of] if glances else []})
    header = {"form": form(), "size": part.size, "digest": part.digest, "crc": part.crc,
              "sum": _sum(part, body)}
    return _json(header) + b"\n" + body


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def remove(journal: Path) -> None:
    """Delete what is kept, and what a broken-off writer left of it, durably."""
    path = _path(journal)
    with storage_errors(path):
        found = [p for p in (path, _temporary(path)) if p.exists()]
        for one in found:
            one.unlink(missing_ok=True)
        if found:
            sync_folder(path.parent)


@cache
def form() -> str:
    """The digest of the code that makes glances: a change of it makes what is kept worthless."""
    found = sha256(f"{FORM} {glance.FORM}".encode())
    for module in (case, course, events, glance, letter, message, moments, needs):
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()


def _path(journal: Path) -> Path:
    return journal.with_name(NAME)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
