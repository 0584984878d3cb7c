"""Fixtures of the command line: an empty home, a person, an account on the mail lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Dsar
from servers.maillab import MailLab

ALEX = ("--name", "Alex Example", "--residence", "DE-BE", "--language", "de", "--language", "en",
        "--address", "Musterweg 1", "--address", "10115 Berlin")


@pytest.fixture
def dsar(tmp_path: Path) -> Dsar:
    """The command with an empty home."""
    return Dsar(tmp_path / "home")


@pytest.fixture
def alex(dsar: Dsar) -> Dsar:
    """A home with one person and no account."""
    dsar("person", "add", "alex", "--email", "alex@example.org", *ALEX)
    return dsar


def lab_options(lab: MailLab, tmp_path: Path) -> list[str]:
    """The options of an account on the lab's submission and IMAP servers."""
    secret = tmp_path / "password"
    secret.write_text(lab.password)
    secret.chmod(0o600)
    return ["--smtp", f"{lab.host}:{lab.ports.submission}", "--smtp-security", "starttls",
            "--imap", f"{lab.host}:{lab.ports.imaps}", "--imap-security", "tls",
            "--ca-file", str(lab.ca_file), "--password-file", str(secret), "--reply-tags",
            "--no-limits"]


@pytest.fixture
def on_lab(dsar: Dsar, lab: MailLab, user: str, tmp_path: Path) -> Dsar:
    """A home set up by `dsar init` with an account on the real servers."""
    dsar("init", "--no-input", "--email", user, *ALEX, *lab_options(lab, tmp_path))
    return dsar
