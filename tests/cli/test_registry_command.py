"""`dsar registry` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dsar.cli import run

COMPANY = """schema: dsar.companies/1
companies:
  acme:
    name: Acme
    contacts:
      - {kind: email, value: "privacy [at] acme.example", source: s, checked: 2026}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DSAR_TODAY", "2026-11-24")
    return tmp_path / "home"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = run([*arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, found


def test_list_names_every_company_within_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 215
    assert max(map(len, lines)) <= 80


def test_list_filters(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = answer(capsys, "registry", "list", "--category", "face-search", "--country", "PL")
    assert [item["company"] for item in found["items"]] == ["lenso-ai"]
    assert found["schema"] == "dsar.companies/1"


def test_show_names_sources_and_what_can_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = answer(capsys, "registry", "show", "clearview-ai")
    assert status == 0
    (item,) = found["items"]
    assert item["to_do"] == "Write to legal-requests@clearview.ai."
    assert all(contact["source"] for contact in item["contacts"])
    assert run(["registry", "show", "clearview-ai"]) == 0
    assert "not written to" in " ".join(capsys.readouterr().out.split())


def test_an_unknown_company_is_a_usage_error_with_neighbours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["registry", "show", "clearview"]) == 2
    assert "clearview-ai" in capsys.readouterr().err


def test_search_finds_by_brand(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = answer(capsys, "registry", "search", "ChatGPT")
    assert [item["company"] for item in found["items"]] == ["openai"]


def test_the_shipped_registry_passes_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = answer(capsys, "registry", "check", "--no-doubts")
    assert (status, found["items"]) == (0, [])


def test_check_of_a_file_names_line_problem_and_fix(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(COMPANY)
    status, found = answer(capsys, "registry", "check", str(path))
    assert status == 6
    (item,) = found["items"]
    assert set(item) == {"path", "line", "slug", "problem", "hint"}
    assert (item["line"], item["slug"]) == (6, "acme")
    assert item["hint"] == "Write privacy@acme.example."
