"""Sealing to a public key, in the age format: who writes can seal, and cannot open it again.

A campaign's workers file the answers of members whose contents they may not read. age
(age-encryption.org/v1) does that with X25519; anybody with the key can open a file with the
`age` program, without dsar.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from dsar.errors import NotSetUp
from dsar.store.sealing import MAGIC, CannotOpen, Locked, Pieces

CHUNK = 256 * 1024
_IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a sealed item kept in memory; a larger one goes through a file, sealed."""


@dataclass(frozen=True)
class KeyPair:
    """An X25519 key: `public` begins with `age1`, `secret` with `AGE-SECRET-KEY-1`."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair({self.public})"


def new_pair() -> KeyPair:
    """Return a key pair made of the system's randomness."""
    identity = _age().x25519.Identity.generate()
    return KeyPair(str(identity.to_public()), str(identity))


def public_of(secret: str) -> str:
    """Return the public key of a secret one; raises CannotOpen for what is no key."""
    return str(_identity(secret).to_public())


def seal_to(plain: bytes, *publics: str) -> bytes:
    """Return `plain` sealed, for each of the public keys to open; raises CannotOpen for no key."""
    return bytes(_age().encrypt(plain, [_recipient(key) for key in publics]))


def unseal_with(sealed: bytes, *secrets: str) -> bytes:
    """Undo `seal_to` with any of the secret keys that fits; raises CannotOpen."""
    age = _age()
    try:
        return bytes(age.decrypt(sealed, [_identity(s) for s in secrets]))
    except age.DecryptError as error:
        raise CannotOpen(f"sealed for another key, or changed: {error}") from None


def seal_with_passphrase(plain: bytes, passphrase: str) -> bytes:
    """Return `plain` sealed with a passphrase (scrypt), as `age -p` does."""
    return bytes(_age().passphrase.encrypt(plain, passphrase))


def unseal_with_passphrase(sealed: bytes, passphrase: str) -> bytes:
    """Undo `seal_with_passphrase`; raises CannotOpen."""
    age = _age()
    try:
        return bytes(age.passphrase.decrypt(sealed, passphrase))
    except age.DecryptError as error:
        raise CannotOpen(f"another passphrase, or changed: {error}") from None


class RecipientSealer:
    """A `dsar.store.sealing.Sealer` that seals to public keys; opens with the secrets it has."""

    readable_status = True
    seals = True

    def __init__(self, publics: Iterable[str], secrets: Iterable[str] = ()) -> None:
        self._publics, self._secrets = tuple(publics), tuple(secrets)

    def seal(self, plain: bytes, bound: bytes) -> str:
        """Return a few bytes sealed as ASCII; `bound` is sealed with them and compared later."""
        whole = len(bound).to_bytes(4, "big") + bound + plain
        return b64encode(seal_to(whole, *self._publics)).decode("ascii")

    def unseal(self, sealed: str, bound: bytes) -> bytes:
        """Undo `seal`; raises CannotOpen."""
        whole = unseal_with(b64decode(sealed), *self._secrets)
        size = int.from_bytes(whole[:4], "big")
        if whole[4:4 + size] != bound:
            raise CannotOpen("sealed elsewhere")
        return whole[4 + size:]

    def seal_item(self, chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        """Yield an item of any size sealed; it begins with `MAGIC`."""
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as sealed:
            reader = Pieces(bytes(chunk) for chunk in chunks)
            _age().encrypt_io(reader, sealed, [_recipient(key) for key in self._publics])
            sealed.seek(0)
            yield MAGIC
            while piece := sealed.read(CHUNK):
                yield piece

    def unseal_item(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the chunks of a sealed item; raises CannotOpen, Locked without a secret key."""
        if file.read(len(MAGIC)) != MAGIC:
            raise CannotOpen("is not sealed")
        if not self._secrets:
            raise Locked("The message is sealed to the member's key.")
        age = _age()
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as plain:
            try:
                age.decrypt_io(file, plain, [_identity(s) for s in self._secrets])
            except age.DecryptError as error:
                raise CannotOpen(f"sealed for another key, or changed: {error}") from None
            plain.seek(0)
            while piece := plain.read(CHUNK):
                yield piece


def _age() -> Any:
    try:
        import pyrage
    except ImportError:
        raise NotSetUp("Campaigns need the library pyrage.",
                       hint="pip install 'dsar-cli[campaign]'") from None
    return pyrage


def _identity(secret: str) -> Any:
    age = _age()
    try:
        return age.x25519.Identity.from_str(secret.strip())
    except age.IdentityError:
        raise CannotOpen("this is no age secret key") from None


def _recipient(public: str) -> Any:
    age = _age()
    try:
        return age.x25519.Recipient.from_str(public.strip())
    except age.RecipientError:
        raise CannotOpen(f"{public!r} is no age public key") from None
