"""`campaign import` fetches only what is new, by the code that polls, from a real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from campaigners import KitLetter, begin, letters_of
from command import write_companies
from inprocess import Here
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab
from test_campaign_walk import answer, bcc_copy, forwarded
from test_json_schemas import check

from dsar.mailstate import load_state


class Campaign:
    """A campaign whose members send from kits; four of them."""

    def __init__(self, here: Here, lab: MailLab, user: str, folder: Path) -> None:
        write_companies(here.home, {"alpha": "dpo@alpha.example"})
        begin(here, folder, lab, user, mode="kit", members=4, slugs=("alpha",))
        here("campaign", "kit", "spring", "-o", str(folder / "kits"))
        self.here, self.lab, self.user = here, lab, user
        self.letters: list[tuple[str, KitLetter]] = []
        for kit in sorted((folder / "kits").glob("*.zip")):
            [letter] = letters_of(kit)
            found = re.search(r"m\d\d\d@verein\.example", letter.body)
            assert found is not None
            self.letters.append((found[0], letter))

    def send(self, number: int) -> None:
        """A member's copy of the letter comes."""
        member, letter = self.letters[number]
        self.lab.deliver(letter.drop, bcc_copy(member, letter).as_bytes())

    def bring(self, number: int, text: str = "Wir haben Ihren Antrag erhalten.") -> None:
        """A member forwards an answer."""
        member, letter = self.letters[number]
        self.lab.deliver(letter.drop, forwarded(
            member, letter.drop, answer(member, letter, text), attached=True).as_bytes())

    def stray(self) -> None:
        """A member brings something that names no case."""
        member, letter = self.letters[0]
        unclear = KitLetter(letter.to, letter.drop, "Werbung", "")
        self.lab.deliver(letter.drop, forwarded(
            member, letter.drop, answer(member, unclear, "Angebote"), attached=True).as_bytes())

    def fetch(self, *more: str, status: int = 0) -> dict[str, Any]:
        """`campaign import`: its summary."""
        shown = self.here("campaign", "import", "spring", "--json", *more, status=status).json
        check("campaign-import", shown)
        summary: dict[str, Any] = shown["summary"]
        return summary

    def hide(self) -> None:
        """What lies in the mailbox can be read by nobody: whoever asks for it again will fail."""
        folder = self.lab.root / "mail" / self.user
        for file in (*folder.glob("new/*"), *folder.glob("cur/*")):
            file.chmod(0)

    @property
    def cursors(self) -> Path:
        return self.here.home / "cache" / "campaign-spring.json"


@pytest.fixture
def spring(tmp_path: Path, lab: MailLab, user: str, monkeypatch: pytest.MonkeyPatch,
           capsys: pytest.CaptureFixture[str]) -> Campaign:
    return Campaign(Here(tmp_path / "home", monkeypatch, capsys), lab, user, tmp_path)


def counts(*, filed: int = 0, sent: int = 0, left: int = 0) -> dict[str, int]:
    return {"filed": filed, "sent": sent, "left": left}


def test_what_was_read_is_not_fetched_again(spring: Campaign) -> None:
    spring.send(0)
    spring.bring(0)
    assert spring.fetch() == counts(filed=1, sent=1)
    spring.hide()
    assert spring.fetch() == counts()
    spring.bring(1)
    assert spring.fetch() == counts(filed=1)
    assert load_state(spring.cursors).troubles == {}
    assert set(spring.lab.flags(spring.user)) == {"new"}


def test_what_polls_have_read_is_new_for_import_and_the_other_way_round(spring: Campaign) -> None:
    spring.send(0)
    spring.bring(0)
    spring.here("poll")
    assert spring.fetch() == counts(filed=1, sent=1)
    spring.here("poll")
    assert spring.fetch() == counts()


def test_what_stayed_out_is_looked_at_again_until_it_is_gone(spring: Campaign) -> None:
    spring.stray()
    spring.bring(0)
    assert spring.fetch(status=3) == counts(filed=1, left=1)
    again = spring.here("campaign", "import", "spring", status=3)
    assert "INBOX, UID 1: names no single case" in again.err
    for _ in range(5):
        assert spring.fetch(status=3) == counts(left=1), "it is never given up in silence"
    spring.lab.doveadm("expunge", "-u", spring.user, "mailbox", "INBOX", "uid", "1")
    assert spring.fetch() == counts()


def test_a_mailbox_made_anew_or_read_again_files_nothing_twice(spring: Campaign) -> None:
    spring.send(0)
    for number in range(2):
        spring.bring(number)
    assert spring.fetch() == counts(filed=2, sent=1)
    assert spring.fetch("--rescan") == counts()
    before = load_state(spring.cursors).cursors["main", "INBOX"]
    folder = spring.lab.root / "mail" / spring.user
    for file in (folder / "dovecot-uidlist", *folder.glob("dovecot.index*")):
        file.unlink()
    spring.bring(2)
    assert spring.fetch() == counts(filed=1)
    assert load_state(spring.cursors).cursors["main", "INBOX"].uidvalidity != before.uidvalidity


def test_a_connection_that_breaks_off_loses_nothing(
    spring: Campaign, cut_proxy: Callable[..., CutProxy]
) -> None:
    config = spring.here.home / "config.yaml"
    cuts = [Cut(when=b'EXAMINE "Junk"'), Cut(when=b'EXAMINE "Junk"')]
    proxy = cut_proxy(spring.lab.ports.imap, *cuts)
    whole = config.read_text()
    config.write_text(re.sub(rf"port: {spring.lab.ports.imaps}\n(\s+)security: tls",
                             rf"port: {proxy.port}\n\1security: none", whole))
    assert config.read_text() != whole
    spring.bring(0)
    assert spring.fetch(status=5) == counts(filed=1)
    member, letter = spring.letters[1]
    spring.lab.put(spring.user, b"Delivered-To: " + letter.drop.encode() + b"\r\n" + forwarded(
        member, letter.drop, answer(member, letter, "Wir haben ihn."), attached=True).as_bytes(),
        "Junk")
    assert spring.fetch() == counts(filed=1)


def test_rescan_is_for_the_mailbox_only(spring: Campaign, tmp_path: Path) -> None:
    spring.here("campaign", "import", "spring", str(tmp_path), "--rescan", status=2)
