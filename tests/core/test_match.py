"""Matching: a message is filed only where its evidence names one case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.lookalike import Lookalikes, resembles
from dsar.core.match import match
from dsar.core.message import Address, Authentic, DeliveryReport, Message, Part
from dsar.core.reference import reference_from

REFS = [reference_from(bytes([n]) * 5) for n in (1, 2, 3, 4)]


def case(number: int, *, company: str = "acme", person: str = "jo", **more: object) -> CaseFacts:
    facts = CaseFacts(
        case_id=f"c{number}", message_ids=(f"<r{number}@example.net>",), reference=REFS[number - 1],
        reply_address=f"{person}+tag{number}@example.net", mailbox=f"{person}@example.net",
        controller=company, name=f"{company.title()}list Ltd",
        addresses=frozenset([f"privacy@{company}list.example"]),
        domains=(f"{company}list.example",),
        sent_on=date(2026, 3, 1))
    return replace(facts, **more)  # type: ignore[arg-type]


ACCESS, ERASURE, OTHER = case(1), case(2), case(3, company="zenith")
INDEX = CaseIndex.of([ACCESS, ERASURE, OTHER], free_mail=["mail.example.com"],
                     help_desks=["desk.example"])
LONE = CaseIndex.of([OTHER], free_mail=["mail.example.com"], help_desks=["desk.example"])


def message(sender: str = "privacy@acmelist.example", **more: object) -> Message:
    base = Message(
        digest="d", message_id="<x@acme.example>", sender=Address(name="", addr=sender),
        recipients=(Address(name="", addr="jo@example.net"),), own_text="Hello.",
        received=datetime(2026, 3, 5, tzinfo=UTC))
    return replace(base, **more)  # type: ignore[arg-type]


def to(address: str) -> tuple[Address, ...]:
    return (Address(name="", addr=address),)


@pytest.mark.parametrize("found", [
    message(in_reply_to=("<r2@example.net>",)),
    message(references=("<r2@example.net>",)),
    message(recipients=to("jo+tag2@example.net")),
    message(delivered_to=("JO+TAG2@EXAMPLE.NET",)),
    message(subject=f"Re: your request [{REFS[1]}]"),
    message(own_text=f"as to {REFS[1].lower()} we write"),
    message(parts=(Part(name=f"{REFS[1].replace('-', '')}.pdf", declared_type="", size=1,
                        digest=""),)),
    message(quoted_text=f"Subject: Erasure [{REFS[1]}]"),
    message("noreply@mail.acmelist.example", in_reply_to=("<r2@example.net>",)),
])
def test_each_kind_of_evidence_names_the_case_among_siblings(found: Message) -> None:
    assert match(found, INDEX).case_ids == ("c2",)


def test_the_sender_alone_decides_nothing_among_siblings() -> None:
    found = match(message(), INDEX, topical=True)
    assert found.case_ids == ()
    assert set(found.candidates) == {"c1", "c2"}


def test_the_sender_with_one_open_case_decides_only_when_the_words_are_about_it() -> None:
    sent = message("privacy@zenithlist.example")
    assert match(sent, LONE, topical=True).case_ids == ("c3",)
    assert match(sent, LONE, topical=False).case_ids == ()
    assert match(sent, LONE).case_ids == ()


def test_a_closed_case_is_not_reopened_by_the_sender_alone() -> None:
    index = CaseIndex.of([replace(OTHER, is_open=False)])
    assert match(message("privacy@zenithlist.example"), index, topical=True).case_ids == ()


@pytest.mark.parametrize("domain", ["mail.example.com", "acme.desk.example", "shared.example"])
def test_a_domain_that_is_shared_never_decides(domain: str) -> None:
    facts = replace(OTHER, domains=("zenithlist.example", domain), shared_domain=domain[:2] == "sh")
    index = CaseIndex.of([facts], free_mail=["mail.example.com"], help_desks=["desk.example"])
    assert match(message(f"someone@{domain}"), index, topical=True).case_ids == ()


def test_a_suffix_of_a_domain_is_another_domain() -> None:
    assert match(message("crew@oldzenithlist.example"), LONE, topical=True).case_ids == ()


def test_a_combined_answer_is_filed_under_both_cases() -> None:
    both = message(own_text=f"We answer {REFS[0]} and {REFS[1]}.")
    assert set(match(both, INDEX).case_ids) == {"c1", "c2"}
    threaded = replace(both, in_reply_to=("<r1@example.net>",))
    assert set(match(threaded, INDEX).case_ids) == {"c1", "c2"}


def test_a_thread_of_one_case_with_the_reference_of_another_is_left_to_a_person() -> None:
    found = match(message(in_reply_to=("<r1@example.net>",), own_text=f"About {REFS[1]}."), INDEX)
    assert found.case_ids == ()
    assert set(found.candidates) == {"c1", "c2"}


def test_a_reference_in_a_quoted_footer_does_not_beat_the_thread() -> None:
    footer = f"Tickets: {REFS[1]} closed"
    assert match(message(in_reply_to=("<r1@example.net>",), quoted_text=footer),
                 INDEX).case_ids == ("c1",)
    assert match(message(quoted_text=footer), INDEX, topical=True).case_ids == ()


def test_one_wrong_character_suggests_and_never_files() -> None:
    wrong = REFS[2][:-1] + ("2" if REFS[2][-1] != "2" else "3")
    found = match(message("someone@elsewhere.example", own_text=f"Re {wrong}"), INDEX, topical=True)
    assert found.case_ids == ()
    assert found.candidates == ("c3",)


def test_confusable_characters_of_a_reference_are_folded() -> None:
    index = CaseIndex.of([replace(OTHER, reference="DSAR-10AB-CD01", origin="import")])
    found = message("privacy@zenithlist.example", subject="dsar-loab-cdOI")
    assert match(found, index).case_ids == ("c3",)


def test_a_look_alike_moves_nothing_whatever_it_carries() -> None:
    forged = message("privacy@zenithl1st.example", in_reply_to=("<r3@example.net>",),
                     authentic=Authentic.PASS)
    found = match(forged, INDEX)
    assert found.case_ids == ()
    assert found.candidates == ("c3",)
    assert found.suspicious == "look-alike of zenithlist.example"


def test_a_failing_known_sender_is_filed_and_marked() -> None:
    failing = message("privacy@zenithlist.example", in_reply_to=("<r3@example.net>",),
                      authentic=Authentic.FAIL)
    found = match(failing, INDEX)
    assert found.case_ids == ("c3",)
    assert found.suspicious
    assert match(replace(failing, in_reply_to=()), LONE, topical=True).case_ids == ()


def test_an_unknown_sender_needs_the_thread_or_the_name_of_the_company() -> None:
    counsel = message("h@counsel.example", subject=f"Your request {REFS[2]}")
    assert match(counsel, INDEX).case_ids == ()
    named = replace(counsel, own_text="For my client Zenithlist Ltd: no.")
    assert match(named, INDEX).case_ids == ("c3",)
    private = replace(named, sender=Address(name="", addr="x@mail.example.com"))
    assert match(private, INDEX).case_ids == ()


def test_what_the_authority_answers_is_not_filed_as_the_companys_word() -> None:
    facts = case(1, message_ids=("<r1@example.net>", "<complaint@example.net>"),
                 complaint_ids=frozenset({"<complaint@example.net>"}),
                 authorities=frozenset({"authority.example"}))
    index = CaseIndex.of([facts])
    for found in (
        message(sender="desk@authority.example", in_reply_to=("<complaint@example.net>",)),
        message(sender="desk@other.example", in_reply_to=("<complaint@example.net>",)),
        message(sender="a@mail.authority.example", recipients=to("jo+tag1@example.net")),
        message(sender="a@authority.example", subject=f"Your letter {REFS[0]}"),
    ):
        decided = match(found, index)
        assert decided.case_ids == ()
        assert decided.candidates == ("c1",)
        assert "complaint" in decided.why
    company = message(in_reply_to=("<r1@example.net>",), references=("<complaint@example.net>",))
    assert match(company, index).case_ids == ("c1",)


def test_our_own_copies_are_never_a_reply() -> None:
    own = message("Jo+tag1@example.net".lower(), subject=REFS[0])
    assert match(own, INDEX).own
    assert match(message(message_id="<r1@example.net>"), INDEX).own
    assert match(own, INDEX).case_ids == ()


def test_a_mailing_to_a_reply_address_is_not_an_answer() -> None:
    mailing = message(recipients=to("jo+tag1@example.net"), automatic="bulk")
    assert match(mailing, INDEX).case_ids == ()


def test_a_ticket_number_counts_only_from_the_company_that_gave_it() -> None:
    index = CaseIndex.of([replace(ACCESS, tickets=("2026-96418",)), ERASURE])
    assert match(message(subject="Vorgang 2026-96418"), index).case_ids == ("c1",)
    other = message("a@elsewhere.example", subject="Vorgang 2026-96418")
    assert match(other, index).case_ids == ()
    assert match(message(subject="Vorgang 2026-964180"), index).case_ids == ()


def bounce(**more: object) -> Message:
    report = DeliveryReport(action="failed", status="5.1.1", recipients=(),)
    return message("mailer-daemon@elsewhere.example",
                   report=replace(report, **more))  # type: ignore[arg-type]


def test_a_bounce_is_matched_by_the_letter_it_returns() -> None:
    assert match(bounce(returned_message_id="<r2@example.net>"), INDEX).case_ids == ("c2",)


def test_a_bounce_that_names_only_the_address_is_matched_when_one_letter_went_there() -> None:
    assert match(bounce(recipients=("privacy@zenithlist.example",)), INDEX).case_ids == ("c3",)
    both = match(bounce(recipients=("privacy@acmelist.example",)), INDEX)
    assert both.case_ids == ()
    assert set(both.candidates) == {"c1", "c2"}


@pytest.mark.parametrize(("domain", "known", "expected"), [
    ("fichier-centrai.example", "fichier-central.example", True),
    ("acmelist-requests.example", "acmelist.example", True),
    ("acmelist.privacy-help.example", "acmelist.example", True),
    ("аcmelist.example", "acmelist.example", True),
    (f"xn--{'аcmelist'.encode('punycode').decode()}.example", "acmelist.example", True),
    ("mail.acmelist.example", "acmelist.example", False),
    ("acmelist.example", "acmelist.example", False),
    ("rowingclub.example", "acmelist.example", False),
    ("oldmoorbank.example", "moorbank.example", False),
])
def test_domains_made_to_be_mistaken_are_known(domain: str, known: str, expected: bool) -> None:
    assert resembles(domain, known) is expected
    assert bool(Lookalikes.of(["other.example", known]).imitated(domain)) is expected
