"""What must not stand in a letter: gaps, threats, and more than a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dsar import yamlfile
from dsar.core.letter import Letter, Rendered
from dsar.letters.view import clean

LONGEST_LETTER = 2600
"""Characters of a body that still fit a page with both addresses."""

LONGEST_SUBJECT = 180

_GAPS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|\bNone\b|\bundefined\b|\bTODO\b|\bXX+\b|<[A-Za-z]+>"
                   r"|\[(?!DSAR-)[^\]]*\]|_{3,}")
_LOUD = re.compile(r"!|\b[^\W\d_]{9,}\b")


@dataclass(frozen=True)
class WordList:
    """Beginnings of words that an access letter, or any letter, does without."""

    erasing: tuple[str, ...]
    threats: tuple[str, ...]


def lint(rendered: Rendered, letter: Letter, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what is wrong with the words of a letter, in English; nothing where all is well."""
    return tuple(_problems(rendered, letter, word_list(rendered.language, folders)))


def _problems(rendered: Rendered, letter: Letter, words: WordList) -> Iterator[str]:
    whole = f"{rendered.subject}\n\n{rendered.body}"
    for found in _GAPS.findall(whole):
        yield f"a gap is left: {found}"
    if f"[{letter.reference}]" not in rendered.subject:
        yield "the subject does not end with the reference in square brackets"
    for what, text in _must_have(letter, rendered).items():
        if text not in rendered.body:
            yield f"{what} is missing"
    if len(rendered.body) > LONGEST_LETTER:
        yield f"has {len(rendered.body)} characters; a page takes {LONGEST_LETTER}"
    if len(rendered.subject) > LONGEST_SUBJECT:
        yield f"the subject has {len(rendered.subject)} characters, more than {LONGEST_SUBJECT}"
    own = _without(_without_greeting(whole), _told(letter))
    for word in begin_with(own, words.threats):
        yield f"sounds like a threat: {word}"
    for loud in (m.group() for m in _LOUD.finditer(own)):
        if loud == "!" or loud.isupper():
            yield f"is loud: {loud}"


def _without_greeting(whole: str) -> str:
    """Several languages close the salutation, the paragraph below the subject, with a "!"."""
    subject, _, body = whole.partition("\n\n")
    greeting, _, rest = body.partition("\n\n")
    return "\n\n".join((subject, greeting.removesuffix("!"), rest))


def _must_have(letter: Letter, rendered: Rendered) -> Mapping[str, str]:
    return {
        "the reference": letter.reference, "the name": clean(letter.subject.name, "the name"),
        "the date": rendered.dated,
        "the section": letter.regime.cite(letter.right.section, letter.language),
    }


def _told(letter: Letter) -> list[str]:
    """What comes from people and files: no list of words applies to it."""
    return [clean(v, "a value") for v in (
        letter.subject.name, letter.controller.name, *(
            d.identifier.value for d in letter.disclosures)) if v.strip()]


def _without(text: str, values: Sequence[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "")
    return text


def begin_with(text: str, beginnings: Sequence[str]) -> list[str]:
    """Return the words of `text` that begin as one of these, in any case."""
    if not beginnings:
        return []
    any_of = "|".join(map(re.escape, beginnings))
    return [m.group() for m in re.finditer(rf"\b(?:{any_of})\w*", text, re.IGNORECASE)]


def word_list(language: str, folders: Sequence[Path]) -> WordList:
    """Return the words of one language; empty where no folder has a list."""
    for folder in folders:
        known = _read(folder / "lint.yaml")
        if language in known:
            return known[language]
    return WordList((), ())


@lru_cache(maxsize=8)
def _read(path: Path) -> Mapping[str, WordList]:
    if not path.exists():
        return {}
    document = yamlfile.read(path)
    top = yamlfile.Reader.of(document, document.value, "lint")
    entries = {language: top.mapping(language) for language in top.value}
    lists = {k: WordList(e.texts("erasing"), e.texts("threats")) for k, e in entries.items()}
    for entry in entries.values():
        entry.finish()
    document.raise_problems()
    return lists
