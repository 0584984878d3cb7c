"""The end of a campaign: the members' data are deleted, and it is proved that they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from dsar.campaign.keys import BLIND, CONTENT, SENDING
from dsar.core.campaign import Campaign
from dsar.core.campaign_events import WaveProposed, campaign_stream, member_stream
from dsar.core.house import STREAM, HouseEvent, MessageAssigned, MessageSetAside, forget
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


def plan_purge(store: Store, campaign: Campaign, code: str = "") -> Purge:
    """Find everything of the campaign's members, or of the one with this code.

    A message that also belongs to a case that stays, of whomever, stays for that case.
    """
    members = tuple(s for s in store.streams(member_stream(campaign.id, ""))
                    if code in ("", s.rpartition("/")[2]))
    cases = tuple(g.id for g in store.glances()
                  if g.campaign == campaign.id and code in ("", g.subject_id))
    going = {*members, *cases}
    files = {d for stream in going for d in _digests(r.event for r in store.events(stream))}
    house = [cast(HouseEvent, r.event) for r in store.events(STREAM)]
    left = _house_left(house, cases)
    files |= set(_digests(house)) - set(_digests(left))
    for stream, recorded in store.history():
        if stream not in going and stream != STREAM:
            files.difference_update(_digests(r.event for r in recorded))
    files.difference_update(_digests(left))
    if not code:
        files |= {e.digest for e in _of_campaign(store, campaign) if isinstance(e, WaveProposed)}
    return Purge(members=members, cases=cases, files=tuple(sorted(files)))


def purge(going: Purge, store: Store, archive: Deletable, keys: Path | None) -> None:
    """Delete it all, bytes first; run again, it finishes what broke off.

    keys: where the campaign's keys lie, or None where they are still needed. Raises
    StorageFailed where something is still there afterwards.
    """
    for digest in going.files:
        archive.delete(digest)
    streams = [s for s in (*going.cases, *going.members) if store.events(s)]
    for first in range(0, len(streams), BATCH):
        store.erase(*streams[first:first + BATCH])
    for name in (SENDING, CONTENT, BLIND):
        if keys is not None:
            (keys / name).unlink(missing_ok=True)
    left = [s for s in (*going.cases, *going.members) if store.events(s)]
    left += [d for d in going.files if archive.has(d)]
    if left:
        raise StorageFailed(f"{len(left)} of the members' data are still there: {left[0]}.",
                            hint="Run it again.")


def _of_campaign(store: Store, campaign: Campaign) -> Iterator[object]:
    return (r.event for r in store.events(campaign_stream(campaign.id)))


def _house_left(house: list[HouseEvent], cases: Iterable[str]) -> list[HouseEvent]:
    """The house events as they stand once these cases are erased, one after another."""
    for case_id in cases:
        if any(isinstance(e, MessageSetAside | MessageAssigned) for e in house):
            house = [event for event in forget(house, case_id) if event is not None]
    return house


def _digests(events: Iterable[object]) -> Iterator[str]:
    for event in events:
        digest = getattr(event, "digest", "")
        if len(digest) == 64:
            yield digest
