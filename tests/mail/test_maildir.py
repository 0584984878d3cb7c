"""Maildir files that move, and mail read from files and folders."""

from __future__ import annotations

import mailbox as stdlib_mailbox
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsar.errors import UsageProblem
from dsar.mail.account import Account
from dsar.mail.maildir import MaildirMailbox, mails_in


def mail(number: int) -> bytes:
    return b"Subject: %d\nMessage-ID: <n%d@acme.example>\n\nFrom here on: text\n" % (number, number)


def maildir(path: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(parents=True)
    return path


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    return ((each.name, b"".join(each.pieces)) for each in mails_in(path))


def box(root: Path) -> MaildirMailbox:
    return MaildirMailbox(Account(name="main", address="alex@example.org", maildir=root))


def test_a_message_keeps_its_uid_when_a_mail_program_marks_it(tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir")
    (root / "new/1.example").write_bytes(mail(1))
    [before] = box(root).new("INBOX", None)[0]
    (root / "new/1.example").rename(root / "cur/1.example:2,S")
    assert [f.whole() for f in box(root).fetch([before.coordinates])] == [mail(1)]


def test_a_message_marked_while_the_mailbox_is_read_is_still_shown(tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir")
    (root / "new/1.example").write_bytes(mail(1))
    envelopes, _ = box(root).new("INBOX", None)
    (root / "new/1.example").rename(root / "cur/1.example:2,S")
    assert len(list(envelopes)) == 1


def test_old_mail_copied_in_with_its_old_date_is_new(tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir")
    (root / "new/1.example").write_bytes(mail(1))
    _, cursor = box(root).new("INBOX", None)
    (root / "cur/0.example:2,S").write_bytes(mail(0))
    os.utime(root / "cur/0.example:2,S", (1_000_000_000, 1_000_000_000))
    shown = [each.headers["subject"] for each in box(root).new("INBOX", cursor)[0]]
    assert ("0",) in shown


def test_a_folder_that_is_no_maildir_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem):
        box(tmp_path)


def test_files_folders_maildir_and_mbox_give_every_message(tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir")
    (root / "cur/1.example:2,S").write_bytes(mail(1))
    maildir(root / ".Junk")
    (root / ".Junk/new/2.example").write_bytes(mail(2))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/3.eml").write_bytes(mail(3))
    (tmp_path / "notes.txt").write_text("not mail")
    box_file = stdlib_mailbox.mbox(tmp_path / "old.mbox")
    for number in (4, 5):
        box_file.add(mail(number))
    box_file.close()
    found = dict(contents(tmp_path))
    assert sorted(found.values()) == [mail(number) for number in range(1, 6)]
    assert str(tmp_path / "old.mbox#2") in found


def test_one_file_is_one_message_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "reply").write_bytes(mail(1))
    assert list(contents(tmp_path / "reply")) == [(str(tmp_path / "reply"), mail(1))]


def test_from_lines_within_a_text_do_not_split_an_mbox(tmp_path: Path) -> None:
    raw = b"From a@b.example Sun\nSubject: 1\n\ntext\nFrom here no empty line\n\n"
    raw += b">From quoted\n>>From twice\n"
    (tmp_path / "box").write_bytes(raw + b"\nFrom c@d.example Sun\nSubject: 2\n\nlast")
    [first, second] = [raw for _, raw in contents(tmp_path / "box")]
    assert first == b"Subject: 1\n\ntext\nFrom here no empty line\n\nFrom quoted\n>From twice\n"
    assert second == b"Subject: 2\n\nlast"


def test_what_is_not_there_is_a_usage_problem(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem):
        list(contents(tmp_path / "nothing"))


def test_an_unreadable_file_is_named_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.eml").symlink_to("a.eml")  # a loop: even root cannot open it
    (tmp_path / "b.eml").write_bytes(mail(2))
    first, second = mails_in(tmp_path)
    assert (first.name, first.trouble[:26]) == (
        str(tmp_path / "a.eml"), "the file cannot be read (T")
    assert (second.name, b"".join(second.pieces)) == (str(tmp_path / "b.eml"), mail(2))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.eml")
    assert list(contents(tmp_path)) == []
