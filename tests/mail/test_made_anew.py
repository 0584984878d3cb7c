"""A mailbox that is made anew between two commands: nothing is filed twice, and nothing missed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from polledhome import PolledHome, reply
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

COMMANDS = {
    "examine": b"EXAMINE", "search": b"UID SEARCH", "headers": b"HEADER.FIELDS",
    "bodies": b"RFC822.SIZE", "piece": b"BODY.PEEK[]<262144.",
}
"""Between which commands it happens: the wire is held before the first of these."""
CASES = 4


def forget_uids(lab: MailLab, user: str) -> None:
    """The server loses its list of UIDs: the same messages, with another UIDVALIDITY."""
    folder = lab.root / "mail" / user
    for file in folder.glob("dovecot*"):
        if file.name == "dovecot-uidlist" or file.name.startswith("dovecot.index"):
            file.unlink()
    lab.put(user, reply(CASES))


def make_anew(lab: MailLab, user: str) -> None:
    """The folder is deleted and filled again in another order, with one more message."""
    lab.uidvalidity(user, "Held")
    for number in (CASES, *range(CASES - 1, 0, -1)):
        lab.put(user, answer(number), "Held")


def answer(number: int) -> bytes:
    """The third is so long that it comes in pieces."""
    return reply(number, attached=b"\x50\x4b" + bytes(600_000) if number == 3 else b"")


def holding(home: PolledHome, folder: str) -> PolledHome:
    """A home with open cases; the replies to all but the last lie in a folder."""
    home.begin(CASES)
    home.lab.doveadm("mailbox", "create", "-u", home.user, "Held")
    for number in range(1, CASES):
        home.lab.put(home.user, answer(number), folder)
    home.account(more="mailboxes: [Held]")
    return home


ALL = {f"T{number:02}": 1 for number in range(1, CASES + 1)}
CHANGES = {"INBOX": forget_uids, "Held": make_anew}


@pytest.mark.parametrize("breaks", [False, True], ids=["held", "cut"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("folder", CHANGES)
def test_between_two_commands_of_a_poll(
    polled_home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy],
    folder: str, command: str, breaks: bool
) -> None:
    home, happened = holding(polled_home, folder), list[bool]()

    def meanwhile() -> None:
        CHANGES[folder](lab, user)
        happened.append(True)

    home.account(more="mailboxes: [Held]", port=cut_proxy(lab.ports.imap, Cut(
        when=COMMANDS[command], meanwhile=meanwhile, breaks=breaks)).port)
    first = home.poll()
    assert happened
    assert home.state.troubles == {}
    second = home.poll()
    assert sorted(first.filed + second.filed) == sorted(ALL)
    assert home.poll().lines == []
    assert home.replies() == ALL
    assert set(lab.flags(user, folder)) == {"new"}


@pytest.mark.parametrize("folder", CHANGES)
def test_between_two_polls(
    polled_home: PolledHome, lab: MailLab, user: str, folder: str
) -> None:
    home = holding(polled_home, folder)
    assert home.poll().filed == sorted(ALL)[:-1]
    before = home.state.cursors["main", folder]
    time.sleep(1.1)  # UIDVALIDITY counts seconds
    CHANGES[folder](lab, user)
    assert home.poll().filed == sorted(ALL)[-1:]
    assert home.state.cursors["main", folder].uidvalidity != before.uidvalidity
    assert home.poll().lines == []
    assert home.replies() == ALL


def test_a_mailbox_put_back_from_a_backup_gives_uids_again_and_its_new_mail_is_read(
    polled_home: PolledHome, lab: MailLab, user: str, tmp_path: Path
) -> None:
    home, folder = holding(polled_home, "INBOX"), lab.root / "mail" / user / ".Held"
    lab.put(user, reply(1, mark="b"), "Held")
    lab.doveadm("index", "-u", user, "Held")
    shutil.copytree(folder, tmp_path / "backup")
    for mark in "cde":
        lab.put(user, reply(1, mark=mark), "Held")
    home.poll()
    before = home.state.cursors["main", "Held"]
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "mail", "mail")
    lab.put(user, reply(CASES), "Held")
    assert home.poll().filed == sorted(ALL)[-1:]
    after = home.state.cursors["main", "Held"]
    assert (after.uidvalidity, after.last_uid < before.last_uid) == (before.uidvalidity, True)
    assert home.poll().lines == []
    assert home.replies() == ALL | {"T01": 5}


def test_what_could_not_be_read_before_is_read_in_the_new_mailbox(
    polled_home: PolledHome, lab: MailLab, user: str
) -> None:
    home = holding(polled_home, "Held")
    broken = next((lab.root / "mail" / user / ".Held").glob("*/*"))
    broken.chmod(0)
    home.poll()
    assert [trouble.attempts for trouble in home.state.troubles.values()] == [1]
    time.sleep(1.1)
    make_anew(lab, user)
    home.poll()
    assert home.state.troubles == {}
    assert home.replies() == ALL
