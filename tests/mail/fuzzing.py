"""Mutated mail: what is done to it, and what one worker measures."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from dsar.core.caseindex import CaseFacts, CaseIndex
from dsar.core.match import match
from dsar.mail.budget import Slimmer
from dsar.mail.parse import parse
from dsar.reading.classify import is_topical, read

CHARSETS = ("utf-8", "utf-16", "utf-7", "iso-2022-jp", "big5", "windows-1252", "x-none", "hz",
            "utf-8\x00", "idna", "punycode", "unicode_escape", "base64", "zlib_codec", "rot13",
            "undefined", "\"", "us-ascii;x", "cp65001", "mbcs", "raw_unicode_escape")
ENCODINGS = ("base64", "quoted-printable", "8bit", "x-uuencode", "uuencode", "binary", "gzip", "")
TYPES = ("multipart/mixed", "multipart/alternative", "multipart/related", "multipart/report",
         "multipart/signed", "message/rfc822", "message/delivery-status", "text/html",
         "text/plain", "text/calendar", "application/ms-tnef", "application/pkcs7-mime",
         "message/partial", "message/external-body", "/", "text", "a/b/c", "multipart/")
WORDS = (b"\n\n", b"--", b"=?utf-8?b?", b"=?x?q?=?=", b"<p>", b"<blockquote>", b"\x00", b"\xff\xfe",
         b"On Mon wrote:\n> ", b"-----Original Message-----\n", b"DSAR-43KQ-3M01", b"\r", b"\r\n",
         b"begin 644 x\n", b"Content-Type: ", b"<!--", b"&#x110000;", b"\xe2\x80\xae", b"(((", b";",
         b"From: \"<>@,;:\\\n", b"@" * 300, b"filename*0*=utf-8''%ff%00;", b"Re: " * 200,
         b"\xed\xa0\x80", "ﷺ".encode() * 50, b"9" * 400, b"31.12.9999", b". " * 300,
         b"within 99999999999 months", "将在一个月内".encode(), b"\t" * 500,
         b"we cannot delete your data, apart from invoices. ")

Change = Callable[[bytes, random.Random], bytes]


def flipped(raw: bytes, draw: random.Random) -> bytes:
    """Some bytes are others."""
    data = bytearray(raw)
    for _ in range(draw.randint(1, 30)):
        if data:
            data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data)


def truncated(raw: bytes, draw: random.Random) -> bytes:
    """The end is missing."""
    return raw[: draw.randrange(len(raw) + 1)]


def doubled(raw: bytes, draw: random.Random) -> bytes:
    """Header lines, or any others, come several times."""
    lines = raw.split(b"\n")
    for _ in range(draw.randint(1, 5)):
        place = draw.randrange(min(len(lines), 40))
        lines[place:place] = [lines[draw.randrange(len(lines))]] * draw.choice((1, 2, 50))
    return b"\n".join(lines)


def unbounded(raw: bytes, draw: random.Random) -> bytes:
    """Boundaries that never come, come early, or are empty."""
    new = draw.choice((b"", b"b", b" ", b"--", b"x" * 80, b"\xff"))
    old = draw.choice((b"boundary=", b"--", b"boundary"))
    return raw.replace(old, old + new, draw.choice((1, 2, -1)))


def lied(raw: bytes, draw: random.Random) -> bytes:
    """The charset, encoding or type named is another."""
    listed = draw.choice((("charset", CHARSETS), ("Content-Transfer-Encoding", ENCODINGS),
                          ("Content-Type", TYPES)))
    name, values = listed
    value = draw.choice(values)
    field_ = f'{name}="{value}"' if name == "charset" else f"{name}: {value}; boundary=b"
    head = f"Content-Type: text/plain; {field_}\n" if name == "charset" else f"{field_}\n"
    place = raw.find(b"\n", draw.randrange(len(raw) + 1)) + 1
    return raw[:place] + head.encode() + raw[place:]


def nested(raw: bytes, draw: random.Random) -> bytes:
    """The mail lies within others, or deep in parts."""
    for level in range(draw.choice((1, 3, 10, 60))):
        kind = draw.choice(("message/rfc822", f"multipart/mixed; boundary=n{level}"))
        raw = b"From: a@c1.example\nContent-Type: multipart/mixed; boundary=m%d\n\n--m%d\n" % (
            level, level) + f"Content-Type: {kind}\n\n".encode() + raw
    return raw


def salted(raw: bytes, draw: random.Random) -> bytes:
    """Pieces that mean something to some part of the reader stand where they do not belong."""
    for _ in range(draw.randint(1, 8)):
        place = draw.randrange(len(raw) + 1)
        raw = raw[:place] + draw.choice(WORDS) * draw.choice((1, 1, 3)) + raw[place:]
    return raw


def swollen(raw: bytes, draw: random.Random) -> bytes:
    """One stretch comes again and again."""
    start = draw.randrange(len(raw) + 1)
    piece = raw[start:start + draw.randint(1, 60)]
    return raw[:start] + piece * draw.choice((5, 10, 20, 50, 500)) + raw[start:]


CHANGES: tuple[Change, ...] = (
    flipped, truncated, doubled, unbounded, lied, nested, salted, swollen)


@dataclass
class Figures:
    """What one worker saw. slowest_s: seconds of work on one message; grown_mb: memory added."""

    runs: int = 0
    slowest_s: float = 0.0
    slowest: bytes = b""
    grown_mb: float = 0.0
    failed: list[tuple[str, bytes]] = field(default_factory=list)


def index() -> CaseIndex:
    """Two invented cases that the mutated mail may answer."""
    return CaseIndex.of(
        [CaseFacts(case_id=f"T0{n}", message_ids=(f"<request.{n}@example.org>",),
                   reference=f"DSAR-43KQ-3M0{n}", origin="import", mailbox="alex@example.org",
                   reply_address=f"alex+dsar-43kq3m0{n}@example.org", name=f"Company {n}",
                   addresses=frozenset({f"privacy@c{n}.example"}), domains=(f"c{n}.example",),
                   sent_on=date(2026, 11, 1)) for n in (1, 2)],
        free_mail=("mail.example",), help_desks=("desk.example",))


def whole_way(raw: bytes, cases: CaseIndex, draw: random.Random) -> None:
    """Parse (in pieces, as fetched), match and read one message."""
    slimmer, place = Slimmer(), 0
    while place < len(raw):
        size = draw.choice((100, 5000, 1 << 20))
        slimmer.feed(raw[place:place + size])
        place += size
    when = datetime(2026, 11, 20, tzinfo=UTC)
    message = parse(slimmer.finish(), trusted_authserv=(), received=when)
    found = match(message, cases, topical=is_topical(message))
    case = next(iter(found.case_ids or found.candidates), None)
    read(message, facts=cases.facts[case] if case else None, suspicious=found.suspicious)


def work(seed: int, runs: int, seeds: Sequence[bytes]) -> Figures:
    """Mutate and read `runs` messages."""
    draw, cases, figures = random.Random(seed), index(), Figures()
    for raw in seeds[::8]:  # loads every language, so that memory is counted from there
        whole_way(raw, cases, draw)
    before = _peak_mb()
    for _ in range(runs):
        raw = draw.choice(seeds)
        for change in draw.choices(CHANGES, k=draw.choice((1, 1, 2, 3))):
            raw = change(raw, draw)
        raw = raw[:400_000]
        start = time.thread_time()
        try:
            whole_way(raw, cases, draw)
        except Exception as error:
            figures.failed.append((f"{type(error).__name__}: {error}", raw))
        took = time.thread_time() - start
        if took > figures.slowest_s:
            figures.slowest_s, figures.slowest = took, raw
        figures.runs += 1
    figures.grown_mb = _peak_mb() - before
    return figures


def _peak_mb() -> float:
    """Of this process alone: ru_maxrss comes from the one that started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def made_seeds(folder: Path) -> list[bytes]:
    """Structures written here, and the wording of the reading fixtures as mail."""
    import yaml

    heads = [b"From: Privacy <privacy@c%d.example>\nTo: alex+dsar-43kq3m0%d@example.org\n"
             b"Subject: Re: Access request [DSAR-43KQ-3M0%d]\nMessage-ID: <a.%d@c%d.example>\n"
             b"In-Reply-To: <request.%d@example.org>\nMIME-Version: 1.0\n" % ((n,) * 6)
             for n in (1, 2)]
    texts: list[str] = []
    for file in sorted(folder.rglob("*.yaml")):
        texts += [t for t in _texts(yaml.safe_load(file.read_text())) if len(t) > 60][:12]
    found = [heads[n % 2] + b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()
             for n, text in enumerate(texts)]
    html = "<html><body><p>{}</p><div style='display:none'>x</div><table><tr><td>a</td></table>"
    for n, text in enumerate(texts[::5]):
        both = (f"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain"
                f"\n\n{text}\n--b\nContent-Type: text/html; charset=utf-8\n\n{html.format(text)}"
                f"\n--b--\n")
        found.append(heads[n % 2] + both.encode())
    report = (b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\n"
              b"Delivery failed.\n--r\nContent-Type: message/delivery-status\n\n"
              b"Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; privacy@c1.example\n"
              b"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n--r\n"
              b"Content-Type: message/rfc822\n\nMessage-ID: <request.1@example.org>\n\nx\n--r--\n")
    found.append(b"From: MAILER-DAEMON@mx.example.org\n" + report)
    blob = b"\n".join([b"QUJD" * 19] * 900)
    found.append(heads[0] + b"Content-Type: multipart/mixed; boundary=m\n\n--m\n\nEnclosed.\n--m\n"
                 b"Content-Type: application/pdf; name*=utf-8''a%20b.pdf\n"
                 b"Content-Transfer-Encoding: base64\n\n" + blob + b"\n--m--\n")
    return found


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]
