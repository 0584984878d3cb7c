"""Loads the laws that ship with dsar, each file when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dsar import shipped
from dsar.core.regime import Regime
from dsar.errors import FileProblems, Problem
from dsar.law.authorities import Authority, read_authorities
from dsar.law.calendars import HolidayCalendars, Override
from dsar.law.regimefile import read_regime
from dsar.law.states import State, read_states


class RegimeFiles(Mapping[str, Regime]):
    """The laws of one folder by id; a file is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Regime] = {}

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folder.glob("*.yaml")))

    def __getitem__(self, regime_id: str) -> Regime:
        if regime_id not in self._read:
            path = self._folder / f"{regime_id}.yaml"
            if "/" in regime_id or not path.is_file():
                raise KeyError(regime_id)
            self._read[regime_id] = read_regime(path)
        return self._read[regime_id]

    def __contains__(self, regime_id: object) -> bool:
        return regime_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


@dataclass(frozen=True)
class Laws:
    """Every law, authority and calendar, read on demand from one folder."""

    folder: Path
    regimes: Mapping[str, Regime]
    calendars: HolidayCalendars

    @cached_property
    def authorities(self) -> Mapping[str, Authority]:
        """The supervisory authorities by id."""
        return read_authorities(self.folder / "authorities.yaml")

    @cached_property
    def states(self) -> Mapping[str, State]:
        """The states of the European Economic Area by country code."""
        return read_states(self.folder / "states.yaml")

    def check(self) -> None:
        """Read everything; raises FileProblems with every problem of every file."""
        problems: list[Problem] = []
        for regime_id in self.regimes:
            try:
                problems.extend(self._dangling(self.regimes[regime_id]))
            except FileProblems as error:
                problems.extend(error.problems)
        if problems:
            raise FileProblems(sorted(problems))

    def _dangling(self, regime: Regime) -> Iterator[Problem]:
        path = str(self.folder / "regimes" / f"{regime.id}.yaml")
        authority = regime.complaint.authority
        if authority and authority not in self.authorities:
            yield Problem(path, 1, f"no authority is called {authority!r}")
        if regime.successor and regime.successor not in self.regimes:
            yield Problem(path, 1, f"no law is called {regime.successor!r}")


def load_laws(
    folder: Path | None = None, *, overrides: Mapping[str, Override] | None = None
) -> Laws:
    """Return the laws of `folder` (the one that ships with dsar).

    folder: has regimes/, authorities.yaml, states.yaml, calendars.yaml and days/.
    overrides: a user's extra or removed days off, by calendar id.
    """
    place = folder or shipped.law()
    return Laws(place, RegimeFiles(place / "regimes"), HolidayCalendars(place, overrides))
