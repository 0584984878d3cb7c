"""Whose holidays count: the place where the controller has to act."""

from __future__ import annotations

from dataclasses import dataclass

from dsar.core.regime import Regime
from dsar.core.subject import Place


@dataclass(frozen=True)
class PlaceOfAction:
    """The place, and whether the controller itself sits outside the law's countries."""

    place: Place
    controller_outside: bool


def place_of_action(seat: str | None, regime: Regime, residence: Place) -> PlaceOfAction:
    """Return where the controller has to act under `regime`.

    A controller within the law's countries acts at its seat (Regulation (EEC, Euratom) No
    1182/71, Art. 2(1), speaks of the state in which the action is to be taken); for one outside
    the residence of the data subject is taken, which the strict reading then disregards.
    seat: ISO 3166-1 country, or None where nobody knows it: then it counts as outside.
    """
    countries = regime.countries
    if seat is not None and seat in countries:
        inside = residence if residence.country == seat and len(countries) == 1 else Place(seat)
        return PlaceOfAction(inside, False)
    if residence.country in countries:
        return PlaceOfAction(residence, True)
    only = next(iter(countries)) if len(countries) == 1 else None
    return PlaceOfAction(Place(only) if only else residence, True)
