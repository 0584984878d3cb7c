"""A home with open cases whose mailboxes lie on the mail lab, polled as a user does."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from servers.maillab import MailLab

from dsar import shipped
from dsar.cli import run
from dsar.mailstate import MailState, load_state

SCHEMAS = shipped.data("schemas")


def case(number: int, mailbox: str) -> dict[str, Any]:
    """One row of the import form; company `number` is asked for access."""
    return {
        "id": f"T{number:02}", "token": f"DSAR-43KQ-3M{number:02}",
        "data_subject": {"name": "Alex", "mailbox": mailbox},
        "message_ids": [f"<request.{number}@example.org>"],
        "outgoing_subject": f"Access request [DSAR-43KQ-3M{number:02}]",
        "company": {"slug": f"c{number}", "name": f"Company {number}",
                    "email": f"privacy@c{number}.example", "aliases": [],
                    "domains": [f"c{number}.example"]},
        "right": "access", "regime": "eu-gdpr", "language": "en", "sent": "2026-11-01",
        "due": "2026-12-01", "due_max": "2027-02-01",
    }


def reply(number: int, *, mark: str = "a", attached: bytes = b"") -> bytes:
    """The answer of company `number`, as it comes over the wire."""
    message = EmailMessage()
    message["From"], message["Subject"] = f"privacy@c{number}.example", "Re: your request"
    message["Message-ID"] = f"<answer.{number}.{mark}@c{number}.example>"
    message["In-Reply-To"] = f"<request.{number}@example.org>"
    message.set_content("We have received your request and will answer within one month.\n")
    if attached:
        message.add_attachment(attached, maintype="application", subtype="zip", filename="a.zip")
        message.set_boundary("wall")
    return message.as_bytes().replace(b"\n", b"\r\n")


@dataclass
class Polled:
    """What a command printed and how it ended."""

    out: str
    err: str
    status: int

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def filed(self) -> list[str]:
        """The cases under which something new was filed, sorted."""
        return sorted(str(line["case"]) for line in self.lines if line["case"])


@dataclass
class PolledHome:
    """A home; `accounts` holds the entries of config.yaml as text, by name."""

    home: Path
    lab: MailLab
    user: str
    capsys: pytest.CaptureFixture[str]
    accounts: dict[str, str] = field(default_factory=dict)

    def begin(self, cases: int) -> PolledHome:
        """A person, and open cases T01 and following."""
        self("person", "add", "alex", "--name", "Alex Example", "--email", self.user,
             "--residence", "DE-BE")
        rows = self.home.parent / "cases.yaml"
        rows.write_text(json.dumps([case(n, self.user) for n in range(1, cases + 1)]))
        assert self("case", "import", str(rows)).status == 0
        self.account()
        return self

    def account(self, name: str = "main", *, user: str = "", port: int = 0, more: str = "",
                password: str = "") -> None:
        """Write an account into config.yaml, or another in its place. more: further lines."""
        secret = self.home.parent / f"password-{name}"
        secret.write_text(password or self.lab.password)
        os.chmod(secret, 0o600)
        self.accounts[name] = (
            f"  - name: {name}\n    address: {user or self.user}\n"
            f"    imap: {{host: localhost, port: {port or self.lab.ports.imap}, security: none}}\n"
            f"    sent_copy: none\n"
            + ("" if "secret:" in more else f"    secret: {{file: {secret}}}\n")
            + "".join(f"    {line}\n" for line in more.splitlines()))
        self.write()

    def write(self) -> None:
        """Write config.yaml from `accounts`."""
        (self.home / "config.yaml").write_text("accounts:\n" + "".join(self.accounts.values()))

    def __call__(self, *words: str) -> Polled:
        self.capsys.readouterr()
        status = run(words)
        shown = self.capsys.readouterr()
        return Polled(shown.out, shown.err, status)

    def poll(self, *more: str) -> Polled:
        """`dsar poll --json`; each line keeps its schema."""
        polled = self("poll", "--json", *more)
        for line in polled.lines:
            jsonschema.validate(line, json.loads((SCHEMAS / "poll.json").read_text()))
        return polled

    @property
    def state(self) -> MailState:
        """What is kept of how far was read."""
        return load_state(self.home / "cursors.json")

    def replies(self) -> dict[str, int]:
        """How many replies are filed under each case that has any."""
        counted: dict[str, int] = {}
        for item in json.loads(self("status", "--json").out)["items"]:
            [shown] = json.loads(self("case", "show", item["case"], "--json").out)["items"]
            if n := sum(event["kind"] == "ReplyReceived" for event in shown["events"]):
                counted[item["case"]] = n
        return counted
