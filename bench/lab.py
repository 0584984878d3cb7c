"""The mail lab of the tests, for measurements."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers.maillab import MailLab, missing

__all__ = ["MailLab", "missing"]
