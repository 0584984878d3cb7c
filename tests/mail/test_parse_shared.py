"""Public test suites of other mail programs: every file parses, bounces are known."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from figures import Figures

from dsar.mail.parse import parse

SHARED = os.environ.get("DSAR_SHARED", "")
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED, reason="DSAR_SHARED names no folder with mail/thirdparty"),
]
NO_BOUNCES = ("arf", "is-not", "rfc3834", "mbox", "size", "LICEN")


def files(folder: str = "") -> list[Path]:
    base = Path(SHARED) / "mail" / "thirdparty" / folder
    return [p for p in sorted(base.rglob("*")) if p.is_file() and "LICEN" not in p.name]


def test_every_file_parses(figures_shown: Figures) -> None:
    listed, unreadable, slowest, with_text = files(), [], 0.0, 0
    for path in listed:
        start = time.perf_counter()
        message = parse(path.read_bytes(), trusted_authserv=())
        slowest = max(slowest, time.perf_counter() - start)
        unreadable += [path.name for d in message.defects if d.startswith("unreadable")]
        with_text += bool(message.own_text or message.quoted_text or message.parts)
    figures_shown.append(f"parsed {len(listed)} files, {with_text} with text or parts, "
                         f"slowest {slowest * 1000:.0f} ms, unreadable {len(unreadable)}")
    assert len(listed) > 1000
    assert unreadable == []
    assert with_text > len(listed) * 0.97


@pytest.mark.parametrize("folder", ["sisimai", "flufl_bounce"])
def test_bounces_are_recognised(folder: str, figures_shown: Figures) -> None:
    bounces = [p for p in files(folder) if not p.name.startswith(NO_BOUNCES)]
    missed = [p.name for p in bounces
              if parse(p.read_bytes(), trusted_authserv=()).report is None]
    share = 1 - len(missed) / len(bounces)
    figures_shown.append(f"bounces, {folder}: {share:.3f} of {len(bounces)} recognised, "
                         f"missed {missed}")
    assert len(missed) <= 0.02 * len(bounces)


def test_mail_of_people_is_not_taken_for_a_bounce() -> None:
    people = [p for p in files("sisimai") if p.name.startswith(("is-not", "rfc3834"))]
    people += [p for p in files("froide") if p.name.startswith("test_mail") and "_12" not in p.name]
    people += [p for f in ("talon", "email_reply_parser_crisp", "zbateson") for p in files(f)]
    taken = [p.name for p in people if parse(p.read_bytes(), trusted_authserv=()).report]
    assert len(people) > 100
    assert taken == []
