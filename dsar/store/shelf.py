"""Where the bytes of the archive lie: a protocol, and a folder of files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, Protocol

from dsar.store.files import (
    FILE_MODE,
    make_folder,
    storage_errors,
    sync_data,
    sync_folder,
    write_all,
)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_ARRIVING = ".arriving-"


class Slot(Protocol):
    """An item that arrives piece by piece, and is not on the shelf yet."""

    def write(self, piece: bytes | memoryview) -> None:
        """Add bytes."""

    def finish(self) -> None:
        """Return when all bytes are durable."""

    def open(self) -> BinaryIO:
        """The bytes, once finished, to read from, seek in and close."""

    def keep(self, digest: str) -> None:
        """Put it on the shelf under a digest, durably, in place of what stood there."""

    def drop(self) -> None:
        """Remove it, unless it was kept."""


class Shelf(Protocol):
    """Items under digests; what they hold and whether it is sealed is the archive's affair.

    Every method raises StorageFailed, naming the place, when the medium does not do its part.
    """

    def place(self, digest: str) -> str:
        """Where an item lies, for messages."""

    def slot(self) -> Slot:
        """Room for an item that arrives."""

    def open(self, digest: str) -> BinaryIO:
        """An item to read from, seek in and close; StorageFailed where it is not there."""

    def has(self, digest: str) -> bool:
        """Whether an item is there."""

    def delete(self, digest: str) -> None:
        """Remove an item; one that is not there is no error."""

    def digests(self) -> Iterator[str]:
        """Yield the digests of all items, sorted."""

    def sweep(self) -> None:
        """Remove what interrupted arrivals left."""


@dataclass(frozen=True)
class FolderShelf:
    """A folder of files `ab/cdef…`, private and durable."""

    folder: Path

    def place(self, digest: str) -> str:
        """The path of an item."""
        return str(self._path(digest))

    def slot(self) -> FolderSlot:
        """A file that arrives."""
        with storage_errors(self.folder):
            make_folder(self.folder)
            descriptor, name = mkstemp(prefix=_ARRIVING, dir=self.folder)
        return FolderSlot(descriptor, Path(name), self.folder)

    def open(self, digest: str) -> BinaryIO:
        """An item to read from."""
        path = self._path(digest)
        with storage_errors(path):
            return path.open("rb")

    def has(self, digest: str) -> bool:
        """Whether the file is there."""
        path = self._path(digest)
        with storage_errors(path):
            return path.is_file()

    def delete(self, digest: str) -> None:
        """Remove the file, durably."""
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
        """Remove what interrupted arrivals left; only while nobody else can be adding."""
        with storage_errors(self.folder):
            for left in self.folder.glob(f"{_ARRIVING}*"):
                left.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest[2:]


@dataclass
class FolderSlot:
    """A file in the shelf's folder, which is renamed when it is kept."""

    descriptor: int
    arriving: Path
    folder: Path

    def write(self, piece: bytes | memoryview) -> None:
        """Add bytes."""
        with storage_errors(self.arriving):
            write_all(self.descriptor, piece)

    def finish(self) -> None:
        """Return when all bytes are on the disk."""
        with storage_errors(self.arriving):
            os.fchmod(self.descriptor, FILE_MODE)
            sync_data(self.descriptor)
        self._close()

    def open(self) -> BinaryIO:
        """The bytes to read from."""
        with storage_errors(self.arriving):
            return self.arriving.open("rb")

    def keep(self, digest: str) -> None:
        """Rename it into its place, durably."""
        path = self.folder / digest[:2] / digest[2:]
        try:
            with storage_errors(path):
                make_folder(path.parent)
                os.replace(self.arriving, path)
                sync_folder(path.parent)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Remove the file, unless it was renamed."""
        self._close()
        self.arriving.unlink(missing_ok=True)

    def _close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
