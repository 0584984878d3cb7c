"""The connection breaks after every so many bytes: each reply is filed once, and none is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from figures import Figures
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

from dsar.cli import run

REPLIES, OTHERS = 6, 4
CUTS = (0, 40, 200, 400, 600, 700, 800, 900, 1000, 1100, 1200, *range(1300, 9300, 500))


def _case(number: int, mailbox: str) -> dict[str, object]:
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


def _reply(number: int) -> bytes:
    return (f"From: privacy@c{number}.example\r\nSubject: Re: your request\r\n"
            f"Message-ID: <answer.{number}@c{number}.example>\r\n"
            f"In-Reply-To: <request.{number}@example.org>\r\n\r\n"
            "We have received your request and will answer within one month.\r\n" * 3).encode()


@pytest.fixture
def home(tmp_path: Path, lab: MailLab, user: str, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """A home with open cases, and a mailbox with their replies among other mail."""
    folder = tmp_path / "home"
    monkeypatch.setenv("DSAR_HOME", str(folder))
    assert run(("person", "add", "alex", "--name", "Alex Example", "--email", user,
                "--residence", "DE-BE")) == 0
    rows = tmp_path / "cases.yaml"
    rows.write_text(json.dumps([_case(n, user) for n in range(1, REPLIES + 1)]))
    assert run(("case", "import", str(rows))) == 0
    for number in range(1, REPLIES + 1):
        lab.put(user, _reply(number))
    for number in range(OTHERS):
        lab.put(user, b"From: news@shop.example\r\nSubject: %d\r\n\r\nOffer.\r\n" % number)
    capsys.readouterr()
    yield folder
    assert set(lab.flags(user)) == {"new"}


def _poll(home: Path, user: str, port: int, password: Path, capsys: pytest.CaptureFixture[str]
          ) -> list[str]:
    (home / "config.yaml").write_text(f"""
accounts:
  - name: main
    address: {user}
    imap: {{host: localhost, port: {port}, security: none}}
    smtp: {{host: localhost, port: 9, security: none}}
    secret: {{file: {password}}}
    sent_copy: none
""")
    run(("poll", "--json"))
    listed = map(json.loads, capsys.readouterr().out.splitlines())
    return [str(line["case"]) for line in listed if not line.keys() & {"trouble", "problem"}]


def test_a_wire_cut_anywhere_costs_no_reply_and_files_none_twice(
    home: Path, lab: MailLab, user: str, tmp_path: Path, cut_proxy: Callable[..., CutProxy],
    capsys: pytest.CaptureFixture[str], figures_shown: Figures
) -> None:
    password = tmp_path / "password"
    password.write_text(lab.password)
    os.chmod(password, 0o600)
    broken = Counter[str]()
    expected = {f"T{n:02}": 1 for n in range(1, REPLIES + 1)}
    fresh = tmp_path / "fresh"
    shutil.copytree(home, fresh)
    for after in CUTS:
        for times in (1, 4):
            shutil.rmtree(home)
            shutil.copytree(fresh, home)
            cuts = [Cut(after=after)] * times
            first = _poll(home, user, cut_proxy(lab.ports.imap, *cuts).port, password, capsys)
            path = home / "cursors.json"
            content = json.loads(path.read_text())
            for row in content["troubles"]:
                row["next_at"] = "2026-01-01T00:00:00+00:00"
            path.write_text(json.dumps(content))
            second = _poll(home, user, lab.ports.imap, password, capsys)
            assert Counter(first + second) == expected, (after, times, first, second)
            third = _poll(home, user, lab.ports.imap, password, capsys)
            assert third == [], (after, times)
            broken["at once" if len(first) == REPLIES else "by the next poll"] += 1
    figures_shown.append(f"wire cut at {len(CUTS)} places, once and four times: every reply filed "
                         + ", ".join(f"{n} times {how}" for how, n in broken.items()))
    assert len(broken) == 2
