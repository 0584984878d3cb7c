"""Swiss law in English has the words of its own articles; two topics are named in one breath."""

from __future__ import annotations

import pytest
from letter_samples import FOLDERS, controller_with

from dsar.core.letter import Stage
from dsar.law.load import load_laws
from dsar.letters.catalogue import letter_types
from dsar.letters.sample import sample_letter
from dsar.letters.words import languages, render

LAWS = load_laws().regimes
EUROPEAN = ("restrict", "structured", "machine-readable", "I object", "legal basis",
            "on what ground")


@pytest.mark.parametrize("right", [r for r, rule in LAWS["ch-fadp"].rights.items()
                                   if rule.granted and r != "automated-decisions"])
def test_no_swiss_letter_in_english_borrows_a_european_right(right: str) -> None:
    words = render(sample_letter(LAWS["ch-fadp"], right, Stage.REQUEST, "en"), FOLDERS)
    text = " ".join(f"{words.subject}\n{words.body}".split())
    assert "FADP" in words.subject
    assert not [word for word in EUROPEAN if word in text], text


def test_swiss_law_offers_no_right_it_has_not() -> None:
    there = {kind.right for kind in letter_types([LAWS["ch-fadp"]], FOLDERS)}
    assert there <= set(LAWS["ch-fadp"].rights)
    assert not there & {"withdraw-consent", "objection-direct-marketing", "opt-out-sale"}


@pytest.mark.parametrize(("law", "language"), [
    *(("eu-gdpr", code) for code in languages(FOLDERS)), ("ch-fadp", "en"), ("ch-fadp", "de"),
    ("ch-fadp", "fr"), ("ch-fadp", "it"), ("us-ca-ccpa", "en"), ("br-lgpd", "pt"),
    ("co-1581", "es"), ("ar-25326", "es")])
@pytest.mark.parametrize("right", ["access", "erasure"])
def test_a_company_of_two_kinds_reads_including_once(law: str, language: str, right: str) -> None:
    from dataclasses import replace

    letter = sample_letter(LAWS[law], right, Stage.REQUEST, language)
    both = render(replace(letter, controller=controller_with("face-search", "adtech")), FOLDERS)
    face = render(replace(letter, controller=controller_with("face-search")), FOLDERS)
    item = next(a for a, b in zip(both.body.split("\n"), face.body.split("\n"), strict=True)
                if a != b) if both.body != face.body else ""
    for word in ("including", "einschließlich", "einschliesslich", "y compris", "compres", "inclu",
                 "herunder", "inklusive", "mukaan lukien", "sealhulgas", "tostarp", "įskaitant",
                 "w tym", "včetně", "vrátane", "vključno", "uključujući", "beleértve", "þ.m.t.",
                 "inklużi", "inkluża", "lena n-áirítear", "met inbegrip", "включително",
                 "συμπεριλαμβανομένων", "inclusiv"):
        assert item.count(f", {word}") <= 1, item
    assert "  " not in both.body
    assert " ," not in both.body
