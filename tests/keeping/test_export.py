"""The person gets all of it, exactly as it is kept, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from keeping_samples import JO, NOON, contents, fill, home_at, ledger, open_case

from dsar.core.subject import DataSubject
from dsar.errors import UsageProblem
from dsar.home import Home
from dsar.keeping.export import Exported, export
from dsar.keeping.sinks import sink_for
from dsar.store.archive import Archive
from dsar.store.codec import decode


def _export(home: Home, target: Path, person: DataSubject | None = JO, who: str = "jo") -> Exported:
    store = ledger(home, write=False)
    with sink_for(target, NOON) as sink:
        return export(who, person, store, Archive(home.archive), sink, now=NOON)


def test_every_event_and_every_mail_is_there_as_it_is_kept(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    done = _export(home, tmp_path / "out")
    store, archive = ledger(home, write=False), Archive(home.archive)
    for case_id in ("7K3M-Q2XT", "2F8H-N7CC"):
        told = json.loads((tmp_path / f"out/cases/{case_id}/case.json").read_text())
        events = [decode({k: v for k, v in e.items()
                          if k not in ("sequence", "recorded_at", "author")})
                  for e in told["events"]]
        assert events == [kept.event for kept in store.events(case_id)]
        assert [m["kind"] for m in told["mail"]] == ["request-sent", "reply"]
        for mail in told["mail"]:
            assert (tmp_path / "out" / mail["file"]).read_bytes() == archive.read(mail["sha256"])
        assert "reply from privacy@" in (tmp_path / f"out/cases/{case_id}/case.txt").read_text()
    assert (done.cases, done.mails, done.missing) == (2, 5, [])


def test_nothing_of_anybody_else_is_in_it(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _export(home, tmp_path / "out")
    every = b"".join(contents(tmp_path / "out").values())
    assert b"9MZ2-0000" not in every
    assert b"@cord" not in every
    assert b"QX41-T0AB" not in every
    assert b"Max" not in every
    waiting = json.loads((tmp_path / "out/waiting/waiting.json").read_text())
    assert [m["candidates"] for m in waiting] == [["7K3M-Q2XT", "2F8H-N7CC"]]
    assert "1 messages wait" in (tmp_path / "out/index.txt").read_text()


def test_what_was_told_to_whom_is_a_table_with_values(tmp_path: Path) -> None:
    _export(fill(home_at(tmp_path / "home")), tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/told.csv").read_text("utf-8-sig"))))
    assert {(r["company"], r["kind"], r["value"], r["sent"]) for r in rows} == {
        ("acme", "name", "Jo Sample", "yes"), ("bolt", "name", "Jo Sample", "yes"),
        ("acme", "address", "Samplegasse 7, 10115 Berlin", "yes"),
        ("bolt", "address", "Samplegasse 7, 10115 Berlin", "yes")}
    assert {r["on"] for r in rows} == {"2026-01-05", "2025-01-10"}


def test_a_value_that_has_changed_since_is_not_put_into_the_mouth_of_the_letter(
    tmp_path: Path
) -> None:
    moved = replace(JO, address=("Elsewhere 1", "Bonn"))
    _export(fill(home_at(tmp_path / "home")), tmp_path / "out", person=moved)
    told = json.loads((tmp_path / "out/told.json").read_text())
    assert {t["value"] for t in told if t["kind"] == "address"} == {None}
    assert "(see the letter)" in (tmp_path / "out/told.csv").read_text("utf-8-sig")


def test_the_index_names_every_file_with_its_digest(tmp_path: Path) -> None:
    _export(fill(home_at(tmp_path / "home")), tmp_path / "out")
    index = json.loads((tmp_path / "out/index.json").read_text())
    found = contents(tmp_path / "out")
    listed = {f["file"]: f["sha256"] for f in index["files"]}
    assert listed.keys() == found.keys() - {"index.json", "index.txt"}
    assert all(sha256(found[name]).hexdigest() == digest for name, digest in listed.items())
    text = (tmp_path / "out/index.txt").read_text()
    assert all(name in text for name in listed)


def test_a_zip_holds_the_same_and_is_private(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    before = os.umask(0)
    try:
        _export(home, tmp_path / "out")
        _export(home, tmp_path / "out.zip")
    finally:
        os.umask(before)
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert packed.testzip() is None
        assert {n: packed.read(n) for n in packed.namelist()} == contents(tmp_path / "out")
        assert {i.external_attr >> 16 & 0o777 for i in packed.infolist()} == {0o600}
    assert stat.S_IMODE((tmp_path / "out.zip").stat().st_mode) == 0o600
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_missing_and_damaged_mail_is_named_and_stops_nothing(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    digests = [k.event.digest for k in ledger(home, write=False).events("7K3M-Q2XT")  # type: ignore[union-attr]
               if hasattr(k.event, "digest")]
    Archive(home.archive).delete(digests[0])
    (home.archive / digests[1][:2] / digests[1][2:]).write_bytes(b"other")
    done = _export(home, tmp_path / "out")
    assert done.missing == digests[:2]
    assert done.mails == 3
    assert digests[0] in (tmp_path / "out/index.txt").read_text()


def _break_off(target: Path) -> None:
    with sink_for(target, NOON) as sink:
        sink.add("a", [b"x"])
        raise ZeroDivisionError


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_is_there_is_not_overwritten_and_a_failure_leaves_nothing(
    tmp_path: Path, name: str
) -> None:
    home = fill(home_at(tmp_path / "home"))
    with pytest.raises(ZeroDivisionError):
        _break_off(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]
    _export(home, tmp_path / name)
    with pytest.raises(UsageProblem, match="exists already"):
        _export(home, tmp_path / name)


def test_odd_case_ids_become_names_that_stay_inside(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    store = ledger(home)
    for case_id in ("../../x", "a/b", "A_b", "..", "ü"):
        open_case(store, Archive(home.archive), JO, "acme", case_id)
    store.close()
    _export(home, tmp_path / "deep/er/out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "home"]
    folders = {p.name.lower() for p in (tmp_path / "deep/er/out/cases").iterdir()}
    assert len(folders) == 7


def test_a_table_starts_no_formula(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    odd = replace(JO, name="=cmd|x")
    store = ledger(home)
    open_case(store, Archive(home.archive), odd, "dent", "DENT-0001")
    store.close()
    _export(home, tmp_path / "out", person=odd)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/told.csv").read_text("utf-8-sig"))))
    assert [r["value"] for r in rows if r["company"] == "dent" and r["kind"] == "name"] == [
        "'=cmd|x"]


def test_somebody_without_an_entry_still_gets_their_cases(tmp_path: Path) -> None:
    done = _export(fill(home_at(tmp_path / "home")), tmp_path / "out", person=None)
    assert done.cases == 2
    assert not (tmp_path / "out/person.json").exists()
