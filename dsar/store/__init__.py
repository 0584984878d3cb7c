"""Where the events live: the protocol every store keeps, and the way to open one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dsar.core.campaign_events import CampaignEvent, MemberEvent
from dsar.core.case import Case, CaseEvent
from dsar.core.glance import Glance
from dsar.core.house import House, HouseEvent
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.store.sealing import Sealer

Event = CaseEvent | HouseEvent | CampaignEvent | MemberEvent


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event as kept: its number in the stream (from 1), when it was recorded (UTC)."""

    sequence: int
    recorded_at: datetime
    author: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class Addition:
    """Events for one stream; after: how many events of the stream the caller has seen."""

    stream: str
    events: Sequence[Event]
    after: int


class Store(Protocol):
    """Where the events live; `tests/store/` holds the contract every store keeps.

    The name of a stream decides what may stand in it (`dsar.store.rules`): `house.STREAM`,
    `campaign/<id>`, `member/<id>/<code>`, and any other is the id of a case.
    """

    def cases(self) -> Iterator[Case]:
        """Yield the folded cases, in the order they were opened, as they stood at the start.

        Not all are held at once; what is appended meanwhile may not be seen.
        """

    def glances(self) -> Iterator[Glance]:
        """Yield `dsar.core.glance.glance` of each of `cases`, in their order.

        A store may keep them for speed, where they can be made anew at any time.
        """

    def case(self, case_id: str) -> Case:
        """Return one folded case; raises UnknownCase."""

    def events(self, stream: str) -> Sequence[Recorded]:
        """Return the events of a case or any other stream, in order; perhaps none."""

    def streams(self, prefix: str = "") -> Iterator[str]:
        """Yield the streams whose names begin so: the house, then in the order they began."""

    def history(self, prefix: str = "") -> Iterator[tuple[str, Sequence[Recorded]]]:
        """Yield each of `streams` with its events, as they stood at the start."""

    def house(self) -> House:
        """Return the fold of the house events."""

    def append(self, stream: str, events: Sequence[Event], *, after: int) -> None:
        """Add all of `events`, or none of them, durably before returning.

        after: how many events of the stream the caller has seen. Raises ConcurrentAppend
        when the stream has another number by now, so that two writers never interleave,
        StorageFailed when nothing could be written, and ValueError for events that do not
        belong into the stream: a case begins with its one CaseOpened, which stays.
        """

    def append_all(self, additions: Iterable[Addition]) -> None:
        """Add to many streams, no stream twice, as `append` does: everything or nothing."""

    def adopt(self, history: Iterable[tuple[str, Sequence[Recorded]]]) -> None:
        """Fill an empty store with what another one's `history` yields, everything or nothing.

        Number, time and author of each event stay as they are. Only for a copy and a restore.
        Raises StoreNotEmpty, and ValueError for what no store can have recorded.
        """

    def erase(self, *streams: str) -> None:
        """Remove cases, campaigns, members with all their events, or nothing: the only deletion.

        House events that name a case go or forget its name, and are counted anew; the numbers
        of other streams stay. Raises UnknownCase for a stream without events and for the house.
        Their mail is the archive's: delete the digests first.
        """

    def close(self) -> None:
        """Release the lock and the files."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_store(
    url: str, *, write: bool, now: Callable[[], datetime] = _utc_now, author: str = "dsar",
    sealer: Sealer | None = None,
) -> Store:
    """Open the store at `url` (`tinydb:/path/to/folder` or `memory:`).

    write: takes the one writer's lock; raises AnotherAtWork when another process has it.
    now: an aware instant, asked at each append. author: who records, kept with each event.
    sealer: has the key of an encrypted home.
    Raises UsageProblem for an unknown scheme, LedgerDamaged for an unreadable ledger,
    StorageFailed when the folder cannot be used.
    """
    scheme, _, rest = url.partition(":")
    match scheme:
        case "tinydb":
            from dsar.store.tiny import TinyStore

            return TinyStore(Path(rest), write=write, now=now, author=author, sealer=sealer)
        case "postgresql" | "postgres":
            return _postgres(url, write=write, now=now, author=author, sealer=sealer)
        case "memory":
            from dsar.store.memory import MemoryStore

            return MemoryStore(now=now, author=author)
        case _:
            raise UsageProblem(f"{scheme}: is no kind of store.",
                               hint="Use tinydb:/a/folder or postgresql://user@host/database.")


def _postgres(
    url: str, *, write: bool, now: Callable[[], datetime], author: str, sealer: Sealer | None
) -> Store:
    """Open the ledger in a database. Raises UsageProblem where its driver is not installed."""
    if sealer is not None:
        raise UsageProblem("A ledger in PostgreSQL is not encrypted with a passphrase.",
                           hint="`dsar passphrase remove`, and encrypt the disk of the server.")
    try:
        from dsar.store.postgres import PostgresStore
    except ImportError:
        raise UsageProblem("The driver for PostgreSQL is not installed.",
                           hint="pip install 'dsar-cli[postgres]'") from None
    return PostgresStore(url, write=write, now=now, author=author)
