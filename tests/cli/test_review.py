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
    home("send", "one", "--confirm", "1", "-p", "kim", "--account", "alex", status=5)
    [item] = queued(home)
    message = letter(home, item)
    assert "Alex" not in f"{message['From']} {message['Reply-To']} {message.get_payload()}"
    assert "Kim Sample" in message["From"]


@pytest.mark.parametrize("command", [
    ("send", "one", "-n"), ("send", "one", "--confirm", "1"), ("plan", "one"),
    ("verify-erasure", "-n")])
def test_nobody_writes_from_the_mailbox_of_another_person_unasked(
    home: Here, command: tuple[str, ...]
) -> None:
    accounts(home, "alex")
    refused = home(*command, "-p", "kim", "--json", status=7).err
    assert '"rail": "account"' in refused
    assert "--account alex" in refused
    assert home.items("case", "list") == []


def test_the_plan_says_from_whose_mailbox_a_letter_goes(home: Here) -> None:
    accounts(home, "alex", "office")
    shown = home("send", "one", "-n", "-p", "kim", "--account", "office").out
    assert "Written from office@example.org, not kim@example.org" in shown
    assert "Written from" not in home("send", "one", "-n", "-p", "alex").out
    assert "not kim@example.org" in home("plan", "one", "-p", "kim", "--account", "office").err


def test_the_plan_holds_letters_that_wait_for_another_account(home: Here) -> None:
    accounts(home, "alex", "office")
    home("send", "one", "--confirm", "1", "--account", "office", status=5)
    [held] = home.items("plan", "one")
    assert (held["skipped"], held["next"]) == ("queue", "dsar send one --account office")
    [waits] = home.items("plan", "one", "--account", "office")
    assert waits["queued"]


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


# -- what a person says of a message ------------------------------------------------------------


def digest_of(here: Here, case_id: str) -> str:
    events = here.items("case", "show", case_id)[0]["events"]
    return str(next(e["digest"] for e in events if e["kind"] == "ReplyReceived"))


def standing_events(here: Here, case_id: str) -> list[str]:
    """Kinds of the events that count still."""
    events = here.items("case", "show", case_id)[0]["events"]
    gone = {e["retracts"] for e in events if e["kind"] == "Retracted"}
    return [e["kind"] for e in events if e["sequence"] not in gone and e["kind"] != "Retracted"]


def test_a_message_taken_out_stops_no_clock_waits_again_and_is_not_filed_back(
    here: Here, tmp_path: Path
) -> None:
    fill(here, tmp_path)
    digest = digest_of(here, "T02")
    here("inbox", "assign", digest[:10], "T02", "--label", "identity_request")
    assert "ClockEvent" in standing_events(here, "T02")
    here("inbox", "unfile", digest[:10], "T02")
    assert {"ClockEvent", "ReplyReceived"}.isdisjoint(standing_events(here, "T02"))
    assert digest in [i["message"] for i in here.items("inbox", "list")]
    here("inbox", "read", str(tmp_path / "answer2.eml"))
    assert "ReplyReceived" not in standing_events(here, "T02")
    here("inbox", "assign", digest[:10], "T01")
    assert standing_events(here, "T01").count("ReplyReceived") == 2


def test_a_corrected_label_takes_its_effect_on_the_clock_back(here: Here, tmp_path: Path) -> None:
    fill(here, tmp_path)
    digest = digest_of(here, "T02")[:10]
    here("inbox", "assign", digest, "T02", "--label", "identity_request")
    here("inbox", "assign", digest, "T02", "--label", "extension_notice")
    kinds = standing_events(here, "T02")
    assert ("ClockEvent" in kinds, "ExtensionNotified" in kinds) == (False, True)
    here("inbox", "assign", digest, "T02", "--label", "acknowledgement")
    assert {"ClockEvent", "ExtensionNotified"}.isdisjoint(standing_events(here, "T02"))
    here("inbox", "assign", digest, "T02", "--label", "identity_request")
    here("inbox", "assign", digest, "T02", "--label", "identity_request")
    assert standing_events(here, "T02").count("ClockEvent") == 1


# -- bounces ------------------------------------------------------------------------------------


def bounce(number: int, to: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A delivery report on request `number`."""
    return f"""From: MAILER-DAEMON@mx.example
To: alex@example.org
Subject: Undelivered
Message-ID: <bounce.{number}.{action}.{status}@mx.example>
Date: Fri, 20 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: <request.{number}@example.org>

--b--
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(("to", "status", "bounced"), [
    ("privacy@c1.example", "5.1.1", True), ("privacy@c1.example", "5.2.2", True),
    ("alex@example.org", "5.2.2", False)])
def test_a_letter_came_back_unless_only_the_copy_to_oneself_did(
    here: Here, tmp_path: Path, to: str, status: str, bounced: bool
) -> None:
    fill(here, tmp_path)
    (tmp_path / "b.eml").write_bytes(bounce(1, to, status=status))
    here("inbox", "read", str(tmp_path / "b.eml"))
    [item] = [i for i in here.items("case", "list") if i["case"] == "T01"]
    assert (item["status"] == "bounced") == bounced


def test_no_bounce_is_recorded_twice_in_whatever_order_mail_is_read(
    here: Here, tmp_path: Path
) -> None:
    fill(here, tmp_path)
    paths = []
    for action, status in (("delayed", "4.4.1"), ("failed", "5.1.1")):
        paths.append(tmp_path / f"{action}.eml")
        paths[-1].write_bytes(bounce(1, "privacy@c1.example", action=action, status=status))
    for _ in range(2):
        here("inbox", "read", *map(str, paths))
    kinds = [e["kind"] for e in here.items("case", "show", "T01")[0]["events"]]
    assert kinds.count("DeliveryFailed") == 2


def test_a_complaint_about_the_case_of_one_person_is_never_written_for_another(
    home: Here, tmp_path: Path
) -> None:
    kims = {"name": "Kim Sample", "mailbox": "kim@example.org"}
    home("case", "import", str(write_cases(
        tmp_path / "cases.yaml", case_row(6, sent="2026-06-03", data_subject=kims))))
    refused = home("complain", "T06", "--anyway", "--reason", "x", status=7)
    assert "-p kim" in refused.err
    assert "-p kim" not in home("complain", "T06", "-p", "kim", status=None).err
