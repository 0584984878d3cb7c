"""Sealing to public keys: who seals cannot open, who has the key can, and nothing is changed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pyrage")

from dsar.store.agekeys import (
    RecipientSealer,
    new_pair,
    public_of,
    seal_to,
    seal_with_passphrase,
    unseal_with,
    unseal_with_passphrase,
)
from dsar.store.archive import Archive
from dsar.store.sealing import CannotOpen, Locked

ONE, OTHER = new_pair(), new_pair()


@settings(max_examples=30)
@given(st.binary(max_size=5000))
def test_what_is_sealed_to_two_keys_opens_with_either_and_with_no_third(plain: bytes) -> None:
    sealed = seal_to(plain, ONE.public, OTHER.public)
    assert unseal_with(sealed, ONE.secret) == unseal_with(sealed, OTHER.secret) == plain
    with pytest.raises(CannotOpen):
        unseal_with(sealed, new_pair().secret)


@given(st.binary(max_size=200), st.integers(0, 10_000))
@settings(max_examples=50)
def test_a_flipped_byte_is_found(plain: bytes, where: int) -> None:
    sealed = bytearray(seal_to(plain, ONE.public))
    sealed[where % len(sealed)] ^= 1
    with pytest.raises(CannotOpen):
        unseal_with(bytes(sealed), ONE.secret)


def test_what_is_sealed_for_one_event_does_not_open_as_another() -> None:
    sealer = RecipientSealer([ONE.public], [ONE.secret])
    sealed = sealer.seal(b"words", b"case#2")
    assert sealer.unseal(sealed, b"case#2") == b"words"
    with pytest.raises(CannotOpen):
        sealer.unseal(sealed, b"case#3")


@pytest.mark.parametrize("size", [0, 1, 100_000, 6_000_000])
def test_an_item_of_any_size_goes_through(size: int) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    plain = plain[:size]
    sealer = RecipientSealer([ONE.public], [ONE.secret])
    sealed = b"".join(sealer.seal_item(plain[i:i + 7000] for i in range(0, size, 7000)))
    assert plain[:50] not in sealed or size < 50
    assert b"".join(sealer.unseal_item(io.BytesIO(sealed))) == plain


def test_the_archive_keeps_an_answer_that_only_the_member_opens(tmp_path: Path) -> None:
    worker = Archive(tmp_path, RecipientSealer([ONE.public]))
    digest = worker.add(b"From: desk@acme.example\n\nall we hold")
    assert Archive(tmp_path, RecipientSealer([], [ONE.secret])).read(digest).endswith(b"we hold")
    with pytest.raises(Locked):
        worker.read(digest)
    with pytest.raises(Locked):
        Archive(tmp_path, RecipientSealer([], [OTHER.secret])).read(digest)
    assert not any(b"all we hold" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_key_sealed_with_a_passphrase_opens_with_this_passphrase_only() -> None:
    sealed = seal_with_passphrase(ONE.secret.encode(), "correct horse")
    assert unseal_with_passphrase(sealed, "correct horse").decode() == ONE.secret
    with pytest.raises(CannotOpen):
        unseal_with_passphrase(sealed, "wrong horse")


def test_a_secret_key_knows_its_public_one_and_is_never_shown() -> None:
    assert public_of(ONE.secret) == ONE.public
    assert ONE.secret not in repr(ONE)
    with pytest.raises(CannotOpen):
        public_of("AGE-SECRET-KEY-1NONSENSE")
