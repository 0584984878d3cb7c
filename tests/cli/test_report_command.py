"""`dsar report` on a home with several cases, in each of its forms."""

from __future__ import annotations

import csv
import json
import re
import stat
from pathlib import Path

import jsonschema
import pytest
from inprocess import Here, fill

from dsar import shipped

CASE = r"\bT0\d\b"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    """A home with seven cases of which nobody has read a reply."""
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    return found


def test_the_text_fits_80_columns_and_says_what_is_counted(here: Here) -> None:
    shown = here("report", "text").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "Only answers that a person has read are counted as answers." in shown
    assert "What the words mean:" in shown


def test_no_case_is_late_on_the_strength_of_an_unread_reply(here: Here) -> None:
    rows = {r["case"]: r for r in csv.DictReader(here("report", "csv").out.splitlines())}
    assert len(rows) == 7
    assert {rows[c]["timing"] for c in ("T02", "T03")} == {"a reply waits to be read"}
    assert rows["T06"]["timing"] == "no answer"
    assert rows["T05"]["timing"] == "withdrawn before it was late"


def test_provisional_takes_the_machines_word_for_an_answer(here: Here) -> None:
    rows = {r["case"]: r for r in csv.DictReader(
        here("report", "csv", "--provisional").out.splitlines())}
    assert (rows["T03"]["answer"], rows["T03"]["read_by"]) == ("nothing held", "machine")
    assert "Provisional" in here("report", "text", "--provisional").out


def test_selectors_narrow_it_down(here: Here) -> None:
    def cases(*selected: str) -> set[str]:
        out = here("report", "csv", *selected).out
        return {r["case"] for r in csv.DictReader(out.splitlines())}

    assert cases("c4") == {"T04", "T07"}
    assert cases("--right", "erasure") == {"T07"}
    assert cases("--category", "face-search") == set()
    assert len(cases("--limit", "2")) == 2


def test_public_and_csv_do_not_go_together(here: Here) -> None:
    shown = here("report", "csv", "--public", status=2)
    assert "--public" in shown.err
    assert shown.out == ""


def test_public_json_keeps_the_schema_and_shows_no_case(here: Here) -> None:
    shown = here("report", "json", "--public").out
    jsonschema.validate(json.loads(shown),
                        json.loads((shipped.data("schemas") / "report.json").read_text()))
    assert '{"hidden": true}' in shown
    assert not re.search(CASE, shown)
    assert "Company" not in shown


@pytest.mark.parametrize("form", ["text", "md", "html", "csv", "json"])
def test_a_file_is_private_and_holds_what_standard_output_would(
    form: str, here: Here, tmp_path: Path
) -> None:
    path = tmp_path / f"report.{form}"
    assert here("report", form, "-o", str(path)).out == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if form != "json":
        shown = here("report", form).out
        assert path.read_text() == shown.replace("\r\n", "\n") or path.read_bytes() == (
            shown.encode())


@pytest.mark.parametrize("form", ["text", "md", "html", "csv", "json"])
def test_anonymised_forms_hold_no_person_and_no_case(form: str, here: Here) -> None:
    shown = here("report", form, "--anonymise").out
    assert "alex" not in shown.lower()
    assert not re.search(CASE, shown)


def test_a_home_without_cases_has_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    empty = Here(tmp_path / "none", monkeypatch, capsys)
    assert "Report of 2026-11-24" in empty("report", "text").out
