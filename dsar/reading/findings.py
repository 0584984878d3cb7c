"""The concepts found in one message, and the weight they give to each label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dsar.core.message import Label
from dsar.reading.engine import Hit, Tagged


@dataclass
class Findings:
    """The concepts of one message, and the weight they give to labels.

    late: a date is promised that lies after the due date. where: the sentence a label rests on.
    """

    hits: Sequence[Hit]
    tagged: Sequence[Tagged]
    late: bool = False
    scores: dict[Label, float] = field(default_factory=dict)
    where: dict[Label, int] = field(default_factory=dict)

    def of(self, *concepts: str) -> list[Hit]:
        """The hits of some concepts."""
        return [h for h in self.hits if h.concept in concepts]

    def facts(self, *concepts: str) -> list[Hit]:
        """Those that are said to have happened."""
        return [h for h in self.of(*concepts) if h.is_fact]

    def has(self, hit: Hit, name: str) -> bool:
        """Whether a word class occurs in the sentence of a hit."""
        return self.tagged[hit.sentence].has(name)

    def spans(self, hit: Hit, name: str) -> bool:
        """Whether a word class begins within a hit."""
        return bool(self.tagged[hit.sentence].places({name}, hit.start, hit.end))

    def add(self, label: Label, hits: Iterable[Hit], weight: float = 1.0) -> None:
        """Give a label the weight of its hits, once per sentence."""
        places = sorted({h.sentence for h in hits})
        if places:
            self.scores[label] = self.scores.get(label, 0.0) + weight * len(places)
            self.where.setdefault(label, places[0])


def is_only_possible(found: Findings, hit: Hit) -> bool:
    """"may be extended": what the law allows, and no notice; "cannot answer in time" is one."""
    sentence = found.tagged[hit.sentence]
    near = (hit.start - 8, hit.end)
    return bool(sentence.places({"may"}, *near)) and not sentence.places({"neg", "cannot"}, *near)
