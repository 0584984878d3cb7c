"""The invented companies and the bytes of what they answer, read back with dsar's own parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsar import shipped
from dsar.core.contact import usable_email
from dsar.core.message import Address, Authentic, Label, Message
from dsar.demo.companies import Cast, Company, Reply, load_cast
from dsar.demo.replies import Letter, answers, bounce, chatter, read_letter
from dsar.mail.compose import compose
from dsar.mail.parse import parse
from dsar.registry.load import load_registry

TAG = "alex+dsar-7k3q9mz2-0a1b2c3d@example.org"
SENT = datetime(2026, 9, 1, 8, 3, tzinfo=UTC)
BODY = "To the data protection officer\n\nI make use of my right of access.\n\nAlex Example\n"


@pytest.fixture(scope="module")
def cast() -> Cast:
    return load_cast()


def letter_to(address: str) -> Letter:
    """A letter as dsar would have sent it to this address."""
    raw = compose(
        "Access request [DSAR-7K3Q-9MZ2]", BODY, sender=Address(name="Alex Example",
        addr="alex@example.org"), recipient=Address(name="", addr=address),
        message_id="<abc123@example.org>", date=SENT, reply_to=Address(name="", addr=TAG))
    return read_letter(raw, address)


def everything(cast: Cast) -> Iterator[tuple[Company, Reply, Message]]:
    """Every answer of every company, parsed."""
    for company in cast.companies:
        if company.mail:
            mails = answers(cast, company, letter_to(company.mail))
            for reply, mail in zip(company.replies, mails, strict=True):
                yield company, reply, parse(mail.raw, trusted_authserv=())


def test_twelve_companies_can_be_written_to_and_one_cannot(cast: Cast, tmp_path: Path) -> None:
    overlay = tmp_path / "companies.local.yaml"
    overlay.write_text(cast.overlay(), encoding="utf-8")
    registry = load_registry(shipped.companies(), overlay)
    usable = [usable_email(registry.get(c.slug), "access", cast.begins) for c in cast.companies]
    assert [contact.value for contact in usable if contact] == [
        c.mail for c in cast.companies if c.mail]
    assert sum(contact is not None for contact in usable) == 12
    assert len(usable) == 13


def test_no_company_of_the_demo_stands_in_the_real_registry(cast: Cast) -> None:
    real = load_registry(shipped.companies())
    assert [c.slug for c in cast.companies if c.slug in real] == []


def test_everyone_is_invented() -> None:
    text = shipped.data("demo/companies.yaml").read_text(encoding="utf-8")
    domains = re.findall(r"(?:@|://)([\w.-]+\w)", text)
    assert domains
    assert [d for d in domains if not re.search(r"(\.example|^example\.(org|net|com))$", d)] == []


def test_labels_are_those_that_a_person_can_give(cast: Cast) -> None:
    given = {r.label for c in cast.companies for r in c.replies} - {""}
    assert given <= set(map(str, Label))
    assert {"fulfilled_access", "acknowledgement", "identity_request", "redirect_to_portal",
            "extension_notice", "no_data_held", "bounce_permanent", "auto_reply",
            "partial_fulfilment", "refusal"} <= given


def test_answers_come_in_three_languages_and_thread_in_every_way(cast: Cast) -> None:
    replies = [r for c in cast.companies for r in c.replies]
    assert {"en", "de", "fr", "outlook", "none"} <= {r.quote for r in replies}
    assert {"both", "in-reply-to", "references", "none"} == {r.thread for r in replies}
    assert {True, False} == {r.to_tag for r in replies}


def test_every_answer_carries_the_ids_and_the_address_it_says(cast: Cast) -> None:
    for _, reply, message in everything(cast):
        if reply.kind == "bounce":
            continue
        ids = ("<abc123@example.org>",)
        assert message.in_reply_to == (ids if reply.thread in ("both", "in-reply-to") else ())
        assert message.references == (ids if reply.thread in ("both", "references") else ())
        assert [a.addr for a in message.recipients] == [TAG if reply.to_tag else "alex@example.org"]


def test_every_answer_passes_the_checks_of_the_receiving_host(cast: Cast) -> None:
    verdicts = {message.authentic for _, reply, message in everything(cast)
                if reply.kind != "bounce"}
    assert verdicts == {Authentic.PASS}


def test_what_is_quoted_is_the_letter_and_not_the_companys_own_words(cast: Cast) -> None:
    quoting = [(r, m) for _, r, m in everything(cast) if r.quote != "none"]
    assert len(quoting) >= 6
    for reply, message in quoting:
        assert "I make use of my right of access." in message.quoted_text
        assert "right of access" not in message.own_text
        last = reply.body.strip().splitlines()[-1]
        assert last in message.own_text


def test_answers_are_defect_free_and_unfilled_nowhere(cast: Cast) -> None:
    for company, _, message in everything(cast):
        assert message.defects == (), company.slug
        assert "{" not in message.own_text + message.subject, company.slug


def test_the_bounce_is_a_delivery_report_about_this_letter(cast: Cast) -> None:
    letter = letter_to("gdpr@oldmill.example")
    message = parse(bounce(cast, letter, SENT), trusted_authserv=())
    report = message.report
    assert report is not None
    assert (report.action, report.status) == ("failed", "5.1.1")
    assert report.recipients == ("gdpr@oldmill.example",)
    assert report.returned_message_id == "<abc123@example.org>"


def test_copies_come_with_their_attachments(cast: Cast) -> None:
    for _, reply, message in everything(cast):
        assert [p.name for p in message.parts if p.name] == [e.name for e in reply.enclosures]


def test_the_phishing_mail_imitates_its_company_from_another_domain(cast: Cast) -> None:
    (found,) = [(c, m) for c, r, m in everything(cast) if r.kind == "phishing"]
    company, message = found
    assert message.sender is not None
    assert message.sender.domain != company.mail.rpartition("@")[2]
    assert "DSAR-7K3Q-9MZ2" in message.own_text


def test_private_mail_says_nothing_of_any_letter(cast: Cast) -> None:
    for mail in chatter(cast):
        message = parse(mail.raw, trusted_authserv=())
        assert "DSAR" not in mail.raw.decode()
        assert message.in_reply_to == message.references == ()


def test_mail_that_is_no_letter_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="not a letter"):
        read_letter(b"Subject: hello\r\nMessage-ID: <a@b.example>\r\n\r\nx\r\n", "a@b.example")
