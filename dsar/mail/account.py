"""A mail account: its servers, how to log in, and how much may be sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from dsar.core.pacing import OFF, Limits
from dsar.mail.secret import (
    MICROSOFT_AUTHORITY,
    MICROSOFT_SCOPES,
    Command,
    Keyring,
    Microsoft,
    Prompt,
    SecretFile,
    SecretSource,
    SystemdCredential,
)
from dsar.yamlfile import Reader


class Security(StrEnum):
    """How the connection is protected; NONE is for this machine only."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Auth(StrEnum):
    """How to log in: a password, or a bearer token (XOAUTH2; RFC 7628)."""

    PASSWORD = "password"
    XOAUTH2 = "xoauth2"
    OAUTHBEARER = "oauthbearer"
    NONE = "none"


class SentCopy(StrEnum):
    """Who puts a copy of each letter into the Sent mailbox, or sends it to oneself."""

    APPEND = "append"
    PROVIDER = "provider"
    BCC = "bcc"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server. Raises ValueError for an open connection to another machine."""

    host: str
    port: int
    security: Security = Security.TLS
    username: str = ""

    def __post_init__(self) -> None:
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError("'none' is allowed for a server on this machine only")
        if not 0 < self.port < 65536:
            raise ValueError("a port is a number from 1 to 65535")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One mail account as config.yaml has it; holds where the secret is, never the secret.

    mailboxes: names of further mailboxes to read, such as a provider's quarantine.
    reply_tags: whether `name+tag@domain` reaches this mailbox (RFC 5233).
    maildir: a local Maildir to read in place of an IMAP server.
    ca_file: the certificates to trust in place of the system's, for a server of one's own.
    sendmail: a command of this machine that takes letters, in place of an SMTP server.
    """

    name: str
    address: str
    display_name: str = ""
    smtp: Endpoint | None = None
    imap: Endpoint | None = None
    maildir: Path | None = None
    sendmail: tuple[str, ...] = ()
    auth: Auth = Auth.PASSWORD
    secret: SecretSource = field(default_factory=Prompt)
    sent_copy: SentCopy = SentCopy.APPEND
    reply_tags: bool = False
    mailboxes: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    ca_file: Path | None = None
    provider: str = ""

    @property
    def domain(self) -> str:
        """The part of the address behind the last @."""
        return self.address.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, judged by its name alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_account(reader: Reader, *, base: Path = Path()) -> Account:
    """One entry of `accounts:`; what is wrong is noted in the reader's document.

    base: the folder to which relative paths in the entry refer.
    """
    address = reader.text("address", required=True)
    if address and address.count("@") != 1:
        reader.problem("address", f"{address!r} is no e-mail address")
    sendmail = _read_sendmail(reader)
    smtp = None if sendmail else _read_endpoint(reader, "smtp", address)
    ca_file, maildir = reader.optional("ca_file"), reader.optional("maildir")
    account = Account(
        name=reader.text("name", default="main"),
        address=address,
        display_name=reader.text("display_name"),
        smtp=smtp,
        imap=_read_endpoint(reader, "imap", address),
        maildir=base / Path(maildir).expanduser() if maildir else None,
        auth=Auth(reader.one_of("auth", list(Auth), default=Auth.PASSWORD)),
        sendmail=sendmail,
        secret=_read_source(reader, address, base),
        sent_copy=SentCopy(reader.one_of("sent_copy", list(SentCopy), default=SentCopy.APPEND)),
        reply_tags=reader.flag("reply_tags"),
        mailboxes=reader.texts("mailboxes"),
        limits=_read_limits(reader, smtp),
        ca_file=base / Path(ca_file).expanduser() if ca_file else None,
        provider=reader.text("provider"),
    )
    reader.finish()
    return account


def account_entry(account: Account) -> Mapping[str, Any]:
    """The entry of config.yaml that `read_account` reads back; defaults are left out."""
    entry: dict[str, Any] = {"name": account.name, "address": account.address}
    plain = {
        "display_name": account.display_name,
        "provider": account.provider,
        "smtp": {"sendmail": list(account.sendmail)} if account.sendmail
        else _endpoint_entry(account.smtp),
        "imap": _endpoint_entry(account.imap),
        "maildir": str(account.maildir) if account.maildir else None,
        "ca_file": str(account.ca_file) if account.ca_file else None,
        "auth": str(account.auth),
        "secret": _source_entry(account.secret),
        "sent_copy": str(account.sent_copy),
        "reply_tags": account.reply_tags,
        "mailboxes": list(account.mailboxes),
    }
    entry.update({key: value for key, value in plain.items() if value})
    entry["limits"] = "off" if account.limits == OFF else _limits_entry(account.limits)
    return entry


def _read_endpoint(reader: Reader, key: str, address: str) -> Endpoint | None:
    if reader.raw(key) is None:
        return None
    inner = reader.mapping(key)
    security = Security(inner.one_of("security", list(Security), default=Security.TLS))
    host = inner.text("host", required=True)
    port = inner.number("port", default=_PORTS[key, security]) or 0
    username = inner.text("username", default=address)
    inner.finish()
    try:
        return Endpoint(host=host, port=port, security=security, username=username)
    except ValueError as error:
        inner.problem("security" if "none" in str(error) else "port", str(error))
        return None


def _read_sendmail(reader: Reader) -> tuple[str, ...]:
    """`smtp: {sendmail: [/usr/sbin/sendmail, -i]}`: one text is cut at its spaces."""
    if not isinstance(reader.raw("smtp"), Mapping) or "sendmail" not in reader.raw("smtp"):
        return ()
    inner = reader.mapping("smtp")
    words = inner.texts("sendmail")
    inner.finish()
    if not words:
        inner.problem("sendmail", "'sendmail' needs a command")
    return tuple(words[0].split()) if len(words) == 1 else words


def _read_source(reader: Reader, address: str, base: Path) -> SecretSource:
    if reader.raw("secret") is None:
        return Prompt()
    inner = reader.mapping("secret")
    found = [key for key in _SOURCES if inner.raw(key) is not None]
    inner.finish()
    if len(found) != 1:
        inner.problem("secret", f"needs exactly one of {', '.join(_SOURCES)}")
        return Prompt()
    match found[0]:
        case "command" | "token_command":
            return Command(inner.texts(found[0]))
        case "keyring":
            return Keyring(inner.text("keyring"), address)
        case "file":
            return SecretFile(base / Path(inner.text("file")).expanduser())
        case "credential":
            return SystemdCredential(inner.text("credential"))
        case "microsoft":
            return _read_microsoft(inner.mapping("microsoft"), reader, address, base)
        case _:
            return Prompt()


def _read_microsoft(inner: Reader, reader: Reader, address: str, base: Path) -> Microsoft:
    """Certificates of the account's own are for an authority of one's own only."""
    from dsar.mail.microsoft import tokens_file

    usual = tokens_file(base / "secrets", reader.text("name", default="main"))
    keyring, cache = inner.optional("keyring"), inner.optional("cache")
    authority = inner.text("authority", default=MICROSOFT_AUTHORITY).rstrip("/")
    if not authority.startswith("https://"):
        inner.problem("authority", "'authority' must begin with https://")
    own_ca = reader.optional("ca_file") if authority != MICROSOFT_AUTHORITY else None
    found = Microsoft(
        client_id=inner.text("client_id", required=True), authority=authority,
        cache=Keyring(keyring, address) if keyring else (
            base / Path(cache).expanduser() if cache else usual),
        scopes=inner.texts("scopes") or MICROSOFT_SCOPES,
        ca_file=base / Path(own_ca).expanduser() if own_ca else None,
    )
    inner.finish()
    return found


def _read_limits(reader: Reader, smtp: Endpoint | None) -> Limits:
    if reader.raw("limits") is None:
        return Limits()
    if reader.raw("limits") == "off":
        if smtp is None or not is_loopback(smtp.host):
            reader.problem("limits", "'off' is allowed for a server on this machine only")
            return Limits()
        return OFF
    inner, usual = reader.mapping("limits"), Limits()
    limits = Limits(
        first_day=inner.number("first_day", default=usual.first_day),
        per_day=inner.number("per_day", default=usual.per_day),
        per_minute=inner.number("per_minute", default=usual.per_minute),
        jitter_s=float(inner.number("jitter_s", default=int(usual.jitter_s)) or 0),
        per_domain_s=float(inner.number("per_domain_s", default=int(usual.per_domain_s)) or 0),
        connections=inner.number("connections", default=usual.connections) or 1,
    )
    for key, value in vars(limits).items():
        if value is not None and value < 0:
            inner.problem(key, f"{key!r} must not be negative")
    inner.finish()
    return limits


def _endpoint_entry(endpoint: Endpoint | None) -> Mapping[str, Any] | None:
    if endpoint is None:
        return None
    return vars(endpoint) | {"security": str(endpoint.security)}


def _source_entry(source: SecretSource) -> Mapping[str, Any]:
    match source:
        case Command():
            return {"command": list(source.argv)}
        case Keyring():
            return {"keyring": source.service}
        case SecretFile():
            return {"file": str(source.path)}
        case SystemdCredential():
            return {"credential": source.name}
        case Microsoft():
            return {"microsoft": _microsoft_entry(source)}
        case Prompt():
            return {"prompt": True}


def _microsoft_entry(source: Microsoft) -> Mapping[str, Any]:
    kept = {"keyring": source.cache.service} if isinstance(source.cache, Keyring) else {
        "cache": str(source.cache)}
    more: dict[str, Any] = {}
    if source.authority != MICROSOFT_AUTHORITY:
        more["authority"] = source.authority
    if source.scopes != MICROSOFT_SCOPES:
        more["scopes"] = list(source.scopes)
    return {"client_id": source.client_id} | kept | more


def _limits_entry(limits: Limits) -> Mapping[str, Any]:
    return {k: int(v) for k, v in vars(limits).items()
            if v is not None and (k, v) != ("connections", 1)}


_SOURCES = ("command", "token_command", "keyring", "file", "credential", "prompt",
            "microsoft")
# RFC 8314, section 7; plain ports only ever serve this machine
_PORTS = {
    ("smtp", Security.TLS): 465, ("smtp", Security.STARTTLS): 587, ("smtp", Security.NONE): 25,
    ("imap", Security.TLS): 993, ("imap", Security.STARTTLS): 143, ("imap", Security.NONE): 143,
}  # fmt: skip
