"""`dsar remind` and `dsar complain` without a server: what is held, and that nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inprocess import Here, case_row, fill, write_cases
from test_output import narrow

LATE = "2027-01-20"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    """Cases that stand differently; T06 is late and its address looked up."""
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    found("registry", "verify", "c6", "-y")
    return found


def rail(here: Here, *arguments: str, status: int = 7, **more: str) -> str:
    return str(json.loads(here(*arguments, "--json", status=status, **more).err)["rail"])


def ledger(here: Here) -> bytes:
    return next(here.home.rglob("ledger.jsonl")).read_bytes()


def test_a_dry_run_and_a_refusal_leave_the_ledger_as_it_is(here: Here, tmp_path: Path) -> None:
    before = ledger(here)
    here("remind", "--all", "-n")
    here("remind", "T01", "--confirm", "1", status=7)
    here("complain", "T06", "-o", str(tmp_path / "c"))
    here("complain", "T01", status=7)
    here("verify-erasure", "-n")
    assert ledger(here) == before


def test_a_real_account_is_not_written_from_under_a_set_clock(here: Here) -> None:
    config = here.home / "config.yaml"
    text = config.read_text().replace("    limits: off\n", "")
    config.write_text(text.replace("127.0.0.1, port: 9, security: none",
                                   "smtp.example.com, port: 465, security: tls"))
    assert rail(here, "remind", "T06", "--confirm", "1") == "clock"
    assert rail(here, "complain", "T06", "--send", "--confirm", "1") == "clock"
    assert rail(here, "verify-erasure", "--confirm", "1") == "clock"
    assert here("remind", "T06", "-n").status == 0


def test_each_case_says_why_no_letter_goes(here: Here) -> None:
    held = {i["case"]: i["skipped"] for i in here("remind", "--all", "-n", "--json").lines
            if "skipped" in i}
    assert held["T02"] == held["T03"] == "unread"
    assert held["T05"] == "closed"
    assert held["T01"] == "early"
    assert rail(here, "remind", "T02", "--confirm", "1") == "unread"
    assert rail(here, "remind", "T01", "--confirm", "1", today=LATE) == "contact"


def test_exclusion_and_another_person_and_another_account_hold_the_letter(here: Here) -> None:
    here("registry", "exclude", "c6")
    assert rail(here, "remind", "T06", "--confirm", "1") == "excluded"
    config = here.home / "config.yaml"
    config.write_text(config.read_text().replace("address: alex@", "address: other@"))
    assert rail(here, "remind", "T06", "--confirm", "1") == "account"
    here("person", "add", "sam", "--name", "Sam Example", "--email", "sam@example.org",
         "--residence", "DE")
    assert here("remind", "--all", "-n", "--json", "-p", "sam").lines == []


def test_the_number_is_asked_for_and_must_be_the_plans(here: Here) -> None:
    assert here("remind", "T06", status=8).status == 8
    assert "the plan has 1" in here("remind", "T06", "--confirm", "2", status=2).err
    assert rail(here, "remind", "T06", "--confirm", "1", "--offline") == "offline"


def test_nothing_selected_and_unknown_words_are_usage_errors(here: Here) -> None:
    assert "--overdue" in here("remind", status=2).err
    assert here("remind", "T06", "--dodge", "nonsense", status=2).err
    assert "Known: copy" in here("remind", "T06", "--missing", "money", "-n", status=2).err
    assert here("remind", "nobody", "-n", status=2).err
    assert here("complain", "nobody", status=2).err


def test_screens_fit_80_columns_and_tables_have_one_heading(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(write_cases(tmp_path / "more.yaml", case_row(
        8, name="Ünïcode Ädtech Gesellschaft mit beschränkter Haftung", sent="2026-08-03"))))
    for arguments in (("remind", "--all", "-n"), ("case", "check", "T06")):
        narrow(here(*arguments).out)
    shown = here("remind", "--all", "-n", "--plain").out.splitlines()
    assert len({line.count("\t") for line in shown}) == 1
    assert shown[0].startswith("case\tcompany")


def test_a_complaint_is_refused_while_the_company_may_be_in_time(here: Here) -> None:
    assert rail(here, "complain", "T01") == "early"
    assert rail(here, "complain", "T02") == "unread"
    assert rail(here, "complain", "T05") == "closed"
    refused = json.loads(here("complain", "T01", "--json", status=7).err)
    assert "2026-12-0" in refused["message"]


def test_a_complaint_that_was_lodged_elsewhere_is_not_sent_again(here: Here) -> None:
    here("case", "set", "T06", "complaint-lodged", "--how", "de-berlbdi REF-7")
    assert rail(here, "complain", "T06", "--send", "--confirm", "1") == "duplicate"


def test_the_files_are_for_the_person_alone(here: Here, tmp_path: Path) -> None:
    here("complain", "T06", "-o", str(tmp_path / "c"))
    here("case", "evidence", "T06", "-o", str(tmp_path / "e.zip"))
    files = [p for p in (tmp_path / "c").rglob("*") if p.is_file()] + [tmp_path / "e.zip"]
    assert len(files) >= 6
    assert {oct(p.stat().st_mode & 0o777) for p in files} == {"0o600"}


def test_the_authority_without_a_way_by_mail_gets_no_mail(here: Here, tmp_path: Path) -> None:
    assert rail(here, "complain", "T06", "--authority", "fr-cnil", "--send", "--confirm", "1"
                ) == "contact"
    assert rail(here, "complain", "T06", "--authority", "pl-uodo", "--lang", "en", "--send",
                "--confirm", "1") == "contact"
    shown = here("complain", "T06", "--authority", "fr-cnil", "-o", str(tmp_path / "c"))
    assert "no email" in shown.out
    assert not (tmp_path / "c" / "complaint.eml").exists()
    assert "complaint-lodged" in shown.err
