"""A member of a campaign as the events add up to: consent, mandate, what came back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from dsar.core.campaign_events import (
    AnswerShared,
    ConsentChanged,
    KitWritten,
    MandateIssued,
    MandateRevoked,
    MandateSigned,
    MemberAdded,
    MemberEvent,
    MemberLeft,
)
from dsar.core.mandate import Mandate


@dataclass(frozen=True, kw_only=True)
class Member:
    """The fold over the events of one member; `version` is how many events there are.

    mandate: the latest that was signed, with its revocation. signed: digests of all that were.
    reminded: Message-IDs of the reminders that stood in a kit of the member.
    shared: digests of the answers the member brought back.
    """

    added: MemberAdded
    version: int = 1
    analysis: bool = False
    issued: MandateIssued | None = None
    mandate: Mandate | None = None
    signed: tuple[str, ...] = ()
    answers_to: str = "member"
    kit: KitWritten | None = None
    reminded: frozenset[str] = frozenset()
    shared: tuple[str, ...] = ()
    left: MemberLeft | None = None

    @property
    def code(self) -> str:
        """What operators know the member by; the `subject_id` of the member's cases."""
        return self.added.code


def fold_member(events: Iterable[MemberEvent], *, holder: str = "") -> Member:
    """Return what the events of one member add up to.

    holder: the organisation mandates are given to. Raises ValueError without a MemberAdded.
    """
    listed = list(events)
    if not listed or not isinstance(listed[0], MemberAdded):
        raise ValueError("a member begins with MemberAdded")
    member = Member(added=listed[0], analysis=listed[0].analysis)
    for event in listed[1:]:
        member = _apply(member, event, holder)
    return replace(member, version=len(listed))


def mandate_problem(member: Member, *, controller: str, right: str, on: date) -> str:
    """Why the rail `mandate` holds a letter for this member, or ""."""
    mandate = member.mandate
    if member.left is not None:
        return "the member left the campaign"
    if mandate is None:
        return "no signed mandate"
    if mandate.revoked_on is not None:
        return f"the mandate was revoked on {mandate.revoked_on}"
    if on > mandate.expires_on:
        return f"the mandate expired on {mandate.expires_on}"
    if on < mandate.signed_on:
        return f"the mandate is signed for {mandate.signed_on}, a later day"
    if not mandate.covers(controller=controller, right=right, on=on):
        return f"the mandate does not cover {right} at {controller}"
    return ""


def _apply(member: Member, event: MemberEvent, holder: str) -> Member:
    match event:
        case MemberAdded():
            raise ValueError("a member is added once")
        case ConsentChanged():
            return replace(member, analysis=event.analysis)
        case KitWritten():
            return replace(member, kit=event, reminded=member.reminded | set(event.reminders))
        case MandateIssued():
            return replace(member, issued=event)
        case MandateSigned():
            return replace(member, mandate=_mandate(member.code, event, holder),
                           answers_to=event.answers_to, signed=(*member.signed, event.digest))
        case MandateRevoked():
            if member.mandate is None:
                return member
            return replace(member, mandate=replace(member.mandate, revoked_on=event.on))
        case AnswerShared():
            return replace(member, shared=(*member.shared, event.digest))
        case MemberLeft():
            return replace(member, left=event)
        case _:
            assert_never(event)


def _mandate(code: str, event: MandateSigned, holder: str) -> Mandate:
    return Mandate(
        subject_id=code, holder=holder, rights=frozenset(event.rights),
        controllers=frozenset(event.controllers), signed_on=event.signed_on,
        expires_on=event.expires_on, digest=event.digest, how_signed=event.how_signed,
    )
