"""What every store promises; each test runs against each kind of store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from store_samples import DAY, NOON, attempted, note, opened, sent

from dsar.core.case import CaseEvent, CaseOpened, NoteAdded, Retracted, fold
from dsar.core.house import (
    STREAM,
    CompanyExcluded,
    HouseEvent,
    MessageAssigned,
    MessageIgnored,
    MessageSetAside,
)
from dsar.errors import ConcurrentAppend, UnknownCase
from dsar.store import Store


def _set_aside(digest: str, *candidates: str) -> MessageSetAside:
    return MessageSetAside(on=DAY, at=NOON, digest=digest, sender="a@acme.example", subject="Re",
                           candidates=candidates, evidence=(), labels=(), why="two cases")


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert list(store.cases()) == []
    assert store.events("acme") == ()
    assert store.house().version == 0
    with pytest.raises(UnknownCase, match="acme"):
        store.case("acme")


def test_what_was_appended_is_there_numbered_and_dated(store: Store) -> None:
    store.append("acme", [opened("acme"), attempted("<1@example.org>")], after=0)
    store.append("acme", [sent("<1@example.org>")], after=2)
    kept = store.events("acme")
    assert [k.sequence for k in kept] == [1, 2, 3]
    assert [k.event for k in kept] == [opened("acme"), attempted("<1@example.org>"),
                                       sent("<1@example.org>")]
    assert [k.recorded_at - NOON for k in kept] == [timedelta(0), timedelta(0),
                                                    timedelta(minutes=1)]
    assert {k.author for k in kept} == {"jo"}
    assert {k.recorded_at.utcoffset() for k in kept} == {timedelta(0)}


def test_a_case_is_the_fold_of_its_events(store: Store) -> None:
    events: list[CaseEvent] = [opened("acme"), attempted("<1@example.org>"), note("x")]
    store.append("acme", events, after=0)
    assert store.case("acme") == fold(events)
    assert store.case("acme").version == 3


def test_cases_come_in_the_order_they_were_opened(store: Store) -> None:
    for name in ("zeta", "acme", "mu"):
        store.append(name, [opened(name)], after=0)
    store.append(STREAM, [CompanyExcluded(on=DAY, slug="x")], after=0)
    store.append("zeta", [note("later")], after=1)
    assert [case.id for case in store.cases()] == ["zeta", "acme", "mu"]


def test_a_writer_who_has_not_seen_all_is_refused(store: Store) -> None:
    store.append("acme", [opened("acme")], after=0)
    for after in (0, 2):
        with pytest.raises(ConcurrentAppend, match="acme"):
            store.append("acme", [note("x")], after=after)
    assert store.case("acme").version == 1


def test_cases_do_not_disturb_each_other(store: Store) -> None:
    store.append("acme", [opened("acme")], after=0)
    store.append("bolt", [opened("bolt"), note("b")], after=0)
    store.append("acme", [note("a")], after=1)
    assert [n.text for n in store.case("acme").notes] == ["a"]
    assert [n.text for n in store.case("bolt").notes] == ["b"]


@pytest.mark.parametrize(("stream", "events"), [
    ("acme", [note("no beginning")]),
    ("acme", [opened("bolt")]),
    ("acme", [opened("acme"), opened("acme")]),
    ("acme", [opened("acme"), CompanyExcluded(on=DAY, slug="x")]),
    ("acme", [opened("acme"), Retracted(on=DAY, sequence=1, because="x")]),
    ("acme", [opened("acme"), Retracted(on=DAY, sequence=2, because="x")]),
    ("acme", [opened("acme"), NoteAdded(on=DAY, text=7)]),  # type: ignore[arg-type]
    (STREAM, [opened(STREAM)]),
])
def test_events_that_do_not_belong_are_refused_as_a_whole(
    store: Store, stream: str, events: list[Any]
) -> None:
    with pytest.raises(ValueError):
        store.append(stream, events, after=0)
    assert store.events(stream) == ()


def test_appending_nothing_leaves_nothing(store: Store) -> None:
    store.append("acme", [], after=0)
    assert list(store.cases()) == []
    with pytest.raises(ConcurrentAppend):
        store.append("acme", [], after=1)


def test_a_retracted_event_counts_no_longer_and_keeps_its_number(store: Store) -> None:
    store.append("acme", [opened("acme"), note("wrong"), note("right")], after=0)
    store.append("acme", [Retracted(on=DAY, sequence=2, because="typing error")], after=3)
    assert [n.text for n in store.case("acme").notes] == ["right"]
    assert store.case("acme").version == 4
    assert len(store.events("acme")) == 4


def test_odd_names_and_texts_come_back_as_they_were(store: Store) -> None:
    name = 'a"c\\m\u2028e\n\udc80 ü'
    store.append(name, [opened(name), note("\x00\r\n\u2029\ud83d")], after=0)
    assert [case.id for case in store.cases()] == [name]
    assert store.case(name).notes[0].text == "\x00\r\n\u2029\ud83d"


def test_an_erased_case_is_gone_and_the_others_are_as_before(store: Store) -> None:
    for name in ("acme", "bolt", "cord"):
        store.append(name, [opened(name), note(name)], after=0)
    store.append("cord", [note("more")], after=2)
    before = store.events("acme"), store.events("cord")
    store.erase("bolt")
    assert (store.events("acme"), store.events("cord")) == before
    assert [case.id for case in store.cases()] == ["acme", "cord"]
    with pytest.raises(UnknownCase):
        store.case("bolt")
    with pytest.raises(UnknownCase):
        store.erase("bolt")
    store.append("cord", [note("goes on")], after=3)
    store.append("bolt", [opened("bolt")], after=0)
    assert [case.id for case in store.cases()] == ["acme", "cord", "bolt"]


def test_several_cases_are_erased_together_or_not_at_all(store: Store) -> None:
    for name in ("acme", "bolt", "cord"):
        store.append(name, [opened(name), note(name)], after=0)
    house: list[HouseEvent] = [
        _set_aside("d1", "acme", "bolt"), _set_aside("d2", "acme", "cord"),
        CompanyExcluded(on=DAY, slug="x"), MessageIgnored(on=DAY, digest="d1")]
    store.append(STREAM, house, after=0)
    with pytest.raises(UnknownCase):
        store.erase("acme", "nobody")
    assert [case.id for case in store.cases()] == ["acme", "bolt", "cord"]
    store.erase("acme", "bolt", "acme")
    assert [case.id for case in store.cases()] == ["cord"]
    assert [k.event for k in store.events(STREAM)] == [
        _set_aside("d2", "cord"), CompanyExcluded(on=DAY, slug="x")]
    assert [k.sequence for k in store.events(STREAM)] == [1, 2]
    store.erase()
    assert [case.id for case in store.cases()] == ["cord"]


def test_the_house_is_no_case_and_cannot_be_erased(store: Store) -> None:
    store.append(STREAM, [CompanyExcluded(on=DAY, slug="acme-data")], after=0)
    assert store.house().excluded.keys() == {"acme-data"}
    with pytest.raises(UnknownCase):
        store.erase(STREAM)
    with pytest.raises(UnknownCase):
        store.case(STREAM)


def test_house_events_forget_an_erased_case(store: Store) -> None:
    for name in ("acme", "bolt"):
        store.append(name, [opened(name)], after=0)
    house: list[HouseEvent] = [
        _set_aside("d1", "acme", "bolt"), _set_aside("d2", "acme"), _set_aside("d3", "bolt"),
        _set_aside("d4", "acme", "bolt"), MessageAssigned(on=DAY, digest="d4", case_id="acme"),
        _set_aside("d5", "acme"), MessageAssigned(on=DAY, digest="d5", case_id="acme"),
        MessageAssigned(on=DAY, digest="d5", case_id="bolt"), MessageIgnored(on=DAY, digest="d2"),
        CompanyExcluded(on=DAY, slug="x"),
    ]
    store.append(STREAM, house[:4], after=0)
    store.append(STREAM, house[4:5], after=4)
    store.append(STREAM, house[5:], after=5)
    store.erase("acme")
    kept = store.events(STREAM)
    assert [k.event for k in kept] == [
        _set_aside("d1", "bolt"), _set_aside("d3", "bolt"), _set_aside("d5"),
        MessageAssigned(on=DAY, digest="d5", case_id="bolt"), CompanyExcluded(on=DAY, slug="x"),
    ]
    assert [k.sequence for k in kept] == [1, 2, 3, 4, 5]
    assert store.house().waiting.keys() == {"d1", "d3"}
    store.append(STREAM, [CompanyExcluded(on=DAY, slug="y")], after=5)


def test_an_opened_case_carries_all_its_facts(store: Store) -> None:
    store.append("acme", [opened("acme")], after=0)
    assert isinstance(store.case("acme").opened, CaseOpened)
    assert store.case("acme").facts == opened("acme")
