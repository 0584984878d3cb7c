"""A message that is there when its head is read and not when its body is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dsar.cli.rounds import Round
from dsar.mail import Envelope, Fetched
from dsar.mail.account import Account
from dsar.mail.maildir import MaildirMailbox
from dsar.mailstate import MailState, Trouble

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
REPLY = b"From: dpo@acme.example\nMessage-ID: <r@acme.example>\nSubject: Re: request\n\nDone.\n"


@dataclass
class Hiding:
    """Takes what it gets; while `hide`, the file is away by the time its body is asked for."""

    file: Path
    hide: bool = True
    taken: list[bytes] = field(default_factory=list)

    def chosen(self, envelopes: Iterator[Envelope]) -> Iterator[Envelope]:
        found = list(envelopes)
        if self.hide and found:
            self.file.rename(self.file.parent.parent / "away")
        yield from found

    def take(self, fetched: Fetched) -> str:
        self.taken.append(fetched.whole())
        return ""

    def could_not(self, trouble: Trouble) -> None:
        raise AssertionError(trouble)


def _round(root: Path, state: MailState, work: Hiding, now: datetime) -> None:
    account = Account(name="main", address="jo@example.net", maildir=root)
    Round(account=account, mailbox=MaildirMailbox(account), state=state, now=lambda: now,
          work=work).all()


def _delivered(root: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (root / part).mkdir(parents=True)
    file = root / "new" / "1.example"
    file.write_bytes(REPLY)
    return file


def test_what_was_left_out_once_is_asked_for_again_and_taken(tmp_path: Path) -> None:
    file, state = _delivered(tmp_path / "mail"), MailState()
    work = Hiding(file)
    _round(tmp_path / "mail", state, work, NOW)
    assert (work.taken, len(state.troubles)) == ([], 1)
    (tmp_path / "mail" / "away").rename(file)
    work.hide = False
    _round(tmp_path / "mail", state, work, NOW + timedelta(minutes=2))
    assert (work.taken, state.troubles) == ([REPLY], {})


def test_what_is_left_out_twice_is_gone(tmp_path: Path) -> None:
    file, state = _delivered(tmp_path / "mail"), MailState()
    work = Hiding(file)
    for minutes in (0, 2):
        _round(tmp_path / "mail", state, work, NOW + timedelta(minutes=minutes))
    assert (work.taken, state.troubles) == ([], {})
