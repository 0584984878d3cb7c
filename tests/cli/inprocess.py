"""The command line called inside the test process, and a home with several invented cases."""

from __future__ import annotations

import io
import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from command import Result

from dsar import yamlfile
from dsar.cli import run

TODAY = "2026-11-24"
ALEX = ("alex", "--name", "Alex Example", "--email", "alex@example.org", "--residence", "DE-BE",
        "--language", "en", "--address", "Musterweg 1", "--address", "10115 Berlin")


class Here:
    """Runs commands in this process with a home of its own; no network, a fixed date."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch,
                 capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self._patch, self._capsys = home, monkeypatch, capsys
        monkeypatch.setenv("DSAR_HOME", str(home))
        monkeypatch.setenv("DSAR_TODAY", TODAY)
        monkeypatch.setenv("NO_COLOR", "1")

    def __call__(self, *arguments: str, status: int | None = 0, given: str = "",
                 today: str | None = TODAY) -> Result:
        """Run one command; `status` is the exit status expected, None for any."""
        if today is None:
            self._patch.delenv("DSAR_TODAY", raising=False)
        else:
            self._patch.setenv("DSAR_TODAY", today)
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        self._capsys.readouterr()
        ended = run(arguments)
        shown = self._capsys.readouterr()
        result = Result(shown.out, shown.err, ended)
        if status is not None:
            assert ended == status, f"{arguments}: {result}"
        return result

    def items(self, *arguments: str, **more: Any) -> list[Any]:
        """The items of a command's JSON."""
        found: list[Any] = self(*arguments, "--json", **more).json["items"]
        return found


def case_row(number: int, **changed: Any) -> dict[str, Any]:
    """One row of the import form: invented person, invented company."""
    name = changed.pop("name", f"Company {number}")
    domain = f"c{number}.example"
    return {
        "id": f"T{number:02}", "token": f"DSAR-43KQ-3M{number:02}",
        "data_subject": {"name": "Alex", "mailbox": "alex@example.org",
                         "plus_address": f"alex+dsar-43kq3m{number:02}@example.org"},
        "message_ids": [f"<request.{number}@example.org>"],
        "outgoing_subject": f"Access request [DSAR-43KQ-3M{number:02}]",
        "company": {"slug": f"c{number}", "name": name, "email": f"privacy@{domain}",
                    "aliases": [], "domains": [domain]},
        "right": "access", "regime": "eu-gdpr", "language": "en",
        "sent": "2026-11-01", "due": "2026-12-01", "due_max": "2027-02-01",
    } | changed


def write_cases(path: Path, *rows: dict[str, Any]) -> Path:
    """Write rows as YAML and return the path."""
    path.write_text(yamlfile.dump(list(rows)))
    return path


def reply(number: int, text: str, *, sender: str = "", thread: bool = True,
          subject: str = "") -> bytes:
    """A message that answers request `number`, or (thread=False) names no case."""
    message = EmailMessage()
    message["From"] = sender or f"privacy@c{number}.example"
    message["To"] = f"alex+dsar-43kq3m{number:02}@example.org" if thread else "alex@example.org"
    message["Subject"] = subject or (
        f"Re: Access request [DSAR-43KQ-3M{number:02}]" if thread else "Your letter")
    message["Message-ID"] = f"<answer.{number}.{len(text)}@c{number}.example>"
    message["Date"] = "Fri, 20 Nov 2026 10:00:00 +0000"
    if thread:
        message["In-Reply-To"] = f"<request.{number}@example.org>"
    message.set_content(text)
    return message.as_bytes()


ACCOUNT = """
accounts:
  - name: main
    address: alex@example.org
    smtp: {host: 127.0.0.1, port: 9, security: none}
    auth: none
    maildir: mail
    sent_copy: none
    limits: off
"""


def fill(here: Here, folder: Path) -> None:
    """A person, an account on this machine, and cases that stand differently.

    Company c4 has two cases, T04 and T07; the stray message answers one of them, unnamed.
    """
    here("person", "add", *ALEX, "--identifier", "phone=+49 30 5550100")
    (here.home / "config.yaml").write_text(ACCOUNT)
    for part in ("cur", "new", "tmp"):
        (here.home / "mail" / part).mkdir(parents=True)
    here("case", "import", str(write_cases(
        folder / "cases.yaml", *(case_row(n) for n in range(1, 6)),
        case_row(6, sent="2026-08-03", due="2026-09-03"),
        case_row(7, right="erasure", company=case_row(4)["company"]))))
    texts = {1: "We have received your request and will reply within one month.",
             2: "Please send us a copy of your identity card so that we can verify who you are.",
             3: "We hold no personal data about you."}
    for number, text in texts.items():
        (folder / f"answer{number}.eml").write_bytes(reply(number, text))
    (folder / "stray.eml").write_bytes(reply(
        4, "We have received your request concerning personal data.", thread=False))
    here("inbox", "read", *map(str, sorted(folder.glob("*.eml"))))
    here("case", "close", "T05", "--outcome", "withdrawn")


def lines_of(text: str) -> list[Any]:
    """JSON Lines as values."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
