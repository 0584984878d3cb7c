"""Reading: transport first, own words only, explained, and never an exception."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.match import match
from dsar.core.message import Address, Authentic, DeliveryReport, Label, Message, Part
from dsar.errors import FileProblems
from dsar.mail.parse import parse
from dsar.reading import lexicon as lexicons
from dsar.reading.classify import is_topical, read
from dsar.reading.language import detect
from dsar.reading.quoted import own_words
from dsar.reading.tickets import tickets

FACTS = CaseFacts(case_id="c", language="en")
ERASED = "We have deleted all your personal data."


def message(text: str = "", **more: object) -> Message:
    base = Message(digest="d", message_id=None, own_text=text, subject="Re: request",
                   sender=Address(name="", addr="privacy@acme.example"))
    return replace(base, **more)  # type: ignore[arg-type]


def label(found: Message, **more: str) -> Label:
    return read(found, facts=FACTS, **more).label  # type: ignore[arg-type]


@pytest.mark.parametrize(("report", "expected"), [
    (DeliveryReport(action="failed", status="5.1.1", recipients=()), Label.BOUNCE_PERMANENT),
    (DeliveryReport(action="failed", status="5.2.2", recipients=(), passing=True),
     Label.BOUNCE_TEMPORARY),
    (DeliveryReport(action="delayed", status="4.4.1", recipients=()), Label.BOUNCE_TEMPORARY),
    (DeliveryReport(action="delivered", status="2.0.0", recipients=()), Label.AUTO_REPLY),
])
def test_the_transport_is_read_before_the_words(report: DeliveryReport, expected: Label) -> None:
    assert label(message(ERASED, report=report)) is expected


def test_a_reading_names_the_sentence_it_rests_on() -> None:
    found = read(message(f"Dear Jo,\n\nThank you for writing. {ERASED} Goodbye."), facts=FACTS)
    assert found.label is Label.FULFILLED_ERASURE
    assert found.sentence == ERASED
    assert 0.5 <= found.confidence <= 1


def test_what_is_not_understood_is_called_unclear() -> None:
    found = read(message("The quick brown fox jumps over the lazy dog."), facts=FACTS)
    assert found.labels == (Label.UNCLEAR,)
    assert found.confidence == 0


def test_our_own_letter_is_not_read_as_their_words() -> None:
    letter = "Please confirm that you have deleted all my personal data.\nI expect your answer."
    text = f"Thank you, we have received your request.\n\n{letter}"
    assert own_words(text, [letter]) == "Thank you, we have received your request."


@pytest.mark.parametrize("furniture", [
    "This email is intended for the addressee only.",
    "Diese E-Mail enthält vertrauliche Informationen.",
    "Powered by a ticket system",
    "Kind regards\nSam Field\nAcme Ltd",
])
def test_signatures_disclaimers_and_footers_are_left_out(furniture: str) -> None:
    assert own_words(f"{ERASED}\n\n{furniture}") == ERASED


def test_an_empty_body_is_read_from_its_own_subject_only() -> None:
    assert label(message("", subject="No data found about you")) is Label.NO_DATA_HELD
    assert label(message("", subject="Re: We have deleted all your data")) is Label.UNCLEAR


def test_a_machine_that_speaks_of_the_request_acknowledges_it() -> None:
    receipt = "We have received your request and will reply soon."
    assert label(message(receipt, automatic="auto-replied")) is Label.ACKNOWLEDGEMENT
    assert label(message("I am out of the office.", automatic="auto-replied")) is Label.AUTO_REPLY
    assert label(message("Hello!", automatic="vacation")) is Label.AUTO_REPLY


def test_what_answers_no_case_is_unrelated() -> None:
    assert read(message(ERASED)).label is Label.UNRELATED


@pytest.mark.parametrize("found", [
    message("See the attached file.", parts=(
        Part(name="data.pdf.exe", declared_type="application/pdf", size=1, digest=""),)),
    message("See the attached file.", parts=(
        Part(name="data.pdf", declared_type="application/pdf", size=1, digest="",
             kind="program"),)),
    message("Please enter your credit card number to continue."),
    message("Enter your password within 24 hours or your account will be blocked.",
            links=("http://acme-login.example/x",)),
    message(ERASED, authentic=Authentic.FAIL, links=("https://elsewhere.example/",)),
])
def test_asking_for_secrets_and_risky_files_are_suspect(found: Message) -> None:
    assert label(found) is Label.PHISHING_SUSPECT


def test_a_look_alike_is_suspect_whatever_it_says() -> None:
    found = message("Your data are attached.")
    assert label(found, suspicious="look-alike of acme.example") is Label.PHISHING_SUSPECT


@pytest.mark.parametrize(("language", "text"), [
    ("en", "We have received your request and we will reply to it soon."),
    ("de", "Wir haben Ihre Anfrage erhalten und werden uns bei Ihnen melden."),
    ("fr", "Nous avons bien reçu votre demande et nous vous répondrons."),
    ("nl", "Wij hebben uw verzoek ontvangen en nemen het in behandeling."),
    ("es", "Hemos recibido su solicitud y le responderemos en el plazo legal."),
    ("it", "Abbiamo ricevuto la Sua richiesta e Le risponderemo al più presto."),
    ("pl", "Otrzymaliśmy Pani wniosek i odpowiemy na niego w terminie."),
    ("pt", "Recebemos o seu pedido e responderemos em breve, no prazo legal."),
    ("sv", "Vi har mottagit din begäran och återkommer till dig så snart som möjligt."),
    ("el", "Λάβαμε το αίτημά σας και θα σας απαντήσουμε σύντομα."),
    ("cs", "Vaši žádost jsme obdrželi a odpovíme Vám co nejdříve."),
    ("ja", "ご請求を受領いたしました。"),
])
def test_the_language_is_found_out(language: str, text: str) -> None:
    assert detect(text, "en" if language != "en" else "de") == language


@pytest.mark.parametrize(("text", "expected"), [
    ("Thank you for your message. Someone will pick it up.", None),
    ("We have received your access request under the GDPR.", True),
    ("Spring sale! 30% off everything, shop now.", False),
])
def test_whether_a_message_is_about_a_request(text: str, expected: bool | None) -> None:
    assert is_topical(message(text, subject="Hello")) is expected


def test_ticket_numbers_are_learned() -> None:
    found = message("Your case DP/26/0417 is open.", subject="[#750758] Your enquiry 2026-96418")
    assert set(tickets(found)) >= {"750758", "2026-96418"}
    assert tickets(message("", subject="[DSAR-1234-5678]")) == ()


def test_a_broken_rule_file_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in lexicons.SHARED:
        (tmp_path / name).write_text("sources: own\npatterns:\n  erased: [\"a .. b\"]\n")
    for name in lexicons.FURTHER:
        (tmp_path / name).write_text("sources: own\nlanguages: {}\n")
    (tmp_path / "xx.yaml").write_text("sources: own\nclases: {}\n")
    monkeypatch.setattr(lexicons.shipped, "reading_rules", lambda: tmp_path)
    lexicons.lexicon.cache_clear()
    lexicons._shared.cache_clear()
    try:
        with pytest.raises(FileProblems) as problem:
            lexicons.lexicon("xx")
    finally:
        lexicons.lexicon.cache_clear()
        lexicons._shared.cache_clear()
    assert "xx.yaml:2: xx: unknown key 'clases'" in str(problem.value)


_WORDS = st.sampled_from([
    "data", "deleted", "not", "will", "if", "we", "have", "your", ".", "\n\n", "?", "\u200b",
    "> quoted", "http://x.example/" + "a" * 50, "gelöscht", "削除", "ご請求", "a" * 300, "--",
    "bis 30.02.2026",
    "On On On wrote:", "12/31/2026", "2 months", "From: a@b.example", "((((", "[DSAR-0000-0000]",
])


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=60), st.sampled_from(["\n", " ", ""]))
def test_no_text_raises(words: list[str], joint: str) -> None:
    raw = ("From: a@acme.example\nTo: jo@example.net\nSubject: x\n\n" + joint.join(words))
    found = parse(raw.encode("utf-8", "surrogatepass"), trusted_authserv=())
    index = CaseIndex.of([replace(FACTS, mailbox="jo@example.net", domains=("acme.example",))])
    filed = match(found, index, topical=is_topical(found))
    assert read(found, facts=FACTS, suspicious=filed.suspicious).labels
