"""Checks registry files beyond their form: every doubt with its line and the fix proposed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dsar.core.contact import address_problem, domain_to_ascii, is_stale, mailbox_key
from dsar.errors import FileProblems, Problem
from dsar.registry.entry import contact_of, overlaid
from dsar.registry.load import without_gc
from dsar.registry.mailboxes import (
    addresses_in,
    is_free_mail,
    is_person_like,
    unwrapped,
    url_problem,
    urls_in,
)

Found = tuple[int, str, str]
"""Line, message, hint."""


@dataclass
class Checked:
    """What a check found: mistakes to mend, and doubts worth a look."""

    mistakes: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """One entry as a file holds it, with its line."""

    path: str
    slug: str
    entry: Any
    line: int


def check(path: Path, overlay: Path | None = None, *, today: date) -> Checked:
    """Check a registry file, and the user's overlay over it, without any network.

    A file that is no YAML gives its problems like any other.
    """
    found = Checked()
    base = _places(path, found, partial=False)
    edits = _places(overlay, found, partial=True) if overlay and overlay.exists() else {}
    whole = {slug: place.entry for slug, place in base.items()}
    for slug, place in edits.items():
        whole[slug] = overlaid(whole[slug], place.entry) if slug in whole else place.entry
    for place in (*base.values(), *edits.values()):
        _check_own(place, whole, found, today)
    last = {**base, **edits}
    for place in last.values():
        for rule in _RULES:
            found.mistakes += _problems(place, rule(place, whole))
    _check_shared_mailboxes(last, whole, found)
    found.mistakes.sort()
    found.doubts.sort()
    return found


def contact_values(path: Path, overlay: Path | None = None) -> list[tuple[Problem, str, str]]:
    """Every contact as kind and value, with a Problem that says where it stands (no message)."""
    found = Checked()
    files = [(path, False)] + ([(overlay, True)] if overlay and overlay.exists() else [])
    return [
        (Problem(str(file), contact.lines["value"], "", "", slug), contact["kind"],
         str(contact["value"]))
        for file, partial in files
        for slug, place in _places(file, found, partial=partial).items()
        for contact in place.entry.get("contacts", ())
    ]


def _places(path: Path, found: Checked, *, partial: bool) -> dict[str, _Place]:
    from dsar.registry.validate import entries_in
    from dsar.yamlfile import read

    try:
        with without_gc():
            document = read(path)
            entries = entries_in(document, partial=partial)
    except FileProblems as error:
        found.mistakes += error.problems
        return {}
    found.mistakes += document.problems
    broken = {problem.slug for problem in document.problems}
    return {
        slug: _Place(str(path), slug, entry, document.value["companies"].lines[slug])
        for slug, entry in entries.items() if slug not in broken
    }


def _check_own(place: _Place, whole: Mapping[str, Any], found: Checked, today: date) -> None:
    """What each file says itself; the rules over a whole entry go to where it was last edited."""
    found.mistakes += _problems(place, _domains(place, whole))
    for contact in place.entry.get("contacts", ()):
        found.mistakes += _problems(place, _contact_mistakes(contact, today))
        found.doubts += _problems(place, _contact_doubts(contact, today))


def _problems(place: _Place, found: Iterator[Found]) -> list[Problem]:
    return [Problem(place.path, line, f"{place.slug}: {message}", hint, place.slug)
            for line, message, hint in found]


def _contact_mistakes(contact: Any, today: date) -> Iterator[Found]:
    line, value = contact.lines["value"], str(contact["value"])
    kind = contact["kind"]
    is_mail = kind in ("email", "dpo") or (kind.startswith("representative") and "@" in value)
    if is_mail and (problem := address_problem(value)) is not None:
        mended = addresses_in(value)
        hint = f"Write {' or '.join(mended)}." if mended else "Remove it, or find the right one."
        yield line, f"{value[:80]!r} {problem}", hint
    if kind == "webform":
        yield from _url_mistakes(line, value)
    if contact.get("derived"):
        yield line, f"{value[:80]!r} was guessed from a domain name", "Name a source, or remove it."
    checked = contact.get("checked")
    if checked is not None and str(checked) > today.isoformat()[: len(str(checked))]:
        yield contact.lines["checked"], f"checked on {checked}, which is yet to come", ""


def _url_mistakes(line: int, value: str) -> Iterator[Found]:
    urls = urls_in(value)
    if len(urls) > 1:
        yield line, f"holds {len(urls)} web addresses", f"Keep one: {urls[0]}"
    elif (problem := url_problem(value)) is not None:
        hint = f"Write {urls[0]}" if urls else "Write the address of the page, with https://."
        yield line, f"{value[:80]!r} {problem}", hint
    elif unwrapped(value) != value:
        yield line, f"{value[:80]!r} is a wrapped link", f"Write {unwrapped(value)}"


def _contact_doubts(contact: Any, today: date) -> Iterator[Found]:
    line, value = contact.lines["value"], str(contact["value"])
    if contact["kind"] in ("email", "dpo") and address_problem(value) is None:
        if is_person_like(value):
            yield line, f"{value} looks like one person's mailbox", "Prefer a role address."
        if is_free_mail(value):
            yield line, f"{value} is at a free mail provider", "Confirm it on the company's site."
        if not value.isascii():
            yield line, f"{value} is international", f"It is sent as {mailbox_key(value)}."
    if contact.get("status", "good") != "good":
        yield line, f"{value.splitlines()[0][:60]} is {contact['status']}", "Find another contact."
    if contact.get("verified", True) and is_stale(contact_of(contact), today):
        when = contact.get("checked") or "no known date"
        hint = "`dsar registry verify SLUG` records that you looked."
        yield contact.lines.get("checked", line), f"contact last checked at {when}", hint


def _channels(place: _Place, whole: Mapping[str, Any]) -> Iterator[Found]:
    entry = whole[place.slug]
    alive = {c["kind"] for c in entry.get("contacts", ()) if c.get("status") != "dead"}
    contactable = entry.get("contactable", True) and not entry.get("excluded")
    if contactable and not alive:
        yield place.line, "can be written to, but has no contact", (
            "Add a contact, or set contactable: false with a reason.")
    if not entry.get("contactable", True) and not entry.get("not_contactable_reason"):
        yield _line(place, "contactable"), "says contactable: false without a reason", (
            "Add not_contactable_reason.")
    wanted = entry.get("preferred_channel")
    if wanted and wanted not in alive and not (wanted == "email" and "dpo" in alive):
        yield _line(place, "preferred_channel"), f"prefers {wanted}, but has no such contact", ""


def _succession(place: _Place, whole: Mapping[str, Any]) -> Iterator[Found]:
    successor = whole[place.slug].get("successor")
    if successor is None:
        if whole[place.slug].get("status") == "alias":
            yield place.line, "is an alias of nothing", "Add successor."
        return
    line = _line(place, "successor")
    seen, at = {place.slug}, successor
    while at is not None:
        if at not in whole:
            yield line, f"successor {at!r} is not in the registry", "Mend the slug, or remove it."
            return
        if at in seen:
            yield line, f"successors lead in a circle: {' → '.join([*seen, at])}", ""
            return
        seen.add(at)
        at = whole[at].get("successor")


def _domains(place: _Place, whole: Mapping[str, Any]) -> Iterator[Found]:
    shared = whole[place.slug].get("shared_domain", False)
    for domain in map(str, place.entry.get("reply_domains", ())):
        if domain_to_ascii(domain) is None:
            yield _line(place, "reply_domains"), f"{domain[:60]!r} is no domain name", ""
        elif is_free_mail(f"x@{domain}") and not shared:
            yield _line(place, "reply_domains"), f"anybody can write from {domain}", (
                "Set shared_domain: true, and name the mailbox under reply_mailboxes.")
    for mailbox in map(str, place.entry.get("reply_mailboxes", ())):
        if (problem := address_problem(mailbox)) is not None:
            yield _line(place, "reply_mailboxes"), f"{mailbox[:60]!r} {problem}", ""


def _public_bodies(place: _Place, whole: Mapping[str, Any]) -> Iterator[Found]:
    entry = whole[place.slug]
    categories = set(entry.get("categories", ()))
    if "eu-institution" in categories and not entry.get("public_body"):
        yield place.line, "is an EU body by its category, but not marked as a public body", (
            "Add public_body: true.")
    police = entry.get("public_body") and {"law-enforcement", "eu-institution"} & categories
    wrong = {"eu-gdpr", "uk-gdpr"} & set(entry.get("laws", ()))
    if police and wrong:
        yield _line(place, "laws"), f"{', '.join(sorted(wrong))} does not bind this body", (
            "Name its own law, such as eu-led, eu-europol or eu-institutions.")


def _check_shared_mailboxes(
    places: Mapping[str, _Place], whole: Mapping[str, Any], found: Checked
) -> None:
    """Two entries with one mailbox need one group: the duplicate rail goes by it."""
    owners: dict[str, list[str]] = defaultdict(list)
    for slug, entry in whole.items():
        for contact in entry.get("contacts", ()):
            if contact["kind"] in ("email", "dpo"):
                owners[mailbox_key(str(contact["value"]))].append(slug)
    for mailbox, slugs in owners.items():
        groups = {whole[slug].get("group") for slug in slugs}
        if len(set(slugs)) > 1 and (len(groups) > 1 or None in groups):
            place = places[slugs[-1]]
            message = f"shares {mailbox} with {slugs[0]}, but not its group"
            hint = f"Give both `group: {whole[slugs[0]].get('group') or slugs[0]}`."
            found.mistakes += _problems(place, iter([(place.line, message, hint)]))


def _line(place: _Place, key: str) -> int:
    found: int = place.entry.lines.get(key, place.line)
    return found


_RULES: tuple[Callable[[_Place, Mapping[str, Any]], Iterator[Found]], ...] = (
    _channels, _succession, _public_bodies,
)
