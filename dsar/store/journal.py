"""The journal file: what is appended is on the disk before `append` returns, or not in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dsar.errors import LedgerDamaged, StorageFailed
from dsar.store.files import (
    make_folder,
    open_private,
    storage_errors,
    sync_data,
    sync_folder,
    write_all,
)
from dsar.store.lines import BadLine, Lines, line_of

_APPEND = os.O_RDWR | os.O_APPEND


class Journal:
    """The lines of one file, read once when opened; the writer must hold the lock.

    dropped: bytes of an append that broke off before it was acknowledged, cut off on opening.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        """Read the file; raises LedgerDamaged with the line, StorageFailed with the path."""
        self.path, self.dropped, self.lines = path, 0, Lines()
        self._descriptor: int | None = None
        self._size, self._failed = 0, False
        with storage_errors(path):
            if write:
                self._open_for_writing()
            else:
                self._read_only()

    @property
    def is_open(self) -> bool:
        """Whether it can be appended to."""
        return self._descriptor is not None

    @property
    def size(self) -> int:
        """Bytes of the whole lines."""
        return self._size

    def append(self, bodies: Sequence[bytes]) -> Sequence[int]:
        """Add a batch of lines, all or none; return their numbers once they are on the disk.

        Raises StorageFailed, with the file as it was before, when that is not possible.
        """
        descriptor = self._writable()
        batch = self.lines.batch(bodies)
        data = b"".join(line + b"\n" for line, _ in batch)
        with storage_errors(self.path):
            self._check_length(descriptor)
            try:
                write_all(descriptor, data)
                sync_data(descriptor)
            except BaseException:  # also Ctrl-C: what raises was not acknowledged
                self._failed = True
                self._take_back(descriptor)
                raise
        # The length comes last: broken off before it, the next append sees another and refuses.
        for line, checked in batch:
            self.lines.take(line, checked)
        self._size += len(data)
        return range(len(self.lines.all) - len(batch) + 1, len(self.lines.all) + 1)

    def rewrite(self, bodies: Iterable[bytes]) -> None:
        """Replace the file by one with these lines, durably, and leave no old copy."""
        old = self._writable()
        new = _temporary(self.path)
        with storage_errors(self.path):
            fresh = _write_new(new, bodies)
            # From here on nothing may be appended to the old file, whatever goes wrong.
            self._descriptor = None
            try:
                os.replace(new, self.path)
                sync_folder(self.path.parent)
                self._load(self.path.read_bytes())
            except BaseException:
                os.close(fresh)
                new.unlink(missing_ok=True)
                raise
            finally:
                os.close(old)
            self._descriptor = fresh

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open_for_writing(self) -> None:
        make_folder(self.path.parent)
        _temporary(self.path).unlink(missing_ok=True)  # a rewrite broke off: it holds a copy
        new = not self.path.exists()
        self._descriptor = open_private(self.path, _APPEND | os.O_CREAT)
        try:
            if new:
                sync_folder(self.path.parent)
            self._settle_tail(self._load(self.path.read_bytes()))
        except BaseException:
            self.close()
            raise

    def _read_only(self) -> None:
        try:
            self._load(self.path.read_bytes())
        except FileNotFoundError:
            return
        except LedgerDamaged:  # perhaps a failed append was taken back while we read
            self._load(self.path.read_bytes())
        self._size -= self.lines.cut_batch()

    def _load(self, data: bytes) -> bytes:
        """Take the whole lines of `data`; return what stands behind the last line break.

        The last batch may lack lines: whoever opens the file decides what becomes of it.
        """
        *whole, tail = data.split(b"\n")
        lines = Lines()
        for number, line in enumerate(whole, start=1):
            try:
                lines.add(line)
            except BadLine as error:
                raise LedgerDamaged(f"{self.path}:{number}: {error}.") from None
        self.lines, self._size = lines, len(data) - len(tail)
        return tail

    def _settle_tail(self, tail: bytes) -> None:
        """Keep a last line that lacks only its line break; cut off a broken batch, and say so."""
        descriptor = self._writable()
        if tail and self._ends_batch(tail):
            write_all(descriptor, b"\n")
            self._size += len(tail) + 1
        elif tail or self.lines.more:
            cut = self.lines.cut_batch()
            self._size -= cut
            self.dropped = cut + len(tail)
            os.ftruncate(descriptor, self._size)
            logging.getLogger("dsar.store").warning(
                "%s: the last append broke off; its %d bytes were never acknowledged and are "
                "cut off.", self.path, self.dropped)
        else:
            return
        sync_data(descriptor)

    def _ends_batch(self, tail: bytes) -> bool:
        """Take the last line where it is whole, and its batch with it."""
        try:
            checked = self.lines.check(tail)
        except BadLine:
            return False
        if checked[3] == 0:
            self.lines.take(tail, checked)
        return checked[3] == 0

    def _writable(self) -> int:
        if self._descriptor is None:
            raise StorageFailed(f"{self.path}: is not open for writing.")
        return self._descriptor

    def _check_length(self, descriptor: int) -> None:
        """Cut off what a failed append left; raise StorageFailed when someone else wrote."""
        if self._failed:
            self._take_back(descriptor)
        if os.fstat(descriptor).st_size != self._size:
            raise StorageFailed(f"{self.path}: was changed by something else meanwhile.")
        self._failed = False

    def _take_back(self, descriptor: int) -> None:
        """Cut the file back to its last whole line; where that fails, the next append tries."""
        try:
            os.ftruncate(descriptor, self._size)
            sync_data(descriptor)
        except OSError:
            return


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write_new(path: Path, bodies: Iterable[bytes]) -> int:
    """Write a whole journal, durably; return it open for appending."""
    descriptor = open_private(path, _APPEND | os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.writelines(_chained(bodies))
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def _chained(bodies: Iterable[bytes]) -> Iterator[bytes]:
    crc = 0
    for body in bodies:
        line, crc = line_of(body, crc)
        yield line + b"\n"
