"""What belongs to a home, and under which names it stands in a backup."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from dsar.errors import LedgerDamaged
from dsar.home import Home
from dsar.store.lines import BadLine, Lines

CONFIG, DATA = "config", "data"
LEDGER = f"{DATA}/ledger/ledger.jsonl"
MANIFEST = "manifest.json"
_OF_CONFIG = {"config.yaml", "people.yaml", "companies.local.yaml", "templates"}
_SECRET_FOLDERS = {"secrets", "tokens"}
# Locks, glances kept for speed, the half-written file of a run that broke off, what it left.
_PASSING = re.compile(r".*\.lock|\..+\.\d+|\.arriving-.*|.+\.jsonl\.new|\.verified"
                      r"|ledger\.glances(\.new)?")


@dataclass(frozen=True)
class Item:
    """A file of the home and its name in a backup: `config/…` or `data/…`."""

    name: str
    path: Path


@dataclass
class Manifest:
    """Per name the size in bytes and the SHA-256 of what was backed up."""

    taken_at: str
    files: dict[str, tuple[int, str]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The manifest as JSON."""
        return json.dumps({"schema": "dsar.backup/1", "taken_at": self.taken_at,
                           "files": self.files}, indent=1).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Manifest:
        """Read a manifest; raises ValueError, KeyError or TypeError for anything else."""
        found: dict[str, Any] = json.loads(raw)
        files = {str(n): (int(size), str(digest)) for n, (size, digest) in found["files"].items()}
        return cls(str(found["taken_at"]), files)


def items(home: Home, *, leave_out: Collection[Path], with_secrets: bool) -> list[Item]:
    """Return every file that belongs to the home, sorted by name, the ledger first.

    The ledger names the mail, and mail is archived before the ledger names it: read in this
    order, the copy holds all the mail its ledger speaks of. Caches, locks and remains of runs
    that broke off do not belong to a home; files of `leave_out` and secrets stay out.
    """
    left_out = {p.resolve() for p in leave_out}
    found = {item.name: item for root in _roots(home) for item in _below(root, home)
             if item.path.resolve() not in left_out
             and (with_secrets or not _SECRET_FOLDERS & set(PurePosixPath(item.name).parts))}
    return sorted(found.values(), key=lambda item: (item.name != LEDGER, item.name))


def is_empty(home: Home) -> bool:
    """Whether there is nothing in the home that a restore could overwrite."""
    return not any(True for root in _roots(home) for _ in _below(root, home))


def place(home: Home, name: str) -> tuple[Path, PurePosixPath]:
    """Return the root and the path below it for a name in a backup; raises ValueError."""
    top, *rest = name.split("/")
    if top not in (CONFIG, DATA) or not rest or any(p in ("", ".", "..") for p in rest) or (
            "\0" in name):
        raise ValueError(f"{name[:80]!r} is no name of a file in a backup")
    root = home.config_folder if top == CONFIG else home.data_folder
    return root, PurePosixPath(*rest)


def _roots(home: Home) -> list[Path]:
    return list(dict.fromkeys((home.config_folder, home.data_folder)))


def _below(root: Path, home: Home) -> Iterator[Item]:
    cache = home.cache_folder.resolve()
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(f for f in folders if (here / f).resolve() != cache)
        if here != root and here in _roots(home):
            folders.clear()  # one root inside the other is walked by itself
            continue
        for name in sorted(names):
            path = here / name
            if not _PASSING.fullmatch(name) and path.is_file():
                below = path.relative_to(root)
                yield Item(f"{_top(root, below, home)}/{below.as_posix()}", path)


def _top(root: Path, below: Path, home: Home) -> str:
    if home.config_folder == home.data_folder:
        return CONFIG if below.parts[0] in _OF_CONFIG else DATA
    return CONFIG if root == home.config_folder else DATA


def whole_lines(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of the acknowledged part of a journal: its whole, chained batches.

    A writer may be at work: what it adds meanwhile is not looked at. Memory stays flat.
    Raises LedgerDamaged with the line.
    """
    lines, size, digest, batch = Lines(), 0, sha256(), list[bytes]()
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                lines.add(line[:-1])
            except BadLine as error:
                raise LedgerDamaged(f"{path}:{number}: {error}.") from None
            lines.all.clear()  # only the chain is of interest here
            batch.append(line)
            if not lines.more:
                whole = b"".join(batch)
                size += len(whole)
                digest.update(whole)
                batch.clear()
    return size, digest.hexdigest()
