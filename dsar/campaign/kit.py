"""A member's kit: the letters as the member sends them, and a page that says how."""

from __future__ import annotations

import hashlib
import hmac
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import quote

from dsar.campaign.planning import Held, plan_member
from dsar.campaign.roster import record, subject_of
from dsar.campaign.waves import Writing, overrides_of, withdraw_letter
from dsar.core.campaign_events import KitWritten
from dsar.core.case import Case, LetterApproved, RailOverridden
from dsar.core.letter import Letter, Rendered, Stage
from dsar.core.member import Member
from dsar.core.plan import PlannedLetter
from dsar.core.reference import reference_from
from dsar.drafting import Headers, opening
from dsar.errors import LetterIncomplete

CHANNEL = "kit"
"""How these letters go out: by the member's own hand and mailbox."""


@dataclass(frozen=True, kw_only=True)
class KitLetter:
    """One letter of a kit: case, company, recipient, words, and the bytes of a draft.

    reminder: its Message-ID where it reminds of a letter that is out, else "".
    """

    case_id: str
    company: str
    recipient: str
    words: Rendered
    draft: bytes
    reminder: str = ""


def drop_address(address: str, code: str, key: bytes) -> str:
    """Where a member's answers come in: a plus address nobody can guess from the code."""
    local, _, domain = address.rpartition("@")
    plain = code.removeprefix("m-")
    seal = hmac.new(key, b"drop " + plain.encode(), hashlib.sha256).hexdigest()[:8]
    return f"{local}+drop-{plain}-{seal}@{domain}"


def write_letters(
    member: Member, writing: Writing, *, drop: str, read: Callable[[str], bytes],
    obstacle: Callable[[Case], str],
) -> Iterator[KitLetter | Held]:
    """Yield the letters of the member that are not known to be out, and why there is no other.

    What was written before, perhaps by a run that broke off, comes as it was written: read
    returns the bytes of a digest. drop: the member's own; says under which domain a letter has
    its name until it is sent. obstacle: as for `waiting_letters`. Raises LetterIncomplete.
    """
    for planned in plan_member(member, writing.planner):
        if isinstance(planned, Held):
            yield planned
        else:
            _write(planned, member, writing, domain=drop.rpartition("@")[2])
    yield from waiting_letters(member, writing, read=read, obstacle=obstacle)


def waiting_letters(
    member: Member, writing: Writing, *, read: Callable[[str], bytes],
    obstacle: Callable[[Case], str],
) -> Iterator[KitLetter | Held]:
    """Yield what was written for the member and is not known to be out.

    obstacle: why a letter may not go any more: the company was excluded, or a reminder's answer
    came; or "". It then comes into no kit. A reminder that no member has yet is withdrawn.
    """
    cases = writing.board.of_member(writing.campaign.id, member.code)
    for case in sorted(cases, key=lambda c: c.facts.controller):
        approved = case.approved
        if approved is None or approved.channel != CHANNEL or case.closed:
            continue
        reminds = approved.stage is not Stage.REQUEST
        if why := obstacle(case):
            if reminds and approved.message_id not in member.reminded:
                withdraw_letter(writing.store, case.id, why, writing.today)
            yield Held(code=member.code, company=case.facts.controller, right=case.facts.right,
                       rail="contact", why=why)
            continue
        draft = read(approved.digest)
        yield KitLetter(case_id=case.id, company=case.facts.controller_name,
                        recipient=approved.recipient, draft=draft,
                        words=_words_of(draft, case.facts.language),
                        reminder=approved.message_id if reminds else "")


def write_reminder(planned: PlannedLetter, member: Member, writing: Writing, *, drop: str) -> None:
    """Write the reminder of a case for the member to send.

    Raises LetterIncomplete, ConcurrentAppend.
    """
    case = planned.case
    if case is None:
        raise ValueError("a reminder has a case")
    approved = _approved(planned, member, writing, case.facts.reference,
                         domain=drop.rpartition("@")[2])
    writing.store.append(case.id, [approved], after=case.version)


def _write(planned: PlannedLetter, member: Member, writing: Writing, *, domain: str) -> None:
    """Open the case of a letter with its approved words; it names the member by code alone."""
    subject, desk = subject_of(member, writing.planner.keys), writing.desk(member)
    reference = reference_from(desk.entropy(5))
    approved = _approved(planned, member, writing, reference, domain=domain)
    case = replace(opening(planned, subject, desk, reference, None), campaign=writing.campaign.id)
    overridden = [RailOverridden(on=desk.today, rail=rail, reason=reason)
                  for rail, reason in overrides_of(planned, writing.campaign).items()]
    writing.store.append(case.case_id, [case, *overridden, approved], after=0)


def _words_of(draft: bytes, language: str) -> Rendered:
    """Subject and text of a letter as its draft has them."""
    from email import message_from_bytes, policy

    from dsar.mail.body import unflowed

    message = message_from_bytes(draft, policy=policy.default)
    body = message.get_body(("plain",))
    text = unflowed(str(body.get_content())) if body is not None else ""
    return Rendered(subject=str(message["Subject"]), body=text, language=language)


def _approved(planned: PlannedLetter, member: Member, writing: Writing, reference: str, *,
              domain: str) -> LetterApproved:
    """Write a letter as the member sends it, and keep its draft."""
    subject, desk = subject_of(member, writing.planner.keys), writing.desk(member)
    letter = Letter(
        stage=planned.stage, facts=planned.facts, regime=planned.regime,
        right=planned.regime.rights[planned.right], language=planned.language,
        reference=reference, subject=subject, controller=planned.controller,
        disclosures=planned.disclosures, written_on=desk.today)
    message_id = f"<{desk.entropy(12).hex()}@{domain}>"
    draft = desk.compose(desk.render(letter), letter, Headers(
        sender=subject.email, display_name=subject.name, recipient=planned.contact.value,
        reply_to=None, message_id=message_id, dated=desk.now, in_reply_to=planned.in_reply_to,
        references=planned.references))
    return LetterApproved(
        on=desk.today, stage=planned.stage, message_id=message_id,
        digest=desk.archive.add(draft), recipient=planned.contact.value, account="",
        channel=CHANNEL,
        disclosed=tuple((d.identifier.kind, d.reason) for d in planned.disclosures))


def pack(member: Member, letters: Sequence[KitLetter], page: Rendered, *, drop: str) -> bytes:
    """Return the kit as one ZIP. Raises LetterIncomplete."""
    if not letters:
        raise LetterIncomplete(f"There is no letter for {member.code}.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(letters, page, drop):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def note_written(member: Member, packed: bytes, letters: Sequence[KitLetter], writing: Writing
                 ) -> Member:
    """Record that the kit was written; call it once it is on the disk."""
    return record(writing.store, writing.campaign, member, KitWritten(
        on=writing.today, digest=hashlib.sha256(packed).hexdigest(), letters=len(letters),
        reminders=tuple(one.reminder for one in letters if one.reminder)))


def _files(letters: Sequence[KitLetter], page: Rendered, drop: str
           ) -> Iterator[tuple[str, bytes]]:
    from dsar.letters.document import as_text
    from dsar.letters.papers import paper_text

    yield "index.html", kit_page(letters, page, drop).encode()
    yield "README.txt", paper_text(page).encode()
    for number, letter in enumerate(letters, start=1):
        name = f"{number:02}-{letter.case_id}"
        yield f"{name}.eml", f"X-Unsent: 1\r\nBcc: {drop}\r\n".encode() + letter.draft
        to = f"To: {letter.recipient}\n\n"
        yield f"{name}.txt", (to + as_text(letter.words)).encode()


def mailto(letter: KitLetter, drop: str) -> str:
    """The address that opens the letter in the member's mail program (RFC 6068)."""
    body = letter.words.body.replace("\n", "\r\n")
    return (f"mailto:{quote(letter.recipient, safe='@')}?bcc={quote(drop, safe='@')}"
            f"&subject={quote(letter.words.subject, safe='')}&body={quote(body, safe='')}")


def kit_page(letters: Sequence[KitLetter], page: Rendered, drop: str) -> str:
    """The page of a kit: how it is done, and a link for each letter; works without a network."""
    parts = []
    for paragraph in page.body.split("\n\n"):
        if paragraph.startswith("## "):
            parts.append(f"<h2>{escape(paragraph[3:])}</h2>")
        else:
            parts.append(f"<p>{'<br>'.join(map(escape, paragraph.splitlines()))}</p>")
    rows = "".join(
        f'<li><a href="{escape(mailto(one, drop))}">{escape(one.company)}</a> '
        f"<span>{escape(one.recipient)} · {escape(one.case_id)}</span></li>" for one in letters)
    return (
        f'<!doctype html><html lang="{escape(page.language)}"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.subject)}</title><style>body{{font:1rem/1.5 sans-serif;"
        "max-width:42rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}"
        "li{margin:.6rem 0}li span{display:block;color:#555;overflow-wrap:anywhere}"
        f"</style></head><body><h1>{escape(page.subject)}</h1><ol>{rows}</ol>"
        f"{''.join(parts)}</body></html>\n")
