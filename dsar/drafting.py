"""Planned letters → approved letters: rendered, composed, archived and in the ledger."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from dsar.core.case import CaseEvent, CaseOpened, LetterApproved, RailOverridden
from dsar.core.letter import Letter, Outgoing, Rendered, Stage
from dsar.core.place import place_of_action
from dsar.core.plan import PlannedLetter
from dsar.core.platform import PLATFORM
from dsar.core.reference import reference_from
from dsar.core.retry import is_given_up, next_try
from dsar.core.subject import DataSubject
from dsar.store import Store


class Archive(Protocol):
    """Where exact bytes are kept before anything else happens to them."""

    def add(self, data: bytes) -> str:
        """Store `data` durably and return its SHA-256 in hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """From which account letters go, and where answers arrive.

    tag_key: the secret of this home for reply addresses, or None where the provider has no
    plus addressing; answers then come to `address` itself.
    """

    account: str
    address: str
    display_name: str
    tag_key: bytes | None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What drafting needs from the outside, passed in so that tests decide.

    entropy: returns that many random bytes. render: words of a letter.
    compose: words and headers → message bytes.
    """

    store: Store
    archive: Archive
    sender: Sender
    now: datetime
    today: date
    entropy: Callable[[int], bytes]
    render: Callable[[Letter], Rendered]
    compose: Callable[[Rendered, Letter, Headers], bytes]


@dataclass(frozen=True, kw_only=True)
class Headers:
    """The header fields of an outgoing letter that do not come from its words."""

    sender: str
    display_name: str
    recipient: str
    reply_to: str | None
    message_id: str
    dated: datetime
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


def reply_address(address: str, reference: str, key: bytes) -> str:
    """Return the plus address of a case: its tag carries a truncated HMAC, so nobody guesses it."""
    local, _, domain = address.rpartition("@")
    plain = reference.removeprefix("DSAR-").replace("-", "").lower()
    seal = hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()[:8]
    return f"{local}+dsar-{plain}-{seal}@{domain}"


def approve(
    planned: PlannedLetter, subject: DataSubject, desk: Desk, *, overrides: Mapping[str, str],
    wave: int = 0,
) -> Outgoing:
    """Write one letter of any stage, archive its bytes and record its approval; nothing is sent.

    overrides: rails the user overrides, with the reason; those that held this very letter
    (`planned.overridden`) are kept in the ledger. wave: in which a campaign's reminder goes.
    Raises LetterIncomplete for a letter with a gap, StorageFailed when the disk is full.
    """
    earlier = planned.case
    reference = earlier.facts.reference if earlier else reference_from(desk.entropy(5))
    case_id = earlier.id if earlier else reference.removeprefix("DSAR-")
    letter = Letter(
        stage=planned.stage, facts=planned.facts, right=planned.regime.rights[planned.right],
        regime=planned.regime,
        language=planned.language, reference=reference, subject=subject,
        controller=planned.controller, disclosures=planned.disclosures, written_on=desk.today,
    )
    headers = _headers(planned, reference, desk)
    message = desk.compose(desk.render(letter), letter, headers)
    digest = desk.archive.add(message)
    events: list[CaseEvent] = [] if earlier else [
        opening(planned, subject, desk, reference, headers.reply_to)]
    events += [RailOverridden(on=desk.today, rail=rail, reason=reason)
               for rail, reason in overrides.items() if rail in planned.overridden]
    events.append(LetterApproved(
        on=desk.today, stage=planned.stage, message_id=headers.message_id, digest=digest,
        recipient=planned.contact.value, account=desk.sender.account,
        channel=channel_of(planned),
        disclosed=tuple((d.identifier.kind, d.reason) for d in planned.disclosures), wave=wave,
    ))
    version = earlier.version if earlier else 0
    desk.store.append(case_id, events, after=version)
    return Outgoing(
        case_id=case_id, message=message,
        message_id=headers.message_id, sender=desk.sender.address,
        recipient=planned.contact.value, stage=planned.stage, account=desk.sender.account,
        controller=planned.controller.slug,
    )


def channel_of(planned: PlannedLetter) -> str:
    """email, webform, post or drop."""
    kind = planned.contact.kind
    return kind if kind in ("webform", "post", PLATFORM) else "email"


def _headers(planned: PlannedLetter, reference: str, desk: Desk) -> Headers:
    """A follow-up goes in the thread of its case and asks for answers where the request did.

    A campaign's letter asks for them where its case was opened to, perhaps on another machine.
    """
    sender = desk.sender
    domain = sender.address.rpartition("@")[2]
    tagged = reply_address(sender.address, reference, sender.tag_key) if sender.tag_key else None
    known = planned.case
    if known is not None and (planned.stage is not Stage.REQUEST or known.facts.campaign):
        tagged = known.facts.reply_address
    return Headers(
        sender=sender.address, display_name=sender.display_name, recipient=planned.contact.value,
        reply_to=tagged, message_id=f"<{desk.entropy(12).hex()}@{domain}>", dated=desk.now,
        in_reply_to=planned.in_reply_to, references=planned.references,
    )


def opening(planned: PlannedLetter, subject: DataSubject, desk: Desk, reference: str,
            reply_to: str | None) -> CaseOpened:
    """The event that begins a case for this letter; `reply_to`: where its answers arrive."""
    controller = planned.controller
    acts = place_of_action(controller.country, planned.regime, subject.residence)
    mailboxes = {c.value for c in controller.emails()} | set(controller.reply_mailboxes)
    return CaseOpened(
        on=desk.today, case_id=reference.removeprefix("DSAR-"), reference=reference,
        subject_id=subject.id, controller=controller.slug, controller_name=controller.name,
        right=planned.right, regime=planned.regime.id, language=planned.language,
        country=acts.place.country, subdivision=acts.place.subdivision,
        controller_outside=acts.controller_outside, group=controller.group,
        recipient=planned.contact.value, reply_address=reply_to,
        reply_domains=() if controller.shared_domain else controller.reply_domains,
        reply_mailboxes=tuple(sorted(mailboxes)), mailbox=desk.sender.address,
        follows=planned.follows,
    )


def waiting_letters(store: Store, read: Callable[[str], bytes], cases: Sequence[str],
                    addresses: dict[str, str], *, now: datetime) -> Iterator[Outgoing]:
    """Yield letters approved earlier and not sent, with the very bytes approved.

    read: bytes of a digest. addresses: account name → envelope sender. A letter that the server
    put off is left out until its pause is over.
    """
    for case_id in cases:
        case = store.case(case_id)
        approved = case.approved
        if approved is None or case.in_doubt or case.closed or approved.account not in addresses:
            continue
        if approved.channel != "email" or case.facts.campaign is not None:
            continue  # a campaign's letters go out in waves, by its own workers
        later = next_try(case)
        if is_given_up(case) or (later is not None and now < later):
            continue
        yield Outgoing(
            case_id=case_id, message=read(approved.digest),
            message_id=approved.message_id, sender=addresses[approved.account],
            recipient=approved.recipient, stage=approved.stage, account=approved.account,
            controller=case.facts.controller,
        )


def tag_key(path: Path, entropy: Callable[[int], bytes]) -> bytes:
    """Return the key of this home for reply addresses, made on first use (mode 0600)."""
    from dsar.home import write_private

    if path.exists():
        return path.read_bytes()
    key = entropy(32)
    write_private(path, key)
    return key
