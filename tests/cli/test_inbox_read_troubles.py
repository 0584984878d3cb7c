"""Mail from files that cannot be read or filed is named, holds nothing up, and is tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from inprocess import Here, fill, reply
from test_json_schemas import check

from dsar.cli import receiving
from dsar.mailstate import FILES, load_state

ACKNOWLEDGED = "We have received your request."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
         ) -> Here:
    made = Here(tmp_path / "home", monkeypatch, capsys)
    (tmp_path / "first").mkdir()
    fill(made, tmp_path / "first")
    return made


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """While a word stands in here, reading a message with that word in its subject fails."""
    from dsar.reading import classify

    words, real = list[str](), classify.read

    def fails(message: object, **more: object) -> object:
        if any(word in message.subject for word in words):  # type: ignore[attr-defined]
            raise RecursionError
        return real(message, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(classify, "read", fails)
    return words


def lines(here: Here, *paths: Path, status: int = 0, more: tuple[str, ...] = ()
          ) -> list[dict[str, object]]:
    found: list[dict[str, object]] = here(
        "inbox", "read", "--json", *more, *map(str, paths), status=status).lines
    for line in found:
        check("inbox-read", line)
    return found


def mbox(path: Path, *raws: bytes) -> Path:
    path.write_bytes(b"".join(b"From x@example.org Fri Nov 20 10:00:00 2026\n" + raw + b"\n"
                              for raw in raws))
    return path


def letter(number: int, mark: str = "") -> bytes:
    return reply(number, f"{ACKNOWLEDGED} {mark}",
                 subject=f"Re: Access request [DSAR-43KQ-3M{number:02}] {mark}")


def filed(found: list[dict[str, object]]) -> list[object]:
    return [line["case"] for line in found if line["new"] and line["case"]]


def test_one_message_of_an_mbox_fails_by_its_number_and_the_others_are_filed(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    box = mbox(tmp_path / "all.mbox", letter(1, "x"), letter(2, "odd"), letter(4, "y"))
    broken.append("odd")
    found = lines(here, box, status=3)
    assert filed(found) == ["T01", "T04"]
    [trouble] = [line for line in found if "trouble" in line]
    assert (trouble["file"], trouble["why"]) == (
        f"{box}#2", "reading it fails (RecursionError)")
    assert trouble["trouble"]["attempts"] == 1  # type: ignore[index]
    shown = here("inbox", "read", str(box), status=3)
    assert f"{box}, message 2: reading it fails" in shown.err
    assert "Run `dsar inbox read` on the same files again" in shown.err
    [row] = load_state(here.home / "cursors.json").troubles.values()
    assert (row.where.account, row.where.uid, row.attempts, row.next_at) == (FILES, 2, 2, None)


def test_it_is_named_everywhere_until_it_was_read_and_nothing_is_filed_twice(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    box = mbox(tmp_path / "all.mbox", letter(1, "x"), letter(2, "odd"))
    broken.append("odd")
    lines(here, box, status=3)
    assert "Mail that cannot be read: 1" in here("status").out
    [item] = [i for i in here("doctor", "--json", status=None).json["items"] if i["what"] == "mail"]
    assert not item["ok"]
    assert f"{box}, message 2" in item["detail"]
    polled = here("poll")
    assert f"`dsar inbox read {box}` takes it up again" in polled.err
    here("poll", "--retry")
    assert len(load_state(here.home / "cursors.json").troubles) == 1, "polls do not read files"
    broken.clear()
    assert filed(lines(here, box)) == ["T02"]
    assert load_state(here.home / "cursors.json").troubles == {}
    assert "cannot be read" not in here("status").out
    assert filed(lines(here, box)) == []


def test_a_file_that_is_removed_is_no_longer_named(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    (tmp_path / "odd.eml").write_bytes(letter(2, "odd"))
    broken.append("odd")
    lines(here, tmp_path / "odd.eml", status=3)
    (tmp_path / "odd.eml").unlink()
    assert "odd.eml" not in here("poll").err
    assert load_state(here.home / "cursors.json").troubles == {}


def test_unreadable_files_and_folders_hold_up_no_path_behind_them(
    here: Here, tmp_path: Path
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    (first / "1.eml").symlink_to("/proc/self/mem")
    (first / "2.eml").write_bytes(letter(1, "x"))
    (second / "3.eml").write_bytes(letter(2, "y"))
    found = lines(here, first, second, status=3)
    assert filed(found) == ["T01", "T02"]
    assert "the file cannot be read" in str(found[0]["why"])
    (first / "1.eml").unlink()
    (first / "1.eml").write_bytes(letter(4, "z"))
    assert filed(lines(here, first, second)) == ["T04"]
    assert load_state(here.home / "cursors.json").troubles == {}


def test_a_maildir_and_a_folder_of_eml_are_gone_through_as_well(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    odd = tmp_path / "Maildir/cur/1.host:2,S"
    odd.write_bytes(letter(1, "odd"))
    (tmp_path / "Maildir/new/2.host").write_bytes(letter(2, "x"))
    broken.append("odd")
    found = lines(here, tmp_path / "Maildir", status=3)
    assert filed(found) == ["T02"]
    assert [line["file"] for line in found if "trouble" in line] == [str(odd)]
    broken.clear()
    assert filed(lines(here, tmp_path / "Maildir")) == ["T01"]


def test_a_disk_that_takes_nothing_stops_it_and_the_next_run_takes_all_up(
    here: Here, tmp_path: Path
) -> None:
    box = mbox(tmp_path / "all.mbox", *(letter(n, "x") for n in (1, 2, 4)))
    archive = here.home / "archive"
    kept = archive.rename(here.home / "kept")
    archive.write_text("no folder")
    here("inbox", "read", str(box), status=1)
    [row] = load_state(here.home / "cursors.json").troubles
    assert (row.mailbox, row.uid) == (str(box), 1)
    archive.unlink()
    kept.rename(archive)
    assert filed(lines(here, box)) == ["T01", "T02", "T04"]
    assert load_state(here.home / "cursors.json").troubles == {}


def test_a_dry_run_names_it_and_notes_nothing(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    box = mbox(tmp_path / "all.mbox", letter(1, "odd"), letter(2, "x"))
    broken.append("odd")
    before = sorted(p for p in here.home.rglob("*") if p.is_file())
    found = lines(here, box, status=3, more=("-n",))
    assert [("trouble" in line, line["case"]) for line in found] == [(True, None), (False, "T02")]
    assert sorted(p for p in here.home.rglob("*") if p.is_file()) == before
    assert load_state(here.home / "cursors.json").troubles == {}


def test_the_last_poll_is_still_known_afterwards(
    here: Here, tmp_path: Path, broken: list[str]
) -> None:
    here("poll")
    assert "last poll" in here("status").out
    (tmp_path / "odd.eml").write_bytes(letter(2, "odd"))
    broken.append("odd")
    lines(here, tmp_path / "odd.eml", status=3)
    assert "last poll" in here("status").out


def test_a_mail_from_a_file_goes_through_the_disk_as_one_from_a_server(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LARGE", 1000)
    (tmp_path / "large.eml").write_bytes(letter(1, "x") + b"word " * 1000)
    assert filed(lines(here, tmp_path / "large.eml")) == ["T01"]
    assert filed(lines(here, tmp_path / "large.eml")) == []
