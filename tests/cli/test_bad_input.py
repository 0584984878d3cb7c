"""Bad input is named with file, line, problem and way out; nothing is lost, the rest goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options, plain_account, write_companies
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

from dsar.home import Home


def test_broken_yaml_names_file_line_and_way_out(alex: Dsar) -> None:
    (alex.home / "config.yaml").write_text("accounts:\n  - name: [main\n")
    failed = alex("status", status=6)
    assert "config.yaml:3: is not YAML" in failed.err
    assert "Mend the lines" in failed.err
    assert "Traceback" not in failed.err


def test_an_unknown_key_is_refused_with_the_nearest_known_one(alex: Dsar) -> None:
    (alex.home / "people.yaml").write_text(
        "people:\n  - id: alex\n    name: Alex Example\n    email: a@example.org\n"
        "    residence: DE\n    langages: [de]\n")
    failed = alex("person", "show", status=6)
    assert "people.yaml:6:" in failed.err
    assert "unknown key 'langages'" in failed.err


def test_all_problems_of_a_file_are_named_at_once(alex: Dsar) -> None:
    (alex.home / "people.yaml").write_text(
        "people:\n  - id: a\n    name: A Example\n    email: none\n    residence: Germany\n"
        "  - id: a\n    email: b@example.org\n    residence: DE\n")
    failed = alex("person", "list", status=6)
    for line in (":4:", ":5:", ":6:"):
        assert f"people.yaml{line}" in failed.err
    assert "'name' is missing" in failed.err
    assert "second time" in failed.err


def test_without_a_person_the_way_out_is_named(dsar: Dsar) -> None:
    failed = dsar("person", "show", status=6)
    assert "dsar init" in failed.err


def test_without_an_account_nothing_is_planned(alex: Dsar) -> None:
    assert "account" in alex("send", "--all", "-n", status=6).err


def test_a_wrong_password_saves_nothing_and_shows_no_password(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    options = lab_options(lab, tmp_path)
    (tmp_path / "password").write_text("swordfish-7261")
    shown = dsar("init", "--no-input", "--email", user, *ALEX, *options, "--debug", status=None)
    assert "Traceback" in shown.err
    assert "swordfish" not in shown.out + shown.err
    failed = dsar("init", "--no-input", "--email", user, *ALEX, *options, status=4)
    assert "swordfish" not in failed.out + failed.err
    written = [p for p in dsar.home.rglob("*") if p.is_file()] if dsar.home.exists() else []
    assert not any("swordfish" in p.read_text(errors="ignore") for p in written)
    assert not (dsar.home / "config.yaml").exists()


@pytest.mark.parametrize(("cut", "word"), [
    (Cut(when=b"RCPT TO"), "not-sent"), (Cut(when=b"\r\n.\r\n", pass_on=True), "in-doubt")])
def test_a_server_gone_in_the_middle_leaves_a_clear_state(
    cut: Cut, word: str, lab: MailLab, tmp_path: Path, cut_proxy: Callable[..., CutProxy]
) -> None:
    user = lab.new_user()
    dsar = Dsar(tmp_path / "home")
    proxy = cut_proxy(lab.ports.plain, cut)
    _plain_account(dsar, user, proxy.port)
    write_companies(dsar.home, {"one": "dpo@one.example", "two": "dpo@two.example"})
    done = dsar("send", "one", "two", "--confirm", "2", "--json", status=None)
    assert done.lines[0]["outcome"] == word
    states = {i["company"]: i["status"] for i in dsar("status", "--json").json["items"]}
    assert states["one"] == {"not-sent": "unsent", "in-doubt": "in-doubt"}[word]
    again = dsar("send", "one", "two", "-n", "--json").lines
    assert ("one" in {i["company"] for i in again if "to" in i}) == (word == "not-sent")


def _plain_account(dsar: Dsar, user: str, port: int) -> None:
    dsar("person", "add", "alex", "--email", user, *ALEX)
    plain_account(dsar.home, user, port)


def test_no_server_is_temporary_and_the_letter_stays_queued(tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    _plain_account(dsar, "alex@example.org", 9)
    write_companies(dsar.home, {"one": "dpo@one.example"})
    failed = dsar("send", "one", "--confirm", "1", status=5)
    assert "localhost:9" in failed.err
    assert dsar("queue", "list", "--json").json["summary"]["total"] == 1


def test_a_full_disk_stops_before_anything_is_sent(tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    _plain_account(dsar, "alex@example.org", 9)
    write_companies(dsar.home, {"one": "dpo@one.example"})
    limited = ["bash", "-c", 'ulimit -f 0; exec "$@"', "-",
               *dsar.argv("send", "one", "--confirm", "1")]
    done = subprocess.run(limited, env=dsar.environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert dsar("status", "--json").json["items"] == []


def test_unreadable_mail_is_read_as_far_as_it_goes(alex: Dsar, tmp_path: Path) -> None:
    (tmp_path / "broken.eml").write_bytes(b"\xff\xfe\x00 no header at all\n\x00\x80")
    (tmp_path / "good.eml").write_bytes(b"From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n")
    lines = alex("inbox", "read", str(tmp_path / "broken.eml"), str(tmp_path / "good.eml"),
                 "--json").lines
    assert [line["case"] for line in lines] == [None, None]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    assert str(home) in Dsar(home)("person", "add", "a", "--email", "a@example.org", *ALEX,
                                   status=1).err


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = Dsar(tmp_path / "home")(
        "person", "add", "a", "--email", "a@example.org", *ALEX, "--home",
        str(tmp_path / "file" / "home"), status=1)
    assert "file/home" in failed.err
    assert "free space and permissions" in failed.err


def test_two_commands_at_once_end_with_nine(tmp_path: Path) -> None:
    dsar = Dsar(tmp_path / "home")
    _plain_account(dsar, "alex@example.org", 9)
    with Home(dsar.home, dsar.home, dsar.home / "cache").working():
        assert "Another dsar" in dsar("send", "acxiom", "--confirm", "1", status=9).err


def test_a_mistyped_command_gets_a_suggestion(dsar: Dsar) -> None:
    assert "'status'" in dsar("statsu", status=2).err


def test_errors_are_json_when_asked(dsar: Dsar) -> None:
    failed = dsar("person", "show", "--json", status=6)
    assert json.loads(failed.err)["schema"] == "dsar.error/1"
    assert json.loads(failed.err)["code"] == 6
