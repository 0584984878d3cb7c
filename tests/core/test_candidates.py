"""Which headers are worth a body: the quick look never drops what the careful one would keep."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dsar.core.candidates import may_matter, might_answer
from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.mail.headers import quick_headers

INDEX = CaseIndex.of(
    [CaseFacts(case_id="A", message_ids=("<one@example.org>",), reference="DSAR-43KQ-3MS6",
               reply_address="alex+dsar-43kq3ms6-abcd@example.org", mailbox="alex@example.org",
               addresses=frozenset({"dpo@acme.example"}), domains=("acme.example",),
               sent_on=date(2026, 11, 2)),
     CaseFacts(case_id="B", reply_address="sam+k7@example.net", mailbox="sam@example.net",
               addresses=frozenset({"privacy@desk.example"}), sent_on=date(2026, 11, 2))],
    free_mail=["mail.example"], help_desks=["helpdesk.example"])
NAMES = ("From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References", "Return-Path",
         "Delivered-To", "X-Original-To", "Content-Type", "X-Failed-Recipients", "Sender",
         "Reply-To", "List-Id")
VALUES = ("<one@example.org>", "Privacy <dpo@acme.example>", "x@mx.acme.example", "<>",
          "alex+DSAR-43kq3ms6-abcd@example.org", "sam+K7@example.net", "Re: [DSAR-43KQ-3MS6]",
          "=?utf-8?q?DSAR-43KQ-3MS6?=", "multipart/report; report-type=delivery-status",
          "MAILER-DAEMON@mx.example", "a@sub.helpdesk.example", "a@mail.example", "Offers today",
          "privacy@desk.example", "a@desk.example", "folded\r\n dpo@acme.example")
lines = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=8)


@given(lines)
def test_the_quick_look_never_drops_what_the_careful_one_keeps(
    fields: list[tuple[str, str]]
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"
    if might_answer(quick_headers(head), INDEX):
        assert may_matter(head, INDEX)


def test_other_mail_is_dropped_by_both() -> None:
    head = b"From: news@shop.example\r\nTo: alex@example.org\r\nSubject: Sale\r\n\r\n"
    assert not may_matter(head, INDEX)
    assert not might_answer(quick_headers(head), INDEX)
