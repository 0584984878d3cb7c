"""drumandbytes/eraser: a list of data brokers, with what came of writing to them (MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsar.core.controller import Contact, Controller
from dsar.errors import FileProblems, Problem
from dsar.registry.schema import SLUG
from dsar.registry.sources import Reading
from dsar.registry.sources.cells import email_contacts, line_of, slug_of, stated_contact, url_of

CATEGORIES = {
    "marketing": "data-broker", "people-search": "people-search", "background-check":
    "people-search", "financial-b2b": "b2b-contact", "device-id-only": "location-data",
}


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each broker. Raises FileProblems for what is no such YAML file."""
    from dsar.yamlfile import parse

    value = parse(raw, name=reading.source).value
    brokers = value.get("brokers") if isinstance(value, dict) else None
    if not isinstance(brokers, list):
        raise FileProblems([Problem(reading.source, 1, "has no list `brokers`")])
    for place, record in enumerate(brokers, start=1):
        reading.records += 1
        if not isinstance(record, dict) or not line_of(record.get("name")):
            reading.refuse(place, "", "has no name")
            continue
        yield _broker(place, record, reading)


def _broker(place: int, record: dict[str, Any], reading: Reading) -> Controller:
    name, slug = line_of(record["name"]), line_of(record.get("id"))
    if not SLUG.fullmatch(slug):
        reading.mend(place, name, f"{slug[:40]!r} is no slug")
        slug = slug_of(name) or f"broker-{place}"
    contacts = _contacts(place, slug, name, record, reading)
    region = line_of(record.get("region"))
    kind = line_of(record.get("category"))
    return Controller(
        slug=slug, name=name, legal_entity=name, contacts=contacts,
        categories=(CATEGORIES.get(kind, "data-broker"),),
        identifiers=(("advertising-id",),) if kind == "device-id-only" else (),
        country="US" if region == "us" else None, languages=("en",),
        laws=("eu-gdpr",) if region == "eu" else ("us-ca-ccpa",),
        web=url_of(reading, place, name, record.get("website")) or None,
        contactable=bool(contacts), pulled_from=(reading.source,),
        not_contactable_reason=None if contacts else "the list names no way to write",
        notes=line_of(record.get("notes"), 1500) or None,
        sources=(("legal_entity", f"{reading.source}:{slug}"),),
    )


def _contacts(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> tuple[Contact, ...]:
    found = list(email_contacts(reading, place, name, record.get("email"), slug))
    form = url_of(reading, place, name, record.get("opt_out_url"))
    if form:
        found.append(stated_contact(reading, "webform", form, slug))
    return tuple(found)
