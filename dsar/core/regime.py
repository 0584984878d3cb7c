"""One law as data: rights, periods, citation forms, authorities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Right(StrEnum):
    """What a data subject may ask for."""

    ACCESS = "access"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    OBJECTION_DIRECT_MARKETING = "objection-direct-marketing"
    WITHDRAW_CONSENT = "withdraw-consent"
    OPT_OUT_SALE = "opt-out-sale"
    LIMIT_SENSITIVE = "limit-sensitive"


class Unit(StrEnum):
    """Units of statutory periods."""

    MONTH = "months"
    WEEK = "weeks"
    DAY = "calendar_days"
    WORKING_DAY = "business_days"
    CLEAR_DAY = "clear_days"
    HOUR = "hours"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class RightRule:
    """One right under one law.

    section: as the law numbers it ("15", "1798.105"), never with the law's name.
    demands: ids of what the letter lists; the words stand in the templates.
    """

    right: str
    section: str
    demands: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A law: how it is called and cited per language, and what it grants.

    cite_form: language → pattern with {section} and {law}. confidence: "verified",
    "partly-verified" or "unverified". status: "in-force" or another word of the data.
    """

    id: str
    name: str
    names: Mapping[str, str]
    cite_forms: Mapping[str, str]
    jurisdiction: str
    status: str
    confidence: str
    rights: Mapping[str, RightRule]
    sections: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    verified: date | None = None
