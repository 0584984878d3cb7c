"""Mandates: written for a member to sign, recorded when signed, taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dsar.campaign.board import Board
from dsar.campaign.keys import Keyring
from dsar.campaign.roster import record, subject_of
from dsar.campaign.waves import withdraw_letter
from dsar.core.campaign import Campaign
from dsar.core.campaign_events import (
    MandateIssued,
    MandateRevoked,
    MandateSigned,
    MemberLeft,
)
from dsar.core.case import Case
from dsar.core.letter import Rendered
from dsar.core.member import Member
from dsar.drafting import Archive
from dsar.errors import UsageProblem
from dsar.store import Store

HOW_SIGNED = ("pen", "qualified", "advanced", "click")
VALID_DAYS = 365
"""How long a mandate lasts where nothing else is said (tool policy)."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """What handling mandates needs. paper: kind, languages by
    preference, facts → words, in the first of them there is."""

    store: Store
    board: Board
    archive: Archive
    campaign: Campaign
    keys: Keyring
    today: date
    paper: Callable[[str, Sequence[str], dict[str, object]], Rendered]
    company_names: Sequence[str]


def mandate_words(member: Member, office: Office, *, expires_on: date,
                  answers_to: str = "member") -> Rendered:
    """The words of a mandate for this member. Raises LetterIncomplete."""
    subject, started = subject_of(member, office.keys), office.campaign.started
    return office.paper("mandate", member.added.languages, {
        "code": member.code, "name": subject.name, "address": subject.address,
        "email": subject.email, "holder": started.organisation, "contact": started.contact,
        "rights": started.rights, "companies": tuple(office.company_names),
        "answers_to_holder": answers_to == "holder", "expires_on": expires_on,
    })


def issue(member: Member, office: Office, document: bytes, *, language: str, expires_on: date,
          answers_to: str = "member") -> Member:
    """Record that this document was made for the member to sign."""
    digest = office.archive.add(document)
    return record(office.store, office.campaign, member, MandateIssued(
        on=office.today, digest=digest, language=language, expires_on=expires_on,
        rights=office.campaign.started.rights, controllers=office.campaign.targets,
        answers_to=answers_to))


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What a signed mandate says; what is left empty is as it was issued."""

    document: bytes
    how: str
    signed_on: date
    expires_on: date | None = None
    rights: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    answers_to: str = ""


def sign(member: Member, office: Office, signing: Signing) -> Member:
    """Record a signed mandate. Raises UsageProblem for one that cannot be valid.

    It covers what was issued, or less: a mandate cannot be wider than the paper that was signed.
    A file that is recorded already changes nothing, and one that was taken back or replaced stays
    so, however often a folder of mandates is read.
    """
    known = hashlib.sha256(signing.document).hexdigest()
    if member.mandate is not None and known in member.signed:
        if member.mandate.revoked_on is None and member.mandate.digest == known:
            return member
        raise UsageProblem(f"This mandate of {member.code} was taken back or replaced.",
                           hint=f"dsar campaign mandate issue {office.campaign.id} --again")
    problem = _signing_problem(member, office, signing, known)
    if problem:
        raise UsageProblem(problem)
    issued = member.issued
    if issued is None:
        raise UsageProblem(f"No mandate was issued for {member.code}.",
                           hint=f"dsar campaign mandate issue {office.campaign.id}")
    rights = signing.rights or issued.rights
    controllers = signing.controllers or issued.controllers
    wider = sorted((set(rights) - set(issued.rights))
                   | (set(controllers) - set(issued.controllers)))
    if wider:
        raise UsageProblem(f"The mandate of {member.code} does not name {', '.join(wider)}.")
    answers_to = signing.answers_to or issued.answers_to
    if answers_to == "holder" and issued.answers_to != "holder":
        raise UsageProblem(f"The mandate of {member.code} says that answers go to the member.")
    expires = min(signing.expires_on or issued.expires_on, issued.expires_on)
    digest = office.archive.add(signing.document)
    return record(office.store, office.campaign, member, MandateSigned(
        on=office.today, digest=digest, how_signed=signing.how, signed_on=signing.signed_on,
        expires_on=expires, rights=tuple(rights), controllers=tuple(controllers),
        answers_to=answers_to))


def _signing_problem(member: Member, office: Office, signing: Signing, known: str) -> str:
    """Why this file cannot be a mandate the member signed on that day, or ""."""
    issued, earlier = member.issued, member.mandate
    if member.left is not None:
        return f"{member.code} left the campaign."
    if signing.how not in HOW_SIGNED:
        return f"{signing.how!r}: signed by one of {', '.join(HOW_SIGNED)}."
    if not signing.document:
        return "The signed file is empty."
    if issued is None:
        return ""
    if known == issued.digest and signing.how != "click":
        return "This is the paper as it was issued, byte for byte: nobody signed it."
    if signing.signed_on > office.today or signing.signed_on < issued.on:
        return (f"Signed on {signing.signed_on}, issued on {issued.on}, today is "
                f"{office.today}: that cannot be.")
    if earlier and earlier.revoked_on and signing.signed_on < earlier.revoked_on:
        return (f"Signed on {signing.signed_on}, but {member.code} took the mandate back on "
                f"{earlier.revoked_on}.")
    return ""


def revoke(member: Member, office: Office, *, because: str) -> tuple[Member, int, list[Case]]:
    """Take a mandate back: nothing that waits goes out.

    Returns the member, how many letters were withdrawn, and the cases whose letter went out:
    for those a withdrawal can be drafted. Run again, it finishes what broke off.
    """
    if member.mandate is None:
        raise UsageProblem(f"{member.code} has no mandate to take back.")
    if member.mandate.revoked_on is None:
        member = record(office.store, office.campaign, member,
                        MandateRevoked(on=office.today, because=because))
    return member, *_stop_letters(member, office, because or "the mandate was revoked")


def leave(member: Member, office: Office, *, because: str) -> tuple[Member, int, list[Case]]:
    """The member leaves: as `revoke`, and no further letter is planned."""
    if member.left is None:
        member = record(office.store, office.campaign, member,
                        MemberLeft(on=office.today, because=because))
    return member, *_stop_letters(member, office, because or "the member left")


def _stop_letters(member: Member, office: Office, because: str) -> tuple[int, list[Case]]:
    ids = [c.id for c in office.board.of_member(office.campaign.id, member.code)]
    stopped = sum(withdraw_letter(office.store, i, because, office.today) for i in ids)
    cases = [office.store.case(i) for i in ids]
    return stopped, [c for c in cases if (c.letters or c.in_doubt) and not c.closed]


def default_expiry(today: date, campaign: Campaign) -> date:
    """A year from now, or the day the members' data are purged, whichever is earlier."""
    return min(today + timedelta(days=VALID_DAYS), campaign.started.purge_on)
