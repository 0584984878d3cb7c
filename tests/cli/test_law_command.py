"""`dsar law` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dsar.cli import run
from dsar.law.load import load_laws

IDS = sorted(load_laws().regimes)
FIXED = ("in_force", "due", "strict_due", "charitable_due", "extended_due",
         "extension_notice_due", "ack_due", "steps", "cites")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DSAR_TODAY", "2026-11-24")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def stream(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> tuple[int, list[dict[str, Any]]]:
    """Run `law due` over the lines of a file."""
    path = tmp_path / "asked.jsonl"
    path.write_text(text, encoding="utf-8")
    status = run(["law", "due", str(path)])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_list_names_every_law_with_its_status_and_how_far_it_is_verified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = answer(capsys, "law", "list")
    assert found["schema"] == "dsar.laws/1"
    items = {item["regime"]: item for item in found["items"]}
    assert sorted(items) == IDS
    assert all(i["confidence"] and i["status"] for i in items.values())
    assert items["us-ok-ocdpa"]["status"] == "enacted-not-in-force"
    assert items["us-ok-ocdpa"]["in_force_from"] == "2027-01-01"
    assert items["je-dpjl"]["roll_confidence"] == "unverified"


def test_the_list_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 82
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("regime_id", IDS)
def test_every_law_can_be_shown(capsys: pytest.CaptureFixture[str], regime_id: str) -> None:
    assert run(["law", "show", regime_id]) == 0
    text = capsys.readouterr().out
    assert "Sources" in text
    assert max(map(len, text.splitlines())) <= 90
    item = answer(capsys, "law", "show", regime_id)["items"][0]
    assert item["sources"]
    assert item["periods"]["default"]["confidence"]


def test_an_unknown_law_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "show", "gdpr"]) == 2
    assert "eu-gdpr" in capsys.readouterr().err


def test_due_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "due", "--regime", "eu-gdpr", "--received", "2026-03-05",
                "--country", "DE-BE"]) == 0
    text = capsys.readouterr().out
    for word in ("2026-04-07", "Thu 5 March 2026", "one month", "Sun 5 April 2026",
                 "Tue 7 April 2026", "Article 12(3) GDPR", "1182/71 Art. 3(4)", "holidays:DE-BE",
                 "holidays 0."):
        assert word in text


def test_due_as_json_has_the_fixed_fields_and_the_common_frame(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = answer(capsys, "law", "due", "--regime", "uk-gdpr", "--received", "2026-06-01",
                   "--country", "GB-ENG", "--event", "clarification_requested=2026-06-08",
                   "--event", "clarification_provided=2026-06-10")
    assert set(FIXED) <= set(found)
    assert (found["due"], found["strict_due"]) == ("2026-07-06", "2026-07-03")
    assert found["items"][0]["due"] == "2026-07-06"
    assert found["schema"] == "dsar.due/1"


def test_an_event_can_lack_a_reason_or_have_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["law", "due", "--regime", "eu-gdpr", "--received", "2026-06-01", "--country", "DE"]
    assert answer(capsys, *asked, "--event", "extension_notice=2026-06-20..2026-08-03")[
        "extended_due"] == "2026-08-03"
    assert answer(capsys, *asked, "--event", "extension_notice=2026-06-20!")[
        "extended_due"] is None


def test_a_mistyped_event_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "law", "due", "--regime", "eu-gdpr", "--received", "2026-06-01",
                   "--event", "extention_notice=2026-06-20")
    assert any("extention_notice" in step for step in found["steps"])


@pytest.mark.parametrize("arguments", [
    ["--regime", "eu-gdpr"], ["--received", "2026-06-01"],
    ["--regime", "eu-gdpr", "--received", "1 June"],
    ["--regime", "nowhere", "--received", "2026-06-01"],
    ["--regime", "eu-gdpr", "--received", "2026-06-01", "--country", "Germany"],
    ["--regime", "eu-gdpr", "--received", "2026-06-01", "--event", "id_requested"],
    ["--regime", "eu-gdpr", "--received", "2026-06-01", "--event", "id_requested=soon"],
])
def test_what_cannot_be_read_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["law", "due", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_stream_answers_each_line_in_order_and_a_bad_line_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "\n".join([
        '{"id": "a", "regime": "eu-gdpr", "received": "2026-06-01", "right": "access",'
        ' "jurisdiction": {"country": "DE", "subdivision": null}, "events": []}',
        "not json", "[1]", '{"regime": "eu-gdpr"}',
        '{"regime": "eu-gdpr", "received": "2026-06-01", "events": [{"type": "x"}]}',
        '{"regime": "../authorities", "received": "2026-06-01"}',
        '{"regime": "eu-gdpr", "received": "9999-12-31"}',
        '{"id": "b", "regime": "in-dpdp", "received": "2026-06-01"}', ""])
    status, lines = stream(capsys, monkeypatch, tmp_path, text)
    assert status == 3
    assert len(lines) == 8
    assert (lines[0]["id"], lines[0]["due"]) == ("a", "2026-07-01")
    assert [line["line"] for line in lines[1:7]] == [2, 3, 4, 5, 6, 7]
    assert all(line["schema"] == "dsar.error/1" for line in lines[1:7])
    assert all(line["message"].startswith("line ") for line in lines[1:7])
    assert (lines[7]["in_force"], lines[7]["due"]) == (False, None)


def test_the_published_vectors_stream(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    shared: Path,
) -> None:
    from dsar.yamlfile import read

    vectors = read(shared / "law" / "vectors-published.yaml").value["vectors"]
    text = "\n".join(json.dumps({k: v for k, v in vector.items() if k != "expected"})
                     for vector in vectors)
    status, lines = stream(capsys, monkeypatch, tmp_path, text)
    assert status == 0
    assert [line["id"] for line in lines] == [v["id"] for v in vectors]
    for vector, line in zip(vectors, lines, strict=True):
        assert set(FIXED) <= set(line)
        assert {k: line[k] for k in vector["expected"]} == vector["expected"]


def test_applies_gives_the_strongest_law_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "law", "applies", "clearview-ai", "--residence", "DE")
    assert found["items"][0]["regime"] == "eu-gdpr"
    assert set(found["items"][0]) == {"regime", "strength", "because"}
    europol = answer(capsys, "law", "applies", "europol", "--residence", "DE")
    assert [item["regime"] for item in europol["items"]] == ["eu-europol"]


def test_applies_names_a_law_that_is_not_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "law", "applies", "clearview-ai", "--residence", "US-OK")
    assert found["summary"]["not_in_force"] == [
        {"regime": "us-ok-ocdpa", "in_force_from": "2027-01-01"}]


def test_authorities_are_found_by_id_and_by_country(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(answer(capsys, "law", "authority")["items"]) == 116
    german = answer(capsys, "law", "authority", "DE")["items"]
    assert len(german) == 18
    one = answer(capsys, "law", "authority", "fr-cnil")["items"][0]
    assert one["complaint_form"].startswith("https://www.cnil.fr/")
    assert run(["law", "authority", "nobody"]) == 2
