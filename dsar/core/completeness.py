"""What an answer to an access request still lacks, as far as it can be said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Who says what of one demand: a person decides, a machine only points to a sentence."""

    THERE = "there"
    MISSING = "missing"
    STATED = "stated"
    OPEN = "open"


@dataclass(frozen=True)
class Item:
    """One demand; `sentence` is where the answer seems to meet it, for a person to check."""

    demand: str
    state: State
    sentence: str = ""


def completeness(
    demands: Iterable[str], stated: Mapping[str, str], *,
    there: Collection[str] = (), missing: Collection[str] = (),
) -> tuple[Item, ...]:
    """Return the state of each demand, in the order of the law.

    stated: demand → sentence, as a machine read it. there, missing: what a person said, which
    always comes first. A machine never calls anything missing: an attachment it has not read may
    hold it.

    >>> completeness(["copy", "source"], {"source": "Source: a survey."}, there=["copy"])[1].state
    <State.STATED: 'stated'>
    """
    return tuple(_item(demand, stated, there, missing) for demand in demands)


def _item(
    demand: str, stated: Mapping[str, str], there: Collection[str], missing: Collection[str]
) -> Item:
    sentence = stated.get(demand, "")
    if demand in missing:
        return Item(demand, State.MISSING, sentence)
    if demand in there:
        return Item(demand, State.THERE, sentence)
    return Item(demand, State.STATED if sentence else State.OPEN, sentence)
