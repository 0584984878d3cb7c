"""Unlock My Data: services tried by hand in France, with what they asked for (MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dsar.core.contact import last_day
from dsar.core.controller import Contact, Controller
from dsar.registry.schema import SLUG
from dsar.registry.sources import Reading
from dsar.registry.sources.cells import (
    country_code,
    email_contacts,
    line_of,
    lines_of,
    slug_of,
    stated_contact,
    url_of,
)
from dsar.registry.sources.records import records


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each service; a record dates from when it was last changed."""
    for place, record in records(raw, reading, ("public/data/manual/",)):
        name = line_of(record.get("name"))
        slug = line_of(record.get("slug")) or slug_of(name)
        if not name or not SLUG.fullmatch(slug):
            reading.refuse(place, name or slug, "has no name, or no slug")
            continue
        yield _service(place, slug, name, record, reading)


def _service(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> Controller:
    contacts = _contacts(place, slug, name, record, reading)
    needed = record.get("need_id_card")
    wanted = {True: "required", False: "not-required"}
    return Controller(
        slug=slug, name=name, categories=("other",), contacts=contacts,
        country=country_code(record.get("country_code")),
        laws=("eu-gdpr",), languages=("en",), contactable=bool(contacts),
        id_document=wanted[needed] if isinstance(needed, bool) else "unknown",
        not_contactable_reason=None if contacts else "the list names no way to write",
        web=url_of(reading, place, name, record.get("confidentiality_policy_url")) or None,
        notes=line_of(record.get("details_required_documents_en"), 1000) or None,
        pulled_from=(reading.source,), sources=(("name", f"{reading.source}:{slug}"),),
    )


def _contacts(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> tuple[Contact, ...]:
    changed = line_of(record.get("updated_at")) or line_of(record.get("created_at"))
    stated = changed if last_day(changed) else ""
    cell = record.get("contact_mail_export")
    found = list(email_contacts(reading, place, name, cell, slug, stated=stated))
    erasure = email_contacts(reading, place, name, record.get("contact_mail_delete"), slug,
                             stated=stated)
    found += [replace(c, right="erasure") for c in erasure if c.value not in {
        f.value for f in found}]
    form = url_of(reading, place, name, record.get("url_export"))
    if form:
        found.append(stated_contact(reading, "webform", form, slug, stated=stated))
    address = lines_of(record.get("address_export"))
    if address:
        found.append(stated_contact(reading, "post", address, slug, stated=stated))
    return tuple(found)
