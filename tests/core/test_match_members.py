"""Matching where many people's answers come to one mailbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.match import match
from dsar.core.message import Address, Message
from dsar.core.reference import reference_from

BOX = "group@rights.example"


def case(number: int, person: str, **more: object) -> CaseFacts:
    facts = CaseFacts(
        case_id=f"c{number}", message_ids=(f"<r{number}@rights.example>",), mailbox=BOX,
        reference=reference_from(bytes([number]) * 5), controller="acme", name="Acmelist Ltd",
        addresses=frozenset(["privacy@acmelist.example"]), domains=("acmelist.example",),
        sent_on=date(2026, 3, 1), person=person, one_mailbox=True)
    return replace(facts, **more)  # type: ignore[arg-type]


ADA, ADA_TOO, BO = case(1, "m-ada"), case(2, "m-ada"), case(3, "m-bo")
INDEX = CaseIndex.of([ADA, ADA_TOO, BO])


def message(text: str, subject: str = "Your request") -> Message:
    return Message(
        digest="d", message_id="<x@acmelist.example>", own_text=text, subject=subject,
        sender=Address(name="", addr="privacy@acmelist.example"),
        recipients=(Address(name="", addr=BOX),), received=datetime(2026, 3, 5, tzinfo=UTC))


def test_one_mail_may_answer_two_cases_of_one_member() -> None:
    found = match(message(f"On {ADA.reference} and {ADA_TOO.reference}."), INDEX, topical=True)
    assert set(found.case_ids) == {"c1", "c2"}


def test_a_mail_about_two_members_goes_to_neither_and_waits() -> None:
    found = match(message(f"On {ADA.reference} and {BO.reference}."), INDEX, topical=True)
    assert found.case_ids == ()
    assert {"c1", "c3"} <= set(found.candidates)
    assert found.why == "cases of several people"


def test_the_sender_alone_names_nobody_even_where_one_case_is_left_open() -> None:
    index = CaseIndex.of([replace(ADA, is_open=False), replace(ADA_TOO, is_open=False), BO])
    found = match(message("We have received the request for access."), index, topical=True)
    assert (found.case_ids, found.candidates) == ((), ("c3",))
    alone = CaseIndex.of([replace(BO, one_mailbox=False)])
    found = match(message("We have received the request for access."), alone, topical=True)
    assert found.case_ids == ("c3",), "a person who files alone is whom they answer"


def test_a_ticket_counts_as_soon_as_the_reply_that_brought_it_is_filed() -> None:
    index = CaseIndex.of([ADA, BO])
    assert match(message("On ticket 71001."), index, topical=True).case_ids == ()
    index.learn("c3", ("71001",))
    index.learn("c3", ("71001",))
    assert match(message("On ticket 71001."), index, topical=True).case_ids == ("c3",)
    index.learn("c1", ("71001",))
    assert match(message("On ticket 71001."), index, topical=True).case_ids == (), (
        "a number given to two members names neither")
