"""Letters a second to a real Postfix, beside Postfix's own smtp-source and the mailmerge command.

usage: python bench/bench_smtp.py [LETTERS] [ROUNDS]      (root, Postfix and Dovecot needed)

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


def send_all(lab: MailLab, letters: Sequence[Callable[[], bytes]]) -> float:
    """Seconds for one connection with TLS and login, and all letters."""
    smtp = Endpoint(
        host=lab.host, port=lab.ports.submission, security=Security.STARTTLS, username=USER
    )
    account = Account(name="main", address=USER, smtp=smtp, ca_file=lab.ca_file)
    transport = SmtpTransport(account, Secret(lab.password))
    start = time.perf_counter()
    for make in letters:
        transport.send(make(), sender=USER, recipients=[COMPANY])
    transport.close()
    return time.perf_counter() - start


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
    ready, size = [letter() for _ in range(count)], len(letter())
    ways: dict[str, Callable[[MailLab], float]] = {
        "smtp-source -s 1 (no TLS)": lambda lab: smtp_source(lab, count, size),
        "dsar, composed beforehand": lambda lab: send_all(lab, [lambda r=r: r for r in ready]),
        "dsar, composing included": lambda lab: send_all(lab, [letter] * count),
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
    main(*(int(word) for word in (sys.argv[1:] + ["200", "3"][len(sys.argv) - 1 :])[:2]))
