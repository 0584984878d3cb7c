"""What every store promises; each test runs against each kind of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from store_samples import DAY, NOON, attempted, joined, note, opened, sent, started

from dsar.core.campaign_events import ConsentChanged, TargetsChosen
from dsar.core.case import CaseEvent, CaseOpened, NoteAdded, Retracted, fold
from dsar.core.glance import glance
from dsar.core.house import (
    STREAM,
    CompanyExcluded,
    HouseEvent,
    MessageAssigned,
    MessageIgnored,
    MessageSetAside,
)
from dsar.errors import ConcurrentAppend, StoreNotEmpty, UnknownCase
from dsar.store import Addition, Recorded, Store
from dsar.store.memory import MemoryStore


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


def test_glances_are_those_of_the_cases_in_their_order(store: Store) -> None:
    assert list(store.glances()) == []
    for case_id in ("bolt", "acme"):
        store.append(case_id, [opened(case_id), attempted("<1@example.org>")], after=0)
    store.append(STREAM, [CompanyExcluded(on=DAY, slug="acme")], after=0)
    store.append("bolt", [sent("<1@example.org>")], after=2)
    store.append("acme", [Retracted(on=DAY, sequence=2, because="a mistake")], after=2)
    assert list(store.glances()) == list(map(glance, store.cases()))
    assert [(g.id, g.version, len(g.letters)) for g in store.glances()] == [
        ("bolt", 3, 1), ("acme", 3, 0)]
    store.erase("bolt")
    assert [g.id for g in store.glances()] == ["acme"]


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
    ("campaign/x", [opened("campaign/x")]),
    ("campaign/x", [started("y")]),
    ("campaign/x", [started("x"), started("x")]),
    ("campaign/x", [TargetsChosen(on=DAY, controllers=())]),
    ("campaign/x", [started("x"), joined("A")]),
    ("member/x/A", [joined("B")]),
    ("member/x/A", [ConsentChanged(on=DAY, analysis=True)]),
    ("member/A", [joined("A")]),
    ("member/x/", [joined("")]),
    ("acme", [joined("acme")]),
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


def _fill(store: Store) -> None:
    store.append("zeta", [opened("zeta"), note("z")], after=0)
    store.append("campaign/open", [started("open")], after=0)
    store.append("member/open/A", [joined("A")], after=0)
    store.append(STREAM, [CompanyExcluded(on=DAY, slug="x")], after=0)
    store.append("acme", [opened("acme")], after=0)
    store.append("member/open/A", [ConsentChanged(on=DAY, analysis=True)], after=1)
    store.append("zeta", [attempted("<1@example.org>"), note("more")], after=2)


def test_campaigns_and_members_are_streams_and_no_cases(store: Store) -> None:
    _fill(store)
    assert [case.id for case in store.cases()] == ["zeta", "acme"]
    assert list(store.streams()) == [STREAM, "zeta", "campaign/open", "member/open/A", "acme"]
    assert list(store.streams("member/open/")) == ["member/open/A"]
    assert list(store.streams("member/x")) == []
    assert [k.event for k in store.events("member/open/A")] == [
        joined("A"), ConsentChanged(on=DAY, analysis=True)]
    for stream in ("campaign/open", "member/open/A"):
        with pytest.raises(UnknownCase):
            store.case(stream)


def test_a_campaign_and_its_members_are_erased_like_cases(store: Store) -> None:
    _fill(store)
    with pytest.raises(UnknownCase):
        store.erase("campaign/open", "member/open/B")
    store.erase("campaign/open", "zeta", "member/open/A")
    assert list(store.streams()) == [STREAM, "acme"]
    assert store.events("member/open/A") == ()
    store.append("member/open/A", [joined("A")], after=0)
    assert list(store.streams()) == [STREAM, "acme", "member/open/A"]


def test_a_history_is_every_stream_with_its_events(store: Store) -> None:
    _fill(store)
    assert list(store.history()) == [(s, store.events(s)) for s in store.streams()]
    assert [stream for stream, _ in store.history("campaign/")] == ["campaign/open"]


def test_a_batch_is_recorded_as_a_whole(store: Store) -> None:
    _fill(store)
    store.append_all([
        Addition(stream="acme", events=[note("a"), note("b")], after=1),
        Addition(stream="bolt", events=[opened("bolt")], after=0),
        Addition(stream="zeta", events=[], after=4),
        Addition(stream="campaign/open", events=[TargetsChosen(on=DAY, controllers=("acme",))],
                 after=1),
    ])
    assert [n.text for n in store.case("acme").notes] == ["a", "b"]
    assert [case.id for case in store.cases()] == ["zeta", "acme", "bolt"]
    times = {store.events(s)[-1].recorded_at for s in ("acme", "bolt", "campaign/open")}
    assert len(times) == 1
    store.append_all([])
    store.append_all([Addition(stream="bolt", events=[note("b")], after=1)])
    assert store.case("bolt").version == 2


@pytest.mark.parametrize(("second", "error"), [
    (Addition(stream="zeta", events=[note("x")], after=3), ConcurrentAppend),
    (Addition(stream="zeta", events=[], after=5), ConcurrentAppend),
    (Addition(stream="zeta", events=[opened("zeta")], after=4), ValueError),
    (Addition(stream="bolt", events=[note("x")], after=1), ConcurrentAppend),
    (Addition(stream="acme", events=[note("x")], after=2), ValueError),
])
def test_a_batch_of_which_a_part_is_refused_is_refused(
    store: Store, second: Addition, error: type[Exception]
) -> None:
    _fill(store)
    before = list(store.history())
    with pytest.raises(error):
        store.append_all([Addition(stream="acme", events=[note("a")], after=1), second])
    assert list(store.history()) == before


def _foreign() -> list[tuple[str, tuple[Recorded, ...]]]:
    """What another store recorded, by several people at several times."""
    other = MemoryStore(now=lambda: NOON, author="kim")
    _fill(other)
    return [(stream, tuple(
        replace(k, author=f"kim {k.sequence // 2}\x00\ud83d",
                recorded_at=k.recorded_at + timedelta(microseconds=k.sequence // 3))
        for k in kept)) for stream, kept in other.history()]


def test_what_another_store_recorded_is_adopted_as_it_is(store: Store) -> None:
    store.adopt(iter(_foreign()))
    assert list(store.history()) == _foreign()
    assert [case.id for case in store.cases()] == ["zeta", "acme"]
    store.append("zeta", [note("goes on")], after=4)
    assert store.events("zeta")[-1].author == "jo"


def test_only_an_empty_store_adopts(store: Store) -> None:
    store.append("acme", [opened("acme")], after=0)
    with pytest.raises(StoreNotEmpty):
        store.adopt(iter(_foreign()))
    assert list(store.streams()) == ["acme"]


def _wrong(what: str) -> list[tuple[str, tuple[Recorded, ...]]]:
    house, (zeta, kept), *rest = _foreign()
    wrong = {
        "a gap": kept[:1] + kept[2:], "another case": kept, "nothing": (),
        "no time zone": (replace(kept[0], recorded_at=datetime(2026, 1, 5)),),  # noqa: DTZ001
        "no beginning": (replace(kept[1], sequence=1),),
    }
    if what == "twice":
        return [house, *rest, (zeta, kept), (zeta, kept)]
    return [house, *rest, ("other" if what == "another case" else zeta, wrong[what])]


@pytest.mark.parametrize("what", ["a gap", "another case", "nothing", "no time zone",
                                  "no beginning", "twice"])
def test_what_no_store_can_have_recorded_is_not_adopted(store: Store, what: str) -> None:
    with pytest.raises(ValueError):
        store.adopt(iter(_wrong(what)))
    assert list(store.streams()) == []
    store.append("acme", [opened("acme")], after=0)
    assert store.case("acme").version == 1
