"""HTML mail as the reader sees it: hidden text dropped, quotations marked, nothing fetched."""

from __future__ import annotations

import re
from typing import Any

from dsar.mail.budget import MAX_HTML

_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*(?:0|1px|1pt|0?\.\d+)(?![\d.])|opacity\s*:\s*(?:0(?![.\d])|0?\.0)"
    r"|(?:max-)?(?:height|width)\s*:\s*0(?![.\d])|text-indent\s*:\s*-\d{3,}"
    r"|(?:left|top|margin-left)\s*:\s*-\d{3,}|color\s*:\s*transparent|clip\s*:\s*rect\(0",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![-\w])color\s*:\s*([#\w]+(?:\([\d,\s]*\))?)", re.IGNORECASE)
_GROUND = re.compile(r"background(?:-color)?\s*:\s*([#\w]+(?:\([\d,\s]*\))?)", re.IGNORECASE)
_WHITE = {"white", "#fff", "#ffffff", "rgb(255,255,255)"}
_DROPPED = ("script", "style", "head", "title", "template", "noscript", "object", "svg", "math")
_QUOTE_CLASS = re.compile(r"gmail_quote|yahoo_quoted|protonmail_quote|moz-signature", re.I)
_ZERO_WIDTH = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad\u034f]")
_MAX_DEPTH = 200
_MAX_ELEMENTS = 10_000


def html_text(source: str) -> tuple[str, tuple[str, ...], str]:
    """Return the visible text, the web addresses it links to, and what could not be read.

    Quoted passages have "> " before each line. Never raises. Markup nested more deeply than the
    parser goes is cut there: nothing hidden may come to light by another way of reading it.
    """
    source = source[:MAX_HTML]
    try:
        tree, defect = _tree(source)
        if tree is None:
            return "", (), defect
        _drop_hidden(tree)
        links = tuple(dict.fromkeys(str(a.get("href")) for a in tree.iter("a") if a.get("href")))
        text = "\n".join(tree.itertext()) if _is_deep(tree) else _render(tree)
        return _ZERO_WIDTH.sub("", text), links[:200], defect
    except Exception as error:  # lxml and inscriptis raise many kinds on hostile markup
        return "", (), f"HTML unreadable: {type(error).__name__}"


def _is_deep(tree: Any) -> bool:
    """Whether there are more elements, or deeper ones, than a mail program writes."""
    from lxml.etree import iterwalk

    depth = 0
    for count, (event, _) in enumerate(iterwalk(tree, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > _MAX_DEPTH or count > 2 * _MAX_ELEMENTS:
            return True
    return False


def _tree(source: str) -> tuple[Any, str]:
    from lxml.html import HTMLParser, document_fromstring

    source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source)
    if not source.strip():
        return None, ""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    deep = any("depth" in entry.message.lower() for entry in list(parser.error_log)[:100])
    return tree, "HTML nested too deeply" if deep else ""


def _drop_hidden(tree: Any) -> None:
    for element in list(tree.iter()):
        if element is tree or element.getparent() is None:
            continue
        if element.tag in _DROPPED or _is_hidden(element):
            element.drop_tree()


def _is_hidden(element: Any) -> bool:
    style = element.get("style") or ""
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if style and (_HIDDEN_STYLE.search(style) or _is_invisible_colour(style)):
        return True
    colour = (element.get("color") or "").lower()
    return element.tag == "font" and colour in _WHITE and _ground(element) is None


def _is_invisible_colour(style: str) -> bool:
    """Text in the colour of its ground; a white word counts only where no ground is set."""
    colour, ground = _COLOUR.search(style), _GROUND.search(style)
    if not colour:
        return False
    ink = colour.group(1).lower().replace(" ", "")
    if ground:
        return ink == ground.group(1).lower().replace(" ", "")
    return ink in _WHITE and "background" not in style


def _ground(element: Any) -> str | None:
    for above in element.iterancestors():
        style = above.get("style") or ""
        if above.get("bgcolor") or "background" in style:
            return str(above.get("bgcolor") or style)
    return None


def _render(tree: Any) -> str:
    for element in list(tree.iter("blockquote", "div")):
        quoted = element.tag == "blockquote" or _QUOTE_CLASS.search(element.get("class") or "")
        if quoted and element.getparent() is not None and not _is_inside_quote(element):
            _mark_quoted(element)
    return _inscribed(tree)


def _is_inside_quote(element: Any) -> bool:
    return any(above.get("data-dsar") == "quoted" for above in element.iterancestors())


def _mark_quoted(element: Any) -> None:
    from lxml.html import Element

    lines = _inscribed(element).strip().splitlines()
    block = Element("pre")
    block.set("data-dsar", "quoted")
    block.text = "\n" + "\n".join(f"> {line}" for line in lines) + "\n"
    block.tail = element.tail
    element.getparent().replace(element, block)


def _inscribed(tree: Any) -> str:
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig

    config = ParserConfig(css=CSS_PROFILES["strict"], display_images=False)
    text = str(Inscriptis(tree, config).get_text()).replace("\xa0", " ")
    return "\n".join(line.rstrip() for line in text.splitlines())
