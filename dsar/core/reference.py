"""References that survive people: 7 characters of Crockford base32 and a check character."""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PATTERN = re.compile(
    r"DSAR[\s\-_‐-―]*([0-9A-Za-z]{4})[\s\-_‐-―]*([0-9A-Za-z]{4})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_PRIMITIVE = 0b100101  # x^5 + x^2 + 1 generates the field with 32 elements


def reference_from(entropy: bytes) -> str:
    """Return `DSAR-XXXX-XXXX` for 5 or more random bytes (35 bits are used).

    The check character detects every single wrong character and every swap of two.
    """
    number = int.from_bytes(entropy[:5], "big")
    digits = [(number >> (5 * i)) & 31 for i in range(7)]
    body = "".join(ALPHABET[d] for d in digits)
    return _grouped(body + check_character(body))


def check_character(body: str) -> str:
    """Return the check character of 7 characters: their sum in GF(32), each weighted by place."""
    total = 0
    for place, char in enumerate(body, start=1):
        total ^= _times(ALPHABET.index(char), place)
    return ALPHABET[total]


def canonical(text: str) -> str:
    """Return the reference as we print it: upper case, O→0, I and L→1, two groups."""
    plain = re.sub(r"[^0-9A-Z]", "", text.upper())
    plain = plain.removeprefix("DSAR") if len(plain) == 12 else plain
    return _grouped(plain.translate(_FOLD))


def find_references(text: str) -> tuple[str, ...]:
    """Return the canonical references that occur in `text`, in order, each once."""
    found = (canonical(f"{m.group(1)}{m.group(2)}") for m in _PATTERN.finditer(text))
    return tuple(dict.fromkeys(found))


def _grouped(plain: str) -> str:
    return f"DSAR-{plain[:4]}-{plain[4:]}"


def _times(value: int, power: int) -> int:
    for _ in range(power):
        value <<= 1
        if value & 32:
            value ^= _PRIMITIVE
    return value
