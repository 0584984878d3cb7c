"""Where an export is written to: a folder or a zip file, whole or not at all, mode 0600."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from dsar.errors import UsageProblem
from dsar.keeping.backup import written_whole
from dsar.store.files import make_folder, open_private, storage_errors, sync_folder, write_all


class Sink(Protocol):
    """Takes files one after another."""

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Write one file under a relative name; return size and SHA-256."""


@contextmanager
def sink_for(target: Path, now: datetime) -> Iterator[Sink]:
    """Give a sink for `target`: a zip file where its name ends so, else a folder.

    Raises UsageProblem where something is there already, StorageFailed. What broke off in
    between leaves nothing.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UsageProblem(f"{target} exists already.", hint="Give a new name for each export.")
    if target.suffix.lower() == ".zip":
        with (written_whole(target) as descriptor, os.fdopen(os.dup(descriptor), "wb") as file,
              zipfile.ZipFile(file, "w") as packed):
            yield _Zip(packed, now)
        return
    with _folder(target) as fresh:
        yield _Folder(fresh)


@contextmanager
def _folder(target: Path) -> Iterator[Path]:
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with storage_errors(target):
        make_folder(fresh)
        try:
            yield fresh
            if target.exists():
                target.rmdir()
            os.rename(fresh, target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        path = self._root / name
        make_folder(path.parent)
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        digest, size = sha256(), 0
        try:
            for chunk in chunks:
                write_all(descriptor, chunk)
                digest.update(chunk)
                size += len(chunk)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return size, digest.hexdigest()


class _Zip:
    def __init__(self, packed: zipfile.ZipFile, now: datetime) -> None:
        self._packed, self._now = packed, now

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        info = zipfile.ZipInfo(name, self._now.timetuple()[:6])
        info.external_attr = 0o100600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        digest, size = sha256(), 0
        with self._packed.open(info, "w") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return size, digest.hexdigest()
