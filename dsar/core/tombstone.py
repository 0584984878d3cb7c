"""What is left of a forgotten request: salted hashes that still tell a second one apart.

A hash says neither who wrote nor to whom. Whoever has the salt as well can try people and
companies one by one; so tombstones lie in the home, mode 0600, and are optional.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Tombstones:
    """salt: random bytes of this home. dates: hash → the day from which a cool-down runs."""

    salt: bytes = b""
    dates: Mapping[str, date] = field(default_factory=dict)

    def since(self, people: Iterable[str], right: str, companies: Iterable[str]) -> date | None:
        """The latest day on which one of `people` had a request to one of `companies`, if any."""
        found = [self.dates[h] for h in hashes(self.salt, people, right, companies)
                 if h in self.dates] if self.dates else []
        return max(found, default=None)


def hashes(
    salt: bytes, people: Iterable[str], right: str, companies: Iterable[str]
) -> frozenset[str]:
    """Return HMAC-SHA256 in hexadecimal of each person with each company and the right.

    people: id and mailbox key of one person. companies: `slug:…`, `group:…`, `mail:…`.
    """
    listed = list(companies)
    return frozenset(
        hmac.new(salt, json.dumps([person, right, company]).encode(), hashlib.sha256).hexdigest()
        for person in people for company in listed)
