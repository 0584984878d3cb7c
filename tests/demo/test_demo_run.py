"""The whole demo in a process of its own: what it shows, what it touches, what it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from demo_child import Ran, environment, run_demo


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run of the demo that most tests look at."""
    return run_demo(tmp_path_factory.mktemp("demo"))


def figures(ran: Ran, day: int) -> dict[str, int]:
    """The numbers of the status screen of a day."""
    screen = ran.day(day).split("$ dsar status\n")[1].split("\n$ ")[0]
    found = re.findall(r"(sent|delivered|answered|overdue|needs you) (\d+)", screen)
    found += re.findall(r"(Waiting|Extended|Answered|Closed): (\d+)", screen)
    return {word: int(number) for word, number in found}


def test_the_demo_runs_to_its_end(ran: Ran) -> None:
    assert ran.status == 0, ran.out + ran.err
    assert ran.err == ""
    assert "nothing left this machine" in ran.lines[-2]


def test_no_line_is_wider_than_a_terminal_of_80_columns(ran: Ran) -> None:
    assert [line for line in ran.lines if len(line) > 80] == []


def test_no_connection_goes_beyond_this_machine(ran: Ran) -> None:
    seen = {event for event, _ in ran.watched}
    assert {"socket.bind", "socket.connect"} <= seen
    assert seen <= {"socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo"}
    hosts = {args[0][0] for event, args in ran.watched
             if event in ("socket.bind", "socket.connect")}
    asked = {args[0] for event, args in ran.watched if event == "socket.getaddrinfo"}
    assert hosts == {"127.0.0.1"}
    assert asked <= {"127.0.0.1"}


def test_nothing_is_left_behind(ran: Ran) -> None:
    assert list(ran.home.iterdir()) == []
    assert list(ran.temporary.iterdir()) == []


def test_on_the_first_day_every_letter_is_sent_and_waits(ran: Ran) -> None:
    found = figures(ran, 0)
    assert found == {"sent": 12, "delivered": 12, "answered": 0, "overdue": 0, "needs you": 0,
                     "Waiting": 12, "Extended": 0}
    assert "dsar send --all --confirm 12" in ran.typed(0)
    assert "web form only" in ran.day(0)


def test_after_three_days_there_is_an_answer_a_bounce_and_two_questions(ran: Ran) -> None:
    found = figures(ran, 3)
    assert found == {"sent": 12, "delivered": 11, "answered": 1, "overdue": 0, "needs you": 3,
                     "Waiting": 8, "Extended": 0, "Answered": 1}
    for words in ("the address does not work", "asks for proof of identity",
                  "sends you to a web form"):
        assert words in ran.day(3)


def test_after_a_month_the_silent_are_overdue_and_the_extension_holds(ran: Ran) -> None:
    found = figures(ran, 31)
    assert found == {"sent": 12, "delivered": 11, "answered": 6, "overdue": 3, "needs you": 2,
                     "Waiting": 0, "Extended": 1, "Answered": 6}
    assert re.search(r"^2026-12-01 .* Lumen Score +extended$", ran.day(31), re.MULTILINE)


def test_after_two_months_the_late_answer_is_in_and_full_answers_are_closed(ran: Ran) -> None:
    found = figures(ran, 60)
    assert found == {"sent": 12, "delivered": 11, "answered": 7, "overdue": 2, "needs you": 2,
                     "Waiting": 0, "Extended": 1, "Answered": 3, "Closed": 4}


def test_the_look_alike_waits_for_a_person_and_moves_no_case(ran: Ran) -> None:
    listed = [line for line in ran.day(31).splitlines() if "privacy@tern-data-priv" in line]
    assert listed
    assert all("look-alike" in line for line in listed if "From:" not in line)
    assert any(typed.startswith("dsar inbox ignore ") for typed in ran.typed(31))
    assert re.search(r"^  \S{9}  Tern Data +no answer", ran.day(31), re.MULTILINE)


def test_a_newsletter_and_private_mail_are_never_shown(ran: Ran) -> None:
    for words in ("news@stillwater", "Ten audiences", "Kim", "Lindenblatt"):
        assert words not in ran.out


@pytest.mark.parametrize("day", [31, 60])
def test_the_due_dates_are_explained_when_the_month_is_over(ran: Ran, day: int) -> None:
    typed = ran.typed(day)
    assert any(re.fullmatch(r"dsar case show \S{9} --explain", line) for line in typed)
    assert "dsar deadlines" in typed
    assert "one month -> Thu 1 October 2026" in ran.day(day)


def test_a_letter_sent_just_after_midnight_east_of_greenwich_gets_its_bounce(
    tmp_path: Path
) -> None:
    ahead = 24 - datetime.now(UTC).hour
    ran = run_demo(tmp_path, TZ=f"XXX-{ahead}")
    assert figures(ran, 3)["delivered"] == 11


def test_kept_folder_holds_the_ledger_and_the_mail_and_is_named(tmp_path: Path) -> None:
    ran = run_demo(tmp_path, "--keep")
    (folder,) = ran.temporary.iterdir()
    assert f"export DSAR_HOME={folder} DSAR_TODAY=2026-10-31" in ran.out
    assert len(list((folder / "mail").glob("*.eml"))) == 18
    again = subprocess.run(
        [sys.executable, "-m", "dsar", "status", "--json"], capture_output=True, text=True,
        check=True, env=environment(ran.home, ran.temporary, DSAR_HOME=str(folder),
                                    DSAR_TODAY="2026-10-31"))
    summary = json.loads(again.stdout)["summary"]
    assert (summary["total"], summary["closed"], summary["overdue"]) == (12, 4, 2)
    assert folder.stat().st_mode & 0o077 == 0


def test_the_users_own_set_up_is_neither_read_nor_touched(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.yaml").write_text("this: is {broken")
    ran = run_demo(tmp_path, DSAR_HOME=str(own), DSAR_TODAY="not a date")
    assert ran.status == 0, ran.out + ran.err
    assert [p.name for p in own.iterdir()] == ["config.yaml"]


def test_ended_by_a_signal_it_leaves_nothing_behind(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    for folder in (home, temporary):
        folder.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "dsar", "demo"], stdout=subprocess.PIPE, cwd=home,
        stderr=subprocess.STDOUT, env=environment(home, temporary), text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("$ dsar person"):
            break
    assert list(temporary.iterdir()) != []
    child.send_signal(signal.SIGTERM)
    child.stdout.read()
    assert child.wait(60) == 130
    assert list(temporary.iterdir()) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("module", ["aiosmtpd", "pymap"])
def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from dsar.cli import main; main(['demo'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env=environment(tmp_path, tmp_path))
    assert done.returncode == 6
    assert "pip install 'dsar-cli[demo]'" in done.stderr
    assert "make demo" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


def test_offline_forbids_even_its_own_servers(tmp_path: Path) -> None:
    ran = run_demo(tmp_path, "--offline")
    assert ran.status == 7
    assert "offline" in ran.err
    assert {event for event, _ in ran.watched} == set()
