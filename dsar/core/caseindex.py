"""What matching has to know of the cases, looked up in constant time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from dsar.core.lookalike import Lookalikes
from dsar.core.reference import ALPHABET, canonical, find_references

_PLUS_TOKEN = re.compile(r"(?<![0-9A-Za-z])([0-9A-Za-z]{4})[\s\-_‐-―.]{0,3}([0-9A-Za-z]{4})"
                         r"(?![0-9A-Za-z])")


def bare_mailbox(address: str) -> str:
    """The address without its plus tag (RFC 5233), lower-case."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """The facts of one case that a message can answer to.

    message_ids: of every letter of ours that may have left, with angle brackets. reference: as
    printed. origin: "dsar" for our own (their references bear a check character) or "import".
    mailbox: the person's own address. addresses: where we wrote to and known reply mailboxes.
    domains: the company's own. names: lower-case names to recognise it by in a text.
    tickets: numbers learned from earlier replies. sent_on: the first letter; last_sent_on: the
    latest (the same, when not given). complaint_ids, authorities: Message-IDs of complaints that
    left, and the domains they went to: what is answered from there is not the company's word.
    person: whose case it is. one_mailbox: many people's answers come to one mailbox, so that a
    sender alone says nothing of whom they answer.
    """

    case_id: str
    message_ids: tuple[str, ...] = ()
    reference: str = ""
    origin: str = "dsar"
    reply_address: str | None = None
    mailbox: str = ""
    controller: str = ""
    name: str = ""
    addresses: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()
    shared_domain: bool = False
    tickets: tuple[str, ...] = ()
    is_open: bool = True
    sent_on: date = date.min
    latest_sent_on: date | None = None
    language: str = "en"
    right: str = ""
    complaint_ids: frozenset[str] = frozenset()
    authorities: frozenset[str] = frozenset()
    person: str = ""
    one_mailbox: bool = False

    @property
    def last_sent_on(self) -> date:
        """When the latest letter left."""
        return self.latest_sent_on or self.sent_on

    @property
    def names(self) -> tuple[str, ...]:
        """Names and domain names of the company, lower-case, long enough to mean it."""
        first = self.name.lower().split(" ")[0].strip(",.")
        found = (self.name.lower(), first, *(d.split(".")[0] for d in self.domains))
        return tuple(dict.fromkeys(n for n in found if len(n) >= 5))

    def owns(self, domain: str) -> bool:
        """Whether a domain is one of the company's, or below one, and no host it shares."""
        return not self.shared_domain and any(
            domain == d or domain.endswith("." + d) for d in self.domains)


@dataclass(frozen=True)
class CaseIndex:
    """Every way to a case. free_mail and help_desks: domains that belong to no one company."""

    facts: Mapping[str, CaseFacts] = field(default_factory=dict)
    by_message_id: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_reply_address: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_reference: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_ticket: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_address: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_domain: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mailboxes: frozenset[str] = frozenset()
    free_mail: frozenset[str] = frozenset()
    help_desks: frozenset[str] = frozenset()
    lookalikes: Lookalikes = field(default_factory=Lookalikes)

    @classmethod
    def of(
        cls, facts: Iterable[CaseFacts], *, free_mail: Iterable[str] = (),
        help_desks: Iterable[str] = (), own: Iterable[str] = (),
    ) -> CaseIndex:
        """Build the index; `own` are further addresses of ours."""
        listed = {f.case_id: f for f in facts}
        values = list(listed.values())
        shared = frozenset(free_mail) | frozenset(help_desks)
        domains = [(d.lower(), f.case_id) for f in values for d in f.domains
                   if d.lower() not in shared]
        return cls(
            facts=listed,
            by_message_id=_grouped((m, f.case_id) for f in values for m in f.message_ids),
            by_reply_address=_grouped((f.reply_address.lower(), f.case_id) for f in values
                                      if f.reply_address),
            by_reference=_grouped((canonical(f.reference), f.case_id) for f in values
                                  if f.reference),
            by_ticket=_grouped((t, f.case_id) for f in values for t in f.tickets),
            by_address=_grouped((a.lower(), f.case_id) for f in values for a in f.addresses),
            by_domain=_grouped(domains),
            mailboxes=frozenset(bare_mailbox(m) for m in
                                [*(f.mailbox for f in values if f.mailbox), *own]),
            free_mail=frozenset(free_mail),
            help_desks=frozenset(help_desks),
            lookalikes=Lookalikes.of(d for d, _ in domains),
        )

    @cached_property
    def reply_hints(self) -> frozenset[str]:
        """Reply addresses without our word in their tag, lower-case: those of imported cases."""
        return frozenset(a for a in self.by_reply_address if "dsar" not in a and "+" in a)

    @cached_property
    def judged_domains(self) -> dict[str, bool]:
        """Domains that were looked up before and what came of it: mailboxes repeat them."""
        return {}

    @cached_property
    def address_domains(self) -> frozenset[str]:
        """Domains of every address written to or known to answer."""
        return frozenset(a.rpartition("@")[2] for a in self.by_address)

    def learn(self, case_id: str, tickets: Iterable[str]) -> None:
        """Take up the ticket numbers of a reply that was just filed."""
        for ticket in tickets:
            known = self.by_ticket.get(ticket, ())
            if case_id not in known:
                self.by_ticket[ticket] = (*known, case_id)

    @property
    def domains(self) -> Iterable[str]:
        """All domains of companies we wrote to."""
        return self.by_domain.keys()

    def at_domain(self, domain: str) -> list[CaseFacts]:
        """Cases whose company owns a domain or one above it."""
        return [self.facts[c] for c in self._ids_at(domain)]

    def _ids_at(self, domain: str) -> tuple[str, ...]:
        labels = domain.lower().split(".")
        above = [".".join(labels[i:]) for i in range(len(labels) - 1)]
        found = [c for d in above for c in self.by_domain.get(d, ())]
        return tuple(dict.fromkeys(found))

    def at_address(self, address: str) -> list[CaseFacts]:
        """Cases written to at exactly this address."""
        return [self.facts[c] for c in self.by_address.get(address.lower(), ())]

    def references_in(self, text: str) -> tuple[str, ...]:
        """Canonical references of known cases, and others that look like one, in order."""
        found = list(find_references(text))
        for first, second in _PLUS_TOKEN.findall(text[:200_000]):
            bare = canonical(first + second)
            if bare in self.by_reference and bare not in found:
                found.append(bare)
        return tuple(found)

    def near(self, reference: str) -> list[str]:
        """Cases whose reference differs in one character: for triage, never to file."""
        plain = reference.removeprefix("DSAR-").replace("-", "")
        found: list[str] = []
        for place in range(len(plain)):
            for char in ALPHABET:
                other = canonical(plain[:place] + char + plain[place + 1:])
                found += self.by_reference.get(other, ())
        return list(dict.fromkeys(found))

    def is_free_mail(self, domain: str) -> bool:
        """Whether anybody can have a mailbox there."""
        return domain in self.free_mail

    def is_shared(self, domain: str) -> bool:
        """Whether the domain says nothing about who writes: free mail or a help-desk host."""
        labels = domain.split(".")
        above = (".".join(labels[place:]) for place in range(len(labels)))
        return self.is_free_mail(domain) or any(d in self.help_desks for d in above)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key, case in pairs:
        cases = found.setdefault(key, [])
        if case not in cases:
            cases.append(case)
    return {key: tuple(cases) for key, cases in found.items()}
