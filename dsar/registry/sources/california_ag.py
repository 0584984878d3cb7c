"""California Attorney General: the broker registry kept until 2023, as downloaded from its page."""

from __future__ import annotations

from collections.abc import Iterator

from dsar.core.controller import Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.brokers import Slugs, broker
from dsar.registry.sources.cells import (
    country_of,
    email_contacts,
    lines_of,
    stated_contact,
    url_of,
)
from dsar.registry.sources.tables import rows

COLUMNS = {
    "name": r"data broker name",
    "email": r"email address",
    "web": r"website url",
    "address": r"physical address",
}


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each registered broker; "[at]" is read as @."""
    slugs = Slugs()
    for place, row in rows(raw, reading, COLUMNS):
        name, address = row["name"], lines_of(row.get("address", ""))
        contacts = email_contacts(reading, place, name, row.get("email"), str(place))
        if address:
            contacts += (stated_contact(reading, "post", address, str(place)),)
        found = broker(
            reading, slugs, place, name=name, state="US-CA", laws=("us-ca-ccpa",),
            web=url_of(reading, place, name, row.get("web")), contacts=contacts,
            country=country_of(address.rpartition(",")[2]),
        )
        if found is not None:
            yield found
