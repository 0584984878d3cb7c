"""The printed PDF: one page, the address in the window, nothing that runs, no boxes."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from letter_samples import FOLDERS, MakeLetter

from dsar import shipped
from dsar.core.controller import Contact
from dsar.core.letter import Letter
from dsar.errors import LetterIncomplete, UsageProblem
from dsar.letters.document import page_of
from dsar.letters.look import read_look
from dsar.letters.pdf import as_one_pdf, as_pdf
from dsar.letters.words import render

pytest.importorskip("typst")
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler not installed")
LONG_POST = ("Datenschutzbeauftragte Person\nGebäude 7, Eingang C\n5 Example Road\n"
             "10115 Exampletown\nGermany")
NAMES = ["Alex Example", "Ελένη Παράδειγμα-Μακρυγιάννη", "Łucja Przykładowska-Brzęczyszczykiewicz",
         "Ганна Прикладенко", "Ştefan Pildă"]


def pdf(letter: Letter) -> bytes:
    """The letter as PDF."""
    return as_pdf(render(letter, FOLDERS), letter)


def text_of(content: bytes, tmp_path: Path, *options: str) -> str:
    """What poppler reads in a PDF."""
    (tmp_path / "letter.pdf").write_bytes(content)
    command = ["pdftotext", *options, str(tmp_path / "letter.pdf"), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pages(content: bytes, tmp_path: Path) -> int:
    """How many pages poppler counts."""
    return text_of(content, tmp_path).count("\f")


@needs_poppler
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("law", "language"), [
    ("eu-gdpr", "en"), ("eu-gdpr", "de"), ("eu-gdpr", "fr"), ("us-ca-ccpa", "en"),
    ("eu-gdpr", "pl"), ("eu-gdpr", "hu"), ("eu-gdpr", "el"), ("eu-gdpr", "bg"),
    ("eu-gdpr", "es"), ("eu-gdpr", "it"), ("eu-gdpr", "pt"), ("eu-gdpr", "nl"),
    ("eu-gdpr", "ro"),
    ("eu-gdpr", "sv"), ("eu-gdpr", "da"), ("no-gdpr", "nb"), ("eu-gdpr", "fi"), ("eu-gdpr", "et"),
    ("eu-gdpr", "lv"), ("eu-gdpr", "lt"), ("eu-gdpr", "is"), ("eu-gdpr", "ga"), ("eu-gdpr", "mt"),
])
def test_a_first_letter_is_one_page_with_every_name_readable(
    make_letter: MakeLetter, tmp_path: Path, law: str, language: str, name: str
) -> None:
    letter = make_letter(law, "access", language)
    both = replace(letter.controller, categories=("face-search", "adtech"))
    letter = replace(letter, subject=replace(letter.subject, name=name), controller=both)
    content = pdf(letter)
    assert pages(content, tmp_path) == 1
    assert name in text_of(content, tmp_path)


@needs_poppler
@pytest.mark.parametrize("law", ["eu-gdpr", "us-ca-ccpa"])
def test_the_recipient_stands_in_the_window_and_nothing_else_does(
    make_letter: MakeLetter, tmp_path: Path, law: str
) -> None:
    letter = make_letter(law)
    company = replace(
        letter.controller, contacts=(Contact(kind="post", value=LONG_POST),),
        legal_entity="Acme Data Verwaltungs- und Beteiligungsgesellschaft mbH & Co. KG")
    letter = replace(letter, controller=company)
    left, top, width, height = read_look(shipped.templates()).pages[page_of(letter)].address
    words = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<',
                       text_of(pdf(letter), tmp_path, "-bbox"))
    inside = [w for x0, y0, x1, y1, w in words
              if float(y0) >= top * 72 / 25.4 - 3 and float(y1) <= (top + height) * 72 / 25.4 + 3
              and float(x0) >= left * 72 / 25.4 - 1
              and float(x1) <= (left + width) * 72 / 25.4 + 1]
    assert inside[0] == "Acme"
    assert inside[-1] == "Germany"
    assert not {"Alex", "Dear", "November"} & set(inside)


def test_an_address_too_long_for_the_window_is_an_error(make_letter: MakeLetter) -> None:
    letter = make_letter()
    post = "\n".join(f"Line {n}" for n in range(20))
    company = replace(letter.controller, contacts=(Contact(kind="post", value=post),))
    with pytest.raises(LetterIncomplete, match="does not fit the window"):
        pdf(replace(letter, controller=company))


def test_a_character_no_font_has_is_an_error_not_a_box(make_letter: MakeLetter) -> None:
    letter = make_letter()
    with pytest.raises(LetterIncomplete, match="cannot be set"):
        pdf(replace(letter, subject=replace(letter.subject, name="Alex \U0001e900\U00016a40")))


@needs_poppler
@pytest.mark.parametrize("name", [
    "#read(\"/etc/passwd\")", "$ x^2 $", "*bold* _it_", "#sys.inputs", "<label> @ref", "\\ # [a]",
    "#import \"@preview/x:0.1.0\"",
])
def test_typst_markup_in_a_name_stays_text(make_letter: MakeLetter, tmp_path: Path, name: str
                                           ) -> None:
    letter = make_letter()
    content = pdf(replace(letter, subject=replace(letter.subject, name=name)))
    shown = text_of(content, tmp_path)
    assert name.replace(" ", "") in shown.replace(" ", "").replace("\n", "")
    assert "root:" not in shown


def test_the_compiler_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    import typst

    (tmp_path / "secret.txt").write_text("secret")
    inner = tmp_path / "documents"
    inner.mkdir()
    (inner / "letter.typ").write_text('#read("../secret.txt")')
    with pytest.raises(typst.TypstError):
        typst.Compiler(input=inner / "letter.typ", root=inner).compile(format="pdf")


def test_equal_letters_give_equal_bytes_in_an_archive_format(make_letter: MakeLetter) -> None:
    letter = make_letter()
    content = pdf(letter)
    assert content == pdf(letter)
    assert b"pdfaid:part" in content
    for active in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/URI"):
        assert active not in content


@needs_poppler
def test_a_batch_is_one_document_behind_a_list(make_letter: MakeLetter, tmp_path: Path) -> None:
    letters = [make_letter(reference=f"DSAR-7K3Q-000{n}") for n in range(3)]
    content = as_one_pdf([(render(x, FOLDERS), x) for x in letters], "Letters to print")
    shown = text_of(content, tmp_path).split("\f")
    assert len(shown) - 1 == 4
    assert all(x.reference in shown[0] for x in letters)


def test_a_batch_has_one_paper_size(make_letter: MakeLetter) -> None:
    letters = [make_letter(), make_letter("us-ca-ccpa", reference="DSAR-7K3Q-0001")]
    with pytest.raises(UsageProblem, match="one paper size"):
        as_one_pdf([(render(x, FOLDERS), x) for x in letters], "Letters to print")
