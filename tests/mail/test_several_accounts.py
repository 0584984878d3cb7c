"""A poll says what it could not read, in words, by exit status and as JSON, on real servers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from polledhome import PolledHome, reply
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab


@pytest.fixture
def home(polled_home: PolledHome, lab: MailLab, user: str) -> PolledHome:
    """A home with two accounts; a reply lies in the second."""
    home = polled_home.begin(3)
    other = lab.new_user()
    home.account("second", user=other)
    lab.put(other, reply(2))
    return home


def last_result(home: PolledHome) -> str:
    return str(json.loads((home.home / "cursors.json").read_text())["last_poll"]["result"])


def unread(home: PolledHome) -> bool:
    """Whether nothing says that every account was read."""
    return not (home.home / "heartbeat.json").exists()


@pytest.mark.parametrize(("broken", "code"), [("password", 4), ("port", 5)])
def test_an_account_that_fails_does_not_stop_the_other_and_is_told(
    home: PolledHome, broken: str, code: int
) -> None:
    home.account(**({"password": "wrong"} if broken == "password" else {"port": 9}))
    polled = home.poll()
    assert polled.filed == ["T02"]
    assert polled.status == 3
    [problem] = [line["problem"] for line in polled.lines if "problem" in line]
    assert (problem["account"], problem["mailbox"], problem["code"]) == ("main", None, code)
    error = json.loads(polled.err.splitlines()[-1])
    assert error["code"] == 3
    assert "main: localhost" in error["message"]
    assert "second" not in error["message"]
    assert last_result(home) == "in part"
    assert unread(home)
    assert "(in part)" in home("status").out
    assert "0 new messages, 0 filed" in home("poll").out, "of the account that was read"


def test_where_none_can_be_read_the_poll_has_failed_and_says_no_number(home: PolledHome) -> None:
    home.account(password="wrong")
    home.account("second", password="wrong")
    polled = home("poll")
    assert (polled.status, polled.out) == (4, "")
    assert "No account could be read:" in polled.err
    assert "main: " in polled.err
    assert "second: " in polled.err
    assert last_result(home) == "failed"
    home.account("second", port=9)
    assert home("poll").status == 1, "a refused login and a dead server: no status fits both"
    assert unread(home)


def test_the_one_account_that_was_asked_for_fails_with_its_own_status(home: PolledHome) -> None:
    home.account(password="wrong")
    assert home("poll", "--account", "main").status == 4
    assert home.poll("--account", "second").status == 0


def test_an_account_that_only_sends_is_no_failure_beside_one_that_is_read(
    home: PolledHome
) -> None:
    home.accounts["main"] = ("  - name: main\n    address: alex@example.org\n"
                             "    smtp: {host: localhost, port: 9, security: none}\n")
    home.write()
    polled = home.poll()
    assert (polled.filed, polled.status) == (["T02"], 0)
    del home.accounts["second"]
    home.write()
    for words in (("poll",), ("poll", "--account", "main")):
        refused = home(*words)
        assert refused.status == 6
        assert "No mail can be fetched: main has neither" in refused.err


def test_a_run_without_a_mailbox_says_so_and_notes_no_poll(home: PolledHome) -> None:
    home.accounts = {"main": "  - name: main\n    address: alex@example.org\n"
                             "    smtp: {host: localhost, port: 9, security: none}\n"}
    home.write()
    ran = home("run")
    assert ran.status == 0
    assert "No mail can be fetched" in ran.err
    assert not (home.home / "cursors.json").exists()
    assert unread(home)


def test_before_the_first_request_no_poll_is_called_successful(
    polled_home: PolledHome
) -> None:
    polled_home("person", "add", "alex", "--name", "Alex Example", "--email", "alex@example.org",
                "--residence", "DE-BE")
    polled_home.account(password="wrong")
    polled = polled_home("poll")
    assert polled.status == 0
    assert "No request is out yet, so that no mail was fetched." in polled.err
    assert "no mail fetched yet" in polled_home("status").out


def test_one_folder_of_one_account_that_breaks_off_is_told_beside_what_was_filed(
    home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    del home.accounts["second"]
    lab.put(user, reply(1))
    cut = Cut(when=b'EXAMINE "Junk"')
    home.account(port=cut_proxy(lab.ports.imap, cut, cut).port)
    polled = home("poll")
    assert polled.status == 5
    assert "1 new message, 1 filed" in polled.out
    assert "Junk: " in polled.err
    assert last_result(home) == "in part"
    assert home.poll().status == 0
