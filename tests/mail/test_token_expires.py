"""A token that expires in the middle of a poll is renewed once, and the poll goes on."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from polledhome import PolledHome, reply
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

REPLIES = 45
"""More than two commands for bodies ask for."""
ENDS = {
    "hangs-up": b"", "says-exchange": b"BAD User is authenticated but not connected.",
    "says-expired": b"NO [EXPIRED] Token has expired",
    "says-failed": b"NO [AUTHENTICATIONFAILED] Session expired",
    "byes": b"* BYE Session expired, please log in again",
}
MOMENTS = {"search": b"UID SEARCH", "headers": b"HEADER.FIELDS", "bodies": b"RFC822.SIZE",
           "next-mailbox": b'EXAMINE "Junk"'}


class Tokens:
    """A command that prints one token after the other, as a helper that keeps them does."""

    def __init__(self, folder: Path, tokens: list[str]) -> None:
        folder.mkdir()
        self._folder, self.command = folder, folder / "token"
        for number, token in enumerate(tokens):
            (folder / f"{number}.token").write_text(token)
        self.command.write_text(
            f"#!{sys.executable}\nfrom pathlib import Path\nhere = Path({str(folder)!r})\n"
            "asked = len(list(here.glob('*.asked')))\n(here / f'{asked}.asked').touch()\n"
            f"print((here / f'{{min(asked, {len(tokens) - 1})}}.token').read_text())\n")
        self.command.chmod(self.command.stat().st_mode | stat.S_IXUSR)

    @property
    def asked(self) -> int:
        """How often it was run."""
        return len(list(self._folder.glob("*.asked")))


def begin(home: PolledHome, lab: MailLab, user: str, replies: int) -> None:
    home.begin(replies)
    lab.put(user, reply(1))
    template = next((lab.root / "mail" / user).glob("new/*"))
    for number in range(2, replies + 1):
        copy = template.parent / f"{number}.copies"
        copy.write_bytes(reply(number))
        copy.chmod(0o644)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_is_renewed_once_and_the_poll_goes_on(
    polled_home: PolledHome, lab: MailLab, user: str, tmp_path: Path, moment: str, end: str,
    cut_proxy: Callable[..., CutProxy]
) -> None:
    replies = REPLIES if moment == "bodies" else 3
    begin(polled_home, lab, user, replies)
    stale = lab.token(user, expires_in=-60)
    tokens = Tokens(tmp_path / "tokens", [lab.token(user), stale, lab.token(user)])
    proxy = cut_proxy(lab.ports.imap, Cut(when=MOMENTS[moment], says=ENDS[end]))
    polled_home.account(port=proxy.port, more="auth: xoauth2\n"
                        f"secret: {{token_command: [{tokens.command}]}}")
    polled = polled_home.poll()
    assert polled.filed == [f"T{n:02}" for n in range(1, replies + 1)]
    assert (polled.status, len(polled.lines)) == (0, replies)
    assert tokens.asked == 3, "one for each login, and one in place of the stale one"
    assert proxy.connections == 3
    assert polled_home.state.troubles == {}
    assert polled_home.poll().lines == []


def test_where_there_is_no_other_the_login_is_refused_and_what_was_filed_stays(
    polled_home: PolledHome, lab: MailLab, user: str, tmp_path: Path,
    cut_proxy: Callable[..., CutProxy]
) -> None:
    begin(polled_home, lab, user, 3)
    stale = lab.token(user, expires_in=-60)
    tokens = Tokens(tmp_path / "tokens", [lab.token(user), stale])
    proxy = cut_proxy(lab.ports.imap, Cut(when=b'EXAMINE "Junk"'))
    polled_home.account(port=proxy.port, more="auth: oauthbearer\n"
                        f"secret: {{token_command: [{tokens.command}]}}")
    polled = polled_home.poll()
    assert polled.filed == ["T01", "T02", "T03"]
    assert polled.status == 4
    assert (tokens.asked, proxy.connections) == (3, 2), "the same one is not tried again"
    polled_home.account()
    assert polled_home.poll().lines == []
    assert polled_home.replies() == {"T01": 1, "T02": 1, "T03": 1}


def test_a_server_that_ends_every_login_is_not_logged_in_to_for_ever(
    polled_home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    begin(polled_home, lab, user, 3)
    ends = Cut(when=b"RFC822.SIZE", says=b"NO [EXPIRED] again")
    proxy = cut_proxy(lab.ports.imap, *[ends] * 50)
    polled_home.account(port=proxy.port)
    polled = polled_home.poll()
    assert polled.filed == []
    assert proxy.connections < 10
    polled_home.account()
    assert polled_home.poll("--retry").filed == ["T01", "T02", "T03"]
