"""Drafts for a member whose mandate ended: one withdrawal per request that went out, in thread."""

from __future__ import annotations

from dsar.campaign.roster import subject_of
from dsar.cli.campaigning import Room
from dsar.core.case import Case
from dsar.core.letter import Letter, Stage
from dsar.core.member import Member
from dsar.errors import UsageProblem


def withdrawal_drafts(room: Room, member: Member) -> list[tuple[str, bytes]]:
    """File name and bytes of each draft. Raises UsageProblem where there is nothing to withdraw."""
    cases = [c for c in room.board.of_member(room.campaign.id, member.code)
             if c.request is not None and c.closed is None]
    if not cases:
        raise UsageProblem(f"No request of {member.code} is out.")
    return [(f"withdrawal-{case.id}.eml", _draft(room, member, case)) for case in cases]


def _draft(room: Room, member: Member, case: Case) -> bytes:
    from dsar.core.message import Address
    from dsar.letters.words import render
    from dsar.mail.compose import compose

    app, sent = room.app, case.request
    assert sent is not None
    law = app.laws.regimes[case.facts.regime]
    letter = Letter(
        stage=Stage.WITHDRAWAL, right=law.rights[case.facts.right], regime=law,
        language=case.facts.language, reference=case.facts.reference,
        subject=subject_of(member, room.keys), written_on=app.today, disclosures=(),
        controller=app.registry.get(case.facts.controller), facts={"sent_on": sent.on})
    words = render(letter, app.template_folders)
    domain = room.account.address.rpartition("@")[2]
    return compose(
        words.subject, words.body, date=app.now(), in_reply_to=sent.message_id,
        references=(sent.message_id,), message_id=f"<withdrawal-{case.id}@{domain}>",
        sender=Address(name=room.campaign.started.organisation, addr=room.account.address),
        recipient=Address(name="", addr=sent.recipient))
