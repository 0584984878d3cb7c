"""A backup back into an empty home: unpacked beside it, verified whole, then put in its place.

Nothing of the home exists before everything is verified, and then it appears by a rename. Where
configuration and data have a folder each there are two renames; a run that died between them is
completed by running the same command again.

How far each mailbox was read does not come back: a backup that was taken during a poll can know
it of mail that its ledger does not have. The next poll looks at everything, and knows by
Message-ID and digest what is filed.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import IO, NoReturn

from dsar.errors import AnotherAtWork, UsageProblem
from dsar.home import Home, write_private
from dsar.keeping.backup import MAGIC, PIECE, read_head
from dsar.keeping.contents import MANIFEST, Manifest, is_empty, place
from dsar.keeping.seal import CannotUnseal, unseal_stream
from dsar.store.archive import Archive
from dsar.store.files import (
    make_folder,
    open_private,
    storage_errors,
    sync_data,
    sync_folder,
    write_all,
)
from dsar.store.sealing import Locked, Pieces
from dsar.store.tiny import TinyStore

VERIFIED = ".verified"


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What is back. missing: mail that the ledger names and the backup did not have.

    sealed: whether the ledger is encrypted, so that only its checksums were verified.
    """

    taken_at: str
    files: int
    cases: int = 0
    mails: int = 0
    missing: tuple[str, ...] = ()
    sealed: bool = False


def restore(source: Path, home: Home, passphrase: Callable[[], str]) -> Restored:
    """Bring the home of a backup back, verified, or leave everything as it was.

    Raises UsageProblem for a home that is not empty, CannotUnseal for a wrong passphrase or a
    damaged backup, StorageFailed for a disk that does not do its part, AnotherAtWork when
    another restore of this home is running.
    """
    with _alone(home):
        if (finished := _completed_earlier(home)) is not None:
            return finished
        if not is_empty(home):
            raise UsageProblem(f"{home.data_folder} is not empty; nothing is overwritten.",
                               hint="Restore with --home into a folder that does not exist yet.")
        staged = _staged(home)
        _remove_stages(home)
        try:
            manifest = _unpack(source, staged, passphrase)
            found = _verified(staged, manifest)
            _forget_how_far_was_read(staged)
            _mark(staged, found)
            _put_in_place(home)
        except BaseException:
            if staged.data_folder.exists():  # else half of it is in place: the rest must stay
                _remove_stages(home)
            raise
    return found


def _stage(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.restoring")


def _staged(home: Home) -> Home:
    config, data = _stage(home.config_folder), _stage(home.data_folder)
    return Home(config, data, home.cache_folder)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = _stage(home.data_folder).with_suffix(".lock")
    with storage_errors(path):
        make_folder(path.parent)
        lock = FileLock(path, timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise AnotherAtWork(f"Another restore into {home.data_folder} is running.") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def _unpack(source: Path, staged: Home, passphrase: Callable[[], str]) -> Manifest:
    """Unpack into the staged folders and compare every file with the manifest."""
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    with storage_errors(source), source.open("rb") as file:
        head, kdf = read_head(file, MAGIC)
        pieces = _plain(unseal_stream(kdf.key(passphrase()), file.read, bound=head))
        stream: IO[bytes] = BufferedReader(Pieces(pieces), PIECE)
        try:
            for name, size, content in _members(stream):
                if name == MANIFEST:
                    manifest = Manifest.from_bytes(content.read())
                elif manifest is None and name not in found:
                    found[name] = (size, _write(staged, name, content))
            while stream.read(PIECE):
                pass  # only the last chunk tells that nothing is missing
        except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise CannotUnseal(f"The backup is damaged inside: {type(error).__name__}.") from None
    if manifest is None or manifest.files != found:
        raise CannotUnseal("The backup does not hold what it says; it is damaged.")
    return manifest


def _members(stream: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=PIECE) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if not member.isreg() or content is None:
                raise ValueError(f"{member.name!r} is no file")
            yield member.name, member.size, content


def _plain(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Undo the compression; what stands behind it is damage."""
    unpacker = zlib.decompressobj()
    for piece in pieces:
        while piece:
            try:
                yield unpacker.decompress(piece, PIECE)
            except zlib.error:
                raise CannotUnseal("The backup is damaged inside.") from None
            piece = unpacker.unconsumed_tail
    yield unpacker.flush()
    if not unpacker.eof or unpacker.unused_data:
        raise CannotUnseal("The backup is damaged inside.")


def _write(staged: Home, name: str, content: IO[bytes]) -> str:
    """Write one file, durably, mode 0600; return its SHA-256."""
    root, below = place(staged, name)
    path = root / below
    with storage_errors(path):
        make_folder(path.parent)
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            digest = sha256()
            while piece := content.read(PIECE):
                digest.update(piece)
                write_all(descriptor, piece)
            sync_data(descriptor)
        finally:
            os.close(descriptor)
    return digest.hexdigest()


def _verified(staged: Home, manifest: Manifest) -> Restored:
    """Read the ledger and every mail as dsar reads them. Raises StorageFailed for damage."""
    sealed = staged.sealed_key.exists()
    store = TinyStore(staged.ledger, write=False, now=_never, author="restore")
    archive = Archive(staged.archive)
    digests = set(archive.digests())
    known = Restored(taken_at=manifest.taken_at, files=len(manifest.files), mails=len(digests),
                     sealed=sealed)
    try:
        if sealed:  # what it says can be read with its own passphrase only
            return known
        cases, named = 0, set()
        for case in store.cases():
            cases += 1
            named |= {d for e in store.events(case.id) if (d := getattr(e.event, "digest", ""))}
        named |= set(store.house().waiting)
    finally:
        store.close()
    for digest in digests:
        with suppress(Locked):  # sealed for a member of a campaign: the keeper alone can tell
            archive.open(digest).close()
    return Restored(**(vars(known) | {"cases": cases, "missing": tuple(sorted(named - digests))}))


def _never() -> NoReturn:
    raise AssertionError("nothing is recorded while verifying")


def _forget_how_far_was_read(staged: Home) -> None:
    """Leave of `cursors.json` the messages that could not be read, which no reading finds filed."""
    try:
        troubles = json.loads(staged.cursors.read_bytes())["troubles"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        troubles = []
    with storage_errors(staged.cursors):
        staged.cursors.unlink(missing_ok=True)
    if troubles:
        write_private(staged.cursors, json.dumps({"troubles": troubles}, indent=1).encode())


def _mark(staged: Home, found: Restored) -> None:
    """From here on the staged folders are whole and verified; each says what they hold."""
    for folder in {staged.config_folder, staged.data_folder}:
        write_private(folder / VERIFIED, json.dumps(vars(found)).encode())


def _put_in_place(home: Home) -> None:
    """The folders, once what a campaign's import kept of an earlier home is gone."""
    with storage_errors(home.cache_folder):
        for path in home.cache_folder.glob("campaign-*.json"):
            path.unlink(missing_ok=True)
    for folder in dict.fromkeys((home.data_folder, home.config_folder)):
        _replace_empty(_stage(folder), folder, home)


def _replace_empty(stage: Path, folder: Path, home: Home) -> None:
    """Rename the stage to a folder that holds caches and locks at the most."""
    with storage_errors(folder):
        if folder.exists():
            if home.cache_folder.is_relative_to(folder):
                shutil.rmtree(home.cache_folder, ignore_errors=True)
            for lock in folder.rglob("*.lock"):
                lock.unlink(missing_ok=True)
            _remove_empty(folder)
        make_folder(folder.parent)
        os.rename(stage, folder)
        sync_folder(folder.parent)
        (folder / VERIFIED).unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    """Remove a folder of empty folders; an OSError when there is a file in it after all."""
    for below, _, _ in os.walk(folder, topdown=False):
        os.rmdir(below)


def _completed_earlier(home: Home) -> Restored | None:
    """Finish a restore that died between its two renames: the data are there, verified."""
    config, data = _stage(home.config_folder), _stage(home.data_folder)
    if config == data or not (config / VERIFIED).exists() or data.exists():
        return None
    found = json.loads((config / VERIFIED).read_bytes())
    _replace_empty(config, home.config_folder, home)
    (home.data_folder / VERIFIED).unlink(missing_ok=True)
    return Restored(**found | {"missing": tuple(found["missing"])})


def _remove_stages(home: Home) -> None:
    for folder in {home.config_folder, home.data_folder}:
        shutil.rmtree(_stage(folder), ignore_errors=True)
