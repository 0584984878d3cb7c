"""Domains that say nothing about which company writes: free mail and help-desk hosts, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from dsar import shipped
from dsar.yamlfile import Reader, read


@dataclass(frozen=True)
class SharedDomains:
    """Lower-case domain names; whatever lies below a help-desk host is shared, too."""

    free_mail: frozenset[str]
    help_desks: frozenset[str]


@cache
def shared_domains() -> SharedDomains:
    """The shipped lists. Raises FileProblems."""
    document = read(shipped.data("mail/shared_domains.yaml"))
    top = Reader.of(document, document.value, "shared_domains.yaml")
    found = SharedDomains(frozenset(top.texts("free_mail")), frozenset(top.texts("help_desks")))
    top.raw("sources")
    top.finish()
    document.raise_problems()
    return found
