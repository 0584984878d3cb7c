"""Fixtures of the command line: an empty home, a person, an account on the mail lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options, write_companies
from inprocess import Here
from servers.maillab import MailLab
from servers.postgres import PostgresServer


@pytest.fixture
def dsar(tmp_path: Path) -> Dsar:
    """The command with an empty home."""
    return Dsar(tmp_path / "home")


@pytest.fixture
def alex(dsar: Dsar) -> Dsar:
    """A home with one person and no account."""
    dsar("person", "add", "alex", "--email", "alex@example.org", *ALEX)
    return dsar


@pytest.fixture
def on_lab(dsar: Dsar, lab: MailLab, user: str, tmp_path: Path) -> Dsar:
    """A home set up by `dsar init` with an account on the real servers."""
    dsar("init", "--no-input", "--email", user, *ALEX, *lab_options(lab, tmp_path))
    return dsar


ACCOUNT = """
accounts:
  - name: main
    address: group@rights.example
    smtp: {host: 127.0.0.1, port: 9, security: none}
    auth: none
    maildir: mail
    sent_copy: none
    limits: off
"""
MEMBERS = """name,email,residence,consent,analysis
Jane Roe,jane@roe.example,DE,yes,no
Bob Poe,bob@poe.example,DE,yes,yes
"""


@pytest.fixture(params=["file", "postgres"])
def group(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
          capsys: pytest.CaptureFixture[str]) -> Here:
    """The home of a group, nobody in people.yaml; beside it a table of two members."""
    found = Here(tmp_path / "home", monkeypatch, capsys)
    write_companies(found.home, {"alpha": "dpo@alpha.example", "beta": "dpo@beta.example"})
    store = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        store = f"store: {server.new_ledger()}\narchive: store\n"
    (found.home / "config.yaml").write_text(store + ACCOUNT)
    for part in ("cur", "new", "tmp"):
        (found.home / "mail" / part).mkdir(parents=True)
    for path in (found.home, *found.home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    (tmp_path / "consent.txt").write_text("I agree.\n")
    (tmp_path / "members.csv").write_text(MEMBERS)
    return found
