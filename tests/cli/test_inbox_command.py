"""`dsar inbox` as it is typed: what was set aside is shown, assigned or ignored by a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inprocess import TODAY, Here, fill, reply


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    found = Here(tmp_path / "home", monkeypatch, capsys)
    fill(found, tmp_path)
    return found


def waiting(here: Here) -> list[Any]:
    return [item for item in here.items("inbox", "list") if item["kind"] == "assign"]


def read(here: Here, folder: Path, raw: bytes, *more: str) -> Any:
    (folder / "new.eml").write_bytes(raw)
    (line,) = here("inbox", "read", str(folder / "new.eml"), "--json", *more).lines
    return line


def archived(here: Here) -> int:
    return sum(p.is_file() for p in (here.home / "archive").rglob("*"))


def test_a_message_without_a_case_waits_with_its_candidates(here: Here) -> None:
    (item,) = waiting(here)
    assert item["case"] is None
    assert set(item["candidates"]) == {"T04", "T07"}
    listed = here("inbox", "list").out
    assert item["message"][:10] in listed
    assert item["sender"] in listed


def test_show_gives_sender_words_and_attachments_and_follows_nothing(here: Here) -> None:
    (item,) = waiting(here)
    shown = here("inbox", "show", item["message"][:10]).out
    assert "privacy@c4.example" in shown
    assert "We have received your request" in shown
    assert here("--json", "inbox", "show", item["message"][:4]).json["items"][0][
        "message"] == item["message"]


def test_a_message_cannot_steer_the_terminal(here: Here, tmp_path: Path) -> None:
    raw = b"From: \"\x1b[31mred\" <a@b.example>\r\nTo: alex+dsar-43kq3m04@example.org\r\n" \
          b"Subject: \x1b]0;owned\x07 hi\r\nMessage-ID: <e@b.example>\r\n" \
          b"In-Reply-To: <request.4@example.org>\r\n\r\nHello\x1b[2J there\r\n"
    read(here, tmp_path, raw)
    digest = max(here.items("inbox", "list"), key=lambda i: "hi" in i["subject"])["message"]
    for shown in (here("inbox", "show", digest).out, here("inbox", "list").out,
                  here("case", "show", "T04").out):
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_assigning_files_the_message_and_empties_the_inbox(here: Here) -> None:
    (item,) = waiting(here)
    here("inbox", "assign", item["message"][:10], "T04", "--label", "acknowledgement")
    assert waiting(here) == []
    (case,) = here.items("case", "show", "T04")
    kinds = [event["kind"] for event in case["events"]]
    assert kinds[-2:] == ["ReplyReceived", "ReplyRead"]
    assert case["events"][-1]["by"] == "person"
    assert case["events"][-1]["labels"] == ["acknowledgement"]
    assert case["status"] == "acknowledged"


def test_assigning_twice_files_it_once(here: Here) -> None:
    (item,) = waiting(here)
    for _ in range(2):
        here("inbox", "assign", item["message"], "T04", "--label", "acknowledgement")
    (case,) = here.items("case", "show", "T04")
    assert [e["kind"] for e in case["events"]].count("ReplyReceived") == 1


def test_a_person_corrects_what_a_machine_read(here: Here) -> None:
    (item,) = [i for i in here.items("inbox", "list") if i["case"] == "T03"]
    here("inbox", "assign", item["message"], "T03", "--label", "refusal")
    assert "T03" not in [i["case"] for i in here.items("inbox", "list")]
    assert here.items("case", "show", "T03")[0]["status"] == "answered"


def test_a_confirmed_extension_moves_the_due_date(here: Here) -> None:
    (item,) = waiting(here)
    here("inbox", "assign", item["message"], "T04", "--label", "extension_notice",
         "--until", "2027-01-20")
    (case,) = here.items("case", "show", "T04")
    assert case["extended_due"] == "2027-01-20"
    assert case["events"][-1]["on"] == TODAY, "mail from a file arrives when it is read"


def test_ignoring_removes_the_bytes_and_it_does_not_come_back(
    here: Here, tmp_path: Path
) -> None:
    (item,) = waiting(here)
    before = archived(here)
    here("inbox", "ignore", item["message"][:10])
    assert waiting(here) == []
    assert archived(here) == before - 1
    again = here("inbox", "read", str(tmp_path / "stray.eml"), "--json").lines
    assert [line["new"] for line in again] == [False]
    assert waiting(here) == []
    gone = here("inbox", "show", item["message"], status=None)
    assert gone.status in (1, 2, 6)
    assert "Unexpected" not in gone.err


def test_a_filed_message_cannot_be_ignored(here: Here) -> None:
    (item,) = [i for i in here.items("inbox", "list") if i["case"] == "T02"]
    assert "filed under a case" in here("inbox", "ignore", item["message"], status=2).err
    assert here("inbox", "show", item["message"]).out


@pytest.mark.parametrize("arguments", [
    ("show", "ffff"), ("show", "f"), ("assign", "ffff", "T01"), ("ignore", "ffff"),
    ("assign", "KNOWN", "nope"), ("assign", "KNOWN", "T04", "--label", "nice"),
    ("assign", "KNOWN", "T04", "--label", "extension_notice", "--until", "soon"),
    ("read", "no-such-file.eml"),
])
def test_what_does_not_exist_is_a_usage_error_and_changes_nothing(
    arguments: tuple[str, ...], here: Here
) -> None:
    (item,) = waiting(here)
    words = [item["message"] if word == "KNOWN" else word for word in arguments]
    assert "Unexpected" not in here("inbox", *words, status=2).err
    assert waiting(here) == [item]


def test_a_dry_run_of_reading_records_nothing(here: Here, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in here.home.rglob("*") if p.is_file()}
    line = read(here, tmp_path, reply(4, "We have received your request."), "--dry-run")
    assert (line["case"], line["new"]) == ("T04", True)
    assert {p: p.read_bytes() for p in here.home.rglob("*") if p.is_file()} == before


def test_reading_twice_files_once(here: Here, tmp_path: Path) -> None:
    raw = reply(4, "We have received your request and will answer in time.")
    assert read(here, tmp_path, raw)["new"] is True
    assert read(here, tmp_path, raw)["new"] is False
    (case,) = here.items("case", "show", "T04")
    assert [e["kind"] for e in case["events"]].count("ReplyReceived") == 1


def test_a_folder_an_mbox_and_a_maildir_are_read_alike(here: Here, tmp_path: Path) -> None:
    raw = reply(4, "We have received your request and will answer in time.")
    folder, maildir = tmp_path / "folder", tmp_path / "maildir"
    folder.mkdir()
    (folder / "one.eml").write_bytes(raw)
    (tmp_path / "mail.mbox").write_bytes(b"From a Fri Nov 20 10:00:00 2026\n" + raw + b"\n")
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    (maildir / "cur" / "1.host:2,S").write_bytes(raw)
    for path in (folder, tmp_path / "mail.mbox", maildir):
        (line,) = here("inbox", "read", "-n", str(path), "--json").lines
        assert line["case"] == "T04", path
