"""What cannot be read is tried again, then named, and never holds up what lies behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inprocess import Here, fill, reply
from test_json_schemas import check

from dsar.mailstate import RETRY_AFTER, load_state

BROKEN = b"X-Broken: yes\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
         ) -> Here:
    made = Here(tmp_path / "home", monkeypatch, capsys)
    folder = tmp_path / "first"
    folder.mkdir()
    fill(made, folder)
    return made


def put(here: Here, name: str, raw: bytes) -> Path:
    path: Path = here.home / "mail" / "new" / f"{name}.host"
    path.write_bytes(raw)
    return path


def unreadable(here: Here, name: str) -> Path:
    """A message on a disk that gives nothing: reading its file fails, for root, too."""
    path: Path = here.home / "mail" / "new" / f"{name}.host"
    path.symlink_to("/proc/self/mem")
    return path


def later(here: Here) -> None:
    """Let the times at which messages are tried again pass."""
    path = here.home / "cursors.json"
    content = json.loads(path.read_text())
    for row in content["troubles"]:
        if row["next_at"]:
            row["next_at"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(content))


def lines(here: Here, *more: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = here("poll", "--json", *more).lines
    for line in found:
        check("poll", line)
    return found


def test_a_message_that_cannot_be_read_does_not_hold_up_the_others(here: Here) -> None:
    unreadable(here, "1")
    put(here, "2", reply(4, "We have received your request and will reply within one month."))
    found = lines(here)
    assert [line["case"] for line in found if "trouble" not in line] == ["T04"]
    [broken] = [line["trouble"] for line in found if "trouble" in line]
    assert broken["attempts"] == 1  # type: ignore[index]
    assert broken["quarantined"] is False  # type: ignore[index]


def test_it_is_not_tried_before_its_time_then_again_and_filed_once_it_can_be_read(
    here: Here
) -> None:
    path = unreadable(here, "1")
    lines(here)
    assert lines(here) == []
    later(here)
    path.unlink()
    path.write_bytes(reply(4, "We have received your request."))
    assert [line["case"] for line in lines(here)] == ["T04"]
    assert load_state(here.home / "cursors.json").troubles == {}
    assert lines(here, "--rescan") == []


def test_after_some_tries_it_is_in_quarantine_and_named_until_it_is_looked_at(here: Here) -> None:
    path = unreadable(here, "1")
    for _ in RETRY_AFTER:
        lines(here)
        later(here)
    [last] = lines(here)
    assert last["trouble"]["quarantined"] is True  # type: ignore[index]
    later(here)
    assert lines(here) == []
    assert "no longer tried" in here("poll").err
    assert "Mail that cannot be read: 1" in here("status").out
    doctor = here("doctor", "--json", status=None).json["items"]
    [check_] = [item for item in doctor if item["what"] == "mail"]
    assert not check_["ok"]
    path.unlink()  # it was looked at, and deleted
    lines(here, "--retry")
    assert load_state(here.home / "cursors.json").troubles == {}
    assert "cannot be read" not in here("status").out


def test_a_reader_that_fails_on_one_message_says_so_and_goes_on(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dsar.reading import classify

    real = classify.read

    def fails(message: object, **more: object) -> object:
        if "x-broken" in message.headers:  # type: ignore[attr-defined]
            raise RecursionError
        return real(message, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(classify, "read", fails)
    put(here, "1", BROKEN + reply(4, "We have received your request."))
    put(here, "2", reply(1, "We hold no personal data about you at all."))
    found = lines(here)
    assert {str(line["why"]) for line in found if "trouble" in line} == {
        "reading it fails (RecursionError)"}
    assert [line["case"] for line in found if "trouble" not in line] == ["T01"]


def test_a_disk_that_takes_nothing_stops_the_poll_and_loses_nothing(here: Here) -> None:
    for number in (1, 2, 4):
        put(here, str(number), reply(number, f"We have received your {number}th request."))
    archive = here.home / "archive"
    kept = archive.rename(here.home / "kept")
    archive.write_text("no folder")
    here("poll", status=1)
    archive.unlink()
    kept.rename(archive)
    later(here)
    assert sorted(str(line["case"]) for line in lines(here)) == ["T01", "T02", "T04"]
    assert lines(here, "--rescan") == []


def test_a_mailbox_that_is_gone_is_named(here: Here) -> None:
    junk = here.home / "mail" / ".Junk"
    for part in ("cur", "new", "tmp"):
        (junk / part).mkdir(parents=True)
    here("poll")
    junk.rename(here.home / "mail" / ".Spam2")
    assert "main: Junk was read before and is not there any more" in here("poll").err


def test_an_unreadable_state_costs_a_rescan_only(here: Here) -> None:
    put(here, "1", reply(4, "We have received your request."))
    assert len(lines(here)) == 1
    (here.home / "cursors.json").write_text('{"cursors": {"main/INBOX": [1, 2]}, "troubles": [{}]}')
    assert load_state(here.home / "cursors.json").cursors == {}
    assert lines(here) == []
