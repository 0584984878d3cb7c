"""A command imports what it needs and nothing else: no timing, but the list of modules."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from command import Dsar

HEAVY = {"jinja2", "docx", "lxml", "imapclient", "holidays", "tinydb", "filelock", "inscriptis",
         "authheaders", "dns", "flufl", "publicsuffixlist", "typst", "keyring", "cryptography",
         "smtplib", "imaplib", "ssl", "socket", "email", "http", "urllib.request", "asyncio",
         "yaml"}
SCRIPT = ("import sys, json, contextlib, io\nfrom dsar.cli import run\n"
          "with contextlib.redirect_stdout(io.StringIO()):\n    run(sys.argv[1:])\n"
          "json.dump(sorted(sys.modules), sys.stdout)")


def imported(dsar: Dsar, *arguments: str) -> set[str]:
    """The modules loaded once the command has ended."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], env=dsar.environment,
                          capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout))


def test_help_imports_click_and_the_list_of_commands_only(dsar: Dsar) -> None:
    found = imported(dsar, "--help")
    assert found & HEAVY == set()
    assert {m for m in found if m.startswith("dsar")} == {
        "dsar", "dsar.cli", "dsar.cli.options", "dsar.cli.failure", "dsar.errors"}


@pytest.mark.parametrize(("command", "needed"), [
    ("status", {"yaml", "tinydb", "holidays"}), ("case list", {"yaml", "tinydb", "holidays"}),
    ("registry list", {"yaml"}), ("law list", {"yaml", "holidays"}), ("version", {"yaml",
                                                                               "holidays"}),
])
def test_what_only_reads_imports_no_mail_no_letters_and_no_network(
    command: str, needed: set[str], alex: Dsar
) -> None:
    found = imported(alex, *command.split())
    assert found & HEAVY <= needed
    assert not {m for m in found if m.startswith(("dsar.letters", "dsar.reading", "dsar.demo"))}
