"""Encrypted at rest: nothing readable on the disk, everything as before with the key."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping_samples import (
    CHEAP,
    DAY,
    JO,
    NOON,
    clock,
    contents,
    files_with,
    fill,
    home_at,
    ledger,
    open_case,
)

from dsar.config import load_config
from dsar.core.case import NoteAdded
from dsar.core.house import STREAM
from dsar.errors import LedgerDamaged, StorageFailed
from dsar.home import Home
from dsar.keeping.atrest import (
    Key,
    KeyFile,
    change_passphrase,
    remove_passphrase,
    set_passphrase,
    unfinished,
    unlock,
)
from dsar.keeping.backup import back_up
from dsar.keeping.forget import Person, forget, plan_forgetting
from dsar.keeping.restore import restore
from dsar.keeping.seal import CannotUnseal
from dsar.keeping.traces import traces
from dsar.store.archive import CHUNK, Archive
from dsar.store.codec import KINDS, decode, encode
from dsar.store.sealing import MAGIC, Locked, opened_document, sealed_document
from dsar.store.tiny import TinyStore

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "store"))
from store_samples import any_of_kind

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("keeping_worker.py")
WORDS = ("Jo Sample", "jo.sample@", "Samplegasse", "privacy@acme", "have your request")
KEY = Key(bytes(32), readable_status=True, seals=True)
DARK = Key(bytes(32), readable_status=False, seals=True)


def _tiny(home: Home, key: Key | None = None, *, write: bool = False) -> TinyStore:
    return TinyStore(home.ledger, write=write, now=clock, author="jo", sealer=key)


def _set(home: Home, word: str = "word", *, readable: bool = True) -> Key:
    known = unlock(home.sealed_key, word) if home.sealed_key.exists() else None
    store = _tiny(home, known, write=True)
    try:
        set_passphrase(home, store, word, readable_status=readable, cost=CHEAP)
    finally:
        store.close()
    return unlock(home.sealed_key, word)


def _remove(home: Home, word: str = "word") -> None:
    store = _tiny(home, unlock(home.sealed_key, word), write=True)
    try:
        remove_passphrase(home, store, word)
    finally:
        store.close()


def _all(home: Home, key: Key | None) -> dict[str, Any]:
    """Every event and every mail as they read."""
    store, archive = _tiny(home, key), Archive(home.archive, key)
    streams = [*(case.id for case in store.cases()), STREAM]
    return {stream: store.events(stream) for stream in streams} | {
        digest: archive.read(digest) for digest in archive.digests()}


@pytest.mark.parametrize("readable", [True, False])
def test_nothing_of_ledger_and_mail_is_readable_and_all_of_it_with_the_key(
    tmp_path: Path, readable: bool
) -> None:
    home = fill(home_at(tmp_path / "home"))
    before = _all(home, None)
    key = _set(home, readable=readable)
    on_disk = b"".join(p.read_bytes() for f in (home.ledger, home.archive) for p in f.rglob("*")
                       if p.is_file())
    for words in WORDS:
        assert words.encode() not in on_disk
    assert (b"Acme Ltd" in on_disk) is readable
    assert _all(home, key) == before
    assert unfinished(home) == ""
    _remove(home)
    assert _all(home, None) == before
    assert not home.sealed_key.exists()


def test_status_reads_without_the_key_and_has_no_name_in_it(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    plain = list(_tiny(home).cases())
    _set(home)
    dark = list(_tiny(home).cases())
    assert [c.id for c in dark] == [c.id for c in plain]
    assert [c.facts.controller_name for c in dark] == [c.facts.controller_name for c in plain]
    assert [bool(c.closed) for c in dark] == [bool(c.closed) for c in plain]
    assert [c.request and c.request.on for c in dark] == [
        c.request and c.request.on for c in plain]
    assert {c.facts.recipient for c in dark} == {None}
    assert {r.received.sender for c in dark for r in c.replies} == {""}
    assert len(_tiny(home).house().waiting) == 2


def test_without_the_key_nothing_is_read_that_is_not_readable(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _set(home, readable=False)
    with pytest.raises(Locked):
        list(_tiny(home).cases())
    digest = next(Archive(home.archive).digests())
    with pytest.raises(Locked):
        Archive(home.archive).read(digest)


@pytest.mark.parametrize("readable", [True, False])
def test_without_the_key_nothing_is_written(tmp_path: Path, readable: bool) -> None:
    home = fill(home_at(tmp_path / "home"))
    _set(home, readable=readable)
    before = contents(tmp_path / "home")
    store = _tiny(home, write=True)
    with pytest.raises(Locked):
        store.append("7K3M-Q2XT", [NoteAdded(on=DAY, text="x")], after=6)
    with pytest.raises(Locked):
        store.erase("7K3M-Q2XT")
    with pytest.raises(Locked):
        store.reseal(None)
    store.close()
    assert contents(tmp_path / "home") == before


def test_a_wrong_passphrase_opens_and_changes_nothing(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    key = _set(home)
    before = contents(tmp_path / "home")
    for attempt in (lambda: unlock(home.sealed_key, "wrong"),
                    lambda: change_passphrase(home, "wrong", "new", cost=CHEAP),
                    lambda: remove_passphrase(home, _tiny(home, key), "wrong")):
        with pytest.raises(CannotUnseal):
            attempt()
    assert contents(tmp_path / "home") == before


def test_another_passphrase_opens_the_same(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _set(home)
    before = _all(home, unlock(home.sealed_key, "word"))
    change_passphrase(home, "word", "other", cost=CHEAP)
    with pytest.raises(CannotUnseal):
        unlock(home.sealed_key, "word")
    assert _all(home, unlock(home.sealed_key, "other")) == before


def test_nobody_can_turn_sealed_into_readable_without_the_passphrase(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _set(home, readable=False)
    text = home.sealed_key.read_text().replace('"readable_status": false',
                                               '"readable_status": true')
    home.sealed_key.write_text(text)
    with pytest.raises(CannotUnseal):
        unlock(home.sealed_key, "word")


@given(st.integers(0, 10_000), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_in_a_sealed_mail_is_found(at: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder), KEY)
        digest = archive.add(b"Dear Jo, " * 500)
        path = Path(folder) / digest[:2] / digest[2:]
        raw = bytearray(path.read_bytes())
        raw[at % len(raw)] ^= 1 << bit
        path.write_bytes(raw)
        with pytest.raises(StorageFailed, match="is damaged"):
            archive.read(digest)


def test_a_sealed_event_that_was_moved_or_changed_is_damage(tmp_path: Path) -> None:
    document = {"stream": "a", "first": 1, "at": "x", "by": "jo",
                "events": [encode(NoteAdded(on=DAY, text="x")) for _ in range(2)]}
    sealed = sealed_document(document, DARK)
    assert opened_document(sealed, DARK) == document
    swapped = sealed | {"events": sealed["events"][::-1]}
    for wrong in (swapped, sealed | {"stream": "b"}, sealed | {"first": 2}):
        with pytest.raises(ValueError, match="cannot be unsealed"):
            opened_document(wrong, DARK)
    home = fill(home_at(tmp_path / "home"))
    _set(home)
    other = Key(b"1" * 32, readable_status=True, seals=True)
    with pytest.raises(LedgerDamaged, match=r"ledger\.jsonl:1: cannot be unsealed"):
        _tiny(home, other).events("7K3M-Q2XT")


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("key", [KEY, DARK])
def test_any_event_comes_back_and_with_blanks_it_still_decodes(kind: type, key: Key) -> None:
    @settings(max_examples=8, deadline=None)
    @given(any_of_kind(kind))
    def check(event: Any) -> None:
        document = {"stream": "a\u2028", "first": 7, "at": "x", "by": "jö",
                    "events": [encode(event)]}
        sealed = sealed_document(document, key)
        assert opened_document(sealed, key) == document
        if key is KEY:
            [blank] = opened_document(sealed, None)["events"]
            assert type(decode(blank)) is kind
            assert decode(blank).on == event.on
        else:
            with pytest.raises(Locked):
                opened_document(sealed, None)

    check()


def test_a_mail_that_begins_like_a_sealed_one_is_a_mail(tmp_path: Path) -> None:
    odd = MAGIC + b"x" * 100
    for key in (None, KEY):
        archive = Archive(tmp_path / str(key is None), key)
        digest = archive.add(odd)
        assert archive.read(digest) == odd
        assert archive.is_sealed(digest) is (key is not None)
    plain = Archive(tmp_path / "True", KEY)
    assert plain.read(next(plain.digests())) == odd


def test_a_large_sealed_mail_does_not_grow_memory(tmp_path: Path) -> None:
    archive = Archive(tmp_path, KEY)
    tracemalloc.start()
    try:
        digest = archive.add(b"x" * CHUNK for _ in range(80))  # 20 MB
        with archive.open(digest) as item:
            total = sum(len(piece) for piece in iter(lambda: item.read(CHUNK), b""))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 80 * CHUNK
    assert peak < 4_000_000


def test_what_is_added_afterwards_is_sealed_too_and_lines_may_be_read(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    key = _set(home)
    store = _tiny(home, key, write=True)
    open_case(store, Archive(home.archive, key), JO, "dent", "DENT-0001")
    store.close()
    assert files_with(home.ledger, *WORDS) == []
    assert files_with(home.archive, *WORDS) == []
    digest = Archive(home.archive, key).add(b"one\ntwo\n")
    with Archive(home.archive, key).open(digest) as item:
        assert item.readline() == b"one\n"
        assert item.read() == b"two\n"


def test_a_backup_of_a_sealed_home_stays_sealed_inside(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    key = _set(home)
    before = _all(home, key)
    back_up(home, tmp_path / "b", "other word", now=NOON, cost=CHEAP)
    again = home_at(tmp_path / "again")
    assert restore(tmp_path / "b", again, lambda: "other word").sealed
    assert _all(again, unlock(again.sealed_key, "word")) == before


def test_forgetting_works_in_a_sealed_home(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    key = _set(home)
    config = load_config(home.config, home.people)
    store, archive = _tiny(home, key, write=True), Archive(home.archive, key)
    going = plan_forgetting(Person("jo"), store, config, own_companies=())
    forget(going, home, store, archive, config, today=DAY, keep_tombstones=False)
    assert list(traces(home, store, archive, going.needles)) == []
    store.close()
    assert files_with(home.data_folder, "Jo Sample", "7K3M-Q2XT", "2F8H-N7CC") == []
    [waiting] = _tiny(home, key).house().waiting.values()
    assert waiting.candidates == ("QX41-T0AB",)
    assert len(list(_tiny(home, key).cases())) == 2


def test_a_mixed_home_is_read_and_the_same_command_finishes_it(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    before = _all(home, None)
    key = _set(home)
    plain = {d: b for d, b in before.items() if isinstance(b, bytes)}
    for content in list(plain.values())[:3]:  # as if the encryption had broken off
        Archive(home.archive).add(content)
    assert unfinished(home) == "3 mails are not encrypted yet"
    assert _all(home, key) == before
    _set(home)
    assert unfinished(home) == ""
    assert _all(home, key) == before


@pytest.mark.parametrize("what", ["seal", "unseal"])
def test_kill_9_at_any_instant_leaves_a_home_that_reads(tmp_path: Path, what: str) -> None:
    died = 0
    for step in count():
        home = fill(home_at(tmp_path / f"home{step}"))
        before = _all(home, None)
        if what == "unseal":
            _set(home)
        child = subprocess.Popen(
            [sys.executable, str(WORKER), what, str(home.data_folder)], stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(step * 0.002)
        child.kill()
        child.communicate()
        died += child.returncode != 0
        key = unlock(home.sealed_key, "word") if home.sealed_key.exists() else None
        assert _all(home, key) == before
        if what == "seal":
            assert _all(home, _set(home)) == before
            assert unfinished(home) == ""
        elif key is not None:
            _remove(home)
        if child.returncode == 0:
            break
        assert step < 100
    assert died > 3


def test_a_key_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"[]", b'{"schema": "dsar.sealed-key/9"}'):
        (tmp_path / "k").write_bytes(content)
        with pytest.raises(StorageFailed, match="cannot be read"):
            KeyFile.read(tmp_path / "k")


def test_the_clock_of_a_sealed_event_is_kept(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    key = _set(home)
    kept = _tiny(home, key).events("7K3M-Q2XT")[0]
    assert (kept.recorded_at, kept.author) == (datetime(2026, 1, 5, 12, tzinfo=UTC), "jo")
    assert _tiny(home).events("7K3M-Q2XT")[0].author == ""
    assert ledger(home, write=False).events("7K3M-Q2XT")[0].sequence == 1
