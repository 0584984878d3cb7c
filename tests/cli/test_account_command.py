"""`dsar account`: adding, signing in, limits, a sendmail command, and what never shows."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options, write_companies
from servers.maillab import CATCHALL, MailLab
from servers.webservers import NameServer
from terminal import Terminal

WRONG = "owl-in-the-dark-77"


@pytest.fixture
def terminal(on_lab: Dsar) -> Iterator[list[Terminal]]:
    made: list[Terminal] = []
    yield made
    for each in made:
        each.close()


def at_terminal(dsar: Dsar, made: list[Terminal], *arguments: str) -> Terminal:
    made.append(Terminal(dsar.argv(*arguments), dsar.environment, str(dsar.home.parent)))
    return made[-1]


def test_a_new_password_is_tried_before_it_replaces_the_old_one(
    on_lab: Dsar, lab: MailLab, terminal: list[Terminal], tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("old and stale")
    at = at_terminal(on_lab, terminal, "account", "login")
    at.answers("Password", WRONG)
    assert at.ends() == 4
    assert (tmp_path / "password").read_text() == "old and stale"
    at = at_terminal(on_lab, terminal, "account", "login")
    at.answers("Password", lab.password)
    assert at.ends() == 0
    assert (tmp_path / "password").read_text() == lab.password
    assert WRONG not in "".join(each.screen for each in terminal)


def test_without_a_terminal_a_password_cannot_be_given(on_lab: Dsar) -> None:
    assert "nobody can be asked" in on_lab("account", "login", status=8).err


def test_a_password_that_comes_from_a_command_is_changed_there(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    options = lab_options(lab, tmp_path)
    place = options.index("--password-file")
    options[place:place + 2] = ["--password-command", f"cat {tmp_path / 'password'}"]
    dsar("init", "--no-input", "--email", user, *ALEX, *options)
    assert "change it there" in dsar("account", "login", status=2).err


@pytest.mark.parametrize("source", ["file", "command", "credential", "token", "keyring"])
def test_each_source_of_a_password_logs_in(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path, source: str
) -> None:
    options = lab_options(lab, tmp_path)
    place = options.index("--password-file")
    (tmp_path / "token").write_text(lab.token(user))
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "held.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Held(KeyringBackend):\n    priority = 9\n"
        "    def set_password(self, s, u, p): pass\n"
        f"    def get_password(self, s, u): return {lab.password!r}\n")
    options[place:place + 2] = {
        "file": options[place:place + 2],
        "command": ["--password-command", f"cat {tmp_path / 'password'}"],
        "credential": ["--credential", "password"],
        "token": ["--token-command", f"cat {tmp_path / 'token'}", "--auth", "oauthbearer"],
        "keyring": ["--keyring", "dsar"],
    }[source]
    dsar.extra.update(CREDENTIALS_DIRECTORY=str(tmp_path))
    if source == "keyring":
        pytest.importorskip("keyring")
        path = os.pathsep.join([dsar.environment["PYTHONPATH"], str(tmp_path / "fake")])
        dsar.extra.update(PYTHONPATH=path, PYTHON_KEYRING_BACKEND="held.Held")
    dsar("init", "--no-input", "--email", user, *ALEX, *options)
    shown = dsar("account", "test")
    assert "INBOX, Junk" in shown.err
    assert "copies go to Sent" in shown.err


def test_limits_are_shown_and_set_and_more_than_usual_takes_a_yes(
    on_lab: Dsar, user: str
) -> None:
    shown = on_lab("account", "limits", "--per-day", "30", "--first-day", "5", "--json").json
    assert (shown["items"][0]["per_day"], shown["items"][0]["first_day"]) == (30, 5)
    assert "per_day: 30" in (on_lab.home / "config.yaml").read_text()
    refused = on_lab("account", "limits", "--per-day", "5000", status=8)
    assert "per_day 5000 (usual 40)" in refused.err
    assert "per_day: 30" in (on_lab.home / "config.yaml").read_text()
    on_lab("account", "limits", "--per-day", "5000", "--yes")
    assert "per_day: 5000" in (on_lab.home / "config.yaml").read_text()
    on_lab("account", "limits", "--usual")
    assert "per_day: 40" in (on_lab.home / "config.yaml").read_text()
    on_lab("account", "limits", "--usual", "--per-day", "3", status=2)
    on_lab("account", "limits", "--first-day", "41", "--yes", status=2)
    on_lab("account", "limits", "--per-minute", "-1", status=2)


def test_an_unknown_domain_is_not_looked_up_without_a_yes(
    dsar: Dsar, lab: MailLab, tmp_path: Path
) -> None:
    names = NameServer({
        ("_imaps._tcp.alex.example", "SRV"): [f"0 1 {lab.ports.imaps} localhost."],
        ("_submissions._tcp.alex.example", "SRV"): [f"0 1 {lab.ports.smtps} localhost."]})
    (tmp_path / "password").write_text(lab.password)
    (tmp_path / "password").chmod(0o600)
    command = ["account", "add", "me@alex.example", "--dns", f"127.0.0.1:{names.port}",
               "--ca-file", str(lab.ca_file), "--username", lab.new_user(),
               "--password-file", str(tmp_path / "password")]
    try:
        assert "--find-servers" in dsar(*command, status=2).err
        dsar(*command, "--find-servers", "--offline", status=7)
        assert names.asked == []
        outside = dsar(*command, "--find-servers", status=8)
        assert "outside alex.example" in outside.err
        assert not (dsar.home / "config.yaml").exists()
        dsar(*command, "--find-servers", "--yes")
        assert "localhost" in (dsar.home / "config.yaml").read_text()
    finally:
        names.close()


@pytest.fixture
def mta(lab: MailLab) -> str:
    """The sendmail command of the lab's own Postfix."""
    if os.geteuid():
        pytest.skip("the sendmail command of a second Postfix is for root only")
    return f"{shutil.which('sendmail') or '/usr/sbin/sendmail'} -C {lab.root / 'postfix/etc'} -i"


def with_sendmail(dsar: Dsar, lab: MailLab, user: str, tmp_path: Path, command: str) -> None:
    options = [each for each in lab_options(lab, tmp_path) if each != "--no-limits"]
    del options[:4]
    dsar("init", "--no-input", "--email", user, *ALEX, "--sendmail", command, *options)
    write_companies(dsar.home, {"one": "dpo@one.example"})


def test_a_letter_goes_out_through_the_sendmail_command(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path, mta: str
) -> None:
    with_sendmail(dsar, lab, user, tmp_path, mta)
    assert "is there; nothing was run" in dsar("account", "test").err
    assert dsar("account", "list", "--json").json["items"][0]["smtp"].startswith("sendmail:")
    before = len(lab.delivered(CATCHALL))
    dsar("send", "one", "--confirm", "1")
    lab.wait_for(CATCHALL, before + 1)
    assert any(b"X-Original-To: dpo@one.example" in each for each in lab.delivered(CATCHALL))
    again = dsar("send", "one", "--confirm", "1", status=None)
    assert "duplicate" in again.out + again.err or "open" in again.out + again.err
    assert len(lab.delivered(CATCHALL)) == before + 1


def test_a_sendmail_command_that_says_tempfail_leaves_the_letter_in_doubt_and_alone(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    script = tmp_path / "mta"
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\n"
                      f"open({str(tmp_path / 'calls')!r}, 'a').write('x')\nsys.exit(75)\n")
    script.chmod(0o755)
    with_sendmail(dsar, lab, user, tmp_path, str(script))
    dsar("send", "one", "--confirm", "1", status=None)
    dsar("send", "one", "--confirm", "1", status=None)
    dsar("run", status=None)
    assert (tmp_path / "calls").read_text() == "x"
    assert "doubt" in dsar("doctor", status=None).out


def test_no_password_reaches_the_sendmail_command_or_shows_when_it_fails(
    dsar: Dsar, lab: MailLab, user: str, tmp_path: Path
) -> None:
    script = tmp_path / "mta"
    script.write_text(f"#!{sys.executable}\nimport os, sys\n"
                      f"open({str(tmp_path / 'seen')!r}, 'w').write(repr((sys.argv, "
                      "dict(os.environ), sys.stdin.read())))\nsys.exit(77)\n")
    script.chmod(0o755)
    with_sendmail(dsar, lab, user, tmp_path, str(script))
    shown = dsar("send", "one", "--confirm", "1", "--debug", status=None)
    assert "LoginRefused" in shown.err
    for told in (shown.out, shown.err, (tmp_path / "seen").read_text()):
        assert lab.password not in told
    kept = [p for p in dsar.home.rglob("*") if p.is_file()]
    assert not [p for p in kept if lab.password.encode() in p.read_bytes()]
