"""What goes with a complaint is written in the language of the complaint, in all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from letter_samples import FOLDERS

from dsar.core.controller import Controller
from dsar.core.letter import Letter, Stage
from dsar.core.subject import DataSubject, Place
from dsar.law.load import load_laws
from dsar.letters.words import languages, render, render_annex

LAWS = load_laws()
ALEX = DataSubject(id="alex", name="Alex Example", email="alex@example.org",
                   residence=Place("DE", "BE"))
SENT = date(2026, 8, 3)
SHEETS = ("proof", "timeline", "due")
FACTS: dict[str, object] = {
    "sent": (("request", SENT, "privacy@acme.example", "<1@example.org>", "2026-08-03 12:00:00",
              "SHA-256: " + "ab" * 32, "250 2.0.0 Ok: queued as 4XYZ"),
             ("reminder", SENT, "privacy@acme.example", "<2@example.org>", "-", "-", "-"),
             ("complaint", SENT, "privacy@acme.example", "<3@example.org>", "-", "-", "-")),
    "steps": ((SENT, "sent", "1.eml"), (SENT, "came_back"), (SENT, "acknowledged", "2.eml"),
              (SENT, "reminded"), (SENT, "extended"), (SENT, "asked_identity"),
              (SENT, "identified"), (SENT, "answered_in_part"), (SENT, "refused"),
              (SENT, "replied"), (SENT, "no_answer")),
    "sent_on": SENT, "received_on": SENT, "presumed": True, "ends_on": SENT + timedelta(31),
    "rolled": True, "paused": True, "extended_to": SENT + timedelta(90),
    "latest_on": SENT + timedelta(91),
}


def sheet(language: str, name: str, facts: dict[str, object] = FACTS, law: str = "eu-gdpr") -> str:
    regime = LAWS.regimes[law]
    letter = Letter(
        stage=Stage.COMPLAINT, right=regime.rights["access"], regime=regime, language=language,
        reference="DSAR-7K3M-Q2XT", subject=ALEX, disclosures=(), written_on=SENT, facts=facts,
        controller=Controller(slug="acme", name="Acme"))
    words = render_annex(letter, f"annex-{name}", FOLDERS)
    return f"{words.subject}\n{words.body}"


@pytest.mark.parametrize("language", languages(FOLDERS))
def test_every_language_has_the_words_of_every_sheet(language: str) -> None:
    names = sheet(language, "names").splitlines()[1:]
    assert len({n for n in names if n}) == 7
    assert "250 2.0.0 Ok: queued as 4XYZ" in sheet(language, "proof")
    assert sheet(language, "timeline").count("2026") == 11
    assert "[2.eml]" in sheet(language, "timeline")
    due = sheet(language, "due")
    assert due.count("2026") == 5
    without = {k: v for k, v in FACTS.items() if k != "ends_on"}
    assert sheet(language, "due", without).count("2026") == 2


@pytest.mark.parametrize("language", [c for c in languages(FOLDERS) if c != "en"])
def test_no_sheet_falls_back_to_english(language: str) -> None:
    english = [line.partition(":")[0] for name in ("names", *SHEETS)
               for line in sheet("en", name).splitlines() if len(line.split()) > 2]
    for name in ("names", *SHEETS):
        shown = sheet(language, name)
        for line in english:
            assert not line.strip() or line not in shown or line.startswith(("DSAR-", "SHA")), line


def test_the_period_is_quoted_as_the_request_has_it() -> None:
    assert "You have one month from receipt of this letter (Article 12(3) GDPR)." in sheet(
        "en", "due")
    assert "30 days" in sheet("en", "due", law="ch-fadp")


@pytest.mark.parametrize(("law", "language"), [
    (law.id, code) for law in LAWS.regimes.values() if law.complaint.first
    for code in languages(FOLDERS) if code in law.cite_forms and "access" in law.rights])
def test_where_the_company_is_to_hear_first_there_is_a_letter_in_every_language_of_the_law(
    law: str, language: str
) -> None:
    regime = LAWS.regimes[law]
    assert regime.complaint.first is not None
    letter = Letter(
        stage=Stage.COMPLAINT_FIRST, right=regime.rights["access"], regime=regime,
        language=language, reference="DSAR-7K3M-Q2XT",
        subject=replace(ALEX, residence=Place.parse(regime.jurisdiction)),
        disclosures=(), written_on=date(2026, 11, 24),
        controller=Controller(slug="acme", name="Acme"),
        facts={"step": regime.complaint.first.step, "sent_on": SENT, "story": (
            (SENT, "sent"), (SENT, "refused"))})
    words = render(letter, FOLDERS)
    assert "[DSAR-7K3M-Q2XT]" in words.subject
    assert "2026" in words.body
    story = replace(letter, stage=Stage.COMPLAINT, facts={
        "story": ((SENT, "sent"), (SENT, "complained")), "against": ("Acme",),
        "annexes": ("1.eml",), "authority_lines": ("Authority",), "sent_on": SENT})
    assert "2026" in render(story, FOLDERS).body
