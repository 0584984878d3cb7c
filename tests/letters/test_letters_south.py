"""Letters in Spanish, Italian, Portuguese, Dutch and Romanian: what each has of its own."""

from __future__ import annotations

import re
from datetime import date

import pytest
from letter_samples import FOLDERS, MakeLetter

from dsar.core.letter import Stage
from dsar.core.regime import Regime
from dsar.letters.sample import sample_letter
from dsar.letters.words import render

STEP = {"sent_on": date(2026, 9, 8), "reply_by": date(2026, 12, 11), "due_on": date(2026, 10, 8),
        "acknowledged_on": date(2026, 9, 11)}


@pytest.mark.parametrize("day", [1, 8, 11])
def test_no_italian_article_stands_before_a_day(make_letter: MakeLetter, day: int) -> None:
    facts = {**STEP, "sent_on": date(2026, 9, day)}
    body = render(make_letter(language="it", stage=Stage.REMINDER, facts=facts), FOLDERS).body
    assert f"in data {'1º' if day == 1 else day} settembre 2026" in body
    assert not re.search(r"\b(il|dal|al) \d", body)


def test_an_italian_complaint_greets_the_authority_not_the_company(laws: dict[str, Regime]) -> None:
    letter = sample_letter(laws["eu-gdpr"], "access", Stage.COMPLAINT, "it")
    assert render(letter, FOLDERS).body.startswith("Spett.le Autorità,\n\npropongo reclamo")


def test_romanian_has_the_comma_below_and_never_the_cedilla(laws: dict[str, Regime]) -> None:
    for stage in (Stage.REQUEST, Stage.REMINDER, Stage.WITHDRAWAL, Stage.COMPLAINT):
        body = render(sample_letter(laws["eu-gdpr"], "erasure", stage, "ro"), FOLDERS).body
        assert "ș" in body
        assert not re.search("[şţŞŢ]", body)


@pytest.mark.parametrize(("law", "right", "language"), [
    ("ar-25326", "objection-direct-marketing", "es"), ("br-lgpd", "erasure", "pt"),
    ("ch-fadp", "erasure", "it"),
])
def test_where_the_law_sets_no_period_the_letter_names_none(
    laws: dict[str, Regime], law: str, right: str, language: str
) -> None:
    body = render(sample_letter(laws[law], right, Stage.REQUEST, language), FOLDERS).body
    assert not re.search(r"\bplazo\b|\bprazo\b|\btermine\b|\bentro\b|\bd[ií]as\b", body)


def test_a_point_of_a_statute_is_cited_as_its_country_does(laws: dict[str, Regime]) -> None:
    assert laws["co-1581"].cite("8(e)", "es") == "artículo 8, literal e), de la Ley 1581 de 2012"
    assert laws["ar-25326"].cite("14(2)", "es") == "artículo 14, inciso 2, de la Ley 25.326"


def test_brazil_is_asked_to_erase_only_what_its_law_erases(make_letter: MakeLetter) -> None:
    body = render(make_letter("br-lgpd", "erasure", "pt"), FOLDERS).body
    assert "desnecessários, excessivos, tratados em desconformidade com a lei ou com base" in body
    assert "todos os meus dados" not in body
