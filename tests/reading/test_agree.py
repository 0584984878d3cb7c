"""What two readers come to: an end needs both, or one that is sure; nothing is made up."""

from __future__ import annotations

import pytest
from weigh import received

from dsar.core.message import Label
from dsar.reading.agree import agreed
from dsar.reading.classify import words_of
from dsar.reading.decide import FINAL
from dsar.reading.findings import Findings
from dsar.reading.opinion import Opinion, parse_weights, weights

ERASED, GIVEN = Label.FULFILLED_ERASURE, Label.FULFILLED_ACCESS
ACK, PARTIAL = Label.ACKNOWLEDGEMENT, Label.PARTIAL_FULFILMENT
REFUSAL, EXTENSION = Label.REFUSAL, Label.EXTENSION_NOTICE


def found(text: str = "Hello.") -> Findings:
    words = words_of(received("Re: x", text))
    return Findings(words.hits, words.tagged)


def opinion(ended: float, **shares: float) -> Opinion:
    named = {Label(name): share for name, share in shares.items()}
    rest = [la for la in Label if la not in named]
    left = (1 - sum(named.values())) / len(rest)
    return Opinion({**dict.fromkeys(rest, left), **named}, {}, ended)


@pytest.mark.parametrize(("rules", "ended", "shares", "expected"), [
    ((ERASED,), 0.9, {"fulfilled_erasure": 0.9}, (ERASED,)),
    ((ERASED,), 0.1, {"acknowledgement": 0.9}, (ACK,)),
    ((ERASED,), 0.1, {}, ()),
    ((), 0.9, {"fulfilled_erasure": 0.9}, (ERASED,)),
    ((), 0.5, {"fulfilled_erasure": 0.9}, ()),
    ((PARTIAL,), 0.7, {"fulfilled_erasure": 0.9}, (PARTIAL,)),
    ((REFUSAL,), 0.85, {"fulfilled_erasure": 0.95}, (REFUSAL,)),
    ((PARTIAL, GIVEN), 0.5, {"partial_fulfilment": 0.5}, (PARTIAL,)),
    ((ACK,), 0.0, {"refusal": 0.6, "acknowledgement": 0.2}, (REFUSAL,)),
    ((ACK,), 0.0, {"refusal": 0.3, "acknowledgement": 0.2}, (ACK,)),
    ((), 0.0, {"refusal": 0.2}, ()),
    ((), 0.0, {"unrelated": 0.6}, ()),
])
def test_an_end_needs_both_or_one_that_is_sure(
    rules: tuple[Label, ...], ended: float, shares: dict[str, float], expected: tuple[Label, ...]
) -> None:
    assert agreed(found(), rules, opinion(ended, **shares)) == expected


def test_what_the_law_would_allow_is_no_notice_however_sure_the_second_reader() -> None:
    may = found("The period may be extended by two further months where necessary.")
    assert EXTENSION not in agreed(may, (), opinion(0.0, extension_notice=0.95))


def test_without_an_opinion_the_rules_stand() -> None:
    assert agreed(found(), (ERASED,), Opinion({}, {})) == (ERASED,)


def test_only_words_of_the_language_are_loaded_and_classes_always() -> None:
    german = weights("de").rows
    assert any(name.startswith("de:") for name in german)
    assert not any(name.startswith("fr:") for name in german)
    assert {n for n in german if n.startswith("c:")} == {
        n for n in weights("ja").rows if n.startswith("c:")}


def test_an_opinion_weighs_each_feature_once_and_names_the_sentence_that_speaks_for_it() -> None:
    told = parse_weights(
        "labels: refusal fulfilled_erasure\nscale: 1\nbias: 0 0 0\n\n"
        "any\nc:gone\t80ffff\nc:no\tff8000\n", "en").opinion({"c:no": (0,), "c:gone": (2,)})
    gone = parse_weights(
        "labels: refusal fulfilled_erasure\nscale: 1\nbias: 0 0 0\n\n"
        "any\nc:gone\t80ffff\n", "en").opinion({"c:gone": (2,), "c:unheard_of": (1,)})
    assert told.of(REFUSAL) == pytest.approx(told.of(ERASED))
    assert gone.ranked()[0] is ERASED
    assert gone.ended > 0.5
    assert gone.places[ERASED] == 2
    assert sum(gone.shares.values()) == pytest.approx(1)
    assert gone.of(*FINAL) == gone.shares[ERASED]
