"""How far each mailbox was read, and when: a cache beside the ledger; losing it costs a rescan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsar.home import write_private
from dsar.mail import Cursor
from dsar.report.terminal import Poll


def load_cursors(path: Path) -> dict[tuple[str, str], Cursor]:
    """Return the cursors by (account, mailbox); an unreadable file counts as none."""
    found = _read(path).get("cursors", {})
    cursors: dict[tuple[str, str], Cursor] = {}
    for key, value in found.items() if isinstance(found, dict) else ():
        account, _, mailbox = str(key).partition("/")
        if isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value):
            cursors[account, mailbox] = Cursor(uidvalidity=value[0], last_uid=value[1])
    return cursors


def save_cursors(path: Path, cursors: Mapping[tuple[str, str], Cursor], *, at: str, result: str
                 ) -> None:
    """Write the cursors with the time and result of this poll. Raises StorageFailed."""
    listed = {f"{account}/{mailbox}": [c.uidvalidity, c.last_uid]
              for (account, mailbox), c in cursors.items()}
    content = {"cursors": listed, "last_poll": {"at": at, "result": result}}
    write_private(path, json.dumps(content, indent=1).encode())


def last_poll(path: Path) -> Poll | None:
    """When mail was last fetched, and how that went; None for never."""
    found = _read(path).get("last_poll")
    if not isinstance(found, dict):
        return None
    return Poll(at=str(found.get("at", "")), result=str(found.get("result", "")))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
