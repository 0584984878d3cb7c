"""Help of every command, the global options before and after it, and `dsar` alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from inprocess import TODAY, Here, case_row, fill, write_cases

from dsar.cli import COMMANDS, cli

GLOBALS = ("--person", "--home", "--json", "--plain", "--quiet", "--verbose", "--debug",
           "--no-input", "--yes", "--offline", "--no-color")


def tree(command: click.Command, path: str = "dsar") -> Iterator[tuple[str, click.Command]]:
    """Every command with its path, groups included."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, f"{path} {name} is listed and missing"
            yield from tree(found, f"{path} {name}")


ALL = dict(tree(cli))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path / "home", monkeypatch, capsys)


@pytest.mark.parametrize("path", ALL)
def test_every_command_has_a_help_text_that_ends_its_first_line_with_a_full_stop(
    path: str
) -> None:
    first = (ALL[path].help or "").strip().split("\n\n")[0].replace("\n", " ")
    assert first.endswith("."), f"{path}: {first!r}"
    assert first[0].isupper() or first.startswith("`")


@pytest.mark.parametrize("path", ALL)
def test_every_option_has_a_help_text(path: str) -> None:
    for option in ALL[path].params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts}"
            assert option.help.rstrip(")").endswith((".", "?")), f"{path} {option.opts}"


@pytest.mark.parametrize("path", ALL)
def test_every_command_takes_the_global_options(path: str) -> None:
    known = {name for option in ALL[path].params for name in option.opts}
    assert set(GLOBALS) <= known


@pytest.mark.parametrize("path", ALL)
def test_help_fits_80_columns_and_sends_nothing_to_stderr(path: str, here: Here) -> None:
    shown = here(*path.split()[1:], "--help")
    assert max(map(len, shown.out.splitlines())) <= 80
    assert shown.err == ""
    assert not here.home.exists()


def test_short_help_is_the_same_help(here: Here) -> None:
    assert here("status", "-h").out == here("status", "--help").out


def test_help_lists_every_command_by_section(here: Here) -> None:
    shown = here("--help").out
    for name, text in COMMANDS.items():
        assert f"\n  {name} " in shown
        assert text.rstrip(".")[:30] in " ".join(shown.split())


def test_the_version_is_a_line(here: Here) -> None:
    assert here("--version").out.startswith("dsar, version ")


@pytest.mark.parametrize("arguments", [
    ("--json", "status"), ("status", "--json"), ("--home", "HOME", "--json", "status"),
    ("status", "--home", "HOME", "--json"), ("--json", "case", "list"),
    ("case", "--json", "list"), ("case", "list", "--json"),
])
def test_global_options_count_before_and_after_the_command(
    arguments: tuple[str, ...], here: Here, tmp_path: Path
) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    shown = here(*(str(here.home) if word == "HOME" else word for word in arguments))
    assert [item["case"] for item in shown.json["items"]] == ["T01"]


def test_home_on_the_command_line_wins_over_the_environment(here: Here, tmp_path: Path) -> None:
    here("person", "add", "a", "--name", "A Example", "--email", "a@example.org",
         "--residence", "DE", "--home", str(tmp_path / "other"))
    assert (tmp_path / "other" / "people.yaml").exists()
    assert not here.home.exists()


def test_dsar_alone_names_demo_and_init_before_set_up(here: Here) -> None:
    shown = here().out
    assert "dsar demo" in shown
    assert "dsar init" in shown
    assert not here.home.exists()


def test_dsar_alone_shows_five_commands_and_the_state_after_set_up(
    here: Here, tmp_path: Path
) -> None:
    fill(here, tmp_path)
    shown = here().out.splitlines()
    assert sum(line.startswith("  dsar ") for line in shown) == 5
    assert "7 cases." in shown
    assert shown[-1].startswith("Next: dsar ")
    assert max(map(len, shown)) <= 80


def test_dsar_alone_knows_a_home_with_imported_cases_only(here: Here, tmp_path: Path) -> None:
    here("case", "import", str(write_cases(tmp_path / "cases.yaml", case_row(1))))
    assert "Nothing is set up" not in here().out


def test_a_bad_date_for_the_clock_is_a_usage_error(here: Here) -> None:
    assert "DSAR_TODAY" in here("status", today="tomorrow", status=2).err
    assert TODAY in here("status", "--json").json["generated_at"]
