"""Datenanfragen.de: company records and obsolete records, for requests under the GDPR (CC0).

https://github.com/datenanfragen/data (schema.json there names the keys).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dsar.core.controller import Contact, Controller
from dsar.registry.schema import SLUG
from dsar.registry.sources import Reading
from dsar.registry.sources.cells import (
    country_code,
    country_of,
    email_contacts,
    line_of,
    lines_of,
    list_of,
    slug_of,
    stated_contact,
    url_of,
)
from dsar.registry.sources.records import records

FOLDERS = ("companies/", "obsolete-records/")
CATEGORIES = {
    "addresses": "address-broker", "ads": "adtech", "church": "religious-community",
    "collection agency": "collection-agency", "commerce": "commerce",
    "credit agency": "credit-bureau", "entertainment": "entertainment", "finance": "finance",
    "health": "health", "insurance": "insurance", "nonprofit": "non-profit",
    "political party": "political-party", "public body": "public-body", "school": "education",
    "social media": "social-platform", "telecommunication": "telecommunication",
    "travel": "travel", "utility": "utility",
}
OBSOLETE = {
    "company-defunct": "defunct", "company-merged": "merged", "company-acquired": "acquired",
    "duplicate": "alias",
}
ELEMENTS = {"name": "name", "email": "email", "address": "address", "birthdate": "birth-date"}
CHANNELS = {"email": "email", "webform": "webform", "letter": "post", "fax": "post"}
_POLICE = re.compile(r"polizei|kriminalamt|\bpolice\b|politie|constable|zollfahndung", re.I)
_SECRET = re.compile(r"verfassungsschutz|nachrichtendienst|abschirmdienst|intelligence service",
                     re.I)


def read(raw: bytes, reading: Reading) -> Iterator[Controller]:
    """Yield a controller for each record, the obsolete ones as pointers to their successors."""
    for place, record in records(raw, reading, FOLDERS):
        name, slug = line_of(record.get("name")), line_of(record.get("slug"))
        if not name:
            reading.refuse(place, slug, "has no name")
        elif not SLUG.fullmatch(slug or slug_of(name)):
            reading.refuse(place, name, f"{slug[:40]!r} is no slug")
        elif record.get("quality") == "obsolete":
            yield _obsolete(slug, name, record, reading)
        else:
            yield _company(place, slug or slug_of(name), name, record, reading)


def _obsolete(slug: str, name: str, record: dict[str, Any], reading: Reading) -> Controller:
    reason, successor = line_of(record.get("reason")), line_of(record.get("redirect-to"))
    return Controller(
        slug=slug, name=name, status=OBSOLETE.get(reason, "unclear"), contactable=False,
        successor=successor if SLUG.fullmatch(successor) else None, pulled_from=(reading.source,),
        not_contactable_reason=f"{reading.source} marks the record obsolete: {reason or '?'}",
        sources=(("status", f"{reading.source}:{slug}"),),
    )


def _company(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> Controller:
    categories = tuple(sorted({CATEGORIES.get(c, "other") for c in list_of(
        record.get("categories"))}))
    country = _country(record)
    contacts = _contacts(place, slug, name, record, reading)
    channel = CHANNELS.get(line_of(record.get("suggested-transport-medium")))
    secret = _SECRET.search(name) is not None
    return Controller(
        slug=slug, name=name, legal_entity=name,
        brands=tuple(dict.fromkeys(list_of(record.get("runs")))), categories=categories,
        country=country, public_body="public-body" in categories or secret, contacts=contacts,
        preferred_channel=channel if channel in {c.kind for c in contacts} else None,
        identifiers=_identifiers(record), id_document=_id_document(record),
        laws=() if secret else _laws(name, country, categories),
        languages=(_language(record),), web=url_of(reading, place, name, record.get("web")) or None,
        contactable=bool(contacts) and not secret,
        not_contactable_reason=_reason(contacts, secret), pulled_from=(reading.source,),
        notes=" ".join(list_of(record.get("comments")))[:3000] or None,
        sources=(("legal_entity", f"{reading.source}:{slug}"),),
    )


def _reason(contacts: tuple[Contact, ...], secret: bool) -> str | None:
    if secret:
        return "outside the GDPR (national security); no law of dsar fits"
    return None if contacts else "the record names no way to write"


def _contacts(
    place: int, slug: str, name: str, record: dict[str, Any], reading: Reading
) -> tuple[Contact, ...]:
    found = list(email_contacts(reading, place, name, record.get("email"), slug))
    form = url_of(reading, place, name, record.get("webform"))
    if form:
        found.append(stated_contact(reading, "webform", form, slug))
    address = lines_of(record.get("address"))
    if address:
        found.append(stated_contact(reading, "post", address, slug))
    return tuple(found)


def _country(record: dict[str, Any]) -> str | None:
    """The last line of the address names the country; else the only country it is meant for."""
    address = lines_of(record.get("address"))
    found = country_of(address.splitlines()[-1]) if address else None
    meant = list_of(record.get("relevant-countries"))
    return found or (country_code(meant[0]) if len(meant) == 1 and meant != ["all"] else None)


def _laws(name: str, country: str | None, categories: tuple[str, ...]) -> tuple[str, ...]:
    """The list is for GDPR requests; the police has a law of its own."""
    if _POLICE.search(name) and "public-body" in categories:
        return ("uk-led",) if country == "GB" else ("eu-led",)
    return ("uk-gdpr", "eu-gdpr") if country == "GB" else ("eu-gdpr",)


def _language(record: dict[str, Any]) -> str:
    found = line_of(record.get("request-language"))
    if re.fullmatch(r"[a-z]{2}", found):
        return found
    meant = set(list_of(record.get("relevant-countries")))
    return "de" if meant and meant <= {"de", "at", "ch"} else "en"


def _identifiers(record: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    elements = record.get("required-elements")
    kinds = [
        _kind(e) for e in (elements if isinstance(elements, list) else [])
        if isinstance(e, dict) and not e.get("optional")
    ]
    return tuple((kind,) for kind in dict.fromkeys(kinds))


def _kind(element: dict[str, Any]) -> str:
    kind = line_of(element.get("type"))
    text = line_of(element.get("desc")).casefold()
    if kind == "address" and ("vor" in text or "früher" in text or "previous" in text):
        return "former-address"
    if kind in ELEMENTS:
        return ELEMENTS[kind]
    for word, found in (("mail", "email"), ("phone", "phone"), ("telefon", "phone"),
                        ("kundennummer", "customer-number"), ("customer", "customer-number"),
                        ("user", "username"), ("profil", "profile-url")):
        if word in text:
            return found
    return "other"


def _id_document(record: dict[str, Any]) -> str:
    needed = record.get("needs-id-document")
    return {True: "required", False: "not-required"}.get(needed, "unknown") if isinstance(
        needed, bool) else "unknown"
