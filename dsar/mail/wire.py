"""Names, addresses and subjects as they stand in a mail header, with nothing smuggled in."""

from __future__ import annotations

import base64
import re
import unicodedata

from dsar.core.message import Address
from dsar.errors import DsarError

_LINE = 76  # of 78 characters; an encoded word may not make a line longer (RFC 2047, section 2)
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ATOM = r"[^\s()<>\[\]:;@\\,.\"\x00-\x20\x7f]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


class Unsendable(DsarError):
    """A letter cannot be written as mail: an address, a header or a name is not usable."""

    exit_status = 6
    hint = "Correct the company's or your own entry; nothing was sent."


def address_on_the_wire(address: str) -> str:
    """An address as SMTP takes it: the domain in ASCII (RFC 5890), the local part as it is.

    Raises Unsendable, also for a domain that the old mapping of IDNA would turn into
    another one (ß into ss): such a letter would reach someone else.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode()) > 64 or len(address) > 254:
        raise Unsendable(f"{shown(address)} is no e-mail address.")
    if any(unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp") for ch in address):
        raise Unsendable(f"{shown(address)} holds a character that cannot be seen.")
    ascii_domain = _ascii_domain(domain)
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Unsendable(f"{shown(address)} is no e-mail address: the domain is not one.")
    return f"{local}@{ascii_domain}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    plain = unicodedata.normalize("NFC", domain).lower()
    try:
        wire = plain.encode("idna").decode("ascii")
        same = wire.encode("ascii").decode("idna") == plain
    except UnicodeError:
        raise Unsendable(f"{shown(domain)} is no domain.") from None
    if not same:
        raise Unsendable(f"The domain {shown(domain)} must be written in its xn-- form.")
    return wire


def mailbox(address: Address, header: str) -> str:
    """A display name and address; `header` is the name of the field they stand in."""
    addr = address_on_the_wire(address.addr)
    if not address.name:
        return addr
    refuse_control(address.name, f"The name in {header}")
    if _PHRASE.fullmatch(address.name) and "=?" not in address.name:
        name = address.name
    elif address.name.isascii() and "=?" not in address.name:
        escaped = address.name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    else:
        name = _encoded_words(address.name, len(header) + 2)
    too_long = len(header) + len(name.rpartition("\n")[2]) + len(addr) + 5 > _LINE
    return f"{name}{chr(13) + chr(10) if too_long else ''} <{addr}>"


def unstructured(text: str, header: str) -> str:
    """Plain ASCII folded at spaces, everything else as encoded words (RFC 2047)."""
    refuse_control(text, f"The {header.lower()}")
    words = text.split(" ")
    if not text.isascii() or "=?" in text or "" in words or max(map(len, words)) > 60:
        return _encoded_words(text, len(header) + 2)
    lines, room = [""], _LINE - len(header) - 2
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = _LINE - 1
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _encoded_words(text: str, used: int) -> str:
    """Base64 words, cut between characters, each on a line of its own."""
    words, rest, room = [], text, (_LINE - used - 12) // 4 * 3
    while rest:
        taken = min(len(rest), room)
        while len(rest[:taken].encode()) > room:
            taken -= 1
        words.append(base64.b64encode(rest[:taken].encode()).decode())
        rest, room = rest[taken:], 45
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def refuse_control(text: str, what: str) -> None:
    """Line breaks would let a text write headers; the rest has no business in one."""
    if any(unicodedata.category(ch) in ("Cc", "Cs", "Zl", "Zp") for ch in text):
        raise Unsendable(f"{what} holds a line break or another control character.")


def shown(text: str) -> str:
    """A text for an error message: short, and with nothing that could disturb a terminal."""
    return ascii(text[:80])
