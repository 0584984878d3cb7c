"""What is kept beside the ledger for speed says nothing of whoever was forgotten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from keeping_samples import DAY, JO, MAX, files_with, fill, home_at, ledger, open_case

from dsar.config import load_config
from dsar.core.case import NoteAdded
from dsar.home import Home
from dsar.keeping.forget import Company, OlderThan, Person, Wanted, forget, plan_forgetting
from dsar.store import renewal, sidecar
from dsar.store.archive import Archive

OF_JO = ("7K3M-Q2XT", "2F8H-N7CC", "5555-JOJO", "jo.sample")


@pytest.fixture(autouse=True)
def _kept_from_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also: each writer adds a section, and none writes all of it anew."""
    monkeypatch.setattr(renewal, "FEWEST_LINES", 1)
    monkeypatch.setattr(renewal, "SHARE", 0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Glances in three sections; Jo stands in each of them, Max in two."""
    home = fill(home_at(tmp_path / "home"))
    store = ledger(home)
    store.append("7K3M-Q2XT", [NoteAdded(on=DAY, text="x")],
                 after=len(store.events("7K3M-Q2XT")))
    store.close()
    store = ledger(home)
    open_case(store, Archive(home.archive), JO, "echo", "5555-JOJO", group="echoes")
    open_case(store, Archive(home.archive), MAX, "fox", "6666-MAXI")
    store.close()
    sections = _kept(home).read_bytes().split(b"\n")[1::2]
    assert [b'"jo"' in body for body in sections] == [True, True, True]
    assert [b'"max"' in body for body in sections] == [True, False, True]
    return home


def _kept(home: Home) -> Path:
    return home.ledger / sidecar.NAME


def _forget(home: Home, wanted: Wanted) -> None:
    config = load_config(home.config, home.people)
    store, archive = ledger(home), Archive(home.archive)
    going = plan_forgetting(wanted, store, config, own_companies=())
    forget(going, home, store, archive, config, today=DAY, keep_tombstones=False)
    assert not _kept(home).exists(), "not even while the writer is at work"
    store.close()


def _ids(home: Home) -> list[str]:
    store = ledger(home, write=False)
    found = [seen.id for seen in store.glances()]
    store.close()
    return found


def test_of_a_forgotten_person_no_byte_is_left(home: Home) -> None:
    _forget(home, Person("jo"))
    assert files_with(home.ledger, *OF_JO, "bolt", "echo", "Echo", "Jo Sample") == []
    assert b'"jo"' not in _kept(home).read_bytes()
    assert b"6666-MAXI" in _kept(home).read_bytes()
    assert _ids(home) == ["QX41-T0AB", "9MZ2-0000", "6666-MAXI"]


def test_of_a_forgotten_company_no_byte_is_left(home: Home) -> None:
    _forget(home, Company("acme"))
    assert files_with(home.ledger, "7K3M-Q2XT", "QX41-T0AB", "acme", "Acme") == []
    assert _ids(home) == ["2F8H-N7CC", "9MZ2-0000", "5555-JOJO", "6666-MAXI"]


def test_of_forgotten_old_cases_no_byte_is_left(home: Home) -> None:
    _forget(home, OlderThan(date(2026, 1, 6)))
    assert files_with(home.ledger, "2F8H-N7CC", "9MZ2-0000", "bolt", "cord") == []
    assert _ids(home) == ["7K3M-Q2XT", "QX41-T0AB", "5555-JOJO", "6666-MAXI"]


def test_what_a_writer_left_half_written_goes_too(home: Home) -> None:
    half = home.ledger / f"{sidecar.NAME}.new"
    half.write_bytes(_kept(home).read_bytes()[:-20])
    _kept(home).write_bytes(_kept(home).read_bytes()[:-20])
    _forget(home, Person("jo"))
    assert not half.exists()
    assert files_with(home.ledger, *OF_JO) == []
    assert b'"jo"' not in _kept(home).read_bytes()


def test_what_is_added_afterwards_brings_nobody_back(home: Home) -> None:
    _forget(home, Person("jo"))
    store = ledger(home)
    open_case(store, Archive(home.archive), MAX, "golf", "7777-MAXI")
    store.close()
    assert len(_kept(home).read_bytes().split(b"\n")) == 4
    assert files_with(home.ledger, *OF_JO) == []
    assert b'"jo"' not in _kept(home).read_bytes()
