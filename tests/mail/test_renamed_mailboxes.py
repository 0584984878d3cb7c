"""Mailboxes that are renamed, made anew or misspelt, and mail that is moved, on a real server."""

from __future__ import annotations

import pytest
from polledhome import PolledHome, reply
from servers.maillab import MailLab


def rename(lab: MailLab, user: str, old: str, new: str) -> None:
    lab.doveadm("mailbox", "rename", "-u", user, old, new)


@pytest.fixture
def home(polled_home: PolledHome, lab: MailLab, user: str) -> PolledHome:
    """A home with mail in INBOX, Junk and the folder Quarantine that config.yaml names."""
    home = polled_home.begin(6)
    lab.doveadm("mailbox", "create", "-u", user, "Quarantine")
    home.account(more="mailboxes: [Quarantine]")
    for number, mailbox in ((1, "INBOX"), (2, "Junk"), (3, "Quarantine")):
        lab.put(user, reply(number), mailbox)
    assert home.poll().filed == ["T01", "T02", "T03"]
    return home


def test_a_renamed_folder_is_named_with_its_new_name_and_the_others_are_read(
    home: PolledHome, lab: MailLab, user: str
) -> None:
    rename(lab, user, "Quarantine", "Held back")
    lab.put(user, reply(4))
    lab.put(user, reply(5), "Held back")
    polled = home("poll")
    assert polled.status == 3
    assert "main: Quarantine was read before and is not there any more." in polled.err
    assert "It seems to be called Held back now." in polled.err
    assert "in place of Quarantine" in polled.err
    assert "1 filed" in polled.out
    again = home.poll()
    [line] = again.lines
    assert line["problem"] == {"account": "main", "mailbox": "Quarantine", "code": 3, "hint": ""}
    assert again.status == 3, "it is said until config.yaml is corrected"

    home.account(more="mailboxes: [Held back]")
    corrected = home.poll()
    assert (corrected.filed, corrected.status, corrected.err.count("Quarantine")) == (["T05"], 0, 0)
    assert home.poll().lines == []
    assert home.replies() == dict.fromkeys(("T01", "T02", "T03", "T04", "T05"), 1)
    assert set(lab.flags(user)) | set(lab.flags(user, "Held back")) == {"new"}


def test_a_renamed_junk_folder_is_named_once_and_what_comes_into_the_new_one_is_filed(
    home: PolledHome, lab: MailLab, user: str
) -> None:
    rename(lab, user, "Junk", "Old junk")
    lab.put(user, reply(4), "Old junk")
    first = home.poll()
    lab.put(user, reply(5), "Junk")  # this server makes it by itself; others do when it is needed
    second = home.poll()
    home.account(more="mailboxes: [Quarantine, Old junk]")
    third = home.poll()
    assert first.filed + second.filed + third.filed == ["T05", "T04"]
    assert [first.status, second.status, third.status] == [0, 0, 0]
    assert home.replies() == dict.fromkeys(("T01", "T02", "T03", "T04", "T05"), 1)


def test_a_folder_that_never_was_there_is_named_until_it_is_corrected(
    home: PolledHome, lab: MailLab, user: str
) -> None:
    home.account(more="mailboxes: [Quarantine, Quarantene]")
    for _ in range(2):
        polled = home("poll")
        assert polled.status == 3
        assert "main: Quarantene is not on the server" in polled.err
    home.account(more="mailboxes: [Quarantine]")
    assert home.poll().status == 0


def test_a_folder_taken_out_of_config_is_not_missed(home: PolledHome) -> None:
    home.account()
    polled = home("poll")
    assert (polled.status, "Quarantine" in polled.err) == (0, False)


def test_a_folder_that_cannot_be_opened_is_named_and_the_others_are_read(
    home: PolledHome, lab: MailLab, user: str
) -> None:
    folder = lab.root / "mail" / user / ".Quarantine"
    kept = folder / "cur"
    moved = kept.rename(folder / "elsewhere")
    kept.write_text("no folder")
    lab.put(user, reply(4))
    try:
        polled = home.poll()
    finally:
        kept.unlink()
        moved.rename(kept)
    assert polled.filed == ["T04"]
    assert polled.status == 5
    assert "Quarantine: " in polled.err
    lab.put(user, reply(5), "Quarantine")
    assert home.poll().filed == ["T05"]


@pytest.mark.parametrize(("origin", "target"), [
    ("INBOX", "Junk"), ("Junk", "INBOX"), ("INBOX", "Quarantine")])
def test_a_message_that_is_moved_or_copied_is_not_filed_twice(
    home: PolledHome, lab: MailLab, user: str, origin: str, target: str
) -> None:
    lab.doveadm("move", "-u", user, target, "mailbox", origin, "all")
    lab.put(user, reply(4), origin)
    assert home.poll().filed == ["T04"]
    lab.doveadm("copy", "-u", user, target, "mailbox", origin, "all")
    assert home.poll().lines == []
    assert home.replies() == dict.fromkeys(("T01", "T02", "T03", "T04"), 1)


def test_an_account_moved_to_another_server_files_nothing_twice(
    home: PolledHome, lab: MailLab, user: str
) -> None:
    other = lab.new_user()
    for number in (1, 2, 3, 4):
        lab.put(other, reply(number))
    home.account(user=other, more="mailboxes: []")
    assert home.poll().filed == ["T04"]
    assert home.replies() == dict.fromkeys(("T01", "T02", "T03", "T04"), 1)


def rewritten(raw: bytes) -> bytes:
    """The same mail as another server writes it: trace fields of its own, another boundary."""
    return (b"Received: by new.example; Fri, 20 Nov 2026 10:00:00 +0000\r\n"
            + raw.replace(b"wall", b"fence"))


def test_a_mail_that_another_server_writes_anew_is_not_filed_twice(
    polled_home: PolledHome, lab: MailLab, user: str
) -> None:
    home, raw = polled_home.begin(1), reply(1, attached=b"PK" + bytes(5000))
    assert rewritten(raw) != raw
    lab.put(user, raw)
    assert home.poll().filed == ["T01"]
    lab.put(user, rewritten(raw), "Junk")
    assert home.poll().lines == []
    saved = home.home.parent / "saved.eml"
    saved.write_bytes(raw.replace(b"\r\n", b"\n"))
    [line] = home("inbox", "read", str(saved), "--json").lines
    assert (line["case"], line["new"]) == ("T01", False)
    assert home.replies() == {"T01": 1}


@pytest.mark.parametrize("other", [
    reply(1, mark="a", attached=b"PK" + bytes(5001)),
    reply(1, mark="a").replace(b"within one month", b"in two months"),
    reply(1, mark="a").replace(b"privacy@", b"legal@"),
    b"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n" + reply(1, mark="a"),
], ids=["attachment", "words", "sender", "date"])
def test_a_message_id_that_is_used_again_hides_no_other_mail(
    polled_home: PolledHome, lab: MailLab, user: str, other: bytes
) -> None:
    home = polled_home.begin(1)
    lab.put(user, reply(1, mark="a"))
    lab.put(user, other)
    assert home.poll().filed == ["T01", "T01"]
    assert home.replies() == {"T01": 2}
