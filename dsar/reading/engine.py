"""Finds concepts in sentences: patterns over word classes, with negation, future and condition.

Pure and language-free; the time is linear in the number of tokens, since every pattern and every
gap has a fixed length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsar.reading.lexicon import Lexicon, Pattern
from dsar.reading.words import UNSPACED, Sentence

BREAKS = frozenset({"but"})
"""Classes no gap may cross: what follows is another statement."""
_PHRASES = frozenset({"except", "nolonger", "notfuture", "notcond"})
_QUALIFIERS = frozenset({"cond", "near_cond", "future", "neg", "none", "cannot", "reported"})
_NEAR = 3


@dataclass(frozen=True)
class Hit:
    """A concept found in a sentence.

    negated, future, conditional, modal, reported, question: what keeps it from being a fact.
    """

    concept: str
    sentence: int
    start: int
    end: int
    negated: bool = False
    future: bool = False
    conditional: bool = False
    modal: bool = False
    reported: bool = False
    question: bool = False

    @property
    def is_fact(self) -> bool:
        """Whether it is said to have happened."""
        return not (self.negated or self.future or self.conditional or self.modal
                    or self.reported or self.question)


@dataclass(frozen=True)
class Tagged:
    """A sentence with, per token, the classes that begin there and how long each is."""

    sentence: Sentence
    tags: tuple[dict[str, int], ...]

    def has(self, name: str) -> bool:
        """Whether a class occurs anywhere in the sentence."""
        return any(name in tags for tags in self.tags)

    def places(self, names: frozenset[str] | set[str], start: int, end: int) -> list[int]:
        """Where one of the classes begins within [start, end)."""
        first, last = max(start, 0), min(end, len(self.tags))
        return [i for i in range(first, last) if not names.isdisjoint(self.tags[i])]


def tag(sentence: Sentence, words: Lexicon) -> Tagged:
    """Look every token up, alone and as the beginning of a phrase."""
    tokens = sentence.tokens
    tags: list[dict[str, int]] = []
    for i, token in enumerate(tokens):
        found = dict.fromkeys(words.classes(token), 1)
        for rest, name in words.phrases.get(token, ()):
            length = len(rest) + 1
            if tokens[i + 1:i + length] == rest and found.get(name, 0) < length:
                found[name] = length
        tags.append(found)
    _protect(tags)
    return Tagged(sentence, tuple(tags))


def _protect(tags: list[dict[str, int]]) -> None:
    """Words inside a set phrase lose their own sense: "not" in "no longer", "bis" in "bis auf"."""
    for i, found in enumerate(tags):
        length = max((n for name, n in found.items() if name in _PHRASES), default=0)
        for covered in tags[i:i + length]:
            for name in _QUALIFIERS.intersection(covered):
                if covered[name] <= length and name not in _PHRASES:
                    del covered[name]


def find(tagged: Sequence[Tagged], words: Lexicon) -> list[Hit]:
    """All concepts in all sentences."""
    found: list[Hit] = []
    for number, sentence in enumerate(tagged):
        seen: set[tuple[str, int, int]] = set()
        present = {name for tags in sentence.tags for name in tags}
        told = min(sentence.places({"rights_talk"}, 0, len(sentence.tags)), default=10_000)
        for start, tags in enumerate(sentence.tags):
            for name in tags:
                for pattern in words.patterns.get(name, ()):
                    if not pattern.needs <= present:
                        continue
                    end, covered = _match(sentence, pattern, start)
                    if end and (pattern.concept, start, end) not in seen and start < told:
                        seen.add((pattern.concept, start, end))
                        found.append(_qualified(sentence, number, pattern, (start, end), covered,
                                                words))
    return found


def _match(sentence: Tagged, pattern: Pattern, start: int) -> tuple[int, set[int]]:
    """The end of the shortest match from `start`, or 0, and the tokens its elements cover."""
    tags, elements, gaps = sentence.tags, pattern.elements, pattern.gaps
    position = start + tags[start][elements[0]]
    covered = set(range(start, position))
    for element, gap in zip(elements[1:], gaps[1:], strict=True):
        limit = min(position + gap + 1, len(tags))
        while position < limit:
            if element in tags[position]:
                length = tags[position][element]
                covered.update(range(position, position + length))
                position += length
                break
            if not BREAKS.isdisjoint(tags[position]):
                return 0, covered
            position += 1
        else:
            return 0, covered
    return position, covered


def _qualified(
    sentence: Tagged, number: int, pattern: Pattern, span: tuple[int, int], covered: set[int],
    words: Lexicon,
) -> Hit:
    start, end = span
    wide = 4 if words.language in UNSPACED else 1
    clause = _clause_start(sentence, start)
    clause_end = _clause_end(sentence, end)
    near = max(clause, start - _NEAR * wide)
    after = min(clause_end, end + (2 if wide == 1 else 12))
    spent = covered | _own_negators(sentence, pattern, start, end)
    negators = [i for i in sentence.places({"neg", "cannot"}, near, after) if i not in spent]
    if not words.concord and "none" not in pattern.elements:
        negators += sentence.places({"none"}, max(near, start - 2), start)
    before = {"cond", "reported"}
    marks = [sentence.tags[i] for i in sentence.places(before, clause, start + 1)]
    return Hit(
        pattern.concept, number, start, end,
        negated=bool(negators),
        future=bool(sentence.places({"future"}, max(clause, start - 5 * wide), after)),
        conditional=any("cond" in m for m in marks)
        or bool(sentence.places({"near_cond"}, max(clause, start - 3), start))
        or _is_policy(sentence, end)
        or any(wide > 1 or i not in covered for i in sentence.places({"cond"}, start + 1, end))
        or bool(wide > 1 and sentence.places({"cond"}, end, end + 12)),
        modal=bool(sentence.places({"modal"}, max(clause, start - 2 * wide), end)),
        reported=any("reported" in m for m in marks),
        question=sentence.sentence.is_question,
    )


def _is_policy(sentence: Tagged, end: int) -> bool:
    """"deleted after three years" says what is done in general, not what has been done."""
    after = sentence.places({"near_cond"}, end, end + 2)
    units = {"unit_days", "unit_weeks", "unit_months", "unit_years"}
    return bool(after) and bool(sentence.places(units, after[0], after[0] + 5))


def _own_negators(sentence: Tagged, pattern: Pattern, start: int, end: int) -> set[int]:
    """Negators that are part of the pattern itself ("do not hold")."""
    if {"neg", "cannot", "none"} & set(pattern.elements):
        return set(sentence.places({"neg", "cannot"}, start - 3, end + 3))
    return set()


def _clause_start(sentence: Tagged, position: int) -> int:
    for i in range(position - 1, -1, -1):
        if sentence.sentence.tokens[i] in _PUNCTUATION or "but" in sentence.tags[i]:
            return i + 1
    return 0


def _clause_end(sentence: Tagged, position: int) -> int:
    for i in range(position, len(sentence.tags)):
        token = sentence.sentence.tokens[i]
        if token in _PUNCTUATION or not {"but", "and"}.isdisjoint(sentence.tags[i]):
            return i
    return len(sentence.tags)


_PUNCTUATION = frozenset(",;:–—()、，;")
