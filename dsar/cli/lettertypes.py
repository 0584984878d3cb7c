"""`dsar letter types` for people: one paragraph for each law and set of languages."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsar.letters.catalogue import LetterType

WIDTH = 80
MARK = "*"
LEGEND = f"{MARK} read by nobody but its author so far; have a speaker look before you send it."


def unreviewed(languages: Sequence[str], reviewed: Collection[str]) -> list[str]:
    """Return the languages whose letters no second reader has gone through."""
    return [code for code in languages if code not in reviewed]


def _heading(kind: LetterType) -> tuple[str, tuple[str, ...]]:
    return kind.regime.id, kind.languages


def lines_of(types: Sequence[LetterType], reviewed: Collection[str]) -> Iterator[str]:
    """Yield the lines to show, at most WIDTH wide; a language nobody reviewed carries MARK."""
    above = ""
    for (law, languages), group in groupby(sorted(types, key=_heading), key=_heading):
        found = list(group)
        if law != above:
            yield law
        above = law
        shown = " ".join(c if c in reviewed else c + MARK for c in languages)
        yield from textwrap.wrap(shown, WIDTH, initial_indent="  ", subsequent_indent="  ")
        for right in dict.fromkeys(t.right for t in found):
            stages = ", ".join(str(t.stage) for t in found if t.right == right)
            yield from textwrap.wrap(f"{right}: {stages}", WIDTH, initial_indent="    ",
                                     subsequent_indent="      ", break_on_hyphens=False)
    if any(unreviewed(t.languages, reviewed) for t in types):
        yield LEGEND
