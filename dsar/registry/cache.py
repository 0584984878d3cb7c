"""A registry file once read, kept as JSON lines under the hash of its bytes.

The name of a cache file is the hash of what it was read from, so it is never stale; its first
line carries the hash of the rest, so a damaged one is read from the source again. Each line holds
what a search looks at, a tab, and the entry; entries are decoded one by one when asked for, so a
look-up costs one line, not five thousand.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSION = b"dsar registry cache 2\n"
KEPT = 6
SEARCHED = ("legal_entity", "brands", "aliases", "web", "reply_domains")


class Entries(Mapping[str, Mapping[str, Any]]):
    """Slug → entry, in the order of the file; each decoded at its first use."""

    def __init__(self, slugs: list[str], lines: list[bytes]) -> None:
        self._lines = dict(zip(slugs, lines, strict=True))
        self._read: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, slug: str) -> Mapping[str, Any]:
        found = self._read.get(slug)
        if found is None:
            found = self._read[slug] = json.loads(self._lines[slug].partition(b"\t")[2])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, slug: object) -> bool:
        return slug in self._lines

    def searched(self) -> Iterator[tuple[str, bytes]]:
        """Slug and searched text (UTF-8) of each entry, in order, without decoding the entry."""
        return ((slug, line.partition(b"\t")[0]) for slug, line in self._lines.items())

    def raw(self) -> Iterator[bytes]:
        """The lines as they are kept."""
        return iter(self._lines.values())


def packed(entries: Mapping[str, Mapping[str, Any]]) -> Entries:
    """Return checked entries in the form the cache keeps."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines = [f"{searched_text(slug, entry)}\t{dump(entry)}".encode()
             for slug, entry in entries.items()]
    return Entries(list(entries), lines)


def searched_text(slug: str, entry: Mapping[str, Any]) -> str:
    """Return slug and name, then all else one may search by, folded and parted by `|`."""
    found = [f"{slug} {entry.get('name', '')}"]
    for key in SEARCHED:
        value = entry.get(key, ())
        found += map(str, value) if isinstance(value, list) else [str(value)] if value else []
    found += [str(c["value"]) for c in entry.get("contacts", ()) if c["kind"] != "post"]
    return folded("|".join(found))


def folded(text: str) -> str:
    """Return text as it is compared: no case, no accents, no compatibility forms."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


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
    body = b"".join(line + b"\n" for line in entries.raw())
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
