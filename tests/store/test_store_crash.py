"""Death at any instant, a full disk, two processes: nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from store_samples import note, opened

from dsar.errors import AnotherAtWork, StorageFailed
from dsar.store import Store, open_store

WORKER = Path(__file__).with_name("store_worker.py")
ROOT = Path(__file__).resolve().parents[2]
KILLS = 40


def _start(what: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), what, str(folder)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@contextmanager
def _working(what: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    child = _start(what, folder)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def _open(folder: Path, *, write: bool) -> Store:
    return open_store(f"tinydb:{folder}", write=write)


def _acknowledged(child: subprocess.Popen[str], wanted: int) -> int:
    """Read `wanted` acknowledgements; return the last."""
    assert child.stdout is not None
    last = 0
    for _ in range(wanted):
        last = int(child.stdout.readline())
    return last


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    dice = random.Random(20260105)
    acknowledged = 0
    for _ in range(KILLS):
        with _working("append", tmp_path) as child:
            _acknowledged(child, dice.randint(1, 20))
            time.sleep(dice.random() * 0.003)
            child.kill()
            said = (child.communicate()[0] or "").split("\n")[:-1]
        acknowledged = max([acknowledged, *map(int, said)])
        reader = _open(tmp_path, write=False)
        kept = [k.event for k in reader.events("acme")]
        assert len(kept) >= acknowledged
        assert len(kept) % 2 == 0, "an append is all or nothing"
        acknowledged = len(kept)
    writer = _open(tmp_path, write=True)
    assert writer.case("acme").version == acknowledged
    writer.append("acme", [note("and on")], after=acknowledged)
    writer.close()


def test_a_reader_beside_a_writer_sees_a_whole_prefix(tmp_path: Path) -> None:
    with _working("append", tmp_path) as child:
        for _ in range(60):
            acknowledged = _acknowledged(child, 2)
            version = _open(tmp_path, write=False).case("acme").version
            assert version >= acknowledged
            assert version % 2 == 0


def test_a_full_disk_refuses_the_append_and_harms_nothing(tmp_path: Path) -> None:
    with _working("fill", tmp_path) as child:
        lines = (child.communicate(timeout=60)[0]).splitlines()
    error, have, *refused, version = lines
    assert str(tmp_path / "ledger.jsonl") in error
    assert refused == ["refused", "refused"]
    assert int(have) > 3
    assert int(version) == int(have) + 1
    store = _open(tmp_path, write=True)
    assert store.case("acme").version == int(version)
    assert store.case("acme").notes[-1].text == "room again"
    store.close()


def test_a_second_writer_is_turned_away_and_readers_are_not(tmp_path: Path) -> None:
    with _working("hold", tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(AnotherAtWork, match="another dsar"):
            _open(tmp_path, write=True)
        assert _open(tmp_path, write=False).case("acme").version == 1
        child.kill()
        child.wait()
        _open(tmp_path, write=True).close()


def test_a_second_writer_in_the_same_process_is_turned_away(tmp_path: Path) -> None:
    first = _open(tmp_path, write=True)
    with pytest.raises(AnotherAtWork):
        _open(tmp_path, write=True)
    first.append("acme", [opened("acme")], after=0)
    first.close()
    second = _open(tmp_path, write=True)
    assert second.case("acme").version == 1
    second.close()


def _as_nobody(work: Callable[[], str]) -> str:
    """Return what `work` says when it runs without root's rights, to which no mode applies."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_a_folder_that_may_only_be_read_gives_an_error_with_its_path() -> None:
    with TemporaryDirectory() as outside:  # the folders of tmp_path are closed to nobody
        folder = Path(outside, "home")
        store = _open(folder, write=True)
        store.append("acme", [opened("acme")], after=0)
        store.close()
        for path in (folder, Path(outside)):
            path.chmod(0o555)
        said = _as_nobody(lambda: _failure(folder))
        for path in (folder, Path(outside)):
            path.chmod(0o700)
    assert str(folder) in said
    assert "ermission" in said


def _failure(folder: Path) -> str:
    try:
        _open(folder, write=True)
    except StorageFailed as error:
        return str(error)
    return "no error"


def test_a_file_where_the_folder_should_be_gives_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    for write in (True, False):
        with pytest.raises(StorageFailed, match=str(tmp_path / "home")):
            _open(tmp_path / "home" / "ledger", write=write)
