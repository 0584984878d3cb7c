"""Oregon, Division of Financial Regulation: the broker registry (ORS 646A.593), as exported.

It states neither an address to write to nor a web site: an entry says that the broker is
registered, and can only be merged where another list names the same legal entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsar.core.controller import Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.brokers import Slugs, broker
from dsar.registry.sources.cells import line_of
from dsar.registry.sources.tables import rows

COLUMNS = {
    "name": r"full name",
    "dba": r"doing business as",
    "status": r"license status name",
    "town": r"addr line 4",
}
_US_TOWN = re.compile(r".* [A-Z]{2} +[0-9]{5}(-[0-9]{4})?")


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each licence; a quoted line is read like the others."""
    slugs = Slugs()
    for place, row in rows(raw, reading, COLUMNS, delimiter="|"):
        active = line_of(row.get("status", "")).casefold() == "active"
        found = broker(
            reading, slugs, place, name=row["name"], state="US-OR", laws=("us-or-broker",),
            dba=row.get("dba", ""),
            country="US" if _US_TOWN.fullmatch(row.get("town", "").strip()) else None,
            status="active" if active else "unclear",
        )
        if found is not None:
            yield found
