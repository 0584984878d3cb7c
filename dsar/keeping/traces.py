"""Looks through every file of a home for texts that should stand nowhere any more."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from dsar.home import Home
from dsar.keeping.contents import items
from dsar.keeping.forget import stands_in
from dsar.store import Store
from dsar.store.archive import Archive
from dsar.store.codec import encode
from dsar.store.sealing import Locked


def traces(
    home: Home, store: Store, archive: Archive, needles: Collection[str]
) -> Iterator[str]:
    """Yield where one of the texts still stands: `case ID`, `mail DIGEST`, or a path.

    Ledger and mail are looked at as they read, not as they lie on the disk, so that neither
    encryption nor the encoding of a mail hides anything. Public lists as pulled are not
    looked at, nor are caches: those are emptied.
    """
    if not needles:
        return
    yield from _in_ledger(store, needles)
    for digest in archive.digests():
        try:
            found = stands_in(archive.read(digest), needles)
        except Locked:  # sealed for a member of a campaign
            continue
        if found:
            yield f"mail {digest[:12]}"
    for item in items(home, leave_out=(), with_secrets=True):
        if not any(map(item.path.is_relative_to, _looked_at_otherwise(home))) and _holds(
                item.path, needles):
            yield str(item.path)


def _looked_at_otherwise(home: Home) -> tuple[Path, ...]:
    return home.ledger, home.archive, home.data_folder / "registry"


def _in_ledger(store: Store, needles: Collection[str]) -> Iterator[str]:
    from dsar.core.house import STREAM

    for stream in [*(case.id for case in store.cases()), STREAM]:
        text = "\n".join(json.dumps(encode(kept.event), ensure_ascii=False)
                         for kept in store.events(stream)).casefold()
        if any(needle.casefold() in text for needle in needles):
            yield "messages that wait" if stream == STREAM else f"case {stream}"


def _holds(path: Path, needles: Collection[str]) -> bool:
    text = path.read_bytes().decode("utf-8", "replace").casefold()
    return any(needle.casefold() in text for needle in needles)
