"""Which identifiers a letter tells: what the controller needs for that right, and nothing else."""

from __future__ import annotations

from collections.abc import Collection

from dsar.core.controller import Controller
from dsar.core.letter import Disclosure
from dsar.core.subject import DataSubject, Identifier

MINIMUM = ("name", "email")
"""What every letter tells: who writes, and where the answer goes."""

NEVER_BY_ITSELF = frozenset({
    "face-photo", "fingerprints", "national-id", "passport-number", "alien-number",
})
"""Kinds no letter tells: only one case at a time, prepared, after a demand (rail `identity`)."""

LEAST_HARMFUL_FIRST = (
    "name", "email", "country", "age-band", "username", "profile-url", "page-url", "image-url",
    "customer-number", "account-id", "cookie-id", "advertising-id", "device-id", "ip-address",
    "former-name", "address", "former-address", "phone", "nationality", "birth-place",
    "birth-date", "vehicle-plate", "other",
)
"""Our order of harm where a company takes one of several (tool policy, not law)."""

SEVERAL = frozenset({"cookie-id", "advertising-id", "device-id"})
"""Kinds of which a person has several and each finds other data; of the rest one is told."""

Group = tuple[str, ...]


def disclosures(
    subject: DataSubject, controller: Controller, right: str, *, asked: Collection[str] = ()
) -> tuple[Disclosure, ...]:
    """Return what the letter tells, the least harmful alternative of each need, with its reason.

    asked: kinds this company has asked for in this case; an identifier marked `asked` is told
    only then, one marked `never` not at all.
    """
    told = [_told(subject, kind, asked)[:1] for kind in MINIMUM]
    found = [Disclosure(identifier=i, reason=_minimum_reason(i)) for own in told for i in own]
    for group in controller.identifiers:
        if any(d.identifier.kind in group for d in found):
            continue
        reason = _reason(controller, group, right)
        found += [Disclosure(identifier=i, reason=reason) for i in _chosen(subject, group, asked)]
    return tuple(found)


def missing_identifiers(
    subject: DataSubject, controller: Controller, right: str, *, asked: Collection[str] = ()
) -> tuple[Group, ...]:
    """Return the needs that nothing of the person's meets, each as the kinds that would meet it.

    A need that only `asked` identifiers or kinds never told by themselves would meet is not
    missing: the letter goes without, and the company may ask.
    """
    met = {d.identifier.kind for d in disclosures(subject, controller, right, asked=asked)}
    held = {i.kind for i in subject.all_identifiers() if i.tell == "asked"} | NEVER_BY_ITSELF
    return tuple(g for g in controller.identifiers if not set(g) & (met | held))


def _chosen(subject: DataSubject, group: Group, asked: Collection[str]) -> list[Identifier]:
    for kind in sorted(group, key=_harm):
        told = _told(subject, kind, asked)
        if told:
            return told if kind in SEVERAL else told[:1]
    return []


def _told(subject: DataSubject, kind: str, asked: Collection[str]) -> list[Identifier]:
    """The person's identifiers of a kind that may be told, in the person's order."""
    if kind in NEVER_BY_ITSELF:
        return []
    allowed = ("any", "asked") if kind in asked else ("any",)
    return [i for i in subject.all_identifiers()
            if i.kind == kind and (i.tell in allowed or kind in MINIMUM) and i.value.strip()]


def _harm(kind: str) -> int:
    known = kind in LEAST_HARMFUL_FIRST
    return LEAST_HARMFUL_FIRST.index(kind) if known else len(LEAST_HARMFUL_FIRST)


def _minimum_reason(identifier: Identifier) -> str:
    return "says who writes" if identifier.kind == "name" else "is where the answer goes"


def _reason(controller: Controller, group: Group, right: str) -> str:
    others = f", the least of {', '.join(group)}" if len(group) > 1 else ""
    return f"{controller.name} needs it for {right}{others}"
