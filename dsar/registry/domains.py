"""Registrable domains, by the Public Suffix List that comes with `publicsuffixlist`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from dsar.core.contact import domain_to_ascii

PLATFORMS = frozenset({
    "apple.com", "bitly.com", "blogspot.com", "facebook.com", "github.com", "goo.gl", "google.com",
    "instagram.com", "linkedin.com", "linktr.ee", "medium.com", "onetrust.com", "reddit.com",
    "tiktok.com", "tumblr.com", "twitter.com", "typeform.com", "wixsite.com", "wordpress.com",
    "x.com", "youtube.com", "zendesk.com",
})
"""Sites on which many others have a page: a page below the root says nothing about the owner."""


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=True)


def host_of(url: str | None) -> str | None:
    """Return the host of a web address in ASCII, without www., or None."""
    if not url:
        return None
    try:
        host = urlsplit(url if "//" in url else f"https://{url}").hostname
    except ValueError:
        return None
    plain = domain_to_ascii(host) if host else None
    return plain.removeprefix("www.") if plain else None


def registrable(url: str | None) -> str | None:
    """Return the registrable domain of a company's own site, None for a page on a platform."""
    host = host_of(url)
    if host is None or url is None:
        return None
    domain: str | None = _suffixes().privatesuffix(host)
    if domain in PLATFORMS and (host != domain or len(urlsplit(url).path) > 1):
        return None
    return domain
