"""The sender's own words: without our letter, signatures, disclaimers and ticket footers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from dsar import shipped, yamlfile
from dsar.reading.words import fold

MAX_WORDS = 40_000
_SIGNATURE_LINES = 8
_RULE = re.compile(r"^\s*[-_=*~–—]{5,}\s*$")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class Furniture:
    """Phrases of what stands around a text, folded."""

    closings: frozenset[str]
    disclaimers: tuple[str, ...]
    footers: tuple[str, ...]


@lru_cache(maxsize=1)
def furniture() -> Furniture:
    """Load the phrases once; raises FileProblems for a broken file."""
    document = yamlfile.read(shipped.reading_rules() / "_furniture.yaml", name="_furniture.yaml")
    reader = yamlfile.Reader.of(document, document.value, "furniture")
    reader.text("sources", required=True)
    found = Furniture(
        frozenset(fold(w) for w in reader.texts("closings")),
        tuple(fold(w) for w in reader.texts("disclaimers")),
        tuple(fold(w) for w in reader.texts("footers")),
    )
    reader.finish()
    document.raise_problems()
    return found


def own_words(text: str, letters: Sequence[str] = ()) -> str:
    """Return `text` without what its author did not write for us.

    letters: our own letters, whose lines are taken out wherever they stand.
    """
    lines = _without_letters(text[:MAX_WORDS].splitlines(), letters)
    lines = _without_closing(lines)
    kept = [p for p in _paragraphs(lines) if not _is_furniture(p)]
    return "\n\n".join("\n".join(p) for p in kept).strip()


def _bare(line: str) -> str:
    return _NOT_LETTERS.sub(" ", fold(line)).strip()


def _without_letters(lines: list[str], letters: Sequence[str]) -> list[str]:
    ours = {_bare(line) for letter in letters for line in letter.splitlines()}
    whole = " ".join(_bare(line) for letter in letters for line in letter.splitlines())
    if not ours:
        return lines
    return [line for line in lines
            if not (bare := _bare(line)) or len(bare) < 15
            or (bare not in ours and f" {bare} " not in f" {whole} ")]


def _without_closing(lines: list[str]) -> list[str]:
    """Drop a closing and the short lines of the signature below it."""
    kept: list[str] = []
    position = 0
    while position < len(lines):
        if _is_closing(lines[position]):
            position = _signature_end(lines, position + 1)
            continue
        kept.append(lines[position])
        position += 1
    return kept


def _is_closing(line: str) -> bool:
    bare = fold(line).strip(" ,.!\t")
    if len(bare) > 60:
        return False
    closings = furniture().closings
    return bare in closings or ("," in bare and any(
        bare.startswith(f"{c},") for c in closings if len(c) > 6))


def _signature_end(lines: list[str], start: int) -> int:
    position = start
    while position < min(len(lines), start + _SIGNATURE_LINES):
        if len(lines[position].strip()) > 70:
            break
        position += 1
    return position


def _paragraphs(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip() and not _RULE.match(line):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [p for p in found if p]


def _is_furniture(paragraph: list[str]) -> bool:
    text = fold(" ".join(paragraph))[:1500]
    words = furniture()
    if any(phrase in text for phrase in words.footers) and len(text) < 300:
        return True
    return any(phrase in text for phrase in words.disclaimers)
