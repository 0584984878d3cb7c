"""What commands print: 80 columns, TSV, colour, quiet, no traceback."""

from __future__ import annotations

import os
import pty
import re
import unicodedata
from pathlib import Path

import pytest
from command import Dsar
from inprocess import Here, case_row, fill, write_cases

from dsar.report.terminal import columns

HOSTILE = ("広告データ株式会社 第二事業部 個人情報保護管理室 御中", "e\u0301" * 60,
           "Ünïcode Ädtech Gesellschaft mit beschränkter Haftung und Compagnie KG", "x" * 300)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def filled(here: Here, tmp_path: Path) -> Here:
    fill(here, tmp_path)
    return here


def narrow(text: str) -> None:
    """No line is wider than 80 columns or holds a control character."""
    for line in text.splitlines():
        assert columns(line) <= 80, line
        assert not any(unicodedata.category(c) == "Cc" for c in line), repr(line)


def test_status_fits_80_columns_whatever_companies_are_called(
    here: Here, tmp_path: Path
) -> None:
    rows = [case_row(n, name=name, sent="2026-08-03") for n, name in enumerate(HOSTILE, 1)]
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", *rows)))
    for command in ("status", "deadlines", "case list", "case show T01", "case show T03"):
        narrow(here(*command.split()).out)
    assert "広告データ" in here("status").out


def test_a_name_from_the_ledger_cannot_steer_the_terminal(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    ledger = next(here.home.rglob("ledger.jsonl"))
    assert b"Company 1" in ledger.read_bytes()
    refused = here("case", "import", str(write_cases(
        tmp_path / "bad.yaml", case_row(2, name="Red \x1b[31m\u202e\x07"))), status=6)
    assert "control characters" in refused.err
    assert "\x1b" not in refused.err
    assert here.items("case", "list")[-1]["case"] == "T01"
    assert len(here.items("case", "list")) == 1


@pytest.mark.parametrize("count", [1, 9, 1200])
def test_the_figures_of_many_cases_fit_80_columns(
    count: int, here: Here, tmp_path: Path
) -> None:
    rows = []
    for n in range(1, count + 1):
        late = n % 3 == 0
        token = f"DSAR-4{n // 1000}KQ-{n % 1000:04}"
        rows.append(case_row(n, token=token, sent="2026-08-03" if late else "2026-11-01"))
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", *rows)))
    shown = here("status").out
    narrow(shown)
    assert f"sent {count}" in shown


@pytest.mark.parametrize("command", [
    "status", "deadlines", "case list", "case show T02", "inbox list", "person list",
    "person show", "doctor", "account list", "account limits", "account test", "version",
    "queue list", "law list", "law show eu-gdpr", "law applies clearview-ai",
    "law authority FR", "law due --regime eu-gdpr --received 2026-11-22", "registry list",
    "registry search face", "registry show clearview-ai", "registry check", "registry diff",
    "letter types", "send --all -n",
])
def test_plain_is_tab_separated_with_one_heading(command: str, filled: Here) -> None:
    shown = filled(*command.split(), "--plain", status=None)
    heading, *rows = shown.out.splitlines()
    assert re.fullmatch(r"[a-z0-9_]+(\t[a-z0-9_]+)*", heading)
    assert {row.count("\t") for row in rows} <= {heading.count("\t")}
    assert "Next:" not in shown.out


def test_plain_and_json_name_the_same_cases(filled: Here) -> None:
    rows = filled("status", "--plain").out.splitlines()[1:]
    items = filled.items("status")
    assert [row.split("\t")[0] for row in rows] == [item["case"] for item in items]


def test_quiet_says_no_hints_and_still_answers(filled: Here) -> None:
    loud, quiet = filled("inbox", "list"), filled("inbox", "list", "-q")
    assert loud.out == quiet.out
    assert loud.err.startswith("Next: ")
    assert quiet.err == ""
    assert filled("-q", "case", "note", "T01", "called them").err == ""


def test_an_error_is_shown_even_when_quiet_and_never_with_a_traceback(filled: Here) -> None:
    (filled.home / "config.yaml").write_text("accounts: 7\n")
    for command in ("account list", "send --all -n", "doctor", "account test"):
        shown = filled(*command.split(), "-q", status=None)
        assert shown.status != 0
        assert "Traceback" not in shown.out + shown.err
        assert shown.err


def test_every_changing_command_ends_with_one_next_line(filled: Here, tmp_path: Path) -> None:
    for arguments in (
        ("case", "note", "T01", "called them"), ("case", "extend", "T01"),
        ("case", "set", "T01", "received"), ("case", "close", "T01"), ("case", "reopen", "T01"),
        ("person", "edit", "alex", "--language", "de"), ("registry", "exclude", "acxiom"),
        ("inbox", "read", str(tmp_path / "stray.eml")),
        ("case", "import", str(tmp_path / "cases.yaml")),
    ):
        said = filled(*arguments).err.splitlines()
        assert [line.startswith("Next: dsar ") for line in said].count(True) == 1, arguments
        assert said[-1].startswith("Next: dsar ")


def on_terminal(dsar: Dsar, *arguments: str, **more: str) -> str:
    """What a command shows on a terminal."""
    environment = {k: v for k, v in dsar.environment.items() if k != "NO_COLOR"} | more
    process, screen = pty.fork()
    if process == 0:
        argv = dsar.argv(*arguments)
        os.execve(argv[0], argv, environment)
    shown = b""
    while True:
        try:
            piece = os.read(screen, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(screen)
    os.waitpid(process, 0)
    return shown.decode()


@pytest.mark.parametrize("arguments", [("doctor",), ("case", "show", "nope")])
def test_colour_is_for_terminals_and_no_color_is_honoured(
    arguments: tuple[str, ...], dsar: Dsar
) -> None:
    assert "\x1b[" in on_terminal(dsar, *arguments)
    assert "\x1b[" not in on_terminal(dsar, *arguments, NO_COLOR="1")
    assert "\x1b[" not in on_terminal(dsar, *arguments, "--no-color")
    assert "\x1b[" not in on_terminal(dsar, "--no-color", *arguments)
    piped = dsar(*arguments, status=None)
    assert "\x1b[" not in piped.out + piped.err


def test_colour_always_comes_with_a_word(dsar: Dsar) -> None:
    shown = on_terminal(dsar, "doctor").replace("\x1b[1m", "")
    coloured = re.findall("\x1b\\[3[0-9]m([^\x1b]*)", shown)
    assert len(coloured) >= 5
    assert all(found.strip() for found in coloured)


def test_debug_shows_where_and_nothing_else_does(dsar: Dsar) -> None:
    assert "Traceback" in dsar("case", "show", "nope", "--debug", status=None).err
    assert "Traceback" not in dsar("case", "show", "nope", status=2).err
