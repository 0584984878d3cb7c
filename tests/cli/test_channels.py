"""Channels other than e-mail, pulled companies, held letters, `run` and `schedule`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import ALEX, Dsar, plain_account, write_companies
from servers.maillab import MailLab


@pytest.fixture
def plain(tmp_path: Path) -> Dsar:
    """A person and an account on a port where nothing listens."""
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", "alex@example.org", *ALEX)
    _account(dsar, "alex@example.org", 9)
    return dsar


def _account(dsar: Dsar, user: str, port: int) -> None:
    plain_account(dsar.home, user, port)


FORM = """schema: dsar.companies/1
companies:
  form-only:
    name: Form Only
    country: DE
    categories: [data-broker]
    contacts:
      - {kind: webform, value: "https://form-only.example/privacy", source: invented,
         checked: 2026-11-01}
      - {kind: post, value: "Lane 1\\n10115 Berlin\\nGermany", source: invented,
         checked: 2026-11-01}
    laws: [eu-gdpr]
    languages: [en]
    checked: 2026-11
"""


def test_a_web_form_is_prepared_and_the_filing_recorded(plain: Dsar) -> None:
    (plain.home / "companies.local.yaml").write_text(FORM)
    held = plain("send", "form-only", "-n", "--json").lines
    assert held[0]["why"] == "web form only"
    assert "--channel webform" in held[0]["next"]

    done = plain("send", "form-only", "--channel", "webform", "--confirm", "1", "--json")
    [prepared] = done.lines
    assert prepared["outcome"] == "prepared"
    assert prepared["to"] == "https://form-only.example/privacy"
    assert prepared["fields"] == {"name": "Alex Example", "email": "alex@example.org"}
    assert "DSAR-" + prepared["case"] in prepared["text"]
    assert plain("status", "--json").json["items"][0]["status"] == "unsent"

    plain("case", "set", prepared["case"], "sent", "--how", "form receipt 4711",
          "--on", "2026-11-02")
    [item] = plain("status", "--json").json["items"]
    assert (item["sent_on"], item["due"]) == ("2026-11-02", "2026-12-02")
    again = plain("send", "form-only", "--channel", "webform", "-n", "--json").lines
    assert again[0]["skipped"] == "duplicate"


def test_a_letter_to_print_is_written_for_the_user_alone(plain: Dsar, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    (plain.home / "companies.local.yaml").write_text(FORM)
    out = tmp_path / "print"
    [prepared] = plain("send", "form-only", "--channel", "post", "--confirm", "1", "-o", str(out),
                       "--json").lines
    written = Path(prepared["file"])
    assert written.read_bytes().startswith(b"%PDF-")
    assert written.stat().st_mode & 0o077 == 0


def test_an_unverified_address_is_written_to_only_when_asked_for(
    lab: MailLab, user: str, tmp_path: Path
) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", user, *ALEX)
    _account(dsar, user, lab.ports.plain)
    write_companies(dsar.home, {"maybe": "dpo@maybe.example"})
    overlay = dsar.home / "companies.local.yaml"
    overlay.write_text(overlay.read_text().replace(
        "        checked: 2026-11-01", "        checked: 2026-11-01\n        verified: false"))
    held = dsar("send", "maybe", "-n", "--json").lines
    assert held[0]["why"] == "address not verified"
    sent = dsar("send", "maybe", "--include-unverified", "--confirm", "1", "--json").lines
    assert sent[0]["outcome"] == "sent"
    shown = dsar("case", "show", sent[0]["case"]).out
    assert "rail contact overridden" in shown


def test_an_approved_letter_is_held_when_the_registry_changes_underneath(
    lab: MailLab, user: str, tmp_path: Path
) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", user, *ALEX)
    _account(dsar, user, 9)
    write_companies(dsar.home, {"one": "old@one.example", "two": "dpo@two.example"})
    dsar("send", "one", "two", "--confirm", "2", status=5)
    write_companies(dsar.home, {"one": "new@one.example", "two": "dpo@two.example"})
    _account(dsar, user, lab.ports.plain)
    held = {i["company"]: i for i in dsar("send", "one", "two", "-n", "--json").lines}
    assert "approved letter held" in held["one"]["why"]
    screen = dsar("send", "one", "two", "-n").out
    assert "approved letter held: the registry has another address now" in screen
    assert "held: the registry has another address now" in dsar("queue", "list").out
    assert max(map(len, screen.splitlines())) <= 80
    assert held["two"]["queued"]

    ran = dsar("run", "--json", status=3)
    assert [line["outcome"] for line in ran.lines if "outcome" in line] == ["sent"]
    assert "approved letter held" in ran.err
    assert not any("one.example" in r.decode(errors="replace") for r in
                   lab.delivered("catchall@example.test") if user.encode() in r)


def test_run_never_starts_a_new_letter(lab: MailLab, user: str, tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "alex", "--email", user, *ALEX)
    _account(dsar, user, lab.ports.plain)
    write_companies(dsar.home, {"one": "dpo@one.example"})
    dsar("run", status=None)
    assert dsar("status", "--json").json["items"] == []


def test_schedule_shows_units_and_writes_them_once(dsar: Dsar, tmp_path: Path) -> None:
    shown = dsar("schedule", "show").out
    assert "ExecStart=" in shown
    assert "dsar run --no-input" in shown or "dsar run" in shown
    folder = tmp_path / "units"
    dsar("schedule", "install", "--folder", str(folder))
    assert {p.name for p in folder.iterdir()} == {"dsar.service", "dsar.timer"}
    (folder / "dsar.timer").write_text("mine")
    assert "differs" in dsar("schedule", "install", "--folder", str(folder), status=2).err


# -- what the person files themselves -------------------------------------------------------------


def test_a_prepared_form_is_shown_again_and_its_filing_proved(plain: Dsar, tmp_path: Path) -> None:
    (plain.home / "companies.local.yaml").write_text(FORM)
    case = plain("send", "form-only", "--channel", "webform", "--confirm", "1", "--json"
                 ).lines[0]["case"]
    shown = plain("queue", "show", case).out
    assert "https://form-only.example/privacy" in shown
    assert f"DSAR-{case}" in shown
    picture = tmp_path / "form receipt.png"
    picture.write_bytes(b"\x89PNG not really")
    plain("case", "set", case, "sent", "--how", "R-4711", "--proof", str(picture))
    assert "proof kept: form receipt.png" in plain("case", "show", case).out
    plain("case", "evidence", case, "-o", str(tmp_path / "e.zip"))
    import zipfile

    with zipfile.ZipFile(tmp_path / "e.zip") as packed:
        [proof] = [n for n in packed.namelist() if "-proof-" in n]
        assert packed.read(proof) == picture.read_bytes()
    assert "No letter of case" in plain("queue", "show", case, status=2).err


def test_copy_and_open_are_for_one_form_and_only_when_asked(plain: Dsar, tmp_path: Path) -> None:
    (plain.home / "companies.local.yaml").write_text(FORM)
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 >> {opened}\n")
    browser.chmod(0o700)
    more = {"BROWSER": str(browser)}
    refused = plain("send", "form-only", "--channel", "post", "--open", "--confirm", "1", status=2)
    assert "for web forms" in refused.err
    case = plain("send", "form-only", "--channel", "webform", "--confirm", "1", "--json",
                 more=more).lines[0]["case"]
    assert not opened.exists(), "a page is opened only when told"
    plain("queue", "show", case, "--open", more=more)
    assert opened.read_text().split() == ["https://form-only.example/privacy"]
    plain("queue", "show", case, "--open", "--offline", more=more, status=7)


def test_without_any_clipboard_copy_is_refused_in_words(plain: Dsar) -> None:
    (plain.home / "companies.local.yaml").write_text(FORM)
    case = plain("send", "form-only", "--channel", "webform", "--confirm", "1", "--json"
                 ).lines[0]["case"]
    import subprocess

    done = subprocess.run(plain.argv("queue", "show", case, "--copy"), text=True, check=False,
                          env=plain.environment | {"SSH_CONNECTION": "1"}, capture_output=True,
                          stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
    assert done.returncode == 2
    assert "no clipboard" in done.stderr


def test_over_ssh_the_terminal_is_asked_to_copy(tmp_path: Path) -> None:
    from base64 import b64encode

    from dsar.cli.clipboard import copy

    terminal = tmp_path / "tty"
    terminal.write_bytes(b"")
    assert "OSC 52" in copy("Grüße", {"SSH_CONNECTION": "x"}, terminal=terminal)
    assert terminal.read_bytes() == b"\x1b]52;c;" + b64encode("Grüße".encode()) + b"\x07"


def test_a_posted_letter_counts_from_its_delivery_once_that_is_known(
    plain: Dsar, tmp_path: Path
) -> None:
    pytest.importorskip("typst")
    (plain.home / "companies.local.yaml").write_text(FORM)
    case = plain("send", "form-only", "--channel", "post", "--confirm", "1", "-o", str(tmp_path),
                 "--json").lines[0]["case"]
    plain("case", "set", case, "sent", "--on", "2026-11-02", "--how", "RR123456785DE")
    [item] = plain("status", "--json").json["items"]
    assert (item["sent_on"], item["due"]) == ("2026-11-02", "2026-12-09"), "a week in the post"
    plain("case", "set", case, "received", "--on", "2026-11-05")
    assert plain("status", "--json").json["items"][0]["due"] == "2026-12-07", "5 December: Saturday"
    assert "RR123456785DE" in plain("case", "show", case).out
    plain("case", "set", case, "received", "--on", "2099-01-01", status=2)


BROKERS = """schema: dsar.companies/1
companies:
""" + "".join(f"""  broker-{n}:
    name: Broker {n}
    country: US
    categories: [data-broker]
    contacts:
      - {{kind: email, value: "privacy@broker-{n}.example", source: invented, checked: 2026-11-01}}
    brokers_registered_in: [{state}]
    laws: []
    languages: [en]
    checked: 2026-11
""" for n, state in enumerate(("US-CA", "US-CA", "US-VT")))


@pytest.fixture
def californian(tmp_path: Path) -> Dsar:
    dsar = Dsar(tmp_path / "home")
    dsar("person", "add", "cal", "--name", "Cal Example", "--email", "cal@example.org",
         "--residence", "US-CA", "--language", "en")
    _account(dsar, "cal@example.org", 9)
    (dsar.home / "companies.local.yaml").write_text(BROKERS)
    return dsar


SLUGS = ("broker-0", "broker-1", "broker-2")


def test_a_californian_is_pointed_to_the_official_place_before_a_mass_mailing(
    californian: Dsar
) -> None:
    shown = californian("send", *SLUGS, "--right", "erasure", "-n").out
    assert "2 of these are data brokers registered in US-CA" in shown
    assert "https://privacy.ca.gov/drop/" in shown
    assert "DROP" not in californian("send", "broker-0", "--right", "erasure", "-n").out
    assert "DROP" not in californian("send", *SLUGS, "-n").out, "it takes no access requests"
    californian("person", "add", "ed", "--name", "Ed", "--email", "ed@example.org",
                "--residence", "DE", "--language", "en")
    plan = californian("send", *SLUGS, "--right", "erasure", "-n", "-p", "ed", "--account", "main")
    assert "DROP" not in plan.out


def test_a_filing_there_is_a_case_for_each_broker_it_reaches(californian: Dsar) -> None:
    told = californian("send", *SLUGS, "--right", "erasure", "--channel", "drop").out
    assert "--filed DATE" in told
    assert californian("status", "--json").json["items"] == [], "nothing is recorded unsaid"
    done = californian("send", *SLUGS, "--right", "erasure", "--channel", "drop", "--filed",
                       "2026-11-02", "--how", "D-99", "--confirm", "2", "--json").lines
    assert [line["outcome"] for line in done] == ["filed", "filed"]
    items = californian("status", "--json").json["items"]
    assert {i["company"] for i in items} == {"broker-0", "broker-1"}
    assert {(i["sent_on"], i["regime"]) for i in items} == {("2026-11-02", "us-ca-delete-act")}
    assert {i["due"] for i in items} == {"2027-01-31"}, "90 days"
    again = californian("send", *SLUGS, "--right", "erasure", "-n", "--json").lines
    assert [i.get("skipped") for i in again[:2]] == ["duplicate", "duplicate"]
    californian("send", "broker-0", "--right", "erasure", "--filed", "2026-11-02", status=2)
