"""California Privacy Protection Agency: the registry under Civil Code § 1798.99.80 ff.

The layouts of 2025 (two lines of headings) and 2026 are both read, by their labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsar.core.controller import Contact, Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.brokers import Slugs, broker
from dsar.registry.sources.cells import (
    country_of,
    email_contacts,
    line_of,
    lines_of,
    stated_contact,
    url_of,
    zip_code,
)
from dsar.registry.sources.tables import rows

COLUMNS = {
    "name": r"data broker name",
    "dba": r"doing business as.*",
    "web": r"data broker primary website",
    "email": r"data broker primary contact email address",
    "street": r"data broker primary street address",
    "city": r"data broker city",
    "state": r"data broker state",
    "zip": r"data broker zip code",
    "country": r"data broker country",
    "address": r"data broker primary address if it does not comport.*",
    "rights": r"data broker's primary website that contains details on how consumers.*",
}


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each registered broker."""
    slugs = Slugs()
    for place, row in rows(raw, reading, COLUMNS):
        found = broker(
            reading, slugs, place, name=row.get("name", ""), state="US-CA",
            laws=("us-ca-ccpa",), dba=row.get("dba", ""), country=country_of(row.get("country")),
            web=url_of(reading, place, row["name"], row.get("web")),
            contacts=_contacts(reading, place, row),
        )
        if found is not None:
            yield found


def _contacts(reading: Reading, place: int, row: Mapping[str, str]) -> tuple[Contact, ...]:
    name, record = row["name"], str(place)
    found = list(email_contacts(reading, place, name, row.get("email"), record))
    form = url_of(reading, place, name, row.get("rights"))
    if form:
        found.append(stated_contact(reading, "webform", form, record))
    address = _address(reading, place, row)
    if address:
        found.append(stated_contact(reading, "post", address, record))
    return tuple(found)


def _address(reading: Reading, place: int, row: Mapping[str, str]) -> str:
    street, city, state = (line_of(row.get(key, "")) for key in ("street", "city", "state"))
    if not street:
        return lines_of(row.get("address", ""))
    code = zip_code(reading, place, row["name"], row.get("zip", ""), state)
    town = " ".join(part for part in (city, state, code) if part)
    return "\n".join(part for part in (street, town, line_of(row.get("country", ""))) if part)
