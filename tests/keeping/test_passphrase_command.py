"""`dsar passphrase` as it is typed, and the other commands in an encrypted home."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from keeping_samples import files_with, fill, home_at

from dsar.config import load_config, write_config
from dsar.home import write_private

ROOT = Path(__file__).resolve().parents[2]
WORD = "a passphrase of several words"


class Typed:
    """Runs `dsar` in a home; with `word`, a command of the environment gives the passphrase."""

    def __init__(self, folder: Path) -> None:
        self.home = home_at(folder / "home")
        self.word = folder / "word"
        write_private(self.word, f"{WORD}\n".encode())

    def __call__(self, *arguments: str, status: int | None = 0, word: bool = True
                 ) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DSAR_")}
        given = {"DSAR_PASSPHRASE_COMMAND": f"cat '{self.word}'"} if word else {}
        done = subprocess.run(
            [sys.executable, "-m", "dsar", *arguments], capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL, cwd=self.home.data_folder.parent,
            env=kept | given | {"DSAR_HOME": str(self.home.data_folder), "NO_COLOR": "1",
                                "DSAR_TODAY": "2026-02-01", "PYTHONPATH": str(ROOT)})
        assert status in (None, done.returncode), done
        assert WORD not in done.stdout + done.stderr
        return done

    def items(self, *arguments: str, word: bool = True) -> Any:
        return json.loads(self(*arguments, "--json", word=word).stdout)["items"]


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    fill(home_at(tmp_path / "home"))
    return Typed(tmp_path)


def test_status_says_the_same_without_the_passphrase(typed: Typed) -> None:
    before = [typed.items(c) for c in ("status", "deadlines")]
    typed("passphrase", "set")
    assert [typed.items(c, word=False) for c in ("status", "deadlines")] == before
    assert [typed.items(c) for c in ("status", "deadlines")] == before
    assert "Bolt Ltd" in typed("status", word=False).stdout + typed("case", "list").stdout


def test_what_needs_the_passphrase_says_so_and_names_the_way_out(typed: Typed) -> None:
    typed("passphrase", "set")
    for command in (("case", "show", "7K3M-Q2XT"), ("inbox", "list"),
                    ("case", "note", "7K3M-Q2XT", "x")):
        said = typed(*command, status=4, word=False).stderr
        assert "encrypted" in said
        assert "passphrase:" in said
    assert "jo.sample" in typed("case", "show", "7K3M-Q2XT", "--json").stdout
    typed("case", "note", "7K3M-Q2XT", "a note nobody shall read")
    assert files_with(typed.home.ledger, "nobody shall read", "Jo Sample") == []


def test_with_everything_sealed_status_needs_it_too(typed: Typed) -> None:
    before = typed.items("status")
    typed("passphrase", "set", "--sealed-status")
    typed("status", status=4, word=False)
    assert typed.items("status") == before
    assert files_with(typed.home.ledger, "acme", "Acme") == []


def test_setting_twice_is_refused_and_removing_brings_all_back(typed: Typed) -> None:
    before = typed("case", "show", "7K3M-Q2XT", "--json").stdout
    typed("passphrase", "remove", "--yes", status=2)
    typed("passphrase", "set")
    assert "encrypted already" in typed("passphrase", "set", status=2).stderr
    typed("passphrase", "remove", status=8)
    typed("passphrase", "remove", "--yes")
    after = typed("case", "show", "7K3M-Q2XT", "--json", word=False).stdout
    assert json.loads(after)["items"] == json.loads(before)["items"]


def test_the_passphrase_is_changed_and_a_wrong_one_is_refused(typed: Typed, tmp_path: Path) -> None:
    typed("passphrase", "set")
    write_private(tmp_path / "new", b"another one\n")
    typed("passphrase", "change", "--new-passphrase-file", str(tmp_path / "new"))
    assert "wrong" in typed("inbox", "list", status=1).stderr
    write_private(typed.word, b"another one\n")
    typed("inbox", "list")


def test_config_yaml_may_name_the_source_and_keeps_it(typed: Typed) -> None:
    typed.home.config.write_text(f"passphrase: {{file: '{typed.word}'}}\ncompanies: [acme]\n")
    typed("passphrase", "set", word=False)
    typed("inbox", "list", word=False)
    write_config(typed.home.config, store="tinydb:", chosen=["bolt"], accounts=[])
    found = load_config(typed.home.config, typed.home.people)
    assert found.chosen == ("bolt",)
    typed("inbox", "list", word=False)
    typed.home.config.write_text("passphrase: {file: x, command: [y]}\n")
    said = typed("inbox", "list", word=False, status=6).stderr
    assert "config.yaml:1" in said


def test_doctor_knows_and_all_files_are_private(typed: Typed) -> None:
    typed("passphrase", "set")
    shown = json.loads(typed("doctor", "--json", status=None).stdout)["items"]
    checks = {check["what"]: check for check in shown}
    assert checks["at rest"]["detail"] == "encrypted"
    assert checks["ledger"]["ok"]
    assert checks["archive"]["ok"]
    assert checks["private files"]["ok"]
    for path in (typed.home.data_folder, *typed.home.data_folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("name", ["ledger/ledger.jsonl", "archive", "people.yaml"])
def test_doctor_names_a_file_or_folder_that_others_can_read(typed: Typed, name: str) -> None:
    path = typed.home.data_folder / name
    path.chmod(0o755 if path.is_dir() else 0o644)
    shown = json.loads(typed("doctor", "--json", status=3).stdout)["items"]
    [check] = [c for c in shown if c["what"] == "private files"]
    assert not check["ok"]
    assert str(path) in check["detail"]
    assert "chmod" in check["fix"]
