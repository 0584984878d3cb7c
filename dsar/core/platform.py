"""Official places where one filing reaches many companies at once, such as a broker platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsar.core.controller import Controller
from dsar.core.regime import Regime

PLATFORM = "drop"
"""The channel of such a filing."""

MASS = 2
"""From so many letters to registered brokers on the official place is pointed to."""


def is_reached(controller: Controller, law: Regime) -> bool:
    """Whether the official place of this law passes a filing on to the company."""
    return law.platform is not None and bool(
        set(law.applies.brokers_of) & set(controller.brokers_registered_in))


def reached(
    controllers: Iterable[Controller], laws: Sequence[Regime], right: str
) -> tuple[Regime, int] | None:
    """The law whose official place reaches most of the companies, and how many they are.

    laws: those the person may invoke. None where it is no mass mailing, or no such law grants
    the right.
    """
    companies = list(controllers)
    found = [(sum(is_reached(c, law) for c in companies), law) for law in laws
             if law.platform is not None and right in law.rights]
    if not found:
        return None
    count, law = max(found, key=lambda each: each[0])
    return (law, count) if count >= MASS else None
