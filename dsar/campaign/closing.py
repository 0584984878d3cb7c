"""The end of a campaign: the members' data are deleted, and it is proved that they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dsar.campaign.keys import BLIND, CONTENT, SENDING
from dsar.core.campaign import Campaign
from dsar.core.campaign_events import member_stream
from dsar.errors import StorageFailed
from dsar.store import Store

BATCH = 500


class Deletable(Protocol):
    """Where the bytes lie."""

    def has(self, digest: str) -> bool:
        """Tell whether an item is there."""

    def delete(self, digest: str) -> None:
        """Remove an item; one that is not there is no error."""


@dataclass(frozen=True, kw_only=True)
class Purge:
    """What is to go: streams of members and cases, and digests of mail, mandates and letters."""

    members: tuple[str, ...]
    cases: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def proof(self) -> str:
        """SHA-256 over every stream and digest, sorted, line by line."""
        lines = sorted((*self.members, *self.cases, *self.files))
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def plan_purge(store: Store, campaign: Campaign) -> Purge:
    """Find everything of the campaign's members."""
    members = tuple(store.streams(member_stream(campaign.id, "")))
    cases = tuple(g.id for g in store.glances() if g.campaign == campaign.id)
    files = sorted({d for stream in (*members, *cases) for d in _digests(store, stream)})
    return Purge(members=members, cases=cases, files=tuple(files))


def purge(going: Purge, store: Store, archive: Deletable, keys: Path) -> None:
    """Delete it all, bytes first; run again, it finishes what broke off.

    Raises StorageFailed where something is still there afterwards.
    """
    for digest in going.files:
        archive.delete(digest)
    streams = [s for s in (*going.cases, *going.members) if store.events(s)]
    for first in range(0, len(streams), BATCH):
        store.erase(*streams[first:first + BATCH])
    for name in (SENDING, CONTENT, BLIND):
        (keys / name).unlink(missing_ok=True)
    left = [s for s in (*going.cases, *going.members) if store.events(s)]
    left += [d for d in going.files if archive.has(d)]
    if left:
        raise StorageFailed(f"{len(left)} of the members' data are still there: {left[0]}.",
                            hint="Run it again.")


def _digests(store: Store, stream: str) -> Iterator[str]:
    for kept in store.events(stream):
        digest = getattr(kept.event, "digest", "")
        if len(digest) == 64:
            yield digest
