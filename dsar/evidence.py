"""One case as files somebody else can check: mail, timeline, ledger as a hash chain, manifest."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from dsar.core.case import (
    Case,
    CaseEvent,
    DeliveryFailed,
    LetterApproved,
    ProofKept,
    ReplyRead,
    ReplyReceived,
    fold,
)
from dsar.core.message import Message
from dsar.core.redact import Redactor
from dsar.core.status import Standing
from dsar.errors import LetterIncomplete, UsageProblem
from dsar.mail.dkim import check_signatures
from dsar.mail.parse import parse
from dsar.report.timeline import computation_lines, proof_lines, timeline_lines
from dsar.store import Event, Recorded
from dsar.store.codec import encode

VERIFY = '''\
import hashlib, json, sys, zipfile
z, sha, head = zipfile.ZipFile(sys.argv[1]), lambda data: hashlib.sha256(data).hexdigest(), ""
m, own = json.loads(z.read("manifest.json")), sha(z.read("manifest.json")) + "  manifest.json\\n"
bad = [name for name, file in m["files"].items() if sha(z.read(name)) != file["sha256"]]
bad += ["names"] * (z.namelist() != sorted([*m["files"], "manifest.json", "manifest.sha256"]))
for line in map(json.loads, z.read("ledger.jsonl").splitlines()):
    head = sha((head + json.dumps(line["record"], sort_keys=True)).encode())
    bad += ["ledger, record %s" % line["record"]["sequence"]] * (head != line["hash"])
bad += ["manifest"] * ([own.encode(), head] != [z.read("manifest.sha256"), m["ledger"]["head"]])
sys.exit("CHANGED: %s" % bad if bad else print("verified: %s files" % len(m["files"])))
'''
"""The whole check, with nothing but the standard library."""

TAKEN_OUT = "[taken out of the case]"
"""Stands for the words of a message that turned out to belong elsewhere."""

_ENDINGS = {"email": "eml", "post": "pdf"}
"""Channel → what the bytes of a letter are; a web form takes text."""

_ZERO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message of the case: its file, its digest, and whether its bytes are kept.

    way: "out" or "in". what: the stage of a letter, or the labels of a reply.
    """

    path: str
    way: str
    on: date
    digest: str
    what: str
    content: bytes | None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What goes into the ZIP. keys: DKIM keys by DNS name. redactor: None for the whole."""

    standing: Standing
    events: Sequence[Recorded]
    read: Callable[[str], bytes | None]
    as_of: date
    keys: Mapping[str, str] = field(default_factory=dict)
    redactor: Redactor | None = None

    @property
    def case(self) -> Case:
        """The case as folded."""
        return self.standing.case


def evidence_zip(found: Evidence) -> bytes:
    """Return the ZIP; equal input gives equal bytes, because nothing in it is compressed."""
    found = replace(found, events=_without_strangers(found.case, found.events))
    mails = tuple(mails_of(found.events, found.read))
    files = dict(_files(found, mails))
    records = list(_records(found))
    files["ledger.jsonl"] = b"".join(_line(r) for r in chained(records))
    files["README.txt"] = _readme(found).encode()
    files["verify.py"] = VERIFY.encode()
    manifest = _manifest(found, mails, files, records)
    files["manifest.json"] = manifest
    files["manifest.sha256"] = f"{_sha(manifest)}  manifest.json\n".encode()
    return _zipped(files)


def mails_of(
    events: Sequence[Recorded], read: Callable[[str], bytes | None]
) -> Iterator[Mail]:
    """Yield every message of a case by date: approved letters that left, and what came in.

    A reply that was taken out of the case again is somebody else's affair: its bytes are not
    read, only its digest stands in the manifest.
    """
    case = fold([r.event for r in events if isinstance(r.event, CaseEvent)])
    left = {getattr(r.event, "message_id", "") for r in events
            if type(r.event).__name__ in ("SendAttempted", "LetterSent")}
    labels = {r.event.digest: ", ".join(r.event.labels) for r in events
              if type(r.event).__name__ == "ReplyRead" and hasattr(r.event, "labels")
              and hasattr(r.event, "digest")}
    seen: set[str] = set()
    for recorded in events:
        event = recorded.event
        way, what = _way(event, left, labels)
        digest = getattr(event, "digest", "")
        if not way or not digest or digest in seen:
            continue
        seen.add(digest)
        day = getattr(event, "on", date.min)
        ending = _ending(event)
        name = f"mail/{len(seen):03}-{day}-{way}-{_plain(what)}.{ending}"
        yield Mail(path=name, way=way, on=day, digest=digest, what=what,
                   content=None if _is_out(case, event) else read(digest))


def _ending(event: Event) -> str:
    if isinstance(event, ProofKept):
        return _plain(event.name.rpartition(".")[2]) or "bin"
    return _ENDINGS.get(getattr(event, "channel", "email"), "txt")


def _without_strangers(case: Case, events: Sequence[Recorded]) -> list[Recorded]:
    """The events without the words of a message that was taken out of the case again."""
    out = {r.event.digest for r in events if _is_out(case, r.event)
           and isinstance(r.event, ReplyReceived)}
    return [replace(r, event=_wordless(r.event)) if getattr(r.event, "digest", "") in out else r
            for r in events]


def _wordless(event: Event) -> Event:
    match event:
        case ReplyReceived():
            return replace(event, sender=TAKEN_OUT, subject=TAKEN_OUT, tickets=())
        case ReplyRead():
            return replace(event, sentence=TAKEN_OUT if event.sentence else "")
    return event


def _is_out(case: Case, event: Event) -> bool:
    return isinstance(event, ReplyReceived) and case.reply(event.digest) is None


def chained(records: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each record with its hash: SHA-256 of the hash before it and its canonical JSON."""
    head = ""
    for record in records:
        head = _sha((head + json.dumps(record, sort_keys=True)).encode())
        yield {"record": record, "hash": head}


def _way(event: Event, left: set[str], labels: Mapping[str, str]) -> tuple[str, str]:
    match event:
        case LetterApproved() if event.message_id in left:
            return "out", str(event.stage)
        case ReplyReceived():
            return "in", labels.get(event.digest, "reply")
        case DeliveryFailed():
            return "in", "bounce"
        case ProofKept():
            return "proof", event.name.rpartition(".")[0] or event.name
    return "", ""


def _files(found: Evidence, mails: Sequence[Mail]) -> Iterator[tuple[str, bytes]]:
    for mail in mails:
        if mail.content is None or (mail.way == "proof" and found.redactor is not None):
            continue  # nothing can be blacked out of a picture here
        if found.redactor is None:
            yield mail.path, mail.content
        else:
            yield f"{mail.path.rpartition('.')[0]}.txt", _as_text(mail, found.redactor)
    names = {m.digest: m.path for m in mails}
    sections = _sections(found, names)
    text = "\n".join("\n".join((heading, "=" * len(heading), "", *lines, ""))
                     for heading, lines in sections)
    yield "timeline.txt", f"{_title(found)}\n\n{text}".encode()
    pdf = _pdf(found, sections)
    if pdf:
        yield "timeline.pdf", pdf
    yield "authentication.json", _json(_authentication(found, mails))


def _sections(found: Evidence, names: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    events = [r.event for r in found.events]
    case_events: list[CaseEvent] = [e for e in events if isinstance(e, CaseEvent)]
    sections = [("What happened", list(timeline_lines(found.events, names))),
                ("Proof of sending", list(proof_lines(case_events))),
                ("How the due date comes about", list(computation_lines(found.standing)))]
    return [(heading, [_shown(found, line) for line in lines]) for heading, lines in sections]


def _shown(found: Evidence, line: str) -> str:
    return found.redactor.text(line) if found.redactor else line


def _title(found: Evidence) -> str:
    facts = found.case.facts
    return _shown(found, f"Case {facts.case_id}: {facts.right} under {facts.regime}, "
                         f"{facts.controller_name}, as of {found.as_of}")


def _pdf(found: Evidence, sections: Sequence[tuple[str, Sequence[str]]]) -> bytes | None:
    """The timeline as PDF, or None where typst is missing or a character cannot be set."""
    from dsar.letters.sheet import as_sheet

    try:
        return as_sheet(_title(found), sections, found.as_of)
    except (UsageProblem, LetterIncomplete):
        return None


def _as_text(mail: Mail, redactor: Redactor) -> bytes:
    """A message as redacted text; attachments are named by size and digest only."""
    message = parse(mail.content or b"", trusted_authserv=())
    head = [f"From: {message.sender.addr if message.sender else ''}",
            f"Date: {message.dated or ''}", f"Subject: {message.subject}",
            f"Message-ID: {message.message_id or ''}"]
    parts = [f"Attachment: {p.declared_type}, {p.size} bytes, SHA-256 {p.digest}"
             for p in message.parts]
    quoted = ["", "Quoted:", message.quoted_text] if message.quoted_text else []
    text = "\n".join([*head, *parts, "", message.own_text, *quoted, ""])
    return redactor.text(text).encode("utf-8", "replace")


def _authentication(found: Evidence, mails: Sequence[Mail]) -> list[dict[str, Any]]:
    """What the provider said about each message that came in, and what the keys given say."""
    recorded = {r.event.digest: r.event.authentic for r in found.events
                if isinstance(r.event, ReplyReceived)}
    items = []
    for mail in (m for m in mails if m.way == "in" and m.content is not None):
        message: Message = parse(mail.content or b"", trusted_authserv=())
        items.append({
            "file": mail.path, "sha256": mail.digest, "recorded": recorded.get(mail.digest, ""),
            "authentication_results": list(message.headers.get("authentication-results", ())),
            "dkim": [vars(s) for s in check_signatures(mail.content or b"", found.keys)],
        })
    shown: list[dict[str, Any]] = found.redactor.value(items) if found.redactor else items
    return shown


def _records(found: Evidence) -> Iterator[dict[str, Any]]:
    for recorded in found.events:
        event = encode(recorded.event)
        yield {"sequence": recorded.sequence, "author": _shown(found, recorded.author),
               "recorded_at": recorded.recorded_at.isoformat(),
               "event": found.redactor.value(event) if found.redactor else event}


def _manifest(
    found: Evidence, mails: Sequence[Mail], files: Mapping[str, bytes],
    records: Sequence[Mapping[str, Any]],
) -> bytes:
    chain = list(chained(records))
    return _json({
        "schema": "dsar.evidence/1", "case": found.case.id, "as_of": found.as_of.isoformat(),
        "redacted": found.redactor is not None,
        "files": {name: {"sha256": _sha(files[name]), "bytes": len(files[name])}
                  for name in sorted(files)},
        "mail": [{"file": m.path, "way": m.way, "on": m.on.isoformat(), "what": m.what,
                  "sha256_of_the_original": m.digest, "kept": m.content is not None}
                 for m in mails],
        "ledger": {"events": len(chain), "head": chain[-1]["hash"] if chain else "",
                   "rule": "hash = SHA-256 of the hash before it, as hexadecimal text, followed "
                           "by the record as JSON with sorted keys; the first has none before it"},
    })


def _readme(found: Evidence) -> str:
    redacted = (
        "\nThis copy is redacted: personal data are replaced by [kind], messages are shown as\n"
        "text, and the ledger's hashes are those of the redacted records. The SHA-256 of each\n"
        "original message stands in manifest.json.\n" if found.redactor else "")
    return f"""{_title(found)}

mail/                every letter sent and every message received, byte for byte
timeline.txt, .pdf   what happened, the proof of each sending, how the due date comes about
authentication.json  what the mail provider said about each sender; DKIM checked again
ledger.jsonl         every event as recorded, each with a hash that includes all before it
manifest.json        the SHA-256 of every file, and the last hash of the ledger
manifest.sha256      the SHA-256 of manifest.json
verify.py            checks all of this with Python alone
{redacted}
To verify without dsar: when you receive this file, write down its own SHA-256
(`sha256sum FILE.zip`; on Windows `certutil -hashfile FILE.zip SHA256`) or the one in
manifest.sha256. Later compare it, and run

    python3 verify.py FILE.zip

It reads ten lines of Python that use nothing but Python's own library: read them first. It says
`verified` and ends with 0, or names what was changed and ends with 1. By hand: `unzip FILE.zip`,
then `sha256sum -c manifest.sha256`, and compare the output of `sha256sum` for each file with
manifest.json. A message is verified by its own SHA-256; where a DKIM signature is noted, the
sender's domain vouches for the message as well.
"""


def _plain(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or "message"


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True).encode() + b"\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _ZERO)
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()
