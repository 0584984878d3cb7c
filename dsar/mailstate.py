"""How far each mailbox was read, when, and what could not be: a cache beside the ledger.

Losing it costs a rescan, which finds again whatever is not dealt with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsar.home import write_private
from dsar.mail import Coordinates, Cursor

if TYPE_CHECKING:
    from dsar.report.terminal import Poll

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=4), timedelta(days=1))
"""How long to wait after each failure; after the last of them comes the quarantine."""


FILES = ""
"""In place of an account: the message lies in a file, which stands in place of the mailbox.

Its UID is the number in an mbox, 0 where it is alone. A file is never read by itself.
"""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A message that could not be dealt with: where it lies, how often it was tried, and why.

    next_at: when it is tried again; None: it is in quarantine and waits for a person, as what
    lies in a file does from the beginning.
    Nothing of its content is kept.
    """

    where: Coordinates
    why: str
    attempts: int
    since: datetime
    next_at: datetime | None
    received: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be tried again."""
        return self.next_at is not None and self.next_at <= now


@dataclass
class MailState:
    """The cursors by (account, mailbox) and the troubles by where the message lies.

    rests_at: the mark of ledger and config.yaml under which no letter was in doubt, no account
    paused and no mailbox gone, or empty: as long as they bear it, new mail alone gives a poll
    something to do.
    """

    cursors: dict[tuple[str, str], Cursor] = field(default_factory=dict)
    troubles: dict[Coordinates, Trouble] = field(default_factory=dict)
    rests_at: str = ""

    def failed(self, where: Coordinates, why: str, *, now: datetime,
               received: datetime | None = None) -> Trouble:
        """Note a failure and when to try again."""
        known = self.troubles.get(where)
        attempts = known.attempts + 1 if known else 1
        by_itself = where.account != FILES and attempts <= len(RETRY_AFTER)
        wait = RETRY_AFTER[attempts - 1] if by_itself else None
        self.troubles[where] = Trouble(
            where=where, why=why[:300], attempts=attempts, since=known.since if known else now,
            next_at=now + wait if wait else None,
            received=received or (known.received if known else None))
        return self.troubles[where]

    def due(self, account: str, mailbox: str, now: datetime) -> list[Coordinates]:
        """What of a mailbox is to be tried again now."""
        return [t.where for t in self.troubles.values() if t.is_due(now)
                and (t.where.account, t.where.mailbox) == (account, mailbox)]

    def forget_others(self, account: str, mailbox: str, validity: int) -> None:
        """Drop the troubles of a mailbox that was made anew: it is read from the start."""
        self.troubles = {w: t for w, t in self.troubles.items() if w.uidvalidity == validity
                         or (w.account, w.mailbox) != (account, mailbox)}

    def hurry(self, now: datetime) -> None:
        """Everything is tried again now, what is in quarantine, too."""
        self.troubles = {w: t if w.account == FILES else replace(t, next_at=now)
                         for w, t in self.troubles.items()}

    def forget_removed_files(self) -> None:
        """Drop the troubles of files that are no longer there: the person has decided."""
        self.troubles = {w: t for w, t in self.troubles.items()
                         if w.account != FILES or Path(w.mailbox).exists()}


def load_state(path: Path) -> MailState:
    """Return what is known; what is unreadable counts as unknown."""
    found = _read(path)
    state = MailState()
    cursors = found.get("cursors", {})
    for key, value in cursors.items() if isinstance(cursors, dict) else ():
        account, _, mailbox = str(key).partition("/")
        if isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value):
            state.cursors[account, mailbox] = Cursor(uidvalidity=value[0], last_uid=value[1])
    for row in _listed(found.get("troubles")):
        try:
            trouble = _trouble(row)
        except (KeyError, TypeError, ValueError):  # the cursor may be past it: read all again
            return MailState()
        state.troubles[trouble.where] = trouble
    state.rests_at = str(found.get("rests_at", ""))
    return state


def save_state(
    path: Path, state: MailState, *, at: str, result: str, durable: bool = True
) -> None:
    """Write it with the time and result of this poll. Raises StorageFailed.

    durable: wait for the disk; not needed where only the time is another.
    """
    _write(path, state, {"at": at, "result": result}, durable=durable)


def save_troubles(path: Path, state: MailState) -> None:
    """Write it where no mail was fetched: the last poll stays. Raises StorageFailed."""
    _write(path, state, _read(path).get("last_poll"), durable=True)


def _write(path: Path, state: MailState, last: Any, *, durable: bool) -> None:
    content = {
        "cursors": {f"{account}/{mailbox}": [c.uidvalidity, c.last_uid]
                    for (account, mailbox), c in state.cursors.items()},
        "troubles": [_row(each) for each in state.troubles.values()],
        "last_poll": last,
        "rests_at": state.rests_at,
    }
    write_private(path, json.dumps(content, indent=1).encode(), durable=durable)


def last_poll(path: Path) -> Poll | None:
    """When mail was last fetched, and how that went; None for never."""
    from dsar.report.terminal import Poll

    found = _read(path).get("last_poll")
    if not isinstance(found, dict):
        return None
    return Poll(at=str(found.get("at", "")), result=str(found.get("result", "")))


def quarantined(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Those that are not tried again by themselves."""
    return [each for each in troubles if each.next_at is None]


def named(where: Coordinates) -> str:
    """Where a message lies, for scripts: the mailbox, or the file with the number in it."""
    numbered = where.account == FILES and where.uid
    return f"{where.mailbox}#{where.uid}" if numbered else where.mailbox


def placed(where: Coordinates) -> str:
    """Where a message lies, for people."""
    if where.account != FILES:
        return f"{where.account}, {where.mailbox}, UID {where.uid}"
    return f"{where.mailbox}, message {where.uid}" if where.uid else where.mailbox


def _row(trouble: Trouble) -> dict[str, Any]:
    where = trouble.where
    return {
        "account": where.account, "mailbox": where.mailbox, "uidvalidity": where.uidvalidity,
        "uid": where.uid, "why": trouble.why, "attempts": trouble.attempts,
        "since": trouble.since.isoformat(), "next_at": _text(trouble.next_at),
        "received": _text(trouble.received),
    }


def _trouble(row: Mapping[str, Any]) -> Trouble:
    return Trouble(
        where=Coordinates(account=str(row["account"]), mailbox=str(row["mailbox"]),
                          uidvalidity=int(row["uidvalidity"]), uid=int(row["uid"])),
        why=str(row["why"]), attempts=int(row["attempts"]),
        since=datetime.fromisoformat(row["since"]), next_at=_instant(row["next_at"]),
        received=_instant(row["received"]))


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _listed(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
