"""The exact bytes of each mail, in and out, under their SHA-256."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from dsar.errors import StorageFailed
from dsar.store.files import (
    FILE_MODE,
    make_folder,
    storage_errors,
    sync_data,
    sync_folder,
    write_all,
)
from dsar.store.sealing import MAGIC, CannotOpen, Locked, Pieces, Sealer

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_ARRIVING = ".arriving-"
CHUNK = 256 * 1024
"""Bytes read and written at a time: what a large item costs in memory."""


class Archive:
    """A folder of items `ab/cdef…`, named by the SHA-256 (64 hexadecimal digits) of what they hold.

    Every method raises StorageFailed with the path when the disk does not do its part, and
    ValueError for what is no digest.
    """

    def __init__(self, folder: Path, sealer: Sealer | None = None) -> None:
        """sealer: has the key of an encrypted home; digests are always those of plain bytes."""
        self.folder, self._sealer = folder, sealer

    def add(self, data: bytes | Iterable[bytes]) -> str:
        """Store `data`, in one piece or in chunks, durably; return its digest.

        What is there already is replaced by the same bytes, which also mends a damaged item.
        """
        held = self.hold(data)
        held.keep()
        return held.digest

    def hold(self, data: bytes | Iterable[bytes]) -> Held:
        """Write `data` durably without taking it in yet: its `keep` does that, `drop` removes it.

        For a large mail that can only be judged once all of it has been read.
        """
        with storage_errors(self.folder):
            make_folder(self.folder)
            descriptor, name = mkstemp(prefix=_ARRIVING, dir=self.folder)
        arriving = Path(name)
        try:
            digest = _copy(_chunks(data), descriptor, arriving, self._sealer)
        except BaseException:
            arriving.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return Held(digest, arriving, self._path(digest), self)

    def read(self, digest: str) -> bytes:
        """Return an item, verified."""
        with self.open(digest) as item:
            return item.read()

    def open(self, digest: str) -> BinaryIO:
        """Return an item as a file to read from and close; it is verified first, in chunks."""
        path = self._path(digest)
        with storage_errors(path):
            item = path.open("rb")
            try:
                plain = self.plain(item, digest)
            except BaseException:
                item.close()
                raise
        return plain

    def is_sealed(self, digest: str) -> bool:
        """Tell whether an item lies encrypted on the disk."""
        path = self._path(digest)
        with storage_errors(path), path.open("rb") as item:
            return item.read(len(MAGIC)) == MAGIC and not _is(item, digest)

    def has(self, digest: str) -> bool:
        """Tell whether an item is there; it is not read."""
        path = self._path(digest)
        with storage_errors(path):
            return path.is_file()

    def delete(self, digest: str) -> None:
        """Remove an item; one that is not there is no error, so that a deletion can be repeated."""
        path = self._path(digest)
        with storage_errors(path):
            if path.parent.is_dir():
                path.unlink(missing_ok=True)
                sync_folder(path.parent)

    def digests(self) -> Iterator[str]:
        """Yield the digests of all items, sorted."""
        with storage_errors(self.folder):
            shards = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
            for shard in (s for s in shards if _SHARD.fullmatch(s.name)):
                names = sorted(f"{shard.name}{item.name}" for item in shard.iterdir())
                yield from (name for name in names if _DIGEST.fullmatch(name))

    def sweep(self) -> None:
        """Remove what an interrupted `add` left; call it only while nobody else can be adding."""
        with storage_errors(self.folder):
            for left in self.folder.glob(f"{_ARRIVING}*"):
                left.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256 in hexadecimal")
        return self.folder / digest[:2] / digest[2:]

    def plain(self, item: BinaryIO, digest: str) -> BinaryIO:
        """Return the item to read from, once every byte of it is verified."""
        sealed = item.read(len(MAGIC)) == MAGIC
        if sealed and self._sealer and self._opens(item, digest, self._sealer):
            item.seek(0)
            return _Unsealed(item, self._sealer)
        if _is(item, digest):  # also a mail that happens to begin like a sealed one
            return item
        if sealed and self._sealer is None:
            raise Locked("The mail is encrypted.")
        raise StorageFailed(
            f"{self._path(digest)}: is damaged, its bytes are not those that were stored.",
            hint="Restore this file from a backup; the mailbox may still have the message.",
        )

    def _opens(self, item: BinaryIO, digest: str, sealer: Sealer) -> bool:
        item.seek(0)
        found = sha256()
        try:
            for chunk in sealer.unseal_item(item):
                found.update(chunk)
        except CannotOpen:
            return False
        return found.hexdigest() == digest


@dataclass(frozen=True)
class Held:
    """An item that is written, and not yet in the archive."""

    digest: str
    arriving: Path
    path: Path
    archive: Archive

    def chunks(self) -> Iterator[bytes]:
        """Yield its plain bytes, for another archive to keep."""
        with storage_errors(self.arriving), self.arriving.open("rb") as item:
            plain = self.archive.plain(item, self.digest)
            while chunk := plain.read(CHUNK):
                yield chunk

    def keep(self) -> None:
        """Take it into the archive, durably."""
        try:
            with storage_errors(self.path):
                make_folder(self.path.parent)
                os.replace(self.arriving, self.path)
                sync_folder(self.path.parent)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Remove it, unless it was kept."""
        self.arriving.unlink(missing_ok=True)


class _Unsealed(BufferedReader):
    """The plain bytes of a sealed item that was verified; closes its file."""

    def __init__(self, item: BinaryIO, sealer: Sealer) -> None:
        super().__init__(Pieces(sealer.unseal_item(item)), CHUNK)
        self._item = item

    def close(self) -> None:
        """Close both."""
        self._item.close()
        super().close()


def _is(item: BinaryIO, digest: str) -> bool:
    """Whether these are the plain bytes of a digest; leaves the item at its beginning."""
    item.seek(0)
    found = sha256()
    while chunk := item.read(CHUNK):
        found.update(chunk)
    item.seek(0)
    return found.hexdigest() == digest


def _chunks(data: bytes | Iterable[bytes]) -> Iterator[bytes | memoryview]:
    if not isinstance(data, bytes | bytearray | memoryview):
        yield from data
        return
    view = memoryview(data)
    for start in range(0, len(view), CHUNK):
        yield view[start:start + CHUNK]


def _copy(
    chunks: Iterable[bytes | memoryview], descriptor: int, path: Path, sealer: Sealer | None
) -> str:
    """Write the chunks durably, sealed where there is a key; return the SHA-256 of the plain.

    An error of whoever yields the chunks, perhaps of the network, passes as it is.
    """
    digest = sha256()

    def counted() -> Iterator[bytes | memoryview]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    pieces: Iterable[bytes | memoryview] = counted()
    if sealer and sealer.seals:
        pieces = sealer.seal_item(pieces)
    for piece in pieces:
        with storage_errors(path):
            write_all(descriptor, piece)
    with storage_errors(path):
        os.fchmod(descriptor, FILE_MODE)
        sync_data(descriptor)
    return digest.hexdigest()
