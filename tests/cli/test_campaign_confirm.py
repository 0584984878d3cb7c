"""Members say what their sealed answers are; the public report then rests on what was confirmed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from campaigners import opened_ledger
from inprocess import Here
from test_campaign_home import NAMES, SECRET, answer_all, mark_sent
from test_campaign_rails import begin, send, sign_all

FILE_ONLY = pytest.mark.parametrize("group", ["file"], indirect=True)


@pytest.fixture
def sheets(group: Here, tmp_path: Path) -> tuple[str, str, Path]:
    """Both members' codes, and the folder with their sheets: two answers each."""
    jane, bob = begin(group, tmp_path, "mandate")
    sign_all(group, tmp_path)
    send(group, 4)
    mark_sent(group)
    answer_all(group)
    group("poll")
    shown = group("campaign", "confirm", "spring", "-o", str(tmp_path / "sheets"))
    assert "2 sheets with 4 answers" in shown.err
    return jane, bob, tmp_path / "sheets"


def fill(path: Path, *words: str, delimiter: str = ",", **changed: str) -> Path:
    """What the member writes under `is`, saved as an office program does."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, word in zip(rows, words, strict=False):
        row.update({"is": word, **changed})
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def answered(group: Here) -> int:
    found: int = group("campaign", "progress", "spring", "--json").json["summary"]["answered"]
    return found



def test_a_public_report_rests_on_what_members_confirmed(
    group: Here, tmp_path: Path, sheets: tuple[str, str, Path]
) -> None:
    jane, bob, folder = sheets
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert not any(word in path.read_text() for word in (SECRET, *NAMES))
    assert answered(group) == 0
    fill(folder / f"answers-{jane}.csv", "yes", "yes")
    fill(folder / f"answers-{bob}.csv", "no_data_held", "refusal", delimiter=";")
    shown = group("campaign", "confirm", "spring", str(folder))
    assert "4 answers confirmed, 1 of them not as the machine read them" in shown.err
    assert answered(group) == 4
    report = group("campaign", "report", "spring", "json").json
    assert any("only answers that a person has read" in note.lower()
               for note in report["summary"]["notes"])
    csv_rows = group("campaign", "report", "spring", "csv").out
    assert csv_rows.count("nothing held") == 3
    assert csv_rows.count("refused") >= 1
    assert "0 answers confirmed" in group("campaign", "confirm", "spring", str(folder)).err
    assert "0 sheets" in group("campaign", "confirm", "spring", "-o", str(tmp_path / "x")).err
    store = opened_ledger(group.home)
    assert {r.confirmed.by for c in store.cases() for r in c.replies if r.confirmed} == {"member"}
    store.close()
    case = next(c["case"] for c in group.items("case", "list") if c["person"] == jane)
    assert "read by the member" in group("case", "show", case).out


@FILE_ONLY
def test_nobody_says_anything_of_another_members_answer(
    group: Here, sheets: tuple[str, str, Path]
) -> None:
    jane, bob, folder = sheets
    sheet = fill(folder / f"answers-{jane}.csv", "yes", "yes", member=bob)
    shown = group("campaign", "confirm", "spring", str(sheet), status=3).err
    assert shown.count(f"is no answer in a case of {bob}") == 2
    assert answered(group) == 0


@FILE_ONLY
def test_what_cannot_be_used_is_told_by_line_and_stops_nothing_else(
    group: Here, tmp_path: Path, sheets: tuple[str, str, Path]
) -> None:
    jane, bob, folder = sheets
    fill(folder / f"answers-{jane}.csv", "nothing at all", "yes")
    fill(folder / f"answers-{bob}.csv", "extension_notice", until="soon")
    (folder / "answers-other.csv").write_bytes(b"\xff\xfe")
    shown = group("campaign", "confirm", "spring", str(folder), status=3).err
    assert "line 2: 'nothing at all' is no label" in shown
    assert "'soon' is no date" in shown
    assert "answers-other.csv: The sheet is not UTF-8." in shown
    assert "1 answers confirmed" in shown
    group("campaign", "confirm", "spring", status=2)
    group("campaign", "confirm", "spring", str(folder), "-o", str(tmp_path / "y"), status=2)


@FILE_ONLY
def test_an_extension_a_member_tells_moves_the_date_by_the_day_it_came(
    group: Here, sheets: tuple[str, str, Path]
) -> None:
    jane, _, folder = sheets
    fill(folder / f"answers-{jane}.csv", "extension_notice", until="2027-02-24")
    group("campaign", "confirm", "spring", str(folder), today="2026-12-30")
    store = opened_ledger(group.home)
    moved = [e for c in store.cases() for e in c.clock]
    store.close()
    assert [(str(e.on), str(getattr(e, "until", ""))) for e in moved] == [
        ("2026-11-24", "2027-02-24")]
