"""The bytes of what comes back: answers that quote the letter, auto-replies, a bounce."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import format_datetime, parseaddr, parsedate_to_datetime

from dsar.core.reference import find_references
from dsar.demo.companies import Cast, Company, Reply

SOON = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter as its recipient sees it: read from the bytes the SMTP server took."""

    raw: bytes
    recipient: str
    message_id: str
    subject: str
    reply_to: str
    reference: str
    dated: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A message on its way into the mailbox. label, until: as in `Reply`; company: a slug or ""."""

    raw: bytes
    at: datetime
    label: str
    until: str
    company: str


def read_letter(raw: bytes, recipient: str) -> Letter:
    """Read a letter; raises ValueError for one that lacks what every letter of ours has."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    references = find_references(str(message["Subject"]))
    if body is None or not references or not message["Message-ID"] or not message["Date"]:
        raise ValueError("not a letter of dsar")
    return Letter(
        raw=raw, recipient=recipient, message_id=str(message["Message-ID"]),
        subject=str(message["Subject"]), reference=references[0],
        reply_to=parseaddr(str(message["Reply-To"] or message["From"]))[1],
        dated=parsedate_to_datetime(str(message["Date"])), text=body.get_content(),
    )


def answers(cast: Cast, company: Company, letter: Letter) -> Iterator[Mail]:
    """Everything a company will ever send about a letter."""
    for number, reply in enumerate(company.replies):
        at = _instant(cast, reply, letter.dated)
        if reply.kind == "bounce":
            raw = bounce(cast, letter, at)
        else:
            raw = _answer(cast, company, reply, letter, at, number)
        yield Mail(raw=raw, at=at, label=reply.label, until=reply.until, company=company.slug)


def chatter(cast: Cast) -> Iterator[Mail]:
    """Mail that has nothing to do with any letter."""
    for number, note in enumerate(cast.strangers):
        at = _instant(cast, note, datetime.now(UTC))
        message = EmailMessage(policy=policy.SMTP)
        domain = _domain(note.sender)
        _head(message, note, to=cast.email, subject=note.subject, at=at,
              message_id=f"<chatter-{number}@{domain}>")
        message.set_content(note.body)
        yield Mail(raw=_arrived(cast, message, domain, to=cast.email, at=at), at=at, label="",
                   until="", company="")


def _instant(cast: Cast, reply: Reply, letter_dated: datetime) -> datetime:
    """When a message arrives, in the local time zone."""
    if not reply.at:
        return letter_dated + SOON
    day: date = cast.on(reply.day)
    return datetime.combine(day, time.fromisoformat(reply.at)).astimezone()


def _answer(
    cast: Cast, company: Company, reply: Reply, letter: Letter, at: datetime, number: int
) -> bytes:
    facts = {"reference": letter.reference, "name": cast.name, "recipient": letter.recipient,
             "subject": letter.subject}
    to = letter.reply_to if reply.to_tag else cast.email
    domain = _domain(reply.sender)
    message = EmailMessage(policy=policy.SMTP)
    _head(message, reply, to=to, subject=reply.subject.format_map(facts), at=at,
          message_id=f"<{company.slug}.{number}.{letter.reference.lower()}@{domain}>")
    _thread(message, reply.thread, letter)
    _marks(message, reply.kind, domain)
    message.set_content(_body(cast, reply, letter, facts), charset="utf-8", cte="quoted-printable")
    for enclosure in reply.enclosures:
        main, _, sub = enclosure.type.partition("/")
        message.add_attachment(enclosure.content.encode(), maintype=main, subtype=sub,
                               filename=enclosure.name)
    return _arrived(cast, message, domain, to=to, at=at)


def _head(
    message: EmailMessage, reply: Reply, *, to: str, subject: str, at: datetime, message_id: str
) -> None:
    message["From"] = reply.sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id


def _thread(message: EmailMessage, thread: str, letter: Letter) -> None:
    if thread in ("both", "in-reply-to"):
        message["In-Reply-To"] = letter.message_id
    if thread in ("both", "references"):
        message["References"] = letter.message_id


def _marks(message: EmailMessage, kind: str, domain: str) -> None:
    """What machines add: RFC 3834 for automatic answers, RFC 2369 and 2919 for mailings."""
    if kind == "auto":
        message["Auto-Submitted"] = "auto-replied"
    if kind == "newsletter":
        message["List-Id"] = f"<news.{domain}>"
        message["List-Unsubscribe"] = f"<https://news.{domain}/out>"
        message["Precedence"] = "bulk"


def _body(cast: Cast, reply: Reply, letter: Letter, facts: Mapping[str, str]) -> str:
    text = reply.body.format_map(facts)
    if reply.quote == "none":
        return text
    opening = cast.quoting[reply.quote].format_map(facts)
    lines = letter.text.splitlines()
    if reply.quote != "outlook":
        lines = [f"> {line}".rstrip() for line in lines]
    return "\n".join([text, opening, "", *lines, ""])


def _arrived(cast: Cast, message: EmailMessage, domain: str, *, to: str, at: datetime) -> bytes:
    """The message with what the receiving host puts on top (RFC 5321 section 4.4, RFC 8601)."""
    sender = parseaddr(str(message["From"]))[1]
    trace = (
        f"Return-Path: <{sender}>\r\n"
        f"Delivered-To: {to}\r\n"
        f"Authentication-Results: {cast.host};\r\n"
        f" dmarc=pass header.from={domain};\r\n"
        f" spf=pass smtp.mailfrom={sender};\r\n"
        f" dkim=pass header.d={domain}\r\n"
        f"Received: from mx.{domain} by {cast.host} with ESMTPS; {format_datetime(at)}\r\n"
    )
    return trace.encode() + message.as_bytes()


def bounce(cast: Cast, letter: Letter, at: datetime) -> bytes:
    """The notification of our own mail server that a mailbox is not there (RFC 3464)."""
    domain = letter.recipient.rpartition("@")[2]
    refusal = f"550 5.1.1 <{letter.recipient}>: no such mailbox"
    report = EmailMessage(policy=policy.SMTP)
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{cast.host}>"
    report["To"] = cast.email
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = f"<bounce.{letter.reference.lower()}@{cast.host}>"
    report["Auto-Submitted"] = "auto-replied"
    report["MIME-Version"] = "1.0"
    report["Content-Type"] = "multipart/report; report-type=delivery-status"
    report.attach(_text_part(
        f"This is the mail system at host {cast.host}.\n\nYour message could not be delivered to "
        f"one recipient. It is returned below.\n\n<{letter.recipient}>: host mx.{domain} said:\n"
        f"    {refusal}\n"))
    report.attach(_status_part(
        f"Reporting-MTA: dns; {cast.host}\r\nArrival-Date: {format_datetime(letter.dated)}\r\n\r\n"
        f"Final-Recipient: rfc822; {letter.recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"Remote-MTA: dns; mx.{domain}\r\nDiagnostic-Code: smtp; {refusal}\r\n"))
    report.attach(_returned_part(letter.raw))
    trace = (f"Return-Path: <>\r\nDelivered-To: {cast.email}\r\n"
             f"Received: by {cast.host} with local; {format_datetime(at)}\r\n")
    return trace.encode() + report.as_bytes()


def _text_part(text: str) -> EmailMessage:
    part = EmailMessage(policy=policy.SMTP)
    part.set_content(text)
    return part


def _status_part(fields: str) -> EmailMessage:
    part = EmailMessage(policy=policy.SMTP)
    part["Content-Type"] = "message/delivery-status"
    blocks: list[Message | str] = [message_from_bytes(block.encode(), policy=policy.SMTP)
                                   for block in fields.split("\r\n\r\n")]
    part.set_payload(blocks)
    return part


def _returned_part(raw: bytes) -> EmailMessage:
    part = EmailMessage(policy=policy.SMTP)
    part["Content-Type"] = "message/rfc822"
    part.set_payload([message_from_bytes(raw, policy=policy.SMTP)])
    return part


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]
