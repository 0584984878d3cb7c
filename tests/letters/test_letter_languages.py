"""What holds in every language: the same letters, days in its own words, lists that are lists."""

from __future__ import annotations

import re
from datetime import date

import pytest
from letter_samples import FOLDERS, MakeLetter

from dsar import yamlfile
from dsar.core.letter import Stage
from dsar.core.regime import Regime
from dsar.letters.catalogue import letter_types
from dsar.letters.languages import country_name, reviewed_languages
from dsar.letters.lint import lint, word_list
from dsar.letters.sample import sample_letter
from dsar.letters.words import languages, render, tidy

KNOWN = languages(FOLDERS)
FACTS = yamlfile.read(FOLDERS[0] / "languages.yaml").value
REMINDED = {"sent_on": date(2026, 9, 1), "due_on": date(2026, 10, 1),
            "reply_by": date(2026, 12, 4)}


@pytest.mark.parametrize("language", KNOWN)
def test_every_language_has_every_file_of_german(language: str) -> None:
    """Without the complaint to the company itself: only some laws want it, in their languages."""
    files = {p.name for p in (FOLDERS[0] / "de").iterdir()} - {"complaint-first.txt.j2"}
    assert not files - {p.name for p in (FOLDERS[0] / language).iterdir()}


@pytest.mark.parametrize("language", KNOWN)
def test_only_lists_begin_with_a_number_and_a_full_stop(laws: dict[str, Regime], language: str
                                                        ) -> None:
    """A paragraph that begins with "15. gr." or "4. December" would be printed as a list."""
    for kind in letter_types([laws["eu-gdpr"]], FOLDERS):
        if language in kind.languages:
            letter = sample_letter(kind.regime, kind.right, kind.stage, language)
            for paragraph in render(letter, FOLDERS).body.split("\n\n")[:-1]:
                lines = paragraph.split("\n")
                numbers = [m.group(1) for m in map(re.compile(r"(\d+)\. ").match, lines) if m]
                assert numbers in ([], [str(n) for n in range(1, len(lines) + 1)]), paragraph


@pytest.mark.parametrize(("language", "in_text", "at_the_foot"), [
    ("sv", "Den 1 september 2026 skickade", "22 november 2026"),
    ("da", "Den 1. september 2026 sendte", "22. november 2026"),
    ("nb", "Den 1. september 2026 sendte", "22. november 2026"),
    ("fi", "teille 1. syyskuuta 2026 pyynnön", "22. marraskuuta 2026"),
    ("et", "teile 1. septembril 2026 taotluse", "22. november 2026"),
    ("lv", "Jums 2026. gada 1. septembrī nosūtīju", "2026. gada 22. novembrī"),
    ("lt", "Jums 2026 m. rugsėjo 1 d. išsiunčiau", "2026 m. lapkričio 22 d."),
    ("is", "Hinn 1. september 2026 sendi", "22. nóvember 2026"),
    ("ga", "Ar an 1 Meán Fómhair 2026 chuir", "22 Samhain 2026"),
    ("mt", "(1 ta' Settembru 2026)", "22 ta' Novembru 2026"),
])
def test_a_day_is_inflected_as_its_place_asks_for(
    make_letter: MakeLetter, language: str, in_text: str, at_the_foot: str
) -> None:
    letter = make_letter("eu-gdpr", "access", language, stage=Stage.REMINDER, facts=REMINDED)
    body = render(letter, FOLDERS).body
    assert in_text in body
    assert body.endswith(f"Alex Example\n{at_the_foot}")


@pytest.mark.parametrize("language", KNOWN)
def test_no_sentence_ends_with_two_full_stops(make_letter: MakeLetter, language: str) -> None:
    """Several languages write a day with a full stop at its end."""
    for stage in (Stage.REMINDER, Stage.WITHDRAWAL):
        letter = make_letter("eu-gdpr", "access", language, stage=stage, facts=REMINDED)
        assert ".." not in render(letter, FOLDERS).body


def test_a_date_at_the_start_of_a_line_begins_no_item() -> None:
    assert tidy("until\n4. December\n\n1. a\n2. b") == "until 4. December\n\n1. a\n2. b"


def test_only_a_greeting_may_end_with_an_exclamation_mark(make_letter: MakeLetter) -> None:
    letter = make_letter("eu-gdpr", "access", "lv")
    rendered = render(letter, FOLDERS)
    assert rendered.body.startswith("Labdien!\n\n")
    assert lint(rendered, letter, FOLDERS) == ()
    loud = type(rendered)(rendered.subject, rendered.body.replace("Ar cieņu", "Ar cieņu!"),
                          rendered.language, rendered.dated)
    assert lint(loud, letter, FOLDERS) == ("is loud: !",)


@pytest.mark.parametrize("language", KNOWN)
def test_a_language_knows_countries_words_to_avoid_and_whether_it_was_reviewed(language: str
                                                                               ) -> None:
    assert country_name("DE", language, FOLDERS) != "DE"
    words = word_list(language, FOLDERS)
    assert len(words.erasing) > 2
    assert len(words.threats) > 5
    assert isinstance(FACTS[language]["reviewed"], bool)


def test_the_languages_of_the_weakest_sources_are_not_called_reviewed() -> None:
    assert not {"ga", "mt", "is"} & reviewed_languages(FOLDERS)
