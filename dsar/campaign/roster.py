"""The members of a campaign: added in batches, found again, opened for whoever has the key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from dsar.campaign.keys import Keyring, new_member_key
from dsar.campaign.rows import BadRow, Row
from dsar.core.campaign import Campaign, fold_campaign
from dsar.core.campaign_events import (
    CampaignEvent,
    MemberAdded,
    MemberEvent,
    campaign_stream,
    member_stream,
)
from dsar.core.member import Member, fold_member
from dsar.core.reference import reference_from
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.errors import LedgerDamaged, UsageProblem
from dsar.store import Addition, Recorded, Store
from dsar.store.sealing import CannotOpen

BATCH = 500
"""Members recorded together: one transaction."""


def load_campaign(store: Store, campaign_id: str) -> Campaign:
    """Return the fold of a campaign. Raises UsageProblem where there is none."""
    recorded = store.events(campaign_stream(campaign_id))
    if not recorded:
        known = ", ".join(s.partition("/")[2] for s in store.streams("campaign/"))
        raise UsageProblem(f"No campaign {campaign_id!r}.",
                           hint=f"Known: {known}" if known else "dsar campaign init ID")
    return fold_campaign(cast(CampaignEvent, r.event) for r in recorded)


def load_members(store: Store, campaign: Campaign) -> Iterator[Member]:
    """Yield the members in the order they joined, without holding them all."""
    for _, recorded in store.history(member_stream(campaign.id, "")):
        yield _folded(recorded, campaign)


def load_member(store: Store, campaign: Campaign, code: str) -> Member:
    """Return one member. Raises UsageProblem where there is none with this code."""
    recorded = store.events(member_stream(campaign.id, code))
    if not recorded:
        raise UsageProblem(f"No member {code!r} in campaign {campaign.id}.",
                           hint=f"dsar campaign members {campaign.id}")
    return _folded(recorded, campaign)


def _folded(recorded: Sequence[Recorded], campaign: Campaign) -> Member:
    events = (cast(MemberEvent, r.event) for r in recorded)
    return fold_member(events, holder=campaign.started.organisation)


def record(store: Store, campaign: Campaign, member: Member, *events: MemberEvent) -> Member:
    """Add events to a member and return the member as it is now. Raises ConcurrentAppend."""
    stream = member_stream(campaign.id, member.code)
    store.append(stream, list(events), after=member.version)
    return _folded(store.events(stream), campaign)


def record_campaign(store: Store, campaign: Campaign, *events: CampaignEvent) -> Campaign:
    """Add events to a campaign and return it as it is now. Raises ConcurrentAppend."""
    store.append(campaign_stream(campaign.id), list(events), after=campaign.version)
    return load_campaign(store, campaign.id)


def subject_of(member: Member, keys: Keyring) -> DataSubject:
    """Who a member is: name, addresses, identifiers; the id is the code. Raises LedgerDamaged."""
    added = member.added
    try:
        known = json.loads(keys.open(added.identity, _bound(added.code)))
    except (CannotOpen, ValueError) as error:
        raise LedgerDamaged(f"member {added.code}: cannot be opened ({error}).",
                            hint="Is sending.key the key of this campaign?") from None
    return DataSubject(
        id=added.code, name=known["name"], email=known["email"],
        residence=Place.parse(added.residence), languages=added.languages,
        address=tuple(known["address"]),
        identifiers=tuple(Identifier(*parts) for parts in known["identifiers"]),
    )


@dataclass(frozen=True)
class Added:
    """A row that became a member."""

    line: int
    code: str


@dataclass(kw_only=True)
class Enrolment:
    """Adds members row by row. entropy: returns that many random bytes."""

    store: Store
    campaign: Campaign
    keys: Keyring
    today: date
    entropy: Callable[[int], bytes]

    def add(self, rows: Iterable[Row | BadRow]) -> Iterator[Added | BadRow]:
        """Record each row, in batches, and yield what became of it once that is on the disk.

        A person who is a member already, or stands twice in the file, is a bad row.
        """
        known = {m.added.blind: m.code for m in load_members(self.store, self.campaign)}
        codes = set(known.values())
        waiting: list[tuple[Row, MemberAdded]] = []
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            if row.consented_on is not None and row.consented_on > self.today:
                yield BadRow(row.line, "the day of the consent is yet to come", row.cells)
                continue
            blind = self.keys.blinded(row.email)
            if blind in known:
                yield BadRow(row.line, f"is member {known[blind]} already", row.cells)
                continue
            event = self._event(row, blind, codes)
            known[blind] = event.code
            codes.add(event.code)
            waiting.append((row, event))
            if len(waiting) == BATCH:
                yield from self._recorded(waiting)
                waiting = []
        yield from self._recorded(waiting)

    def _recorded(self, waiting: Sequence[tuple[Row, MemberAdded]]) -> Iterator[Added]:
        self.store.append_all(
            Addition(stream=member_stream(self.campaign.id, event.code), events=[event], after=0)
            for _, event in waiting)
        for row, event in waiting:
            yield Added(row.line, event.code)

    def _event(self, row: Row, blind: str, codes: set[str]) -> MemberAdded:
        code = new_code(self.entropy)
        while code in codes:  # 35 random bits: among 100,000 members two may meet
            code = new_code(self.entropy)
        started, key = self.campaign.started, new_member_key(self.campaign.started.content_key)
        identity = json.dumps({
            "name": row.name, "email": row.email, "address": list(row.address),
            "identifiers": [[i.kind, i.value, i.tell] for i in row.identifiers],
        }, ensure_ascii=False)
        return MemberAdded(
            on=row.consented_on or self.today, code=code, residence=str(row.residence),
            languages=row.languages, blind=blind, key=key.public, secret=key.sealed_secret,
            identity=self.keys.letters.seal(identity.encode(), _bound(code)),
            consent_version=started.consent_version, told_by=row.told_by, analysis=row.analysis,
            in_copy=row.in_copy,
        )


def new_code(entropy: Callable[[int], bytes]) -> str:
    """A member's code, `m-` and 8 characters with a check character; says nothing of anybody."""
    return "m-" + reference_from(entropy(5)).removeprefix("DSAR-").replace("-", "").lower()


def _bound(code: str) -> bytes:
    return f"member {code}".encode()
