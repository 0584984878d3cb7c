"""Papers of a campaign as DOCX and PDF: a title, headings that begin with `##`, paragraphs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime

from dsar.core.letter import Rendered
from dsar.letters.sheet import as_sheet

_HEADING = "## "


def sections_of(paper: Rendered) -> Iterator[tuple[str, list[str]]]:
    """Yield each heading with the lines below it; what stands before the first has none."""
    heading, lines = "", list[str]()
    for paragraph in paper.body.split("\n\n"):
        if paragraph.startswith(_HEADING):
            if heading or lines:
                yield heading, lines
            heading, lines = paragraph.removeprefix(_HEADING), []
        else:
            lines += [*paragraph.splitlines(), ""]
    if heading or lines:
        yield heading, lines


def paper_text(paper: Rendered) -> str:
    """The paper as plain text."""
    from dsar.letters.document import as_text

    return as_text(paper).replace("\n" + _HEADING, "\n")


def paper_pdf(paper: Rendered, day: date) -> bytes:
    """The paper as PDF/A-2b. Raises UsageProblem where typst is not installed."""
    return as_sheet(paper.subject, list(sections_of(paper)), day, paper.language)


def paper_docx(paper: Rendered, day: date) -> bytes:
    """The paper as DOCX, to be filled in or signed."""
    from docx import Document

    document = Document()
    document.core_properties.title = paper.subject
    document.core_properties.author = ""
    document.core_properties.language = paper.language
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    document.core_properties.created = document.core_properties.modified = moment
    document.add_heading(paper.subject, level=1)
    for heading, lines in sections_of(paper):
        if heading:
            document.add_heading(heading, level=2)
        for line in filter(None, lines):
            document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
