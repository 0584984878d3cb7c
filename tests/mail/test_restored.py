"""A home that was brought back from a backup misses no mail, and files none twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from polledhome import PolledHome, reply
from servers.maillab import MailLab

from dsar.mailstate import last_poll


def test_mail_that_was_filed_while_the_backup_was_taken_is_filed_again(
    polled_home: PolledHome, lab: MailLab, user: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch
) -> None:
    home = polled_home.begin(2)
    lab.put(user, reply(1))
    assert home.poll().filed == ["T01"]
    ledger = shutil.copytree(home.home / "ledger", tmp_path / "ledger-as-the-backup-read-it")
    lab.put(user, reply(2))
    assert home.poll().filed == ["T02"]
    shutil.copytree(ledger, home.home / "ledger", dirs_exist_ok=True)
    word = tmp_path / "word"
    word.write_text("correct horse battery")
    word.chmod(0o600)
    packed = str(tmp_path / "packed")
    assert home("backup", packed, "--passphrase-file", str(word)).status == 0

    monkeypatch.setenv("DSAR_HOME", str(tmp_path / "again"))
    assert home("restore", packed, "--passphrase-file", str(word)).status == 0
    assert home.replies() == {"T01": 1}
    assert last_poll(tmp_path / "again" / "cursors.json") is None
    assert home.poll().filed == ["T02"]
    assert home.replies() == {"T01": 1, "T02": 1}
