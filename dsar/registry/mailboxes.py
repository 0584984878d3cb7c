"""What an address or a link looks like: a person, a free mailbox, a wrapped or a broken one."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, unquote, urlsplit

from dsar.core.contact import address_problem, domain_to_ascii

FREE_MAIL = frozenset({
    "163.com", "aol.com", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.de",
    "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "libero.it", "live.com", "mail.com",
    "mail.ru", "me.com", "msn.com", "orange.fr", "outlook.com", "proton.me", "protonmail.com",
    "qq.com", "t-online.de", "web.de", "wp.pl", "yahoo.co.uk", "yahoo.com", "yahoo.de",
    "yahoo.fr", "yandex.ru", "zoho.com",
})
"""Domains at which anybody can have a mailbox: no sign of the company."""

ROLE_WORDS = (
    "abuse", "access", "account", "admin", "anfrage", "auskunft", "ccpa", "compliance", "consumer",
    "contact", "customer", "cil", "data", "daten", "delet", "do-not", "donot", "dpo", "dsar", "dsb",
    "dsr", "enquir", "euprivacy", "feedback", "foi", "form", "gdpr", "hello", "help", "hr", "info",
    "inquir", "ir", "justiz", "kontakt", "kunden", "legal", "mail", "marketing", "office", "online",
    "optout", "opt-out", "personal", "petent", "post", "press", "priv", "protect", "query", "recht",
    "regulat", "remov", "request", "right", "sales", "service", "subject", "suppl", "support",
    "team", "ticket", "unsub", "web", "client", "protec", "rgpd", "dpd", "gegevens", "avg",
)
_NAME = re.compile(r"[a-z]+[._][a-z]{2,}(?:-[a-z]+)?")
_AT = re.compile(r"\s*[\[({]\s*(?:at|ät|@)\s*[\])}]\s*|\s+(?:at|AT)\s+", re.IGNORECASE)
_DOT = re.compile(r"\s*[\[({]\s*(?:dot|punkt|\.)\s*[\])}]\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'|/\\@]+@[^\s<>()\[\],;:\"'|/\\@]+")
_URL = re.compile(r"https?://[^\s;,|]+|(?<![@\w.])www\.[^\s;,|]+", re.IGNORECASE)
_WRAPPED_V2 = re.compile(r"https?://urldefense\.(?:com|proofpoint\.com)/v2/url\?u=([^&]+)")
_WRAPPED_V3 = re.compile(r"https?://urldefense\.(?:com|us)/v3/__(.+?)__;")


def is_person_like(address: str) -> bool:
    """Whether the part before the @ looks like a person's name, such as jane.doe."""
    local = address.partition("@")[0].casefold()
    if any(word in local for word in ROLE_WORDS):
        return False
    return _NAME.fullmatch(local) is not None


def is_free_mail(address: str) -> bool:
    """Whether anybody could have a mailbox at this domain."""
    return (domain_to_ascii(address.rpartition("@")[2]) or "") in FREE_MAIL


def tidied(text: str) -> str:
    """Return text without invisible characters, outer spaces and `mailto:`."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    return shown[7:].strip() if shown.casefold().startswith("mailto:") else shown


def addresses_in(cell: str) -> list[str]:
    """Return the e-mail addresses a cell holds, in order; "[at]" and "[dot]" are read."""
    plain = _DOT.sub(".", _AT.sub("@", tidied(cell[:4000])))
    found = (match.strip(".,;") for match in _ADDRESS.findall(plain))
    return [address for address in dict.fromkeys(found) if address_problem(address) is None]


def urls_in(cell: str) -> list[str]:
    """Return the web addresses a cell holds, unwrapped, in order."""
    found = (unwrapped(match.rstrip(".)")) for match in _URL.findall(tidied(cell[:4000])))
    return list(dict.fromkeys(u if u.casefold().startswith("http") else f"https://{u}"
                              for u in found))


def unwrapped(url: str) -> str:
    """Return the link that a mail filter (urldefense, safelinks) or a search page wrapped."""
    if (match := _WRAPPED_V3.match(url)) is not None:
        return _one_slash_mended(match[1])
    if (match := _WRAPPED_V2.match(url)) is not None:
        return unquote(match[1].replace("-", "%").replace("_", "/"))
    try:
        parts = urlsplit(url)
        host, query = (parts.hostname or ""), parse_qs(parts.query)
    except ValueError:
        return url
    if host.endswith("safelinks.protection.outlook.com"):
        return query.get("url", [url])[0]
    if host.removeprefix("www.") == "google.com" and parts.path == "/url":
        return (query.get("q") or query.get("url") or [url])[0]
    return url


def url_problem(url: str) -> str | None:
    """Return why this is no link to a web page, or None."""
    if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in url):
        return "contains a space or an invisible character"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is not a web address"
    if parts.scheme not in ("http", "https"):
        return "is not a web address: it does not begin with https://"
    if parts.username is not None or host is None or domain_to_ascii(host) is None:
        return "is not a web address: it has no plain domain name"
    return None


def _one_slash_mended(url: str) -> str:
    """urldefense v3 sometimes drops a slash after the scheme."""
    return re.sub(r"^(https?):/(?=[^/])", r"\1://", url)
