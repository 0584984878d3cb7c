"""The keys of a campaign: who may see who the members are, and who may read their answers.

    sending.key      opens identities and letters; whoever plans or sends needs it
    content.key.age  opens every member's own key; sealed with a passphrase, for the one keeper
    blind.key        finds the same person again without saying who it is

Answers are sealed to the member's own key as they arrive. A worker can therefore file them and
not read them again; the keeper can, and the member, to whom the key belongs.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from dsar.errors import NotSetUp, UsageProblem
from dsar.home import write_private
from dsar.store.agekeys import (
    KeyPair,
    RecipientSealer,
    new_pair,
    public_of,
    seal_to,
    seal_with_passphrase,
    unseal_with,
    unseal_with_passphrase,
)

SENDING, CONTENT, BLIND = "sending.key", "content.key.age", "blind.key"


@dataclass(frozen=True)
class Keyring:
    """What a planner or worker has; `secret` opens identities and letters."""

    public: str
    secret: str = field(repr=False)
    blind: bytes = field(repr=False)

    @property
    def letters(self) -> RecipientSealer:
        """Seals and opens the letters of the campaign, for its archive."""
        return RecipientSealer([self.public], [self.secret])

    def open(self, sealed: str, bound: bytes) -> bytes:
        """An identity as it was sealed to the sending key; raises CannotOpen."""
        return self.letters.unseal(sealed, bound)

    def blinded(self, address: str) -> str:
        """The keyed digest of a mail address, the same for every way to write it."""
        plain = address.strip().casefold().encode()
        return hmac.new(self.blind, plain, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class NewKeys:
    """What `make_keys` wrote: the public halves, for the campaign's first event."""

    sending: str
    content: str


def make_keys(folder: Path, passphrase: str, entropy: bytes) -> NewKeys:
    """Make the keys of a campaign in its folder, each 0600.

    passphrase: of the keeper, seals the content key. entropy: 32 random bytes. Raises
    UsageProblem where there are keys already, and for an empty passphrase.
    """
    if (folder / SENDING).exists():
        raise UsageProblem(f"{folder}: has keys already.", hint="Choose another campaign id.")
    if not passphrase:
        raise UsageProblem("The passphrase of the content key is empty.")
    sending, content = new_pair(), new_pair()
    write_private(folder / CONTENT, seal_with_passphrase(content.secret.encode(), passphrase))
    write_private(folder / BLIND, entropy)
    write_private(folder / SENDING, sending.secret.encode() + b"\n")
    return NewKeys(sending.public, content.public)


def load_keyring(folder: Path) -> Keyring:
    """Read what planning and sending need. Raises NotSetUp where it is not on this machine."""
    try:
        secret = (folder / SENDING).read_text("ascii").strip()
        blind = (folder / BLIND).read_bytes()
    except OSError as error:
        raise NotSetUp(
            f"{folder}: the campaign's keys are not here ({error.strerror}).",
            hint=f"Copy {SENDING} and {BLIND} from the machine on which it was begun.") from None
    return Keyring(public_of(secret), secret, blind)


def open_content_key(path: Path, passphrase: str) -> str:
    """Return the keeper's secret key, from wherever the keeper has the file.

    Raises NotSetUp, CannotOpen for another passphrase.
    """
    try:
        sealed = path.read_bytes()
    except OSError:
        raise NotSetUp(f"{path}: is not on this machine.",
                       hint="The keeper of the campaign has it.") from None
    return unseal_with_passphrase(sealed, passphrase).decode("ascii")


@dataclass(frozen=True)
class MemberKey:
    """The key answers of one member are sealed to, and its secret half sealed to the keeper."""

    public: str
    sealed_secret: str


def new_member_key(content_public: str) -> MemberKey:
    """Make a member's key; the secret half is kept for the keeper alone."""
    pair = new_pair()
    return MemberKey(pair.public, sealed_text(pair.secret.encode(), content_public))


def sealed_text(plain: bytes, public: str) -> str:
    """A few bytes sealed to a public key, as hexadecimal text."""
    return seal_to(plain, public).hex()


def member_pair(public: str, sealed_secret: str, content_secret: str) -> KeyPair:
    """Open a member's key with the keeper's. Raises CannotOpen."""
    secret = unseal_with(bytes.fromhex(sealed_secret), content_secret).decode("ascii")
    return KeyPair(public, secret)
