"""Lines that were added together stay together: all of them are in the ledger, or none."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import NOON, joined, note, opened

from dsar.errors import LedgerDamaged, StorageFailed
from dsar.keeping.atrest import Key
from dsar.keeping.contents import whole_lines
from dsar.store import Addition
from dsar.store.lines import body_of, line_of
from dsar.store.tiny import TinyStore

WORKER = Path(__file__).with_name("store_worker.py")
ROOT = Path(__file__).resolve().parents[2]
NAMES = ("acme", "bolt", 'c"\u2028\\d', "dune")
batches = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
                   min_size=1, max_size=5)


def _open(folder: Path, *, write: bool = True, sealer: Key | None = None) -> TinyStore:
    return TinyStore(folder, write=write, now=lambda: NOON, author="jo", sealer=sealer)


def _add(store: TinyStore, names: Sequence[str], text: str = "x") -> None:
    """Add one event to each of the streams as a batch."""
    have = {name: len(store.events(name)) for name in names}
    store.append_all(
        [Addition(stream=n, events=[note(text) if have[n] else opened(n)], after=have[n])
         for n in names])


def _counts(folder: Path, *, write: bool) -> dict[str, int]:
    store = _open(folder, write=write)
    found = {stream: len(events) for stream, events in store.history()}
    store.close()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two batches of three lines."""
    store = _open(tmp_path)
    _add(store, ("acme", "bolt", "cord"))
    _add(store, ("cord", "dune", "acme"))
    store.close()
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Path:
    return folder / "ledger.jsonl"


def test_each_line_of_a_batch_says_how_many_follow_and_others_say_nothing(tmp_path: Path) -> None:
    store = _open(tmp_path)
    store.append("acme", [opened("acme")], after=0)
    _add(store, ("bolt", "acme", "cord"))
    _add(store, ("dune",))
    store.close()
    raw = (tmp_path / "ledger.jsonl").read_bytes().splitlines()
    assert [json.loads(line).get("more") for line in raw] == [None, 2, 1, None, None]
    assert [line.count(b'"count":1,"more":') for line in raw] == [0, 1, 1, 0, 0]


def test_a_batch_is_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, synced, real = _open(tmp_path), list[int](), os.fdatasync

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    _add(store, [f"case-{n}" for n in range(500)])
    assert len(synced) == 1
    assert sum(1 for _ in store.cases()) == 500
    store.close()


def test_a_batch_does_not_write_again_what_was_there(folder: Path, ledger: Path) -> None:
    before, node = ledger.read_bytes(), ledger.stat().st_ino
    store = _open(folder)
    _add(store, ("acme", "bolt"))
    store.close()
    assert ledger.read_bytes().startswith(before)
    assert ledger.stat().st_ino == node


@settings(max_examples=40, deadline=None)
@given(shape=batches, cut=st.floats(0, 1, exclude_max=True), write=st.booleans())
def test_cut_off_anywhere_in_it_the_last_batch_is_whole_or_not_there(
    shape: list[list[str]], cut: float, write: bool
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, ledger = Path(place), Path(place, "ledger.jsonl")
        store = _open(folder)
        for names in shape[:-1]:
            _add(store, names)
        begin, before = store._storage.journal.size, dict(_lengths(store))
        _add(store, shape[-1], "the last words")
        after = dict(_lengths(store))
        store.close()
        whole = ledger.read_bytes()
        _check_cut(folder, whole, begin + int(cut * (len(whole) - begin)), begin,
                   before, after, write=write)


def _lengths(store: TinyStore) -> list[tuple[str, int]]:
    return [(stream, len(events)) for stream, events in store.history()]


def _check_cut(
    folder: Path, whole: bytes, cut: int, begin: int, before: dict[str, int],
    after: dict[str, int], *, write: bool,
) -> None:
    ledger = folder / "ledger.jsonl"
    ledger.write_bytes(whole[:cut])
    kept = write and cut == len(whole) - 1  # only the line break is missing
    assert _counts(folder, write=write) == (after if kept else before)
    if not write:
        assert ledger.read_bytes() == whole[:cut], "a reader changes nothing"
    else:
        assert ledger.read_bytes() == (whole if kept else whole[:begin])
    assert whole_lines(ledger)[0] == (len(whole) if kept else begin)
    store = _open(folder)
    assert store.dropped == (0 if write or cut == len(whole) - 1 else cut - begin)
    _add(store, ("dune", "echo"))
    store.close()
    assert _counts(folder, write=False)["echo"] == 1


def test_cut_off_at_every_byte_of_it_the_last_batch_is_dropped_whole(
    folder: Path, ledger: Path
) -> None:
    whole, after = ledger.read_bytes(), _counts(folder, write=False)
    begin = len(b"".join(whole.splitlines(keepends=True)[:3]))
    before = {"acme": 1, "bolt": 1, "cord": 1}
    for cut in range(begin, len(whole)):
        for write in (True, False):
            _check_cut(folder, whole, cut, begin, before, after, write=write)


def test_a_changed_byte_is_damage_also_in_the_last_batch(folder: Path, ledger: Path) -> None:
    whole = ledger.read_bytes()
    for place in range(len(whole) - 1):
        number = whole[:place].count(b"\n") + 1
        ledger.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        for write in (True, False):
            with pytest.raises(LedgerDamaged, match=rf"ledger.jsonl:{number}: "):
                _open(folder, write=write)


@pytest.mark.parametrize("more", [0, 1])
def test_a_batch_that_lacks_its_last_line_in_the_middle_is_damage(
    folder: Path, ledger: Path, more: int
) -> None:
    kept = ledger.read_bytes().splitlines(keepends=True)[:4]  # "2 more" is the last
    crc = int(json.loads(kept[-1])["crc"], 16)
    fresh = {"stream": "zeta", "first": 1, "at": NOON.isoformat(), "by": "jo", "events": [{}]}
    lines = [line_of(body_of(fresh, more=more), crc)]
    lines.append(line_of(body_of(fresh | {"stream": "eta"}), lines[0][1]))
    ledger.write_bytes(b"".join([*kept, *(line + b"\n" for line, _ in lines)]))
    if more == 1:  # as many as said: nothing is wrong
        assert len(_open(folder, write=False)._lines.all) == 6
        return
    for write in (True, False):
        with pytest.raises(LedgerDamaged, match=r"ledger.jsonl:5: of the batch before it 2"):
            _open(folder, write=write)
    with pytest.raises(LedgerDamaged, match=r"ledger.jsonl:5: "):
        whole_lines(ledger)


def test_a_batch_that_fails_is_taken_back_even_where_that_fails_too(
    folder: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, store, real = ledger.read_bytes(), _open(folder), os.write

    def broken(descriptor: int, *_: object) -> int:
        raise OSError(28, "No space left on device")

    def most(descriptor: int, data: memoryview) -> int:
        patch.setattr(os, "write", broken)
        return real(descriptor, data[:-20])

    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", broken)
        patch.setattr(os, "write", most)
        with pytest.raises(StorageFailed, match="No space left"):
            _add(store, ("acme", "bolt", "cord"), "lost")
        assert ledger.read_bytes().count(b"lost") == 2, "as it is when the process dies now"
        assert _counts(folder, write=False) == {"acme": 2, "bolt": 1, "cord": 2, "dune": 1}
    assert dict(_lengths(store)) == {"acme": 2, "bolt": 1, "cord": 2, "dune": 1}
    _add(store, ("acme", "bolt"), "third")
    store.close()
    assert ledger.read_bytes().startswith(before)
    assert b"lost" not in ledger.read_bytes()
    assert _counts(folder, write=True)["bolt"] == 2


def test_a_case_erased_from_a_batch_leaves_the_others(folder: Path, ledger: Path) -> None:
    store = _open(folder)
    store.erase("cord")  # the last line of one batch and the first of the next
    _add(store, ("dune", "bolt"))
    store.close()
    assert _counts(folder, write=True) == {"acme": 2, "bolt": 2, "dune": 2}
    assert b"cord" not in ledger.read_bytes()
    assert [json.loads(line).get("more") for line in ledger.read_bytes().splitlines()] == [
        None, None, None, None, 1, None]


def test_a_batch_is_sealed_and_unsealed_like_any_line(folder: Path, ledger: Path) -> None:
    key, off = (Key(bytes(range(32)), readable_status=False, seals=s) for s in (True, False))
    store = _open(folder)
    before = list(store.history())
    store.reseal(key)
    _add(store, ("acme", "bolt"), "in secret")
    store.close()
    assert b"secret" not in ledger.read_bytes()
    sealed = _open(folder, sealer=key)
    history = list(sealed.history())
    sealed.reseal(off)
    sealed.close()
    plain = _open(folder, write=False)
    assert list(plain.history()) == history
    assert [len(events) for _, events in before] == [2, 1, 2, 1]


def test_another_store_adopts_what_was_added_in_batches(folder: Path, tmp_path: Path) -> None:
    old, new = _open(folder, write=False), _open(tmp_path / "new")
    new.adopt(old.history())
    assert list(new.history()) == list(old.history())
    new.close()
    assert _counts(tmp_path / "new", write=True) == _counts(folder, write=True)


def test_members_join_in_batches(tmp_path: Path) -> None:
    store = _open(tmp_path)
    codes = [f"m-{n}" for n in range(7)]
    store.append_all(
        [Addition(stream=f"member/x/{c}", events=[joined(c)], after=0) for c in codes])
    store.erase("member/x/m-6")
    store.close()
    assert list(_counts(tmp_path, write=True)) == [f"member/x/{c}" for c in codes[:-1]]


def test_kill_9_leaves_a_batch_whole_or_not_there(tmp_path: Path) -> None:
    dice, acknowledged = random.Random(20260105), 0
    for _ in range(25):
        child = subprocess.Popen(
            [sys.executable, str(WORKER), "batches", str(tmp_path)], stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert child.stdout is not None
        for _ in range(dice.randint(1, 4)):
            acknowledged = int(child.stdout.readline())
        time.sleep(dice.random() * 0.004)
        child.kill()
        said = child.communicate()[0].split("\n")[:-1]
        acknowledged = max([acknowledged, *map(int, said)])
        lengths = set(_counts(tmp_path, write=False).values())
        assert len(lengths) == 1, "some have an event of the batch that others have not"
        assert lengths.pop() >= acknowledged
    assert min(_counts(tmp_path, write=True).values()) >= acknowledged
