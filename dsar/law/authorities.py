"""Reads authorities.yaml: where one complains, in which languages, and how far it is checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dsar.law.periods import CONFIDENCE
from dsar.yamlfile import Reader, read


@dataclass(frozen=True, kw_only=True)
class Authority:
    """One supervisory authority, attorney general or agency.

    places: `CC-SUB` of the parts of a country it is there for; bodies: "private", "public",
    empty for both. complaints_by_email: false where its e-mail address takes no complaint.
    """

    id: str
    name: str
    country: str
    address: tuple[str, ...] = ()
    email: str | None = None
    complaint_form: str | None = None
    website: str | None = None
    phone: str | None = None
    languages: tuple[str, ...] = ()
    complaint_language: str | None = None
    scope: str | None = None
    places: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    complaints_by_email: bool = True
    note: str = ""
    source: str = ""
    confidence: str = "unverified"
    complaint_form_confidence: str = "unverified"
    verified: date | None = None


def read_authorities(path: Path) -> dict[str, Authority]:
    """Every authority by id; raises FileProblems."""
    document = read(path)
    reader = Reader.of(document, document.value, "authorities")
    reader.number("schema")
    found: dict[str, Authority] = {}
    for block in reader.mappings("authorities"):
        authority = _authority(block)
        if authority.id in found:
            block.problem("id", f"{authority.id!r} stands here a second time")
        found[authority.id] = authority
    reader.finish()
    document.raise_problems()
    return found


def _authority(reader: Reader) -> Authority:
    confidence = reader.one_of("confidence", CONFIDENCE, default="unverified")
    found = Authority(
        id=reader.text("id", required=True),
        name=reader.text("name", required=True),
        country=reader.text("country", required=True),
        address=reader.texts("address"),
        email=reader.optional("email"),
        complaint_form=reader.optional("complaint_form"),
        website=reader.optional("website"),
        phone=reader.optional("phone"),
        languages=reader.texts("languages"),
        complaint_language=reader.optional("complaint_language"),
        scope=reader.optional("scope"),
        places=reader.texts("places"),
        bodies=reader.texts("bodies"),
        complaints_by_email=reader.flag("complaints_by_email", default=True),
        note=reader.text("note"),
        source=reader.text("source", required=True),
        confidence=confidence,
        complaint_form_confidence=reader.one_of(
            "complaint_form_confidence", CONFIDENCE, default=confidence),
        verified=reader.day("verified"),
    )
    reader.finish()
    return found
