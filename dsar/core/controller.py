"""Who decides on the processing: a company, broker, scraper or public body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

IDENTIFIER_KINDS = (
    "name", "former-name", "email", "address", "former-address", "phone", "birth-date", "age-band",
    "country", "customer-number", "account-id", "username", "device-id", "cookie-id", "ip-address",
    "advertising-id", "face-photo", "profile-url", "national-id", "vehicle-plate", "other",
    "birth-place", "nationality", "passport-number", "alien-number", "fingerprints", "image-url",
    "page-url",
)
"""What a company may be told to find a person by (closed list)."""

CONTACT_KINDS = ("email", "webform", "post", "dpo", "representative-eu", "representative-uk")
CONTACT_STATUSES = ("good", "suspect", "dead")
STATUSES = ("active", "acquired", "merged", "renamed", "alias", "defunct", "unclear")
ID_DOCUMENT = ("required", "not-required", "unknown")

CATEGORIES = (
    "address-broker", "adtech", "ai-training", "b2b-contact", "biometric-surveillance",
    "collection-agency", "commerce", "credit-bureau", "data-broker", "education", "employment",
    "entertainment", "eu-institution", "face-search", "finance", "health", "insurance",
    "law-enforcement", "location-data", "media", "non-profit", "other", "people-search",
    "political-party", "public-body", "religious-community", "social-platform", "software",
    "telecommunication", "travel", "utility", "web-scraper",
)
"""What a controller does (closed list)."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One way to reach a controller.

    kind: "email", "webform", "post", "dpo", "representative-eu" or "representative-uk".
    value: an e-mail address, a URL or a postal address; a representative has one of them.
    name: who answers there, for a representative.
    checked: the last day of the period in which the source stated the contact, `checked_as`
    that period as the source gives it ("2025", "2025-08", "2025-08-19"); None if it gives none.
    since: when the source's record last changed, where it differs from `checked_as`.
    status: "good", "suspect" or "dead"; `verified` is false where the source is unverified.
    derived: made up from a domain name by somebody, never written to.
    """

    kind: str
    value: str
    right: str | None = None
    source: str = ""
    checked: date | None = None
    status: str = "good"
    verified: bool = True
    name: str = ""
    checked_as: str = ""
    since: str = ""
    derived: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """What another source says instead; kept to be seen, never written to."""

    field: str
    value: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An enforcement decision of an authority or court, with its source."""

    authority: str
    date: str
    what: str
    source: str
    verified: bool = True


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One entry of the registry.

    identifiers: alternatives to be met one by one, e.g. (("name",), ("customer-number", "address"))
    needs the name, and one of the two others.
    identifiers_on_demand: what it may ask for later (a face photo, an identity number); never
    told with a first letter.
    group: entries that one letter serves (one mailbox, or one legal entity); a duplicate counts
    per group. Not the corporate family: two companies of one family are two controllers.
    laws: regime ids; also ids of laws dsar has no regime for, so that no other law is assumed.
    shared_domain: others write from the reply domains too, so a domain alone proves nothing.
    excluded: the user's reason never to write; in_use: why no erasure goes there by itself, such
    as "my bank" (rail `erasure`); pulled_from: public lists this entry comes from.
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
    conflicts: tuple[Conflict, ...] = ()
    successor_verified: bool = True
    excluded: str | None = None
    in_use: str | None = None
    identifiers_on_demand: tuple[str, ...] = ()
    pulled_from: tuple[str, ...] = ()

    def emails(self, right: str | None = None) -> tuple[Contact, ...]:
        """E-mail contacts for `right`, the specific ones first, dead ones left out."""
        usable = [c for c in self.contacts if c.kind in ("email", "dpo") and c.status != "dead"
                  and c.right in (None, right)]
        return tuple(sorted(usable, key=lambda c: (c.right is None, c.kind != "email")))

    def contact(self, kind: str) -> Contact | None:
        """The first contact of this kind that is not dead."""
        return next((c for c in self.contacts if c.kind == kind and c.status != "dead"), None)
