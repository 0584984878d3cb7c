"""The text and the attachments of a MIME tree, tolerant of everything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.message import Message as Mime

from dsar.core.message import Part
from dsar.mail import budget
from dsar.mail.headers import clean, decoded
from dsar.mail.html import html_text
from dsar.mail.tnef import tnef_text

_TRANSPORT = ("message/delivery-status", "message/disposition-notification",
              "message/feedback-report", "text/rfc822-headers", "message/global-delivery-status",
              "message/global-headers")
_MAGIC = ((b"%PDF", "pdf"), (b"PK\x03\x04", "zip"), (b"MZ", "program"), (b"\x7fELF", "program"),
          (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"),
          (b"\x78\x9f\x3e\x22", "tnef"), (b"\xd0\xcf\x11\xe0", "office"), (b"Rar!", "archive"),
          (b"7z\xbc\xaf", "archive"), (b"\x1f\x8b", "archive"), (b"#!", "script"))


@dataclass
class Body:
    """What was found on the way through the tree.

    nested: attached messages, as (MIME message, is it the report of a bounce).
    """

    texts: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    nested: list[Mime] = field(default_factory=list)
    transport: list[Mime] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def text(self) -> str:
        """All inline text, in order."""
        return "\n".join(t for t in self.texts if t.strip())


def collect(message: Mime, removed: dict[bytes, budget.Removed]) -> Body:
    """Walk a tree within the budget. removed: long bodies taken out before (see `slim`)."""
    body = Body()
    _walk(message, body, removed, 0)
    return body


def _walk(part: Mime, body: Body, removed: dict[bytes, budget.Removed], depth: int) -> None:
    body.count += 1
    if body.count > budget.MAX_PARTS or depth > 30:
        if "too many parts" not in body.defects:
            body.defects.append("too many parts")
        return
    kind = content_type(part)
    if kind in _TRANSPORT:
        body.transport.append(part)
    elif kind == "message/rfc822" or kind == "message/global":
        _attached_message(part, body)
    elif kind == "multipart/alternative" and part.is_multipart():
        _alternative(part, body, removed, depth)
    elif part.is_multipart():
        for child in _children(part):
            _walk(child, body, removed, depth + 1)
    else:
        _leaf(part, kind, body, removed)


def _children(part: Mime) -> list[Mime]:
    payload = part.get_payload()
    return [c for c in payload if isinstance(c, Mime)] if isinstance(payload, list) else []


def content_type(part: Mime) -> str:
    """The media type, `text/plain` for what is unreadable (RFC 2045, section 5.2).

    A multipart whose boundary never came is text, too.
    """
    try:
        kind = part.get_content_type().split()[0]
    except Exception:  # the standard library raises on some malformed parameters
        return "text/plain"
    broken = kind.startswith("multipart/") and not part.is_multipart()
    return "text/plain" if broken else kind


def _attached_message(part: Mime, body: Body) -> None:
    children = _children(part)
    body.nested += children[:1]
    size = len(str(part.get_payload())) if not children else 0
    body.parts.append(Part(name=file_name(part), declared_type="message/rfc822", size=size,
                           digest="", kind="message"))


def _alternative(
    part: Mime, body: Body, removed: dict[bytes, budget.Removed], depth: int
) -> None:
    """The plain text, unless it is only a stub beside the HTML (RFC 2046, section 5.1.4)."""
    branches = []
    for child in _children(part):
        branch = Body(count=body.count)
        _walk(child, branch, removed, depth + 1)
        body.count = branch.count
        branches.append((content_type(child), branch))
    for _, branch in branches:
        body.parts += branch.parts
        body.links += branch.links
        body.nested += branch.nested
        body.transport += branch.transport
        body.defects += branch.defects
    plain = next((b.text for k, b in branches if k == "text/plain"), "")
    rich = max((b.text for k, b in branches if k != "text/plain"), key=len, default="")
    enough = len(plain.split()) * 2 >= len(rich.split())
    body.texts.append(plain if enough and plain.strip() else rich or plain)


def _leaf(part: Mime, kind: str, body: Body, removed: dict[bytes, budget.Removed]) -> None:
    name = file_name(part)
    inline = not name and disposition(part) != "attachment"
    if kind in ("text/plain", "text/html") and inline:
        text, links = _visible(part, kind, body)
        body.texts.append(text)
        body.links += links
        return
    data = payload(part)
    whole = removed.get(data.strip()) or budget.Removed(
        len(data), hashlib.sha256(data).hexdigest(), data[:16])
    sort = sniff(whole.head)
    body.parts.append(Part(name=name, declared_type=kind, size=whole.size, digest=whole.digest,
                           kind=sort))
    if sort == "tnef":
        text, names = tnef_text(data)
        body.texts.append(clean(text))
        body.parts += [Part(name=clean(n)[:budget.MAX_NAME], declared_type="", size=0, digest="")
                       for n in names]


def _visible(part: Mime, kind: str, body: Body) -> tuple[str, tuple[str, ...]]:
    text, defect = part_text(part)
    if defect:
        body.defects.append(defect)
    if kind == "text/html":
        text, links, lost = html_text(text)
        body.defects += [lost] if lost else []
        return text, links
    if part.get_content_maintype() == "multipart":  # a broken one: nothing of it may be lost
        text = "\n".join(str(t) for t in (part.preamble, text, part.epilogue) if t)
    if "flowed" in str(part.get("content-type", "")).lower():
        text = unflowed(text)
    return text, ()


def unflowed(text: str) -> str:
    """Join lines that end in a space (RFC 3676, section 4.1); "-- " stands alone."""
    lines: list[str] = []
    for line in text.splitlines():
        soft = lines and lines[-1].endswith(" ") and lines[-1] != "-- "
        quoted = line.startswith(">") or (lines and lines[-1].startswith(">"))
        if soft and not quoted and line != "-- ":
            lines[-1] += line.removeprefix(" ")
        else:
            lines.append(line)
    return "\n".join(lines)


def part_text(part: Mime) -> tuple[str, str]:
    """Return the decoded text of a part and what was wrong with its charset, if anything."""
    data = payload(part)[: budget.MAX_HTML]
    try:
        charset = str(part.get_content_charset() or "")
    except Exception:  # a malformed RFC 2231 charset
        charset = "?"
    for name in (charset or "utf-8", "utf-8", "windows-1252"):
        try:
            text = data.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
        wrong = name != (charset or "utf-8")
        defect = f"charset {charset or 'none'} read as {name}" if wrong else ""
        return clean(text.replace("\r\n", "\n").replace("\r", "\n")), defect
    text = data.decode("windows-1252", "replace")
    return clean(text), f"charset {charset or 'none'} read as windows-1252 with losses"


def payload(part: Mime) -> bytes:
    """The decoded bytes of a leaf; what cannot be decoded comes as it stands."""
    try:
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            return data
        return str(part.get_payload()).encode("utf-8", "surrogateescape")
    except Exception:  # unknown encodings and broken quoting raise many kinds
        return str(part.get_payload()).encode("utf-8", "replace")


def disposition(part: Mime) -> str:
    """`inline`, `attachment` or an empty string (RFC 2183)."""
    try:
        return part.get_content_disposition() or ""
    except Exception:  # a malformed header
        return ""


def file_name(part: Mime) -> str:
    """The name as the sender wrote it, as data; never use it as a path."""
    try:
        name = part.get_filename() or ""
    except Exception:  # a malformed RFC 2231 name
        name = ""
    return clean(decoded(str(name)).encode("utf-8", "replace").decode())[: budget.MAX_NAME]


def sniff(data: bytes) -> str:
    """What the first bytes say a file is, or an empty string."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")
