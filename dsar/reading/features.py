"""What the second reader looks at: word classes, what follows what, concepts found, and words.

Classes and concepts are the same in all languages, so that what was learned in one serves the
others; words are those of one language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsar.reading.engine import Hit, Tagged
from dsar.reading.words import UNSPACED

_NEAR = 4
"""Tokens within which one class is said to stand before another."""
_WIDE = 4
"""How many times more where a token is a character."""
_STEM = 5
"""Letters by which an inflected word is known, too."""
_QUALITIES = ("negated", "future", "conditional", "modal", "reported", "question")


def features(
    tagged: Sequence[Tagged], hits: Sequence[Hit], language: str
) -> dict[str, tuple[int, ...]]:
    """Each feature of a message with the numbers of the sentences it occurs in.

    "c:neg" a class, "b:neg>deleted" one soon before another, "h:erased/nf" a concept with what
    keeps it from being a fact (negated, future), "q" a question, "en:sorry" and "en:sorr*" words.
    """
    found: dict[str, set[int]] = {}
    for number, sentence in enumerate(tagged):
        for name in _of_sentence(sentence, language):
            found.setdefault(name, set()).add(number)
    for hit in hits:
        marks = "".join(name[0] for name in _QUALITIES if getattr(hit, name))
        found.setdefault(f"h:{hit.concept}/{marks}", set()).add(hit.sentence)
    return {name: tuple(sorted(places)) for name, places in found.items()}


def _of_sentence(sentence: Tagged, language: str) -> Iterator[str]:
    if sentence.sentence.is_question:
        yield "q"
    yield from _classes(sentence, _NEAR * (_WIDE if language in UNSPACED else 1))
    tokens = sentence.sentence.tokens
    words = _characters(tokens) if language in UNSPACED else _words(tokens)
    for word in words:
        yield f"{language}:{word}"


def _classes(sentence: Tagged, reach: int) -> Iterator[str]:
    for i, here in enumerate(sentence.tags):
        for name in here:
            yield f"c:{name}"
        if not here:
            continue
        for there in sentence.tags[i + 1:i + 1 + reach]:
            for follower in there:
                for name in here:
                    yield f"b:{name}>{follower}"


def _words(tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        if token.isalpha():
            yield token
            if len(token) > _STEM:
                yield f"{token[:_STEM]}*"


def _characters(tokens: Sequence[str]) -> Iterator[str]:
    """One, two and three characters: there are no spaces between words."""
    for length in (1, 2, 3):
        for i in range(len(tokens) - length + 1):
            run = "".join(tokens[i:i + length])
            if run.isalpha():
                yield run
