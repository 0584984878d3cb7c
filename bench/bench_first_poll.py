"""The first `dsar poll` of a large mailbox, beside fetching its headers alone with imapclient.

usage: python bench/bench_first_poll.py [MESSAGES] [REPLIES]     (root, Postfix and Dovecot needed)

60 replies to our letters lie among 50,000 other messages, all newer than the letters. The poll
is a whole process: start, login, headers, bodies of candidates, matching, reading, ledger. Then
the next poll beside a bare search, both as whole processes, in turns, and each the median of nine;
flags are compared message by message before and after. Beside each time by the clock stands the
processor time of our own process, which the load that others make changes less; the server's is
not in it.
"""

from __future__ import annotations

import email
import email.policy
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from imapclient import IMAPClient
from lab import MailLab, missing

ROOT = Path(__file__).resolve().parent.parent
BATCH = 500
TIMES = 9


def dsar(home: Path, *words: str) -> str:
    """Run one command and return what it printed; raises CalledProcessError."""
    environment = os.environ | {"DSAR_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, "-m", "dsar", *words], env=environment, text=True,
                          capture_output=True, check=True)
    return done.stdout


def set_up(lab: MailLab, home: Path, user: str, replies: int) -> None:
    """A person, an account and as many invented companies as there will be replies."""
    secret = home.parent / "password"
    secret.write_text(lab.password)
    secret.chmod(0o600)
    dsar(home, "init", "--no-input", "--name", "Alex Example", "--email", user, "--residence",
         "DE", "--smtp", f"{lab.host}:{lab.ports.submission}", "--smtp-security", "starttls",
         "--imap", f"{lab.host}:{lab.ports.imaps}", "--ca-file", str(lab.ca_file),
         "--password-file", str(secret), "--reply-tags", "--no-limits", "--sent-copy", "none")
    entries = "".join(f"""
  c{n}:
    name: Company {n}
    country: DE
    categories: [data-broker]
    contacts:
      - {{kind: email, value: dpo@c{n}.example, source: invented, checked: 2026-11-01}}
    laws: [eu-gdpr]
    languages: [en]
    reply_domains: [c{n}.example]
    checked: 2026-11
""" for n in range(replies))
    (home / "companies.local.yaml").write_text(f"schema: dsar.companies/1\ncompanies:{entries}")
    dsar(home, "send", "--only", ",".join(f"c{n}" for n in range(replies)), "--confirm",
         str(replies))


def fill(lab: MailLab, user: str, count: int) -> None:
    """Put other mail straight into the Maildir."""
    lab.put(user, _other(0))
    folder = lab.root / "mail" / user / "cur"
    owner = folder.stat()
    for number in range(1, count):
        raw = _other(number)
        file = folder / f"{1_790_000_000 + number}.M{number}.lab,S={len(raw)}:2,S"
        file.write_bytes(raw)
        os.chown(file, owner.st_uid, owner.st_gid)


def _other(number: int) -> bytes:
    trace = "Received: from mx.shop.example by mx.example.test; Tue, 24 Nov 2026 09:00:00 +0000\r\n"
    return (f"{trace * 4}From: News <news{number % 500}@shop.example>\r\nTo: alex@example.test\r\n"
            f"Subject: Offer {number}\r\nMessage-ID: <{number}@shop.example>\r\n\r\n"
            + "Everything must go, and most of it goes today for half the price.\r\n" * 30).encode()


def answer(lab: MailLab, user: str) -> int:
    """One reply from each company, in the thread; returns how many."""
    letters = [email.message_from_bytes(r, policy=email.policy.default)
               for r in lab.delivered("catchall@example.test")]
    mine = [m for m in letters if user in str(m["From"])]
    for number, letter in enumerate(mine):
        lab.put(user, (
            f"From: DPO <{letter['X-Original-To']}>\r\nTo: {letter['Reply-To']}\r\n"
            f"Subject: Re: {letter['Subject']}\r\nMessage-ID: <a{number}@answer.example>\r\n"
            f"In-Reply-To: {letter['Message-ID']}\r\n\r\n"
            "We have received your request and will answer within one month.\r\n").encode())
    return len(mine)


class Took(NamedTuple):
    """Seconds by the clock and of the processor."""

    wall: float
    cpu: float

    def over(self, other: Took) -> str:
        """Both ratios, for people."""
        return f"wall {self.wall / other.wall:.2f}, CPU {self.cpu / other.cpu:.2f}"


def clocked(act: Callable[[], object]) -> Took:
    """What an act takes, with the processes that it starts and waits for."""
    wall, cpu = time.perf_counter(), _cpu()
    act()
    return Took(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def median(times: Sequence[Took]) -> Took:
    """Of each figure by itself."""
    return Took(*(statistics.median(each) for each in zip(*times, strict=True)))


def headers_alone(lab: MailLab, user: str) -> None:
    """The headers of every message with imapclient in batches."""
    with _client(lab, user) as client:
        uids = client.search(["ALL"])
        for place in range(0, len(uids), BATCH):
            client.fetch(uids[place:place + BATCH], ["BODY.PEEK[HEADER]"])


SEARCH = """
import ssl, sys
from imapclient import IMAPClient
host, port, user, password, ca = sys.argv[1:]
client = IMAPClient(host, int(port), ssl_context=ssl.create_default_context(cafile=ca))
client.login(user, password)
client.select_folder("INBOX", readonly=True)
client.search(["UID", "999999999:*"])
client.logout()
"""


def search_process(lab: MailLab, user: str) -> None:
    """A process that does nothing but a bare search."""
    subprocess.run([sys.executable, "-c", SEARCH, lab.host, str(lab.ports.imaps), user,
                    lab.password, str(lab.ca_file)], check=True)


def _client(lab: MailLab, user: str) -> IMAPClient:
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    client = IMAPClient(lab.host, lab.ports.imaps, ssl_context=context)
    client._imap.debug = 0
    client.login(user, lab.password)
    client.select_folder("INBOX", readonly=True)
    return client


def poll(home: Path, *more: str) -> int:
    """One `dsar poll`; how many messages it recorded."""
    return len(dsar(home, "poll", "--json", *more).splitlines())


def main(count: int, replies: int) -> None:
    """Print the two ratios; raises AssertionError when something was missed or filed twice."""
    lab = MailLab.make()
    try:
        lab.start()
        user = lab.new_user()
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            set_up(lab, home, user, replies)
            lab.wait_for("catchall@example.test", replies)
            fill(lab, user, count)
            assert answer(lab, user) == replies
            time.sleep(2.1)
            headers_alone(lab, user)  # the server builds its index once, for both
            flags = lab.flags(user)
            filed: list[int] = []
            alone = clocked(lambda: headers_alone(lab, user))
            first = clocked(lambda: filed.append(poll(home)))
            pairs = [(clocked(lambda: search_process(lab, user)),
                      clocked(lambda: filed.append(poll(home)))) for _ in range(TIMES)]
            rescan = clocked(lambda: filed.append(poll(home, "--rescan")))
            assert filed == [replies, *[0] * (TIMES + 1)], filed
            assert lab.flags(user) == flags
    finally:
        lab.stop(purge=True)
    bare, following = (median(times) for times in zip(*pairs, strict=True))
    print(f"{replies} replies among {count}; flags unchanged; nothing filed twice; "
          f"load {os.getloadavg()[0]:.1f}")
    print(f"headers alone {_shown(alone)}   first poll {_shown(first)}   {first.over(alone)}")
    print(f"bare search   {_shown(bare)}   next poll  {_shown(following)}   "
          f"{following.over(bare)}   (whole processes)")
    print(f"rescan of everything {rescan.wall:.2f} s")


def _shown(took: Took) -> str:
    return f"{took.wall:6.3f} s ({took.cpu:6.3f} CPU)"


if __name__ == "__main__":
    if lacking := missing():
        sys.exit("; ".join(lacking))
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [50_000, 60][len(given):])[:2])
