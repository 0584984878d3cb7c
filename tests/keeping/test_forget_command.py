"""`dsar forget` as it is typed: what it shows, what it asks, what a plan says afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from keeping_samples import contents, files_with, fill, home_at

from dsar import shipped
from dsar.cli.forget import day_of
from dsar.errors import UsageProblem

ROOT = Path(__file__).resolve().parents[2]


def _dsar(home: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DSAR_")}
    done = subprocess.run(
        [sys.executable, "-m", "dsar", *arguments], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, cwd=home.parent,
        env=kept | {"DSAR_HOME": str(home), "DSAR_TODAY": "2026-02-01", "NO_COLOR": "1",
                    "PYTHONPATH": str(ROOT)})
    assert done.returncode == status, done
    return done


def test_nobody_who_cannot_be_asked_loses_anything(tmp_path: Path) -> None:
    fill(home_at(tmp_path / "home"))
    before = contents(tmp_path / "home")
    shown = _dsar(tmp_path / "home", "forget", "person", "jo", status=8)
    assert "7K3M-Q2XT" in shown.stdout
    assert "--yes" in shown.stderr
    assert contents(tmp_path / "home") == before
    _dsar(tmp_path / "home", "forget", "person", "jo", "--yes", "-n")
    assert contents(tmp_path / "home") == before


def test_a_person_is_forgotten_and_the_plan_still_knows(tmp_path: Path) -> None:
    fill(home_at(tmp_path / "home"))
    done = _dsar(tmp_path / "home", "forget", "person", "jo", "--yes", "--keep-tombstone", "--json")
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, json.loads((shipped.data("schemas") / "forget.json").read_text()))
    assert answer["summary"]["left"] == []
    assert answer["summary"]["cases"] == 2
    assert files_with(tmp_path, "Jo Sample", "jo.sample") == []
    assert "Nothing to forget" in _dsar(tmp_path / "home", "forget", "person", "jo").stdout


def test_a_request_forgotten_with_a_tombstone_is_not_planned_again(tmp_path: Path) -> None:
    home = home_at(tmp_path / "home")
    fill(home)
    home.config.write_text(
        "companies: [acme, cord]\naccounts:\n  - name: main\n    address: jo.sample@example.org\n"
        "    smtp: {host: 127.0.0.1, port: 9, security: none}\n    secret: {prompt: true}\n")
    home.overlay.write_text("schema: dsar.companies/1\ncompanies:" + "".join(
        f"\n  {slug}:\n    name: {slug}\n    country: DE\n    categories: [data-broker]\n"
        f"    contacts: [{{kind: email, value: privacy@{slug}.example, source: invented, "
        "checked: 2026-01-01}]\n    laws: [eu-gdpr]\n    languages: [en]\n    checked: 2026-01\n"
        for slug in ("acme", "cord")))
    _dsar(home.data_folder, "forget", "older-than", "2025-06-30", "--keep-tombstone", "--yes")
    _dsar(home.data_folder, "forget", "company", "acme", "--keep-tombstone", "--yes")
    _dsar(home.data_folder, "registry", "add", "acme", "--name", "Acme", "--country", "DE",
          "--email", "privacy@acme.example")
    lines = _dsar(home.data_folder, "send", "--only", "acme,cord", "-n", "--json").stdout
    plan = {item["company"]: item for item in map(json.loads, lines.splitlines())}
    assert plan["acme"]["skipped"] == "duplicate"
    assert "forgotten since" in plan["acme"]["why"]
    assert plan["cord"]["to"] == "privacy@cord.example"


@pytest.mark.parametrize(("age", "today", "day"), [
    ("2025-06-30", date(2026, 2, 28), date(2025, 6, 30)),
    ("18m", date(2026, 2, 28), date(2024, 8, 28)),
    ("1m", date(2026, 3, 31), date(2026, 2, 28)),
    ("2m", date(2026, 1, 31), date(2025, 11, 30)),
    ("2y", date(2024, 2, 29), date(2022, 2, 28)),
    ("90d", date(2026, 2, 28), date(2025, 11, 30)),
])
def test_ages_are_counted_from_today(age: str, today: date, day: date) -> None:
    assert day_of(age, today) == day


@pytest.mark.parametrize("age", ["", "soon", "9999y", "-1d", "2026-02-30", "5w"])
def test_what_is_no_age_is_refused(age: str) -> None:
    with pytest.raises(UsageProblem):
        day_of(age, date(2026, 2, 28))


def test_the_export_command_gives_one_person_everything(tmp_path: Path) -> None:
    fill(home_at(tmp_path / "home"))
    target = str(tmp_path / "max.zip")
    done = _dsar(tmp_path / "home", "export", "--person", "max", "-o", target, "--json")
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, json.loads((shipped.data("schemas") / "export.json").read_text()))
    assert answer["summary"]["person"] == "max"
    assert answer["summary"]["cases"] == 2
    _dsar(tmp_path / "home", "export", "-p", "nobody", "-o", str(tmp_path / "x"), status=6)
    assert not (tmp_path / "x").exists()
