"""Private files that are on the disk before anyone relies on them: mode 0600 in folders 0700."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsar.errors import StorageFailed

FILE_MODE, FOLDER_MODE = 0o600, 0o700


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into StorageFailed that names the path."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{error.filename or path}: {error.strerror or error}.") from error


def make_folder(folder: Path) -> None:
    """Create a folder and what is missing above it, each 0700 whatever the umask, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(FOLDER_MODE)
    except FileExistsError:
        if folder.is_dir():  # another process was faster
            return
        raise
    folder.chmod(FOLDER_MODE)
    sync_folder(folder.parent)


def open_private(path: Path, flags: int) -> int:
    """Open a file, creating it where `flags` say so, and make it 0600 whatever the umask."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte; one write() may take only some of them."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def sync_data(descriptor: int) -> None:
    """Return when the bytes and the length of the file are on the disk."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync there leaves them in the drive's cache
    elif sys.platform == "linux":
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk: new, renamed and deleted files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
