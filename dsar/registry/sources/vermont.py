"""Vermont Secretary of State: the broker registry under 9 V.S.A. § 2446, as exported."""

from __future__ import annotations

from collections.abc import Iterator

from dsar.core.controller import Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.brokers import Slugs, broker
from dsar.registry.sources.cells import (
    country_of,
    email_contacts,
    line_of,
    lines_of,
    stated_contact,
    url_of,
)
from dsar.registry.sources.tables import rows

COLUMNS = {
    "name": r"data broker name",
    "status": r"status",
    "address": r"address",
    "email": r"email address",
    "web": r"primary internet address",
}


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each broker; one whose registration ended is of unclear status."""
    slugs = Slugs()
    for place, row in rows(raw, reading, COLUMNS):
        name, address = row["name"], lines_of(row.get("address", ""))
        contacts = email_contacts(reading, place, name, row.get("email"), str(place))
        if address:
            contacts += (stated_contact(reading, "post", address, str(place)),)
        active = line_of(row.get("status", "")).casefold() in ("active", "")
        found = broker(
            reading, slugs, place, name=name, state="US-VT", laws=("us-vt-broker",),
            web=url_of(reading, place, name, row.get("web")), contacts=contacts,
            country=country_of(address.rpartition(",")[2]),
            status="active" if active else "unclear",
        )
        if found is not None:
            yield found
