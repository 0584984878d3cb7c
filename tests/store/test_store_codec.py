"""What is written today is read for ever."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from email.headerregistry import HeaderRegistry
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_samples import (
    DAY,
    attempted,
    campaign_events,
    case_events,
    house_events,
    member_events,
)

from dsar.core.campaign_events import CampaignEvent, MemberEvent
from dsar.core.case import CaseEvent, ClockEvent, NoteAdded, ReplyRead, SendAttempted
from dsar.core.house import HouseEvent
from dsar.store.codec import KINDS, CodecError, UnknownKind, decode, encode
from dsar.store.sealing import SEALED

KEPT = [json.loads(line) for line in
        (Path(__file__).parent / "every_kind.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("record", KEPT, ids=lambda r: r["kind"])
def test_a_line_once_written_always_decodes(record: dict[str, Any]) -> None:
    event = decode(record)
    assert type(event).__name__ == record["kind"]
    again = encode(event)
    assert record.items() <= again.items()  # fields may have been added since


def test_every_kind_stands_in_the_file_with_every_field() -> None:
    unions = (CaseEvent, HouseEvent, CampaignEvent, MemberEvent)
    listed = [kind for union in unions for kind in get_args(union)]
    kinds = {kind.__name__: kind for kind in listed}
    assert len(kinds) == len(listed), "no name stands for two kinds"
    assert kinds == KINDS
    assert {record["kind"] for record in KEPT} == kinds.keys()
    for name, kind in kinds.items():
        named = set().union(*(r.keys() for r in KEPT if r["kind"] == name))
        assert {f.name for f in fields(kind)} == named - {"kind"}


def test_no_kind_needs_its_init_to_run() -> None:
    assert not [kind for kind in KINDS.values() if hasattr(kind, "__post_init__")]
    assert not [kind for kind in KINDS.values() if hasattr(kind, "__slots__")]


def test_no_field_is_named_like_the_mark_of_encrypted_events() -> None:
    assert not [kind for kind in KINDS.values() for f in fields(kind) if f.name == SEALED]


@given(case_events | house_events | campaign_events | member_events)
def test_an_event_survives_being_written_and_read(event: Any) -> None:
    assert decode(json.loads(json.dumps(encode(event)))) == event


def test_a_field_added_since_takes_its_default() -> None:
    assert decode({"kind": "ClockEvent", "on": "2026-01-05", "type": "id_requested"}) == (
        ClockEvent(on=DAY, type="id_requested", justified=True))
    read = decode({"kind": "ReplyRead", "on": "2026-01-05", "digest": "", "labels": [],
                   "by": "machine"})
    assert read == ReplyRead(on=DAY, digest="", labels=(), by="machine")


@pytest.mark.parametrize("record", [
    {"kind": "LetterDreamt", "on": "2026-01-05"}, {"kind": None}, {"kind": []}, {}, [], None, "x",
])
def test_an_unknown_kind_is_an_error(record: Any) -> None:
    with pytest.raises(UnknownKind, match="is no kind of event"):
        decode(record)


NOTE = {"kind": "NoteAdded", "on": "2026-01-05", "text": "x"}


@pytest.mark.parametrize(("change", "says"), [
    ({"text": ...}, "NoteAdded.text: the field is missing"),
    ({"more": 1}, "NoteAdded: unknown field 'more'"),
    ({"text": 1}, "NoteAdded.text: int where str must stand"),
    ({"text": None}, "NoteAdded.text: NoneType"),
    ({"on": "yesterday"}, "NoteAdded.on"),
    ({"on": None}, "NoteAdded.on"),
    ({"on": 20260105}, "NoteAdded.on"),
])
def test_what_does_not_fit_is_refused(change: dict[str, Any], says: str) -> None:
    record = {k: v for k, v in (NOTE | change).items() if v is not ...}
    with pytest.raises(CodecError, match=says):
        decode(record)


@pytest.mark.parametrize("event", [
    NoteAdded(on=datetime(2026, 1, 5, tzinfo=UTC), text="x"),
    NoteAdded(on=DAY, text=b"x"),  # type: ignore[arg-type]
    NoteAdded(on=DAY, text=None),  # type: ignore[arg-type]
    SendAttempted(on=DAY, at=datetime(2026, 1, 5), message_id="", recipient="", account=""),  # noqa: DTZ001
    ReplyRead(on=DAY, digest="", labels=["erased"], by="machine"),  # type: ignore[arg-type]
    ReplyRead(on=DAY, digest="", labels=(), by="machine", confidence=float("nan")),
    ClockEvent(on=DAY, type="", justified=1),  # type: ignore[arg-type]
])
def test_what_could_not_be_read_again_is_not_written(event: Any) -> None:
    with pytest.raises(CodecError):
        encode(event)
    with pytest.raises(UnknownKind):
        encode(object())  # type: ignore[arg-type]


def test_dates_are_iso_and_instants_utc() -> None:
    at = datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=1)))
    record = encode(SendAttempted(on=DAY, at=at, message_id="", recipient="", account=""))
    assert (record["on"], record["at"]) == ("2026-01-05", "2026-01-05T09:00:00+00:00")
    assert encode(attempted("<1@example.org>"))["at"] == "2026-01-05T12:00:00+00:00"


def test_a_header_of_the_email_package_is_written_as_its_text() -> None:
    header = HeaderRegistry()("Subject", "Re: your request")
    record = encode(NoteAdded(on=DAY, text=header))
    assert type(record["text"]) is str
    assert record["text"] == "Re: your request"


@given(st.dates())
def test_any_day_survives(day: date) -> None:
    assert decode(encode(NoteAdded(on=day, text=""))).on == day
