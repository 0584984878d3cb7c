"""Requests filed elsewhere → cases: YAML or CSV in; each bad row names its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dsar import yamlfile
from dsar.core.case import CaseEvent, CaseOpened, LetterSent
from dsar.core.letter import Stage
from dsar.core.reference import canonical
from dsar.errors import FileProblems, Problem

COLUMNS = ("id", "token", "name", "mailbox", "plus_address", "message_ids", "slug", "company",
           "email", "aliases", "domains", "right", "regime", "language", "sent", "country")
"""The columns of the CSV form; several values in one cell are separated by spaces."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One case to be made, and the company it names (for the overlay, where it is unknown).

    line: where its row begins in the file.
    """

    case_id: str
    events: tuple[CaseEvent, ...]
    company: Mapping[str, Any]
    line: int = 1


@dataclass
class Import:
    """What a file gave: the good rows, and a problem for each bad one."""

    cases: list[Imported] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    path: str = ""


def read_cases(path: Path, *, rights: frozenset[str], regimes: Mapping[str, str]) -> Import:
    """Read a file of cases.

    rights: the known words. regimes: id → country where the law names one, else "".
    Raises FileProblems for a file that cannot be read at all.
    """
    if path.suffix.lower() == ".csv":
        document, readers = _csv_rows(path)
    else:
        document = yamlfile.read(path)
        readers = _yaml_rows(document)
    result = Import(path=document.path)
    seen: set[str] = set()
    for reader in readers:
        before = len(document.problems)
        found = _case(reader, rights, regimes)
        if found.case_id in seen:
            reader.problem("id", f"case {found.case_id!r} stands here a second time")
        seen.add(found.case_id)
        if len(document.problems) == before:
            result.cases.append(found)
    result.problems = sorted(document.problems)
    return result


def _yaml_rows(document: yamlfile.Document) -> Iterator[yamlfile.Reader]:
    rows = document.value
    if isinstance(rows, yamlfile.Mapping) and "cases" in rows:
        rows = rows["cases"]
    if not isinstance(rows, yamlfile.Sequence):
        raise FileProblems([Problem(document.path, 1, "must be a list of cases")])
    for number, row in enumerate(rows):
        yield yamlfile.Reader.of(document, row, f"case {number + 1}", line=rows.lines[number])


def _csv_rows(path: Path) -> tuple[yamlfile.Document, Iterator[yamlfile.Reader]]:
    document = yamlfile.Document(str(path), None)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblems([Problem(str(path), 1, f"cannot be read: {error}")]) from None
    table = csv.DictReader(io.StringIO(text, newline=""))
    unknown = set(table.fieldnames or ()) - set(COLUMNS)
    if unknown:
        document.add(1, f"unknown columns {', '.join(sorted(map(str, unknown)))}",
                     hint=f"Known: {', '.join(COLUMNS)}")
        document.raise_problems()
    return document, _csv_readers(document, table)


def _csv_readers(
    document: yamlfile.Document, table: csv.DictReader[str]
) -> Iterator[yamlfile.Reader]:
    for row in table:
        line = table.line_num
        if None in row.values() or None in row:
            document.add(line, "has another number of cells than the heading")
            continue
        flat = {key: (value or "").strip() or None for key, value in row.items()}
        nested = _mapping(line, {
            **{k: flat.get(k) for k in ("id", "token", "right", "regime", "language", "sent",
                                        "country")},
            "message_ids": _list(line, flat.get("message_ids")),
            "data_subject": _mapping(line, {
                k: flat.get(k) for k in ("name", "mailbox", "plus_address")}),
            "company": _mapping(line, {
                "slug": flat.get("slug"), "name": flat.get("company"), "email": flat.get("email"),
                "aliases": _list(line, flat.get("aliases")),
                "domains": _list(line, flat.get("domains"))}),
        })
        yield yamlfile.Reader.of(document, nested, f"case {flat.get('id')}", line=line)


def _mapping(line: int, values: dict[str, Any]) -> yamlfile.Mapping:
    made = yamlfile.Mapping({k: v for k, v in values.items() if v is not None})
    made.line, made.lines = line, dict.fromkeys(made, line)
    return made


def _list(line: int, cell: str | None) -> yamlfile.Sequence | None:
    if not cell:
        return None
    items = yamlfile.Sequence(cell.split())
    items.line, items.lines = line, [line] * len(items)
    return items


_REFERENCE = re.compile(r"DSAR-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


def _case(reader: yamlfile.Reader, rights: frozenset[str], regimes: Mapping[str, str]) -> Imported:
    person, company = reader.mapping("data_subject"), reader.mapping("company")
    case_id = reader.text("id", required=True)
    if case_id.startswith("_") or len(case_id) > 80 or not case_id.isprintable() or (
            " " in case_id):
        reader.problem("id", "a case id has no spaces, at most 80 characters, and no _ in front")
    sent = reader.day("sent")
    if sent is None and reader.raw("sent") is None:
        reader.problem("sent", "'sent' is missing")
    mailbox = _address(person, "mailbox")
    facts = _company(company)
    message_ids = reader.texts("message_ids")
    regime = reader.one_of("regime", sorted(regimes), default="")
    opened = CaseOpened(
        on=sent or date.min, case_id=case_id, reference=_reference(reader),
        subject_id=slug_of(person.text("name", required=True)), controller=facts["slug"],
        controller_name=facts["name"], right=reader.one_of("right", rights, default="access"),
        regime=regime, language=reader.text("language", default="en"),
        country=reader.text("country") or regimes.get(regime, ""),
        subdivision=reader.optional("subdivision"), recipient=facts["email"],
        reply_address=_address(person, "plus_address"), mailbox=mailbox,
        reply_domains=tuple(facts["domains"]),
        reply_mailboxes=tuple(a for a in (facts["email"], *facts["aliases"]) if a),
        origin="import", message_ids=message_ids[1:],
    )
    request = LetterSent(on=sent or date.min, stage=Stage.REQUEST, recipient=facts["email"] or "",
                         message_id=message_ids[0] if message_ids else "", settled_by="import")
    for known in ("outgoing_subject", "due", "due_max", "note"):
        reader.raw(known)
    for part in (person, company, reader):
        part.finish()
    return Imported(case_id=case_id, events=(opened, request), company=facts,
                    line=reader.value.line)


def _company(company: yamlfile.Reader) -> dict[str, Any]:
    slug, name = company.text("slug", required=True), company.text("name", required=True)
    return {"slug": slug, "name": name,
            "email": _address(company, "email"), "aliases": list(company.texts("aliases")),
            "domains": [d.lower() for d in company.texts("domains")]}


def _reference(reader: yamlfile.Reader) -> str:
    token = reader.text("token", required=True)
    reference = canonical(token)
    if token and not _REFERENCE.fullmatch(reference):
        reader.problem("token", f"{token!r} is not a reference such as DSAR-7K3Q-9MZ2")
    return reference


def _address(reader: yamlfile.Reader, key: str) -> str | None:
    found = reader.optional(key)
    if found is not None and ("@" not in found or any(c.isspace() for c in found)):
        reader.problem(key, f"{found!r} is no mail address")
    return found


def slug_of(name: str) -> str:
    """A name as an id: lower-case ASCII letters and digits with hyphens."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "person"
