"""One letter as plain text and as a DOCX document (ECMA-376), deterministic for the same input."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape

from dsar import shipped
from dsar.core.letter import Letter, Rendered, Stage
from dsar.letters.languages import facts_of_language
from dsar.letters.look import Page, read_look
from dsar.letters.view import clean

WIDTH = 76
"""Characters of a line of text, below the 78 of RFC 5322, section 2.1.1."""

TWIPS_PER_MM = 56.6929

_ITEM = re.compile(r"(\d+\. )(.*)")
_LISTS = 9
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def as_text(rendered: Rendered) -> str:
    """Return subject and body, wrapped to WIDTH; list items hang under their number."""
    lines = [rendered.subject, ""]
    for paragraph in rendered.body.split("\n\n"):
        for line in paragraph.splitlines():
            lines += _wrapped(line)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _wrapped(line: str) -> list[str]:
    item = _ITEM.match(line)
    hanging = " " * len(item.group(1)) if item else ""
    return textwrap.wrap(line, WIDTH, subsequent_indent=hanging, break_long_words=False,
                         break_on_hyphens=False)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a document: its style, its lines, and for a list item which list it is in."""

    style: str
    lines: tuple[str, ...]
    list_number: int = 0


def sender_lines(letter: Letter) -> tuple[str, ...]:
    """Name, postal address where the letter tells it, and e-mail: never more than it discloses.

    An authority is always told the postal address: it has to know who complains.
    """
    told = {d.identifier.kind for d in letter.disclosures}
    to_authority = letter.stage is Stage.COMPLAINT
    address = letter.subject.address if to_authority or "address" in told else ()
    lines = (letter.subject.name, *address, letter.subject.email)
    return tuple(clean(line, "the sender") for line in lines)


def recipient_lines(letter: Letter) -> tuple[str, ...]:
    """The company with its postal address, or its e-mail address where no postal one is known.

    A complaint goes to the authority, by the fact `authority_lines`.
    """
    authority = letter.facts.get("authority_lines")
    if letter.stage is Stage.COMPLAINT and isinstance(authority, tuple):
        return tuple(clean(str(line), "the authority") for line in authority)
    controller = letter.controller
    post = controller.contact("post")
    emails = controller.emails(letter.right.right)
    below = post.value.splitlines() if post else [e.value for e in emails[:1]]
    name = controller.legal_entity or controller.name
    lines = [name, *(line for line in below if line.strip() and line.strip() != name)]
    return tuple(clean(line, "the recipient") for line in lines)


def paragraphs_of(rendered: Rendered, letter: Letter) -> Iterator[Paragraph]:
    """Yield the paragraphs of the printed letter, from the sender to the signature."""
    yield Paragraph("Sender", (" · ".join(sender_lines(letter)),))
    yield Paragraph("Recipient", recipient_lines(letter))
    yield Paragraph("Date", (rendered.dated,))
    yield Paragraph("Heading1", (rendered.subject,))
    *body, last = rendered.body.split("\n\n")
    lists = 0
    for text in body:
        lines = text.splitlines()
        lists += 1 if _ITEM.match(lines[0]) else 0
        yield from _paragraphs(lines, lists)
    closing, *signature = [line for line in last.splitlines() if line != rendered.dated]
    yield Paragraph("Closing", (closing,))
    if signature:
        yield Paragraph("Signature", tuple(signature))


def _paragraphs(lines: Sequence[str], list_number: int) -> Iterator[Paragraph]:
    items = [_ITEM.match(line) for line in lines]
    if not all(items):
        yield Paragraph("BodyText", tuple(lines))
        return
    for item in items:
        if item:
            yield Paragraph("ListNumber", (item.group(2),), list_number)


def as_docx(rendered: Rendered, letter: Letter) -> bytes:
    """Return the letter as DOCX with real styles, numbering, language and properties.

    The styled skeleton is built once per language and page; times are those of `written_on`.
    """
    page = page_of(letter)
    locale = facts_of_language(letter, [shipped.templates() / "letters"]).locale
    parts = dict(_skeleton(locale, page))
    frame = _frame(read_look(shipped.templates()).pages[page])
    shown = "".join(_xml(p, frame) for p in paragraphs_of(rendered, letter))
    before, after = _around_the_letter(parts["word/document.xml"])
    parts["word/document.xml"] = before + shown.encode() + after
    parts["docProps/core.xml"] = _properties(rendered, letter, locale)
    return _zipped(parts, letter)


def _around_the_letter(document: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the one paragraph of the skeleton."""
    start, end = document.index(b"<w:p>"), document.index(b"</w:p>") + len(b"</w:p>")
    return document[:start], document[end:]


def page_of(letter: Letter) -> str:
    """Return the page of the look that the country of the law prints on."""
    return "us" if letter.regime.jurisdiction.startswith("US") else "a4"


def _frame(page: Page) -> str:
    """The place of the recipient, in the window of an envelope (ECMA-376, section 17.3.1.11)."""
    left, top, width, height = (round(v * TWIPS_PER_MM) for v in page.address)
    return (f'<w:framePr w:w="{width}" w:h="{height}" w:hRule="exact" w:wrap="around" '
            f'w:vAnchor="page" w:hAnchor="page" w:x="{left}" w:y="{top}"/>')


def _xml(paragraph: Paragraph, frame: str) -> str:
    numbering = frame if paragraph.style == "Recipient" else ""
    if paragraph.list_number:
        number = 100 + min(paragraph.list_number, _LISTS)
        numbering = f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{number}"/></w:numPr>'
    runs = "<w:br/>".join(
        f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in paragraph.lines)
    return (f'<w:p><w:pPr><w:pStyle w:val="{paragraph.style}"/>{numbering}</w:pPr>'
            f"<w:r>{runs}</w:r></w:p>")


def _properties(rendered: Rendered, letter: Letter, locale: str) -> bytes:
    """Core properties (ECMA-376 part 2, section 11)."""
    day = f"{letter.written_on.isoformat()}T00:00:00Z"
    author = escape(clean(letter.subject.name, "the name"))
    times = "".join(f'<dcterms:{name} xsi:type="dcterms:W3CDTF">{day}</dcterms:{name}>'
                    for name in ("created", "modified"))
    package = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<cp:coreProperties xmlns:cp="{package}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(rendered.subject)}</dc:title><dc:creator>{author}</dc:creator>"
        f"<cp:keywords>{escape(letter.reference)}</cp:keywords>"
        f"<cp:lastModifiedBy>{author}</cp:lastModifiedBy><cp:revision>1</cp:revision>{times}"
        f"<dc:language>{locale}</dc:language></cp:coreProperties>"
    ).encode()


def _zipped(parts: Mapping[str, bytes], letter: Letter) -> bytes:
    day = letter.written_on
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


@lru_cache(maxsize=64)
def _skeleton(locale: str, page: str) -> tuple[tuple[str, bytes], ...]:
    """The parts of a document with the styles of templates/documents/letter.yaml, and no text."""
    from dsar.letters.skeleton import build

    with zipfile.ZipFile(io.BytesIO(build(locale, page, lists=_LISTS))) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())
