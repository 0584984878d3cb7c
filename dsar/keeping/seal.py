"""Authenticated encryption: a key from a passphrase, and streams in chunks of 64 KiB.

A stream is sealed as in "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (Hoang, Reyhanitabar, Rogaway, Vizár 2015), STREAM: each chunk with
AES-256-GCM under a nonce of its number (11 bytes) and a last byte that is 1 for the last chunk.
So a changed, missing, moved or added chunk is found. No key seals two streams.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dsar.errors import DsarError

CHUNK = 64 * 1024
"""Bytes of plain text in each chunk but the last: what a stream of any length costs in memory."""
TAG = 16
MOST_MEMORY = 1 << 20
"""Largest scrypt `n` taken from a file: 1 GiB with r = 8."""


class CannotUnseal(DsarError):
    """A wrong passphrase, or bytes that are not those that were sealed."""

    hint = "Check the passphrase. If it is right, the file is damaged: use another copy."


@dataclass(frozen=True, kw_only=True)
class Scrypt:
    """How a key of 32 bytes comes from a passphrase (RFC 7914): `n`, `r`, `p` and 32 bytes salt."""

    salt: bytes
    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def key(self, passphrase: str) -> bytes:
        """Return the key. Raises CannotUnseal for costs that no dsar has written."""
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt as Kdf

        fair = self.r == 8 and 1 <= self.p <= 16 and len(self.salt) == 32
        if not (fair and 2 <= self.n <= MOST_MEMORY and self.n & (self.n - 1) == 0):
            raise CannotUnseal("The file asks for a key that dsar never makes; it is damaged.")
        kdf = Kdf(salt=self.salt, length=32, n=self.n, r=self.r, p=self.p)
        return kdf.derive(passphrase.encode("utf-8", "surrogateescape"))


def key_for(master: bytes, salt: bytes, purpose: bytes) -> bytes:
    """Return the key of one stream: HKDF-SHA256 (RFC 5869) of a master key, 32 bytes."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(master)


def seal_stream(
    key: bytes, chunks: Iterable[bytes | memoryview], *, bound: bytes
) -> Iterator[bytes]:
    """Yield `chunks`, of any sizes, sealed. bound: must be the same when unsealing; not hidden."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key)
    waiting, number = bytearray(), 0
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > CHUNK:  # the last one is not known to be that before the end
            yield cipher.encrypt(_nonce(number, last=False), bytes(waiting[:CHUNK]), bound)
            del waiting[:CHUNK]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), bound)


def unseal_stream(key: bytes, read: Callable[[int], bytes], *, bound: bytes) -> Iterator[bytes]:
    """Yield the plain chunks of what `read(count)` returns, each one verified.

    Raises CannotUnseal for a wrong key, at the first chunk, and at the first chunk that was
    changed or is missing. Only who has read to the end knows that it is whole.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, number = AESGCM(key), 0
    ahead = _exactly(read, CHUNK + TAG)
    while True:
        sealed, ahead = ahead, _exactly(read, CHUNK + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not ahead), sealed, bound)
        except (InvalidTag, ValueError):
            where = f"damaged near byte {number * (CHUNK + TAG)}" if number else (
                "sealed with another passphrase, or damaged")
            raise CannotUnseal(f"Cannot be unsealed: {where}.") from None
        if not ahead:
            return
        number += 1


def seal_bytes(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return a few bytes sealed, under a random nonce of 12 bytes, which comes first.

    NIST SP 800-38D, section 8.3: one key seals fewer than 2^32 of them.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def unseal_bytes(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Undo `seal_bytes`. Raises CannotUnseal."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound)
    except (InvalidTag, ValueError):
        raise CannotUnseal("The passphrase is wrong, or what it opens is damaged.") from None


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    """Read until `count` bytes are there or nothing more comes."""
    got = bytearray()
    while len(got) < count and (more := read(count - len(got))):
        got += more
    return bytes(got)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
