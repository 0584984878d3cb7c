"""Merges public lists into one registry: by site, legal entity and alias, never by name alone.

What was compiled by hand keeps its contacts; a list that says otherwise is kept as a conflict.
Two records of one list stay two, unless they say the same. Where one letter serves several
entries (one mailbox), they become a group.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from dsar.core.contact import mailbox_key
from dsar.core.controller import Conflict, Contact, Controller
from dsar.registry.domains import host_of, registrable
from dsar.registry.mailboxes import is_free_mail, is_person_like
from dsar.registry.names import all_cores, entity, entity_cores, has_form, is_shorter_name

CROWDED = 3
MAX_CONFLICTS = 12
_REFERENCE = re.compile(r"\b([a-z][a-z0-9-]+):([a-z0-9]+(?:-[a-z0-9]+)*)")


@dataclass(frozen=True)
class Decision:
    """What became of one record: merged into `into` for `because`, or a new entry (None)."""

    source: str
    record: str
    name: str
    into: str | None
    because: str


@dataclass
class Merged:
    """The registry so far, with the ways to find an entry again."""

    entries: dict[str, Controller] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    _by_domain: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_entity: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _from_source: dict[tuple[str, str], list[Controller]] = field(
        default_factory=lambda: defaultdict(list))
    _crowds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def start(self, controllers: Iterable[Controller]) -> None:
        """Begin with the registry compiled by hand; its sources point to records of the lists."""
        for controller in controllers:
            self._add(controller.slug, controller)
            for source in (*(c.source for c in controller.contacts),
                           *(s for _, s in controller.sources)):
                for reference in _REFERENCE.findall(source):
                    self.references.setdefault(reference, controller.slug)

    def take(self, source: str, controllers: Iterable[Controller]) -> None:
        """Merge the records of one list, or add them."""
        records = list(controllers)
        for record in records:
            if (domain := registrable(record.web)) is not None:
                self._crowds[source, domain] += 1
        for record in records:
            self._take_one(source, record)

    def _take_one(self, source: str, record: Controller) -> None:
        slug, because = self._find(source, record)
        known = self._from_source[source, slug] if slug is not None else []
        if slug is not None and known and not any(
                _says_the_same(record, k) for k in (*known, self.entries[slug])):
            slug, because = None, f"{source} has another record for {slug}"
        if slug is None:
            new = self._free_slug(source, record.slug)
            self._add(new, replace(record, slug=new))
        else:
            self.entries[slug] = joined(self.entries[slug], record)
        target = slug or new
        self._from_source[source, target].append(record)
        self.references.setdefault((source, record.slug), target)
        self.decisions.append(Decision(source, record.slug, record.name, slug, because))

    def _add(self, slug: str, controller: Controller) -> None:
        self.entries[slug] = controller
        if (domain := registrable(controller.web)) is not None:
            self._by_domain[domain].append(slug)
        if entity(controller):
            self._by_entity[entity(controller)].append(slug)

    def _free_slug(self, source: str, wanted: str) -> str:
        if wanted not in self.entries:
            return wanted
        found, number = f"{wanted}-{source}", 2
        while found in self.entries:
            found, number = f"{wanted}-{source}-{number}", number + 1
        return found

    def _find(self, source: str, record: Controller) -> tuple[str | None, str]:
        """The entry that is this very controller, and why; None and why not."""
        referred = self.references.get((source, record.slug))
        if referred is not None:
            return referred, "the registry names this record as its source"
        domain = registrable(record.web)
        same_site = self._by_domain.get(domain or "", [])
        crowded = len(same_site) >= CROWDED or self._crowds[source, domain or ""] >= CROWDED
        fitting = [s for s in same_site if _same_site_fits(self.entries[s], record, crowded)]
        if fitting:
            best = _best(fitting, self.entries, record)
            if best is not None:
                return best, f"same site {domain}"
            return None, f"several entries fit on {domain}"
        return self._find_by_entity(record, same_site)

    def _find_by_entity(
        self, record: Controller, same_site: list[str]
    ) -> tuple[str | None, str]:
        fitting = [s for s in self._by_entity.get(entity(record), ())
                   if entity(record) and _same_entity_fits(self.entries[s], record)]
        if len(fitting) == 1:
            return fitting[0], f"same legal entity {record.legal_entity}"
        return None, "same site, another company" if same_site else "nothing alike"


def _same_site_fits(entry: Controller, record: Controller, crowded: bool) -> bool:
    """Whether two on one site are one controller.

    Two legal entities with different names, or in different countries, are two controllers even
    on one site. Where many share the site (a city, a church, a group), only equal names count.
    """
    entities = has_form(entry.legal_entity) and has_form(record.legal_entity)
    abroad = entry.country and record.country and (
        entry.country.partition("-")[0] != record.country.partition("-")[0])
    equal = bool(all_cores(entry) & all_cores(record))
    if entities and not entity_cores(entry) & entity_cores(record):
        return equal and not abroad and _trade_name(entry, record)
    if abroad:
        return entity(entry) != "" and entity(entry) == entity(record)
    if equal or (_mailboxes(entry) & _mailboxes(record) and not crowded):
        return True
    return not crowded and host_of(entry.web) == host_of(record.web) and any(
        is_shorter_name(a, b) for a in all_cores(entry) for b in all_cores(record))


def _trade_name(entry: Controller, record: Controller) -> bool:
    """One of the two gives the other's legal entity as another name of its own."""
    return bool(entity_cores(entry) & all_cores(record) or entity_cores(record) & all_cores(entry))


def _same_entity_fits(entry: Controller, record: Controller) -> bool:
    """Same legal entity: also one country, and one mail domain, or no site of another name."""
    if not entry.country or not record.country:
        return not (entry.web and record.web) and not (entry.country or record.country)
    if entry.country.partition("-")[0] != record.country.partition("-")[0]:
        return False
    if _mail_domains(entry) & _mail_domains(record):
        return True
    mine, theirs = registrable(entry.web), registrable(record.web)
    return not mine or not theirs or mine.partition(".")[0] == theirs.partition(".")[0]


def _best(
    fitting: list[str], entries: dict[str, Controller], record: Controller
) -> str | None:
    """The one that fits best: legal entity, country, mailbox, compiled by hand; None: a draw."""
    ranked = sorted(((_fit(entries[slug], record), slug) for slug in fitting), reverse=True)
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        return None
    return ranked[0][1]


def _fit(entry: Controller, record: Controller) -> tuple[bool, ...]:
    return (entity(entry) != "" and entity(entry) == entity(record),
            bool(entity_cores(entry) & entity_cores(record)),
            bool(entry.country and entry.country == record.country),
            bool(_mailboxes(entry) & _mailboxes(record)), not entry.pulled_from)


def _says_the_same(one: Controller, other: Controller) -> bool:
    """Two records of one list: the same entity on the same site, or no difference that matters."""
    if host_of(one.web) != host_of(other.web):
        return False
    if entity(one) and entity(one) == entity(other) and one.country == other.country:
        return True
    return bool(all_cores(one) & all_cores(other)) and _mailboxes(one) == _mailboxes(other)


def _mailboxes(controller: Controller) -> set[str]:
    return {mailbox_key(c.value) for c in controller.contacts if c.kind in ("email", "dpo")}


def _mail_domains(controller: Controller) -> set[str]:
    """Domains of the mailboxes, those left out at which anybody has one."""
    addresses = (c.value for c in controller.contacts if c.kind in ("email", "dpo"))
    found = (registrable(f"https://{a.rpartition('@')[2]}/") for a in addresses
             if not is_free_mail(a))
    return {domain for domain in found if domain}


def joined(entry: Controller, record: Controller) -> Controller:
    """Return the entry with what the record adds; what differs is kept as a conflict."""
    by_hand = not entry.pulled_from
    contacts, conflicts = _joined_contacts(entry, record, by_hand)
    names = all_cores(entry)
    alias = () if all_cores(replace(record, brands=(), aliases=())) & names else (record.name,)
    return replace(
        entry, contacts=contacts, conflicts=conflicts[:max(MAX_CONFLICTS, len(entry.conflicts))],
        aliases=(*entry.aliases, *alias), web=entry.web or record.web,
        country=entry.country or record.country,
        categories=entry.categories if by_hand else _union(entry.categories, record.categories),
        laws=entry.laws if by_hand else _union(entry.laws, record.laws),
        id_document=record.id_document if entry.id_document == "unknown" else entry.id_document,
        brokers_registered_in=_union(entry.brokers_registered_in, record.brokers_registered_in),
        contactable=entry.contactable or (bool(contacts) and not by_hand),
        not_contactable_reason=entry.not_contactable_reason if by_hand or not contacts else None,
        pulled_from=entry.pulled_from if by_hand else _union(
            entry.pulled_from, record.pulled_from),
    )


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Both, each once; what says nothing ("other") gives way."""
    both = tuple(dict.fromkeys((*one, *other)))
    return tuple(word for word in both if word != "other") or both


def _joined_contacts(
    entry: Controller, record: Controller, by_hand: bool
) -> tuple[tuple[Contact, ...], tuple[Conflict, ...]]:
    """Same mailbox: the fresher date. Another one: the fresher stays, the other is a conflict."""
    contacts, conflicts = list(entry.contacts), list(entry.conflicts)
    for new in record.contacts:
        if by_hand and is_person_like(new.value):  # no employee's address beside a role address
            continue
        at = next((n for n, c in enumerate(contacts)
                   if (c.kind, c.right) == (new.kind, new.right)), None)
        if at is None and by_hand:  # that there is none may be what was found by hand
            conflicts.append(_conflict(new))
            continue
        if at is None:
            contacts.append(new)
            continue
        old = contacts[at]
        if _key(old) == _key(new):
            contacts[at] = old if by_hand or not _is_fresher(new, old) else new
        elif by_hand or not _is_fresher(new, old):
            conflicts.append(_conflict(new))
        else:
            contacts[at] = new
            conflicts.append(_conflict(old))
    return tuple(contacts), tuple(_distinct(conflicts, contacts))


def _conflict(contact: Contact) -> Conflict:
    return Conflict(field=contact.kind, value=contact.value, source=contact.source)


def _distinct(conflicts: list[Conflict], contacts: list[Contact]) -> Iterator[Conflict]:
    seen = {_key(contact) for contact in contacts}
    for conflict in conflicts:
        if (key := _text_key(conflict.value)) not in seen:
            seen.add(key)
            yield conflict


def _key(contact: Contact) -> str:
    return _text_key(contact.value)


def _text_key(value: str) -> str:
    if "@" in value and "//" not in value:
        return mailbox_key(value)
    return re.sub(r"\W+", " ", value.casefold().removeprefix("https://www.")).strip()


def _is_fresher(new: Contact, old: Contact) -> bool:
    return (new.checked or date.min) > (old.checked or date.min)


def finished(merged: Merged) -> dict[str, Controller]:
    """Return the entries with groups for shared mailboxes, and redirects that lead somewhere."""
    entries = {slug: _redirected(c, merged) for slug, c in merged.entries.items()}
    for slug, group in _groups(entries).items():
        if entries[slug].group != group:
            entries[slug] = replace(entries[slug], group=group)
    return entries


def _redirected(controller: Controller, merged: Merged) -> Controller:
    """Follow the list's own slug to where that record went."""
    if controller.successor is None or not controller.pulled_from:
        return controller
    source = controller.pulled_from[0]
    target = merged.references.get((source, controller.successor))
    return replace(controller, successor=target if target != controller.slug else None)


def _groups(entries: dict[str, Controller]) -> dict[str, str]:
    """Slug → group, for all entries that share a mailbox or are of one group already."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for slug, controller in entries.items():
        for key in _group_keys(controller):
            parent[root(key)] = root(slug)
    members: dict[str, list[str]] = defaultdict(list)
    for slug in entries:
        members[root(slug)].append(slug)
    return {slug: _group_name(group, entries) for group in members.values() if len(group) > 1
            for slug in group}


def _group_keys(controller: Controller) -> Iterator[str]:
    """One mailbox, one group given by hand, or one legal entity in one country."""
    yield from (f"@{key}" for key in _mailboxes(controller))
    if controller.group:
        yield f"#{controller.group}"
    if controller.country and controller.pulled_from and entity(controller):
        yield f"={controller.country} {entity(controller)}"


def _group_name(group: list[str], entries: dict[str, Controller]) -> str:
    given = sorted(found for slug in group if (found := entries[slug].group))
    return given[0] if given else min(group)
