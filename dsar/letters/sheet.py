"""Sheets of plain text as PDF/A-2b: timelines and computations that go with a letter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime

from dsar import shipped
from dsar.errors import LetterIncomplete, UsageProblem
from dsar.letters.pdf import FONTS, STANDARD

Section = tuple[str, Sequence[str]]
"""A heading and the lines below it."""


def as_sheet(title: str, sections: Sequence[Section], day: date, language: str = "en") -> bytes:
    """Return the sheet as PDF, equal bytes for equal input; readers speak it in its language.

    Raises UsageProblem where typst is not installed, LetterIncomplete for what cannot be set.
    """
    try:
        import typst
    except ImportError:
        raise UsageProblem("PDF needs the package typst.",
                           hint="pip install 'dsar-cli[pdf]'") from None
    data = {"title": title, "fonts": FONTS, "date": [day.year, day.month, day.day],
            "language": language.partition("-")[0],
            "sections": [{"heading": h, "lines": list(lines)} for h, lines in sections]}
    folder = shipped.templates() / "documents"
    said = "typst gave more than one file"
    for ignore in (True, False):
        compiler = typst.Compiler(input=folder / "sheet.typ", root=folder,
                                  ignore_system_fonts=ignore)
        try:
            found = compiler.compile(
                format="pdf", pdf_standards=STANDARD,
                timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
                sys_inputs={"sheet": json.dumps(data)})
        except typst.TypstError as error:
            said = str(error)
            continue
        if isinstance(found, bytes):
            return found
    raise LetterIncomplete(f"The sheet cannot be set as PDF: {said}")
