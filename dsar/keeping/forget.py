"""Forgetting a person, a company or old cases: what goes, and the order in which it goes.

Mail first, then the case that names it, last what the choice rests on (people.yaml, the user's
own companies): whatever breaks off in between is finished by running the same command again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import cast

from dsar.config import Config
from dsar.core.campaign_events import CAMPAIGN_PREFIX, MEMBER_PREFIX
from dsar.core.case import Case
from dsar.core.contact import mailbox_key
from dsar.core.house import STREAM, HouseEvent, MessageSetAside
from dsar.core.house import forget as house_without
from dsar.core.subject import DataSubject
from dsar.home import Home
from dsar.keeping.settings import drop_accounts, drop_companies, drop_people
from dsar.keeping.tombstones import raise_tombstones
from dsar.store import Store
from dsar.store.archive import Archive
from dsar.store.sealing import Locked


@dataclass(frozen=True)
class Person:
    """All cases of one person."""

    id: str

    def covers(self, case: Case) -> bool:
        return case.facts.subject_id == self.id


@dataclass(frozen=True)
class Company:
    """All cases with one company."""

    slug: str

    def covers(self, case: Case) -> bool:
        return case.facts.controller == self.slug


@dataclass(frozen=True)
class OlderThan:
    """Closed cases in which nothing has happened since the day before `day`."""

    day: date

    def covers(self, case: Case) -> bool:
        return case.closed is not None and max(_days(case)) < self.day


Wanted = Person | Company | OlderThan
_HIDING = (b"base64", b"quoted-printable", b"=?", b"utf-16", b"utf-7", b"uuencode")
"""Without one of these in it, a mail shows its words as they are."""


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """What goes.

    mails: digests. shared: mails that also belong to cases that stay, and stay with them.
    needles: texts that must stand nowhere afterwards.
    """

    cases: tuple[Case, ...] = ()
    mails: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    person: DataSubject | None = None
    accounts: tuple[str, ...] = ()
    companies: frozenset[str] = frozenset()
    needles: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.cases or self.person or self.companies)


def plan_forgetting(
    wanted: Wanted, store: Store, config: Config, *, own_companies: Collection[str]
) -> Forgetting:
    """Return what goes. own_companies: slugs of the user's own part of the registry.

    Cases of a campaign stay: it knows by them to whom a member has written already.
    """
    cases = list(store.cases())
    gone = [case for case in cases if case.facts.campaign is None and wanted.covers(case)]
    named = _named(store, cases)
    house = [cast(HouseEvent, kept.event) for kept in store.events(STREAM)]
    before, after = set(_waiting(house)), set(_waiting(_left(house, gone)))
    ids = {case.id for case in gone}
    candidates = {d for d, of in named.items() if of & ids} | (before - after)
    mails = {d for d in candidates if named.get(d, set()) <= ids and d not in after}
    found = Forgetting(cases=tuple(gone), mails=tuple(sorted(mails)),
                       shared=tuple(sorted(candidates - mails)),
                       waiting=tuple(sorted(before - after)), needles=frozenset(_of(gone)))
    match wanted:
        case Person():
            return _with_person(found, wanted.id, config, [c for c in cases if c.id not in ids])
        case Company():
            chosen = config.chosen if len(config.chosen) > 1 else ()  # see drop_companies
            known = {wanted.slug} & {*own_companies, *chosen}
            addresses = {a for c in gone for a in _recipients(c)}
            return replace(found, companies=frozenset(known), needles=found.needles | addresses)
        case _:
            return found


def forget(
    going: Forgetting, home: Home, store: Store, archive: Archive, config: Config, *,
    today: date, keep_tombstones: bool, stay_excluded: Collection[str] = (),
) -> None:
    """Remove all of it; run again, it finishes what broke off. The caller holds the locks.

    stay_excluded: of the companies, those that must not be written to: this alone stays.
    """
    if keep_tombstones:
        mailboxes = [mailbox_key(p.email) for p in config.people]
        known = {p.id: p.email for p in config.people  # a mailbox of two people tells neither
                 if mailboxes.count(mailbox_key(p.email)) == 1}
        raise_tombstones(home.tombstones, going.cases, known, today=today)
    for digest in going.mails:
        archive.delete(digest)
    store.erase(*(case.id for case in going.cases))
    _drop_orphans(going, store, archive)
    for cached in home.cache_folder.glob("*"):
        if cached.is_file():
            cached.unlink()
    if going.companies:
        drop_companies(home, going.companies, stay_excluded=stay_excluded)
    if going.accounts:
        drop_accounts(home, going.accounts)
    if going.person is not None:
        drop_people(home, config, {going.person.id})


def _days(case: Case) -> Iterator[date]:
    """The days on which something happened."""
    yield case.facts.on
    if case.closed:
        yield case.closed.on
    yield from (a.on for a in case.attempts)
    yield from (r.received.on for r in case.replies)


def _named(store: Store, cases: Iterable[Case]) -> dict[str, set[str]]:
    """Digest → the cases whose events name it."""
    named: dict[str, set[str]] = {}
    for case in cases:
        for kept in store.events(case.id):
            if digest := getattr(kept.event, "digest", ""):
                named.setdefault(digest, set()).add(case.id)
    return named


def _waiting(house: Iterable[HouseEvent]) -> Iterator[str]:
    return (event.digest for event in house if isinstance(event, MessageSetAside))


def _left(house: list[HouseEvent], gone: Iterable[Case]) -> list[HouseEvent]:
    """The house events as they stand once all these cases are erased, one after another."""
    for case in gone:
        house = [event for event in house_without(house, case.id) if event is not None]
    return house


def _of(cases: Iterable[Case]) -> Iterator[str]:
    """What would give a case away: its reference, Message-IDs and reply address."""
    for case in cases:
        yield case.facts.reference
        yield from case.message_ids
        yield from filter(None, [case.facts.reply_address])


def _recipients(case: Case) -> set[str]:
    found = {case.facts.recipient, *(a.recipient for a in case.approvals)}
    return {address for address in found if address}


def _with_person(
    found: Forgetting, person_id: str, config: Config, others: list[Case]
) -> Forgetting:
    """Add what only this person's entry and accounts hold."""
    person = next((p for p in config.people if p.id == person_id), None)
    if person is None:
        return found
    rest = [p for p in config.people if p.id != person_id]
    shared = {text for p in rest for text in _texts(p)}
    used = {a.account for c in others for a in c.approvals}
    mine = mailbox_key(person.email) not in {mailbox_key(p.email) for p in rest}
    accounts = [a.name for a in config.accounts if mine and a.name not in used
                and mailbox_key(str(a.reader.raw("address"))) == mailbox_key(person.email)]
    return replace(found, person=person, accounts=tuple(accounts),
                   needles=found.needles | (set(_texts(person)) - shared))


def _texts(person: DataSubject) -> Iterator[str]:
    """What tells a person apart; short or common texts would be found everywhere."""
    yield person.name
    yield person.email
    yield from person.address[:1]
    yield from (i.value for i in person.identifiers if len(i.value) > 5)


def _drop_orphans(going: Forgetting, store: Store, archive: Archive) -> None:
    """Delete mail that no event names, left by a run that broke off, where it is of these cases."""
    named = set(_named(store, store.cases()))
    for stream in (STREAM, *store.streams(CAMPAIGN_PREFIX), *store.streams(MEMBER_PREFIX)):
        named |= {getattr(kept.event, "digest", "") for kept in store.events(stream)}
    for digest in [d for d in archive.digests() if d not in named]:
        with suppress(Locked):  # sealed for a member of a campaign: nobody here reads it
            if stands_in(archive.read(digest), going.needles):
                archive.delete(digest)
    archive.sweep()


def stands_in(raw: bytes, needles: Iterable[str]) -> bool:
    """Whether one of the texts stands in a mail, as it is or behind its encoding."""
    from dsar.mail.parse import parse

    folded, texts = raw.lower(), list(needles)
    if any(needle.lower().encode("utf-8", "surrogatepass") in folded for needle in texts):
        return True
    if all(map(str.isascii, texts)) and not any(mark in folded for mark in _HIDING):
        return False
    message = parse(raw, trusted_authserv=())
    text = f"{message.subject}\n{message.own_text}\n{message.quoted_text}".casefold()
    return any(needle.casefold() in text for needle in texts)
