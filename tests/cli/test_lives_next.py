"""Lives of a case from files of mail: what the tool says at each step, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inprocess import ACCOUNT, ALEX, Here, case_row, reply, write_cases

from dsar.core.letter import Stage
from dsar.core.nextstep import BY_NEED

ANSWERS = {
    1: "Please find attached a copy of all personal data we hold about you.",
    2: "Please send us a copy of your passport so that we can verify your identity.",
    3: "Please submit your request through our privacy portal at https://privacy.c3.example/r.",
    4: "Due to the complexity of your request we extend the period by two further months.",
    5: "Attached is a copy of your profile data. We do not disclose the recipients of your data.",
    6: "We refuse your request because it is manifestly unfounded.",
    7: "We are only a processor. Please contact Other Data Ltd, the controller, directly.",
    8: "Dear Ms Sample, attached is a copy of the data we hold about you, Sandra Sample.",
    9: "We have deleted your account and all your personal data as requested.",
}
LABELS = {1: "fulfilled_access", 2: "identity_request", 3: "redirect_to_portal",
          4: "extension_notice", 5: "partial_fulfilment", 6: "refusal",
          7: "redirect_to_other_controller", 9: "fulfilled_erasure"}
LATE = "2027-02-10"


def digest(here: Here, case: str) -> str:
    events = here.items("case", "show", case)[0]["events"]
    return str([e["digest"] for e in events if e["kind"] == "ReplyReceived"][-1])


@pytest.fixture
def lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
          capsys: pytest.CaptureFixture[str]) -> Here:
    """Nine companies have answered, each in its way; all but the eighth answer are read."""
    here = Here(tmp_path / "home", monkeypatch, capsys)
    here("person", "add", *ALEX)
    (here.home / "config.yaml").write_text(ACCOUNT)
    (here.home / "mail" / "cur").mkdir(parents=True)
    here("case", "import", str(write_cases(tmp_path / "c.yaml", *(
        case_row(n) for n in ANSWERS))))
    for number, text in ANSWERS.items():
        (tmp_path / f"{number}.eml").write_bytes(reply(number, text))
    here("inbox", "read", *map(str, sorted(tmp_path.glob("*.eml"))))
    for number, label in LABELS.items():
        case = f"T{number:02}"
        here("inbox", "assign", digest(here, case), case, "--label", label)
    here("registry", "verify", *(f"c{n}" for n in ANSWERS), status=None)
    return here


@pytest.mark.parametrize(("case", "status", "step"), [
    ("T01", "answered", "dsar case close T01"),
    ("T02", "needs-you", "dsar remind T02 --asked-for TEXT"),
    ("T03", "needs-you", "dsar remind T03"), ("T04", "extended", ""),
    ("T05", "answered", "dsar case check T05"), ("T06", "answered", "dsar remind T06"),
    ("T07", "needs-you", "dsar remind T07"), ("T08", "needs-you", "dsar inbox triage"),
    ("T09", "needs-you", "dsar case check T09"),
])
def test_the_next_command_fits_what_happened(
    lives: Here, case: str, status: str, step: str
) -> None:
    item = next(i for i in lives.items("status") if i["case"] == case)
    assert (item["status"], item["next"] or "") == (status, step)
    shown = lives("case", "show", case).out
    assert f"Next: dsar case show {case}" not in shown, "where one is already, nothing is new"
    assert not step or shown.rstrip().endswith(f"Next: {step}")


def test_every_next_command_is_one_that_exists(lives: Here) -> None:
    for step in {*BY_NEED.values(), "dsar case check {case}", "dsar complain {case}"}:
        words = step.split()[1:3] if step.split()[1] in ("inbox", "case") else step.split()[1:2]
        assert lives(*words, "--help").out.startswith("Usage:")


def test_a_clock_that_stands_still_is_not_a_law_without_a_date(lives: Here) -> None:
    shown = lives("case", "show", "T02").out
    assert "the clock stands still until id provided" in shown
    assert "names no date" not in shown


def test_a_partial_answer_is_gone_through_then_questioned_then_complained_of(lives: Here) -> None:
    lives("case", "check", "T05", "--missing", "recipients")
    item = next(i for i in lives.items("status") if i["case"] == "T05")
    assert item["next"] == "dsar remind T05"


def test_data_of_somebody_else_go_neither_into_annexes_nor_into_evidence(
    lives: Here, tmp_path: Path
) -> None:
    lives("inbox", "unfile", digest(lives, "T08"), "T08", "--reason", "data of somebody else")
    lives("complain", "T08", "-o", str(tmp_path / "c"), today=LATE)
    lives("case", "evidence", "T08", "-o", str(tmp_path / "e.zip"), today=LATE)
    for path in [p for p in (tmp_path / "c").rglob("*") if p.suffix in (".txt", ".eml")]:
        assert b"Sandra" not in path.read_bytes(), path
    assert b"Sandra Sample" not in (tmp_path / "e.zip").read_bytes()
    letter = " ".join((tmp_path / "c" / "complaint.txt").read_text().split())
    assert "bis heute habe ich keine Antwort erhalten" in letter


def test_no_letter_accuses_while_the_company_is_in_time(lives: Here) -> None:
    for case in ("T01", "T04", "T08", "T09"):
        refused = lives("complain", case, "--json", status=7)
        assert json.loads(refused.err)["rail"] in ("early", "unread", "answered")
    for number in ANSWERS:
        plan = lives("remind", f"T{number:02}", "-n", "--json").lines
        assert all(i.get("stage") != str(Stage.REMINDER) for i in plan)
