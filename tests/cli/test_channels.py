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
