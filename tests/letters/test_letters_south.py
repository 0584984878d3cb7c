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
LATE = {
    "de": r"nachdem die Frist am 8\. Oktober 2026 abgelaufen war",
    "es": "el plazo finalizara el 8 de octubre de 2026",
    "fr": "Le délai avait expiré le 8 octobre 2026 et cet avis est arrivé après",
    "it": "Il termine era scaduto in data 8 ottobre 2026 e la comunicazione è giunta dopo",
    "nl": "nadat de termijn op 8 oktober 2026 was verstreken",
    "pt": "O prazo tinha terminado em 8 de outubro de 2026 e essa comunicação chegou depois",
    "ro": "după ce termenul expirase la 8 octombrie 2026",
}
"""The day belongs to the end of the period, not to the notice."""


@pytest.mark.parametrize("day", [1, 8, 11])
@pytest.mark.parametrize("stage", [Stage.REMINDER, Stage.FOLLOW_UP])
def test_no_italian_article_stands_before_a_day(
    make_letter: MakeLetter, stage: Stage, day: int
) -> None:
    facts = {**STEP, "sent_on": date(2026, 9, day), "reply_by": date(2026, 12, day),
             "until": date(2026, 12, day), "dodge": "extension"}
    body = render(make_letter(language="it", stage=stage, facts=facts), FOLDERS).body
    written = "1º" if day == 1 else str(day)
    assert f"in data {written} settembre 2026" in body
    assert f"entro la seguente data: {written} dicembre 2026" in body
    assert not re.search(r"\b(il|dal|al|del) \d", body)


@pytest.mark.parametrize("language", sorted(LATE))
def test_a_late_notice_is_not_said_to_have_come_on_the_day_the_period_ended(
    make_letter: MakeLetter, language: str
) -> None:
    facts = {**STEP, "dodge": "extension_late"}
    letter = make_letter(language=language, stage=Stage.FOLLOW_UP, facts=facts)
    body = render(letter, FOLDERS).body
    assert re.search(LATE[language], body)


def test_swiss_french_asks_what_the_swiss_act_gives(laws: dict[str, Regime]) -> None:
    for right, word in (("restriction", "interdiction"), ("portability", "remise")):
        letter = sample_letter(laws["ch-fadp"], right, Stage.REQUEST, "fr")
        rendered = render(letter, FOLDERS)
        assert word in rendered.subject
        assert not re.search("limitation|portabilité|lisible par machine", rendered.body)


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
