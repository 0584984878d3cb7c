"""Brings what is kept beside the journal up to it: a section more, or all of them anew."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import accumulate

from dsar.core.glance import Glance
from dsar.core.house import STREAM
from dsar.errors import DsarError
from dsar.store import sidecar
from dsar.store.journal import Journal
from dsar.store.lines import Lines, crc_in
from dsar.store.rules import is_case
from dsar.store.sealing import has_sealed
from dsar.store.sidecar import Kept, Part, read, remove, write

FEWEST_LINES = 2000
"""A journal with fewer is folded before one notices; nothing is kept beside it."""
SHARE = 16
"""Sections are added while what they say, and what they reflect, is less than one in so many."""
_LINES_AT_ONCE = 4096


def glances(
    lines: Lines, old: Kept | None, glance_of: Callable[[str], Glance]
) -> list[Glance]:
    """Return the glances of a whole journal: those of `old`, where it reflects how it begins.

    glance_of: makes the glance of a case; asked for those that `old` lacks or that went on.
    """
    upto = _reflected(lines, old.parts) if old else 0
    known = {seen.id: seen for seen in old.glances} if old and upto else {}
    for stream in lines.streams_after(upto):
        known.pop(stream, None)
    return [known.get(s) or glance_of(s) for s in lines.streams() if is_case(s)]


def _reflected(lines: Lines, parts: Sequence[Part]) -> int:
    """How many lines the parts are made of; 0 where they are no beginning of this journal."""
    ends, begin = list(accumulate(len(line) + 1 for line in lines.all)), 0
    for part in parts:
        end = bisect_left(ends, part.size) + 1
        if end > len(ends) or ends[end - 1] != part.size or (
                _digest_of(lines.all[begin:end]) != part.digest):
            return 0
        begin = end
    return begin


def _digest_of(lines: Sequence[bytes]) -> str:
    """Return the digest of lines with their line breaks."""
    found = sha256()
    for begin in range(0, len(lines), _LINES_AT_ONCE):
        found.update(b"\n".join([*lines[begin:begin + _LINES_AT_ONCE], b""]))
    return found.hexdigest()


def _houses(lines: Lines, begin: int, offset: int) -> list[tuple[int, int]]:
    """Return offset and length of the house's lines from index `begin`, which is at `offset`."""
    places, numbers = [], set(lines.of(STREAM)[0])
    for number, line in enumerate(lines.all[begin:], start=begin + 1):
        if number in numbers:
            places.append((offset, len(line)))
        offset += len(line) + 1
    return places


def renew(journal: Journal, glance_of: Callable[[str], Glance]) -> None:
    """Bring what is kept up to the journal, or remove it; never fails, since it is for speed."""
    path, lines = journal.path, journal.lines
    try:
        if len(lines.all) < FEWEST_LINES or has_sealed(lines.all):
            remove(path)
        elif not _added(journal, sidecar.sections(path) or [], glance_of):
            part = Part(journal.size, _digest_of(lines.all), crc_in(lines.all[-1]))
            found = glances(lines, read(path), glance_of)
            write(path, Kept([part], _houses(lines, 0, 0), found))
    except (DsarError, OSError, ValueError) as error:
        logging.getLogger("dsar.store").debug("%s: nothing is kept beside it: %s", path, error)
        with suppress(DsarError):
            remove(path)


def _added(
    journal: Journal, kept: Sequence[tuple[Part, bytes]], glance_of: Callable[[str], Glance]
) -> bool:
    """Add a section for what is new in the journal; False where all have to be written anew.

    That the sections fit is taken from one checksum, which goes back to the first line: whoever
    reads compares the digests.
    """
    begin = _lines_before(journal, kept[-1][0]) if kept else None
    if begin is None:
        return False
    lines, (last, _) = journal.lines, kept[-1]
    if begin == len(lines.all):
        return True
    if _is_much(journal, kept):
        return False
    part = Part(journal.size, _digest_of(lines.all[begin:]), crc_in(lines.all[-1]))
    found = [glance_of(s) for s in lines.streams_after(begin) if is_case(s)]
    sidecar.add(journal.path, part, _houses(lines, begin, last.size), found)
    return True


def _is_much(journal: Journal, kept: Sequence[tuple[Part, bytes]]) -> bool:
    """Whether what was added since the first section slows readers down by too much."""
    (first, whole), *later = kept
    return ((journal.size - first.size) * SHARE > first.size
            or sum(len(body) for _, body in later) * SHARE > len(whole))


def _lines_before(journal: Journal, part: Part) -> int | None:
    """How many lines stand before the end of a part, or None where it ends otherwise."""
    lines, offset = journal.lines.all, journal.size
    for count in range(len(lines), 0, -1):
        if offset <= part.size:
            return count if offset == part.size and crc_in(lines[count - 1]) == part.crc else None
        offset -= len(lines[count - 1]) + 1
    return None
