"""The printed letter: opens, has real styles, and says no more than the letter."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from letter_samples import FOLDERS, MakeLetter

from dsar.core.controller import Contact
from dsar.core.letter import Letter
from dsar.letters.document import as_docx, as_text, sender_lines
from dsar.letters.words import render


def opened(letter: Letter) -> Any:
    """The document as python-docx reads it."""
    return Document(io.BytesIO(as_docx(render(letter, FOLDERS), letter)))


def test_the_document_has_real_styles_in_order(make_letter: MakeLetter) -> None:
    styles = [p.style.name for p in opened(make_letter()).paragraphs]
    assert styles[:4] == ["Sender", "Recipient", "Date", "Heading 1"]
    assert styles.count("List Number") == 9
    assert styles[-2:] == ["Closing", "Signature"]


def test_list_items_are_numbered_by_the_program_not_by_hand(make_letter: MakeLetter) -> None:
    items = [p for p in opened(make_letter()).paragraphs if p.style.name == "List Number"]
    assert items[0].text.startswith("a copy of the data")
    assert all(p._p.pPr.numPr.numId.val == 101 for p in items)


@pytest.mark.parametrize(("law", "language", "locale"), [
    ("eu-gdpr", "en", "en-GB"), ("eu-gdpr", "de", "de-DE"), ("ch-fadp", "de", "de-CH"),
    ("us-ca-ccpa", "en", "en-US"), ("eu-gdpr", "fr", "fr-FR"),
])
def test_the_document_says_its_language_title_and_author(
    make_letter: MakeLetter, law: str, language: str, locale: str
) -> None:
    letter = make_letter(law, "access", language)
    document = opened(letter)
    properties = document.core_properties
    assert properties.language == locale
    assert properties.title == render(letter, FOLDERS).subject
    assert properties.author == "Alex Example"
    assert properties.created.date() == letter.written_on
    assert f'w:val="{locale}"' in document.styles.element.xml


def test_the_document_holds_every_word_of_the_letter(make_letter: MakeLetter) -> None:
    letter = make_letter("eu-gdpr", "access", "fr")
    words = as_text(render(letter, FOLDERS)).replace("\n", " ").split()
    shown = " ".join(p.text for p in opened(letter).paragraphs).split()
    assert not [w for w in words if w not in shown and not w.rstrip(".").isdigit()]


def test_the_recipient_has_its_postal_address_or_else_its_mail_address(make_letter: MakeLetter
                                                                       ) -> None:
    letter = make_letter()
    assert opened(letter).paragraphs[1].text.splitlines() == [
        "Acme Data Ltd", "5 Example Road", "10115 Exampletown", "Germany"]
    no_post = replace(letter.controller, contacts=(Contact(kind="email", value="p@example.com"),))
    assert opened(replace(letter, controller=no_post)).paragraphs[1].text.splitlines() == [
        "Acme Data Ltd", "p@example.com"]


def test_the_letterhead_tells_the_postal_address_only_where_the_letter_does(
    make_letter: MakeLetter
) -> None:
    letter = make_letter()
    assert "1 Example Street" in sender_lines(letter)
    less = tuple(d for d in letter.disclosures if d.identifier.kind != "address")
    assert sender_lines(replace(letter, disclosures=less)) == ("Alex Example", "alex@example.org")


def test_equal_letters_give_equal_bytes(make_letter: MakeLetter) -> None:
    letter = make_letter()
    words = render(letter, FOLDERS)
    assert as_docx(words, letter) == as_docx(words, letter)


def test_markup_in_a_name_stays_text(make_letter: MakeLetter) -> None:
    letter = make_letter()
    name = "</w:t></w:r><w:fldSimple w:instr='DDE'/> & \"Alex\" <b>"
    hostile = replace(letter, subject=replace(letter.subject, name=name))
    document = opened(hostile)
    assert document.paragraphs[-1].text == name
    assert "fldSimple" not in [e.tag.rpartition("}")[2] for e in document.element.iter()]


def test_the_package_carries_nothing_that_runs_and_no_picture(make_letter: MakeLetter) -> None:
    letter = make_letter()
    content = as_docx(render(letter, FOLDERS), letter)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert not [n for n in names if n.endswith((".bin", ".jpeg", ".png", ".vml"))]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
@pytest.mark.parametrize(("law", "language"), [("eu-gdpr", "fr"), ("us-ca-ccpa", "en")])
def test_the_longest_first_letter_fits_a_page(make_letter: MakeLetter, tmp_path: Path, law: str,
                                              language: str) -> None:
    letter = make_letter(law, "access", language)
    both = replace(letter.controller, categories=("face-search", "adtech"))
    letter = replace(letter, controller=both)
    (tmp_path / "letter.docx").write_bytes(as_docx(render(letter, FOLDERS), letter))
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
         "--convert-to", "pdf", "letter.docx"],
        cwd=tmp_path, check=True, capture_output=True, timeout=120)
    info = subprocess.run(["pdfinfo", "letter.pdf"], cwd=tmp_path, check=True, capture_output=True,
                          text=True).stdout
    assert "Pages:           1\n" in info
