"""`status` on a terminal: cut to the screen; with --watch drawn again when something changes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Dsar
from inprocess import Here, case_row, write_cases

TODAY = "2026-11-24"


@pytest.fixture
def many(alex: Dsar, tmp_path: Path) -> Dsar:
    """Sixty overdue cases."""
    alex("case", "import", str(write_cases(tmp_path / "many.yaml", *(
        case_row(n, sent="2026-08-03", due="2026-09-03") for n in range(10, 70)))), today=TODAY)
    return alex


class Terminal:
    """A command on a pseudo-terminal of 24 lines and 80 columns."""

    def __init__(self, dsar: Dsar, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            dsar.argv(*words), stdin=theirs, stdout=theirs, stderr=theirs,
            env=dsar.environment | {"TERM": "xterm", "DSAR_TODAY": TODAY},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None)
        os.close(theirs)
        self.shown = ""

    def read_until(self, there: Callable[[str], bool]) -> str:
        """What was shown so far, once it is `there` or the command has ended."""
        end = time.monotonic() + 60
        while time.monotonic() < end and not there(self.shown):
            if select.select([self._ours], [], [], 0.5)[0]:
                try:
                    self.shown += os.read(self._ours, 65536).decode()
                except OSError:
                    break
        return self.shown

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


def test_a_long_status_fits_the_screen_and_says_how_many_more(many: Dsar) -> None:
    shown = Terminal(many, "status").read_until(lambda _: False)
    lines = shown.replace("\r", "").splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert any("more: dsar status --status overdue" in line for line in lines)
    assert lines[-1].startswith("Next:")
    assert many("status", today=TODAY).out.count("no answer") == 60, "elsewhere nothing is cut"


def test_long_deadlines_fit_the_screen(many: Dsar) -> None:
    lines = Terminal(many, "deadlines").read_until(lambda _: False).replace("\r", "").splitlines()
    assert len(lines) <= 23
    assert lines[-1].startswith("and 39 more")
    assert len(many("deadlines", today=TODAY).out.splitlines()) == 60


def test_watching_draws_again_only_what_changed_and_ends_by_interrupt(many: Dsar) -> None:
    terminal = Terminal(many, "status", "--watch")
    first = terminal.read_until(lambda text: "Ctrl-C ends." in text)
    assert "overdue 60" in first
    many("case", "close", "T10", "--outcome", "withdrawn", today=TODAY)
    second = terminal.read_until(lambda text: text.count("Ctrl-C ends.") > 1)
    assert "overdue 59" in second
    assert second.count("\x1b[H") == 2
    assert terminal.interrupt() == 130


def test_watching_is_for_a_terminal(many: Dsar) -> None:
    for more in ((), ("--json",), ("--plain",), ("--exit-code",)):
        assert "--watch is for a terminal" in many("status", "--watch", *more, status=2).err


def test_no_case_and_one_case_are_calm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Here(tmp_path / "home", monkeypatch, capsys)
    assert "no cases yet" in here("status").out
    assert here("deadlines").out == "No open due date.\n"
