"""A ledger from one kind of store into another: copied, then compared event by event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from dsar.errors import StorageFailed
from dsar.store import Recorded, Store


@dataclass(frozen=True, kw_only=True)
class Copied:
    """How much was copied, and compared."""

    streams: int
    events: int


def copy_ledger(source: Store, target: Store) -> Copied:
    """Copy every event with its number, time and author into an empty store, all or nothing.

    The mail stays in its archive, which both ledgers name by digests. Nobody may write into
    the source meanwhile. Raises StoreNotEmpty, and StorageFailed where the two differ afterwards:
    then the target is not to be used.
    """
    target.adopt(source.history())
    return compare_ledgers(source, target)


def compare_ledgers(one: Store, other: Store) -> Copied:
    """Compare every stream, event, number, time and author; raises StorageFailed."""
    streams = events = 0
    for mine, theirs in zip_longest(_history(one), _history(other), fillvalue=("", ())):
        if mine != theirs:
            raise StorageFailed(
                f"{mine[0] or theirs[0]}: {_difference(mine, theirs)}.",
                hint="Do not use the copy. Stop every other dsar, then copy into a new place.")
        streams, events = streams + 1, events + len(mine[1])
    return Copied(streams=streams, events=events)


def _history(store: Store) -> Iterator[tuple[str, tuple[Recorded, ...]]]:
    return ((stream, tuple(kept)) for stream, kept in store.history())


def _difference(
    mine: tuple[str, Sequence[Recorded]], theirs: tuple[str, Sequence[Recorded]]
) -> str:
    if mine[0] != theirs[0]:
        return "stands in one of the two ledgers only, or elsewhere"
    pairs = zip_longest(mine[1], theirs[1])
    number = next(n for n, (a, b) in enumerate(pairs, start=1) if a != b)
    return f"event {number} is another one in the copy"
