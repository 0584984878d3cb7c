"""An invented company, and where the shipped templates are."""

from __future__ import annotations

from collections.abc import Callable

from dsar import shipped
from dsar.core.controller import Contact, Controller
from dsar.core.letter import Letter
from dsar.core.subject import Place

FOLDERS = (shipped.templates() / "letters",)
HOMES = {"eu-gdpr": Place("DE"), "no-gdpr": Place("NO"), "uk-gdpr": Place("GB"),
         "ch-fadp": Place("CH"), "us-ca-ccpa": Place("US", "CA"), "ar-25326": Place("AR"),
         "co-1581": Place("CO"), "br-lgpd": Place("BR")}
MakeLetter = Callable[..., Letter]


def controller_with(*categories: str) -> Controller:
    """A company that finds people by name and postal address."""
    post = "Acme Data Ltd\n5 Example Road\n10115 Exampletown\nGermany"
    return Controller(
        slug="acme-data", name="Acme Data", legal_entity="Acme Data Ltd", categories=categories,
        identifiers=(("name",), ("address", "phone")),
        contacts=(Contact(kind="email", value="privacy@example.com"),
                  Contact(kind="post", value=post)),
    )
