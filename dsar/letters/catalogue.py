"""Which letters there are: law, right, stage and language that the templates have words for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsar.core.letter import Stage
from dsar.core.regime import Regime
from dsar.errors import LetterIncomplete
from dsar.letters.demands import demands_of
from dsar.letters.words import languages, layers_for


@dataclass(frozen=True, kw_only=True)
class LetterType:
    """One kind of letter, with the languages it can be written in."""

    regime: Regime
    right: str
    stage: Stage
    languages: tuple[str, ...]


def letter_types(laws: Iterable[Regime], folders: Sequence[Path]) -> Iterator[LetterType]:
    """Yield the letters under laws in force, for the rights they grant and list demands for."""
    for regime in laws:
        if regime.status != "in-force":
            continue
        for right, rule in regime.rights.items():
            if not (rule.granted and rule.section and demands_of(rule, folders)):
                continue
            for stage in Stage:
                found = languages_of(regime, right, stage, folders)
                if found:
                    yield LetterType(regime=regime, right=right, stage=stage, languages=found)


def languages_of(
    regime: Regime, right: str, stage: Stage, folders: Sequence[Path]
) -> tuple[str, ...]:
    """Return the languages in which there is a letter for this right under this law."""
    known = languages(folders)
    return tuple(code for code in known if _exists(regime, right, stage, code, folders))


def _exists(
    regime: Regime, right: str, stage: Stage, language: str, folders: Sequence[Path]
) -> bool:
    try:
        layers_for(regime, right, stage, language, tuple(folders))
    except LetterIncomplete:
        return False
    return True
