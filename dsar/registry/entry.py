"""One entry: the mapping as it stands in the file, and the Controller it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from dsar.core.contact import last_day
from dsar.core.controller import Conflict, Contact, Controller, Decision

Entry = Mapping[str, Any]
"""A checked entry in the form of companies.yaml (see schema.py)."""


def controller_of(slug: str, entry: Entry) -> Controller:
    """Return the controller that a checked entry describes."""
    checked = entry.get("checked")
    return Controller(
        slug=slug,
        name=str(entry["name"]),
        legal_entity=_text(entry, "legal_entity"),
        brands=_texts(entry, "brands"),
        aliases=_texts(entry, "aliases"),
        categories=_texts(entry, "categories"),
        country=_text(entry, "country"),
        group=_text(entry, "group"),
        public_body=entry.get("public_body", False),
        contacts=tuple(contact_of(found) for found in entry.get("contacts", ())),
        preferred_channel=_text(entry, "preferred_channel"),
        identifiers=tuple(
            tuple(found) if isinstance(found, list) else (found,)
            for found in entry.get("identifiers", ())
        ),
        id_document=entry.get("id_document", "unknown"),
        laws=_texts(entry, "laws"),
        languages=_texts(entry, "languages") or ("en",),
        lead_authority=_text(entry, "lead_authority"),
        web=_text(entry, "web"),
        reply_domains=_texts(entry, "reply_domains"),
        reply_mailboxes=_texts(entry, "reply_mailboxes"),
        shared_domain=entry.get("shared_domain", False),
        status=entry.get("status", "active"),
        successor=_text(entry, "successor"),
        contactable=entry.get("contactable", True),
        not_contactable_reason=_text(entry, "not_contactable_reason"),
        enforcement=tuple(_decision(found) for found in entry.get("enforcement", ())),
        brokers_registered_in=_texts(entry, "brokers_registered_in"),
        notes=_text(entry, "notes"),
        sources=tuple((k, str(v)) for k, v in entry.get("sources", {}).items()),
        checked=None if checked is None else last_day(str(checked)),
        conflicts=tuple(_conflict(found) for found in entry.get("conflicts", ())),
        successor_verified=entry.get("successor_verified", True),
        identifiers_on_demand=_texts(entry, "identifiers_on_demand"),
        excluded=_text(entry, "excluded"),
        in_use=_text(entry, "in_use"),
        pulled_from=_texts(entry, "pulled_from"),
    )


def contact_of(found: Mapping[str, Any]) -> Contact:
    """Return the contact that a checked mapping describes."""
    checked = str(found.get("checked") or "")
    return Contact(
        kind=found["kind"],
        value=str(found["value"]),
        right=found.get("right"),
        source=str(found.get("source", "")),
        checked=last_day(checked) if checked else None,
        status=found.get("status", "good"),
        verified=found.get("verified", True),
        name=str(found.get("name", "")),
        checked_as=checked,
        since=str(found.get("since") or ""),
        derived=found.get("derived", False),
        note=str(found.get("note", "")),
    )


def _decision(found: Mapping[str, Any]) -> Decision:
    return Decision(
        authority=str(found["authority"]), date=str(found["date"]), what=str(found["what"]),
        source=str(found["source"]), verified=found.get("verified", True),
    )


def _conflict(found: Mapping[str, Any]) -> Conflict:
    return Conflict(
        field=str(found["field"]), value=str(found["value"]), source=str(found["source"])
    )


def overlaid(entry: Entry, edits: Entry) -> Entry:
    """Return `entry` with the user's edits: a key given replaces the old value.

    Contacts are replaced per kind and right, so that adding one address keeps the others.
    """
    merged = {**entry, **edits}
    if "contacts" in edits and "contacts" in entry:
        edited = {(c["kind"], c.get("right")) for c in edits["contacts"]}
        kept = [c for c in entry["contacts"] if (c["kind"], c.get("right")) not in edited]
        merged["contacts"] = [*edits["contacts"], *kept]
    return merged


def _text(entry: Entry, key: str) -> str | None:
    found = entry.get(key)
    return None if found is None else str(found)


def _texts(entry: Entry, key: str) -> tuple[str, ...]:
    return tuple(map(str, entry.get(key, ())))


def entry_of(controller: Controller) -> dict[str, Any]:
    """Return the entry that describes a controller: the reverse of `controller_of`."""
    plain: dict[str, Any] = {"name": controller.name}
    for key in _SINGLE:
        value = getattr(controller, key)
        if value != _DEFAULTS[key]:
            plain[key] = list(value) if isinstance(value, tuple) else value
    plain["contacts"] = [_contact_entry(c) for c in controller.contacts]
    plain["identifiers"] = [k[0] if len(k) == 1 else list(k) for k in controller.identifiers]
    plain["enforcement"] = [_kept(asdict(d), verified=True) for d in controller.enforcement]
    plain["conflicts"] = [asdict(c) for c in controller.conflicts]
    plain["sources"] = dict(controller.sources)
    return {key: value for key, value in plain.items() if value not in (None, [], {})}


def _contact_entry(contact: Contact) -> dict[str, Any]:
    plain = _kept(asdict(contact), status="good", verified=True, derived=False)
    plain.pop("checked", None)
    checked = plain.pop("checked_as", None) or contact.checked
    return {**plain, "checked": str(checked)} if checked else plain


def _kept(plain: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Without what is empty, or what is said by being left out."""
    return {k: v for k, v in plain.items() if v not in (None, "") and v != defaults.get(k, ...)}


_SINGLE = (
    "legal_entity", "brands", "aliases", "categories", "country", "group", "public_body", "status",
    "successor", "successor_verified", "contactable", "not_contactable_reason", "excluded",
    "in_use", "preferred_channel", "identifiers_on_demand", "id_document", "laws", "languages",
    "lead_authority", "web", "reply_domains", "reply_mailboxes", "shared_domain",
    "brokers_registered_in", "notes", "pulled_from",
)
_DEFAULTS = {f.name: f.default for f in fields(Controller)}
