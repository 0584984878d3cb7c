"""The funnel of a campaign: how many people went how far."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dsar.core.statistics import Share
from dsar.core.table import Cell, Count, Table

_WORDS = {
    "invited": "invited to take part", "mandated": "gave a mandate or took a kit",
    "sent": "request sent", "answered": "had an answer", "shared": "shared the answer",
    "analysed": "answer analysed",
}


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Numbers of people, never of letters, at each step; None where a step is not counted.

    answered: a substantive answer reached them, as far as the campaign knows. shared: they gave
    the answer back to the campaign. analysed: it went into an analysis, by their consent.
    Raises ValueError for a number below zero.
    """

    invited: int | None = None
    mandated: int | None = None
    sent: int | None = None
    answered: int | None = None
    shared: int | None = None
    analysed: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a number of people."""
        if any(n < 0 for _, n in self.steps):
            raise ValueError("a number of people is not below zero")

    @property
    def steps(self) -> tuple[tuple[str, int], ...]:
        """The steps that are counted, in their order."""
        found = ((f.name, getattr(self, f.name)) for f in fields(self))
        return tuple((name, n) for name, n in found if n is not None)


def campaign(funnel: Funnel | None) -> Table:
    """T12: each step beside the one before it and beside the first."""
    steps = funnel.steps if funnel else ()
    before = (None, *(n for _, n in steps))
    rows = tuple((_WORDS[name], Count(n), _of(n, earlier), _of(n, steps[0][1]))
                 for (name, n), earlier in zip(steps, before, strict=False))
    return Table(id="T12", title="Funnel of the campaign", nested=True, rows=rows,
                 about="People of the campaign; a step that is not counted is left out.",
                 columns=("step", "people", "of the step before", "of the first step"))


def _of(n: int, whole: int | None) -> Cell:
    """Nothing where more got here than there were before: by another way, as by invitation."""
    return Share(n, whole) if whole is not None and n <= whole else None
