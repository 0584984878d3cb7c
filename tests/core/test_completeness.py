"""Completeness: a person decides, a machine only points."""

from __future__ import annotations

from dsar.core.completeness import Item, State, completeness

DEMANDS = ("copy", "purposes", "source")


def test_what_a_machine_read_is_shown_with_its_sentence_and_the_rest_stays_open() -> None:
    items = completeness(DEMANDS, {"source": "Source: survey."})
    assert items == (Item("copy", State.OPEN), Item("purposes", State.OPEN),
                     Item("source", State.STATED, "Source: survey."))


def test_a_persons_word_comes_before_the_machines() -> None:
    items = completeness(DEMANDS, {"source": "Source: unknown."}, there=["copy"],
                         missing=["source"])
    assert [i.state for i in items] == [State.THERE, State.OPEN, State.MISSING]


def test_a_machine_never_calls_anything_missing() -> None:
    assert all(i.state is State.OPEN for i in completeness(DEMANDS, {}))
