"""A poll of a mailbox without news: one connection, no ledger, and the time is noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers.cutproxy import CutProxy
from servers.maillab import MailLab

from dsar.cli import run

CASE = {
    "id": "T01", "token": "DSAR-43KQ-3M01",
    "data_subject": {"name": "Alex", "mailbox": "alex@example.org"},
    "message_ids": ["<request.1@example.org>"],
    "outgoing_subject": "Access request [DSAR-43KQ-3M01]",
    "company": {"slug": "c1", "name": "Company 1", "email": "privacy@c1.example", "aliases": [],
                "domains": ["c1.example"]},
    "right": "access", "regime": "eu-gdpr", "language": "en", "sent": "2026-11-01",
    "due": "2026-12-01", "due_max": "2027-02-01",
}
REPLY = (b"From: privacy@c1.example\r\nSubject: Re: your request\r\nMessage-ID: <%b@c1.example>\r\n"
         b"In-Reply-To: <request.1@example.org>\r\n\r\nWe have received your request.\r\n")
SCRIPT = ("import sys, json, contextlib, io\nfrom dsar.cli import run\nout = io.StringIO()\n"
          "with contextlib.redirect_stdout(out):\n    run(('poll', '--json'))\n"
          "json.dump([out.getvalue().splitlines(), sorted(sys.modules)], sys.stdout)")
LEDGER = {"dsar.store.tiny", "tinydb"}


class Polled:
    """A home that was polled once, with one reply filed."""

    def __init__(self, home: Path, lab: MailLab, user: str, port: int) -> None:
        self.home, self.lab, self.user = home, lab, user
        self.password = home.parent / "password"
        self.password.write_text(lab.password)
        self.password.chmod(0o600)
        assert run(("person", "add", "alex", "--name", "Alex Example", "--email", user,
                    "--residence", "DE-BE")) == 0
        (home / "config.yaml").write_text(
            f"accounts:\n  - name: main\n    address: {user}\n"
            f"    imap: {{host: localhost, port: {port}, security: none}}\n"
            f"    secret: {{file: {self.password}}}\n    sent_copy: none\n")
        rows = home.parent / "cases.yaml"
        rows.write_text(json.dumps([CASE]))
        assert run(("case", "import", str(rows))) == 0
        lab.put(user, REPLY % b"a1")
        assert len(self.poll()[0]) == 1

    def poll(self) -> tuple[list[str], set[str]]:
        """The lines of one poll as a process, and the modules it loaded."""
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=dict(os.environ), timeout=60,
                              capture_output=True, text=True, check=True)
        lines, modules = json.loads(done.stdout)
        return lines, set(modules)

    def state(self) -> dict[str, Any]:
        """What is kept beside the ledger."""
        found: dict[str, Any] = json.loads((self.home / "cursors.json").read_text())
        return found


@pytest.fixture
def polled(tmp_path: Path, lab: MailLab, user: str, monkeypatch: pytest.MonkeyPatch) -> Polled:
    home = tmp_path / "home"
    monkeypatch.setenv("DSAR_HOME", str(home))
    return Polled(home, lab, user, lab.ports.imap)


def test_where_nothing_is_new_neither_ledger_nor_reading_is_loaded(polled: Polled) -> None:
    beat = json.loads((polled.home / "heartbeat.json").read_text())["last_ok"]
    cursors = polled.state()["cursors"]
    lines, modules = polled.poll()
    assert lines == []
    assert not modules & (LEDGER | {"imapclient", "filelock", "dsar.reading", "jinja2", "email"})
    assert json.loads((polled.home / "heartbeat.json").read_text())["last_ok"] > beat
    assert polled.state()["cursors"] == cursors
    assert set(polled.lab.flags(polled.user)) == {"new"}


def test_new_mail_is_filed_after_any_number_of_quiet_polls(polled: Polled) -> None:
    assert polled.poll()[0] == polled.poll()[0] == []
    polled.lab.put(polled.user, REPLY % b"a2")
    assert [json.loads(line)["case"] for line in polled.poll()[0]] == ["T01"]
    lines, modules = polled.poll()
    assert lines == []
    assert not modules & LEDGER


def test_a_ledger_that_has_changed_is_looked_at(polled: Polled) -> None:
    assert run(("case", "note", "T01", "They called.")) == 0
    assert polled.poll()[1] >= LEDGER
    assert not polled.poll()[1] & LEDGER


@pytest.mark.parametrize("changed", [
    {"cursors": {"main/INBOX": [1, 5]}},
    {"cursors": {}},
    {"cursors": {"main/Gone": [1, 5]}},
    {"troubles": [{"account": "main", "mailbox": "INBOX", "uidvalidity": 1, "uid": 1,
                   "why": "", "attempts": 5, "since": "2026-11-01T00:00:00+00:00",
                   "next_at": None, "received": None}]},
], ids=["made-anew", "never-read", "gone", "trouble"])
def test_what_is_open_in_a_mailbox_is_for_the_whole_poll(
    polled: Polled, changed: dict[str, Any]
) -> None:
    state = polled.state()
    if "main/Gone" in changed.get("cursors", {}):
        changed = {"cursors": changed["cursors"] | state["cursors"]}
    (polled.home / "cursors.json").write_text(json.dumps(state | changed))
    lines, modules = polled.poll()
    assert modules >= LEDGER
    assert [json.loads(line)["problem"]["mailbox"] for line in lines] == (
        ["Gone"] if "main/Gone" in changed.get("cursors", {}) else [])


def test_a_password_that_is_refused_is_tried_once(
    polled: Polled, cut_proxy: Callable[..., CutProxy]
) -> None:
    proxy = cut_proxy(polled.lab.ports.imap)
    config = polled.home / "config.yaml"
    config.write_text(config.read_text().replace(
        f"port: {polled.lab.ports.imap}", f"port: {proxy.port}"))
    polled.password.write_text("wrong")
    assert run(("poll", "--json")) == 4
    assert proxy.connections == 1
    assert polled.state()["last_poll"]["result"] == "failed"
