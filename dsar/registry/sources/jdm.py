"""JustDeleteMe: how to delete an account at some two thousand services (MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from dsar.core.controller import Controller
from dsar.registry.sources import Reading
from dsar.registry.sources.brokers import Slugs
from dsar.registry.sources.cells import email_contacts, line_of, list_of, stated_contact, url_of
from dsar.registry.sources.records import records


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each service; its link is where an account is deleted."""
    slugs = Slugs()
    for place, record in records(raw, reading, ("_data/sites",)):
        name = line_of(record.get("name"))
        slug = slugs.of(name) if name else ""
        if slug:
            yield _service(place, slug, name, record, reading)
        elif name:
            yield _service(place, slugs.of(f"service-{place}"), name, record, reading)
        else:
            reading.refuse(place, "", "has no name")


def _service(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> Controller:
    contacts = email_contacts(reading, place, name, record.get("email"), slug)
    page = url_of(reading, place, name, record.get("url"))
    if page:
        contacts += (stated_contact(reading, "webform", page, slug,
                                    note="where an account is deleted"),)
    domains = list_of(record.get("domains"))
    web = url_of(reading, place, name, f"https://{domains[0]}/") if domains else _root(page)
    difficulty = line_of(record.get("difficulty"))
    return Controller(
        slug=slug, name=name, categories=("other",), contacts=contacts, web=web or None,
        languages=("en",), contactable=bool(contacts),
        not_contactable_reason=None if contacts else "the list names no way to write",
        notes=f"Deleting an account: {difficulty} ({reading.source})." if difficulty else None,
        pulled_from=(reading.source,),
        sources=(("name", f"{reading.source}:{slug}"),),
    )


def _root(page: str) -> str:
    try:
        host = urlsplit(page).hostname
    except ValueError:
        return ""
    return f"https://{host}/" if host else ""
