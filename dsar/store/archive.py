"""The exact bytes of each mail, in and out, under their SHA-256."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from dsar.errors import StorageFailed
from dsar.store.files import storage_errors
from dsar.store.sealing import AGE, MAGIC, CannotOpen, Locked, Pieces, Sealer
from dsar.store.shelf import FolderShelf, Shelf, Slot

_DIGEST = re.compile(r"[0-9a-f]{64}")
FOR_MEMBERS = ("The keeper opens it: dsar campaign export ID MEMBER -o FOLDER. If that fails "
               "too, the file is damaged: restore it from a backup.")
CHUNK = 256 * 1024
"""Bytes read and written at a time: what a large item costs in memory."""


class Archive:
    """Items named by the SHA-256 (64 hexadecimal digits) of what they hold, on a shelf.

    Every method raises StorageFailed with the place when the medium does not do its part, and
    ValueError for what is no digest.
    """

    def __init__(self, shelf: Path | Shelf, sealer: Sealer | None = None) -> None:
        """shelf: a folder, or where else the bytes lie. sealer: has the key of an encrypted home
        or of a campaign; digests are always those of plain bytes."""
        self.shelf: Shelf = FolderShelf(shelf) if isinstance(shelf, Path) else shelf
        self._sealer = sealer

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
        slot = self.shelf.slot()
        try:
            digest = _copy(_chunks(data), slot, self._sealer)
        except BaseException:
            slot.drop()
            raise
        return Held(digest, slot, self)

    def read(self, digest: str) -> bytes:
        """Return an item, verified."""
        with self.open(digest) as item:
            return item.read()

    def open(self, digest: str) -> BinaryIO:
        """Return an item as a file to read from and close; it is verified first, in chunks."""
        item = self.shelf.open(_checked(digest))
        try:
            with _place_named(self.shelf.place(digest)):
                return self.plain(item, digest)
        except BaseException:
            item.close()
            raise

    def is_sealed(self, digest: str) -> bool:
        """Tell whether an item lies encrypted."""
        with self.shelf.open(_checked(digest)) as item, _place_named(self.shelf.place(digest)):
            return item.read(len(MAGIC)) == MAGIC and not _is(item, digest)

    def has(self, digest: str) -> bool:
        """Tell whether an item is there; it is not read."""
        return self.shelf.has(_checked(digest))

    def delete(self, digest: str) -> None:
        """Remove an item; one that is not there is no error, so that a deletion can be repeated."""
        self.shelf.delete(_checked(digest))

    def digests(self) -> Iterator[str]:
        """Yield the digests of all items, sorted."""
        return self.shelf.digests()

    def sweep(self) -> None:
        """Remove what an interrupted `add` left; call it only while nobody else can be adding."""
        self.shelf.sweep()

    def plain(self, item: BinaryIO, digest: str) -> BinaryIO:
        """Return the item to read from, once every byte of it is verified."""
        sealed = item.read(len(MAGIC)) == MAGIC
        if sealed and self._sealer and self._opens(item, digest, self._sealer):
            item.seek(0)
            return _Unsealed(item, self._sealer)
        if _is(item, digest):  # also a mail that happens to begin like a sealed one
            return item
        if sealed and _is_for_a_key(item):
            raise Locked("The message is sealed for a member of a campaign.", hint=FOR_MEMBERS)
        if sealed and self._sealer is None:
            raise Locked("The mail is encrypted.")
        raise StorageFailed(
            f"{self.shelf.place(digest)}: is damaged, its bytes are not those that were stored.",
            hint="Restore it from a backup; the mailbox may still have the message.",
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
    slot: Slot
    archive: Archive

    def chunks(self) -> Iterator[bytes]:
        """Yield its plain bytes, for another archive to keep."""
        with self.slot.open() as item, _place_named(self.digest):
            plain = self.archive.plain(item, self.digest)
            while chunk := plain.read(CHUNK):
                yield chunk

    def keep(self) -> None:
        """Take it into the archive, durably."""
        self.slot.keep(self.digest)

    def drop(self) -> None:
        """Remove it, unless it was kept."""
        self.slot.drop()


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


def _is_for_a_key(item: BinaryIO) -> bool:
    """Whether a sealed item is sealed to public keys (dsar.store.agekeys), not by a passphrase."""
    item.seek(0)
    begins = item.read(len(MAGIC) + len(AGE))
    item.seek(0)
    return begins == MAGIC + AGE


def _chunks(data: bytes | Iterable[bytes]) -> Iterator[bytes | memoryview]:
    if not isinstance(data, bytes | bytearray | memoryview):
        yield from data
        return
    view = memoryview(data)
    for start in range(0, len(view), CHUNK):
        yield view[start:start + CHUNK]


def _copy(
    chunks: Iterable[bytes | memoryview], slot: Slot, sealer: Sealer | None
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
        slot.write(piece)
    slot.finish()
    return digest.hexdigest()


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no SHA-256 in hexadecimal")
    return digest


def _place_named(place: str) -> AbstractContextManager[None]:
    """Errors of the medium while reading name the place."""
    return storage_errors(Path(place))
