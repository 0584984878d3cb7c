"""Papers of a campaign: every one in every language, whole, with every right, short enough."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from letter_samples import FOLDERS, MakeLetter

from dsar.core.letter import Rendered, Stage
from dsar.errors import LetterIncomplete
from dsar.letters.demands import demands_of
from dsar.letters.languages import language_facts
from dsar.letters.papers import paper_docx, paper_pdf, paper_text, sections_of
from dsar.letters.words import languages, paper_doubts, paper_languages, render, render_paper

KINDS = ("mandate", "revocation", "announcement", "kit")
ALL = languages(FOLDERS)
DAY = date(2026, 11, 24)
RIGHTS = ("access", "erasure", "rectification", "restriction", "portability", "objection",
          "objection-direct-marketing", "withdraw-consent", "opt-out-sale", "limit-sensitive")
FACTS: dict[str, object] = {
    "address": ("1 Example Street", "12345 Exampletown"), "analysis": False,
    "answers_to_holder": False, "by_mandate": False, "campaign": "Example campaign",
    "code": "m-7k3q9mz2", "companies": ("Acme Data Ltd", "Beta Example SA"),
    "company": "Acme Data Ltd", "contact": "help@example.org",
    "drop_address": "group+drop-7k3q9mz2-0a1b2c3d@example.org", "email": "alex@example.org",
    "expires_on": date(2027, 11, 24), "first_due": date(2026, 12, 24),
    "first_on": date(2026, 12, 1), "holder": "Example Union", "letters": 1,
    "name": "Alex Example", "organisation": "Example Union", "per_day": 1, "rights": RIGHTS,
    "signed_on": date(2026, 11, 25), "written_on": DAY,
}
SAID = {
    "mandate": ("address", "code", "companies", "contact", "email", "expires_on", "holder",
                "name"),
    "revocation": ("code", "holder", "name", "signed_on"),
    "announcement": ("company", "contact", "first_on", "letters", "organisation", "per_day",
                     "written_on"),
    "kit": ("campaign", "code", "contact", "drop_address", "email", "first_due", "letters",
            "organisation"),
}
CHOICE = {"mandate": "answers_to_holder", "announcement": "by_mandate", "kit": "analysis"}
SECTIONS = {"mandate": 8, "revocation": 0, "announcement": 0, "kit": 5}
needs_poppler = pytest.mark.skipif(not shutil.which("pdfinfo"), reason="poppler not installed")
each_language = pytest.mark.parametrize("language", ALL)
each_paper = pytest.mark.parametrize("kind", KINDS)


def paper(kind: str, language: str, **other: object) -> Rendered:
    """The paper with the facts of the sample; other: what differs."""
    return render_paper(kind, language, FACTS | other, FOLDERS)


def in_words(value: object, language: str) -> list[str]:
    """A fact as it must stand in the paper."""
    if isinstance(value, date):
        return [language_facts(language, FOLDERS).in_text(value)]
    return [str(v) for v in value] if isinstance(value, tuple) else [str(value)]


@each_paper
def test_every_language_of_the_letters_has_the_paper(kind: str) -> None:
    assert paper_languages(kind, FOLDERS) == set(ALL)


@each_language
@each_paper
@pytest.mark.parametrize("choice", [True, False])
def test_a_paper_says_every_fact_in_either_case(kind: str, language: str, choice: bool) -> None:
    given = {CHOICE[kind]: choice} if kind in CHOICE else {}
    made = paper(kind, language, **given)
    whole = f"{made.subject}\n{made.body}"
    for name in SAID[kind]:
        for words in in_words(FACTS[name], language):
            assert words in whole, name
    assert made.language == language
    assert len([h for h, _ in sections_of(made) if h]) == SECTIONS[kind]
    assert not re.search(r"[{}<>]|%\}|  ", whole)


@each_language
def test_a_kit_whose_letters_have_no_statutory_period_names_none(language: str) -> None:
    without = {name: value for name, value in FACTS.items() if name != "first_due"}
    made = render_paper("kit", language, without, FOLDERS)
    whole = paper("kit", language).body
    assert len(made.body) < len(whole)
    assert str(FACTS["first_due"].year) not in made.body  # type: ignore[attr-defined]
    assert made.body.split("\n\n")[0] == whole.split("\n\n")[0]


@each_language
@pytest.mark.parametrize("kind", CHOICE)
def test_the_two_cases_differ(kind: str, language: str) -> None:
    name = CHOICE[kind]
    one, other = (paper(kind, language, **{name: x}).body for x in (True, False))
    assert one != other


@each_language
def test_a_mandate_names_each_right_alone_and_in_words_of_its_own(language: str) -> None:
    lines = {}
    for right in RIGHTS:
        body = paper("mandate", language, rights=(right,)).body
        [line] = [x for x in body.splitlines() if x.startswith("1. ") and "Acme" not in x]
        lines[right] = line
    assert len(set(lines.values())) == len(RIGHTS)
    every = paper("mandate", language).body
    assert all(line[3:-1] in every for line in lines.values())


def test_the_rights_tested_are_all_that_there_are_letters_for() -> None:
    from dsar.law.load import load_laws

    granted = {rule.right for regime in load_laws().regimes.values()
               for rule in regime.rights.values() if demands_of(rule, FOLDERS)}
    assert granted <= set(RIGHTS)


def test_a_right_without_words_makes_no_mandate() -> None:
    with pytest.raises(LetterIncomplete, match="paper-mandate"):
        paper("mandate", "en", rights=("access", "to be forgotten twice"))


@each_language
def test_where_answers_go_to_the_member_the_mandate_says_where(language: str) -> None:
    """The address stands once more where answers go to the person, and only there."""
    counts = [paper("mandate", language, answers_to_holder=x).body.count("alex@example.org")
              for x in (False, True)]
    assert counts == [2, 1]


@each_language
@pytest.mark.parametrize("to_holder", [True, False])
def test_a_letter_by_mandate_names_who_sends_it_and_where_answers_go(
    make_letter: MakeLetter, language: str, to_holder: bool
) -> None:
    law = "no-gdpr" if language == "nb" else "eu-gdpr"
    facts = {"mandate_holder": "Example Union", "mandate_signed_on": DAY,
             "answers_to_holder": to_holder, "member_email": "own@example.net"}
    body = render(make_letter(law, language=language, facts=facts), FOLDERS).body
    assert "Example Union" in body
    assert in_words(DAY, language)[0] in body
    assert ("own@example.net" in body) is not to_holder
    plain = render(make_letter(law, language=language), FOLDERS).body
    assert "Example Union" not in plain


@each_language
@pytest.mark.parametrize("stage", [Stage.REMINDER, Stage.FOLLOW_UP])
def test_a_reminder_by_mandate_says_so_too(
    make_letter: MakeLetter, language: str, stage: Stage
) -> None:
    law = "no-gdpr" if language == "nb" else "eu-gdpr"
    facts: dict[str, object] = {"sent_on": DAY, "reply_by": DAY, "dodge": "refusal"}
    mandate = {"mandate_holder": "Example Union", "mandate_signed_on": DAY,
               "answers_to_holder": False, "member_email": "own@example.net"}

    def body(more: dict[str, object]) -> str:
        return render(make_letter(law, language=language, stage=stage, facts=facts | more),
                      FOLDERS).body

    assert "Example Union" in body(mandate)
    assert "own@example.net" in body(mandate)
    assert "Example Union" not in body({})


@pytest.mark.parametrize("language", [x for x in ALL if x != "en"])
def test_no_english_sentence_was_left_in_a_paper(language: str) -> None:
    for kind in KINDS:
        ours = {x for x in paper(kind, language).body.splitlines() if len(x.split()) > 4}
        english = {x for x in paper(kind, "en").body.splitlines() if len(x.split()) > 4}
        assert not (ours & english) - {"Alex Example, 1 Example Street, 12345 Exampletown, "
                                       "alex@example.org"}


@needs_poppler
@each_language
def test_a_mandate_for_thirty_companies_fits_two_pages(language: str, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    companies = tuple(f"Acme Data Holding Number {n} Example Ltd" for n in range(1, 31))
    file = tmp_path / "mandate.pdf"
    file.write_bytes(paper_pdf(paper("mandate", language, companies=companies), DAY))
    assert re.search(rb"/Lang ?\(%b\)" % language.encode(), file.read_bytes())
    said = subprocess.run(["pdfinfo", str(file)], check=True, capture_output=True, text=True)
    pages = re.search(r"Pages:\s+(\d+)", said.stdout)
    assert pages
    assert int(pages[1]) <= 2


@each_language
@each_paper
def test_a_paper_opens_as_docx_with_its_title_and_headings(kind: str, language: str) -> None:
    docx = pytest.importorskip("docx")
    made = paper(kind, language)
    document = docx.Document(io.BytesIO(paper_docx(made, DAY)))
    styles = [(p.style.name, p.text) for p in document.paragraphs]
    assert styles[0] == ("Heading 1", made.subject)
    assert sum(name == "Heading 2" for name, _ in styles) == SECTIONS[kind]
    shown = "\n".join(text for _, text in styles)
    assert all(line in shown for line in made.body.splitlines() if line and "## " not in line)


@each_language
def test_a_paper_as_text_has_no_marks_of_headings(language: str) -> None:
    assert "#" not in paper_text(paper("mandate", language))


def test_what_is_unverified_about_a_paper_is_told_and_stands_on_no_paper() -> None:
    doubts = {language: paper_doubts("mandate", language, FOLDERS) for language in ALL}
    assert [language for language, found in doubts.items() if found] == ["hu"]
    (doubt,) = doubts["hu"]
    assert "two witnesses" in doubt
    assert "s. 325(1)(b)" in doubt
    assert "unverified" not in render_paper("mandate", "hu", FACTS, FOLDERS).body
