"""Letters a second to a real Postfix, beside Postfix's own smtp-source and the mailmerge command.

usage: python bench/bench_smtp.py [LETTERS] [ROUNDS]      (root, Postfix and Dovecot needed)
       python bench/bench_smtp.py memory [LETTERS]        resident memory after a tenth and all

Each letter is a text and a DOCX of 37 kB. dsar sends over TLS after a login and waits for each
answer; smtp-source has neither TLS nor login and is the fastest known client. All take turns in
each round; the figures are medians. mailmerge is run where it is on the PATH or in MAILMERGE.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab import MailLab, missing

from dsar.core.message import Address
from dsar.mail.account import Account, Endpoint, Security
from dsar.mail.compose import Attachment, compose, new_message_id
from dsar.mail.secret import Secret
from dsar.mail.smtp import SmtpTransport

USER, COMPANY = "alex@example.test", "privacy@discard.test"
TEXT = "Please confirm whether you process personal data about me, Zoë Example, and which.\n" * 36
DOCX = os.urandom(37_000)
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def letter() -> bytes:
    """One letter as dsar sends it, composed now."""
    return compose(
        "Auskunft nach Art. 15 DSGVO, Zoë Example [DSAR-0000-0000]",
        TEXT,
        sender=Address(name="Alex Example", addr=USER),
        recipient=Address(name="Acme", addr=COMPANY),
        message_id=new_message_id(USER),
        date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        attachments=[Attachment(name="letter.docx", type=TYPE, content=DOCX)],
    )


def transport_to(lab: MailLab) -> SmtpTransport:
    """A connection with STARTTLS and a login."""
    smtp = Endpoint(
        host=lab.host, port=lab.ports.submission, security=Security.STARTTLS, username=USER
    )
    account = Account(name="main", address=USER, smtp=smtp, ca_file=lab.ca_file)
    return SmtpTransport(account, Secret(lab.password))


def send_all(lab: MailLab, letters: Sequence[Callable[[], bytes]]) -> float:
    """Seconds for one connection with TLS and login, and all letters."""
    transport = transport_to(lab)
    start = time.perf_counter()
    for make in letters:
        transport.send(make(), sender=USER, recipients=[COMPANY])
    transport.close()
    return time.perf_counter() - start


def rendering() -> Callable[[], bytes]:
    """Writes one real letter: words from the templates, a DOCX of it, the message."""
    from dsar import shipped
    from dsar.core.letter import Stage
    from dsar.law.load import load_laws
    from dsar.letters.document import as_docx
    from dsar.letters.sample import sample_letter
    from dsar.letters.words import render

    written = sample_letter(load_laws().regimes["eu-gdpr"], "access", Stage.REQUEST, "de")
    folders = (shipped.templates() / "letters",)

    def make() -> bytes:
        words = render(written, folders)
        return compose(
            words.subject, words.body, sender=Address(name="Alex Example", addr=USER),
            recipient=Address(name="Acme", addr=COMPANY), message_id=new_message_id(USER),
            date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
            attachments=[Attachment(name="letter.docx", type=TYPE,
                                    content=as_docx(words, written))])

    return make


def send_side_by_side(lab: MailLab, letters: Sequence[bytes], connections: int) -> float:
    """Seconds over several connections, each attempt and outcome recorded in a ledger."""
    from contextlib import ExitStack

    from dsar.core.case import CaseOpened, LetterApproved
    from dsar.core.letter import Outgoing, Stage
    from dsar.outbox import Post, deliver
    from dsar.sidebyside import deliver_side_by_side
    from dsar.store import open_store

    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        store = open_store(f"tinydb:{name}", write=True, author="bench", now=lambda: now)
        stack.callback(store.close)
        going = []
        for n, raw in enumerate(letters):
            case, message_id = f"K{n}", f"<{n}@example.test>"
            store.append(case, [
                CaseOpened(on=now.date(), case_id=case, reference=f"DSAR-{n}", subject_id="a",
                           controller=f"c{n}", controller_name="C", right="access",
                           regime="eu-gdpr", language="en", country="DE"),
                LetterApproved(on=now.date(), stage=Stage.REQUEST, message_id=message_id,
                               digest="d" * 64, recipient=COMPANY, account="main")], after=0)
            going.append(Outgoing(case_id=case, message=raw, message_id=message_id, sender=USER,
                                  recipient=COMPANY, stage=Stage.REQUEST, account="main"))
        lines = [transport_to(lab) for _ in range(connections)]
        post = Post(store=store, transport=lines[0], now=lambda: now, today=now.date(),
                    file_sent=lambda letter: None, copies_to=lambda letter: (),
                    check=lambda delivery: None)
        start = time.perf_counter()
        for _ in deliver(going, post) if connections == 1 else (
                deliver_side_by_side(going, post, lines)):
            pass
        seconds = time.perf_counter() - start
        for each in lines:
            each.close()
    return seconds


def memory(count: int) -> None:
    """Print the resident memory after a tenth of the letters and after all of them."""
    def resident_kb() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    lab, make = MailLab.make(), rendering()
    try:
        lab.start()
        transport = transport_to(lab)
        start = time.perf_counter()
        for n in range(1, count + 1):
            transport.send(make(), sender=USER, recipients=[COMPANY])
            if n in (count // 10, count // 2, count):
                rate = n / (time.perf_counter() - start)
                print(f"{n:6} letters rendered and sent: {resident_kb() / 1024:6.1f} MB resident, "
                      f"{rate:4.0f} letters/s", flush=True)
        transport.close()
    finally:
        lab.stop(purge=True)


def smtp_source(lab: MailLab, count: int, size: int) -> float:
    """Seconds for the same number and size by Postfix's load generator over one connection."""
    argv = ["smtp-source", "-s", "1", "-m", str(count), "-l", str(size), "-f", USER, "-t", COMPANY]
    return run([*argv, f"127.0.0.1:{lab.ports.plain}"], Path("/"))


def mailmerge(lab: MailLab, program: str, count: int) -> float:
    """Seconds of the mailmerge command: no TLS, rendering and composing included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "letter.docx").write_bytes(DOCX)
        (folder / "mailmerge_template.txt").write_text(
            f"TO: {{{{email}}}}\nFROM: {USER}\nSUBJECT: Request for access\n"
            f"ATTACHMENT: letter.docx\n\n{TEXT}"
        )
        (folder / "mailmerge_database.csv").write_text("email\n" + f"{COMPANY}\n" * count)
        (folder / "mailmerge_server.conf").write_text(
            f"[smtp_server]\nhost = 127.0.0.1\nport = {lab.ports.plain}\nsecurity = Never\n"
        )
        return run([program, "--no-dry-run", "--no-limit"], folder)


def run(argv: Sequence[str], folder: Path) -> float:
    """Seconds of a command; raises CalledProcessError."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    start = time.perf_counter()
    subprocess.run(
        argv, cwd=folder, env=os.environ | {"PATH": path}, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    return time.perf_counter() - start


def main(count: int, rounds: int) -> None:
    """Print letters a second and the ratio to smtp-source."""
    written = rendering()
    ready, size = [letter() for _ in range(count)], len(letter())
    ways: dict[str, Callable[[MailLab], float]] = {
        "smtp-source -s 1 (no TLS)": lambda lab: smtp_source(lab, count, size),
        "dsar, composed beforehand": lambda lab: send_all(lab, [lambda r=r: r for r in ready]),
        "dsar, composing included": lambda lab: send_all(lab, [letter] * count),
        "dsar, rendering included": lambda lab: send_all(lab, [written] * count),
        "dsar with ledger, 1 line": lambda lab: send_side_by_side(lab, ready, 1),
        "dsar with ledger, 4 lines": lambda lab: send_side_by_side(lab, ready, 4),
    }
    program = os.environ.get("MAILMERGE") or shutil.which("mailmerge")
    if program:
        ways["mailmerge (no TLS)"] = lambda lab: mailmerge(lab, program, count)
    else:
        print("mailmerge is not installed (pip install mailmerge): left out", file=sys.stderr)
    lab, seconds = MailLab.make(), {name: list[float]() for name in ways}
    try:
        lab.start()
        send_all(lab, [letter] * 5)  # wakes the daemons
        for _ in range(rounds):
            for name, way in ways.items():
                seconds[name].append(way(lab))
    finally:
        lab.stop(purge=True)
    rates = {name: count / statistics.median(each) for name, each in seconds.items()}
    base = rates["smtp-source -s 1 (no TLS)"]
    print(f"{count} letters of {size} bytes, median of {rounds} rounds")
    for name, rate in rates.items():
        print(f"{name:28} {rate:7.0f} letters/s   {rate / base:5.2f}")


if __name__ == "__main__":
    if lacking := missing():
        sys.exit("; ".join(lacking))
    if sys.argv[1:2] == ["memory"]:
        memory(int((sys.argv[2:] or ["10000"])[0]))
        sys.exit()
    main(*(int(word) for word in (sys.argv[1:] + ["200", "3"][len(sys.argv) - 1 :])[:2]))
