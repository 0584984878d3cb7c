"""The report page in a real browser: widths, keyboard, printing, no network, axe-core."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_samples import AFTER, bounced, opened, outcome, proved, replied
from servers.browser import Browser, chromium
from servers.browser import missing as browser_missing

from dsar import shipped
from dsar.core.result import Result
from dsar.report.html import page
from dsar.report.statistics import report

EVIL = "<script>document.title='taken'</script>\"'><img src=x onerror=document.title='taken'>"
WIDTHS = (390, 768, 1280)


def results() -> list[Result]:
    """Enough cases for every chart, and names that would like to be markup."""
    found = [outcome([*opened(1, name=EVIL), *replied(1, "fulfilled_access", 9)],
                     categories=(EVIL,), seat="DE"),
             outcome([*opened(2), proved("passport")], categories=("broker",), seat="FR"),
             outcome([*opened(3), bounced(3)], categories=("broker",), seat="DE")]
    for number in range(4, 40):
        label = ("refusal", "fulfilled_access", "no_data_held")[number % 3]
        found.append(outcome([*opened(number), *replied(number, label, number)],
                             categories=("adtech",), seat="NL"))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if lacking := browser_missing():
        reason = f"a real browser: {', '.join(lacking)}"
        if os.environ.get("DSAR_REQUIRE_SERVERS") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=["whole", "public"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = report(results(), AFTER, hide_small=request.param == "public")
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(made, shipped.templates() / "reports"), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_says_nothing_and_asks_for_nothing(
    browser: Browser, file: Path, width: int
) -> None:
    browser.open(file, width)
    wide = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1] == width
    assert browser.requests() == [file.as_uri()]
    assert browser.complaints() == []
    assert "taken" not in browser.run("return document.title")
    assert browser.run("return document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(browser: Browser, file: Path, width: int) -> None:
    browser.open(file, width)
    assert browser.violations() == []


def test_a_table_is_sorted_from_the_keyboard_in_both_directions(
    browser: Browser, file: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.open(file, 1280)
    tables = browser.driver.find_elements(By.CSS_SELECTOR, "table")
    table = max(tables, key=lambda t: len(t.find_elements(By.CSS_SELECTOR, "tbody tr")))
    button = table.find_elements(By.CSS_SELECTOR, "thead button")[0]

    def column() -> list[str]:
        return [str(c) for c in browser.run(
            "return Array.from(arguments[0].tBodies[0].rows).map(r => r.cells[0].innerText)",
            table)]

    before = column()
    button.send_keys(Keys.ENTER)
    up = column()
    button.send_keys(Keys.SPACE)
    down = column()
    assert sorted(up) == sorted(before)
    assert len(set(up)) > 1
    assert down == up[::-1]
    assert browser.run("return document.activeElement.tagName") == "BUTTON"
    assert browser.complaints() == []


def test_the_page_prints_on_a4_and_reads_without_script(browser: Browser, file: Path) -> None:
    from pypdf import PdfReader

    browser.open(file, 1280)
    printed = PdfReader(io.BytesIO(browser.pdf()))
    box = printed.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx((595, 842), abs=1)
    headings = browser.run(
        "return Array.from(document.querySelectorAll('h2')).map(h => h.textContent)")
    assert len(headings) > 3, headings
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(file, 1280)
        without = PdfReader(io.BytesIO(browser.pdf()))
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for document in (printed, without):
        words = "".join("".join(p.extract_text() for p in document.pages).split()).casefold()
        for heading in headings:
            if heading == "Contents":
                continue  # links to places of the page are of no use on paper
            assert "".join(heading.split()).casefold() in words
