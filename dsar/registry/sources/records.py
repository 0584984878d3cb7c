"""JSON records of the lists kept on GitHub: one file, or the tarball of a repository."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

from dsar.errors import FileProblems, Problem
from dsar.registry.sources import Reading

MAX_UNPACKED = 256 * 1024 * 1024
MAX_MEMBER = 4 * 1024 * 1024


def records(
    raw: bytes, reading: Reading, folders: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number (1-based) and record of each mapping; anything else is refused.

    raw: a JSON list or mapping, plain or gzipped, or a tarball whose files below `folders` are
    such. Raises FileProblems for what is none of these.
    """
    number = 0
    for text in _documents(raw, reading, folders):
        for record in text if isinstance(text, list) else [text]:
            number += 1
            reading.records += 1
            if isinstance(record, dict):
                yield number, record
            else:
                reading.refuse(number, "", "is no mapping of keys and values")


def _documents(raw: bytes, reading: Reading, folders: tuple[str, ...]) -> Iterator[Any]:
    plain = _unpacked(raw, reading)
    if plain[257:262] != b"ustar":
        yield parsed(plain, reading)
        return
    for name, content in _members(plain, reading, folders):
        try:
            yield parsed(content, reading)
        except FileProblems as error:
            reading.records += 1
            reading.refuse(0, name, error.problems[0].message)


def parsed(content: bytes, reading: Reading) -> Any:
    """Return the JSON value; raises FileProblems with a place."""
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileProblems([Problem(reading.source, line, "is not UTF-8")]) from None
    except json.JSONDecodeError as error:
        problem = Problem(reading.source, error.lineno, f"is not JSON: {error.msg}")
        raise FileProblems([problem]) from None
    except (RecursionError, ValueError):
        problem = Problem(reading.source, 1, "is nested too deeply, or holds an endless number")
        raise FileProblems([problem]) from None


def _unpacked(raw: bytes, reading: Reading) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            plain = packed.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        problem = Problem(reading.source, 1, f"cannot be unpacked: {error}")
        raise FileProblems([problem]) from None
    if len(plain) > MAX_UNPACKED:
        problem = Problem(reading.source, 1, f"is larger than {MAX_UNPACKED} bytes unpacked")
        raise FileProblems([problem])
    return plain


def _members(
    plain: bytes, reading: Reading, folders: tuple[str, ...]
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the JSON files in `folders`, sorted; nothing is written to disk."""
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            wanted = sorted((m for m in tar if _is_wanted(m, folders)), key=lambda m: m.name)
            for member in wanted:
                file = tar.extractfile(member)
                if file is not None and member.size <= MAX_MEMBER:
                    yield member.name, file.read()
                else:
                    reading.records += 1
                    reading.refuse(0, member.name, "file is too large")
    except tarfile.TarError as error:
        problem = Problem(reading.source, 1, f"cannot be unpacked: {error}")
        raise FileProblems([problem]) from None


def _is_wanted(member: tarfile.TarInfo, folders: tuple[str, ...]) -> bool:
    """The first part of a name is the repository and its revision."""
    inner = member.name.partition("/")[2]
    return member.isfile() and inner.endswith(".json") and inner.startswith(folders)
