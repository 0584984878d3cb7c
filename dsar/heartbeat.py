"""When mail was last fetched with success, and what the person was told of: a cache.

Losing the file costs a repeated notice. What was told is kept as hashes, so that nothing of a
case stays here when it is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dsar.home import write_private


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """last_ok: when every account was last read. noticed: hashes of lines told already."""

    last_ok: datetime | None = None
    noticed: frozenset[str] = frozenset()

    def fresh(self, lines: Iterable[str]) -> list[str]:
        """The lines that the person was not told of yet."""
        return sorted(line for line in lines if _hash(line) not in self.noticed)


def load_heartbeat(path: Path) -> Heartbeat:
    """Read the file; one that is missing or unreadable counts as empty."""
    try:
        found = json.loads(path.read_bytes())
        last = found.get("last_ok")
        return Heartbeat(last_ok=datetime.fromisoformat(last) if last else None,
                         noticed=frozenset(map(str, found.get("noticed", ()))))
    except (OSError, ValueError, AttributeError, TypeError):
        return Heartbeat()


def note_success(path: Path, at: datetime, *, durable: bool = True) -> None:
    """Record that every account was read. Raises StorageFailed.

    durable: wait for the disk; not needed where nothing else hangs on it.
    """
    _save(path, replace(load_heartbeat(path), last_ok=at), durable=durable)


def note_told(path: Path, lines: Iterable[str]) -> None:
    """Record what needs the person now and was told; what needs nobody any more is dropped."""
    told = frozenset(map(_hash, lines))
    _save(path, replace(load_heartbeat(path), noticed=told))


def _save(path: Path, beat: Heartbeat, *, durable: bool = True) -> None:
    content = {"last_ok": beat.last_ok.isoformat() if beat.last_ok else None,
               "noticed": sorted(beat.noticed)}
    write_private(path, json.dumps(content, indent=1).encode(), durable=durable)


def _hash(line: str) -> str:
    return sha256(line.encode()).hexdigest()[:20]
