"""The exact bytes of each mail, found again or found damaged."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.postgres import PostgresServer

from dsar.errors import StorageFailed
from dsar.store.agekeys import RecipientSealer, new_pair
from dsar.store.archive import CHUNK, Archive
from dsar.store.pgshelf import PIECE, PostgresShelf
from dsar.store.sealing import Locked
from dsar.store.shelf import FolderShelf

MAIL = b"From: a@acme.example\r\n\r\nHello.\r\n"


@pytest.fixture(params=["folder", "postgres"])
def shelved(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """An empty archive on each kind of shelf."""
    if request.param == "folder":
        return Archive(tmp_path / "archive")
    return Archive(PostgresShelf(request.getfixturevalue("postgres_url")))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty archive in a folder."""
    return Archive(tmp_path / "archive")


def _folder(archive: Archive) -> Path:
    assert isinstance(archive.shelf, FolderShelf)
    return archive.shelf.folder


def _place(archive: Archive, digest: str) -> Path:
    return _folder(archive) / digest[:2] / digest[2:]


def test_what_is_added_is_found_on_every_shelf(shelved: Archive) -> None:
    digest = shelved.add(MAIL)
    assert digest == sha256(MAIL).hexdigest() == shelved.add(iter([MAIL[:5], b"", MAIL[5:]]))
    assert shelved.has(digest)
    assert shelved.read(digest) == MAIL
    with shelved.open(digest) as item:
        assert item.readline() == b"From: a@acme.example\r\n"
    assert list(shelved.digests()) == [digest]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
@pytest.mark.parametrize("sealed", [False, True])
def test_items_of_any_size_come_back_whole(shelved: Archive, size: int, sealed: bool) -> None:
    pair = new_pair()
    sealer = RecipientSealer([pair.public], [pair.secret]) if sealed else None
    archive = Archive(shelved.shelf, sealer)
    content = os.urandom(size)
    digest = archive.add(content[n:n + CHUNK // 3] for n in range(0, size, CHUNK // 3))
    assert archive.read(digest) == content
    assert archive.is_sealed(digest) is sealed


def test_sealed_items_are_not_read_without_the_key(shelved: Archive) -> None:
    pair, other = new_pair(), new_pair()
    digest = Archive(shelved.shelf, RecipientSealer([pair.public], [pair.secret])).add(MAIL)
    with pytest.raises(Locked):
        Archive(shelved.shelf, RecipientSealer([other.public], [other.secret])).read(digest)


def test_a_held_item_is_there_once_it_is_kept(shelved: Archive) -> None:
    held = shelved.hold([MAIL, MAIL])
    assert not shelved.has(held.digest)
    assert b"".join(held.chunks()) == MAIL + MAIL
    dropped = shelved.hold(b"not ours")
    dropped.drop()
    held.keep()
    held.drop()
    assert shelved.read(held.digest) == MAIL + MAIL
    assert list(shelved.digests()) == [held.digest]


def test_a_missing_item_is_an_error_on_every_shelf(shelved: Archive) -> None:
    digest = sha256(b"x").hexdigest()
    assert not shelved.has(digest)
    with pytest.raises(StorageFailed, match=digest[2:]):
        shelved.read(digest)
    with pytest.raises(ValueError, match="no SHA-256"):
        shelved.read("../../etc/passwd")


def test_a_deleted_item_is_gone_on_every_shelf(shelved: Archive) -> None:
    kept, gone = shelved.add(b"kept"), shelved.add(MAIL)
    for _ in range(2):
        shelved.delete(gone)
        assert list(shelved.digests()) == [kept]


def test_a_source_that_breaks_off_leaves_nothing_on_every_shelf(shelved: Archive) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x" * (2 * PIECE)
        raise ConnectionResetError("the server went away")

    with pytest.raises(ConnectionResetError):
        shelved.add(breaking())
    assert list(shelved.digests()) == []


def test_in_the_database_nothing_is_left_of_what_was_replaced_or_dropped(
    postgres: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    archive = Archive(PostgresShelf(postgres_url))
    archive.add(b"x" * (PIECE + 1))
    archive.add(b"x" * (PIECE + 1))
    archive.hold(b"y").drop()
    assert postgres.sql("SELECT count(*) FROM dsar.pieces", name).strip() == "2"
    archive.hold(b"left behind")
    archive.sweep()
    assert postgres.sql("SELECT count(*) FROM dsar.pieces", name).strip() == "3"
    postgres.sql("UPDATE dsar.pieces SET arrived_at = arrived_at - interval '2 days'", name)
    archive.sweep()
    assert postgres.sql("SELECT count(*) FROM dsar.pieces", name).strip() == "2"
    postgres.sql("UPDATE dsar.pieces SET content = 'damaged'", name)
    digest = next(archive.digests())
    with pytest.raises(StorageFailed, match=f"{digest}: is damaged"):
        archive.read(digest)


def test_the_role_dsar_works_as_can_change_no_mail(
    postgres: PostgresServer, postgres_url: str
) -> None:
    Archive(PostgresShelf(postgres_url)).add(MAIL)
    for statement in ("UPDATE dsar.pieces SET content = ''", "DELETE FROM dsar.items"):
        with psycopg.connect(postgres_url) as connection, pytest.raises(
                psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


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
    assert [p for p in _folder(archive).rglob("*") if p.is_file()] == [
        _place(archive, sha256(MAIL).hexdigest())]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_chunks_are_one_item(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    archive = Archive(tmp_path_factory.getbasetemp() / "chunks")
    assert archive.read(archive.add(chunks)) == b"".join(chunks)


def test_digests_are_listed_sorted(archive: Archive) -> None:
    assert list(archive.digests()) == []
    added = {archive.add(bytes([n])) for n in range(50)}
    (_folder(archive) / ".arriving-x").write_bytes(b"half")
    (_folder(archive) / "readme").mkdir()
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
    for path in (_folder(archive), *_folder(archive).rglob("*")):
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
    assert list(_folder(archive).iterdir()) == []


def test_a_full_disk_is_an_error_with_a_path_and_leaves_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(StorageFailed, match=r"archive.*No space left"):
        archive.add(MAIL)
    assert list(_folder(archive).iterdir()) == []


def test_what_an_interrupted_add_left_is_swept(archive: Archive) -> None:
    digest = archive.add(MAIL)
    (_folder(archive) / ".arriving-x").write_bytes(b"half")
    archive.sweep()
    assert [p.name for p in _folder(archive).iterdir()] == [digest[:2]]
