"""The look of a printed letter, from templates/documents/letter.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dsar import yamlfile


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page; lengths in millimetres from its upper left corner.

    address: left, top, width and height of what shows in the window of an envelope.
    text: where the text begins.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    address: tuple[float, float, float, float]
    text: float
    folds: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Type and pages: `size` (DOCX), `print` (PDF) and `after` in points, `line` in lines."""

    font: str
    size: float
    print: float
    line: float
    after: float
    pages: dict[str, Page]


@lru_cache(maxsize=4)
def read_look(templates: Path) -> Look:
    """Read the look from a folder of templates. Raises FileProblems."""
    document = yamlfile.read(templates / "documents" / "letter.yaml")
    top = yamlfile.Reader.of(document, document.value, "letter")
    pages = top.mapping("pages")
    look = Look(
        font=top.text("font", required=True), size=_number(top, "size"),
        print=_number(top, "print"), line=_number(top, "line"), after=_number(top, "after"),
        pages={name: _page(pages.mapping(name)) for name in pages.value},
    )
    top.finish()
    document.raise_problems()
    return look


def _page(entry: yamlfile.Reader) -> Page:
    box = entry.mapping("address")
    page = Page(
        width=_number(entry, "width"), height=_number(entry, "height"),
        left=_number(entry, "left"), right=_number(entry, "right"), top=_number(entry, "top"),
        bottom=_number(entry, "bottom"), text=_number(entry, "text"),
        address=(_number(box, "left"), _number(box, "top"), _number(box, "width"),
                 _number(box, "height")),
        folds=tuple(float(f) for f in entry.texts("folds")),
    )
    box.finish()
    entry.finish()
    return page


def _number(entry: yamlfile.Reader, key: str) -> float:
    found = entry.raw(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        entry.problem(key, f"{key!r} must be a number")
        return 0.0
    return float(found)
