"""A home as one encrypted file: a tar, compressed, then sealed in chunks as it is written.

    dsar backup 1 LF
    {"kdf":"scrypt","n":…,"p":1,"r":8,"salt":"…"} LF
    the sealed stream

The head is bound to the stream, so that a change in it is found as well.
"""

from __future__ import annotations

import base64
import json
import os
import tarfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from dsar.errors import LedgerDamaged, Temporary, UsageProblem
from dsar.home import Home, make_private_folder
from dsar.keeping.contents import LEDGER, MANIFEST, Item, Manifest, items, whole_lines
from dsar.keeping.seal import CannotUnseal, Scrypt, seal_stream
from dsar.store.files import open_private, storage_errors, sync_folder, write_all

MAGIC = b"dsar backup 1\n"
LONGEST_HEAD = 1000
PIECE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a backup holds: how many files with how many bytes; `size`: bytes of the backup."""

    files: int
    plain_bytes: int
    size: int


def back_up(
    home: Home, target: Path, passphrase: str, *, now: datetime, secrets: Collection[Path] = (),
    with_secrets: bool = False, cost: int = 1 << 17,
) -> Taken:
    """Write the whole home into `target` (mode 0600), whole or not at all, in flat memory.

    secrets: files with passwords; left out unless `with_secrets`. cost: scrypt's `n`. Another
    dsar may be at work: the copy holds what was acknowledged when it began. Raises
    StorageFailed, LedgerDamaged, UsageProblem for a target that exists, and Temporary where a
    file was replaced while it was read; the target is then not there.
    """
    if target.exists():
        raise UsageProblem(f"{target} exists already.", hint="Give a new name for each backup.")
    leave_out = {target, *(() if with_secrets else secrets)}
    with storage_errors(home.data_folder):
        prefix = _ledger_prefix(home)  # before the mail is listed: all it names is there by now
        listed = items(home, leave_out=leave_out, with_secrets=with_secrets)
    if not listed:
        raise UsageProblem("There is nothing to back up yet.", hint="dsar init")
    manifest = Manifest(now.isoformat(timespec="seconds"))
    kdf = Scrypt(salt=os.urandom(32), n=cost)
    head = head_of(MAGIC, kdf)
    with written_whole(target) as descriptor:
        write_all(descriptor, head)
        plain = _compressed(_tar_of(listed, manifest, prefix))
        for piece in seal_stream(kdf.key(passphrase), plain, bound=head):
            write_all(descriptor, piece)
        size = os.fstat(descriptor).st_size
    plain_bytes = sum(length for length, _ in manifest.files.values())
    return Taken(files=len(manifest.files), plain_bytes=plain_bytes, size=size)


def head_of(magic: bytes, kdf: Scrypt) -> bytes:
    """Return the two lines before a stream that a passphrase seals."""
    return magic + json.dumps({"kdf": "scrypt"} | kdf_entry(kdf)).encode() + b"\n"


def kdf_entry(kdf: Scrypt) -> dict[str, Any]:
    """The parameters as JSON values, the salt in base64."""
    return {"n": kdf.n, "r": kdf.r, "p": kdf.p, "salt": base64.b64encode(kdf.salt).decode()}


def kdf_from(entry: dict[str, Any]) -> Scrypt:
    """Read what `kdf_entry` wrote; raises CannotUnseal."""
    try:
        salt = base64.b64decode(entry["salt"], validate=True)
        return Scrypt(salt=salt, n=int(entry["n"]), r=int(entry["r"]), p=int(entry["p"]))
    except (ValueError, KeyError, TypeError):
        raise CannotUnseal("The description of the key is damaged.") from None


def read_head(file: BinaryIO, magic: bytes) -> tuple[bytes, Scrypt]:
    """Return the head and its parameters; raises CannotUnseal for a file that has none."""
    if file.read(len(magic)) != magic:
        raise CannotUnseal("This is no backup of dsar.",
                           hint="Give a file that `dsar backup` wrote.")
    line = file.readline(LONGEST_HEAD)
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or not line.endswith(b"\n") or entry.get("kdf") != "scrypt":
        raise CannotUnseal("The head of the file is damaged.")
    return magic + line, kdf_from(entry)


@contextmanager
def written_whole(target: Path) -> Iterator[int]:
    """Give a descriptor of a new file that becomes `target` (0600) when all went well."""
    make_private_folder(target.parent)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with storage_errors(target):
        descriptor = open_private(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            yield descriptor
            os.fsync(descriptor)
            os.replace(fresh, target)
            sync_folder(target.parent)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _ledger_prefix(home: Home) -> tuple[int, str] | None:
    """Size and SHA-256 of what the ledger had acknowledged; None where there is no ledger."""
    path = home.ledger / "ledger.jsonl"
    if not path.exists():
        return None
    try:
        return whole_lines(path)
    except LedgerDamaged:  # perhaps a failed append was taken back while we read
        return whole_lines(path)


def _tar_of(
    listed: Iterable[Item], manifest: Manifest, prefix: tuple[int, str] | None
) -> Iterator[bytes]:
    """Yield a tar of the items, and last the manifest, which is filled while they are read."""
    for item in listed:
        if item.name != LEDGER:
            yield from _member(item, manifest)
        elif prefix is not None:
            yield from _member(item, manifest, prefix=prefix)
    raw = manifest.to_bytes()
    yield _tar_header(MANIFEST, len(raw))
    yield raw + _padding(len(raw))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(
    item: Item, manifest: Manifest, *, prefix: tuple[int, str] | None = None
) -> Iterator[bytes]:
    """Yield header and content; `prefix` is the part of a growing file that counts."""
    digest = sha256()
    try:
        with item.path.open("rb") as file:
            size = prefix[0] if prefix else os.fstat(file.fileno()).st_size
            yield _tar_header(item.name, size)
            yield from _exact(file, size, digest, item)
    except FileNotFoundError:
        raise _changed(item) from None
    if prefix and prefix[1] != digest.hexdigest():
        raise _changed(item)
    manifest.files[item.name] = (size, digest.hexdigest())
    yield _padding(size)


def _exact(file: BinaryIO, size: int, digest: Any, item: Item) -> Iterator[bytes]:
    left = size
    while left:
        piece = file.read(min(PIECE, left))
        if not piece:
            raise _changed(item)
        digest.update(piece)
        left -= len(piece)
        yield piece


def _changed(item: Item) -> Temporary:
    return Temporary(f"{item.path} was changed by another dsar while it was read.")


def _tar_header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
