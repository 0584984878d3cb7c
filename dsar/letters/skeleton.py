"""The empty DOCX letter with its styles, made with python-docx once and then filled."""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from dsar import shipped
from dsar.letters.look import Look, Page, read_look

PLACEHOLDER = "@letter@"
"""The text of the one paragraph that the letter replaces."""

_OURS = ("Sender", "Recipient", "Date", "Closing", "Signature")


def build(locale: str, page_name: str, *, lists: int) -> bytes:
    """Return a DOCX whose body is one paragraph, PLACEHOLDER; lists: how many may restart at 1."""
    look = read_look(shipped.templates())
    page = look.pages[page_name]
    document = Document()
    _drop_thumbnail(document)
    _set_page(document, page)
    _set_styles(document, look, page)
    _set_language(document, locale)
    _add_lists(document, lists)
    placeholder = document.paragraphs[0] if document.paragraphs else document.add_paragraph()
    placeholder.text = PLACEHOLDER
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _drop_thumbnail(document: Any) -> None:
    """The template of python-docx carries a picture of itself."""
    rels = document.part.package.rels
    for key in [k for k, rel in rels.items() if rel.reltype.endswith("/thumbnail")]:
        del rels[key]


def _set_page(document: Any, page: Page) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(page.width), Mm(page.height)
    section.left_margin, section.right_margin = Mm(page.left), Mm(page.right)
    section.top_margin, section.bottom_margin = Mm(page.top), Mm(page.bottom)
    section.header_distance = section.footer_distance = Mm(8)


def _set_styles(document: Any, look: Look, page: Page) -> None:
    styles = document.styles
    _set_type(styles["Normal"], look)
    for name in _OURS:
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
    _set_sender(styles["Sender"])
    styles["Recipient"].paragraph_format.space_after = Pt(0)
    _set_date(styles["Date"], look, page)
    _set_heading(styles["Heading 1"], look)
    styles["Closing"].paragraph_format.keep_with_next = True
    styles["Closing"].paragraph_format.space_before = Pt(look.after)
    styles["Signature"].paragraph_format.space_before = Pt(5 * look.after)
    _set_list(styles["List Number"], look)
    styles["Body Text"].paragraph_format.space_after = Pt(look.after)


def _set_type(style: Any, look: Look) -> None:
    style.font.name, style.font.size = look.font, Pt(look.size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), look.font)
    style.paragraph_format.line_spacing = look.line
    style.paragraph_format.space_after = Pt(look.after)
    style.paragraph_format.widow_control = True


def _set_sender(style: Any) -> None:
    style.font.size = Pt(9)
    style.font.color.rgb = RGBColor(0x44, 0x44, 0x44)


def _set_date(style: Any, look: Look, page: Page) -> None:
    """The first line of the text, at its height below the one line of the sender."""
    line_mm = look.size * look.line * 1.2 * 0.3528
    style.paragraph_format.space_before = Mm(max(0.0, page.text - page.top - 2 * line_mm))
    style.paragraph_format.space_after = Pt(look.after)


def _set_heading(style: Any, look: Look) -> None:
    style.font.name, style.font.size, style.font.bold = look.font, Pt(look.size + 1), True
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), look.font)
    style.paragraph_format.space_before = Pt(0)
    style.paragraph_format.space_after = Pt(2 * look.after)


def _set_list(style: Any, look: Look) -> None:
    """No space between items of one list, the usual space after it."""
    style.paragraph_format.space_after = Pt(look.after)
    contextual = style.element.get_or_add_pPr()
    if contextual.find(qn("w:contextualSpacing")) is None:
        contextual.append(parse_xml(f'<w:contextualSpacing {nsdecls("w")}/>'))


def _set_language(document: Any, locale: str) -> None:
    defaults = document.styles.element.find(qn("w:docDefaults"))
    language = next(defaults.iter(qn("w:lang")))
    for attribute in ("w:val", "w:eastAsia", "w:bidi"):
        language.set(qn(attribute), locale)


def _add_lists(document: Any, lists: int) -> None:
    """One numbering instance per list, each starting at 1 (ECMA-376 part 1, section 17.9)."""
    numbering = document.part.numbering_part.element
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="100"><w:multiLevelType '
        'w:val="singleLevel"/><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
        '<w:lvlText w:val="%1."/><w:lvlJc w:val="left"/><w:pPr><w:ind w:left="397" '
        'w:hanging="397"/></w:pPr></w:lvl></w:abstractNum>')
    numbering.insert(0, abstract)
    for number in range(1, lists + 1):
        numbering.append(parse_xml(
            f'<w:num {nsdecls("w")} w:numId="{100 + number}"><w:abstractNumId w:val="100"/>'
            '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'))
