"""`dsar case` as it is typed: show, note, set, extend, close, reopen, import."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from inprocess import Here, case_row, fill, reply, write_cases

from dsar.caseimport import COLUMNS


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def filled(here: Here, tmp_path: Path) -> Here:
    fill(here, tmp_path)
    return here


def one(here: Here, case_id: str) -> Any:
    (found,) = here.items("case", "show", case_id)
    return found


def kinds(here: Here, case_id: str) -> list[str]:
    return [event["kind"] for event in one(here, case_id)["events"]]


def test_show_tells_due_date_steps_and_what_happened(filled: Here) -> None:
    shown = filled("case", "show", "T02", "--explain").out
    assert "due 2026-12-01" in shown
    assert "rests on: Article 12(3)" in shown
    assert "reply from privacy@c2.example" in shown
    assert "identity" in shown
    item = one(filled, "T02")
    assert item["reference"] == "DSAR-43KQ-3M02"
    assert kinds(filled, "T02")[:2] == ["CaseOpened", "LetterSent"]


def test_a_note_is_kept_with_its_day(filled: Here) -> None:
    filled("case", "note", "T01", "they called", "--on", "2026-11-20")
    last = one(filled, "T01")["events"][-1]
    assert (last["kind"], last["on"], last["text"]) == ("NoteAdded", "2026-11-20", "they called")


def test_facts_move_the_clock_of_the_law(filled: Here) -> None:
    assert one(filled, "T01")["due"] == "2026-12-01"
    filled("case", "set", "T01", "received", "--on", "2026-11-09", "--how", "return receipt")
    assert one(filled, "T01")["due"] == "2026-12-09"


def test_every_fact_that_can_be_set_is_recorded(filled: Here) -> None:
    for fact in ("id-requested", "id-provided", "clarification-requested",
                 "clarification-provided", "fee-requested", "fee-paid"):
        before = len(kinds(filled, "T04"))
        filled("case", "set", "T04", fact)
        assert len(kinds(filled, "T04")) == before + 1
    assert {e.get("type") for e in one(filled, "T04")["events"]} >= {"fee_paid", "id_requested"}


def test_a_letter_that_is_not_in_doubt_cannot_be_settled(filled: Here) -> None:
    for fact in ("sent", "unsent"):
        assert "not in doubt" in filled("case", "set", "T01", fact, status=2).err
    assert {"LetterSent", "SendAbandoned"} & set(kinds(filled, "T01")[2:]) == set()


def test_an_extension_in_time_moves_the_due_date_and_a_late_one_does_not(filled: Here) -> None:
    filled("case", "extend", "T04", "--on", "2026-11-20", "--until", "2027-01-15")
    assert one(filled, "T04")["status"] == "extended"
    assert one(filled, "T04")["extended_due"]
    filled("case", "extend", "T06", "--on", "2026-11-20")
    assert one(filled, "T06")["extended_due"] is None
    assert one(filled, "T06")["status"] == "overdue"


def test_a_closed_case_expects_nothing_until_it_is_opened_again(filled: Here) -> None:
    filled("case", "close", "T06", "--outcome", "no-answer", "--note", "gave up")
    assert one(filled, "T06")["status"] == "closed"
    assert "T06" not in [i["case"] for i in filled.items("deadlines")]
    filled("case", "reopen", "T06", "--note", "they wrote after all")
    assert one(filled, "T06")["status"] == "overdue"
    assert kinds(filled, "T06")[-2:] == ["CaseClosed", "CaseReopened"]


@pytest.mark.parametrize("arguments", [
    ("show", "nope"), ("note", "nope", "x"), ("set", "nope", "received"), ("extend", "nope"),
    ("close", "nope"), ("reopen", "nope"),
])
def test_an_unknown_case_is_a_usage_error_and_records_nothing(
    arguments: tuple[str, ...], here: Here
) -> None:
    assert "nope" in here("case", *arguments, status=2).err
    assert here.items("case", "list") == []


def test_selectors_narrow_the_list(filled: Here) -> None:
    def listed(*arguments: str) -> list[str]:
        return sorted(i["case"] for i in filled.items("case", "list", *arguments))

    assert listed("c1", "T02") == ["T01", "T02"]
    assert listed("--overdue") == ["T06"]
    assert listed("--status", "closed") == ["T05"]
    assert listed("--exclude", "c1,c2", "--due", "30d") == ["T03", "T04", "T06", "T07"]
    assert listed("--law", "uk-gdpr") == []
    assert len(listed("--limit", "2")) == 2


def test_mistyped_selectors_are_usage_errors(filled: Here) -> None:
    assert "waiting" in filled("status", "--status", "wating", status=2).err
    assert "search" in filled("status", "c77", status=2).err
    assert "7d" in filled("status", "--due", "soon", status=2).err


# -- import ------------------------------------------------------------------------------------

def as_csv(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    return path


ROW = {"id": "K1", "token": "DSAR-43KQ-3MS6", "name": "Alex Example",
       "mailbox": "alex@example.org", "message_ids": "<a@example.org> <b@example.org>",
       "slug": "listmaker", "company": "List Maker, Ltd", "email": "privacy@lists.example",
       "domains": "lists.example mail.lists.example", "right": "erasure", "regime": "uk-gdpr",
       "language": "en", "sent": "2026-11-02"}


def test_yaml_and_csv_make_the_same_case(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(as_csv(tmp_path / "cases.csv", ROW)))
    found = one(here, "K1")
    assert (found["right"], found["regime"], found["due"]) == (
        "erasure", "uk-gdpr", "2026-12-02")
    opened = found["events"][0]
    assert opened["reply_domains"] == ["lists.example", "mail.lists.example"]
    assert opened["message_ids"] == ["<b@example.org>"]
    assert opened["controller_name"] == "List Maker, Ltd"
    assert found["reference"] == "DSAR-43KQ-3MS6"


def test_an_imported_company_is_in_the_users_own_registry_unverified(
    here: Here, tmp_path: Path
) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    (found,) = here.items("registry", "show", "c1")
    assert found["contacts"][0]["value"] == "privacy@c1.example"
    assert found["contacts"][0]["verified"] is False


def test_importing_twice_adds_nothing(here: Here, tmp_path: Path) -> None:
    path = write_cases(tmp_path / "cases.yaml", case_row(1), case_row(2))
    assert here("case", "import", str(path), "--json").json["summary"]["made"] == 2
    ledger = next(here.home.rglob("ledger.jsonl")).read_bytes()
    overlay = (here.home / "companies.local.yaml").read_bytes()
    again = here("case", "import", str(path), "--json").json
    assert (again["items"], again["summary"]) == (
        [], {"made": 0, "already": 2, "problems": []})
    assert next(here.home.rglob("ledger.jsonl")).read_bytes() == ledger
    assert (here.home / "companies.local.yaml").read_bytes() == overlay


def test_a_file_that_grew_adds_only_what_is_new(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    here("case", "note", "T01", "meanwhile")
    found = here("case", "import", str(write_cases(
        tmp_path / "cases.yaml", case_row(1), case_row(2))), "--json").json
    assert [i["case"] for i in found["items"]] == ["T02"]
    assert kinds(here, "T01")[-1] == "NoteAdded"


def test_another_case_under_a_taken_id_is_a_bad_row_with_its_line(
    here: Here, tmp_path: Path
) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    other = write_cases(tmp_path / "other.yaml", case_row(2, id="T01"), case_row(3))
    failed = here("case", "import", str(other), status=3).err
    assert "other.yaml:1: there is another case 'T01' already" in failed
    assert [i["company"] for i in here.items("case", "list")] == ["c1", "c3"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "regime": ({"regime": "atlantis"}, "atlantis"),
    "right": ({"right": "tea"}, "tea"),
    "sent": ({"sent": "2026-02-30"}, "2026-02-30"),
    "sent missing": ({"sent": None}, "'sent' is missing"),
    "token": ({"token": "DSAR-UUUU-0000"}, "is not a reference"),
    "company": ({"company": {"slug": "x"}}, "'name' is missing"),
    "slug": ({"company": {"slug": "../x", "name": "X"}}, "slug"),
    "name": ({"company": {"slug": "x", "name": "X\x1b[2J"}}, "control characters"),
    "mailbox": ({"data_subject": {"name": "A", "mailbox": "nobody"}}, "no mail address"),
    "unknown": ({"colour": "red"}, "unknown key 'colour'"),
    "id": ({"id": "_house"}, "a case id"),
    "twice": ({"id": "T01"}, "second time"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_names_its_line_and_stops_nothing_else(
    what: str, here: Here, tmp_path: Path
) -> None:
    changed, said = BAD[what]
    path = write_cases(tmp_path / "cases.yaml", case_row(1), case_row(2, **changed), case_row(3))
    lines = path.read_text().splitlines()
    first = lines.index("- id: T03")
    begins = next(n for n, line in enumerate(lines) if line.startswith("- id") and n > 0)
    shown = here("case", "import", str(path), "--json", status=3)
    (problem, *_) = shown.json["summary"]["problems"]
    assert said in problem["problem"]
    assert begins < problem["line"] <= first
    assert [i["case"] for i in shown.json["items"]] == ["T01", "T03"]
    assert [i["case"] for i in here.items("case", "list")] == ["T01", "T03"]


def test_a_bad_row_of_csv_names_its_line(here: Here, tmp_path: Path) -> None:
    path = as_csv(tmp_path / "cases.csv", ROW, ROW | {"id": "K2", "sent": "soon"},
                  ROW | {"id": "K3", "token": "DSAR-43KQ-3MS8"})
    failed = here("case", "import", str(path), status=3).err
    assert "cases.csv:3: " in failed
    assert "soon" in failed
    assert [i["case"] for i in here.items("case", "list")] == ["K1", "K3"]


def test_a_csv_with_an_unknown_column_is_refused_whole(here: Here, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("id,colour\nK1,red\n")
    assert "colour" in here("case", "import", str(tmp_path / "cases.csv"), status=6).err
    assert not here.home.exists() or here.items("case", "list") == []


def test_a_file_with_only_bad_rows_changes_nothing(here: Here, tmp_path: Path) -> None:
    path = write_cases(tmp_path / "cases.yaml", case_row(1, regime="atlantis"))
    assert "nothing was changed" in here("case", "import", str(path), status=6).err
    assert here.items("case", "list") == []
    assert not (here.home / "companies.local.yaml").exists()


def test_the_published_development_cases_import_whole(here: Here, shared: Path) -> None:
    path = shared / "corpus" / "cases-dev.yaml"
    found = here("case", "import", str(path), "--json").json
    assert found["summary"]["problems"] == []
    assert len(found["items"]) == path.read_text().count("\n- id:") + path.read_text().startswith(
        "- id:")


def test_a_reply_to_an_imported_case_is_filed_by_its_thread(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    (tmp_path / "answer.eml").write_bytes(reply(1, "We have received your request."))
    assert here("inbox", "read", str(tmp_path / "answer.eml"), "--json").lines[0]["case"] == "T01"
    assert "ReplyReceived" in kinds(here, "T01")
