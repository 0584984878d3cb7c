"""Our own example replies in twelve languages; traps that must never end a case."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from figures import Figures

from dsar import yamlfile
from dsar.core.caseindex import CaseFacts
from dsar.core.message import Address, Label, Message
from dsar.reading.classify import read
from dsar.reading.decide import FINAL
from dsar.reading.lexicon import languages

EXAMPLES = Path(__file__).parent / "examples"
TWELVE = ("cs", "de", "el", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv")


def message(text: str) -> Message:
    links = tuple(w for w in text.split() if w.startswith("http"))
    return Message(digest="d", message_id=None, own_text=text, subject="Re: request", links=links,
                   sender=Address(name="", addr="privacy@acme.example"))


def labels_of(language: str, text: str, *, about_a_case: bool = True) -> set[str]:
    facts = CaseFacts(case_id="c", language=language) if about_a_case else None
    return {str(la) for la in read(message(text), facts=facts).labels}


def examples(name: str) -> list[tuple[str, set[str], str]]:
    value = yamlfile.read(EXAMPLES / f"{name}.yaml").value["examples"]
    return [(row[-3] if len(row) == 3 else name, set(row[-2].split("+")), row[-1]) for row in value]


def score(rows: list[tuple[str, set[str], str]]) -> tuple[float, list[str]]:
    """Macro-F1 over labels, and the texts read as ended that are not."""
    hit: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    dangerous = []
    for language, wanted, text in rows:
        got = labels_of(language, text, about_a_case=wanted != {"unrelated"})
        hit.update(got & wanted)
        extra.update(got - wanted)
        missed.update(wanted - got)
        if (got - wanted) & {str(la) for la in FINAL}:
            dangerous.append(text)
    names = set(hit) | set(missed)
    f1 = [2 * hit[n] / (2 * hit[n] + extra[n] + missed[n]) for n in names]
    return sum(f1) / len(f1), dangerous


def test_there_are_rules_for_twelve_languages() -> None:
    assert languages() == TWELVE


@pytest.mark.parametrize("language", TWELVE)
def test_examples_are_read_right(language: str) -> None:
    macro_f1, dangerous = score(examples(language))
    assert dangerous == []
    assert macro_f1 >= 0.95


FURTHER = ("heldout", "letters", "more", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


@pytest.mark.parametrize("name", FURTHER)
def test_further_examples_are_read_right(name: str, figures_shown: Figures) -> None:
    """`heldout` was never tuned to; the others were first scored, then learned from."""
    rows = examples(name)
    macro_f1, dangerous = score(rows)
    figures_shown.append(f"examples, {name}: macro-F1 {macro_f1:.3f} over {len(rows)}, "
                         f"dangerous {len(dangerous)}")
    assert dangerous == []
    assert macro_f1 >= 0.9


@pytest.mark.parametrize(("name", "least"), [
    ("ends", 0.97), ("scopes", 0.92), ("again", 0.92), ("halves", 0.75), ("nearly", 0.65),
])
def test_what_hangs_on_something_is_read_by_rules_of_scope(name: str, least: float) -> None:
    """`halves` and `nearly` are mostly left unclear where they are not read right."""
    macro_f1, dangerous = score(examples(name))
    assert dangerous == []
    assert macro_f1 >= least


NO_ENDS = yamlfile.read(EXAMPLES / "noends.yaml").value["examples"]


@pytest.mark.parametrize(("language", "text"), [tuple(t) for t in NO_ENDS], ids=str)
def test_what_is_only_wished_narrowed_or_told_of_all_ends_no_case(language: str, text: str) -> None:
    assert not labels_of(language, text) & {str(la) for la in FINAL}


TRAPS = [trap for name in ("traps", "uncertain")
         for trap in yamlfile.read(EXAMPLES / f"{name}.yaml").value["examples"]]


@pytest.mark.parametrize(("language", "text"), [tuple(t) for t in TRAPS], ids=str)
def test_what_is_not_said_to_be_done_ends_no_case(language: str, text: str) -> None:
    ended = {str(la) for la in (*FINAL, Label.PARTIAL_FULFILMENT)}
    assert not labels_of(language, text) & ended
