"""Redaction takes out a person in every spelling and leaves the company and the dates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.core.redact import Redactor
from dsar.core.subject import DataSubject, Identifier, Place

ALEX = DataSubject(
    id="alex", name="Alex Märta Example", email="alex.example@example.org",
    residence=Place("DE", "BE"), address=("Musterweg 1", "10115 Berlin"),
    identifiers=(Identifier("phone", "+49 30 5550100"), Identifier("birth-date", "1990-05-07"),
                 Identifier("username", "alexample"), Identifier("customer-number", "K-4711-22")))
REDACTOR = Redactor.for_person(ALEX, keep=("acme.example", "privacy@data.example"))


@pytest.mark.parametrize("text", [
    "Alex Märta Example", "alex  märta\n> EXAMPLE", "Dear Example,", "Märta",
    "alex.example@example.org", "ALEX.EXAMPLE@example.org", "alex.example+dsar-1-2@example.org",
    "+49 30 5550100", "+49 (30) 555-0100", "004930/5550100".replace("00", "+", 1),
    "1990-05-07", "07.05.1990", "7.5.1990", "05/07/1990", "7. Mai 1990", "May 7th, 1990",
    "7 de mayo de 1990", "le 7 mai 1990", "musterweg 1", "10115 Berlin", "alexample",
    "K-4711-22", "sam.other@mail.example", "DE89 3704 0044 0532 0130 00", "192.0.2.17",
])
def test_what_is_known_or_has_a_known_form_goes(text: str) -> None:
    shown = REDACTOR.text(f"We write about {text}; end")
    assert "[" in shown, shown
    for word in text.lower().split():
        bare = word.strip(">,;")
        if len(bare) > 4 and bare not in ("dear",):
            assert bare not in shown.lower(), shown


@pytest.mark.parametrize("text", [
    "due 2026-09-03", "DSAR-7K3M-Q2XT", "privacy@acme.example", "dpo@mail.acme.example",
    "privacy@data.example", "Article 15(1)(c) GDPR", "250 2.0.0 Ok: queued as 4XYZ",
    "3 September 2026", "exemplary", "alexandrine",
])
def test_what_says_nothing_about_the_person_stays(text: str) -> None:
    assert REDACTOR.text(f"see {text} here") == f"see {text} here"


def test_values_inside_json_are_redacted_and_the_rest_keeps_its_type() -> None:
    assert REDACTOR.value({"on": "2026-09-03", "n": 3, "ok": True, "none": None,
                           "texts": ["Märta", "acme"]}) == {
        "on": "2026-09-03", "n": 3, "ok": True, "none": None, "texts": ["[name]", "acme"]}


@given(st.text(), st.text())
def test_no_text_around_it_lets_the_address_through(before: str, after: str) -> None:
    shown = REDACTOR.text(f"{before} alex.example@example.org {after}")
    assert "alex.example@example.org" not in shown.lower()


@given(st.text(st.sampled_from("0123456789 ()-/+."), max_size=2000))
def test_long_rows_of_digits_are_dealt_with_at_once(text: str) -> None:
    assert isinstance(REDACTOR.text(text), str)


def test_an_example_for_strangers_keeps_the_wording_alone() -> None:
    shown = Redactor.for_examples([ALEX], ["Acme Data GmbH"]).text(
        "Dear Alex Example, Acme DATA GmbH refuses DSAR-7K3M-Q2XT, see https://acme.example/a?b=1, "
        "write to privacy@acme.example, file 471122.")
    assert shown == ("Dear [name] [name], [company] refuses [reference], see [link] "
                     "write to [email], file [number].")
