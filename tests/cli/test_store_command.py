"""`dsar store`: into PostgreSQL and back, as a person does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from inprocess import Here, fill
from servers.postgres import OWNER, WORKER, PostgresServer


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    return found


def _use(here: Here, url: str) -> None:
    config = here.home / "config.yaml"
    rest = re.sub(r"(?m)^store:.*\n", "", config.read_text() if config.exists() else "")
    config.write_text(f"store: {url}\n{rest}")


def test_a_ledger_moves_into_postgres_and_back(
    here: Here, postgres: PostgresServer, tmp_path: Path
) -> None:
    name = postgres.new_database()
    owner, url = postgres.url(name, OWNER), postgres.url(name)
    before = here("status", "--json").out.partition('"items"')[2]
    here("store", "copy", "tinydb:", url, status=6)
    assert "0001_ledger.sql" in here("store", "migrate", owner, "--role", WORKER).out
    assert here("store", "migrate", owner).out == "Nothing to do.\n"
    shown = here("store", "copy", "tinydb:", url)
    assert re.match(r"\d+ events of \d+ streams copied and compared; no mail", shown.out)
    here("store", "copy", "tinydb:", url, status=2)
    _use(here, url)
    assert here("status", "--json").out.partition('"items"')[2] == before
    assert "projection: as the events say" in here("doctor", status=None).out
    assert here("store", "check", "--json").out.count('"items": []') == 1
    postgres.sql("DELETE FROM dsar.glances", name)
    assert ": missing" in here("store", "check", status=3).out
    assert re.match(r"[1-9]\d* cases computed anew", here("store", "rebuild").out)
    here("store", "check")
    back = tmp_path / "back"
    (item,) = here.items("store", "copy", url, f"tinydb:{back}", "--json")
    assert item["events"] > item["streams"] > 0
    _use(here, f"tinydb:{back}")
    assert here("status", "--json").out.partition('"items"')[2] == before


def test_what_cannot_be_copied_is_said(here: Here, postgres: PostgresServer) -> None:
    here("store", "copy", "tinydb:", "tinydb:", status=2)
    here("store", "migrate", "tinydb:", status=2)
    here("store", "rebuild", status=2)
    refused = here("store", "migrate", "postgresql://jo:s3cret@db.example/x", status=2)
    assert "s3cret" not in refused.out + refused.err
    gone = here("store", "copy", "tinydb:", "postgresql://jo@127.0.0.1:1/x", status=5)
    assert "jo@127.0.0.1:1/x" in gone.err
