"""tombstones.json: what is left of forgotten requests, so that none goes out twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from dsar.core.case import Case
from dsar.core.taken import company_keys, person_keys
from dsar.core.tombstone import Tombstones, hashes
from dsar.errors import StorageFailed
from dsar.home import write_private

SCHEMA = "dsar.tombstones/1"


def load_tombstones(path: Path) -> Tombstones:
    """Return the tombstones of a home; raises StorageFailed for a file that is wrong.

    A rail that cannot be read must not be taken for one that lets everything pass.
    """
    try:
        found = json.loads(path.read_bytes())
        if found["schema"] != SCHEMA:
            raise ValueError(found["schema"])
        dates = {str(key): date.fromisoformat(day) for key, day in found["dates"].items()}
        return Tombstones(salt=bytes.fromhex(found["salt"]), dates=dates)
    except FileNotFoundError:
        return Tombstones()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StorageFailed(f"{path}: cannot be read.",
                            hint="Restore it from a backup, or delete it to forget it all."
                            ) from None


def raise_tombstones(
    path: Path, cases: Iterable[Case], addresses: dict[str, str], *, today: date
) -> None:
    """Add tombstones of the cases whose letters may have left. Raises StorageFailed.

    addresses: person id → mail address, where known. The cool-down of a closed case runs from
    its end, that of an open one from today: until now it was held back without end.
    """
    old = load_tombstones(path)
    salt, dates = old.salt or os.urandom(32), dict(old.dates)
    for case in cases:
        if not case.attempts and not case.letters:
            continue
        day = case.closed.on if case.closed else today
        facts = case.facts
        people = person_keys(facts.subject_id, addresses.get(facts.subject_id))
        for key in hashes(salt, people, facts.right, company_keys(case)):
            dates[key] = max(day, dates.get(key, day))
    if dates == old.dates:
        return
    listed = {key: day.isoformat() for key, day in sorted(dates.items())}
    content = {"schema": SCHEMA, "salt": salt.hex(), "dates": listed}
    write_private(path, json.dumps(content, indent=1).encode())
