"""The forms of the report: rows for spreadsheets, Markdown, one closed HTML file."""

from __future__ import annotations

import base64
import csv as reader
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import AFTER, bounced, opened, outcome, proved, replied

from dsar import shipped
from dsar.core.result import Result
from dsar.report.csv import COLUMNS, rows, safe
from dsar.report.html import page
from dsar.report.markdown import markdown
from dsar.report.plot import _refuse_all_but_shapes
from dsar.report.statistics import report

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> | =cmd() {{ 7*7 }} ](x)"
TEMPLATES = shipped.templates() / "reports"


def results() -> list[Result]:
    return [
        outcome([*opened(1, name=EVIL), *replied(1, "fulfilled_access", 9)],
                categories=(EVIL,), seat=EVIL),
        outcome([*opened(2), proved("passport of Alex")]),
        outcome([*opened(3), bounced(3)]),
        outcome([*opened(4), *replied(4, "refusal", 40)]),
    ]


class Seen(HTMLParser):
    """Tags with attributes, and the style and script of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self._now = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._now = tag

    def handle_data(self, data: str) -> None:
        if self._now in ("style", "script"):
            self.inside[self._now] = self.inside.get(self._now, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._now = ""


def test_the_page_carries_a_policy_that_allows_its_own_style_and_script_only() -> None:
    seen = Seen(page(report(results(), AFTER), TEMPLATES))
    policy = next(a["content"] or "" for t, a in seen.tags if "Content-Security" in str(a))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for part in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(seen.inside[part].encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy


def test_nothing_in_the_page_points_out_of_the_file() -> None:
    seen = Seen(page(report(results(), AFTER), TEMPLATES))
    assert not [a for _, a in seen.tags if {"src", "action", "data", "style"} & set(a)]
    links = [a["href"] or "" for _, a in seen.tags if "href" in a]
    ids = {a["id"] for _, a in seen.tags if "id" in a}
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    assert not [name for _, a in seen.tags for name in a if name.startswith("on")]
    assert "url(" not in seen.inside["style"]
    assert "@import" not in seen.inside["style"]


def test_hostile_names_stay_text() -> None:
    shown = page(report(results(), AFTER), TEMPLATES)
    tags = [t for t, _ in Seen(shown).tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "{{ 7*7 }}" in shown


def test_each_chart_has_words_and_a_table_below() -> None:
    shown = page(report(results(), AFTER), TEMPLATES)
    sections = re.findall(r"<section>.*?</section>", shown, re.DOTALL)
    drawn = [s for s in sections if "<svg" in s]
    assert len(drawn) == 6
    for section in drawn:
        assert re.search(r'role="img" aria-label="[^"]{30,}"', section)
        assert section.count("<svg") == section.count('aria-hidden="true"') == 2
        assert section.index("<table>") > section.rindex("</svg>")


def test_a_drawing_is_shapes_and_text_and_the_same_every_time() -> None:
    shown = page(report(results(), AFTER), TEMPLATES)
    assert shown == page(report(results(), AFTER), TEMPLATES)
    inside = {t for svg in re.findall(r"<svg viewBox.*?</svg>", shown, re.DOTALL)
              for t, a in Seen(svg).tags if not {"id", "class", "style", "href"} & set(a)}
    assert inside <= {"svg", "g", "path", "rect", "line", "text", "tspan", "circle"}
    assert "alert(1)" in "".join(re.findall(r"<svg viewBox.*?</svg>", shown, re.DOTALL))


def test_without_the_library_the_page_has_its_tables_and_says_so(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shown = page(report(results(), AFTER), TEMPLATES)
    assert "the extra `charts` is not installed" in shown
    assert "<figure>" not in shown
    assert shown.count("<table>") > 10


@pytest.mark.parametrize("name", ["href", "xlink:href", "onload", "style"])
def test_a_drawing_with_anything_but_shapes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="may not hold"):
        _refuse_all_but_shapes('<svg xmlns:xlink="http://www.w3.org/1999/xlink">'
                               f'<rect {name}="x"/></svg>')


def test_anonymous_pages_hold_no_person_no_case_id_and_no_words_of_the_person() -> None:
    for shown in (page(report(results(), AFTER, anonymous=True), TEMPLATES),
                  "".join(rows(results(), anonymous=True))):
        assert not re.search(r"K00\d|\balex\b|Alex|passport", shown)


def test_public_pages_hold_no_single_company() -> None:
    shown = page(report(results(), AFTER, hide_small=True), TEMPLATES)
    assert "Company 2" not in shown
    assert "K002" not in shown


def test_the_csv_has_one_row_per_case_and_values_of_identifiers_in_none() -> None:
    text = "".join(rows(results()))
    found = list(reader.DictReader(text.splitlines()))
    assert tuple(found[0]) == COLUMNS
    assert [r["case"] for r in found] == ["K001", "K002", "K003", "K004"]
    assert found[0]["days_to_answer"] == "9"
    assert found[2]["delivered"] == "no"
    assert found[0]["told"] == "name;email"
    assert "alex@" not in text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert safe(value).startswith("'")


@given(st.text())
def test_no_text_at_all_becomes_a_formula_or_a_second_line(value: str) -> None:
    assert not safe(value).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert len(safe(value).splitlines()) <= 1


def test_hostile_names_stay_text_in_markdown() -> None:
    lines = list(markdown(report(results(), AFTER)))
    assert not [line for line in lines if re.search(r"(?<!\\)<|(?<!\\)\]\(", line)]
    table = [line for line in lines if "alert" in line]
    assert table
    for block in "\n".join(lines).split("\n\n"):
        rows_ = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows_}) <= 1


def test_a_report_on_nothing_is_a_report() -> None:
    empty = report([], AFTER)
    assert "<h1>Report of 2026-12-01</h1>" in page(empty, TEMPLATES)
    assert next(iter(markdown(empty))) == "# Report of 2026-12-01"
