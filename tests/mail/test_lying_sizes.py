"""A server that lies about sizes: nothing is cut off, memory stays small, and no poll hangs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from polledhome import PolledHome, reply
from servers.maillab import MailLab
from servers.sizeproxy import Lies, SizeProxy

from dsar.errors import Temporary
from dsar.mail import Unfetchable
from dsar.mail.account import Account, Endpoint, Security
from dsar.mail.imap import ImapMailbox
from dsar.mail.imapstream import FIRST_PIECE
from dsar.mail.secret import Secret

SIZES = {
    "zero": Lies(size=lambda n: 0), "too-small": Lies(size=lambda n: n // 2),
    "one-less": Lies(size=lambda n: n - 1), "one-more": Lies(size=lambda n: n + 1),
    "too-large": Lies(size=lambda n: 10 * n + 1_000_000), "huge": Lies(size=lambda n: 10**15),
    "large-and-nil": Lies(size=lambda n: 2 * n, nil=True),
}
LITERALS = {
    "too-short": Lies(literal=lambda n: n - 7), "none": Lies(literal=lambda n: 0),
    "too-long": Lies(literal=lambda n: n + 7), "far-too-long": Lies(literal=lambda n: n + 10**6),
    "endless": Lies(literal=lambda n: 10**15),
}
SMALL = b"Subject: small\r\n\r\nGood day.\r\n"


def filled(size: int) -> bytes:
    """A message of exactly so many octets."""
    head = b"Subject: %d\r\n\r\n" % size
    line = b"".join(b"%07d " % n for n in range(size // 8 + 1))
    return head + line[:size - len(head) - 2] + b"\r\n"


MAILS = [SMALL, *map(filled, (FIRST_PIECE - 1, FIRST_PIECE, FIRST_PIECE + 1, 3_000_000))]


@pytest.fixture
def lying() -> Iterator[Callable[[int, Lies], SizeProxy]]:
    """Makes proxies that change what a server says; all are closed afterwards."""
    made: list[SizeProxy] = []

    def make(port: int, lies: Lies) -> SizeProxy:
        made.append(SizeProxy(port, lies))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


def mailbox(lab: MailLab, user: str, port: int, timeout_s: float = 20) -> ImapMailbox:
    imap = Endpoint(host="localhost", port=port, security=Security.NONE, username=user)
    return ImapMailbox(Account(name="main", address=user, imap=imap), Secret(lab.password),
                       timeout_s=timeout_s)


@pytest.mark.parametrize("kind", SIZES)
def test_what_is_said_of_the_size_cuts_nothing_off(
    lab: MailLab, user: str, lying: Callable[[int, Lies], SizeProxy], kind: str
) -> None:
    for raw in MAILS:
        lab.put(user, raw)
    proxy = lying(lab.ports.imap, SIZES[kind])
    box = mailbox(lab, user, proxy.port)
    where = [each.coordinates for each in box.new("INBOX", None)[0]]
    found = [fetched.whole() for fetched in box.fetch(where)]
    assert [len(raw) for raw in found] == [len(raw) for raw in MAILS]
    assert found == MAILS
    assert len(proxy.told) == len(found), "the lie was told of each"
    box.close()
    assert set(lab.flags(user)) == {"new"}


@pytest.mark.parametrize("kind", LITERALS)
def test_a_body_that_is_not_as_long_as_announced_is_given_up_and_never_made_up(
    lab: MailLab, user: str, lying: Callable[[int, Lies], SizeProxy], kind: str
) -> None:
    for raw in MAILS[:3]:
        lab.put(user, raw)
    box = mailbox(lab, user, lying(lab.ports.imap, LITERALS[kind]).port, timeout_s=1)
    where = [each.coordinates for each in box.new("INBOX", None)[0]]
    read: list[bytes] = []
    with suppress(Temporary):
        for fetched in box.fetch(where):
            with suppress(Unfetchable):
                read.append(fetched.whole())
    assert read == []
    box.close()


def test_what_was_given_up_is_named_and_filed_once_the_truth_is_told(
    polled_home: PolledHome, lab: MailLab, user: str, lying: Callable[[int, Lies], SizeProxy]
) -> None:
    home = polled_home.begin(3)
    for number in (1, 2, 3):
        lab.put(user, reply(number))
    home.account(port=lying(lab.ports.imap, LITERALS["too-short"]).port)
    polled = home.poll()
    assert polled.filed == []
    assert [line["trouble"]["attempts"] for line in polled.lines] == [1, 1, 1]
    assert {line["why"] for line in polled.lines} == {"the connection was lost"}
    home.account()
    assert home.poll("--retry").filed == ["T01", "T02", "T03"]
    assert home.replies() == {"T01": 1, "T02": 1, "T03": 1}


MEMORY = """
import hashlib, json, re, sys
from pathlib import Path
from dsar.mail.account import Account, Endpoint, Security
from dsar.mail.imap import ImapMailbox
from dsar.mail.secret import Secret
import imapclient

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

user, port, password = sys.argv[1:]
imap = Endpoint(host="localhost", port=int(port), security=Security.NONE, username=user)
box = ImapMailbox(Account(name="main", address=user, imap=imap), Secret(password))
where = [each.coordinates for each in box.new("INBOX", None)[0]]
before, found = peak(), []
for fetched in box.fetch(where):
    digest = hashlib.sha256()
    for piece in fetched.pieces:
        digest.update(piece)
    found.append(digest.hexdigest())
print(json.dumps([found, peak() - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read in /proc")
@pytest.mark.parametrize("kind", ["zero", "too-large", "huge"])
def test_memory_stays_small_whatever_is_said_of_the_size(
    lab: MailLab, user: str, lying: Callable[[int, Lies], SizeProxy], kind: str,
    figures_shown: list[str]
) -> None:
    raws = [SMALL, filled(40_000_000), SMALL]
    for raw in raws:
        lab.put(user, raw)
    port = lying(lab.ports.imap, SIZES[kind]).port
    done = subprocess.run([sys.executable, "-c", MEMORY, user, str(port), lab.password],
                          capture_output=True, text=True, check=True, timeout=120)
    found, added = json.loads(done.stdout)
    assert found == [hashlib.sha256(raw).hexdigest() for raw in raws]
    figures_shown.append(f"mail of 40 MB whose size is a lie ({kind}): memory +{added:.0f} MB")
    assert added < 30
