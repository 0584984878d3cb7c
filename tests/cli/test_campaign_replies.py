"""Replies to 200 members at 10 companies through one mailbox: none is filed where it is not due."""

from __future__ import annotations

import email
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from campaigners import begin, mail, words_in
from figures import Figures
from inprocess import Here
from servers.maillab import MailLab
from test_json_schemas import check

from dsar.core.case import Case
from dsar.store import open_store

MEMBERS = 200
MAILBOXES = {f"c{n}": address for n, address in enumerate((
    "privacy@group.example", "privacy@group.example", "privacy@group.example",
    "dpo-north@holding.example", "dpo-south@holding.example",
    "privacy@five.example", "privacy@six.example", "privacy@seven.example",
    "privacy@eight.example", "privacy@nine.example"))}
"""c0 to c2 are one group with one mailbox; c3 and c4 share a domain."""
START = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass
class Sent:
    """A mail of a company: whose words it has, and where it may be filed."""

    raw: bytes
    kind: str
    due: frozenset[str]
    word: str
    sealed: bool
    message_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.message_id = str(email.message_from_bytes(self.raw, policy=policy.default)
                              ["Message-ID"])


def write_companies(home: Path) -> None:
    entries = "".join(f"""
  {slug}:
    name: Company {slug}
    country: DE
    categories: [data-broker]
    contacts: [{{kind: email, value: {address}, source: invented, checked: 2026-11-01}}]
    laws: [eu-gdpr]
    languages: [en]
    reply_domains: [{address.rpartition("@")[2]}]
    checked: 2026-11
""" for slug, address in MAILBOXES.items())
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "companies.local.yaml").write_text(
        f"schema: dsar.companies/1\ncompanies:{entries}")


def sign_all(here: Here, tmp_path: Path, codes: list[str]) -> None:
    """Each member signs for one company, every fourth for two; nobody for all."""
    here("campaign", "mandate", "issue", "spring", "-o", str(tmp_path / "mandates"))
    slugs = list(MAILBOXES)
    for n, code in enumerate(codes):
        wanted = {slugs[n % 10], slugs[(n + 3) % 10] if n % 4 == 0 else slugs[n % 10]}
        folder = tmp_path / "signed" / ",".join(sorted(wanted))
        folder.mkdir(parents=True, exist_ok=True)
        paper = tmp_path / "mandates" / f"mandate-{code}.pdf"
        (folder / paper.name).write_bytes(paper.read_bytes() + b"% signed\n")
    for folder in sorted((tmp_path / "signed").iterdir()):
        here("campaign", "mandate", "sign", "spring", str(folder), "--how", "pen",
             "--signed-on", START.date().isoformat(), "--only", folder.name)


def cases_of(home: Path) -> list[Case]:
    store = open_store(f"tinydb:{home / 'ledger'}", write=False,
                       now=lambda: START)
    try:
        return [c for c in store.cases() if c.facts.campaign]
    finally:
        store.close()


class Companies:
    """Writes the replies, each with a word of its own."""

    def __init__(self, cases: list[Case], address: str, sealed: set[str]) -> None:
        self.address, self._sealed, self._count = address, sealed, 0
        self.cases = sorted(cases, key=lambda c: (c.facts.controller, c.facts.subject_id,
                                                  c.facts.right))

    def of(self, *slugs: str) -> list[Case]:
        return [c for c in self.cases if c.facts.controller in slugs]

    def pairs(self, *slugs: str) -> list[tuple[Case, Case]]:
        """Access and erasure of one member at one company."""
        found: dict[tuple[str, str], list[Case]] = {}
        for case in self.of(*slugs):
            found.setdefault((case.facts.subject_id, case.facts.controller), []).append(case)
        return [(two[0], two[1]) for two in found.values() if len(two) == 2]

    def write(self, kind: str, due: tuple[Case, ...], concerns: tuple[Case, ...], sender: str,
              subject: str, text: str, **headers: str) -> Sent:
        self._count += 1
        word = f"Quincejelly{self._count:05}"
        to = headers.pop("To", self.address)
        message = mail(sender, to, f"{subject} {word}", f"{text}\n\n{word} is your file.\n",
                       date=START + timedelta(seconds=self._count), **headers)
        sealed = bool(concerns) and any(c.facts.subject_id in self._sealed for c in concerns)
        return Sent(message.as_bytes(), kind, frozenset(c.id for c in due), word, sealed)

    def threaded(self, case: Case, text: str) -> Sent:
        facts = case.facts
        return self.write("in thread", (case,), (case,), MAILBOXES[facts.controller],
                          f"Re: your request [{facts.reference}]", text,
                          To=facts.reply_address or "", In_Reply_To=case.message_ids[0])

    def all(self) -> Iterator[Sent]:
        yield from self._groups()
        yield from self._tickets()
        yield from self._several()
        yield from self._noise()

    def _groups(self) -> Iterator[Sent]:
        texts = ("We hold no personal data about you.", "Please find a copy of your data below.",
                 "We have received your request and will answer within one month.")
        for n, case in enumerate(self.of("c0", "c1", "c2", "c9")):
            yield self.threaded(case, texts[n % 3])
        for n, case in enumerate(self.of("c3", "c4")):
            yield self.write("reference in text", (case,), (case,),
                             MAILBOXES[case.facts.controller], "Your letter",
                             f"{texts[n % 3]}\nOur reference: {case.facts.reference}")

    def _tickets(self) -> Iterator[Sent]:
        """Help desks that write from no-reply addresses; both number their tickets alike."""
        for slug in ("c5", "c6"):
            sender = f"no-reply@{MAILBOXES[slug].rpartition('@')[2]}"
            for n, case in enumerate(self.of(slug)):
                ticket = f"Ticket #{71000 + n}"
                yield self.write("ticket opened", (case,), (case,), sender,
                                 f"[{ticket}] Request received",
                                 "We have received your request. Your ticket number is "
                                 f"{71000 + n}. Reference {case.facts.reference}.",
                                 To=case.facts.reply_address or "")
            for n, case in enumerate(self.of(slug)):
                yield self.write("ticket only", (case,), (case,), sender,
                                 f"[Ticket #{71000 + n}] Update",
                                 "We hold no personal data about you.")

    def _several(self) -> Iterator[Sent]:
        for first, second in self.pairs("c7"):
            yield self.write("one mail, two cases", (first, second), (first, second),
                             MAILBOXES["c7"], "Your two requests",
                             f"On {first.facts.reference} and {second.facts.reference}: "
                             "we hold no personal data about you.")
        pairs = self.pairs("c8")
        for (one, _), (other, _) in zip(pairs[::2], pairs[1::2], strict=False):
            yield self.write("thread of one, reference of another", (), (one, other),
                             MAILBOXES["c8"], f"Re: [{other.facts.reference}]",
                             "We hold no personal data about you.",
                             In_Reply_To=one.message_ids[0], To=one.facts.reply_address or "")
            yield self.write("two members in one mail", (), (one, other), MAILBOXES["c8"],
                             "Your requests", f"On {one.facts.reference} and "
                             f"{other.facts.reference}: a copy of the data is below.")

    def _noise(self) -> Iterator[Sent]:
        for n, (slug, address) in enumerate(sorted(MAILBOXES.items()) * 3):
            yield self.write("names no case", (), tuple(self.of(slug)), address,
                             "Your request for access" if n % 2 else "Request of 24 November",
                             "We have received your data subject access request and will "
                             f"answer within one month. Concerns: Person {n:03} Muster.")
            yield self.write("newsletter", (), (), f"news@{address.rpartition('@')[2]}",
                             "Our offers of this week", "Save 20 % on everything until Sunday.",
                             List_Unsubscribe="<https://shop.example/unsubscribe>",
                             Precedence="bulk")
        for case in self.of("c8")[::4]:
            yield self._bounce(case)

    def _bounce(self, case: Case) -> Sent:
        to = MAILBOXES[case.facts.controller]
        message = EmailMessage()
        message["From"], message["To"] = "MAILER-DAEMON@example.test", self.address
        message["Subject"] = "Undelivered Mail Returned to Sender"
        message["Message-ID"] = f"<bounce-{case.id}@example.test>"
        message.set_content(f"The mail to {to} could not be delivered.")
        raw = message.as_bytes().replace(
            b"Content-Type: text/plain", b"X-Part: 1\nContent-Type: text/plain", 1)
        head, _, body = raw.partition(b"\n\n")
        keep = b"\n".join(line for line in head.splitlines()
                          if not line.lower().startswith((b"content-", b"x-part", b"mime-")))
        report = (f"--B\nContent-Type: text/plain\n\n{body.decode()}\n"
                  "--B\nContent-Type: message/delivery-status\n\n"
                  "Reporting-MTA: dns; mail.example.test\n\n"
                  f"Final-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.1.1\n"
                  "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n"
                  "--B\nContent-Type: text/rfc822-headers\n\n"
                  f"Message-ID: {case.message_ids[0]}\nTo: {to}\n\n--B--\n")
        whole = (keep + b"\nMIME-Version: 1.0\nContent-Type: multipart/report; "
                 b"report-type=delivery-status; boundary=B\n\n" + report.encode())
        return Sent(whole, "bounce", frozenset({case.id}), "", sealed=False)


@dataclass
class Found:
    """What became of the mails, by kind."""

    filed: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def figures(sent: list[Sent], cases: list[Case], waiting: set[str], digests: dict[str, str]
            ) -> Found:
    found = Found()
    places: dict[str, set[str]] = {}
    for case in cases:
        for reply in case.replies:
            places.setdefault(reply.received.digest, set()).add(case.id)
        for digest in case.bounces:
            places.setdefault(digest, set()).add(case.id)
    for each in sent:
        digest = digests[each.message_id]
        where = places.get(digest, set())
        if where - each.due:
            found.wrong.append(f"{each.kind}: {sorted(where)}, due {sorted(each.due)}")
        kind = each.kind if where == each.due or not where else f"{each.kind}, in part"
        (found.filed if where else found.waiting if digest in waiting else found.unseen)[kind] += 1
    return found


@pytest.mark.timeout(900)
def test_replies_of_200_members_at_10_companies_are_never_misfiled(
    lab: MailLab, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], figures_shown: Figures
) -> None:
    here = Here(tmp_path / "home", monkeypatch, capsys)
    write_companies(here.home)
    begin(here, tmp_path, lab, user, mode="mandate", members=MEMBERS, slugs=tuple(MAILBOXES),
          rights=("access", "erasure"))
    members = here.items("campaign", "members", "spring")
    sealed = {m["member"] for m in members if not m["analysis"]}
    sign_all(here, tmp_path, [m["member"] for m in members])
    plan = here("campaign", "send", "spring", "-n", "--json").json
    check("campaign-plan", plan)
    letters = plan["summary"]["letters"]
    here("campaign", "send", "spring", "--letters", str(letters), "--confirm", str(letters),
         "--by", "ada")
    here("campaign", "approve", "spring", "1", "--by", "grace", "-y")
    here("campaign", "work", "spring", "--no-poll")
    cases = cases_of(here.home)
    assert len(cases) == letters
    sent = list(Companies(cases, user, sealed).all())
    for each in sent:
        lab.deliver(user, each.raw)
    here("poll")
    delivered = {str(email.message_from_bytes(raw, policy=policy.default)["Message-ID"]): raw
                 for raw in lab.delivered(user)}
    digests = {key: hashlib.sha256(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
               .hexdigest() for key, raw in delivered.items()}
    waiting = {i["message"]: i for i in here.items("inbox", "list")}
    found = figures(sent, cases_of(here.home), set(waiting), digests)
    figures_shown.append(f"{letters} letters of {MEMBERS} members, {len(sent)} mails came")
    for name in ("filed", "waiting", "unseen"):
        figures_shown.append(f"  {name}: {dict(getattr(found, name))}")
    figures_shown.append(f"  misfiled: {len(found.wrong)}")
    assert found.wrong == []
    clear = words_in(here.home, *(s.word for s in sent if s.sealed and s.word))
    assert clear == [], "contents of members who agreed to no reading stand in clear"
    assert words_in(here.home, *(s.word for s in sent if not s.sealed and s.word)), (
        "the search finds what it would find: subjects of those who agreed stand in the ledger")
    assert set(found.waiting) == {"thread of one, reference of another",
                                  "two members in one mail", "names no case"}
    assert set(found.unseen) == {"newsletter"}
    assert all(len(i["candidates"]) > 1 for i in waiting.values() if not i["case"])
    reports(here, {m["member"] for m in members})


def reports(here: Here, codes: set[str]) -> None:
    """T12 with those invited, T14 between members nobody can tell apart, published numbers."""
    options = ("--provisional", "--invited", "400")
    shown = here("campaign", "report", "spring", "json", *options)
    check("report", shown.json)
    tables = {table["table"]: table["rows"] for table in shown.json["items"]}
    assert [row[:2] for row in tables["T12"][:3]] == [
        ["invited to take part", 400], ["gave a mandate or took a kit", MEMBERS],
        ["request sent", MEMBERS]]
    assert dict(tables["T14"])["in the answer"]["count"] > 0
    text = here("campaign", "report", "spring", "text", *options).out
    public = here("campaign", "report", "spring", "html", "--public", *options).out
    assert "published" in text
    for said in (shown.out, text, public):
        assert "verein.example" not in said
        assert "Muster" not in said
        assert not [code for code in codes if code in said or code[2:] in said]
    assert here("campaign", "report", "spring", "codebook").out
