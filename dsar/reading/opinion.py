"""The second reader: a linear model over word classes, concepts and words, and why it says so.

Its weights were learned from the examples under `tests/reading/examples` by
`tests/reading/weigh.py`; they ship with the package, and no message leaves the machine. The
method is logistic regression over the features a message has, each counted once and scaled to
unit length (Jurafsky and Martin, Speech and Language Processing, chapter 5): one among all labels,
and one, learned by itself, between an end and everything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dsar import shipped
from dsar.core.message import Label

_MIDDLE = 128
"""A weight is one byte: 128 is none, a step to either side is one `scale`."""


_FEW = 10
"""Features with which a message would be half known; fewer make a weak opinion."""


def unit_of(known: int) -> float:
    """What each of `known` features counts: long messages do not speak louder than short ones."""
    return 1 / math.sqrt(known + _FEW)


@dataclass(frozen=True)
class Opinion:
    """How likely each label is, adding up to 1; empty where nothing is known of the features.

    places: per label the sentence that speaks for it most. ended: how likely it is, judged apart
    from the labels, that the message ends its case.
    """

    shares: Mapping[Label, float]
    places: Mapping[Label, int]
    ended: float = 0.0

    def of(self, *labels: Label) -> float:
        """How likely one of these labels is."""
        return sum(self.shares.get(la, 0.0) for la in labels)

    def without(self, label: Label) -> Opinion:
        """The same, where one label is known not to apply."""
        left = 1 - self.shares.get(label, 0.0)
        shares = {la: s / left for la, s in self.shares.items() if la is not label and left}
        return replace(self, shares=shares)

    def ranked(self) -> list[Label]:
        """All labels, the likeliest first."""
        return sorted(self.shares, key=lambda la: -self.shares[la])


@dataclass(frozen=True)
class Weights:
    """labels: in the order of the bytes, of which one more, the last, is for an end.

    rows: per feature of all languages, and of the one asked for, one byte a label, in
    hexadecimal digits. bias: per label, and for an end.
    """

    labels: tuple[Label, ...]
    scale: float
    bias: tuple[float, ...]
    rows: Mapping[str, str]
    examples: str = ""

    def opinion(self, found: Mapping[str, Sequence[int]]) -> Opinion:
        """Weigh the features of a message (see `features`)."""
        known = [(bytes.fromhex(row), places) for name, places in found.items()
                 if (row := self.rows.get(name)) is not None]
        if not known:
            return Opinion({}, {})
        unit = self.scale * unit_of(len(known))
        columns = zip(*(row for row, _ in known), strict=True)
        *scores, end = [b + unit * (sum(column) - _MIDDLE * len(known))
                        for b, column in zip(self.bias, columns, strict=True)]
        top = max(scores)
        powers = [math.exp(s - top) for s in scores]
        shares = {la: p / sum(powers) for la, p in zip(self.labels, powers, strict=True)}
        best = sorted(range(len(scores)), key=lambda i: -scores[i])[:3]
        places = {self.labels[i]: _speaks(known, i) for i in best}
        return Opinion(shares, places, 1 / (1 + math.exp(-end)))


def _speaks(known: Sequence[tuple[bytes, Sequence[int]]], label: int) -> int:
    """The number of the sentence whose features add most to a label."""
    by_sentence: dict[int, float] = {}
    for row, places in known:
        for place in places:
            by_sentence[place] = by_sentence.get(place, 0.0) + (
                row[label] - _MIDDLE) / len(places)
    return max(by_sentence, key=lambda place: (by_sentence[place], -place))


@lru_cache(maxsize=16)
def weights(language: str) -> Weights:
    """The weights that ship with the package: of classes and concepts, and of one language."""
    return parse_weights(_text(), language)


@lru_cache(maxsize=1)
def _text() -> str:
    return shipped.data("reading/weights.txt").read_text(encoding="utf-8")


def parse_weights(text: str, language: str) -> Weights:
    """Read the form `weigh.py` writes: head lines "name: value", then blocks of rows.

    The blocks stand between empty lines; the first line of each is the language of its words, or
    "any" for what all languages share.
    """
    head, *blocks = text.split("\n\n")
    named = dict(line.split(": ", 1) for line in head.splitlines() if not line.startswith("#"))
    rows: dict[str, str] = {}
    for block in blocks:
        of, _, lines = block.partition("\n")
        if of in ("any", language):
            pairs = (line.partition("\t") for line in lines.splitlines())
            rows.update((name, row) for name, _, row in pairs)
    return Weights(
        labels=tuple(Label(name) for name in named["labels"].split()),
        scale=float(named["scale"]), bias=tuple(map(float, named["bias"].split())),
        rows=rows, examples=named.get("examples", ""))
