"""The sendmail command as a Transport: the lab's own Postfix, and commands that fail."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.maillab import CATCHALL, MailLab

from dsar import yamlfile
from dsar.core.message import Address
from dsar.errors import LoginRefused, NotSetUp
from dsar.mail import NotAttempted, OutcomeUnknown, Rejected
from dsar.mail.account import account_entry, read_account
from dsar.mail.compose import compose, new_message_id
from dsar.mail.sendmail import SendmailTransport
from dsar.mail.wire import Unsendable

ALEX, ACME = "alex@example.test", "privacy@acme.example"


def letter(to: str = ACME, body: str = "Hello.\n", message_id: str | None = None) -> bytes:
    return compose(
        "Request for access", body, sender=Address(name="Alex Example", addr=ALEX),
        recipient=Address(name="", addr=to), message_id=message_id or new_message_id(ALEX),
        date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC))


def command(folder: Path, program: str) -> SendmailTransport:
    """A command of ours that keeps its arguments and input, then goes on as `program` says."""
    path = folder / "mta"
    path.write_text(
        f"#!{sys.executable}\nimport os, signal, sys, time\nhere = {str(folder)!r}\n"
        "open(here + '/arguments', 'w').write('\\n'.join(sys.argv[1:]))\n"
        "open(here + '/environment', 'w').write(repr(dict(os.environ)))\n" + program)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return SendmailTransport([str(path)], timeout_s=20)


TAKE = "open(here + '/letter', 'wb').write(sys.stdin.buffer.read())\n"


def test_the_real_postfix_command_delivers_every_line_as_it_was_written(
    lab: MailLab, user: str
) -> None:
    if os.geteuid():
        pytest.skip("the sendmail command of a second Postfix is for root only")
    transport = SendmailTransport(
        [shutil.which("sendmail") or "/usr/sbin/sendmail", "-C", str(lab.root / "postfix/etc")])
    transport.check()
    message_id = new_message_id(user)
    raw = letter("privacy+eu@acme.example", ".\n..\n.dots stay\n\nGood day.\n", message_id)
    before = len(lab.delivered(CATCHALL))
    reply = transport.send(raw, sender=user, recipients=["privacy+eu@acme.example"])
    assert reply == "accepted by sendmail (exit status 0)"
    lab.wait_for(CATCHALL, before + 1)
    [arrived] = [each for each in lab.delivered(CATCHALL) if message_id.encode() in each]
    assert b"X-Original-To: privacy+eu@acme.example" in arrived
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    assert arrived.replace(b"\r\n", b"\n").endswith(body)
    assert f"Return-Path: <{user}>".encode() in arrived


def test_recipients_are_arguments_behind_a_separator_and_never_read_from_the_letter(
    tmp_path: Path
) -> None:
    raw = letter("shown@acme.example")
    command(tmp_path, TAKE).send(raw, sender=ALEX, recipients=["-t@acme.example", ALEX])
    given = (tmp_path / "arguments").read_text().split("\n")
    assert given == ["-i", "-f", ALEX, "--", "-t@acme.example", ALEX]
    assert (tmp_path / "letter").read_bytes() == raw.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    "bad", ["x@acme.example -oQ/tmp", "a b@c.example", "nobody", "x@y.example\n"])
def test_what_is_no_address_never_becomes_an_argument(tmp_path: Path, bad: str) -> None:
    with pytest.raises(Unsendable):
        command(tmp_path, TAKE).send(letter(), sender=ALEX, recipients=[bad])
    assert not (tmp_path / "arguments").exists()


@pytest.mark.parametrize(("status", "outcome"), [
    (64, NotAttempted), (65, Rejected), (67, Rejected), (68, NotAttempted), (77, LoginRefused),
    (78, NotAttempted), (69, OutcomeUnknown), (70, OutcomeUnknown), (71, OutcomeUnknown),
    (73, OutcomeUnknown), (74, OutcomeUnknown), (75, OutcomeUnknown), (76, OutcomeUnknown),
    (1, OutcomeUnknown), (127, OutcomeUnknown),
])
def test_only_a_status_that_says_so_for_certain_means_that_nothing_went_out(
    tmp_path: Path, status: int, outcome: type[Exception]
) -> None:
    transport = command(tmp_path, f"{TAKE}sys.stderr.write('no: {ACME}\\n')\nsys.exit({status})\n")
    with pytest.raises(outcome) as caught:
        transport.send(letter(), sender=ALEX, recipients=[ACME])
    assert ACME not in str(caught.value)
    assert f"{status}" in str(caught.value)


@pytest.mark.parametrize("status", [65, 67, 68])
def test_of_two_recipients_one_may_have_been_served(tmp_path: Path, status: int) -> None:
    transport = command(tmp_path, f"{TAKE}sys.exit({status})\n")
    with pytest.raises(OutcomeUnknown):
        transport.send(letter(), sender=ALEX, recipients=[ACME, ALEX])


@pytest.mark.parametrize("program", [
    "sys.stdin.buffer.read(10)\nos._exit(0)\n", "os._exit(0)\n",
    f"{TAKE}os.kill(os.getpid(), signal.SIGKILL)\n",
])
def test_a_letter_that_was_not_read_whole_or_a_command_that_was_killed_is_in_doubt(
    tmp_path: Path, program: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        command(tmp_path, program).send(
            letter(body="long\n" * 20_000), sender=ALEX, recipients=[ACME])


def test_a_command_that_hangs_is_ended_and_the_letter_in_doubt(tmp_path: Path) -> None:
    command(tmp_path, f"{TAKE}time.sleep(60)\n")
    transport = SendmailTransport([str(tmp_path / "mta")], timeout_s=1)
    with pytest.raises(OutcomeUnknown, match="in time"):
        transport.send(letter(), sender=ALEX, recipients=[ACME])


def test_a_command_that_is_not_there_means_not_sent() -> None:
    missing = SendmailTransport(["/nowhere/sendmail"])
    with pytest.raises(NotAttempted):
        missing.send(letter(), sender=ALEX, recipients=[ACME])
    with pytest.raises(NotSetUp):
        missing.check()


def test_nothing_of_our_own_environment_reaches_the_command(tmp_path: Path) -> None:
    command(tmp_path, TAKE)
    transport = SendmailTransport([str(tmp_path / "mta")],
                                  environ={"PATH": os.environ["PATH"], "DSAR_PASSPHRASE": "owl"})
    transport.send(letter(), sender=ALEX, recipients=[ACME])
    assert "owl" not in (tmp_path / "environment").read_text()


def test_a_lone_line_feed_is_refused_before_the_command_is_started(tmp_path: Path) -> None:
    with pytest.raises(Unsendable):
        command(tmp_path, TAKE).send(b"Subject: x\r\n\r\na\nb\r\n", sender=ALEX, recipients=[ACME])
    assert not (tmp_path / "arguments").exists()


@pytest.mark.parametrize("written", ["[/usr/sbin/sendmail, -i]", "/usr/sbin/sendmail -i"])
def test_the_command_stands_in_config_yaml_in_place_of_a_server(written: str) -> None:
    text = f"address: alex@example.org\nsmtp: {{sendmail: {written}}}\n"
    document = yamlfile.parse(text.encode(), name="config.yaml")
    account = read_account(yamlfile.Reader.of(document, document.value, "account"))
    document.raise_problems()
    assert (account.sendmail, account.smtp) == (("/usr/sbin/sendmail", "-i"), None)
    again = yamlfile.parse(yamlfile.dump(dict(account_entry(account))).encode(), name="config.yaml")
    assert read_account(yamlfile.Reader.of(again, again.value, "account")) == account


def test_an_account_without_a_command_behind_sendmail_is_refused() -> None:
    document = yamlfile.parse(b"address: a@example.org\nsmtp: {sendmail: []}\n", name="c")
    read_account(yamlfile.Reader.of(document, document.value, "account"))
    assert any("needs a command" in str(each) for each in document.problems)
