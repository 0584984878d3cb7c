"""What is installed is whole: a wheel is built, installed elsewhere, and run from nowhere."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
REGISTRY_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "crates" + ".io",
                  "rubygems" + ".org", "proxy.golang" + ".org")
MACHINE_PATHS = re.compile(r"/(?:work|home/[a-z]\w*|Users/\w+|tmp/[\w.-]+)/[\w.-]+")
LANGUAGES = {"de", "en", "fr"}


def quiet(*argv: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("DSAR_") and k != "PYTHONPATH"}
    return subprocess.run(argv, cwd=cwd, env=kept | more, capture_output=True, text=True,
                          timeout=200, check=False)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files of the repository without any network."""
    out = tmp_path_factory.mktemp("dist")
    done = quiet(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out),
                 str(ROOT), cwd=out)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer lays it out."""
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture
def call(installed: Path, tmp_path: Path) -> Any:
    """Runs the installed `dsar` from an empty folder with an empty home."""
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = quiet(sys.executable, "-P", "-m", "dsar", *arguments, cwd=nowhere,
                     PYTHONPATH=str(installed), DSAR_HOME=str(tmp_path / "home"),
                     PYTHONDONTWRITEBYTECODE="1")
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_the_tests_run_the_installed_package(installed: Path, tmp_path: Path) -> None:
    shown = quiet(sys.executable, "-P", "-c", "import dsar; print(dsar.__file__)", cwd=tmp_path,
                  PYTHONPATH=str(installed))
    assert shown.stdout.startswith(str(installed))


def test_the_wheel_runs_without_the_checkout(call: Any) -> None:
    version = json.loads(call("version", "--json").stdout)["items"][0]
    assert version["companies"] >= 200
    assert version["laws"] >= 80
    companies = json.loads(call("registry", "list", "--json").stdout)["items"]
    assert len(companies) == version["companies"]
    due = json.loads(call("law", "due", "--regime", "eu-gdpr", "--received", "2026-11-22",
                          "--json").stdout)
    assert due["due"] == "2026-12-22"
    assert call("registry", "check", "--no-doubts").stdout == ""
    assert call("--help").stdout.startswith("Usage: dsar")


def test_letters_come_from_the_wheel(call: Any, tmp_path: Path) -> None:
    call("person", "add", "alex", "--name", "Alex Example", "--email", "alex@example.org",
         "--residence", "DE")
    for language in LANGUAGES:
        shown = call("letter", "preview", "clearview-ai", "--lang", language).stdout
        assert "Alex Example" in shown
    for form in ("docx", "pdf"):
        call("letter", "preview", "clearview-ai", "--format", form, "-o",
             str(tmp_path / f"letter.{form}"))
        assert (tmp_path / f"letter.{form}").stat().st_size > 1000


def test_replies_are_read_by_the_rules_of_the_wheel(call: Any, tmp_path: Path) -> None:
    mail = tmp_path / "answer.eml"
    mail.write_bytes(b"From: a@b.example\r\nTo: alex@example.org\r\nSubject: Your request\r\n\r\n"
                     b"We have received your request and will reply within one month.\r\n")
    (line,) = call("inbox", "read", str(mail), "--json").stdout.splitlines()
    assert json.loads(line)["language"] == "en"
    assert json.loads(line)["label"] != ""


def test_every_data_file_of_the_repository_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(p.relative_to(ROOT)) for folder in ("dsar",) for p in (ROOT / folder).rglob("*")
              if p.is_file() and "__pycache__" not in p.parts}
    wanted |= {f"dsar/_shipped/{p.relative_to(ROOT)}" for p in (ROOT / "templates").rglob("*")
               if p.is_file()}
    wanted.add("dsar/_shipped/companies.yaml")
    assert wanted - names == set()
    for part in ("dsar/law/regimes/eu-gdpr.yaml", "dsar/mail/providers.yaml",
                 "dsar/schemas/status.json", "dsar/reading/rules/en.yaml",
                 "dsar/_shipped/templates/letters/en/access.txt.j2"):
        assert part in names


def test_the_wheel_holds_the_program_and_nothing_of_the_tests(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dsar"}


def test_the_wheel_declares_its_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (entry,) = (n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt"))
    assert "dsar = dsar.cli:main" in archive.read(entry).decode()


def tracked() -> list[Path]:
    """The files of the repository, as git lists them; else all but what is ignored."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
        return [p for p in names if p.is_file()]
    hidden = {".venv", ".git", "__pycache__", "dist", "build"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not hidden & set(p.parts)]


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="ignore")
        for number, line in enumerate(text.splitlines(), 1):
            if any(host in line for host in REGISTRY_HOSTS) or MACHINE_PATHS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_every_library_that_is_imported_is_declared_outside_the_tests() -> None:
    """A library that only comes along with a test library is missing where dsar is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(d for n, ds in extras.items() if n != "test" for d in ds)]
    declared = {re.split(r"[\[<>=]", d)[0].strip().lower().replace("_", "-") for d in wanted}
    distributions = packages_distributions()
    undeclared = {}
    for path in (ROOT / "dsar").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = ([a.name for a in node.names] if isinstance(node, ast.Import) else
                     [node.module] if isinstance(node, ast.ImportFrom) and node.module else [])
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
                made_by = {d.lower().replace("_", "-") for d in distributions.get(top, [])}
                if top != "dsar" and not made_by & declared:
                    undeclared[top] = str(path.relative_to(ROOT))
    assert undeclared == {}
