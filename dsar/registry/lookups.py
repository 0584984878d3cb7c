"""Looks that leave the machine, on request only: does a domain take mail, does a page answer."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, OpenerDirector, Request, build_opener

from dsar.core.contact import domain_to_ascii
from dsar.registry.mailboxes import url_problem

WORKERS = 8
TIMEOUT_S = 10.0
Look = Callable[[str], str | None]
"""Takes a domain or an address; returns what is wrong, or None."""


def looked_up(look: Look, things: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield thing and problem for each thing something is wrong with, each looked at once."""
    unique = list(dict.fromkeys(things))
    with ThreadPoolExecutor(WORKERS) as pool:
        for thing, problem in zip(unique, pool.map(look, unique), strict=True):
            if problem is not None:
                yield thing, problem


def mail_look(resolver: Any = None) -> Look:
    """Return a look at the MX records of a domain (RFC 5321 section 5.1, RFC 7505).

    resolver: a `dns.resolver.Resolver`; None takes the machine's own.
    """
    import dns.exception
    import dns.resolver

    found = resolver or dns.resolver.Resolver()

    def look(domain: str) -> str | None:
        name = domain_to_ascii(domain)
        if name is None:
            return "is no domain name"
        try:
            answer = found.resolve(name, "MX", lifetime=TIMEOUT_S)
        except dns.resolver.NXDOMAIN:
            return "does not exist"
        except dns.resolver.NoAnswer:
            return _without_mx(found, name)
        except dns.exception.DNSException as error:
            return f"could not be looked up ({type(error).__name__})"
        if [str(record.exchange) for record in answer] == ["."]:
            return "says that it takes no mail"
        return None

    return look


def _without_mx(resolver: Any, name: str) -> str | None:
    """Without MX records the host itself takes the mail, if it has an address."""
    import dns.exception

    for kind in ("A", "AAAA"):
        try:
            resolver.resolve(name, kind, lifetime=TIMEOUT_S)
        except dns.exception.DNSException:
            continue
        return None
    return "takes no mail: it has no mail server and no address"


def web_look(context: ssl.SSLContext | None = None) -> Look:
    """Return a look at whether a page answers; nothing of it is kept."""
    opener = build_opener(HTTPSHandler(context=context or ssl.create_default_context()))
    return lambda url: url_problem(url) or page_problem(opener, url)


def page_problem(opener: OpenerDirector, url: str) -> str | None:
    """Ask for the head of a page. Many sites answer robots with 403 or 405: the page is there."""
    request = Request(url, method="HEAD", headers={"User-Agent": "dsar"})
    try:
        with opener.open(request, timeout=TIMEOUT_S):
            return None
    except HTTPError as error:
        return f"answers {error.code}" if error.code in (404, 410) else None
    except (URLError, OSError, ValueError) as error:
        return f"does not answer ({getattr(error, 'reason', error)})"
