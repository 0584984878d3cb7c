"""Events of an invented campaign and its members, for tests of the folds."""

from __future__ import annotations

from datetime import date
from typing import Any

from dsar.core.campaign import Campaign, fold_campaign
from dsar.core.campaign_events import (
    CampaignEvent,
    CampaignStarted,
    MandateIssued,
    MandateSigned,
    MemberAdded,
    WaveApproved,
    WaveProposed,
)

DAY = date(2026, 1, 5)


def started(**changed: Any) -> CampaignStarted:
    return CampaignStarted(**{
        "on": DAY, "campaign_id": "spring", "name": "Spring", "organisation": "Rights Group",
        "contact": "c@rights.example", "mode": "mandate", "rights": ("access",),
        "purge_on": date(2027, 1, 1), "consent_version": "1", "consent_digest": "c" * 64,
        "sending_key": "age1s", "content_key": "age1c"} | changed)


def campaign(*events: CampaignEvent, **changed: Any) -> Campaign:
    return fold_campaign([started(**changed), *events])


def proposed(wave: int, letters: int = 50, by: str = "Ann", digest: str = "d") -> WaveProposed:
    return WaveProposed(on=DAY, wave=wave, letters=letters, digest=digest, by=by)


def approved(wave: int, by: str = "Bea", digest: str = "d") -> WaveApproved:
    return WaveApproved(on=DAY, wave=wave, digest=digest, by=by)


def added(code: str = "m-00000001", **changed: Any) -> MemberAdded:
    return MemberAdded(**{
        "on": DAY, "code": code, "residence": "DE", "languages": ("en",), "identity": "sealed",
        "blind": "b" * 64, "key": "age1m", "secret": "00", "consent_version": "1"} | changed)


def issued(**changed: Any) -> MandateIssued:
    return MandateIssued(**{
        "on": DAY, "digest": "1" * 64, "language": "en", "expires_on": date(2026, 6, 30),
        "rights": ("access",), "controllers": ("acme", "bolt")} | changed)


def signed(**changed: Any) -> MandateSigned:
    return MandateSigned(**{
        "on": DAY, "digest": "2" * 64, "how_signed": "pen", "signed_on": date(2026, 1, 10),
        "expires_on": date(2026, 6, 30), "rights": ("access",), "controllers": ("acme",)}
        | changed)
