"""Checks a registry file against the schema; every problem gets its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dsar.registry.schema import ENTRY_FIELDS, FORMAT, SLUG, Field

if TYPE_CHECKING:
    from dsar.yamlfile import Document

HINT_SLUG = "A slug is lower-case letters, digits and single hyphens, such as acme-data."


def entries_in(document: Document, *, partial: bool = False) -> dict[str, Any]:
    """Return the mappings below `companies`, those that are none left out; problems are noted.

    partial: an overlay, whose entries may lack what the entry they change already has.
    """
    from dsar.yamlfile import Mapping as Lined

    top = document.value
    if top is None and partial:
        return {}
    if not isinstance(top, Lined):
        document.add(1, "must be a mapping with the keys schema and companies")
        return {}
    _check_top(document, top)
    companies = top.get("companies")
    if companies is None:
        return {}
    if not isinstance(companies, Lined):
        document.add(top.lines["companies"], "companies must be a mapping of slug to entry")
        return {}
    return {
        slug: entry for slug, entry in companies.items()
        if _entry_is_mapping(document, companies, slug, partial=partial)
    }


def _check_top(document: Document, top: Any) -> None:
    if top.get("schema") != FORMAT:
        line = top.lines.get("schema", 1)
        document.add(line, f"schema must be {FORMAT}", hint=f"Write `schema: {FORMAT}`.")
    for key in top:
        if key not in ("schema", "companies"):
            document.add(top.lines[key], f"unknown key {key!r}")
    if "companies" not in top:
        document.add(1, "'companies' is missing")


def _entry_is_mapping(document: Document, companies: Any, slug: str, *, partial: bool) -> bool:
    entry, line = companies[slug], companies.lines[slug]
    if not SLUG.fullmatch(slug):
        document.add(line, f"{slug[:60]!r} is no slug", hint=HINT_SLUG, slug=slug[:60])
    if not isinstance(entry, dict):
        document.add(line, f"{slug}: must be a mapping of keys and values", slug=slug)
        return False
    check_mapping(document, entry, ENTRY_FIELDS, slug=slug, where=slug, partial=partial)
    return True


def check_mapping(
    document: Document, found: Any, fields: Mapping[str, Field], *, slug: str, where: str,
    partial: bool = False,
) -> None:
    """Note what is wrong with one mapping; keys without a value are removed."""
    empty = []
    for key, value in found.items():
        field = fields.get(key)
        if field is None:
            _unknown(document, found.lines[key], key, fields, slug=slug, where=where)
        elif value is None:
            empty.append(key)
        elif (problem := field.check(value)) is not None:
            document.add(found.lines[key], f"{where}: {key!r} {problem}", slug=slug)
        elif field.many is not None:
            _check_each(document, value, field.many, slug=slug, where=f"{where}: {key}")
    for key in empty:
        del found[key]
    for key, field in fields.items():
        if field.required and not partial and key not in found:
            document.add(found.line, f"{where}: {key!r} is missing", slug=slug)


def _check_each(
    document: Document, items: Any, fields: Mapping[str, Field], *, slug: str, where: str
) -> None:
    for number, item in enumerate(items):
        place = f"{where}[{number + 1}]"
        if isinstance(item, dict):
            check_mapping(document, item, fields, slug=slug, where=place)
        else:
            document.add(items.lines[number], f"{place} must be a mapping", slug=slug)


def _unknown(
    document: Document, line: int, key: str, fields: Mapping[str, Field], *, slug: str, where: str
) -> None:
    from difflib import get_close_matches

    near = get_close_matches(key[:60], fields, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    document.add(line, f"{where}: unknown key {key[:60]!r}", hint=hint, slug=slug)
