"""`dsar registry pull|diff|add|exclude|verify|import|export` as they are typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dsar import yamlfile
from dsar.cli import run

LIST = ("Data broker name:,Data broker primary contact email address:,"
        "Data broker primary website:\n"
        "Acme Data LLC,privacy@acme.example,https://acme.example\n"
        "Beta Lists Inc,privacy [at] beta.example,https://beta.example\n,x@example.org,\n")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DSAR_TODAY", "2026-11-24")
    return tmp_path / "home"


@pytest.fixture
def cppa(tmp_path: Path) -> Path:
    path = tmp_path / "cppa.csv"
    path.write_text(LIST)
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = run([*arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, found


def pull(path: Path, *more: str) -> int:
    return run(["registry", "pull", "cppa", "--from", str(path), "--as-of", "2026-06", *more])


def test_a_pull_reports_asks_and_is_found_but_not_written_to(
    capsys: pytest.CaptureFixture[str], cppa: Path
) -> None:
    status, found = answer(capsys, "registry", "pull", "cppa", "--from", str(cppa), "-y")
    assert status == 0
    (item,) = found["items"]
    assert item["added"] == ["acme-data-llc", "beta-lists-inc"]
    assert (len(item["mended"]), len(item["refused"])) == (1, 1)
    _, found = answer(capsys, "registry", "search", "beta lists")
    assert [(i["company"], i["problem"]) for i in found["items"]] == [
        ("beta-lists-inc", "address not verified")]
    _, found = answer(capsys, "registry", "list")
    assert "beta-lists-inc" not in [i["company"] for i in found["items"]]
    _, found = answer(capsys, "registry", "list", "--pulled")
    assert "beta-lists-inc" in [i["company"] for i in found["items"]]


def test_without_a_yes_nothing_is_kept(cppa: Path, home: Path) -> None:
    assert pull(cppa, "--no-input") == 8
    assert pull(cppa, "-n") == 0
    assert not (home / "registry").exists()


def test_a_second_pull_changes_nothing_and_asks_nothing(
    capsys: pytest.CaptureFixture[str], cppa: Path, home: Path
) -> None:
    assert pull(cppa, "-y") == 0
    kept = home / "registry" / "cppa.jsonl"
    before = kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert pull(cppa, "--no-input") == 0
    assert kept.read_bytes() == before
    cppa.write_text(LIST.replace("privacy@acme", "legal@acme").replace("Beta", "Gamma"))
    _, found = answer(capsys, "registry", "pull", "cppa", "--from", str(cppa), "-y")
    (item,) = found["items"]
    assert item["added"] == ["gamma-lists-inc"]
    assert item["gone"] == ["beta-lists-inc"]
    assert item["contacts_changed"] == ["acme-data-llc"]


def test_what_a_list_says_otherwise_is_shown_and_not_written_to(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "cppa.csv"
    path.write_text(LIST.replace("Acme Data LLC,privacy@acme.example,https://acme.example",
                                 '"Spokeo, Inc.",other@spokeo.example,https://www.spokeo.com'))
    assert pull(path, "-y") == 0
    _, found = answer(capsys, "registry", "diff", "spokeo")
    assert [item["theirs"] for item in found["items"]] == ["other@spokeo.example"]
    _, found = answer(capsys, "registry", "show", "spokeo")
    (item,) = found["items"]
    assert item["contacts"][0]["value"] == "legal@spokeo.com"


def test_a_pulled_company_one_has_looked_up_can_be_written_to(
    capsys: pytest.CaptureFixture[str], cppa: Path
) -> None:
    assert pull(cppa, "-y") == 0
    assert run(["registry", "verify", "beta-lists-inc", "-y"]) == 0
    _, found = answer(capsys, "registry", "list")
    (item,) = [i for i in found["items"] if i["company"] == "beta-lists-inc"]
    assert (item["to"], item["problem"]) == ("privacy@beta.example", None)
    assert run(["registry", "check", "--no-doubts"]) == 0


def test_show_can_say_what_to_expect(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "show", "clearview-ai", "--expect"]) == 0
    assert "You have not written to this company yet." in " ".join(
        capsys.readouterr().out.split())


def test_a_pull_needs_the_network_unless_it_reads_a_file(capsys: pytest.CaptureFixture[str]
                                                         ) -> None:
    assert run(["registry", "pull", "cppa", "--offline"]) == 7
    assert run(["registry", "pull", "oregon"]) == 2
    assert run(["registry", "pull", "nothing"]) == 2
    assert "datenanfragen" in capsys.readouterr().err


def test_a_file_of_another_format_is_refused_with_a_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    assert pull(path, "-y") == 6
    assert "cppa:1:" in capsys.readouterr().err


def test_add_exclude_and_verify_write_the_overlay_only(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert run(["registry", "add", "acme", "--name", "Acme", "--email", "p@acme.example"]) == 0
    _, found = answer(capsys, "registry", "show", "acme")
    assert found["items"][0]["to_do"] == "Write to p@acme.example."
    assert run(["registry", "exclude", "acme", "--reason", "a client"]) == 0
    _, found = answer(capsys, "registry", "show", "acme")
    assert found["items"][0]["to_do"] == "Excluded by you: a client"
    assert run(["registry", "exclude", "acme", "--undo"]) == 0
    assert run(["registry", "verify", "thales", "-y"]) == 0
    _, found = answer(capsys, "registry", "search", "thales")
    assert found["items"][0]["problem"] is None
    assert run(["registry", "check", "--no-doubts"]) == 0


def test_a_bad_address_and_an_unnamed_company_are_usage_errors() -> None:
    assert run(["registry", "add", "acme", "--email", "p@acme.example"]) == 2
    assert run(["registry", "add", "acme", "--name", "A", "--email", "p@acme\r\nBcc: x"]) == 2
    assert run(["registry", "exclude", "nobody-here"]) == 2


def test_what_is_exported_can_be_imported_and_fits_the_schema(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "out.yaml"
    assert run(["registry", "export", "clearview-ai", "frontex", "-o", str(file)]) == 0
    assert run(["registry", "import", str(file)]) == 0
    capsys.readouterr()
    assert run(["registry", "export", "--format", "json-schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yamlfile.read(file).value, schema)


def test_the_shipped_registry_fits_its_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    from dsar import shipped
    from dsar.registry.schema import json_schema

    jsonschema.validate(yamlfile.read(shipped.companies()).value, json_schema())


def test_csv_has_one_line_a_company_and_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["registry", "add", "evil", "--name", "=1+1", "--email", "p@evil.example"]) == 0
    capsys.readouterr()
    assert run(["registry", "export", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) >= 216
    assert {r["slug"]: r["name"] for r in rows}["evil"] == "'=1+1"
