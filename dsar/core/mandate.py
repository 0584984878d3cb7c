"""A data subject's signed authority for someone else to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Mandate:
    """Who may act for whom, in what, until when; `digest` is the SHA-256 of the signed file."""

    subject_id: str
    holder: str
    rights: frozenset[str]
    controllers: frozenset[str]
    signed_on: date
    expires_on: date
    digest: str
    how_signed: str
    revoked_on: date | None = None

    def covers(self, *, controller: str, right: str, on: date) -> bool:
        """Whether it is valid on that day for that controller and right; an empty set means all."""
        alive = self.signed_on <= on <= self.expires_on
        revoked = self.revoked_on is not None and self.revoked_on <= on
        named = not self.controllers or controller in self.controllers
        return alive and not revoked and named and (not self.rights or right in self.rights)
