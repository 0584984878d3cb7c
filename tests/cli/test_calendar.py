"""`dsar deadlines --format ics`, read by the icalendar package."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import icalendar
import pytest
from inprocess import Here, case_row, fill, write_cases


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    return found


def written(here: Here, path: Path, *more: str) -> bytes:
    """The calendar as bytes on disk, so that no line end is translated."""
    here("deadlines", "--format", "ics", "-o", str(path), *more)
    return path.read_bytes()


def events(raw: bytes) -> list[icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(raw)
    assert calendar.errors == []
    assert str(calendar["VERSION"]) == "2.0"
    assert str(calendar["PRODID"])
    return list(calendar.walk("VEVENT"))


def test_the_calendar_holds_every_open_due_date_once(here: Here, tmp_path: Path) -> None:
    found = events(written(here, tmp_path / "due.ics"))
    items = here.items("deadlines")
    assert len(found) == len(items) > 1
    days = {str(e["SUMMARY"]).split()[-1]: e["DTSTART"].dt for e in found}
    assert days == {i["case"]: date.fromisoformat(i["extended_due"] or i["due"]) for i in items}
    assert "T05" not in days, "a closed case has no due date"


def test_every_event_is_complete_and_lasts_a_day(here: Here, tmp_path: Path) -> None:
    for event in events(written(here, tmp_path / "due.ics")):
        assert event.errors == []
        assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE"} <= set(event)
        assert (event["DTEND"].dt - event["DTSTART"].dt).days == 1
        assert event["DTSTAMP"].dt.tzinfo is not None
        for alarm in event.walk("VALARM"):
            assert {"ACTION", "TRIGGER", "DESCRIPTION"} <= set(alarm)


def test_a_second_run_updates_the_same_events(here: Here, tmp_path: Path) -> None:
    first = {str(e["UID"]): e for e in events(written(here, tmp_path / "due.ics"))}
    here("case", "set", "T01", "received", "--on", "2026-11-05")
    second = {str(e["UID"]): e for e in events(written(here, tmp_path / "due.ics"))}
    assert set(first) == set(second)
    moved = [uid for uid in first if first[uid]["DTSTART"].dt != second[uid]["DTSTART"].dt]
    assert [uid.partition("@")[0] for uid in moved] == ["t01"]
    assert int(second[moved[0]]["SEQUENCE"]) > int(first[moved[0]]["SEQUENCE"])


def test_lines_end_with_crlf_and_are_at_most_75_octets(here: Here, tmp_path: Path) -> None:
    long_id = "Case-" + "é,;" * 20
    here("case", "import", str(write_cases(
        tmp_path / "long.yaml", case_row(9, id=long_id))))
    raw = written(here, tmp_path / "due.ics")
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 75
    assert long_id.lower() + "@dsar.invalid" in [str(e["UID"]) for e in events(raw)]


def test_the_calendar_names_nobody(here: Here, tmp_path: Path) -> None:
    text = written(here, tmp_path / "due.ics").decode().replace("\r\n ", "")
    for name in ("Alex", "Company", "example", "c1", "privacy"):
        assert name not in text


def test_the_calendar_on_standard_output_is_the_same(here: Here, tmp_path: Path) -> None:
    shown = here("deadlines", "--format", "ics").out
    assert len(events(shown.encode())) == len(events(written(here, tmp_path / "due.ics")))


def test_a_case_id_cannot_write_into_the_calendar(here: Here, tmp_path: Path) -> None:
    path = write_cases(tmp_path / "bad.yaml", case_row(9, id="X\r\nATTACH:https://evil.example"))
    assert "a case id" in here("case", "import", str(path), status=6).err


def test_a_calendar_without_cases_is_still_a_calendar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Here(tmp_path / "none", monkeypatch, capsys)
    assert events(empty("deadlines", "--format", "ics").out.encode()) == []


def test_the_file_is_for_the_user_alone(here: Here, tmp_path: Path) -> None:
    written(here, tmp_path / "due.ics")
    assert (tmp_path / "due.ics").stat().st_mode & 0o777 == 0o600


def test_a_second_library_finds_it_valid_too(here: Here, tmp_path: Path) -> None:
    """vobject checks how often each property and component may stand (RFC 5545, section 3.6)."""
    vobject = pytest.importorskip("vobject")
    raw = written(here, tmp_path / "due.ics")
    calendar = vobject.readOne(raw.decode())
    assert calendar.validate(raiseException=True)
    uids = [event.uid.value for event in calendar.vevent_list]
    assert uids == [str(e["UID"]) for e in events(raw)]
    assert all(alarm.action.value == "DISPLAY" and alarm.description.value
               for event in calendar.vevent_list for alarm in event.valarm_list)
    assert not calendar.serialize(validate=True).count("Company")


def test_stamps_are_in_utc_and_the_uid_of_a_case_never_changes(
    here: Here, tmp_path: Path
) -> None:
    text = written(here, tmp_path / "due.ics").decode()
    stamps = [line for line in text.splitlines() if line.startswith("DTSTAMP")]
    assert stamps
    assert all(line.endswith("Z") for line in stamps)
    assert "UID:t01@dsar.invalid" in text
