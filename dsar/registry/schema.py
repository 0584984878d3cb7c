"""The form of an entry in companies.yaml: which keys, which values, as one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dsar.core.contact import last_day
from dsar.core.controller import (
    CATEGORIES,
    CONTACT_KINDS,
    CONTACT_STATUSES,
    ID_DOCUMENT,
    IDENTIFIER_KINDS,
    STATUSES,
)

FORMAT = "dsar.companies/1"
CHANNELS = ("email", "webform", "post")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_TEXT = 4000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]")
_LINE_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")

Check = Callable[[Any], str | None]
"""Takes a value as read; returns what is wrong with it, or None."""


@dataclass(frozen=True)
class Field:
    """One key: how to check its value, and the JSON Schema that says the same to an editor.

    many: the fields of each mapping in a list below this key.
    """

    check: Check
    schema: Mapping[str, Any]
    required: bool = False
    many: Mapping[str, Field] | None = None


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _check_line(value: Any) -> str | None:
    if not _scalar(value):
        return "must be text"
    text = str(value)
    if not text.strip():
        return "must not be empty"
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    if _LINE_CONTROL.search(text):
        return "must stay on one line, without control characters"
    return None


def _check_lines(value: Any) -> str | None:
    if not _scalar(value):
        return "must be text"
    text = str(value)
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return "must not hold control characters" if _CONTROL.search(text) else None


def _check_flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _check_period(value: Any) -> str | None:
    if _scalar(value) and last_day(str(value)) is not None:
        return None
    return f"is {_shown(value)}, not a date such as 2026-11-22, 2026-11 or 2026"


def _matching(pattern: str, what: str) -> Field:
    compiled = re.compile(pattern)

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and compiled.fullmatch(value) else (
            f"is {_shown(value)}, not {what}")

    return Field(check, {"type": "string", "pattern": f"^(?:{pattern})$"})


def _one_of(words: Collection[str]) -> Field:
    allowed = frozenset(words)

    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in allowed:
            return None
        return f"is {_shown(value)}, which is none of {', '.join(sorted(allowed))}"

    return Field(check, {"enum": sorted(allowed)})


def _list_of(item: Field) -> Field:
    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return "must be a list"
        for number, found in enumerate(value, 1):
            if (problem := item.check(found)) is not None:
                return f"item {number}: {problem}"
        return None

    return Field(check, {"type": "array", "items": dict(item.schema)})


def _check_mapping(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be a mapping of keys and values"
    return next((f"{k!r} {p}" for k, v in value.items() if (p := _check_line(v))), None)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _required(found: Field) -> Field:
    return Field(found.check, found.schema, required=True)


def _many(fields: Mapping[str, Field]) -> Field:
    def check(value: Any) -> str | None:
        return None if isinstance(value, list) else "must be a list"

    return Field(check, {"type": "array", "items": _object(fields)}, many=fields)


def _object(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key for key, found in fields.items() if found.required],
        "properties": {key: dict(found.schema) for key, found in fields.items()},
    }


_TEXT = {"type": ["string", "number"]}
LINE = Field(_check_line, _TEXT)
LINES = Field(_check_lines, _TEXT)
FLAG = Field(_check_flag, {"type": "boolean"})
PERIOD = Field(_check_period, {"type": ["string", "integer"]})
SLUG_FIELD = _matching(SLUG.pattern, "a slug such as acme-data")
COUNTRY = _matching(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", "a country such as DE or US-CA (ISO 3166)")
LANGUAGE = _matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language such as de or pt-BR (BCP 47)")
IDENTIFIER = _one_of(IDENTIFIER_KINDS)


def _check_identifier(value: Any) -> str | None:
    if isinstance(value, list) and value:
        return _list_of(IDENTIFIER).check(value)
    return IDENTIFIER.check(value)


CONTACT_FIELDS: Mapping[str, Field] = {
    "kind": _required(_one_of(CONTACT_KINDS)),
    "value": _required(LINES),
    "name": LINE,
    "right": SLUG_FIELD,
    "source": _required(LINE),
    "checked": PERIOD,
    "since": PERIOD,
    "status": _one_of(CONTACT_STATUSES),
    "verified": FLAG,
    "derived": FLAG,
    "note": LINES,
}
DECISION_FIELDS: Mapping[str, Field] = {
    "authority": _required(LINE),
    "date": _required(LINE),
    "what": _required(LINE),
    "source": _required(LINE),
    "verified": FLAG,
}
CONFLICT_FIELDS: Mapping[str, Field] = {
    "field": _required(LINE), "value": _required(LINES), "source": _required(LINE),
}
ENTRY_FIELDS: Mapping[str, Field] = {
    "name": _required(LINE),
    "legal_entity": LINE,
    "brands": _list_of(LINE),
    "aliases": _list_of(LINE),
    "categories": _list_of(_one_of(CATEGORIES)),
    "country": COUNTRY,
    "group": SLUG_FIELD,
    "public_body": FLAG,
    "status": _one_of(STATUSES),
    "successor": SLUG_FIELD,
    "successor_verified": FLAG,
    "contactable": FLAG,
    "not_contactable_reason": LINES,
    "excluded": LINE,
    "in_use": LINE,
    "contacts": _many(CONTACT_FIELDS),
    "preferred_channel": _one_of(CHANNELS),
    "identifiers": Field(
        _list_of(Field(_check_identifier, {})).check,
        {"type": "array", "items": {"anyOf": [
            dict(IDENTIFIER.schema), {"type": "array", "items": dict(IDENTIFIER.schema)}]}},
    ),
    "identifiers_on_demand": _list_of(IDENTIFIER),
    "id_document": _one_of(ID_DOCUMENT),
    "laws": _list_of(SLUG_FIELD),
    "languages": _list_of(LANGUAGE),
    "lead_authority": SLUG_FIELD,
    "web": LINE,
    "reply_domains": _list_of(LINE),
    "reply_mailboxes": _list_of(LINE),
    "shared_domain": FLAG,
    "brokers_registered_in": _list_of(COUNTRY),
    "enforcement": _many(DECISION_FIELDS),
    "notes": LINES,
    "conflicts": _many(CONFLICT_FIELDS),
    "sources": Field(
        _check_mapping, {"type": "object", "additionalProperties": {"type": "string"}}),
    "checked": PERIOD,
    "pulled_from": _list_of(LINE),
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of companies.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "companies.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "companies"],
        "properties": {
            "schema": {"const": FORMAT},
            "companies": {
                "type": "object",
                "propertyNames": {"pattern": f"^(?:{SLUG.pattern})$"},
                "additionalProperties": _object(ENTRY_FIELDS),
            },
        },
    }
