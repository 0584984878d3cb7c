"""Two readers, one verdict: the rules, and what was learned from examples.

An end stands only where the second reader, too, holds it for one: less surely where the rules
found it, more where they did not. Of everything else the likelier is taken, and `unclear` where
neither knows.
"""

from __future__ import annotations

from dsar.core.message import Label
from dsar.reading.decide import FINAL
from dsar.reading.findings import Findings, is_only_possible
from dsar.reading.opinion import Opinion

KEPT = 0.65
"""How likely an end that the rules found must be, to stand: by both models, on the mean."""
UNTOLD, SURE, AGAINST = 0.75, 0.8, 0.9
"""How likely an end must be where the rules found nothing; an end amid other words; or else."""
STRONGER = 2.0
"""How many times likelier than the rules' label another one must be, to be taken instead."""
ALONE = 0.35
"""How likely a label must be of which the rules saw nothing."""
INSTEAD = 0.25
"""How likely a label must be that stands in for an end that was doubted."""


def agreed(found: Findings, labels: tuple[Label, ...], opinion: Opinion) -> tuple[Label, ...]:
    """Return the labels both readings come to, the main one first; empty when unclear.

    found, labels: what the rules found and made of it. opinion: empty keeps the rules' labels.
    """
    if not opinion.shares:
        return labels
    if labels and labels != (Label.UNRELATED,):
        opinion = opinion.without(Label.UNRELATED)
    if Label.PARTIAL_FULFILMENT in labels:
        labels = tuple(la for la in labels if la not in FINAL)
    ranked = [la for la in opinion.ranked() if not _is_barred(found, la)]
    open_label = next(la for la in ranked if la not in FINAL)
    if labels and labels[0] in FINAL:
        if (opinion.ended + opinion.of(*FINAL)) / 2 >= KEPT:
            return labels
        return (open_label,) if opinion.of(open_label) >= INSTEAD else ()
    if ranked[0] in FINAL and min(opinion.ended, opinion.of(*FINAL)) >= _least(labels):
        return (ranked[0],)
    return _likelier(labels, open_label, opinion)


def _least(labels: tuple[Label, ...]) -> float:
    """How likely an end must be against what the rules made of it."""
    if not labels:
        return UNTOLD
    return SURE if labels[0] in _CONTESTED else AGAINST


_CONTESTED = (Label.PARTIAL_FULFILMENT, Label.ACKNOWLEDGEMENT)
"""What the rules make of an end amid other words."""


def _likelier(
    labels: tuple[Label, ...], other: Label, opinion: Opinion
) -> tuple[Label, ...]:
    """The rules' labels, or another that is far likelier."""
    if not labels:
        least = SURE if other is Label.UNRELATED else ALONE
        return (other,) if opinion.of(other) >= least else ()
    mine = max(opinion.of(la) for la in labels)
    likely = opinion.of(other) >= max(STRONGER * mine, INSTEAD)
    return (other,) if likely and other not in labels else labels


def _is_barred(found: Findings, label: Label) -> bool:
    """"The period may be extended" is no notice, however much its words sound like one."""
    extended = found.of("extends") if label is Label.EXTENSION_NOTICE else []
    return bool(extended) and all(is_only_possible(found, h) for h in extended)
