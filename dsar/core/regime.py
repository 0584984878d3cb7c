"""One law as data: rights, periods, citation forms, authorities."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum

_SECTION = re.compile(
    r"(?P<article>[^()]+)(?:\((?P<paragraph>[^()]+)\))?(?:\((?P<point>[^()]+)\))?"
)

LATER_STEPS = ("appeal", "grievance", "transfer")
"""What follows a first request: a law without a period for it sets none."""


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


class Effect(StrEnum):
    """What a question of the controller does to a running period, in one reading."""

    NONE = "none"
    PAUSE = "pause"
    PAUSE_INCLUSIVE = "pause-inclusive"
    RESTART = "restart"
    RESTART_AFTER_WAIT = "restart-after-wait"


@dataclass(frozen=True, kw_only=True)
class Counting:
    """One way to count one period.

    length: None where the law gives no number. start: "receipt" or "request" (the day of
    sending). rolls: a last day that is no working day of `calendar` moves to the next one.
    calendar: an id of law/calendars.yaml; `{place}` and `{subdivision}` are filled from the facts.
    late_after: a receipt after this local time, or on a day off, counts for the next working day.
    """

    length: int | None
    unit: Unit
    first_day_counts: bool = False
    rolls: bool = False
    calendar: str = "none"
    start: str = "receipt"
    late_after: time | None = None


@dataclass(frozen=True, kw_only=True)
class PeriodRule:
    """A statutory period in three readings: earliest defensible, primary, latest defensible.

    starts_at: kinds of moments that start the period instead of receipt where they are known.
    not_before: the period cannot start earlier. when: flag → the rule that holds instead.
    successor: the rule from its own `valid_from` on. advisory: no hard number binds.
    """

    strict: Counting
    due: Counting
    charitable: Counting
    section: str = ""
    basis: str = ""
    note: str = ""
    advisory: bool = False
    starts_at: tuple[str, ...] = ()
    not_before: date | None = None
    days_off: tuple[str, ...] = ()
    confidence: str = "unverified"
    roll_confidence: str = "unverified"
    valid_from: date | None = None
    valid_to: date | None = None
    successor: PeriodRule | None = None
    when: Mapping[str, PeriodRule] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExtensionRule:
    """By how much the controller may prolong, and until when it has to say so.

    length: None where no maximum is set; unit "equal_period" is resolved on loading by `equal`.
    counted_from: "original" (one period from the start) or "expiry" (a second one after the first).
    most: the longest total from the start, in `unit`. notice: its own period, else the base period.
    """

    rights: tuple[str, ...] = ()
    length: int | None = None
    unit: Unit = Unit.NONE
    equal: bool = False
    counted_from: str = "original"
    most: int | None = None
    notice: Counting | None = None
    trigger: tuple[str, ...] = ("extension_notice",)
    condition: str = ""
    notice_words: str = ""
    section: str = ""
    note: str = ""
    confidence: str = "unverified"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """Within what time the controller has to confirm receipt."""

    counting: Counting
    rights: tuple[str, ...] = ()
    section: str = ""
    note: str = ""
    confidence: str = "unverified"


@dataclass(frozen=True, kw_only=True)
class ClockStop:
    """A question of the controller that may stop the period, and what it does in each reading.

    asked, given: kinds of moments. within: asked later than this, the question has no effect.
    wait_days: calendar days after asking before the period starts anew (restart-after-wait).
    """

    kind: str
    asked: tuple[str, ...]
    given: tuple[str, ...]
    strict: Effect
    due: Effect
    charitable: Effect
    rights: tuple[str, ...] = ()
    within: Counting | None = None
    wait_days: int = 0
    section: str = ""
    note: str = ""
    confidence: str = "unverified"


@dataclass(frozen=True, kw_only=True)
class Applies:
    """Who may invoke the law against whom.

    residence: places (CC or CC-SUB) of the person; "*" is anywhere. establishment: countries
    whose controllers are bound whatever the residence. bodies: the kinds of controller.
    strength: how safe it is to invoke by residence alone; broker_strength: against a company
    registered as a data broker in one of `brokers_of`. categories: only companies of these.
    representative: the kind of contact that shows the company accepts the law from outside.
    """

    residence: tuple[str, ...] = ()
    establishment: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ("private",)
    strength: str = "medium"
    brokers_of: tuple[str, ...] = ()
    broker_strength: str = "medium"
    categories: tuple[str, ...] = ()
    representative: str | None = None
    basis: str = ""
    condition: str = ""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """An official place where one filing reaches every broker registered in `brokers_of`.

    url: "" where no source states it. source: where the address is stated.
    """

    name: str
    url: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class BeforeComplaint:
    """What the law wants a person to do before the authority hears them.

    step: "complaint" or "appeal" to the company. wait_days: how long one waits for its outcome
    where the law's periods name no date. since: the first day this holds.
    """

    step: str
    section: str = ""
    wait_days: int | None = None
    since: date | None = None
    basis: str = ""
    confidence: str = "unverified"


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """Where silence or refusal is complained of, and until when."""

    authority: str | None = None
    authority_rule: str = ""
    time_limit: str = ""
    when: str = ""
    channel: str = ""
    basis: str = ""
    registry: str = ""
    deemed_refusal: str = ""
    note: str = ""
    first: BeforeComplaint | None = None


@dataclass(frozen=True, kw_only=True)
class RightRule:
    """One right under one law.

    section: as the law numbers it ("15", "1798.105"), never with the law's name.
    demands: ids of what the letter lists; the words stand in the templates.
    granted: false where the law names a duty but no right to ask, or where it is not in force.
    scope: "provided" where the right reaches only data the person provided, until `scope_until`.
    """

    right: str
    section: str
    demands: tuple[str, ...] = ()
    note: str = ""
    granted: bool = True
    valid_from: date | None = None
    scope: str = ""
    scope_until: date | None = None


def narrowed(rule: RightRule, wanted: Collection[str]) -> RightRule:
    """Return the right with some of its demands only, such as source and recipients.

    Raises ValueError for a demand that the law does not grant under this right.
    """
    unknown = [demand for demand in wanted if demand not in rule.demands]
    if unknown:
        raise ValueError(f"{rule.right} lists no {', '.join(unknown)}; it lists "
                         f"{', '.join(rule.demands) or 'nothing one by one'}")
    return replace(rule, demands=tuple(d for d in rule.demands if d in wanted))


@dataclass(frozen=True, kw_only=True)
class Regime:
    """A law: how it is called and cited per language, and what it grants.

    cite_forms: language → pattern with {article}; paragraph_forms adds {paragraph}, point_forms
    {point}. acts: prefix → language → pattern with {section}, for sections of a neighbouring act,
    written `prefix:section`. sections: "answer", "identity", "fee", "complaint", … → section.
    confidence: "verified", "partly-verified" or "unverified".
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
    paragraph_forms: Mapping[str, str] = field(default_factory=dict)
    point_forms: Mapping[str, str] = field(default_factory=dict)
    point_letters: Mapping[str, str] = field(default_factory=dict)
    acts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    statute: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    applies: Applies = field(default_factory=Applies)
    platform: Platform | None = None
    subdivision_default: str | None = None
    countries: tuple[str, ...] = ()
    periods: Mapping[str, PeriodRule] = field(default_factory=dict)
    extensions: tuple[ExtensionRule, ...] = ()
    acknowledgement: Acknowledgement | None = None
    clock: tuple[ClockStop, ...] = ()
    complaint: Complaint = field(default_factory=Complaint)
    facts: Mapping[str, str] = field(default_factory=dict)
    precedents: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    def period(self, right: str) -> PeriodRule | None:
        """The rule for `right`, else the law's default; later steps have only their own rule."""
        own = self.periods.get(right)
        return own if own or right in LATER_STEPS else self.periods.get("default")

    def answer_period(self, right: str, on: date | None = None) -> Counting | None:
        """The statutory number for an answer, or None where the law gives none.

        on: the day of receipt, for a law whose number changes.
        """
        rule = self.period(right)
        while rule and on and rule.successor and rule.valid_to and on > rule.valid_to:
            rule = rule.successor
        return rule.due if rule and rule.due.length is not None else None

    def extension(self, right: str) -> ExtensionRule | None:
        """The extension that names `right`, else the one for all requests (no later step)."""
        named = next((e for e in self.extensions if right in e.rights), None)
        if named or right in LATER_STEPS:
            return named
        return next((e for e in self.extensions if not e.rights), None)

    def cite(self, section: str, language: str = "en") -> str:
        """Return `section` as one writes it in `language`, English where there is no form.

        section: "15", "12(3)", "15(1)(c)" or "act:7" for a neighbouring act of `acts`; also the
        key of a named section ("answer"). An empty section gives the name of the law: the data
        know no number.
        """
        section = self.sections.get(section, section)
        if not section:
            return _pick(self.names, language)
        prefix, _, rest = section.partition(":")
        if rest and prefix in self.acts:
            return _pick(self.acts[prefix], language).format(section=rest)
        return self._cite_own(section, language)

    def _cite_own(self, section: str, language: str) -> str:
        parts = _SECTION.fullmatch(section)
        article_form = _pick(self.cite_forms, language)
        if not parts:
            return article_form.format(article=section, section=section)
        article, paragraph, point = parts["article"], parts["paragraph"], parts["point"]
        values = {"article": article, "section": section, "paragraph": paragraph}
        form = self.point_forms.get(language) if point else self.paragraph_forms.get(language)
        if form and paragraph:
            values["point"] = self._letter(point or "", language)
            return form.format(**values)
        written = article_form.replace("{article}", "{section}")
        return written.format(**values)

    def _letter(self, point: str, language: str) -> str:
        """Points are not Latin everywhere: c is в in Bulgarian and γ in Greek."""
        letters = self.point_letters.get(language, "").split()
        index = ord(point) - ord("a") if len(point) == 1 else -1
        return letters[index] if 0 <= index < len(letters) else point


def _pick(forms: Mapping[str, str], language: str) -> str:
    """The form of a language, of its base language (`de` for `de-CH`), else of English."""
    return forms.get(language) or forms.get(language.partition("-")[0]) or forms["en"]
