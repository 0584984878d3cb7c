"""A home with two invented people, their cases and mail, made with the product's own means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from dsar.config import write_people
from dsar.core.case import (
    CaseClosed,
    CaseEvent,
    CaseOpened,
    LetterApproved,
    LetterSent,
    ReplyRead,
    ReplyReceived,
    SendAttempted,
)
from dsar.core.house import STREAM, MessageSetAside
from dsar.core.letter import Stage
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.home import Home, write_private
from dsar.store import Store, open_store
from dsar.store.archive import Archive

DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CHEAP = 1 << 4
"""scrypt's `n` for tests: what is tested is not the cost."""

JO = DataSubject(id="jo", name="Jo Sample", email="jo.sample@example.org", residence=Place("DE"),
                 address=("Samplegasse 7", "10115 Berlin"),
                 identifiers=(Identifier("phone", "+49 30 5550123"),))
MAX = DataSubject(id="max", name="Max Pattern", email="max@example.net", residence=Place("FR"))


def home_at(folder: Path) -> Home:
    return Home(folder, folder, folder / "cache")


def apart(folder: Path) -> Home:
    """Configuration and data in folders of their own, as the platform has it."""
    return Home(folder / "config/dsar", folder / "share/dsar", folder / "cache/dsar")


def clock() -> datetime:
    return NOON


def ledger(home: Home, *, write: bool = True) -> Store:
    return open_store(f"tinydb:{home.ledger}", write=write, now=clock, author="jo")


def letter_to(person: DataSubject, slug: str, reference: str) -> bytes:
    return (f"From: {person.name} <{person.email}>\r\nTo: privacy@{slug}.example\r\n"
            f"Message-ID: <{reference}@{person.email.partition('@')[2]}>\r\n"
            f"Subject: Request for access [{reference}]\r\n\r\nMy name is {person.name}, "
            f"{' '.join(person.address)}.\r\n").encode()


def reply_from(person: DataSubject, slug: str, reference: str, more: str = "") -> bytes:
    return (f"From: privacy@{slug}.example\r\nTo: {person.email}\r\nSubject: Re: {reference}\r\n"
            f"\r\nDear {person.name}, we have your request.{more}\r\n").encode()


def open_case(
    store: Store, archive: Archive, person: DataSubject, slug: str, case_id: str, *,
    on: date = DAY, closed: str = "", group: str | None = None, more: str = "",
) -> str:
    """Add a case with a letter and a reply; return the digest of the reply."""
    reference = f"DSAR-{case_id}"
    message_id = f"<{reference}@{person.email.partition('@')[2]}>"
    letter = archive.add(letter_to(person, slug, reference))
    answer = archive.add(reply_from(person, slug, reference, more))
    to = f"privacy@{slug}.example"
    events: list[CaseEvent] = [
        CaseOpened(on=on, case_id=case_id, reference=reference, subject_id=person.id,
                   controller=slug, controller_name=f"{slug.title()} Ltd", right="access",
                   regime="eu-gdpr", language="en", country="DE", recipient=to, group=group,
                   mailbox=person.email),
        LetterApproved(on=on, stage=Stage.REQUEST, message_id=message_id, digest=letter,
                       recipient=to, account="main",
                       disclosed=(("name", "they file by name"), ("address", "to tell apart"))),
        SendAttempted(on=on, at=NOON, message_id=message_id, recipient=to, account="main"),
        LetterSent(on=on, message_id=message_id, stage=Stage.REQUEST, recipient=to),
        ReplyReceived(on=on, at=NOON, digest=answer, message_id=f"<r{case_id}@{slug}.example>",
                      sender=to, subject=f"Re: {reference}", authentic="pass",
                      evidence=("reference",)),
        ReplyRead(on=on, digest=answer, labels=("acknowledgement",), by="machine",
                  sentence=f"Dear {person.name}, we have your request."),
    ]
    if closed:
        events.append(CaseClosed(on=on, outcome=closed))
    store.append(case_id, events, after=0)
    return answer


def set_aside(store: Store, archive: Archive, person: DataSubject, *candidates: str) -> str:
    """Add a message that waits; return its digest."""
    digest = archive.add(reply_from(person, "unsure", "which case", more=str(candidates)))
    event = MessageSetAside(
        on=DAY, at=NOON, digest=digest, sender="privacy@unsure.example",
        subject=f"To {person.name}", candidates=candidates, labels=(), why="two cases",
        evidence=tuple(f"domain: {c}" for c in candidates))
    store.append(STREAM, [event], after=len(store.events(STREAM)))
    return digest


def fill(home: Home) -> Home:
    """Two people, four cases, five waiting or filed mails, and everything else a home has."""
    home.create()
    write_people(home.people, [JO, MAX])
    write_private(home.config, b"companies: [acme, bolt]\n")
    write_private(home.overlay, b"schema: dsar.companies/1\ncompanies:\n"
                                b"  acme:\n    name: Acme Ltd\n    contactable: false\n"
                                b"    not_contactable_reason: invented\n")
    write_private(home.tag_key, bytes(range(32)))
    write_private(home.cursors, b'{"cursors": {}}')
    write_private(home.cache_folder / "registry-0.jsonl", b"privacy@acme.example\n")
    store, archive = ledger(home), Archive(home.archive)
    open_case(store, archive, JO, "acme", "7K3M-Q2XT")
    open_case(store, archive, JO, "bolt", "2F8H-N7CC", closed="answered", group="bolts",
              on=date(2025, 1, 10))
    open_case(store, archive, MAX, "acme", "QX41-T0AB")
    open_case(store, archive, MAX, "cord", "9MZ2-0000", closed="nothing-held")
    set_aside(store, archive, JO, "7K3M-Q2XT", "2F8H-N7CC")
    set_aside(store, archive, replace(MAX), "7K3M-Q2XT", "QX41-T0AB")
    store.close()
    return home


def files_with(folder: Path, *needles: str) -> list[str]:
    """Every file below a folder in whose bytes or name one of the needles stands."""
    return sorted(p.name for p in _files(folder) for n in needles
                  if n.encode() in p.read_bytes() or n in p.name)


def contents(folder: Path) -> dict[str, bytes]:
    """Path → bytes of every file below a folder, locks and caches aside."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in _files(folder)
            if not p.name.endswith(".lock") and "cache" not in p.parts}


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_file())
