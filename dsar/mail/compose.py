"""The exact bytes of an outgoing letter: headers, flowed text, attachments (RFC 5322, 2045).

The parts are put together by hand, because the standard library takes ten times as long as
the encoding itself; the tests read every kind of letter back with the standard library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from dsar.core.message import Address
from dsar.mail.wire import (
    Unsendable,
    address_on_the_wire,
    mailbox,
    refuse_control,
    shown,
    unstructured,
)

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_NAME = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}"  # RFC 6838, section 4.2
_TYPE = re.compile(rf"(?!message/|multipart/){_NAME}/{_NAME}")
_MAX_REFERENCES = 20


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a letter; `type` such as "application/pdf"."""

    name: str
    type: str
    content: bytes


def compose(
    subject: str,
    body: str,
    *,
    sender: Address,
    recipient: Address,
    message_id: str,
    date: datetime,
    reply_to: Address | None = None,
    attachments: Sequence[Attachment] = (),
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    copies: Sequence[Address] = (),
) -> bytes:
    """Return the message with CRLF lines, all of it ASCII unless an address is not.

    Equal arguments give equal bytes, so that what was approved is what is sent. Lines of the
    body may have any length: the text is flowed (RFC 3676) and comes out as it went in.
    Raises Unsendable for line breaks, control characters and addresses that are none.
    """
    boundary = "=_" + hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
    text = _text_part(body, boundary)
    headers = [
        f"Date: {format_datetime(_aware(date))}",
        f"From: {mailbox(sender, 'From')}",
        f"To: {mailbox(recipient, 'To')}",
        *(f"Cc: {mailbox(copy, 'Cc')}" for copy in copies[:1]),
        *([f"Reply-To: {mailbox(reply_to, 'Reply-To')}"] if reply_to else []),
        f"Subject: {unstructured(subject, 'Subject')}",
        f"Message-ID: {_own_id(message_id)}",
        *_thread(in_reply_to, references),
        "MIME-Version: 1.0",
    ]
    head = "\r\n".join(headers).encode() + b"\r\n"
    if not attachments:
        return head + text
    return head + _multipart(text, attachments, boundary)


def new_message_id(address: str) -> str:
    """A fresh Message-ID `<random@domain of the address>`; the letter's only one, so keep it."""
    domain = address_on_the_wire(address).rpartition("@")[2]
    return f"<{secrets.token_hex(16)}@{domain}>"


def _multipart(text: bytes, attachments: Sequence[Attachment], boundary: str) -> bytes:
    line = b"\r\n--" + boundary.encode()
    pieces = [b'Content-Type: multipart/mixed; boundary="%s"\r\n' % boundary.encode()]
    pieces += [line, b"\r\n", text]
    for attachment in attachments:
        pieces += [line, b"\r\n", _attachment_part(attachment)]
    return b"".join((*pieces, line, b"--\r\n"))


def _text_part(body: str, boundary: str) -> bytes:
    """7bit where that holds, else quoted-printable, or base64 where most letters need encoding."""
    flowed = "\r\n".join(_flowed(body)) + "\r\n"
    if "\0" in flowed or re.search("[\ud800-\udfff]", flowed):
        raise Unsendable("The text of the letter holds a character that is none.")
    raw = flowed.encode()
    charset = "us-ascii" if flowed.isascii() else "utf-8"
    plain = flowed.isascii() and boundary not in flowed
    if plain and max(map(len, flowed.split("\r\n"))) <= 998:  # RFC 5322, section 2.1.1
        encoding, content = "7bit", raw
    elif sum(byte > 127 for byte in raw) * 4 <= len(raw):
        encoding, content = "quoted-printable", _quoted_printable(raw)
    else:
        encoding, content = "base64", _base64_lines(raw)
    head = (
        f'Content-Type: text/plain; charset="{charset}"; format=flowed\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + content


def _quoted_printable(raw: bytes) -> bytes:
    return binascii.b2a_qp(raw, istext=True)


def _base64_lines(raw: bytes) -> bytes:
    return base64.encodebytes(raw).replace(b"\n", b"\r\n")


def _attachment_part(attachment: Attachment) -> bytes:
    if not _TYPE.fullmatch(attachment.type):
        raise Unsendable(f"{shown(attachment.type)} is no type of an attachment.")
    name = _file_name(attachment.name)
    head = (
        f"Content-Type: {attachment.type}\r\n"
        f"Content-Disposition: attachment;\r\n {name}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + _base64_lines(attachment.content)


def _file_name(name: str) -> str:
    """RFC 2231 for names beyond ASCII."""
    refuse_control(name, "The name of an attachment")
    if not name or len(name.encode("utf-8", "replace")) > 200 or set(name) & set('/\\"'):
        raise Unsendable(f"{shown(name)} is no name of an attachment.")
    return f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{quote(name, safe='')}"


def _flowed(body: str) -> Iterator[str]:
    """Lines of at most 72 characters where words allow; a trailing space means "goes on"."""
    for line in body.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"):
        fixed = line if line == "-- " else line.rstrip(" ")
        yield from map(_stuffed, _soft_lines(fixed))


def _soft_lines(line: str) -> Iterator[str]:
    while len(line) > 72:
        end = line.rfind(" ", 1, 71) + 1 or line.find(" ", 71) + 1
        if not end or line[:end] == "-- " or not line[:end].strip(" "):
            break
        yield line[:end]
        line = line[end:]
    yield line


def _stuffed(line: str) -> str:
    return f" {line}" if line.startswith((" ", ">", "From ")) else line


def _own_id(message_id: str) -> str:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Unsendable("The Message-ID is not usable.")
    return message_id


def _thread(in_reply_to: str | None, references: Sequence[str]) -> Iterator[str]:
    """Ids come from mail of strangers: what is no Message-ID is left out."""
    if in_reply_to and _MESSAGE_ID.fullmatch(in_reply_to):
        yield f"In-Reply-To: {in_reply_to}"
    usable = [each for each in references if _MESSAGE_ID.fullmatch(each)]
    if usable:  # the first and the newest are the ones that threads are built from
        newest = usable[1:][1 - _MAX_REFERENCES :]
        yield "References: " + "\r\n ".join((usable[0], *newest))


def _aware(date: datetime) -> datetime:
    if date.tzinfo is None:
        raise ValueError("the date of a letter needs its time zone")
    return date


