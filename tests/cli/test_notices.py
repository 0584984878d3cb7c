"""Notices of `dsar run`, and what `dsar status` says when nothing was fetched for days."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Dsar, write_companies
from inprocess import Here, fill
from servers.maillab import MailLab


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    here = Here(tmp_path / "home", monkeypatch, capsys)
    fill(here, tmp_path)
    return here


def program(folder: Path, name: str, out: Path) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\nfor each in "$@"; do echo "$each" >> {out}; done\ncat >> {out}\n')
    path.chmod(0o700)


def test_each_thing_is_told_once_also_when_it_came_with_the_date(
    home: Here, tmp_path: Path
) -> None:
    out = tmp_path / "told"
    program(tmp_path / "bin", "tell", out)
    command = str(tmp_path / "bin" / "tell")
    home("run", "--notify", command)
    first = out.read_text()
    assert "T02: " in first
    assert "T04" not in first
    home("run", "--notify", command)
    assert out.read_text() == first, "nothing is told twice"
    home("run", "--notify", command, today="2027-02-20")
    assert "T04: overdue" in out.read_text()[len(first):], "nothing came, only the day passed"


def test_a_notice_that_failed_is_given_again(home: Here, tmp_path: Path) -> None:
    home("run", "--notify", "/nowhere/notify", status=3)
    out = tmp_path / "told"
    program(tmp_path / "bin", "tell", out)
    home("run", "--notify", str(tmp_path / "bin" / "tell"))
    assert "T02" in out.read_text()


def test_the_desktop_shows_how_many_and_names_no_case(
    home: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "told"
    program(tmp_path / "bin", "notify-send", out)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    home("run", "--notify-desktop")
    said = out.read_text()
    assert "something needs you" in said
    assert " x a reply waits to be read" in said
    assert "T0" not in said


def test_a_mail_to_oneself_arrives_and_is_no_answer(
    on_lab: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    write_companies(on_lab.home, {"acme": "privacy@acme.example"})
    case = on_lab("send", "acme", "--confirm", "1", "--json").lines[0]["case"]
    ran = on_lab("run", "--notify-mail", "--json", today="2027-03-20", status=None)
    lab.wait_for(user, 1)
    mails = [raw for raw in lab.delivered(user) if b"something needs you" in raw]
    assert len(mails) == 1, ran
    assert b"Auto-Submitted: auto-generated" in mails[0]
    assert case.encode() not in mails[0]
    polled = on_lab("poll", "--json", today="2027-03-20")
    assert polled.lines == [], "no case is moved by our own notice"


# -- the timer that died ------------------------------------------------------------------------


def test_status_says_when_no_mail_was_fetched_for_days(home: Here) -> None:
    home("poll")
    assert "No mail fetched" not in home("status", today="2026-11-26").out
    late = home("status", today="2026-11-27").out
    assert "No mail fetched for 3 days" in late
    assert "dsar schedule show" in late
    assert max(map(len, late.splitlines())) <= 80
    found = home("status", "--json", today="2026-11-27").json["summary"]
    assert found["days_without_mail"] == 3


def test_where_nothing_was_ever_fetched_the_first_letter_counts(home: Here) -> None:
    assert "No mail fetched for" in home("status").out


def test_without_open_cases_or_accounts_nobody_is_told_to_fetch(home: Here) -> None:
    (home.home / "config.yaml").unlink()
    assert "No mail fetched for" not in home("status").out


def test_a_poll_that_failed_is_no_sign_of_life(home: Here) -> None:
    home("poll")
    text = (home.home / "config.yaml").read_text()
    (home.home / "config.yaml").write_text(text.replace("maildir: mail", "imap: {host: 127.0.0.1, "
                                                        "port: 9, security: none}"))
    home("poll", status=5, today="2026-11-28")
    assert "No mail fetched for 4 days" in home("status", today="2026-11-28").out
