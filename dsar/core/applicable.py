"""Which laws a person may invoke against a controller, strongest first, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from dsar.core.controller import Controller
from dsar.core.regime import Regime
from dsar.core.subject import Place

STRENGTHS = ("strong", "medium", "weak")
"""How safe it is to invoke the law: beyond doubt, on a condition, on a thin or narrow ground."""

_CATEGORY_OF_BODY = {"police": "law-enforcement", "eu-institution": "eu-institution"}


class HasRegimes(Protocol):
    """Anything with laws by id (law/load.py)."""

    @property
    def regimes(self) -> Mapping[str, Regime]:
        """The laws by id."""
        ...


@dataclass(frozen=True, kw_only=True)
class Applicable:
    """One law, how strongly it applies, and the reason in words.

    resident: it is the law of the person's own home. listed: the registry names it for the company.
    """

    regime_id: str
    strength: str
    because: str
    resident: bool = False
    listed: bool = False


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """A law that would apply, were it in force; `begins` is None for one that has ended."""

    regime_id: str
    begins: date | None


def applicable(
    residence: Place, controller: Controller, laws: HasRegimes, on: date
) -> tuple[Applicable, ...]:
    """Return the laws in force `on` that someone living in `residence` may invoke.

    A public body is bound by its own laws only: general laws are never offered against one.
    """
    regimes = laws.regimes.values()
    found = [_judged(residence, controller, r) for r in regimes if _in_force(r, on)]
    return tuple(sorted((a for a in found if a), key=_rank))


def not_yet(
    residence: Place, controller: Controller, laws: HasRegimes, on: date
) -> tuple[NotYet, ...]:
    """Return the laws that would apply but are not in force `on`."""
    return tuple(
        NotYet(regime_id=regime.id, begins=_begins(regime, on))
        for regime in laws.regimes.values()
        if not _in_force(regime, on) and _judged(residence, controller, regime)
    )


def _rank(found: Applicable) -> tuple[int, bool, bool, str]:
    """The person's own law before another of the same strength, then what the registry names."""
    strength = STRENGTHS.index(found.strength)
    return strength, not found.resident, not found.listed, found.regime_id


def _in_force(regime: Regime, on: date) -> bool:
    begun = regime.valid_from is None or regime.valid_from <= on
    return begun and (regime.valid_to is None or on <= regime.valid_to)


def _begins(regime: Regime, on: date) -> date | None:
    return regime.valid_from if regime.valid_from and regime.valid_from > on else None


def _judged(residence: Place, controller: Controller, regime: Regime) -> Applicable | None:
    private = "private" in regime.applies.bodies
    if controller.public_body or not private:
        return _public(controller, regime) if controller.public_body and not private else None
    reasons = tuple(_reasons(residence, controller, regime))
    if not reasons:
        return None
    best = min(reasons, key=lambda reason: STRENGTHS.index(reason[0]))
    return Applicable(
        regime_id=regime.id, strength=best[0], because=best[1],
        resident=_lives_under(residence, regime), listed=regime.id in controller.laws,
    )


def _public(controller: Controller, regime: Regime) -> Applicable | None:
    """The law the registry names for the body; where it names none, the law of its kind."""
    listed = regime.id in controller.laws
    if not listed and (controller.laws or not _of_kind(controller, regime)):
        return None
    why = "the registry names it for this public body" if listed else "a public body of this kind"
    return Applicable(regime_id=regime.id, strength="strong", listed=listed,
                      because=f"{why}: {regime.applies.basis or regime.name}")


def _of_kind(controller: Controller, regime: Regime) -> bool:
    kinds = {_CATEGORY_OF_BODY.get(body) for body in regime.applies.bodies}
    places = regime.applies.establishment
    return bool(kinds & set(controller.categories)) and (
        not places or controller.country in places)


def _reasons(
    residence: Place, controller: Controller, regime: Regime
) -> Iterator[tuple[str, str]]:
    """Every ground on which the law applies, as (strength, words)."""
    applies, lives = regime.applies, _lives_under(residence, regime)
    basis = applies.basis or regime.name
    if applies.categories and not set(applies.categories) & set(controller.categories):
        return
    if controller.country in applies.establishment:
        yield "strong", f"the company is established in {controller.country}, " \
                        "whatever your residence"
    if not lives:
        return
    if applies.condition:
        basis = f"{basis}; condition: {applies.condition}"
    if controller.country in regime.countries:
        yield "strong", f"you live in {residence} and the company is seated in {controller.country}"
    if applies.representative and controller.contact(applies.representative):
        yield "strong", f"you live in {residence} and the company has named a representative there"
    if set(applies.brokers_of) & set(controller.brokers_registered_in):
        state = next(iter(set(applies.brokers_of) & set(controller.brokers_registered_in)))
        yield applies.broker_strength, f"you live in {residence} and the company is a registered " \
                                       f"data broker in {state}"
    if regime.id in controller.laws:
        yield _better(applies.strength), f"you live in {residence} and the registry names this " \
                                         f"law for the company: {basis}"
    yield applies.strength, f"you live in {residence}: {basis}"


def _better(strength: str) -> str:
    return STRENGTHS[max(STRENGTHS.index(strength) - 1, 0)]


def _lives_under(residence: Place, regime: Regime) -> bool:
    places = regime.applies.residence
    return "*" in places or str(residence) in places or residence.country in places
