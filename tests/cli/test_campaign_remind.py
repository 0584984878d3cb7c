"""Reminders of a campaign, from the command line: who gets one, when, and behind which gates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from campaigners import letters_of
from inprocess import Here
from test_campaign_rails import begin, here, opened, send, sign_all
from test_json_schemas import check

from dsar.core.board import wave_of
from dsar.core.campaign_events import CampaignPaused, campaign_stream
from dsar.core.case import (
    Case,
    CaseClosed,
    ExtensionNotified,
    LetterSent,
    ReplyReceived,
    SendAttempted,
)
from dsar.core.letter import Stage

__all__ = ["here"]

SENT_ON = date(2026, 11, 24)
IN_TIME = "2026-12-24"
LATE = "2027-01-04"


def put_out(here: Here, cases: Sequence[str] | None = None, on: date = SENT_ON) -> None:
    """As if what waits had gone out on that day, and the first wave been looked at."""
    store, at = opened(here), datetime(on.year, on.month, on.day, 9, tzinfo=UTC)
    for case in list(store.cases()):
        approved = case.approved
        if approved is None or (cases is not None and case.id not in cases):
            continue
        store.append(case.id, [
            SendAttempted(on=on, at=at, message_id=approved.message_id, account="main",
                          recipient=approved.recipient),
            LetterSent(on=on, message_id=approved.message_id, stage=approved.stage,
                       recipient=approved.recipient, channel=approved.channel)],
            after=case.version)
    stream = campaign_stream("spring")
    if not any(isinstance(r.event, CampaignPaused) for r in store.events(stream)):
        store.append(stream, [CampaignPaused(on=on, because="wave 1 is out")],
                     after=len(store.events(stream)))
    store.close()
    here("campaign", "resume", "spring", status=None)


def sent_by_mandate(here: Here, folder: Path) -> list[str]:
    """Four requests are out, two members by two companies."""
    codes = begin(here, folder, "mandate")
    sign_all(here, folder)
    send(here, 4)
    put_out(here)
    return codes


def plan(here: Here, today: str = LATE) -> dict[str, Any]:
    shown = here("campaign", "remind", "spring", "-n", "--json", today=today).json
    check("campaign-reminders", shown)
    found: dict[str, Any] = shown["summary"]
    return found


def held(here: Here, today: str = LATE) -> dict[str, int]:
    """Rail → how many cases it holds."""
    found: dict[str, int] = {}
    for one in plan(here, today)["held"]:
        found[one["rail"]] = found.get(one["rail"], 0) + one["cases"]
    return found


def cases(here: Here) -> list[Case]:
    store = opened(here)
    found = list(store.cases())
    store.close()
    return found


def then(here: Here, case_id: str, *events: Any) -> None:
    store = opened(here)
    store.append(case_id, list(events), after=store.case(case_id).version)
    store.close()


def remind(here: Here, count: int, *more: str, today: str = LATE, status: int = 0) -> str:
    return here("campaign", "remind", "spring", "--confirm", str(count), "--by", "Ann", *more,
                today=today, status=status).err


def reply(text: str = "x") -> ReplyReceived:
    return ReplyReceived(on=date(2026, 12, 1), at=datetime(2026, 12, 1, 9, tzinfo=UTC),
                         digest=f"{text:0<64}", message_id=f"<{text}@alpha.example>",
                         sender="dpo@alpha.example", subject="Re", authentic="yes", evidence=())


def test_nobody_is_reminded_in_time_and_everybody_silent_is_once_late(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    assert (plan(here, IN_TIME)["letters"], held(here, IN_TIME)) == (0, {"early": 4})
    first = plan(here, IN_TIME)["from"]
    assert first > IN_TIME
    assert plan(here, first)["letters"] == 4
    before = plan(here, str(date.fromordinal(date.fromisoformat(first).toordinal() - 1)))
    assert before["letters"] == 0
    told = remind(here, 4, today=first)
    assert "Wave 2: 4 reminders written" in told
    assert "dsar campaign approve spring 2" in told
    assert {(wave_of(c), c.approved and c.approved.stage) for c in cases(here)} == {
        (2, Stage.REMINDER)}
    remind(here, 4, status=7)


