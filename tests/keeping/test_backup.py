"""A backup brings everything back, or says that it cannot; nothing in between."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping_samples import (
    CHEAP,
    DAY,
    JO,
    NOON,
    apart,
    contents,
    fill,
    home_at,
    ledger,
    open_case,
)

from dsar.core.case import NoteAdded
from dsar.errors import DsarError, LedgerDamaged, UsageProblem
from dsar.home import Home, write_private
from dsar.keeping.backup import Taken, back_up
from dsar.keeping.restore import restore
from dsar.keeping.seal import CHUNK, TAG, CannotUnseal, Scrypt, seal_stream, unseal_stream
from dsar.mail import Coordinates, Cursor
from dsar.mailstate import MailState, last_poll, load_state, save_state
from dsar.store.archive import Archive

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("keeping_worker.py")


def _take(home: Home, target: Path, **more: object) -> Taken:
    return back_up(home, target, "correct horse", now=NOON, cost=CHEAP, **more)  # type: ignore[arg-type]


def _word() -> str:
    return "correct horse"


def _but_how_far_was_read(files: dict[str, bytes]) -> dict[str, bytes]:
    """What comes back: the next poll reads every mailbox from its beginning."""
    return {name: raw for name, raw in files.items() if name != "cursors.json"}


def test_everything_comes_back_as_it_was_but_how_far_mail_was_read(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    taken = _take(home, tmp_path / "b")
    found = restore(tmp_path / "b", home_at(tmp_path / "again"), _word)
    assert home.cursors.exists()
    assert contents(tmp_path / "again") == _but_how_far_was_read(contents(tmp_path / "home"))
    assert (found.cases, found.mails, found.missing, found.files) == (4, 10, (), taken.files)


def test_of_how_far_mail_was_read_only_what_could_not_be_read_comes_back(tmp_path: Path) -> None:
    home, again = fill(home_at(tmp_path / "home")), home_at(tmp_path / "again")
    state = MailState({("main", "INBOX"): Cursor(uidvalidity=7, last_uid=120)}, rests_at="a mark")
    state.failed(Coordinates(account="main", mailbox="INBOX", uidvalidity=7, uid=90),
                 "larger than the limit", now=NOON)
    save_state(home.cursors, state, at="2026-11-02 12:00", result="ok")
    _take(home, tmp_path / "b")
    write_private(again.cache_folder / "campaign-spring.json", home.cursors.read_bytes())
    restore(tmp_path / "b", again, _word)
    assert load_state(again.cursors) == MailState(troubles=state.troubles)
    assert last_poll(again.cursors) is None
    assert not list(again.cache_folder.glob("campaign-*"))


def test_folders_of_their_own_become_one_and_one_becomes_two(tmp_path: Path) -> None:
    before = _but_how_far_was_read(contents(fill(home_at(tmp_path / "one")).data_folder))
    _take(home_at(tmp_path / "one"), tmp_path / "b1")
    two = apart(tmp_path / "two")
    restore(tmp_path / "b1", two, _word)
    assert two.people.exists()
    assert two.ledger.is_dir()
    assert contents(two.config_folder) | contents(two.data_folder) == before
    _take(two, tmp_path / "b2")
    restore(tmp_path / "b2", home_at(tmp_path / "three"), _word)
    assert contents(tmp_path / "three") == before


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    before = os.umask(0)
    try:
        _take(home, tmp_path / "b")
        restore(tmp_path / "b", home_at(tmp_path / "again"), _word)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    for path in (tmp_path / "again", *(tmp_path / "again").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_readable_stands_in_a_backup(tmp_path: Path) -> None:
    _take(fill(home_at(tmp_path / "home")), tmp_path / "b")
    raw = (tmp_path / "b").read_bytes()
    for needle in (b"Sample", b"acme", b"people.yaml", b"7K3M", b"correct"):
        assert needle not in raw


def test_secrets_stay_out_unless_asked_for(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    secret = tmp_path / "home" / "mail.password"
    write_private(secret, b"hunter2\n")
    write_private(tmp_path / "home/tokens/main.json", b"{}")
    _take(home, tmp_path / "without", secrets=[secret])
    _take(home, tmp_path / "with", secrets=[secret], with_secrets=True)
    restore(tmp_path / "without", home_at(tmp_path / "a"), _word)
    restore(tmp_path / "with", home_at(tmp_path / "b"), _word)
    assert not (tmp_path / "a/mail.password").exists()
    assert not (tmp_path / "a/tokens").exists()
    assert (tmp_path / "b/mail.password").read_bytes() == b"hunter2\n"
    assert (tmp_path / "b/tokens/main.json").exists()


def test_a_backup_inside_the_home_does_not_hold_itself(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _take(home, tmp_path / "home/b")
    restore(tmp_path / "home/b", home_at(tmp_path / "again"), _word)
    assert not (tmp_path / "again/b").exists()


def test_no_file_and_no_home_is_overwritten(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _take(home, tmp_path / "b")
    raw = (tmp_path / "b").read_bytes()
    with pytest.raises(UsageProblem, match="exists already"):
        _take(home, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == raw
    before = contents(tmp_path / "home")
    with pytest.raises(UsageProblem, match="not empty"):
        restore(tmp_path / "b", home, _word)
    assert contents(tmp_path / "home") == before


def test_locks_and_caches_do_not_make_a_home_full(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _take(home, tmp_path / "b")
    other = home_at(tmp_path / "other")
    write_private(other.cache_folder / "registry-1.jsonl", b"x")
    with other.working():
        pass
    restore(tmp_path / "b", other, _word)
    assert contents(tmp_path / "other") == _but_how_far_was_read(contents(tmp_path / "home"))


def test_a_wrong_passphrase_leaves_nothing(tmp_path: Path) -> None:
    _take(fill(home_at(tmp_path / "home")), tmp_path / "b")
    with pytest.raises(CannotUnseal, match="passphrase"):
        restore(tmp_path / "b", home_at(tmp_path / "again"), lambda: "wrong")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "home"]


def test_one_flipped_bit_anywhere_is_found_and_leaves_nothing(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.data_folder / "large", os.urandom(3 * CHUNK))
    _take(home, tmp_path / "b")
    good = (tmp_path / "b").read_bytes()

    @settings(max_examples=120, deadline=None)
    @given(st.integers(0, len(good) - 1) | st.integers(0, 130), st.integers(0, 7))
    def flip(at: int, bit: int) -> None:
        (tmp_path / "bad").write_bytes(
            good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1:])
        with pytest.raises(CannotUnseal):
            restore(tmp_path / "bad", home_at(tmp_path / "again"), _word)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "bad", "home"]

    flip()


def test_a_backup_that_was_cut_or_grew_is_found(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.data_folder / "large", os.urandom(2 * CHUNK))
    _take(home, tmp_path / "b")
    good = (tmp_path / "b").read_bytes()
    head = good.index(b"}\n") + 2
    cuts = [0, 5, head, head + CHUNK + TAG, len(good) - 1]
    for raw in [*(good[:cut] for cut in cuts), good + b"x", good + good[head:]]:
        (tmp_path / "bad").write_bytes(raw)
        with pytest.raises(CannotUnseal):
            restore(tmp_path / "bad", home_at(tmp_path / "again"), _word)
    assert not (tmp_path / "again").exists()


def test_a_file_with_absurd_costs_is_refused_before_any_memory_is_taken(tmp_path: Path) -> None:
    head = b'{"kdf": "scrypt", "n": 1099511627776, "r": 8, "p": 1, "salt": "%b"}\n' % (b"A" * 43)
    (tmp_path / "bad").write_bytes(b"dsar backup 1\n" + head.replace(b'A"}', b'A="}') + b"x" * 99)
    with pytest.raises(CannotUnseal, match="never makes"):
        restore(tmp_path / "bad", home_at(tmp_path / "again"), _word)


def test_a_damaged_ledger_is_not_backed_up_as_if_it_were_whole(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    path = home.ledger / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b"acme", b"acne", 1))
    with pytest.raises(LedgerDamaged, match=r"ledger\.jsonl:1"):
        _take(home, tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]


def test_a_damaged_mail_is_found_when_restoring(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    digest = next(Archive(home.archive).digests())
    (home.archive / digest[:2] / digest[2:]).write_bytes(b"other")
    _take(home, tmp_path / "b")
    with pytest.raises(DsarError, match="is damaged"):
        restore(tmp_path / "b", home_at(tmp_path / "again"), _word)
    assert not (tmp_path / "again").exists()


def test_mail_that_was_missing_already_is_named(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    digest = next(Archive(home.archive).digests())
    Archive(home.archive).delete(digest)
    _take(home, tmp_path / "b")
    assert restore(tmp_path / "b", home_at(tmp_path / "again"), _word).missing == (digest,)


def test_a_torn_append_is_left_out(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    path = home.ledger / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"crc":"0000')
    _take(home, tmp_path / "b")
    restore(tmp_path / "b", home_at(tmp_path / "again"), _word)
    assert (tmp_path / "again/ledger/ledger.jsonl").read_bytes() == whole


def test_a_backup_beside_a_writer_is_a_whole_prefix_with_its_mail(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    child = _start("append", tmp_path / "home")
    assert child.stdout is not None
    try:
        for number in range(6):
            acknowledged = int(child.stdout.readline())
            _take(home, tmp_path / f"b{number}")
            again = home_at(tmp_path / f"again{number}")
            found = restore(tmp_path / f"b{number}", again, _word)
            assert found.missing == ()
            assert found.cases >= acknowledged
    finally:
        child.kill()
        child.communicate()


def test_kill_9_while_backing_up_leaves_no_half_backup(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    write_private(home.data_folder / "large", os.urandom(40_000_000))
    for delay in (0.05, 0.1, 0.2):
        child = _start("backup", tmp_path / "home", tmp_path / f"b{delay}")
        _kill_after(child, delay)
        if (tmp_path / f"b{delay}").exists():
            restore(tmp_path / f"b{delay}", home_at(tmp_path / f"h{delay}"), _word)


@pytest.mark.parametrize("shape", ["one", "two"])
def test_kill_9_while_restoring_leaves_nothing_or_everything(tmp_path: Path, shape: str) -> None:
    home = fill(home_at(tmp_path / "home"))
    for number in range(150):
        write_private(home.data_folder / f"more/{number}", os.urandom(2000))
    _take(home, tmp_path / "b")
    (tmp_path / "to").mkdir()
    target = home_at(tmp_path / "to/home") if shape == "one" else apart(tmp_path / "to")
    died = 0
    for step in count():
        child = _start(f"restore-{shape}", tmp_path / "b", tmp_path / "to")
        assert child.stdout is not None
        child.stdout.readline()
        _kill_after(child, step * 0.012)
        if target.people.exists() and target.ledger.exists():
            break
        died += 1
        assert not target.people.exists(), "the settings never come before the data"
        assert step < 100
    assert died > 3
    if not _whole(target, home):  # it died between the renames: the same command completes it
        restore(tmp_path / "b", target, _word)
    assert _whole(target, home)


def test_a_restore_that_died_between_its_renames_is_completed(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    _take(home, tmp_path / "b")
    target = apart(tmp_path / "to")
    child = _start("restore-die", tmp_path / "b", tmp_path / "to")
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert target.ledger.exists()
    assert not target.people.exists()
    found = restore(tmp_path / "b", target, _word)
    assert found.cases == 4
    assert _whole(target, home)
    with pytest.raises(UsageProblem, match="not empty"):
        restore(tmp_path / "b", target, _word)


def _whole(target: Home, home: Home) -> bool:
    found = contents(target.config_folder) | contents(target.data_folder)
    return {n: c for n, c in found.items() if n != ".verified"} == _but_how_far_was_read(
        contents(home.data_folder))


def test_memory_stays_flat_for_a_large_home(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    archive = Archive(home.archive)
    for number in range(4):
        archive.add(os.urandom(65536) + bytes([number]) for _ in range(160))  # 10 MB each
    tracemalloc.start()
    try:
        _take(home, tmp_path / "b")
        restore(tmp_path / "b", home_at(tmp_path / "again"), _word)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "b").stat().st_size > 40_000_000
    assert peak < 6_000_000


@given(st.lists(st.binary(max_size=3 * CHUNK), max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_stream_comes_back(chunks: list[bytes]) -> None:
    key, whole = bytes(32), b"".join(chunks)
    sealed = b"".join(seal_stream(key, chunks, bound=b"head"))
    assert len(sealed) == len(whole) + TAG * max(1, -(-len(whole) // CHUNK))
    plain = unseal_stream(key, _reader(sealed), bound=b"head")
    assert b"".join(plain) == whole
    with pytest.raises(CannotUnseal):
        list(unseal_stream(key, _reader(sealed), bound=b"Head"))


def _reader(data: bytes) -> Callable[[int], bytes]:
    return io.BytesIO(data).read


def test_a_key_differs_with_salt_and_passphrase() -> None:
    keys = {Scrypt(salt=salt, n=CHEAP).key(word) for salt in (bytes(32), b"1" * 32)
            for word in ("a", "b")}
    assert len(keys) == 4


def _start(what: str, *paths: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), what, *map(str, paths)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)})


def _kill_after(child: subprocess.Popen[str], seconds: float) -> None:
    time.sleep(seconds)
    child.kill()
    child.communicate()


def test_the_worker_writes_what_the_tests_think(tmp_path: Path) -> None:
    home = fill(home_at(tmp_path / "home"))
    store = ledger(home)
    open_case(store, Archive(home.archive), JO, "dent", "AAAA-0001")
    store.append("AAAA-0001", [NoteAdded(on=DAY, text="x")], after=6)
    store.close()
    _take(home, tmp_path / "b")
    assert restore(tmp_path / "b", home_at(tmp_path / "again"), _word).cases == 5
