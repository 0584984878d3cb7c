"""A campaign of many letters in PostgreSQL, ready to be sent by any number of worker processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from servers.maillab import MailLab

ROOT = Path(__file__).resolve().parent.parent.parent
CAMPAIGN, KEEPER = "open-files", ("--passphrase-command", "echo correct horse battery")
TODAY = datetime.now().astimezone().date()
_SENT = re.compile(r" orig_to=<privacy@(c\d+)\.many\.example>.* status=sent ")


def companies(count: int) -> list[str]:
    """The slugs of that many invented companies."""
    return [f"c{number:04}" for number in range(count)]


def registry(slugs: Iterable[str], domain: str = "many.example") -> str:
    """The user's own registry: each company with a mailbox of its own."""
    return "schema: dsar.companies/1\ncompanies:\n" + "".join(f"""
  {slug}:
    name: Company {slug}
    country: DE
    categories: [data-broker]
    contacts:
      - kind: email
        value: privacy@{slug}.{domain}
        source: invented
        checked: {TODAY}
    laws: [eu-gdpr]
    languages: [en]
    reply_domains: [{slug}.{domain}]
    checked: {TODAY:%Y-%m}
""" for slug in slugs)


@dataclass
class ManyLetters:
    """The home of a campaign; `address` is the group's own mailbox in the lab.

    today: the day its commands take it for, "" the day it is.
    """

    home: Path
    ledger: str
    lab: MailLab
    address: str
    passfile: str
    smtp_port: int = 0
    domain: str = "many.example"
    today: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DSAR_")}
        return kept | {"DSAR_HOME": str(self.home), "NO_COLOR": "1", "PYTHONPATH": str(ROOT),
                       "PGPASSFILE": self.passfile} | (
            {"DSAR_TODAY": self.today} if self.today else {})

    def dsar(self, *words: str, by: str = "jo", status: int | None = 0, seconds: int = 600) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run([sys.executable, "-m", "dsar", *words], env=self.environment | {
            "DSAR_AUTHOR": by}, capture_output=True, text=True, timeout=seconds, check=False)
        assert status in (None, done.returncode), f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def prepare(self, slugs: list[str], members: int, *, per_day: int) -> None:
        """Account, campaign, members with signed mandates."""
        self.begin(slugs, members, per_day=per_day)
        papers = self.home / "papers"
        self.dsar("campaign", "mandate", "issue", CAMPAIGN, "-o", str(papers), "--format", "docx")
        for paper in list(papers.glob("*.docx")):
            paper.with_suffix(".pdf").write_bytes(b"%PDF-1.4 signed by " + paper.stem.encode())
            paper.unlink()
        self.dsar("campaign", "mandate", "sign", CAMPAIGN, str(papers), "--how", "pen",
                  "--signed-on", str(TODAY))

    def begin(self, slugs: list[str], members: int, *, per_day: int) -> None:
        """Account, campaign, members."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        (self.home / "companies.local.yaml").write_text(registry(slugs, self.domain))
        (self.home / "password").write_text(self.lab.password)
        (self.home / "password").chmod(0o600)
        port = self.lab.ports.submission
        (self.home / "config.yaml").write_text(f"""
store: {self.ledger}
archive: store
accounts:
  - name: main
    address: {self.address}
    smtp: {{host: localhost, port: {port}, security: starttls}}
    imap: {{host: localhost, port: {self.lab.ports.imaps}, security: tls}}
    auth: password
    secret: {{file: {self.home / 'password'}}}
    ca_file: {self.lab.ca_file}
    sent_copy: bcc
    limits: off
""")
        (self.home / "consent.txt").write_text("I agree.\n")
        (self.home / "members.csv").write_text("name,email,residence,languages,consent\n" + "".join(
            f"Person {n:05},person{n}@members.example,DE,en,yes\n" for n in range(members)))
        self.dsar("campaign", "init", CAMPAIGN, "--organisation", "Open Files", "--contact",
                  "files@example.org", "--consent", str(self.home / "consent.txt"), "--purge-on",
                  f"{TODAY.year + 2}-12-31", "--mode", "mandate", "--no-spread",
                  "--per-day", str(per_day), *KEEPER)
        self.dsar("campaign", "targets", CAMPAIGN, *slugs)
        self.dsar("campaign", "add-members", CAMPAIGN, str(self.home / "members.csv"))

    def write(self, letters: int, *, helpers: int = 3) -> None:
        """Open the cases of one wave of all letters, write them together, and release them."""
        self.start(helpers)
        self.dsar("campaign", "send", CAMPAIGN, "--letters", str(letters), "--confirm",
                  str(letters), by="jo")
        self.stop()
        self.dsar("campaign", "approve", CAMPAIGN, "1", "--yes", by="sam")

    def start(self, count: int, *more: str) -> None:
        """Start that many workers more."""
        for _ in range(count):
            with (self.home / "workers.log").open("ab") as log:
                self.workers.append(subprocess.Popen(
                    [sys.executable, "-m", "dsar", "campaign", "work", CAMPAIGN, "--stay",
                     "--no-poll", *more], env=self.environment, stdout=log, stderr=log))

    def kill(self, number: int) -> None:
        """End one worker at once, as the machine would that breaks down."""
        worker = self.workers.pop(number)
        worker.kill()
        worker.wait()
        self.killed += 1

    def stop(self) -> None:
        """End all workers in their turn."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait()
        self.workers.clear()

    def sent_by_company(self) -> Counter[str]:
        """How many letters Postfix says it delivered for each company."""
        log = (self.lab.root / "postfix/maillog").read_text(errors="replace")
        return Counter(_SENT.findall(log))

    def said(self) -> str:
        """What the workers printed."""
        return (self.home / "workers.log").read_text(errors="replace")


def wait_until(done: object, seconds: float) -> bool:
    """Whether `done()` became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(done) and done():
            return True
        time.sleep(0.2)
    return False
