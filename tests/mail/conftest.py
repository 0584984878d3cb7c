"""Fixtures of mail: a home that is polled from the real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from polledhome import PolledHome
from servers.maillab import MailLab


@pytest.fixture
def polled_home(tmp_path: Path, lab: MailLab, user: str, monkeypatch: pytest.MonkeyPatch,
                capsys: pytest.CaptureFixture[str]) -> PolledHome:
    """An empty home whose mailbox lies on the lab; `begin` fills it."""
    monkeypatch.setenv("DSAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    return PolledHome(tmp_path / "home", lab, user, capsys)
