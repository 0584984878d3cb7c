"""Everything that is kept about a person, in open formats, with an index.

    index.txt  index.json      what is there, with sizes and SHA-256
    person.json                the entry of people.yaml
    told.csv   told.json       which company was told what, when and why
    cases/ID/case.txt  .json   what happened, event by event
    cases/ID/mail/*.eml        the exact bytes of each letter and reply
    waiting/*.eml  .json       messages that answer one of these cases, not yet filed
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dsar.config import person_as_data
from dsar.core.case import Case, DeliveryFailed, LetterApproved, ReplyReceived
from dsar.core.subject import DataSubject
from dsar.errors import StorageFailed
from dsar.keeping.sinks import Sink
from dsar.report.onecase import describe
from dsar.store import Event, Recorded, Store
from dsar.store.archive import CHUNK, Archive
from dsar.store.codec import encode

TOLD = ("company", "name", "case", "on", "sent", "kind", "value", "because")


@dataclass
class Exported:
    """What was written. files: name → (size, SHA-256, what it is). missing: mail not there.

    held_back: messages that wait and may as well be another person's.
    """

    files: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    cases: int = 0
    mails: int = 0
    missing: list[str] = field(default_factory=list)
    held_back: int = 0


@dataclass
class Export:
    """One export in the making: where from, where to, and what was written so far."""

    store: Store
    archive: Archive
    sink: Sink
    done: Exported = field(default_factory=Exported)

    def write(self, name: str, what: str, chunks: Iterable[bytes]) -> None:
        """Write one file and note it for the index."""
        size, digest = self.sink.add(name, chunks)
        self.done.files[name] = (size, digest, what)

    def json(self, name: str, what: str, value: Any) -> None:
        """Write a value as JSON."""
        text = json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
        self.write(name, what, [text.encode("utf-8", "surrogatepass")])

    def mail(self, name: str, what: str, digest: str) -> bool:
        """Write the bytes of a mail; where they are not there or damaged, note that instead."""
        try:
            item = self.archive.open(digest)
        except StorageFailed:
            self.done.missing.append(digest)
            return False
        with item:
            self.write(name, what, iter(lambda: item.read(CHUNK), b""))
        self.done.mails += 1
        return True


def export(
    person_id: str, person: DataSubject | None, store: Store, archive: Archive, sink: Sink, *,
    now: datetime,
) -> Exported:
    """Write everything about one person. person: the entry of people.yaml, where there is one.

    Mail that is missing or damaged is named and does not stop the rest. Raises StorageFailed.
    """
    work = Export(store, archive, sink)
    if person is not None:
        work.json("person.json", "the entry in people.yaml", person_as_data(person))
    cases = [case for case in store.cases() if case.facts.subject_id == person_id]
    told: list[dict[str, Any]] = []
    for case, folder in zip(cases, _folders(cases), strict=True):
        _write_case(work, case, folder)
        told += _told(work, case, person)
    work.done.cases = len(cases)
    work.json("told.json", "which company was told what", told)
    work.write("told.csv", "the same as a table", [_table(told)])
    _write_waiting(work, {case.id for case in cases})
    _write_index(work, person_id, now)
    return work.done


def _folders(cases: Iterable[Case]) -> Iterator[str]:
    """A folder name for each case that any file system takes, each once."""
    seen: set[str] = set()
    for number, case in enumerate(cases, start=1):
        name = re.sub(r"[^A-Za-z0-9._-]", "_", case.id).strip(".") or "case"
        if name.lower() in seen:
            name = f"{name}-{number}"
        seen.add(name.lower())
        yield f"cases/{name}"


def _write_case(work: Export, case: Case, folder: str) -> None:
    events = work.store.events(case.id)
    mails = list(_write_mail(work, case, events, folder))
    work.json(f"{folder}/case.json", f"case {case.id}", {
        "schema": "dsar.exported-case/1", "case": case.id,
        "events": [{"sequence": e.sequence, "recorded_at": e.recorded_at.isoformat(),
                    "author": e.author} | encode(e.event) for e in events],
        "mail": mails,
    })
    text = "\n".join(_lines(case, events)) + "\n"
    work.write(f"{folder}/case.txt", f"case {case.id} in words",
               [text.encode("utf-8", "replace")])


def _lines(case: Case, events: Iterable[Recorded]) -> Iterator[str]:
    facts = case.facts
    yield f"Case {case.id}, reference {facts.reference}"
    yield f"{facts.right} from {facts.controller_name} ({facts.controller}), law {facts.regime}"
    yield ""
    for recorded in events:
        on = getattr(recorded.event, "on", "")
        yield f"{recorded.sequence:4}  {on}  {_one_line(describe(recorded.event))}"


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _write_mail(
    work: Export, case: Case, events: Iterable[Recorded], folder: str
) -> Iterator[dict[str, Any]]:
    """Write each mail once, in the order in which the events name it."""
    seen: set[str] = set()
    for recorded in events:
        event = recorded.event
        digest = getattr(event, "digest", "")
        if not digest or digest in seen:
            continue
        seen.add(digest)
        kind = _kind(case, event)
        on = getattr(event, "on", "")
        name = f"{folder}/mail/{len(seen):02}-{on}-{kind}.eml"
        there = work.mail(name, f"{kind}, case {case.id}", digest)
        yield {"file": name if there else None, "sha256": digest, "kind": kind, "on": str(on)}


def _kind(case: Case, event: Event) -> str:
    """Which way a mail went: `request-sent`, `request-not-sent`, `reply`, `bounce`, `mail`."""
    match event:
        case LetterApproved():
            left = {s.message_id for s in case.letters} | {a.message_id for a in case.attempts}
            return f"{event.stage}-{'sent' if event.message_id in left else 'not-sent'}"
        case ReplyReceived():
            return "reply"
        case DeliveryFailed():
            return "bounce"
        case _:
            return "mail"


def _told(work: Export, case: Case, person: DataSubject | None) -> Iterator[dict[str, Any]]:
    """What each letter of a case told; the value where the letter has it word for word."""
    left = {s.message_id for s in case.letters}
    doubtful = {a.message_id for a in case.unsettled}
    for approved in case.approvals:
        words = _words(work.archive, approved.digest)
        sent = "yes" if approved.message_id in left else (
            "in doubt" if approved.message_id in doubtful else "no")
        for kind, because in approved.disclosed:
            yield {"company": case.facts.controller, "name": case.facts.controller_name,
                   "case": case.id, "on": approved.on.isoformat(), "sent": sent, "kind": kind,
                   "value": _value(kind, person, words), "because": because}


def _words(archive: Archive, digest: str) -> str:
    from dsar.mail.parse import parse

    try:
        message = parse(archive.read(digest), trusted_authserv=())
    except (StorageFailed, ValueError):
        return ""
    sender = f"{message.sender.name} {message.sender.addr}" if message.sender else ""
    return _folded(f"{sender} {message.own_text} {message.quoted_text}")


def _value(kind: str, person: DataSubject | None, words: str) -> str | None:
    """The person's identifiers of a kind that stand in the letter; None: look at the letter."""
    known = [i.value for i in person.all_identifiers() if i.kind == kind] if person else []
    told = [v for v in known if all(_folded(part) in words for part in v.split(","))]
    return "; ".join(told) or None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _table(told: Iterable[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(TOLD)
    for row in told:
        table.writerow(_inert(row[column]) for column in TOLD)
    return out.getvalue().encode("utf-8-sig", "replace")


def _inert(cell: Any) -> str:
    """A cell that a spreadsheet would run gets a quote before it."""
    text = "(see the letter)" if cell is None else str(cell)
    return f"'{text}" if text.startswith(tuple("=+-@\t\r")) else text


def _write_waiting(work: Export, ids: set[str]) -> None:
    """Write messages that wait for a decision between this person's own cases.

    One that may as well be another person's is only counted: it is not shown before it is filed.
    """
    found = [m for m in work.store.house().waiting.values() if ids & set(m.candidates)]
    mine = [message for message in found if set(message.candidates) <= ids]
    work.done.held_back = len(found) - len(mine)
    for number, message in enumerate(mine, start=1):
        name = f"waiting/{number:03}-{message.on}.eml"
        work.mail(name, "a message that may answer one of these cases", message.digest)
    if mine:
        work.json("waiting/waiting.json", "what is known of these messages",
                  [encode(message) for message in mine])


def _write_index(work: Export, person_id: str, now: datetime) -> None:
    done = work.done
    files = [{"file": n, "size": size, "sha256": digest, "what": what}
             for n, (size, digest, what) in done.files.items()]
    at = now.isoformat(timespec="seconds")
    work.json("index.json", "this list for programs", {
        "schema": "dsar.exported/1", "person": person_id, "exported_at": at, "files": files,
        "missing": done.missing})
    lines = [f"Everything dsar keeps about {person_id}, as of {at}.", "",
             *(f"{f['size']:>10}  {f['file']}  ({f['what']})" for f in files)]
    if done.held_back:
        lines += ["", f"{done.held_back} messages wait that may answer these cases or those of "
                  "somebody else; `dsar inbox list` shows them."]
    if done.missing:
        lines += ["", "Named in the cases, but not in the archive or damaged:", *done.missing]
    work.write("index.txt", "this list", ["\n".join([*lines, ""]).encode("utf-8", "replace")])
