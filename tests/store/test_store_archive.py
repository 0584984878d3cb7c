"""The exact bytes of each mail, found again or found damaged."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsar.errors import StorageFailed
from dsar.store.archive import Archive

MAIL = b"From: a@acme.example\r\n\r\nHello.\r\n"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def _place(archive: Archive, digest: str) -> Path:
    return archive.folder / digest[:2] / digest[2:]


def test_what_is_added_is_found_under_its_sha_256(archive: Archive) -> None:
    digest = archive.add(MAIL)
    assert digest == sha256(MAIL).hexdigest()
    assert _place(archive, digest).read_bytes() == MAIL
    assert archive.read(digest) == MAIL
    assert archive.has(digest)
    with archive.open(digest) as item:
        assert item.readline() == b"From: a@acme.example\r\n"


def test_adding_twice_stores_once(archive: Archive) -> None:
    assert archive.add(MAIL) == archive.add(iter([MAIL[:5], b"", MAIL[5:]]))
    assert [p for p in archive.folder.rglob("*") if p.is_file()] == [
        _place(archive, sha256(MAIL).hexdigest())]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_chunks_are_one_item(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    archive = Archive(tmp_path_factory.getbasetemp() / "chunks")
    assert archive.read(archive.add(chunks)) == b"".join(chunks)


def test_digests_are_listed_sorted(archive: Archive) -> None:
    assert list(archive.digests()) == []
    added = {archive.add(bytes([n])) for n in range(50)}
    (archive.folder / ".arriving-x").write_bytes(b"half")
    (archive.folder / "readme").mkdir()
    assert list(archive.digests()) == sorted(added)


def test_a_damaged_item_is_not_handed_out_and_is_mended_by_adding(archive: Archive) -> None:
    digest = archive.add(MAIL)
    _place(archive, digest).write_bytes(MAIL[:-1])
    for take in (archive.read, archive.open):
        with pytest.raises(StorageFailed, match=f"{digest[2:]}: is damaged"):
            take(digest)
    archive.add(MAIL)
    assert archive.read(digest) == MAIL


def test_an_item_that_is_not_there_is_an_error_with_its_path(archive: Archive) -> None:
    digest = sha256(b"x").hexdigest()
    assert not archive.has(digest)
    with pytest.raises(StorageFailed, match=digest[2:]):
        archive.read(digest)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_what_is_no_digest_is_refused(archive: Archive, digest: str) -> None:
    for take in (archive.read, archive.open, archive.has, archive.delete):
        with pytest.raises(ValueError, match="no SHA-256"):
            take(digest)


def test_a_deleted_item_is_gone_and_deleting_again_is_no_error(archive: Archive) -> None:
    kept, gone = archive.add(b"kept"), archive.add(MAIL)
    for _ in range(2):
        archive.delete(gone)
        assert list(archive.digests()) == [kept]
    archive.delete(sha256(b"never there").hexdigest())


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_items_are_0600_in_0700_folders_whatever_the_umask(archive: Archive, umask: int) -> None:
    before = os.umask(umask)
    try:
        archive.add(MAIL)
    finally:
        os.umask(before)
    for path in (archive.folder, *archive.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_large_item_does_not_grow_memory(archive: Archive) -> None:
    chunk = b"x" * 65536
    tracemalloc.start()
    try:
        digest = archive.add(chunk for _ in range(320))  # 20 MB
        with archive.open(digest) as item:
            assert item.read(2) == b"xx"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert _place(archive, digest).stat().st_size == 320 * 65536
    assert peak < 2_000_000


def test_a_source_that_breaks_off_leaves_nothing_and_keeps_its_own_error(archive: Archive) -> None:
    def breaking() -> Iterator[bytes]:
        yield MAIL
        raise ConnectionResetError("the server went away")

    with pytest.raises(ConnectionResetError):
        archive.add(breaking())
    assert list(archive.folder.iterdir()) == []


def test_a_full_disk_is_an_error_with_a_path_and_leaves_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(StorageFailed, match=r"archive.*No space left"):
        archive.add(MAIL)
    assert list(archive.folder.iterdir()) == []


def test_what_an_interrupted_add_left_is_swept(archive: Archive) -> None:
    digest = archive.add(MAIL)
    (archive.folder / ".arriving-x").write_bytes(b"half")
    archive.sweep()
    assert [p.name for p in archive.folder.iterdir()] == [digest[:2]]
