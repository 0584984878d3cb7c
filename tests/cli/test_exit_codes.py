"""Exit statuses and safety rails as scripts meet them; people and plans as they are typed."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from inprocess import ACCOUNT, ALEX, Here, case_row, fill, write_cases

from dsar import yamlfile
from dsar.home import Home

REAL = """
accounts:
  - name: main
    address: alex@example.org
    smtp: {host: mail.example.org}
    imap: {host: mail.example.org}
    secret: {file: secret}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def filled(here: Here, tmp_path: Path) -> Here:
    fill(here, tmp_path)
    return here


@pytest.fixture
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


# -- exit statuses -------------------------------------------------------------------------------

@pytest.mark.parametrize(("arguments", "status"), [
    ("status", 0), ("deadlines", 0), ("send acxiom -n", 0),
    ("statuss", 2), ("status --nope", 2), ("case show nope", 2), ("send", 2), ("send nope", 2),
    ("send acxiom --again", 2), ("send acxiom --right tea", 2), ("law show nope", 2),
    ("send acxiom --law nope", 2), ("send acxiom --lang xx", 2), ("registry show nope", 2),
    ("person show nobody", 6), ("account test nope", 6), ("send acxiom --account nope -n", 6),
    ("send acxiom", 8), ("send acxiom clearview-ai --yes", 8),
    ("send acxiom --offline --confirm 1", 7), ("account test --offline", None),
])
def test_the_exit_status_says_what_happened(
    arguments: str, status: int | None, filled: Here, no_socket: None
) -> None:
    shown = filled(*arguments.split(), status=None)
    assert shown.status == status if status is not None else shown.status != 0
    assert "Traceback" not in shown.err
    assert "Unexpected" not in shown.err


def test_done_in_part_is_three(filled: Here, tmp_path: Path) -> None:
    path = write_cases(tmp_path / "more.yaml", case_row(8), case_row(9, regime="atlantis"))
    filled("case", "import", str(path), status=3)


def test_another_dsar_at_work_is_nine(filled: Here) -> None:
    with Home(filled.home, filled.home, filled.home / "cache").working():
        for command in ("send acxiom --confirm 1", "poll"):
            assert "Another dsar" in filled(*command.split(), status=9).err
        filled("status")


def test_a_server_that_is_not_there_is_five(filled: Here) -> None:
    filled("send", "acxiom", "--confirm", "1", status=5)


def case(number: int, **changed: Any) -> dict[str, Any]:
    return case_row(number, **changed)


@pytest.mark.parametrize(("sent", "status"), [
    ("2026-11-20", 0), ("2026-10-28", 11), ("2026-09-01", 10)])
def test_exit_code_tells_overdue_and_due_soon(
    sent: str, status: int, here: Here, tmp_path: Path
) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case(1, sent=sent))))
    here("status", "--exit-code", status=status)
    here("status", status=0)


def test_exit_code_tells_that_a_person_is_needed_before_anything_else(filled: Here) -> None:
    filled("status", "--exit-code", status=12)
    filled("status", "--exit-code", "--overdue", status=10)


def test_exit_code_of_an_empty_home_is_nothing_to_do(here: Here) -> None:
    here("status", "--exit-code", status=0)


# -- confirmation and rails ----------------------------------------------------------------------

def nothing_recorded(here: Here) -> None:
    assert here.items("queue", "list") == []
    assert "acxiom" not in [i["company"] for i in here.items("status")]


@pytest.mark.parametrize("number", ["2", "99"])
def test_a_wrong_number_stops_before_anything_is_recorded(
    number: str, filled: Here, no_socket: None
) -> None:
    said = filled("send", "acxiom", "--confirm", number, status=2).err
    assert f"--confirm says {number}, the plan has 1 letter" in said
    nothing_recorded(filled)


def test_without_a_terminal_the_number_is_asked_for(filled: Here, no_socket: None) -> None:
    said = filled("send", "acxiom", "clearview-ai", status=8).err
    assert "--confirm 2" in said
    nothing_recorded(filled)


def test_yes_is_not_enough_for_an_erasure(filled: Here, no_socket: None) -> None:
    filled("send", "acxiom", "--right", "erasure", "--anyway", "--reason", "known", "--yes",
           status=8)
    nothing_recorded(filled)


def test_under_a_set_clock_a_real_account_sends_nothing(filled: Here, no_socket: None) -> None:
    (filled.home / "config.yaml").write_text(REAL)
    failed = filled("send", "acxiom", "--confirm", "1", "--json", status=7)
    assert '"rail": "clock"' in failed.err
    nothing_recorded(filled)
    filled("send", "acxiom", "-n")


def test_offline_forbids_every_connection(filled: Here, no_socket: None) -> None:
    failed = filled("send", "acxiom", "--confirm", "1", "--offline", "--json", status=7)
    assert '"rail": "offline"' in failed.err
    filled("account", "test", "--offline", status=None)
    filled("registry", "pull", "--offline", status=7)
    filled("doctor", "--network", "--offline", status=None)


def test_only_commands_that_say_so_use_the_network(filled: Here, no_socket: None) -> None:
    for command in ("status", "deadlines", "case list", "doctor", "registry list", "law list",
                    "plan --all", "send --all -n", "inbox list", "letter preview acxiom", ""):
        assert "connection" not in filled(*command.split(), status=None).err


def test_a_second_request_to_the_same_company_is_held(here: Here, tmp_path: Path) -> None:
    here("person", "add", *ALEX)
    (here.home / "config.yaml").write_text(ACCOUNT)
    (tmp_path / "cases.yaml").write_text(yamlfile.dump([case(1, company={
        "slug": "acxiom", "name": "Acxiom", "email": "datenschutz@acxiom.com"},
        data_subject={"name": "Alex", "mailbox": "alex@example.org"})]))
    here("case", "import", str(tmp_path / "cases.yaml"))
    (held,) = here("send", "acxiom", "-n", "--json").lines
    assert held["skipped"] == "duplicate"


# -- people --------------------------------------------------------------------------------------

def test_a_person_is_added_changed_and_shown(here: Here) -> None:
    here("person", "add", *ALEX)
    here("person", "edit", "alex", "--residence", "FR", "--identifier", "phone=+33 1 5550100",
         "--identifier", "username=alexample")
    (shown,) = here.items("person", "show")
    assert (shown["residence"], shown["languages"]) == ("FR", ["en"])
    assert shown["address"] == ["Musterweg 1", "10115 Berlin"], "what is not given stays"
    assert {i["kind"] for i in shown["identifiers"]} == {"phone", "username"}
    here("person", "edit", "alex", "--forget", "phone")
    assert "phone" not in here("person", "show", "alex").out
    assert (here.home / "people.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("changed", [
    ("--email", "nobody"), ("--residence", "Germany"), ("--identifier", "phone"),
    ("--identifier", "shoe-size=44"), ("--identifier", "phone="),
])
def test_a_wrong_detail_of_a_person_changes_nothing(
    changed: tuple[str, ...], here: Here
) -> None:
    here("person", "add", *ALEX)
    before = (here.home / "people.yaml").read_bytes()
    here("person", "edit", "alex", *changed, status=2)
    assert (here.home / "people.yaml").read_bytes() == before


def test_a_second_person_of_the_same_id_is_refused(here: Here) -> None:
    here("person", "add", *ALEX)
    assert "person edit alex" in here("person", "add", *ALEX, status=2).err
    assert len(here.items("person", "list")) == 1


def test_a_person_needs_name_mail_and_residence(here: Here) -> None:
    here("person", "add", "bo", "--name", "Bo Example", status=2)
    assert here.items("person", "list") == []


def test_the_person_of_the_command_is_the_one_named(here: Here) -> None:
    here("person", "add", *ALEX)
    here("person", "add", "bo", "--name", "Bo Example", "--email", "bo@example.org",
         "--residence", "FR")
    assert here("-p", "bo", "person", "show").out.startswith("bo: Bo Example")
    assert here("person", "show", "-p", "bo").out.startswith("bo: Bo Example")
    (here.home / "config.yaml").write_text(ACCOUNT)
    assert "Bo Example" in here("send", "clearview-ai", "-n", "-p", "bo", "--account", "main").out


# -- the plan as a file --------------------------------------------------------------------------

def test_the_plan_is_yaml_that_names_every_company(filled: Here, tmp_path: Path) -> None:
    filled("plan", "--all", "-o", str(tmp_path / "plan.yaml"))
    plan = yamlfile.read(tmp_path / "plan.yaml").value
    items = filled("send", "--all", "-n", "--json").lines
    assert [i["company"] for i in plan["letters"]] == [i["company"] for i in items if "to" in i]
    assert [i["company"] for i in plan["skipped"]] == [
        i["company"] for i in items if "skipped" in i]
    assert all(i["why"] for i in plan["skipped"])
    assert (tmp_path / "plan.yaml").stat().st_mode & 0o777 == 0o600
    assert filled("plan", "--all").out == (tmp_path / "plan.yaml").read_text()


def test_a_plan_records_and_opens_nothing(filled: Here, no_socket: None) -> None:
    before = {p: p.read_bytes() for p in filled.home.rglob("*") if p.is_file()}
    filled("plan", "acxiom", "--right", "erasure")
    filled("send", "acxiom", "-n")
    after = {p: p.read_bytes() for p in filled.home.rglob("*") if p.is_file()}
    assert {p: after[p] for p in before} == before
    assert all(filled.home / "cache" in p.parents for p in set(after) - set(before))
