"""What is known offline about mail providers: servers, ways to log in, limits to start with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsar import shipped
from dsar.core.pacing import Limits
from dsar.mail.account import Endpoint, Security
from dsar.yamlfile import Document, Reader, read

FALLBACK = "generic"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider; an absent server or figure was not found, which does not mean "none".

    login: best first: app-password, password, oauth2, bridge-password, none.
    before_first_use: what a person has to do in the provider's settings.
    plus_addressing: yes, no, likely, unverified, unknown or probe.
    quarantine: mailboxes that replies may be hidden in; IMAP has no flag for them.
    confidence: how sure hosts, auth and limits are, in words.
    """

    id: str
    name: str
    domains: tuple[str, ...]
    mx: tuple[str, ...] = ()
    smtp: Endpoint | None = None
    imap: Endpoint | None = None
    login: tuple[str, ...] = ()
    oauth: Mapping[str, str | bool] = field(default_factory=dict)
    before_first_use: tuple[str, ...] = ()
    published_limits: Mapping[str, str | int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    plus_addressing: str = "unknown"
    quarantine: tuple[str, ...] = ()
    supported: bool = True
    notes: str = ""
    confidence: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @property
    def reply_tags(self) -> bool:
        """Whether plus tags are known to arrive here; "likely" is not enough to rely on."""
        return self.plus_addressing == "yes"


def provider_for(address: str) -> Provider | None:
    """The provider of an address by its domain, from the shipped table; None if unknown.

    Servers carry the user name to log in with, made from `address`.
    """
    domain = address.rpartition("@")[2].lower().rstrip(".")
    for reader in _entries():
        if domain and domain in reader.texts("domains"):
            return _provider(reader, address)
    return None


def provider(id: str, address: str = "") -> Provider | None:
    """The provider with this id; "generic" holds the limits for every unknown one."""
    for reader in _entries():
        if _id(reader) == id:
            return _provider(reader, address)
    return None


def provider_of_mail_server(host: str, address: str) -> Provider | None:
    """The provider whose server takes a domain's mail, by the end of the MX's name.

    Where several share a server, the one for domains of one's own: it lists the fewest domains.
    """
    name = host.rstrip(".").lower()
    found = [reader for reader in _entries()
             if any(name == end or name.endswith(f".{end}") for end in reader.texts("mx"))]
    found.sort(key=lambda reader: len(reader.texts("domains")))
    return _provider(found[0], address) if found else None


def all_providers() -> list[Provider]:
    """Every entry; raises FileProblems for the first file that does not read cleanly."""
    document = _document()
    found = [_provider(reader, "") for reader in _entries(document)]
    document.raise_problems()
    return found


def _document() -> Document:
    document = read(shipped.data("mail/providers.yaml"), name="mail/providers.yaml")
    document.raise_problems()
    return document


def _entries(document: Document | None = None) -> list[Reader]:
    document = document or _document()
    table = document.value["providers"]
    return [Reader.of(document, table[id], id, line=table.lines[id]) for id in table]


def _id(reader: Reader) -> str:
    return reader.where


def _provider(reader: Reader, address: str) -> Provider:
    reader.number("domains_not_listed")
    found = Provider(
        id=_id(reader),
        name=reader.text("name", required=True),
        domains=reader.texts("domains"),
        mx=reader.texts("mx"),
        smtp=_endpoint(reader, "smtp", address),
        imap=_endpoint(reader, "imap", address),
        login=reader.texts("login"),
        oauth=dict(reader.raw("oauth") or {}),
        before_first_use=reader.texts("before_first_use"),
        published_limits=dict(reader.raw("published_limits") or {}),
        limits=_limits(reader.mapping("our_limits")),
        plus_addressing=reader.text("plus_addressing", default="unknown"),
        quarantine=reader.texts("quarantine"),
        supported=reader.text("status") != "unsupported",
        notes=reader.text("notes"),
        confidence=dict(reader.raw("confidence") or {}),
        sources=reader.texts("sources"),
    )
    reader.finish()
    return found


def _endpoint(reader: Reader, key: str, address: str) -> Endpoint | None:
    if reader.raw(key) is None:
        return None
    inner = reader.mapping(key)
    local, _, domain = address.rpartition("@")
    who = inner.one_of("username", ("address", "localpart"), default="address")
    endpoint = Endpoint(
        host=inner.text("host", required=True).replace("{domain}", domain.lower()),
        port=inner.number("port") or 0,
        security=Security(inner.one_of("security", ("tls", "starttls"), default="tls")),
        username=local if who == "localpart" else address,
    )
    inner.finish()
    return endpoint


def _limits(reader: Reader) -> Limits:
    limits = Limits(
        first_day=reader.number("first_day"),
        per_day=reader.number("per_day"),
        per_minute=reader.number("per_minute"),
        jitter_s=float(reader.number("jitter_s") or 0),
    )
    reader.finish()
    return limits
