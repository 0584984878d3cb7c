"""The invented companies: what the registry knows of them, and when each answers what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dsar import shipped, yamlfile
from dsar.yamlfile import Document, Reader

KINDS = ("reply", "auto", "newsletter", "phishing", "bounce")
THREADS = ("both", "in-reply-to", "references", "none")
CHECKED_DAYS_AGO = 41
SOURCE = "invented for the demo"


@dataclass(frozen=True, kw_only=True)
class Enclosure:
    """A file that comes with a reply; `type` such as "text/csv"."""

    name: str
    type: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One message to come, as written in companies.yaml.

    day: days after the letter. at: local time HH:MM, or "" for two minutes after the letter.
    label: what it is, as a person says; "" = to be ignored. until: a date it announces.
    to_tag: sent to the reply address of the case. thread: one of THREADS.
    quote: a key of `Cast.quoting`, or "none". body and subject hold {reference} and the like.
    """

    kind: str
    day: int
    at: str
    label: str
    until: str
    sender: str
    to_tag: bool
    thread: str
    quote: str
    subject: str
    body: str
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Company:
    """An invented company; `entry` is its entry in the registry, `mail` "" without an address."""

    slug: str
    mail: str
    entry: Mapping[str, Any]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everything of companies.yaml. begins: the day on which the letters go out.

    strangers: mail to the person from people who have nothing to do with any of it.
    """

    begins: date
    host: str
    name: str
    email: str
    quoting: Mapping[str, str]
    companies: tuple[Company, ...]
    strangers: tuple[Reply, ...]

    def on(self, day: int) -> date:
        """The date of a day of the demo; day 0 is `begins`."""
        return self.begins + timedelta(days=day)

    def at(self, address: str) -> Company | None:
        """The company that reads this mailbox."""
        return next((c for c in self.companies if c.mail and c.mail == address.lower()), None)

    def overlay(self) -> str:
        """The companies as a registry file of the user's own (companies.local.yaml)."""
        entries = {company.slug: dict(company.entry) for company in self.companies}
        return yamlfile.dump({"schema": "dsar.companies/1", "companies": entries})


def load_cast() -> Cast:
    """Read companies.yaml. Raises FileProblems."""
    document = yamlfile.read(shipped.data("demo/companies.yaml"), name="demo/companies.yaml")
    top = Reader.of(document, document.value, "demo")
    begins = top.day("begins") or date.min
    person = top.mapping("person")
    quoting = _words(top.mapping("quoting"))
    cast = Cast(
        begins=begins, host=top.text("host", required=True),
        name=person.text("name", required=True), email=person.text("email", required=True),
        quoting=quoting,
        companies=tuple(_company(r, begins, quoting) for r in top.mappings("companies")),
        strangers=tuple(_reply(r, quoting) for r in top.mappings("strangers")),
    )
    person.finish()
    top.finish()
    _check(document, cast)
    return cast


def _words(reader: Reader) -> dict[str, str]:
    return {key: reader.text(key) for key in list(reader.value)}


def _company(reader: Reader, begins: date, quoting: Mapping[str, str]) -> Company:
    company = Company(
        slug=reader.text("slug", required=True), mail=reader.text("mail"),
        entry=_entry(reader, begins),
        replies=tuple(_reply(r, quoting) for r in reader.mappings("replies")),
    )
    reader.finish()
    return company


def _entry(reader: Reader, begins: date) -> dict[str, Any]:
    """The entry as companies.local.yaml has it, its contact checked some weeks before."""
    kind = "email" if reader.text("mail") else "webform"
    value = reader.text("mail") or reader.text("webform", required=True)
    checked = str(begins - timedelta(days=CHECKED_DAYS_AGO))
    entry: dict[str, Any] = {
        "name": reader.text("name", required=True), "legal_entity": reader.text("legal_entity"),
        "categories": [reader.text("category", required=True)],
        "country": reader.text("country", required=True),
        "contacts": [{"kind": kind, "value": value, "source": SOURCE, "checked": checked}],
        "languages": list(reader.texts("languages") or ("en",)),
        "identifiers": [list(group) for group in reader.raw("identifiers") or ()],
        "notes": "An invented company.",
    }
    if "@" in value:
        entry["reply_domains"] = [value.rpartition("@")[2]]
    return {key: found for key, found in entry.items() if found}


def _reply(reader: Reader, quoting: Mapping[str, str]) -> Reply:
    kind = reader.one_of("kind", KINDS, default="reply")
    is_mail = kind != "bounce"
    reply = Reply(
        kind=kind, day=reader.number("day", default=0) or 0, at=reader.text("at"),
        label=reader.text("label"), until=reader.text("until"),
        sender=reader.text("from", required=is_mail),
        to_tag=reader.one_of("to", ("tag", "plain"), default="plain") == "tag",
        thread=reader.one_of("thread", THREADS, default="none"),
        quote=reader.one_of("quote", ("none", *quoting), default="none"),
        subject=reader.text("subject", required=is_mail),
        body=reader.text("body", required=is_mail),
        enclosures=tuple(_enclosure(r) for r in reader.mappings("attachments")),
    )
    reader.finish()
    return reply


def _enclosure(reader: Reader) -> Enclosure:
    found = Enclosure(name=reader.text("name", required=True), type=reader.text("type"),
                      content=reader.text("content", required=True))
    reader.finish()
    return found


def _check(document: Document, cast: Cast) -> None:
    """Nobody real may stand in the file: every address and link ends in a reserved name."""
    for address in _addresses(cast):
        domain = address.rpartition("@")[2].strip("> ")
        if not domain.endswith((".example", "example.org", "example.net")):
            document.add(1, f"{address!r} is not invented (RFC 2606)")
    document.raise_problems()


def _addresses(cast: Cast) -> Sequence[str]:
    senders = [r.sender for c in cast.companies for r in c.replies if r.sender]
    return [cast.email, *(c.mail for c in cast.companies if c.mail), *senders,
            *(r.sender for r in cast.strangers)]
