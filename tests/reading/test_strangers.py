"""Letters of authors who did not know the rules, in halves: one learned from, one only scored.

The floors of the unseen halves are what was measured, and say how far reading carries; the learned
halves keep what was learned. Whatever is made from an unseen half makes it a learned one: rename
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import pytest
import weigh
from figures import Figures
from weigh import Example, examples_of, received

from dsar.core.caseindex import CaseFacts
from dsar.core.message import Message
from dsar.reading.classify import is_topical, read
from dsar.reading.dates import months_later
from dsar.reading.decide import FINAL
from dsar.reading.opinion import weights
from dsar.reading.reading import DueFacts

ENDS = {str(la) for la in FINAL}
UNCLEAR = {"unclear"}
DUE = DueFacts(sent_on=date(2026, 3, 2), due_on=date(2026, 4, 2), latest_due_on=date(2026, 6, 2),
               period_from=lambda begins: months_later(begins, 1))


def facts_of(example: Example, message: Message) -> CaseFacts | None:
    """An unrelated letter has no case, unless its words would make matching think so."""
    stray = example.labels == ("unrelated",) and (
        is_topical(message, language=example.language) is not True)
    return None if stray else CaseFacts(case_id="c", language=example.language)


def labels_of(example: Example) -> set[str]:
    message = received(example.subject, example.body)
    return {str(la) for la in read(message, facts=facts_of(example, message)).labels} - UNCLEAR


@dataclass
class Score:
    """hit, extra, missed: per label. dangerous: read as ended, and not; of how many not ended."""

    hit: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    dangerous: list[str] = field(default_factory=list)
    open_cases: int = 0

    def count(self, example: Example) -> None:
        """A letter that is unclear may be read as anything but an end."""
        wanted, got = set(example.labels) - UNCLEAR, labels_of(example)
        got = got if wanted else got & ENDS
        self.hit.update(got & wanted)
        self.extra.update(got - wanted - set(example.neutral))
        self.missed.update(wanted - got)
        self.open_cases += not wanted & ENDS
        if not wanted & ENDS and got & ENDS:
            self.dangerous.append(example.name)

    @property
    def macro_f1(self) -> float:
        """The mean over all labels that occur."""
        names = set(self.hit) | set(self.missed)
        f1 = [2 * self.hit[n] / (2 * self.hit[n] + self.extra[n] + self.missed[n]) for n in names]
        return sum(f1) / len(f1)


def scored(examples: Iterable[Example]) -> Score:
    score = Score()
    for example in examples:
        score.count(example)
    return score


@pytest.mark.parametrize(("name", "least_f1", "most_dangerous"), [
    ("plain_learned", 0.98, 0), ("plain_unseen", 0.92, 0),
    ("hard_learned", 0.90, 0), ("hard_unseen", 0.70, 1),
    ("wild_learned", 0.87, 0), ("wild_unseen", 0.79, 1),
    ("wave_learned", 0.92, 0), ("wave_unseen", 0.81, 5),
    ("taught_1", 0.94, 0), ("taught_2", 0.94, 0), ("taught_3", 0.94, 0),
    ("taught_4", 0.94, 0), ("taught_5", 0.94, 0),
])
def test_letters_of_strangers_are_read_as_well_as_measured(
    name: str, least_f1: float, most_dangerous: int, figures_shown: Figures
) -> None:
    examples = list(examples_of(weigh.EXAMPLES / f"{name}.yaml"))
    score, plain = scored(examples), scored(e for e in examples if e.plain)
    figures_shown.append(
        f"letters of strangers, {name}: macro-F1 {score.macro_f1:.3f} (plain ones "
        f"{plain.macro_f1:.3f}), dangerous {len(score.dangerous)} of {score.open_cases}")
    assert len(score.dangerous) <= most_dangerous
    assert score.macro_f1 >= least_f1


@pytest.mark.parametrize(("name", "least"), [("wild_learned", 0.75), ("wild_unseen", 0.80)])
def test_due_dates_in_letters_of_strangers_are_found_and_none_is_invented(
    name: str, least: float, figures_shown: Figures
) -> None:
    found, wrong, wanted = 0, [], 0
    for example in examples_of(weigh.EXAMPLES / f"{name}.yaml"):
        message = received(example.subject, example.body)
        new = read(message, facts=facts_of(example, message), due=DUE).clock.new_due_on
        due = None if example.due == "none" else date.fromisoformat(example.due)
        wanted += due is not None
        found += due is not None and new == due
        if new is not None and new != due:
            wrong.append(example.name)
    figures_shown.append(f"due dates of strangers, {name}: {found} of {wanted}, invented {wrong}")
    assert wrong == []
    assert found / wanted >= least


def test_the_weights_were_learned_from_the_examples_as_they_are() -> None:
    now = weigh.digest_of([*weigh.learned_files(), weigh.COURTESIES])
    assert weights("en").examples == now, "examples have changed: run tests/reading/weigh.py"
