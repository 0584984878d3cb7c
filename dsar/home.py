"""Where everything of one user lies: configuration, people, ledger, archive, caches."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dsar.errors import AnotherAtWork, StorageFailed


@dataclass(frozen=True)
class Home:
    """The folders of one user; with `DSAR_HOME` both are the same."""

    config_folder: Path
    data_folder: Path
    cache_folder: Path

    @classmethod
    def find(cls, chosen: str | None, environment: Mapping[str, str]) -> Home:
        """The folder named by `--home` or DSAR_HOME, else the platform's own folders."""
        named = chosen or environment.get("DSAR_HOME")
        if named:
            root = Path(named).expanduser().absolute()
            return cls(root, root, root / "cache")
        import platformdirs

        return cls(platformdirs.user_config_path("dsar"), platformdirs.user_data_path("dsar"),
                   platformdirs.user_cache_path("dsar"))

    @property
    def config(self) -> Path:
        """config.yaml: accounts and the chosen companies."""
        return self.config_folder / "config.yaml"

    @property
    def people(self) -> Path:
        """people.yaml: who the letters are for."""
        return self.config_folder / "people.yaml"

    @property
    def overlay(self) -> Path:
        """The user's own additions to the registry."""
        return self.config_folder / "companies.local.yaml"

    @property
    def pulled(self) -> Path:
        """The folder of public lists as pulled."""
        return self.data_folder / "registry"

    @property
    def ledger(self) -> Path:
        """The folder of the embedded store."""
        return self.data_folder / "ledger"

    @property
    def archive(self) -> Path:
        """The folder of raw mail, by SHA-256."""
        return self.data_folder / "archive"

    @property
    def cursors(self) -> Path:
        """How far each mailbox was read: a cache."""
        return self.data_folder / "cursors.json"

    @property
    def heartbeat(self) -> Path:
        """When mail was last fetched with success, and what was told: a cache."""
        return self.data_folder / "heartbeat.json"

    @property
    def templates(self) -> Path:
        """The user's own letter templates, searched before ours."""
        return self.config_folder / "templates" / "letters"

    @property
    def tag_key(self) -> Path:
        """The random key that makes reply addresses unguessable."""
        return self.data_folder / "reply-tag.key"

    @property
    def campaigns(self) -> Path:
        """The folder of campaigns: each has a folder of its own with its keys."""
        return self.data_folder / "campaigns"

    @property
    def tombstones(self) -> Path:
        """Salted hashes of forgotten requests, for the rail `duplicate`."""
        return self.data_folder / "tombstones.json"

    @property
    def sealed_key(self) -> Path:
        """The wrapped key of an encrypted home; where it is missing, the home is not encrypted."""
        return self.data_folder / "sealed-key.json"

    def create(self) -> None:
        """Make the folders, readable by the user alone. Raises StorageFailed."""
        for folder in (self.config_folder, self.data_folder):
            make_private_folder(folder)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the lock of a command that sends or fetches. Raises AnotherAtWork."""
        self.create()
        path = self.data_folder / "dsar.lock"
        try:
            release = _flock(path) or _file_lock(path)
        except TimeoutError:
            raise AnotherAtWork(f"Another dsar is at work in {self.data_folder}.") from None
        except OSError as error:
            raise StorageFailed(f"{self.data_folder}: {error.strerror}.") from error
        try:
            yield
        finally:
            release()


def _flock(path: Path) -> Callable[[], None] | None:
    """Take a lock file as filelock does where it can; returns what releases it.

    None where the system has no such lock. Raises TimeoutError where another holds it, OSError.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise TimeoutError from None
        if error.errno == errno.ENOSYS:
            return None
        raise
    return partial(os.close, descriptor)


def _file_lock(path: Path) -> Callable[[], None]:
    """The same by filelock, which costs a poll more time than the rest of its start."""
    from filelock import FileLock

    lock = FileLock(path, mode=0o600)
    lock.acquire(timeout=0)
    return lock.release


def make_private_folder(folder: Path) -> None:
    """Create `folder` with mode 0700 whatever the umask. Raises StorageFailed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"{folder}: {error.strerror}.") from error


def write_private(
    path: Path, content: bytes | Iterable[bytes], *, durable: bool = True
) -> None:
    """Write a file with mode 0600, whole or not at all: temp file, fsync, rename, folder fsync.

    content: the bytes, or piece after piece where they are many.
    durable: False leaves out both fsync, for a cache that a power failure may take away.
    Raises StorageFailed naming the path; the old content is then still there.
    """
    make_private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(fresh, path)
        if durable:
            _sync_folder(path.parent)
    except BaseException as error:
        fresh.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageFailed(f"{path}: {error.strerror}.") from error
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
