"""Time to find and fetch 10 new messages among many, beside a bare UID SEARCH and FETCH.

usage: python bench/bench_poll.py [MESSAGES] [ROUNDS]      (root, Postfix and Dovecot needed)

Both connect over TLS, log in, and end with the bytes of the 10 messages. The bare way knows the
mailbox and the UID to start from; dsar asks for the state first and reads headers before bodies.
"""

from __future__ import annotations

import os
import ssl
import statistics
import sys
import time
from collections.abc import Callable

from imapclient import IMAPClient
from lab import MailLab, missing

from dsar.mail import Cursor
from dsar.mail.account import Account, Endpoint
from dsar.mail.imap import ImapMailbox
from dsar.mail.secret import Secret

NEW = 10


def message(number: int) -> bytes:
    """About 2.5 kB, as a short business mail with its trace headers."""
    trace = "Received: from mx.acme.example by mx.example.test; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    return (
        f"{trace * 4}From: DPO <dpo@acme.example>\r\nTo: alex@example.test\r\n"
        f"Subject: Re {number}\r\nMessage-ID: <{number}@acme.example>\r\n"
        f"In-Reply-To: <q{number}@example.test>\r\n\r\n"
        + "We have received your request and will answer it in time.\r\n" * 30
    ).encode()


def fill(lab: MailLab, user: str, count: int) -> None:
    """Put messages straight into the Maildir, as fast as the disk allows."""
    lab.put(user, message(0))
    folder = lab.root / "mail" / user / "cur"
    owner = folder.stat()
    for number in range(1, count):
        raw = message(number)
        file = folder / f"{1_700_000_000 + number}.M{number}.lab,S={len(raw)}:2,S"
        file.write_bytes(raw)
        os.chown(file, owner.st_uid, owner.st_gid)


def bare(lab: MailLab, user: str, cursor: Cursor) -> int:
    """UID SEARCH above the cursor and one FETCH of the bodies."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    with IMAPClient(lab.host, lab.ports.imaps, ssl_context=context) as client:
        client._imap.debug = 0
        client.login(user, lab.password)
        client.select_folder("INBOX", readonly=True)
        found = client.search(["UID", f"{cursor.last_uid + 1}:*"])
        uids = [uid for uid in found if uid > cursor.last_uid]
        return len(client.fetch(uids, ["BODY.PEEK[]"]))


def ours(lab: MailLab, user: str, cursor: Cursor) -> int:
    """The same by ImapMailbox: state, headers, then bodies."""
    imap = Endpoint(host=lab.host, port=lab.ports.imaps, username=user)
    account = Account(name="main", address=user, imap=imap, ca_file=lab.ca_file)
    box = ImapMailbox(account, Secret(lab.password))
    envelopes, _ = box.new("INBOX", cursor)
    found = len(list(box.fetch([each.coordinates for each in envelopes])))
    box.close()
    return found


Way = Callable[[MailLab, str, Cursor], int]


def timed(way: Way, lab: MailLab, user: str, cursor: Cursor, expected: int) -> float:
    """Milliseconds; raises AssertionError when it found something else."""
    start = time.perf_counter()
    found = way(lab, user, cursor)
    took = (time.perf_counter() - start) * 1000
    assert found == expected, (found, expected)
    return took


def first_look(lab: MailLab, user: str) -> Cursor:
    """Read the headers of the whole mailbox, and say how long that took."""
    imap = Endpoint(host=lab.host, port=lab.ports.imaps, username=user)
    account = Account(name="main", address=user, imap=imap, ca_file=lab.ca_file)
    start, box = time.perf_counter(), ImapMailbox(account, Secret(lab.password))
    envelopes, cursor = box.new("INBOX", None)
    count = sum(1 for _ in envelopes)
    print(f"first look at {count} messages: {time.perf_counter() - start:.1f} s")
    box.close()
    return cursor


def one_round(lab: MailLab, user: str, cursor: Cursor, took: dict[str, list[float]]) -> Cursor:
    """Nothing new, then ten new messages looked for in both ways; the cursor behind them."""
    time.sleep(2.1)  # Dovecot scans a Maildir anew that changed within the last second or two
    bare(lab, user, cursor)
    took["nothing new"].append(timed(ours, lab, user, cursor, 0))
    for number in range(NEW):
        lab.put(user, message(number))
    bare(lab, user, cursor)  # lets the server take in the new files, for neither of the two
    took["bare"].append(timed(bare, lab, user, cursor, NEW))
    took["dsar"].append(timed(ours, lab, user, cursor, NEW))
    return Cursor(uidvalidity=cursor.uidvalidity, last_uid=cursor.last_uid + NEW)


def main(count: int, rounds: int) -> None:
    """Print the medians and their ratio."""
    lab, took = MailLab.make(), {name: list[float]() for name in ("nothing new", "bare", "dsar")}
    try:
        lab.start()
        user = lab.new_user()
        fill(lab, user, count)
        cursor = first_look(lab, user)
        for _ in range(rounds):
            cursor = one_round(lab, user, cursor, took)
    finally:
        lab.stop(purge=True)
    print(f"10 new among {count}, median of {rounds} rounds, over TLS with login")
    for name, values in took.items():
        median = statistics.median(values)
        print(f"{name:12} {median:7.1f} ms   {median / statistics.median(took['bare']):5.2f}")


if __name__ == "__main__":
    if lacking := missing():
        sys.exit("; ".join(lacking))
    main(*(int(word) for word in (sys.argv[1:] + ["50000", "7"][len(sys.argv) - 1 :])[:2]))
