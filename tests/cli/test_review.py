"""What could hurt: the wrong name, a second letter, a letter that should have stayed."""

from __future__ import annotations

import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from command import write_companies
from inprocess import ALEX, Here, case_row, fill, reply, write_cases

KIM = ("kim", "--name", "Kim Sample", "--email", "kim@example.org", "--residence", "DE",
       "--language", "en")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


def accounts(here: Here, *people: str, names: bool = False) -> None:
    """An account NAME for each person, on a port where nothing listens."""
    entries = "".join(f"""
  - name: {person}
    address: {person}@example.org
    {f"display_name: {person.title()} Example" if names else ""}
    smtp: {{host: 127.0.0.1, port: 9, security: none}}
    auth: none
    sent_copy: none
    limits: off
""" for person in people)
    (here.home / "config.yaml").write_text(f"accounts:{entries}")


@pytest.fixture
def home(here: Here) -> Here:
    """Alex and Kim in one home, two companies."""
    here("person", "add", *ALEX)
    here("person", "add", *KIM)
    write_companies(here.home, {"one": "dpo@one.example", "two": "dpo@two.example"})
    return here


def queued(here: Here) -> list[dict[str, Any]]:
    return here.items("queue", "list")


def letter(here: Here, item: dict[str, Any]) -> Any:
    """The archived message of a queued letter."""
    from dsar.store.archive import Archive

    return message_from_bytes(Archive(here.home / "archive").read(item["digest"]))


# -- people, accounts ---------------------------------------------------------------------------


def test_each_person_writes_from_the_account_of_their_own_address(home: Here) -> None:
    accounts(home, "alex", "kim")
    home("send", "one", "--confirm", "1", "-p", "kim", status=5)
    home("send", "two", "--confirm", "1", "-p", "alex", status=5)
    assert {i["company"]: i["account"] for i in queued(home)} == {"one": "kim", "two": "alex"}


def test_a_letter_of_one_person_never_bears_the_name_of_another(home: Here) -> None:
    accounts(home, "alex", names=True)
    home("send", "one", "--confirm", "1", "-p", "kim", status=5)
    [item] = queued(home)
    message = letter(home, item)
    assert "Alex" not in f"{message['From']} {message['Reply-To']} {message.get_payload()}"
    assert "Kim Sample" in message["From"]


def test_a_request_filed_elsewhere_under_the_full_name_holds_a_second_one_back(
    here: Here, tmp_path: Path
) -> None:
    here("person", "add", *ALEX)
    accounts(here, "alex")
    named = {"name": "Alex Example", "mailbox": "other@example.org"}
    by_id = {"name": "Alex", "mailbox": "Alex@example.org"}
    path = write_cases(tmp_path / "cases.yaml", case_row(1, data_subject=named),
                       case_row(2, data_subject=by_id))
    here("case", "import", str(path))
    assert here("case", "import", str(path), "--json").json["summary"]["already"] == 2
    plan = here("send", "c1", "c2", "-n", "--json").lines
    assert {i["company"]: i.get("skipped") for i in plan} == dict.fromkeys(
        ("c1", "c2"), "duplicate")


def test_a_case_of_an_unknown_name_in_the_mailbox_of_a_person_is_nobodys_yet(
    here: Here, tmp_path: Path
) -> None:
    here("person", "add", *ALEX)
    other = {"name": "Lee Example", "mailbox": "alex@example.org"}
    path = write_cases(tmp_path / "cases.yaml", case_row(1, data_subject=other), case_row(2))
    assert "the mailbox is that of alex" in here("case", "import", str(path), status=3).err
    assert [i["case"] for i in here.items("case", "list")] == ["T02"]


# -- the queue ----------------------------------------------------------------------------------


def test_the_plan_counts_only_what_this_account_and_channel_send(home: Here) -> None:
    accounts(home, "alex", "kim")
    home("send", "one", "--confirm", "1", "--account", "kim", status=5)
    [other] = home("send", "one", "-n", "--json").lines
    assert (other["skipped"], other["next"]) == ("queue", "dsar send one --account kim")
    [mine] = home("send", "one", "-n", "--account", "kim", "--json").lines
    assert mine["queued"]
    [form] = home("send", "one", "-n", "--account", "kim", "--channel", "webform",
                  "--json").lines
    assert (form["skipped"], form["next"]) == ("queue", "dsar send one --account kim")
    home("send", "one", "--confirm", "1", "--account", "kim", status=5)


def test_a_timer_holds_the_letter_to_a_company_excluded_since(home: Here) -> None:
    accounts(home, "alex")
    home("send", "one", "two", "--confirm", "2", status=5)
    home("registry", "exclude", "one", "--reason", "a friend works there")
    [held, waits] = sorted(home("send", "one", "two", "-n", "--json").lines,
                           key=lambda i: str(i["company"]))
    assert (held["skipped"], waits["queued"]) == ("excluded", True)
    ran = home("run", "--json", status=3)
    assert "held" in ran.err
    kinds = {i["company"]: [e["kind"] for e in home.items("case", "show", i["case"])[0]["events"]]
             for i in queued(home)}
    tried = {slug: events.count("SendAttempted") for slug, events in kinds.items()}
    assert tried == {"one": 1, "two": 1}, "one was tried before it was excluded, two after"


FORMS = """schema: dsar.companies/1
companies:
  {0}:
    name: Company {0}
    country: DE
    categories: [data-broker]
    identifiers: [[name], [phone]]
    contacts: &same
      - {{kind: webform, value: "https://forms.example/privacy", source: invented,
         checked: 2026-11-01}}
    laws: [eu-gdpr]
    languages: [en]
    checked: 2026-11
  {1}:
    name: Company {1}
    country: DE
    categories: [data-broker]
    contacts:
      - {{kind: webform, value: "https://forms.example/privacy", source: invented,
         checked: 2026-11-01}}
    laws: [eu-gdpr]
    languages: [en]
    checked: 2026-11
"""


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_two_companies_with_one_form_are_told_apart(here: Here, order: tuple[str, str]) -> None:
    here("person", "add", *ALEX, "--identifier", "phone=+49 30 5550100")
    accounts(here, "alex")
    (here.home / "companies.local.yaml").write_text(
        FORMS.format("one", "two").replace("&same", ""))
    done = here("send", *order, "--channel", "webform", "--confirm", "2", "--json").lines
    told = {here.items("case", "show", i["case"])[0]["company"]: "phone" in i["fields"]
            for i in done}
    assert told == {"one": True, "two": False}


# -- the timer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [
    "/nowhere/notify", "'unclosed", f"{sys.executable} -c 'raise SystemExit(4)'"])
def test_a_notice_that_could_not_be_given_is_said(
    here: Here, tmp_path: Path, command: str
) -> None:
    fill(here, tmp_path)
    (here.home / "mail" / "new" / "a").write_bytes(reply(1, "We hold no data about you."))
    ran = here("run", "--notify", command, status=3)
    assert "notice" in ran.err
