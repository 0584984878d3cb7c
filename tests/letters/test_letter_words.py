"""The words of letters: what every letter holds, and what none may hold."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from letter_samples import FOLDERS, MakeLetter, controller_with

from dsar.core.letter import Stage
from dsar.core.regime import Regime
from dsar.core.subject import Place
from dsar.errors import LetterIncomplete
from dsar.letters.catalogue import letter_types
from dsar.letters.document import as_text
from dsar.letters.languages import facts_of_language
from dsar.letters.lint import begin_with, lint, word_list
from dsar.letters.sample import sample_letter
from dsar.letters.words import languages, render, tidy

SNAPSHOTS = Path(__file__).parent / "snapshots"
SENSIBLE = [
    ("eu-gdpr", "en"), ("eu-gdpr", "de"), ("eu-gdpr", "fr"), ("uk-gdpr", "en"),
    ("ch-fadp", "de"), ("ch-fadp", "fr"), ("ch-fadp", "en"), ("us-ca-ccpa", "en"),
    ("eu-gdpr", "pl"), ("eu-gdpr", "cs"), ("eu-gdpr", "hu"), ("eu-gdpr", "el"),
    ("eu-gdpr", "sk"), ("eu-gdpr", "sl"), ("eu-gdpr", "hr"), ("eu-gdpr", "bg"),
    ("eu-gdpr", "es"), ("eu-gdpr", "it"), ("eu-gdpr", "pt"), ("eu-gdpr", "nl"),
    ("eu-gdpr", "ro"), ("ar-25326", "es"), ("co-1581", "es"), ("br-lgpd", "pt"), ("ch-fadp", "it"),
    ("eu-gdpr", "sv"), ("eu-gdpr", "da"), ("no-gdpr", "nb"), ("eu-gdpr", "fi"),
    ("eu-gdpr", "et"), ("eu-gdpr", "lv"), ("eu-gdpr", "lt"), ("eu-gdpr", "is"),
    ("eu-gdpr", "ga"), ("eu-gdpr", "mt"),
]
NOT = {
    "en": "not", "de": "kein", "fr": "ne",
    "pl": "nie", "cs": "není", "hu": "nem", "el": "δεν", "sk": "nie", "sl": "ni", "hr": "nije",
    "bg": "не",
    "es": "no", "it": "non", "pt": "não", "nl": "geen", "ro": "nu",
    "sv": "ingen", "da": "ikke", "nb": "ikke", "fi": "ei", "et": "ei", "lv": "nav", "lt": "nėra",
    "is": "ekki", "ga": "ní", "mt": "mhix",
}
"""How the sentence that says what an access letter is not is negated."""

REMINDED = {"sent_on": date(2026, 9, 14), "acknowledged_on": date(2026, 9, 16),
            "reply_by": date(2026, 12, 4), "authority": "the Example Authority"}


@pytest.mark.parametrize("stage", [Stage.REQUEST, Stage.REMINDER])
@pytest.mark.parametrize("right", ["access", "erasure"])
@pytest.mark.parametrize(("law", "language"), SENSIBLE)
def test_a_letter_reads_as_it_did(make_letter: MakeLetter, law: str, language: str, right: str,
                                  stage: Stage) -> None:
    facts = REMINDED if stage is Stage.REMINDER else {}
    letter = make_letter(law, right, language, stage=stage, facts=facts)
    text = as_text(render(letter, FOLDERS))
    kept = SNAPSHOTS / f"{law}-{language}-{right}-{stage}.txt"
    if os.environ.get("DSAR_WRITE_SNAPSHOTS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


def test_every_letter_there_is_renders_and_lint_finds_nothing(laws: dict[str, Regime]) -> None:
    count, wrong = 0, []
    for kind in letter_types(laws.values(), FOLDERS):
        for language in kind.languages:
            letter = sample_letter(kind.regime, kind.right, kind.stage, language)
            found = lint(render(letter, FOLDERS), letter, FOLDERS)
            wrong += [f"{kind.regime.id} {kind.right} {kind.stage} {language}: {f}" for f in found]
            count += 1
    print(f"{count} letters rendered")
    assert not wrong
    assert count > 1500


@pytest.mark.parametrize("stage", [Stage.REQUEST, Stage.REMINDER, Stage.FOLLOW_UP,
                                   Stage.WITHDRAWAL])
@pytest.mark.parametrize(("law", "language"), SENSIBLE)
def test_an_access_letter_speaks_of_erasing_only_to_say_that_it_does_not_ask_for_it(
    make_letter: MakeLetter, law: str, language: str, stage: Stage
) -> None:
    more = {**REMINDED, "dodge": "identity", "asked_for": "x"}
    facts = more if stage is not Stage.REQUEST else {}
    body = render(make_letter(law, "access", language, stage=stage, facts=facts), FOLDERS).body
    sentences = re.split(r"(?<=[.:;])\s", body)
    found = [s for s in sentences if begin_with(s, word_list(language, FOLDERS).erasing)]
    assert len(found) == 1
    assert re.search(rf"\b{NOT[language]}\b", found[0], re.IGNORECASE)
    if stage is Stage.REQUEST:
        assert found[0] in body.split("\n\n")[1], "it stands in the first lines"


def test_the_law_and_section_stand_in_the_subject_and_in_the_first_lines(
    make_letter: MakeLetter
) -> None:
    rendered = render(make_letter(), FOLDERS)
    assert rendered.subject == "Access request under Article 15 GDPR [DSAR-7K3Q-9MZ2]"
    assert "Article 15 GDPR" in rendered.body.split("\n\n")[1]


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_a_law_that_gives_no_number_is_not_given_one(make_letter: MakeLetter, language: str
                                                     ) -> None:
    body = render(make_letter("ch-fadp", "erasure", language), FOLDERS).body
    outside = body.replace("12345", "").replace("DSAR-7K3Q-9MZ2", "")
    assert "30" not in outside
    assert not re.search(r"Monat|month|mois|Tage|days|jours", outside)


def test_california_deletion_reaches_what_came_from_the_person_until_the_end_of_2026(
    make_letter: MakeLetter
) -> None:
    before = render(make_letter("us-ca-ccpa", "erasure", written_on=date(2026, 12, 31)), FOLDERS)
    after = render(make_letter("us-ca-ccpa", "erasure", written_on=date(2027, 1, 1)), FOLDERS)
    assert "that you received from me" in before.body
    assert "that you received from me" not in after.body


def test_california_speaks_its_own_language(make_letter: MakeLetter) -> None:
    for right in ("access", "erasure"):
        text = as_text(render(make_letter("us-ca-ccpa", right), FOLDERS))
        for word in ("data subject", "personal data", "controller", "eras", "GDPR", "e-mail"):
            assert word not in text
        assert "I am a resident of California." in " ".join(text.split())


def test_a_letter_under_a_state_law_is_not_written_for_someone_who_lives_elsewhere(
    make_letter: MakeLetter
) -> None:
    letter = make_letter("us-ca-ccpa")
    moved = replace(letter, subject=replace(letter.subject, residence=Place("US", "NY")))
    with pytest.raises(LetterIncomplete, match="US-NY"):
        render(moved, FOLDERS)


def test_swiss_german_has_no_sharp_s_and_the_terms_of_its_act(make_letter: MakeLetter) -> None:
    for right in ("access", "erasure"):
        body = render(make_letter("ch-fadp", right, "de"), FOLDERS).body
        assert "ß" not in body
        assert "personenbezogen" not in body
        assert "verarbeit" not in body.lower()
        assert body.startswith("Guten Tag\n\nIch ")


def test_french_marks_keep_their_unbreakable_space(make_letter: MakeLetter) -> None:
    for right in ("access", "erasure"):
        text = as_text(render(make_letter("eu-gdpr", right, "fr"), FOLDERS))
        assert not re.search(r"[^\u00a0][:;!?](\s|$)", text)


@pytest.mark.parametrize(("categories", "biometric", "tracking"), [
    ((), False, False), (("face-search",), True, False), (("adtech",), False, True),
])
def test_biometric_and_tracking_data_are_named_only_where_the_company_is_of_that_kind(
    make_letter: MakeLetter, categories: tuple[str, ...], biometric: bool, tracking: bool
) -> None:
    body = render(make_letter(controller=controller_with(*categories)), FOLDERS).body
    assert ("biometric" in body) is biometric
    assert ("cookie" in body) is tracking


def test_a_reminder_never_says_that_a_running_period_has_ended(make_letter: MakeLetter) -> None:
    facts = {**REMINDED, "due_on": date(2026, 11, 22)}
    with pytest.raises(LetterIncomplete, match="cannot say it ended"):
        render(make_letter(stage=Stage.REMINDER, facts=facts), FOLDERS)


def test_a_reminder_tells_what_happened_and_leaves_out_what_did_not(make_letter: MakeLetter
                                                                    ) -> None:
    facts = {"sent_on": date(2026, 9, 14), "due_on": date(2026, 10, 14)}
    body = render(make_letter(stage=Stage.REMINDER, facts=facts), FOLDERS).body
    assert "On 14 September 2026 I sent you" in body
    assert "ended on 14 October 2026 (Article 12(3) GDPR)" in body
    assert "acknowledged" not in body
    assert "put it before" not in body


def test_a_missing_fact_is_named_with_template_and_line(make_letter: MakeLetter) -> None:
    with pytest.raises(LetterIncomplete, match=r"letters/en/reminder.txt.j2:6: .*sent_on"):
        render(make_letter(stage=Stage.REMINDER), FOLDERS)


def test_a_missing_phrase_is_named_with_template_and_line(make_letter: MakeLetter) -> None:
    letter = make_letter()
    letter = replace(letter, right=replace(letter.right, demands=("copy", "moon")))
    with pytest.raises(LetterIncomplete, match=r"letters/request.txt.j2:\d+: .*'demand_moon'"):
        render(letter, FOLDERS)


def test_a_right_without_demands_gives_no_letter(make_letter: MakeLetter) -> None:
    letter = make_letter()
    with pytest.raises(LetterIncomplete, match="no demands"):
        render(replace(letter, right=replace(letter.right, demands=())), FOLDERS)


def test_a_language_without_letters_or_citation_is_refused(make_letter: MakeLetter) -> None:
    with pytest.raises(LetterIncomplete, match="no access letter in 'no'"):
        render(make_letter(language="no"), FOLDERS)
    with pytest.raises(LetterIncomplete, match="no citation form in 'de'"):
        render(make_letter("us-ca-ccpa", language="de"), FOLDERS)


def test_no_template_names_a_section_or_a_law() -> None:
    pattern = re.compile(r"\d{2,}|§|\bArt(icle|ikel|\.)|GDPR|DSGVO|RGPD|CCPA|FADP|\bDSG\b|\bLPD\b")
    for path in FOLDERS[0].rglob("*.j2"):
        source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        assert not pattern.search(source), path


def test_the_users_templates_come_before_ours_phrase_by_phrase(make_letter: MakeLetter,
                                                               tmp_path: Path) -> None:
    mine = tmp_path / "en"
    mine.mkdir()
    (mine / "phrases.txt.j2").write_text(
        "{% extends next %}{% block salutation %}Hello Acme,{% endblock %}", encoding="utf-8")
    body = render(make_letter(), (tmp_path, *FOLDERS)).body
    assert body.startswith("Hello Acme,\n\nI am asking for access")


def test_a_text_for_one_law_alone_comes_first(make_letter: MakeLetter, tmp_path: Path) -> None:
    only = tmp_path / "only" / "eu-gdpr" / "en"
    only.mkdir(parents=True)
    (only / "access.txt.j2").write_text(
        "{% extends next %}{% block purpose %}I am curious.{% endblock %}", encoding="utf-8")
    folders = (tmp_path, *FOLDERS)
    assert "I am curious." in render(make_letter(), folders).body
    assert "I am curious." not in render(make_letter("uk-gdpr"), folders).body


def test_equal_facts_give_equal_words(make_letter: MakeLetter) -> None:
    assert render(make_letter(), FOLDERS) == render(make_letter(), FOLDERS)


def test_lines_of_a_paragraph_are_joined_and_breaks_kept_where_asked_for() -> None:
    assert tidy("a\n  b\n\n\n1. c\n d\n2. e\n\nf\\\ng\n") == "a b\n\n1. c d\n2. e\n\nf\ng"


def test_there_are_letters_in_these_languages() -> None:
    assert {"de", "en", "fr"} <= set(languages(FOLDERS))


@pytest.mark.parametrize(("right", "cited", "not_cited"), [
    ("access", "(Cal. Civ. Code § 1798.130(a)(2))", "7026"),
    ("opt-out-sale", "(Cal. Code Regs. tit. 11, § 7026(f))", "1798.130"),
    ("limit-sensitive", "(Cal. Code Regs. tit. 11, § 7027(g))", "1798.130"),
])
def test_a_right_with_a_period_of_its_own_cites_its_own_section(
    make_letter: MakeLetter, right: str, cited: str, not_cited: str
) -> None:
    body = render(make_letter("us-ca-ccpa", right), FOLDERS).body
    assert cited in body
    assert not_cited not in body


def test_a_period_that_binds_nobody_is_not_put_to_the_company_as_law(laws: dict[str, Regime]
                                                                     ) -> None:
    advisory = [r for r in laws.values() if r.status == "in-force" and "access" in r.rights
                and (rule := r.period("access")) and rule.advisory]
    assert advisory
    for regime in advisory:
        letter = sample_letter(regime, "access", Stage.REQUEST, "en")
        assert "from receipt of this" not in render(letter, FOLDERS).body


DODGES = ("silence", "incomplete", "identity", "channel", "fee", "language", "excessive",
          "extension", "extension_late", "not_controller", "refusal")


@pytest.mark.parametrize("dodge", DODGES)
@pytest.mark.parametrize(("law", "language"), SENSIBLE)
def test_there_is_a_calm_answer_to_every_dodge(laws: dict[str, Regime], law: str, language: str,
                                               dodge: str) -> None:
    letter = sample_letter(laws[law], "access", Stage.FOLLOW_UP, language)
    more = {"missing": ("recipients", "source")} if dodge == "incomplete" else {}
    letter = replace(letter, facts={**letter.facts, "dodge": dodge, **more})
    rendered = render(letter, FOLDERS)
    assert lint(rendered, letter, FOLDERS) == ()
    assert len(rendered.body) < 1600
    numbered = re.findall(r"^\d\. ", rendered.body, re.M)
    assert len(numbered) == (2 if dodge == "incomplete" else 0)


@pytest.mark.parametrize(("law", "language"), SENSIBLE)
def test_a_complaint_tells_the_story_by_date_and_names_both_parties(
    laws: dict[str, Regime], law: str, language: str
) -> None:
    letter = sample_letter(laws[law], "access", Stage.COMPLAINT, language)
    rendered = render(letter, FOLDERS)
    assert "Acme Data" in rendered.subject
    first = re.search(r"^1\. (.*)$", rendered.body, re.M)
    assert first
    sent_on = facts_of_language(letter, FOLDERS).in_text(date(2026, 9, 14))
    assert first.group(1).startswith(sent_on)
    assert "Alex Example" in rendered.body
    section = letter.regime.sections.get("complaint")
    if section:
        assert letter.regime.cite(section, language) in rendered.body


def test_a_right_that_needs_details_is_not_written_without_them(make_letter: MakeLetter) -> None:
    for right in ("rectification", "restriction", "objection"):
        with pytest.raises(LetterIncomplete, match="details"):
            render(make_letter("eu-gdpr", right), FOLDERS)


@pytest.mark.parametrize("stage", [Stage.REQUEST, Stage.REMINDER, Stage.FOLLOW_UP,
                                   Stage.WITHDRAWAL, Stage.COMPLAINT])
@pytest.mark.parametrize(("law", "language"), SENSIBLE)
def test_no_date_is_taken_for_the_number_of_an_item(laws: dict[str, Regime], law: str,
                                                    language: str, stage: Stage) -> None:
    rendered = render(sample_letter(laws[law], "access", stage, language), FOLDERS)
    lines = [line for line in rendered.body.splitlines() if line != rendered.dated]
    for paragraph in "\n".join(lines).split("\n\n"):
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", paragraph, re.M)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) in (0, len(paragraph.splitlines()))
