"""Draws a chart described as data: the one place that knows the drawing library.

vl-convert (the extra `charts`) runs Vega-Lite in this process: no browser, no network, no script
in the result, which styles by attributes only and so needs no permission from a policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

MISSING = ("Charts are left out: the extra `charts` is not installed (vl-convert-python). "
           "The tables have all the numbers.")

Spec = Mapping[str, Any]

_TAGS = frozenset({"svg", "g", "path", "rect", "line", "text", "tspan", "circle"})
_REFUSED = re.compile(r"on|style$|.*href$|id$|class$|src$")
_ROOT = re.compile(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>")
_OWN_NAMES = re.compile(r' (?:class|pointer-events|aria-[a-z]+|role)="[^"]*"')

LOOK: dict[str, Any] = {
    "aria": False, "background": None, "font": "system-ui, sans-serif",
    "view": {"stroke": None}, "padding": {"left": 4, "right": 12, "top": 4, "bottom": 4},
    "axis": {"labelColor": "#222", "titleColor": "#222", "labelFontSize": 12, "titleFontSize": 12,
             "titleFontWeight": "normal", "gridColor": "#e2e2e2", "domainColor": "#222",
             "tickColor": "#222", "labelPadding": 4, "titlePadding": 8, "labelOverlap": True},
    "text": {"fontSize": 12, "fill": "#222"},
}
"""Dark on white, no frame; the page's own font takes the place of this one."""


def can_draw() -> bool:
    """Whether the library is installed."""
    from importlib.util import find_spec

    return find_spec("vl_convert") is not None


def svg(spec: Spec) -> str:
    """Return the chart as an `<svg>` element of fixed proportions and free size.

    It opens no connection: data come in the spec, and no base URL is allowed. Raises ValueError
    where the drawing holds anything but shapes and text.
    """
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({**spec, "config": LOOK}, allowed_base_urls=[])
    drawn = _OWN_NAMES.sub("", drawn)
    drawn = _ROOT.sub(r'<svg xmlns="http://www.w3.org/2000/svg" viewBox="\1">', drawn, count=1)
    _refuse_all_but_shapes(drawn)
    return drawn.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)


def _refuse_all_but_shapes(drawn: str) -> None:
    """Names in a chart are strangers' words: whatever the library does, they become text only."""
    for element in ElementTree.fromstring(drawn).iter():
        tag = element.tag.rpartition("}")[2]
        wrong = [name for name in element.attrib if _REFUSED.match(name.rpartition("}")[2])]
        if tag not in _TAGS or wrong:
            raise ValueError(f"a chart may not hold <{tag}> with {wrong}")
