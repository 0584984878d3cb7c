"""A registry file once read, kept as JSON lines under the hash of its bytes.

The name of a cache file is the hash of what it was read from, so it is never stale; its first
line carries the hash of the rest, so a damaged one is read from the source again. Entries are
decoded one by one when asked for: a look-up costs one line, not five thousand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSION = b"dsar registry cache 1\n"
KEPT = 6


class Entries(Mapping[str, Mapping[str, Any]]):
    """Slug → entry, in the order of the file; each decoded at its first use."""

    def __init__(self, slugs: list[str], lines: list[bytes]) -> None:
        self._lines = dict(zip(slugs, lines, strict=True))
        self._read: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, slug: str) -> Mapping[str, Any]:
        found = self._read.get(slug)
        if found is None:
            found = self._read[slug] = json.loads(self._lines[slug])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, slug: object) -> bool:
        return slug in self._lines

    def raw(self) -> Iterator[tuple[str, bytes]]:
        """Slug and undecoded line of each entry: enough to rule most out in a search."""
        return iter(self._lines.items())


def packed(entries: Mapping[str, Mapping[str, Any]]) -> Entries:
    """Return checked entries in the form the cache keeps."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return Entries(list(entries), [dump(entry).encode() for entry in entries.values()])


def key_of(raw: bytes, *, kind: str) -> str:
    """Return the name under which what was read from `raw` is kept."""
    return sha256(VERSION + kind.encode() + b"\n" + raw).hexdigest()


def load(folder: Path, key: str) -> Entries | None:
    """Return what is kept under `key`, or None where there is nothing, or it is damaged."""
    try:
        head, _, body = (folder / f"registry-{key}.jsonl").read_bytes().partition(b"\n")
        header = json.loads(head)
        if header["sha256"] != sha256(body).hexdigest():
            return None
        return Entries(header["slugs"], body.split(b"\n")[:-1])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(folder: Path, key: str, entries: Entries) -> None:
    """Keep entries under `key`; a folder that cannot be written costs speed, nothing else."""
    body = b"".join(line + b"\n" for _, line in entries.raw())
    header = {"sha256": sha256(body).hexdigest(), "slugs": list(entries)}
    target = folder / f"registry-{key}.jsonl"
    temporary = folder / f".{target.name}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(header).encode() + b"\n" + body)
        temporary.replace(target)
        _prune(folder)
    except OSError:
        with suppress(OSError):
            temporary.unlink()


def _prune(folder: Path) -> None:
    """Keep the newest few; each edit of a source leaves one behind."""
    kept = sorted(folder.glob("registry-*.jsonl"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)
