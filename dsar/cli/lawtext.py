"""One law, or one authority, as text of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsar.core.applicable import Applicable, NotYet
    from dsar.core.regime import ClockStop, ExtensionRule, PeriodRule, Regime
    from dsar.law.authorities import Authority

WIDTH = 80


def law_lines(regime: Regime, authority: Authority | None) -> Iterator[str]:
    """The whole law; what is not verified says so."""
    yield from _wrapped(f"{regime.id}: {regime.name}", "", "  ")
    yield from _fields(_head(regime))
    yield from _titled("Rights", (_right(regime, name) for name in regime.rights))
    yield from _titled("Periods", (_period(n, rule) for n, rule in regime.periods.items()))
    yield from _titled("Extension", map(_extension, regime.extensions))
    yield from _titled("What stops the clock", map(_clock, regime.clock))
    yield from _titled("Complaint", _complaint(regime, authority))
    yield from _titled("More", (f"{k.replace('_', ' ')}: {v}" for k, v in regime.facts.items()))
    yield from _titled("Notes", regime.notes)
    yield from _titled("Decisions", regime.precedents)
    yield from _titled("Not verified", regime.unverified)
    yield from _titled("Sources", regime.sources)


def _head(regime: Regime) -> dict[str, str]:
    return {
        "statute": regime.statute,
        "jurisdiction": regime.jurisdiction,
        "status": regime.status,
        "in force": _span(regime),
        "verified": f"{regime.confidence}{f', {regime.verified}' if regime.verified else ''}",
        "applies": regime.applies.basis,
        "condition": regime.applies.condition,
    }


def _span(regime: Regime) -> str:
    begins = f"from {regime.valid_from}" if regime.valid_from else ""
    ends = f"until {regime.valid_to}" if regime.valid_to else ""
    return " ".join(part for part in (begins, ends) if part)


def _right(regime: Regime, name: str) -> str:
    rule = regime.rights[name]
    marks = [rule.note, "" if rule.granted else "no right to ask for it",
             f"from {rule.valid_from}" if rule.valid_from else ""]
    more = "; ".join(mark for mark in marks if mark)
    where = regime.cite(rule.section) if rule.section else "section not in the data"
    return f"{name}: {where}{f' ({more})' if more else ''}"


def _period(name: str, rule: PeriodRule) -> str:
    from dsar.core.inwords import length

    parts = [length(rule.due)]
    if rule.due.rolls:
        parts.append(f"a last day off moves ({rule.due.calendar})")
    if rule.advisory:
        parts.append("advisory")
    parts.append(rule.confidence)
    if rule.due.rolls and rule.roll_confidence != rule.confidence:
        parts.append(f"the move {rule.roll_confidence}")
    if rule.valid_to:
        parts.append(f"until {rule.valid_to}")
    parts += [rule.basis, rule.note]
    return f"{name}: {'; '.join(part for part in parts if part)}"


def _extension(rule: ExtensionRule) -> str:
    rights = ", ".join(rule.rights) if rule.rights else "every right"
    much = "an equal period" if rule.equal else f"{rule.length} {rule.unit}"
    much = much if rule.equal or rule.length is not None else "no maximum"
    parts = [much, f"counted from {rule.counted_from}", rule.notice_words, rule.condition,
             rule.note, rule.confidence]
    return f"{rights}: {'; '.join(part for part in parts if part)}"


def _clock(stop: ClockStop) -> str:
    readings = f"strict {stop.strict}, due {stop.due}, latest {stop.charitable}"
    return f"{stop.kind}: {readings}; {stop.confidence}{f'; {stop.note}' if stop.note else ''}"


def _complaint(regime: Regime, authority: Authority | None) -> Iterator[str]:
    complaint = regime.complaint
    if authority:
        yield f"{authority.name} ({authority.id}, {authority.confidence})"
    for value in (complaint.authority_rule, complaint.when, complaint.time_limit,
                  complaint.channel, complaint.deemed_refusal, complaint.registry, complaint.note):
        if value:
            yield value


def applies_lines(found: Iterable[Applicable], later: Iterable[NotYet]) -> Iterator[str]:
    """The laws that apply, then those that would if they were in force."""
    for one in found:
        yield from _wrapped(f"{one.regime_id:<18}{one.strength:<8}{one.because}", "", " " * 26)
    for waiting in later:
        begins = f"not in force before {waiting.begins}" if waiting.begins else "has ended"
        yield f"{waiting.regime_id:<18}{'-':<8}{begins}"


def wrapped(text: str) -> list[str]:
    """A step of an explanation."""
    return _wrapped(text, "  ", "    ")


def authority_lines(one: Authority) -> Iterator[str]:
    """One authority with what is known of it, and how far that is checked."""
    yield from _wrapped(f"{one.id}: {one.name}", "", "  ")
    yield from _fields({
        "country": one.country, "scope": one.scope or "", "address": ", ".join(one.address),
        "e-mail": one.email or "", "form": one.complaint_form or "", "website": one.website or "",
        "phone": one.phone or "", "languages": ", ".join(one.languages), "note": one.note,
        "verified": f"{one.confidence}{f', {one.verified}' if one.verified else ''}",
        "source": one.source,
    })


def _fields(values: dict[str, str]) -> Iterator[str]:
    for name, value in values.items():
        if value:
            yield from _wrapped(f"{name:<13}{value}", "  ", " " * 15)


def _titled(title: str, items: Iterable[str]) -> Iterator[str]:
    written = list(items)
    if written:
        yield title
        for item in written:
            yield from _wrapped(item, "  ", "    ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest,
                         break_long_words=False, break_on_hyphens=False)
