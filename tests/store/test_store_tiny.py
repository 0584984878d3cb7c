"""The ledger on disk: what damage is found, what tears are mended, what is left behind."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import DAY, NOON, note, opened
from tinydb import where

from dsar.core.house import STREAM, MessageAssigned
from dsar.errors import LedgerDamaged, StorageFailed, UsageProblem
from dsar.store import open_store
from dsar.store.codec import encode
from dsar.store.lines import body_of, line_of
from dsar.store.tiny import TinyStore


def _open(folder: Path, *, write: bool = True) -> TinyStore:
    return TinyStore(folder, write=write, now=lambda: NOON, author="jo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three cases in four lines."""
    store = _open(tmp_path)
    store.append("acme", [opened("acme")], after=0)
    store.append("bolt", [opened("bolt"), note("bolt only")], after=0)
    store.append("acme", [note("second")], after=1)
    store.append("cord", [opened("cord")], after=0)
    store.close()
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Path:
    return folder / "ledger.jsonl"


@pytest.fixture
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def _versions(folder: Path, *, write: bool) -> dict[str, int]:
    store = _open(folder, write=write)
    found = {case.id: case.version for case in store.cases()}
    store.close()
    return found


def test_each_line_is_json_with_stream_number_time_and_author(ledger: Path) -> None:
    lines = [json.loads(line) for line in ledger.read_text("ascii").splitlines()]
    assert [(e["stream"], e["first"], e["count"]) for e in lines] == [
        ("acme", 1, 1), ("bolt", 1, 2), ("acme", 2, 1), ("cord", 1, 1)]
    assert {(e["at"], e["by"]) for e in lines} == {("2026-01-05T12:00:00+00:00", "jo")}
    assert lines[2]["events"] == [{"kind": "NoteAdded", "on": "2026-01-05", "text": "second"}]


def test_cut_off_anywhere_only_the_broken_line_is_dropped(
    folder: Path, ledger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = ledger.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[1], len(whole)):
        ledger.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends)
        assert len(_open(folder, write=False)._db) == kept
        assert len(ledger.read_bytes()) == cut, "a reader changes nothing"
        caplog.clear()
        store = _open(folder)
        if cut + 1 in ends:  # the line is whole, only its line break is missing
            assert (len(store._db), store.dropped) == (kept + 1, 0)
        else:
            assert (len(store._db), store.dropped) == (kept, cut - max(e for e in ends if e <= cut))
            assert bool(caplog.records) == (cut not in ends)
        store.append("dune", [opened("dune")], after=0)
        store.close()
        assert "dune" in _versions(folder, write=False)


def test_a_changed_byte_is_found_wherever_it_is(folder: Path, ledger: Path) -> None:
    whole = ledger.read_bytes()
    for place in range(len(whole) - 1):
        number = whole[:place].count(b"\n") + 1
        ledger.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        with pytest.raises(LedgerDamaged, match=f"ledger.jsonl:{number}: "):
            _open(folder, write=False)


@pytest.mark.parametrize("lines", [[0, 2, 3], [0, 1, 3], [1, 2, 3], [0, 2, 1, 3], [0, 1, 1, 2, 3]])
def test_a_lost_doubled_or_moved_line_is_found(
    folder: Path, ledger: Path, lines: list[int]
) -> None:
    whole = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(whole[i] for i in lines))
    for write in (True, False):
        with pytest.raises(LedgerDamaged, match=r"ledger.jsonl:[1-4]: "):
            _open(folder, write=write)
    _restore_and_write(folder, ledger, b"".join(whole))


def _restore_and_write(folder: Path, ledger: Path, data: bytes) -> None:
    """The lock of the failed attempt is free again."""
    ledger.write_bytes(data)
    _open(folder).close()


@pytest.mark.parametrize("change", [
    {"events": [{"kind": "LetterDreamt", "on": "2026-01-05"}]},
    {"events": [{"kind": "CaseOpened", "on": "2026-01-05"}]},
])
def test_an_event_nobody_can_read_names_its_line(
    folder: Path, ledger: Path, change: dict[str, object]
) -> None:
    document = {"stream": "dune", "first": 1, "at": NOON.isoformat(), "by": "jo", **change}
    crc = int(json.loads(ledger.read_bytes().splitlines()[-1])["crc"], 16)
    with ledger.open("ab") as file:
        file.write(line_of(body_of(document), crc)[0] + b"\n")
    store = _open(folder, write=False)
    assert store.case("acme").version == 2
    with pytest.raises(LedgerDamaged, match=r"ledger\.jsonl:5: "):
        list(store.cases())


def test_a_write_that_fails_is_taken_back(
    folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ledger.read_bytes()
    store = _open(folder)

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        patch.setattr(os, "ftruncate", broken_truncate)
        with pytest.raises(StorageFailed, match="Input/output error"):
            store.append("acme", [note("lost")], after=2)
        with pytest.raises(StorageFailed):
            store.append("acme", [note("lost")], after=2)
    assert store.case("acme").version == 2
    store.append("acme", [note("third")], after=2)
    store.close()
    assert ledger.read_bytes().startswith(before)
    assert ledger.read_bytes().count(b"\n") == 5
    assert b"lost" not in ledger.read_bytes()
    assert _versions(folder, write=True)["acme"] == 3


def test_a_line_that_did_not_reach_the_disk_is_not_shown_to_readers(
    folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, calls = ledger.read_bytes(), []
    store = _open(folder)

    def broken_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken_once)
        with pytest.raises(StorageFailed):
            store.append("acme", [note("lost")], after=2)
    assert ledger.read_bytes() == before
    store.close()


@pytest.mark.parametrize("first", [2, 4])
def test_a_gap_in_the_numbers_of_a_case_is_found(folder: Path, ledger: Path, first: int) -> None:
    document = {"stream": "acme", "first": first, "at": NOON.isoformat(), "by": "jo",
                "events": [encode(note("x"))]}
    crc = int(json.loads(ledger.read_bytes().splitlines()[-1])["crc"], 16)
    with ledger.open("ab") as file:
        file.write(line_of(body_of(document), crc)[0] + b"\n")
    with pytest.raises(LedgerDamaged, match=rf"ledger\.jsonl:5: event {first}"):
        _open(folder, write=False)


def broken_truncate(descriptor: int, length: int) -> None:
    raise OSError(5, "Input/output error")


def test_a_ledger_changed_by_something_else_is_not_written_to(folder: Path, ledger: Path) -> None:
    store = _open(folder)
    with ledger.open("ab") as file:
        file.write(b"by hand\n")
    with pytest.raises(StorageFailed, match="changed by something else"):
        store.append("acme", [note("x")], after=2)
    assert ledger.read_bytes().endswith(b"by hand\n")
    store.close()


def test_a_store_open_for_reading_is_not_written_to(folder: Path) -> None:
    store = _open(folder, write=False)
    with pytest.raises(StorageFailed, match="not open for writing"):
        store.append("acme", [note("x")], after=2)
    with pytest.raises(StorageFailed, match="not open for writing"):
        store.erase("acme")


def test_reading_creates_nothing(tmp_path: Path) -> None:
    store = _open(tmp_path / "home", write=False)
    assert list(store.cases()) == []
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("any_umask", [0o000, 0o022, 0o777], indirect=True)
@pytest.mark.usefixtures("any_umask")
def test_files_are_0600_and_folders_0700_whatever_the_umask(tmp_path: Path) -> None:
    store = _open(tmp_path / "a" / "b")
    for name in ("acme", "bolt"):
        store.append(name, [opened(name)], after=0)
    store.erase("bolt")
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "a").rglob("*")}
    assert {mode for p, mode in modes.items() if p.is_file()} == {0o600}
    assert {mode for p, mode in modes.items() if p.is_dir()} == {0o700}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    store.close()


def test_no_byte_of_an_erased_case_remains(folder: Path) -> None:
    store = _open(folder)
    store.append(STREAM, [MessageAssigned(on=DAY, digest="d", case_id="bolt")], after=0)
    kept = [line for line in _bodies(folder) if b"bolt" not in line]
    store.erase("bolt")
    store.append("acme", [note("third")], after=2)
    store.close()
    for path in folder.rglob("*"):
        assert b"bolt" not in path.read_bytes()
    assert {p.name for p in folder.iterdir()} <= {"ledger.jsonl", "ledger.lock"}
    assert _bodies(folder)[:3] == kept
    assert _versions(folder, write=True) == {"acme": 3, "cord": 1}


def _bodies(folder: Path) -> list[bytes]:
    return [line[18:] for line in (folder / "ledger.jsonl").read_bytes().splitlines()]


def test_the_copy_of_a_broken_off_erasure_does_not_stay(folder: Path) -> None:
    (folder / "ledger.jsonl.new").write_bytes(b"half a copy")
    _open(folder).close()
    assert not (folder / "ledger.jsonl.new").exists()


def test_an_erasure_that_fails_changes_nothing(
    folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ledger.read_bytes()
    store = _open(folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFailed, match="No space left"):
            store.erase("bolt")
    assert ledger.read_bytes() == before
    assert not (folder / "ledger.jsonl.new").exists()
    store.append("acme", [note("third")], after=2)
    store.erase("bolt")
    store.close()
    assert _versions(folder, write=True) == {"acme": 3, "cord": 1}


def test_tinydb_queries_work_over_the_lines(folder: Path) -> None:
    store = _open(folder)
    table = store._db.table("events")
    assert [d["first"] for d in table.search(where("stream") == "acme")] == [1, 2]
    second = table.get(doc_id=2)
    assert second is not None
    assert second["stream"] == "bolt"
    assert table.contains(where("by") == "jo")
    assert not table.contains(doc_id=9)
    assert len(store._db) == 4
    store.append("acme", [note("third")], after=2)
    assert table.count(where("stream") == "acme") == 3
    with pytest.raises(TypeError, match="append-only"):
        table.update({"by": "someone"}, where("stream") == "acme")
    with pytest.raises(TypeError, match="append-only"):
        table.remove(where("stream") == "acme")
    store.close()


def test_tinydbs_storage_writes_a_whole_state(folder: Path, ledger: Path) -> None:
    store = _open(folder)
    before = ledger.read_bytes()
    state = store._db.storage.read()
    assert state is not None
    store._db.storage.write(state)
    assert ledger.read_bytes() == before
    store.close()


def test_a_store_is_opened_by_its_url(tmp_path: Path) -> None:
    store = open_store(f"tinydb:{tmp_path}", write=True)
    store.append("acme", [opened("acme")], after=0)
    [kept] = store.events("acme")
    assert kept.recorded_at.utcoffset() is not None
    assert kept.author == "dsar"
    store.close()
    open_store("memory:", write=True).append("acme", [opened("acme")], after=0)
    with pytest.raises(UsageProblem, match="carrier-pigeon"):
        open_store("carrier-pigeon:x", write=True)


def test_a_clock_without_time_zone_is_refused(tmp_path: Path) -> None:
    store = TinyStore(tmp_path, write=True, now=lambda: NOON.replace(tzinfo=None), author="jo")
    with pytest.raises(ValueError, match="time zone"):
        store.append("acme", [opened("acme")], after=0)
    store.close()


def test_what_is_dropped_is_told_without_what_it_said(
    folder: Path, ledger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.open("ab") as file:
        file.write(b'{"crc":"00000000","stream":"secret')
    with caplog.at_level(logging.WARNING):
        _open(folder).close()
    assert "34 bytes" in caplog.text
    assert "secret" not in caplog.text
