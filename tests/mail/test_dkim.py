"""DKIM signatures are checked again with keys that are given, and nothing is looked up."""

from __future__ import annotations

import base64

import pytest

from dsar.errors import UsageProblem
from dsar.mail.dkim import check_signatures, read_keys

dkim = pytest.importorskip("dkim")
NAME = "s1._domainkey.acme.example"
RAW = (b"From: Acme <privacy@acme.example>\r\nTo: alex@example.org\r\nSubject: Answer\r\n"
       b"Message-ID: <2@acme.example>\r\n\r\nWe refuse your request.\r\n")


@pytest.fixture(scope="module")
def private_key() -> bytes:
    """A key made here, as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.TraditionalOpenSSL,
                             serialization.NoEncryption())


@pytest.fixture(scope="module")
def signed(private_key: bytes) -> tuple[bytes, str]:
    """A message signed with that key, and the text of the key's record."""
    from cryptography.hazmat.primitives import serialization

    pem = private_key
    key = serialization.load_pem_private_key(pem, None)
    public = key.public_key().public_bytes(serialization.Encoding.DER,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)
    head = dkim.sign(RAW, b"s1", b"acme.example", pem)
    return head + RAW, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def test_a_signature_holds_with_its_key_and_fails_for_changed_words(
    signed: tuple[bytes, str]
) -> None:
    raw, key = signed
    (found,) = check_signatures(raw, {NAME: key})
    assert (found.domain, found.selector, found.result) == ("acme.example", "s1", "pass")
    (changed,) = check_signatures(raw.replace(b"refuse", b"accept"), {NAME: key})
    assert changed.result == "fail"


def test_a_signature_over_the_beginning_only_says_so(private_key: bytes, signed: tuple[bytes, str]
                                                     ) -> None:
    _, key = signed
    head = dkim.sign(RAW, b"s1", b"acme.example", private_key, length=True)
    (found,) = check_signatures(head + RAW + b"And we never had your data.\r\n", {NAME: key})
    assert found.result == "pass, beginning only"


def test_without_a_key_nothing_is_looked_up(signed: tuple[bytes, str]) -> None:
    assert [s.result for s in check_signatures(signed[0], {})] == ["no key given"]
    assert check_signatures(RAW, {}) == ()


def test_a_mangled_signature_is_a_failure_and_no_crash(signed: tuple[bytes, str]) -> None:
    raw, key = signed
    for bad in (raw.replace(b" b=", b" x=", 1), raw.replace(b"a=rsa-sha256", b"a=none", 1),
                b"DKIM-Signature: v=1; d=acme.example; s=s1\r\n" + RAW):
        assert [s.result for s in check_signatures(bad, {NAME: key})] == ["fail"]


def test_keys_are_read_from_lines_of_name_and_text() -> None:
    assert read_keys(f"# keys\n{NAME}. v=DKIM1; p=abc\n\n") == {NAME: "v=DKIM1; p=abc"}
    with pytest.raises(UsageProblem, match="line 1"):
        read_keys("acme.example something")
