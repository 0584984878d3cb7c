"""The user's own edits and additions: a file beside ours that no pull overwrites."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from dsar.core.contact import address_problem
from dsar.errors import FileProblems, Problem, UsageProblem
from dsar.home import write_private
from dsar.registry.load import Registry
from dsar.registry.schema import FORMAT, SLUG

HEADER = "# Your own companies, and your changes to those dsar knows; no pull touches this file.\n"
BY_YOU = "checked by you"

def edit(path: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the keys of `changes` (slug → keys) in the overlay, keeping all others.

    A key set to None is removed. Raises FileProblems where the file is wrong before or after.
    Comments in the file are kept at its top only.
    """
    from dsar.registry.load import parsed
    from dsar.yamlfile import dump

    raw = path.read_bytes() if path.exists() else b""
    companies: dict[str, Any] = {}
    if raw:
        entries = parsed(raw, name=str(path), partial=True)
        companies = {slug: dict(entries[slug]) for slug in entries}
    for slug, keys in changes.items():
        entry = {**companies.get(slug, {}), **keys}
        companies[slug] = {key: value for key, value in entry.items() if value is not None}
    text = _head(raw) + dump({"schema": FORMAT, "companies": companies})
    parsed(text.encode(), name=str(path), partial=True)
    write_private(path, text.encode())


def remove(path: Path, slugs: Collection[str], *, stay_excluded: Collection[str]) -> None:
    """Remove entries from the overlay; of those in `stay_excluded`, all but the exclusion.

    Raises FileProblems for a file that is wrong.
    """
    from dsar.registry.load import parsed
    from dsar.yamlfile import dump

    raw = path.read_bytes() if path.exists() else b""
    entries = parsed(raw, name=str(path), partial=True) if raw else {}
    companies = {slug: dict(entries[slug]) for slug in entries if slug not in slugs}
    companies |= {slug: {"excluded": "excluded by you"} for slug in entries
                  if slug in slugs and slug in stay_excluded}
    if companies:
        write_private(path, (_head(raw) + dump({"schema": FORMAT, "companies": companies})
                             ).encode())
    else:
        path.unlink(missing_ok=True)


def _head(raw: bytes) -> str:
    """The comment lines with which the file begins."""
    head = []
    for line in raw.decode("utf-8-sig", errors="replace").splitlines(keepends=True):
        if not line.startswith("#"):
            break
        head.append(line)
    return "".join(head) or HEADER


def new_entry(
    *, name: str, email: str | None, webform: str | None, web: str | None, country: str | None,
    source: str, today: date,
) -> dict[str, Any]:
    """Return an entry for a company the user adds. Raises UsageProblem for a bad address."""
    if email is not None and (problem := address_problem(email)) is not None:
        raise UsageProblem(f"{email[:80]!r} {problem}.")
    stated = {"source": source, "checked": today.isoformat()}
    contacts = [{"kind": kind, "value": value, **stated}
                for kind, value in (("email", email), ("webform", webform)) if value]
    entry: dict[str, Any] = {"name": name, "country": country, "contacts": contacts, "web": web}
    if not contacts:
        entry |= {"contactable": False, "not_contactable_reason": "no contact known yet"}
    return {key: value for key, value in entry.items() if value}


def verified_contacts(registry: Registry, slug: str, today: date) -> list[dict[str, Any]]:
    """Return the company's contacts as the user has just confirmed them on its own site.

    Raises UnknownCompany; UsageProblem where there is nothing to confirm.
    """
    found = [dict(c) for c in registry.entry(slug).get("contacts", ())
             if c.get("status") != "dead" and not c.get("derived")]
    if not found:
        raise UsageProblem(f"{slug} has no contact to confirm.",
                           hint=f"`dsar registry add {slug} --email ADDRESS` gives it one.")
    for contact in found:
        source = contact["source"].removesuffix(f"; {BY_YOU}")
        contact |= {"source": f"{source}; {BY_YOU}", "checked": today.isoformat()}
        for key in ("verified", "status", "since"):
            contact.pop(key, None)
    return found


def adopted(
    entry: Mapping[str, Any], contacts: list[dict[str, Any]], registry: Registry
) -> dict[str, Any]:
    """Return a pulled entry as one of the user's own, with the contacts they confirmed."""
    own = {key: value for key, value in entry.items() if key != "pulled_from"}
    if own.get("successor") not in registry:
        own.pop("successor", None)
    return {**own, "contacts": contacts}


def add_imported(path: Path, companies: Iterable[Mapping[str, Any]], *, checked: date) -> None:
    """Add companies that came with imported cases: letters to them were sent already.

    companies: mappings with slug, name, and where known email, aliases and domains. Their
    addresses are kept unverified: an import says where a letter went, not that it is right.
    Raises FileProblems for a slug that is none.
    """
    changes = {}
    for company in companies:
        slug = str(company["slug"])
        if not SLUG.fullmatch(slug):
            problem = Problem(str(path), 1, f"{slug[:60]!r} is no slug")
            raise FileProblems([problem])
        changes[slug] = _imported(company, checked)
    edit(path, changes)


def imported_problem(company: Mapping[str, Any], *, checked: date) -> str | None:
    """Return why a company that came with a case cannot be added, or None."""
    from dsar.registry.pulled import entry_problem

    return entry_problem(str(company["slug"]), _imported(company, checked))


def _imported(company: Mapping[str, Any], checked: date) -> dict[str, Any]:
    email = company.get("email")
    entry: dict[str, Any] = {"name": str(company["name"])}
    if company.get("aliases"):
        entry["aliases"] = list(map(str, company["aliases"]))
    if email and address_problem(str(email)) is None:
        entry["contacts"] = [{"kind": "email", "value": str(email), "source": "imported case",
                              "checked": checked.isoformat(), "verified": False}]
    else:
        entry |= {"contactable": False, "not_contactable_reason": "imported without an address"}
    if company.get("domains"):
        entry["reply_domains"] = list(map(str, company["domains"]))
    return entry
