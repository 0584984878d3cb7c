"""Letters as PDF/A-2b through one reused typst compiler, laid out for window envelopes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from dsar import shipped
from dsar.core.letter import Letter, Rendered
from dsar.errors import LetterIncomplete, UsageProblem
from dsar.letters.document import (
    Paragraph,
    page_of,
    paragraphs_of,
    recipient_lines,
    sender_lines,
)
from dsar.letters.languages import facts_of_language
from dsar.letters.look import read_look
from dsar.letters.view import clean

if TYPE_CHECKING:
    import typst

STANDARD: Literal["a-2b"] = "a-2b"
FONTS = ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono")
"""What the typst wheel brings: Latin, Greek and Cyrillic. Others come from the system."""


def as_pdf(rendered: Rendered, letter: Letter) -> bytes:
    """Return one letter as PDF, equal bytes for equal input.

    Raises LetterIncomplete where a character cannot be set or an address does not fit the
    window, UsageProblem where typst is not installed.
    """
    return _compiled(_data([(rendered, letter)], title=rendered.subject, cover=False), letter)


def as_one_pdf(letters: Sequence[tuple[Rendered, Letter]], title: str) -> bytes:
    """Return letters of one paper size behind a cover that lists them, for printing in a batch."""
    if len({page_of(letter) for _, letter in letters}) != 1:
        raise UsageProblem("These letters are not of one paper size.",
                           hint="Export them law by law.")
    return _compiled(_data(letters, title=title, cover=True), letters[0][1])


def _data(
    letters: Sequence[tuple[Rendered, Letter]], *, title: str, cover: bool
) -> dict[str, Any]:
    first = letters[0][1]
    look = read_look(shipped.templates())
    page = asdict(look.pages[page_of(first)])
    page["address"] = dict(zip(("left", "top", "width", "height"), page["address"], strict=True))
    day = first.written_on
    return {
        "title": title, "author": clean(first.subject.name, "the name"), "cover": cover,
        "keywords": [letter.reference for _, letter in letters],
        "date": [day.year, day.month, day.day], "fonts": FONTS, "page": page,
        "language": first.language, "look": {"size": look.print, "after": look.after},
        "letters": [_letter(rendered, letter) for rendered, letter in letters],
    }


def _letter(rendered: Rendered, letter: Letter) -> dict[str, Any]:
    locale = facts_of_language(letter, [shipped.templates() / "letters"]).locale
    language, _, region = locale.partition("-")
    body = [p for p in paragraphs_of(rendered, letter)
            if p.style not in ("Sender", "Recipient", "Date", "Heading1")]
    return {
        "reference": letter.reference, "sender": sender_lines(letter), "dated": rendered.dated,
        "returned": [line for line in sender_lines(letter) if "@" not in line],
        "recipient": recipient_lines(letter), "subject": rendered.subject, "language": language,
        "region": region, "paragraphs": [asdict(p) for p in _lists_together(body)],
    }


def _lists_together(paragraphs: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """The items of one list as one paragraph with many lines."""
    items: list[str] = []
    for paragraph in paragraphs:
        if paragraph.list_number:
            items += paragraph.lines
            continue
        if items:
            yield Paragraph("ListNumber", tuple(items), 1)
            items = []
        yield paragraph
    if items:
        yield Paragraph("ListNumber", tuple(items), 1)


def _compiled(data: dict[str, Any], letter: Letter) -> bytes:
    """Compile with the bundled fonts; with those of the system only where a character needs it."""
    try:
        import typst
    except ImportError:
        raise UsageProblem("PDF needs the package typst.",
                           hint="pip install 'dsar-cli[pdf]', or use --format docx.") from None
    day = letter.written_on
    stamp = datetime(day.year, day.month, day.day, tzinfo=UTC)
    said = "typst gave more than one file"
    for system_fonts in (False, True):
        try:
            found = _compiler(system_fonts).compile(
                format="pdf", pdf_standards=STANDARD, timestamp=stamp,
                sys_inputs={"letter": json.dumps(data)})
            if isinstance(found, bytes):
                return found
        except typst.TypstError as error:
            said = str(error)
    raise LetterIncomplete(f"The letter cannot be set as PDF: {said}")


@lru_cache(maxsize=2)
def _compiler(system_fonts: bool) -> typst.Compiler:
    import typst

    folder = shipped.templates() / "documents"
    return typst.Compiler(input=folder / "letter.typ", root=folder,
                          ignore_system_fonts=not system_fonts)
