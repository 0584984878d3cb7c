"""Whether a contact may be written to, and when two addresses are one mailbox."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import date

from dsar.core.controller import Contact, Controller

STALE_MONTHS = 12
MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
_ATOM = r"[^\s()<>\[\]:;@\\,\".\x00-\x1f\x7f]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def last_day(period: str) -> date | None:
    """Return the last day of "2025", "2025-08" or "2025-08-19"; None for anything else."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        if year is not None and month is None:
            return date(year, 12, 31)
        if year is not None and month is not None and day is None:
            return date(year, month, monthrange(year, month)[1])
        return date.fromisoformat(period)
    except ValueError:
        return None


def domain_to_ascii(domain: str) -> str | None:
    """Return the domain in lower-case ASCII (IDN as xn--…), or None where it is none.

    RFC 1035 section 2.3.4 (labels of at most 63 octets), RFC 3490 (IDN).
    """
    if len(domain) > MAX_ADDRESS:
        return None
    try:
        plain = unicodedata.normalize("NFKC", domain).encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = plain.split(".")
    if len(labels) < 2 or len(plain) > 253 or labels[-1].isdigit():
        return None
    return plain if all(_LABEL.fullmatch(label) for label in labels) else None


def address_problem(address: str) -> str | None:
    """Return why no letter can be addressed to this text, or None (RFC 5321 section 4.5.3.1)."""
    if len(address) > MAX_ADDRESS:
        return "is longer than an e-mail address can be"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in address):
        return "contains an invisible or control character"
    local, at, domain = address.rpartition("@")
    if not at:
        return "is not an e-mail address: it has no @"
    if len(local) > MAX_LOCAL_PART or not _LOCAL.fullmatch(local):
        return "is not an e-mail address: the part before the @ cannot stand there"
    if domain_to_ascii(domain) is None:
        return "is not an e-mail address: the part after the @ is no domain name"
    return None


def mailbox_key(address: str) -> str:
    """Return what two spellings of one mailbox have in common: case and IDN form removed."""
    local, at, domain = unicodedata.normalize("NFKC", address.strip()).rpartition("@")
    if not at:
        return address.strip().casefold()
    return f"{local.casefold()}@{domain_to_ascii(domain) or domain.casefold()}"


def is_stale(contact: Contact, today: date) -> bool:
    """Whether the contact was last stated by its source more than twelve months ago.

    A source that gives only a year or month (a yearly state registry) stated the contact for
    all of that period, so the twelve months run from its last day. No date at all is stale.
    """
    if contact.checked is None:
        return True
    months = (today.year - contact.checked.year) * 12 + today.month - contact.checked.month
    return months > STALE_MONTHS or (months == STALE_MONTHS and today.day > contact.checked.day)


def contact_problem(
    contact: Contact, today: date, *, accept_unverified: bool = False
) -> str | None:
    """Return why the `contact` rail holds this contact back, or None where it may be used.

    accept_unverified: the user overrides the rail for contacts nobody has verified; dead,
    doubtful, guessed and stale ones stay held.
    """
    if contact.derived:
        return "address guessed from a domain name"
    if contact.status != "good":
        return "address bounced" if contact.status == "dead" else "address doubtful"
    if not contact.source:
        return "no source for the address"
    if not contact.verified and not accept_unverified:
        return "address not verified"
    if is_stale(contact, today):
        return f"address last checked {contact.checked_as or contact.checked or 'at no known date'}"
    if contact.kind in ("email", "dpo"):
        return address_problem(contact.value)
    return None


def usable_email(controller: Controller, right: str | None, today: date) -> Contact | None:
    """Return the first e-mail contact for `right` that the rail lets pass, or None."""
    usable = (c for c in controller.emails(right) if contact_problem(c, today) is None)
    return next(usable, None)


def what_can_be_done(controller: Controller, today: date) -> str:
    """Return one sentence for the reader: whom to write to and how, or why not."""
    if controller.excluded is not None:
        return f"Excluded by you: {controller.excluded}"
    if not controller.contactable:
        return _instead(controller)
    email = usable_email(controller, None, today)
    if email is not None and controller.preferred_channel in (None, "email"):
        return f"Write to {email.value}."
    webform = controller.contact("webform")
    if webform is not None and controller.preferred_channel in (None, "webform", "email"):
        return f"Use the web form {webform.value}{_doubt(webform, today)}"
    post = controller.contact("post")
    if post is not None:
        return f"Write by post to {' / '.join(post.value.splitlines())}{_doubt(post, today)}"
    if email is not None:
        return f"Write to {email.value}."
    held = controller.emails()
    return f"Held back: {contact_problem(held[0], today)}." if held else _instead(controller)


def _doubt(contact: Contact, today: date) -> str:
    problem = contact_problem(contact, today)
    return f" ({problem}: look it up first)" if problem else ""


def _instead(controller: Controller) -> str:
    reason = controller.not_contactable_reason or "no contact known"
    if controller.successor is None:
        return f"Cannot be written to: {reason}"
    doubt = "" if controller.successor_verified else " (succession unverified)"
    return f"See {controller.successor}{doubt}: {reason}"
