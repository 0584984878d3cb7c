"""Reads one regime file into a `Regime`; every problem is named with its line."""

from __future__ import annotations

from pathlib import Path

from dsar.core.regime import (
    Acknowledgement,
    Applies,
    BeforeComplaint,
    Complaint,
    Platform,
    Regime,
    RightRule,
)
from dsar.law.periods import CONFIDENCE, acknowledgement, clock_stop, extension, periods
from dsar.yamlfile import Document, Reader, read

STATUS = ("in-force", "enacted-not-in-force", "superseded")
STRENGTHS = ("strong", "medium", "weak")
BODIES = ("private", "public", "police", "eu-institution", "europol", "frontex")
FACTS = (
    "fee", "identity", "representation", "submission", "language", "sanctions", "residency",
    "hook", "acknowledgement", "clock_fee", "clock_identity", "clock_clarification", "national",
    "second_step",
)
"""Remarks of the source that no date follows from, shown by `law show`."""


def read_regime(path: Path, *, name: str | None = None) -> Regime:
    """Return the law of a file; raises FileProblems with every problem at once."""
    document = read(path, name=name)
    regime = _regime(document, path.stem)
    document.raise_problems()
    return regime


def _regime(document: Document, stem: str) -> Regime:
    reader = Reader.of(document, document.value, stem)
    if reader.number("schema") != 1:
        reader.problem("schema", "'schema' must be 1")
    if reader.text("id", required=True) != stem:
        reader.problem("id", f"'id' must be {stem!r}, as the file is called")
    cite, rules = reader.mapping("cite"), periods(reader.mapping("periods"))
    acts = reader.mapping("acts")
    regime = Regime(
        id=stem,
        name=reader.text("name", required=True),
        names=_words(reader, "names"),
        cite_forms=_forms(cite, "article", required=True),
        paragraph_forms=_forms(cite, "paragraph"),
        point_forms=_forms(cite, "point"),
        point_letters=_words(cite, "letters"),
        acts={act: _forms(acts, act) for act in list(acts.value)},
        jurisdiction=reader.text("jurisdiction", required=True),
        status=reader.one_of("status", STATUS, default="in-force"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
        statute=reader.text("statute", required=True),
        rights=_rights(reader.mapping("rights")),
        sections=_words(reader, "sections"),
        sources=_sources(reader),
        verified=reader.day("verified"),
        valid_from=reader.day("valid_from"),
        valid_to=reader.day("valid_to"),
        successor=reader.optional("successor"),
        applies=_applies(reader.mapping("applies")),
        platform=_platform(reader),
        subdivision_default=reader.optional("subdivision_default"),
        countries=reader.texts("countries"),
        periods=rules,
        extensions=tuple(extension(block, rules) for block in reader.mappings("extensions")),
        acknowledgement=_acknowledgement(reader),
        clock=tuple(clock_stop(block) for block in reader.mappings("clock")),
        complaint=_complaint(reader.mapping("complaint")),
        facts=_facts(reader.mapping("facts")),
        precedents=reader.texts("precedents"),
        notes=reader.texts("notes"),
        unverified=reader.texts("unverified"),
    )
    cite.finish()
    acts.finish()
    reader.finish()
    _check_sections(reader, regime)
    return regime


def _check_sections(reader: Reader, regime: Regime) -> None:
    """Every section of a neighbouring act needs the form of that act."""
    written = [*regime.sections.values(), *(rule.section for rule in regime.rights.values())]
    for section in written:
        act, _, rest = section.partition(":")
        if rest and act[:1].isalpha() and act not in regime.acts:
            reader.problem("acts", f"{section!r} needs a form for {act!r} under 'acts'")


def _sources(reader: Reader) -> tuple[str, ...]:
    sources = reader.texts("sources")
    if not sources:
        reader.problem("sources", "'sources' is missing: a law is never written from memory")
    return sources


def _words(reader: Reader, key: str) -> dict[str, str]:
    block = reader.mapping(key)
    return {name: block.text(name) for name in list(block.value)}


def _forms(reader: Reader, key: str, *, required: bool = False) -> dict[str, str]:
    """Language → pattern; English is the fallback of every language."""
    found = _words(reader, key)
    if (required or found) and key not in ("paragraph", "point") and "en" not in found:
        reader.problem(key, f"{key!r} needs a form for 'en'")
    for language, form in found.items():
        if "{article}" not in form and "{section}" not in form:
            reader.problem(key, f"the form of {language!r} names no {{article}} or {{section}}")
    return found


def _rights(reader: Reader) -> dict[str, RightRule]:
    found = {}
    for name in list(reader.value):
        block = reader.mapping(name)
        found[name] = RightRule(
            right=name,
            section=block.text("section"),
            demands=block.texts("demands"),
            note=block.text("note"),
            granted=block.flag("granted", default=True),
            valid_from=block.day("valid_from"),
            scope=block.one_of("scope", ("", "provided"), default=""),
            scope_until=block.day("scope_until"),
        )
        block.finish()
    return found


def _platform(reader: Reader) -> Platform | None:
    if reader.raw("platform") is None:
        return None
    inner = reader.mapping("platform")
    found = Platform(name=inner.text("name", required=True), url=inner.text("url"),
                     source=inner.text("source", required=True))
    inner.finish()
    return found


def _applies(reader: Reader) -> Applies:
    bodies = reader.texts("bodies") or ("private",)
    for body in bodies:
        if body not in BODIES:
            reader.problem("bodies", f"{body!r} is none of {', '.join(BODIES)}")
    found = Applies(
        residence=reader.texts("residence"),
        establishment=reader.texts("establishment"),
        bodies=bodies,
        strength=reader.one_of("strength", STRENGTHS, default="medium"),
        brokers_of=reader.texts("brokers_of"),
        broker_strength=reader.one_of("broker_strength", STRENGTHS, default="medium"),
        categories=reader.texts("categories"),
        representative=reader.optional("representative"),
        basis=reader.text("basis"),
        condition=reader.text("condition"),
    )
    reader.finish()
    return found


def _acknowledgement(reader: Reader) -> Acknowledgement | None:
    if reader.raw("acknowledgement") is None:
        return None
    return acknowledgement(reader.mapping("acknowledgement"))


def _complaint(reader: Reader) -> Complaint:
    found = Complaint(
        authority=reader.optional("authority"),
        authority_rule=reader.text("authority_rule"),
        time_limit=reader.text("time_limit"),
        when=reader.text("when"),
        channel=reader.text("channel"),
        basis=reader.text("basis"),
        registry=reader.text("registry"),
        deemed_refusal=reader.text("deemed_refusal"),
        note=reader.text("note"),
        first=_first(reader.mapping("first")) if reader.raw("first") is not None else None,
    )
    reader.finish()
    return found


def _first(reader: Reader) -> BeforeComplaint:
    days = reader.number("wait_days")
    found = BeforeComplaint(
        step=reader.one_of("step", ("complaint", "appeal"), default="complaint"),
        section=reader.text("section"),
        wait_days=int(days) if days is not None else None,
        since=reader.day("since"),
        basis=reader.text("basis"),
        confidence=reader.one_of("confidence", CONFIDENCE, default="unverified"),
    )
    reader.finish()
    return found


def _facts(reader: Reader) -> dict[str, str]:
    found = {name: reader.text(name) for name in FACTS if reader.raw(name) is not None}
    reader.finish()
    return found
