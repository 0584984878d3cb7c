"""Who decides on the processing: a company, broker, scraper or public body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

IDENTIFIER_KINDS = (
    "name", "former-name", "email", "address", "former-address", "phone", "birth-date", "age-band",
    "country", "customer-number", "account-id", "username", "device-id", "cookie-id", "ip-address",
    "advertising-id", "face-photo", "profile-url", "national-id", "vehicle-plate", "other",
)
"""What a company may be told to find a person by (closed list)."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One way to reach a controller.

    kind: "email", "webform", "post", "dpo", "representative-eu" or "representative-uk".
    status: "good", "suspect" or "dead"; `verified` is false where the source is unverified.
    """

    kind: str
    value: str
    right: str | None = None
    source: str = ""
    checked: date | None = None
    status: str = "good"
    verified: bool = True


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An enforcement decision of an authority or court, with its source."""

    authority: str
    date: str
    what: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One entry of the registry.

    identifiers: alternatives to be met one by one, e.g. (("name",), ("customer-number", "address"))
    needs the name, and one of the two others.
    """

    slug: str
    name: str
    legal_entity: str | None = None
    brands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    country: str | None = None
    group: str | None = None
    public_body: bool = False
    contacts: tuple[Contact, ...] = ()
    preferred_channel: str | None = None
    identifiers: tuple[tuple[str, ...], ...] = ()
    id_document: str = "unknown"
    laws: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    lead_authority: str | None = None
    web: str | None = None
    reply_domains: tuple[str, ...] = ()
    reply_mailboxes: tuple[str, ...] = ()
    shared_domain: bool = False
    status: str = "active"
    successor: str | None = None
    contactable: bool = True
    not_contactable_reason: str | None = None
    enforcement: tuple[Decision, ...] = ()
    brokers_registered_in: tuple[str, ...] = ()
    notes: str | None = None
    sources: tuple[tuple[str, str], ...] = ()
    checked: date | None = None

    def emails(self, right: str | None = None) -> tuple[Contact, ...]:
        """E-mail contacts for `right`, the specific ones first, dead ones left out."""
        usable = [c for c in self.contacts if c.kind in ("email", "dpo") and c.status != "dead"
                  and c.right in (None, right)]
        return tuple(sorted(usable, key=lambda c: (c.right is None, c.kind != "email")))

    def contact(self, kind: str) -> Contact | None:
        """The first contact of this kind that is not dead."""
        return next((c for c in self.contacts if c.kind == kind and c.status != "dead"), None)
