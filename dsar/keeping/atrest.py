"""Encryption at rest: a random key seals ledger and mail, a passphrase wraps that key.

sealed-key.json is written before anything is sealed, and goes when nothing is sealed any more.
While it is there, sealed and plain parts are both read; so whatever breaks off in the middle of
setting or removing a passphrase leaves a home that works, and the same command finishes it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from dsar.errors import StorageFailed
from dsar.home import Home, write_private
from dsar.keeping.backup import kdf_entry, kdf_from
from dsar.keeping.seal import (
    CannotUnseal,
    Scrypt,
    key_for,
    seal_bytes,
    seal_stream,
    unseal_bytes,
    unseal_stream,
)
from dsar.store.archive import CHUNK, Archive
from dsar.store.files import storage_errors, sync_folder
from dsar.store.sealing import MAGIC, CannotOpen, Locked
from dsar.store.tiny import TinyStore

SCHEMA = "dsar.sealed-key/1"
COST = 1 << 16
"""scrypt's `n`: 64 MiB and some tenths of a second at each command that needs the key."""
_SALT = 16


@dataclass(frozen=True, kw_only=True)
class KeyFile:
    """sealed-key.json. wrapped: the key of 32 bytes, sealed by the passphrase's.

    readable_status: what `status` needs stays plain. removing: nothing new is sealed.
    """

    kdf: Scrypt
    wrapped: bytes
    readable_status: bool
    removing: bool = False

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all. Raises StorageFailed."""
        content = {"schema": SCHEMA, "kdf": {"name": "scrypt"} | kdf_entry(self.kdf),
                   "wrapped": base64.b64encode(self.wrapped).decode(),
                   "readable_status": self.readable_status, "removing": self.removing}
        write_private(path, json.dumps(content, indent=1).encode())

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """Read the file; raises StorageFailed when it is not what was written."""
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            if found["schema"] != SCHEMA or found["kdf"]["name"] != "scrypt":
                raise ValueError("written by a newer dsar")
            return cls(kdf=kdf_from(found["kdf"]), removing=bool(found["removing"]),
                       wrapped=base64.b64decode(found["wrapped"], validate=True),
                       readable_status=bool(found["readable_status"]))
        except (OSError, ValueError, KeyError, TypeError, CannotUnseal):
            raise StorageFailed(f"{path}: cannot be read; without it nothing can be unsealed.",
                                hint="Restore this file from a backup.") from None


class Key:
    """The key of a home: keeps `dsar.store.sealing.Sealer`'s protocol."""

    def __init__(self, master: bytes, *, readable_status: bool, seals: bool) -> None:
        self._master, self._events = master, key_for(master, b"", b"dsar ledger 1")
        self._readable, self._seals = readable_status, seals

    @property
    def seals(self) -> bool:
        """Whether new events and mail are sealed."""
        return self._seals

    @property
    def readable_status(self) -> bool:
        """Whether what `status` needs is written plain."""
        return self._readable

    def seal(self, plain: bytes, bound: bytes) -> str:
        """Return a few bytes sealed, in base64."""
        return base64.b64encode(seal_bytes(self._events, plain, bound)).decode("ascii")

    def unseal(self, sealed: str, bound: bytes) -> bytes:
        """Undo `seal`; raises CannotOpen."""
        try:
            return unseal_bytes(self._events, base64.b64decode(sealed, validate=True), bound)
        except (CannotUnseal, ValueError, TypeError):
            raise CannotOpen("sealed with another key, or changed") from None

    def seal_item(self, chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        """Yield an item sealed: a line, 16 random bytes, and a stream under a key of its own."""
        head = MAGIC + os.urandom(_SALT)
        yield head
        yield from seal_stream(self._item_key(head), chunks, bound=head)

    def unseal_item(self, file: BinaryIO) -> Iterator[bytes]:
        """Undo `seal_item`; raises CannotOpen."""
        head = file.read(len(MAGIC) + _SALT)
        try:
            yield from unseal_stream(self._item_key(head), file.read, bound=head)
        except CannotUnseal:
            raise CannotOpen("sealed with another key, or changed") from None

    def _item_key(self, head: bytes) -> bytes:
        return key_for(self._master, head[len(MAGIC):], b"dsar archive 1")


def unlock(path: Path, passphrase: str) -> Key:
    """Return the key of a home. Raises CannotUnseal for a wrong passphrase, StorageFailed."""
    found = KeyFile.read(path)
    return Key(_master(found, passphrase), readable_status=found.readable_status,
               seals=not found.removing)


def set_passphrase(
    home: Home, store: TinyStore, passphrase: str, *, readable_status: bool, cost: int = COST
) -> int:
    """Seal ledger and mail; return how many mails were sealed now. The caller holds the locks.

    Where the passphrase is set already, this finishes what broke off, as it was wished then.
    """
    if not home.sealed_key.exists():
        _wrap(os.urandom(32), passphrase, readable_status, cost).write(home.sealed_key)
    key = unlock(home.sealed_key, passphrase)
    if not key.seals:  # a removal broke off, and is not wanted any more
        replace(KeyFile.read(home.sealed_key), removing=False).write(home.sealed_key)
        key = unlock(home.sealed_key, passphrase)
    store.reseal(key)
    return _convert(Archive(home.archive, key), sealed=True)


def change_passphrase(home: Home, old: str, new: str, *, cost: int = COST) -> None:
    """Wrap the same key with another passphrase. Raises CannotUnseal, StorageFailed.

    A copy of the old sealed-key.json, as in a backup, is still opened by the old passphrase.
    """
    found = KeyFile.read(home.sealed_key)
    fresh = _wrap(_master(found, old), new, found.readable_status, cost)
    replace(fresh, removing=found.removing).write(home.sealed_key)


def remove_passphrase(home: Home, store: TinyStore, passphrase: str) -> int:
    """Unseal ledger and mail; return how many mails were unsealed now. Run again, it finishes."""
    found = KeyFile.read(home.sealed_key)
    _master(found, passphrase)
    replace(found, removing=True).write(home.sealed_key)
    store.reseal(None)
    count = _convert(Archive(home.archive, unlock(home.sealed_key, passphrase)), sealed=False)
    with storage_errors(home.sealed_key):
        home.sealed_key.unlink()
        sync_folder(home.sealed_key.parent)
    return count


def unfinished(home: Home) -> str:
    """Return what a `passphrase set` or `remove` that broke off has left to do; "" for nothing."""
    if not home.sealed_key.exists():
        return ""
    if KeyFile.read(home.sealed_key).removing:
        return "removing the passphrase broke off"
    archive = Archive(home.archive)
    plain = sum(not archive.is_sealed(digest) for digest in archive.digests())
    return f"{plain} mails are not encrypted yet" if plain else ""


def _wrap(master: bytes, passphrase: str, readable_status: bool, cost: int) -> KeyFile:
    kdf = Scrypt(salt=os.urandom(32), n=cost)
    wrapped = seal_bytes(kdf.key(passphrase), master, _bound(readable_status))
    return KeyFile(kdf=kdf, wrapped=wrapped, readable_status=readable_status)


def _master(found: KeyFile, passphrase: str) -> bytes:
    key = found.kdf.key(passphrase)
    return unseal_bytes(key, found.wrapped, _bound(found.readable_status))


def _bound(readable_status: bool) -> bytes:
    """Nobody without the passphrase can make dsar write more of it plain."""
    return b"dsar sealed key 1, status " + (b"readable" if readable_status else b"sealed")


def _convert(archive: Archive, *, sealed: bool) -> int:
    """Write every item anew that is not as it shall be: verified, and one by one replaced.

    What is sealed for a member of a campaign stays so.
    """
    archive.sweep()
    wrong, done = [d for d in archive.digests() if archive.is_sealed(d) is not sealed], 0
    for digest in wrong:
        with suppress(Locked), archive.open(digest) as item:
            archive.add(iter(lambda: item.read(CHUNK), b""))
            done += 1
    return done
