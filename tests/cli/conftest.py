"""Fixtures of the command line: an empty home, a person, an account on the mail lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options
from servers.maillab import MailLab


@pytest.fixture
def dsar(tmp_path: Path) -> Dsar:
    """The command with an empty home."""
    return Dsar(tmp_path / "home")


@pytest.fixture
def alex(dsar: Dsar) -> Dsar:
    """A home with one person and no account."""
    dsar("person", "add", "alex", "--email", "alex@example.org", *ALEX)
    return dsar


@pytest.fixture
def on_lab(dsar: Dsar, lab: MailLab, user: str, tmp_path: Path) -> Dsar:
    """A home set up by `dsar init` with an account on the real servers."""
    dsar("init", "--no-input", "--email", user, *ALEX, *lab_options(lab, tmp_path))
    return dsar
