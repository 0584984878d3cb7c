"""Reminders of a campaign, from the command line: who gets one, when, and behind which gates."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command import write_companies
from inprocess import Here
from test_campaign_rails import begin, here, opened, send, sign_all
from test_json_schemas import check

from dsar.campaign.reminders import write_reminder
from dsar.cli.app import App
from dsar.cli.campaign_calls import obstacle_of, reminding
from dsar.cli.campaigning import Room
from dsar.cli.options import Settings
from dsar.core.board import wave_of
from dsar.core.campaign_events import CampaignPaused, campaign_stream
from dsar.core.case import (
    Case,
    CaseClosed,
    ClockEvent,
    DeliveryFailed,
    ExtensionNotified,
    LetterRefused,
    LetterSent,
    ReplyRead,
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


def remind(here: Here, count: int, *more: str, today: str = LATE, status: int | None = 0) -> str:
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


WHEN = date(2026, 12, 1)


def read(text: str, *labels: str) -> list[Any]:
    received = reply(text)
    return [received, ReplyRead(on=WHEN, digest=received.digest, labels=labels, by="person")]


def back(case: Case) -> DeliveryFailed:
    return DeliveryFailed(on=WHEN, message_id=case.letters[-1].message_id, permanent=True,
                          recipient="dpo@alpha.example")


@pytest.mark.parametrize(("events", "rail"), [
    (lambda case: [CaseClosed(on=WHEN, outcome="answered")], ""),
    (lambda case: [reply("unread")], "unread"),
    (lambda case: read("all", "fulfilled_access"), "answered"),
    (lambda case: read("none", "no_data_held"), "answered"),
    (lambda case: [SendAttempted(on=WHEN, at=datetime(2026, 12, 1, 9, tzinfo=UTC), account="main",
                                 message_id="<x@y.example>", recipient="x@y.example")],
     "in-doubt"),
    (lambda case: [ClockEvent(on=WHEN, type="id_requested")], "early"),
    (lambda case: [*read("later", "extension_notice"), ExtensionNotified(
        on=WHEN, until=date(2027, 2, 24), digest=reply("later").digest)], "early"),
    (lambda case: read("ask", "clarification_request"), "needs-you"),
    (lambda case: [back(case)], "unsent"),
    (lambda case: [LetterRefused(on=WHEN, message_id="<x@y.example>", code=550, reply="no")],
     "contact"),
])
def test_who_answered_is_in_time_or_cannot_be_reached_is_not_reminded(
    here: Here, tmp_path: Path, events: Any, rail: str
) -> None:
    sent_by_mandate(here, tmp_path)
    one = cases(here)[0]
    then(here, one.id, *events(one))
    seen = plan(here)
    assert seen["letters"] == 3
    assert held(here) == ({rail: 1} if rail else {})
    assert "3 reminders written" in remind(here, 3)
    after = next(c for c in cases(here) if c.id == one.id)
    assert after.approved is None


def test_a_confirmed_refusal_gets_the_letter_that_fits_even_in_time(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    one = cases(here)[0]
    then(here, one.id, *read("no", "refusal"))
    assert plan(here, IN_TIME)["letters"] == 1
    remind(here, 1, today=IN_TIME)
    found = next(c for c in cases(here) if c.id == one.id).approved
    assert found is not None
    assert found.stage is Stage.FOLLOW_UP


def test_a_mandate_that_ended_since_makes_the_reminder_impossible_and_is_listed(
    here: Here, tmp_path: Path
) -> None:
    first, second = sent_by_mandate(here, tmp_path)
    here("campaign", "mandate", "revoke", "spring", first, today="2026-12-02")
    assert held(here) == {"mandate": 2}
    assert "revoked on 2026-12-02" in plan(here)["held"][0]["why"]
    here("campaign", "leave", "spring", second, today="2026-12-03")
    assert (plan(here)["letters"], held(here)) == (0, {"mandate": 2, "member": 2})
    assert all(case.closed is None for case in cases(here)), "their requests are out"


def test_an_expired_mandate_reminds_nobody(here: Here, tmp_path: Path) -> None:
    begin(here, tmp_path, "mandate")
    papers = here("campaign", "mandate", "issue", "spring", "-o", str(tmp_path / "papers"),
                  "--expires-on", "2026-12-31")
    assert papers.status == 0
    for paper in (tmp_path / "papers").iterdir():
        paper.write_bytes(paper.read_bytes() + b"% signed by pen\n")
    here("campaign", "mandate", "sign", "spring", str(tmp_path / "papers"), "--how", "pen",
         "--signed-on", "2026-11-24")
    send(here, 4)
    put_out(here)
    assert held(here) == {"mandate": 4}
    assert "expired on 2026-12-31" in plan(here)["held"][0]["why"]
    assert plan(here, "2026-12-30")["letters"] == 4


def test_a_revoked_mandate_takes_the_reminder_back_and_not_the_case(
    here: Here, tmp_path: Path
) -> None:
    first, _ = sent_by_mandate(here, tmp_path)
    remind(here, 4)
    told = here("campaign", "mandate", "revoke", "spring", first, today=LATE).err
    assert "2 letters withdrawn; 2 are out already" in told
    mine = [c for c in cases(here) if c.facts.subject_id == first]
    assert all(c.closed is None and c.approved is None and c.request for c in mine)
    told = here("campaign", "approve", "spring", "2", "--confirm", "2", "--by", "Bea",
                today=LATE).err
    assert told.count("taken out: ") == 2
    assert sum(c.approved is not None for c in cases(here)) == 2


def test_a_withdrawn_wave_of_reminders_closes_no_case_and_can_be_planned_anew(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    remind(here, 4)
    told = here("campaign", "withdraw", "spring", "2", "--reason", "x", "--by", "Bea",
                today=LATE).err
    assert "4 letters withdrawn" in told
    assert "campaign remind spring -n" in told
    assert all(c.closed is None and c.approved is None for c in cases(here))
    assert "Wave 3: 4 reminders" in remind(here, 4)


def test_withdrawing_the_first_wave_leaves_a_reminder_to_its_own(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    remind(here, 4)
    here("campaign", "withdraw", "spring", "1", "--reason", "x", "--by", "Bea", today=LATE)
    assert all(c.approved and not c.closed for c in cases(here))


def test_nothing_is_written_while_the_campaign_rests_or_wave_one_was_not_looked_at(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    here("campaign", "pause", "spring", "--reason", "x", "--by", "Ann")
    assert "paused" in remind(here, 4, status=7)
    here("campaign", "resume", "spring", "--by", "Ann")
    here("campaign", "close", "spring", "--yes")
    remind(here, 4, status=2)
    assert all(c.approved is None for c in cases(here))


def test_before_somebody_looked_at_the_first_wave_nobody_is_reminded(
    here: Here, tmp_path: Path
) -> None:
    begin(here, tmp_path, "mandate")
    sign_all(here, tmp_path)
    send(here, 4)
    store = opened(here)
    store.append(campaign_stream("spring"), [CampaignPaused(on=SENT_ON, because="x", by="Ann")],
                 after=len(store.events(campaign_stream("spring"))))
    store.close()
    put_out(here)
    assert "first wave" in remind(here, 4, status=7)


def test_reminders_that_broke_off_are_proposed_before_anything_else_is_written(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    os.environ["DSAR_TODAY"] = LATE
    store = opened(here)
    room = Room.of(App(Settings(), os.environ), store, "spring")
    assert write_reminder(cases_of(store)[0], 2, reminding(room), room.writing({})) == ""
    store.close()
    assert "reminders was begun" in here("campaign", "send", "spring", "--by", "Ann",
                                         status=7).err
    assert "1 reminders written" in remind(here, 4)
    here("campaign", "approve", "spring", "2", "--yes", "--by", "Bea", today=LATE)
    assert "Wave 3: 3 reminders written" in remind(here, 3)


def cases_of(store: Any) -> list[str]:
    return [c.id for c in store.cases()]


def test_a_second_reminder_waits_for_the_time_the_first_gave_and_a_third_never_goes(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    day, wave = date.fromisoformat(LATE), 2
    for number in (1, 2):
        remind(here, 4, today=str(day))
        here("campaign", "approve", "spring", str(wave), "--yes", "--by", "Bea", today=str(day))
        put_out(here, on=day)
        given = date.fromisoformat(plan(here, str(day))["from"] or str(date.max))
        if number == 1:
            assert plan(here, str(given - timedelta(days=1)))["letters"] == 0
            assert given - day == timedelta(days=15)
            day, wave = given, wave + 1
    assert held(here, "2027-06-01") == {"twice": 4}


def test_the_words_of_a_reminder_are_those_of_the_member_with_the_mandate(
    here: Here, tmp_path: Path
) -> None:
    sent_by_mandate(here, tmp_path)
    remind(here, 4)
    shown = here("campaign", "approve", "spring", "2", "--show", "4", "--yes", "--by", "Bea",
                 today=LATE).err
    assert "Jane Roe" in shown
    assert "Bob Poe" in shown
    assert "on my behalf by Rights Group" in " ".join(shown.split())
    assert "Reminder: " in shown


def test_progress_shows_the_wave_of_reminders_and_what_comes_next(
    here: Here, tmp_path: Path
) -> None:
    def seen() -> tuple[int, dict[str, Any], str]:
        shown = here("campaign", "progress", "spring", "--json", today=LATE)
        check("campaign-progress", shown.json)
        summary = shown.json["summary"]
        told = here("campaign", "progress", "spring", today=LATE)
        return summary["reminded"], summary["proposed"][-1], told.out + told.err

    sent_by_mandate(here, tmp_path)
    assert "Next: dsar campaign remind spring -n" in seen()[2]
    assert {i["next"] for i in here.items("status", today=LATE)} == {
        "dsar campaign remind spring -n"}
    remind(here, 4)
    _, wave, text = seen()
    assert wave == {"wave": 2, "stage": "reminder", "letters": 4, "released": False,
                    "withdrawn": False, "waiting": 4}
    assert "wave 2: 4 reminders, not approved yet" in text
    assert "Next: dsar campaign approve spring 2" in text
    here("campaign", "approve", "spring", "2", "--yes", "--by", "Bea", today=LATE)
    capacity = here("campaign", "send", "spring", "-n", "--json", today=LATE).json
    check("campaign-plan", capacity)
    assert (capacity["summary"]["letters"], capacity["summary"]["waiting"]) == (0, 4)
    assert capacity["summary"]["finish_on"] == LATE
    _, wave, text = seen()
    assert (wave["released"], wave["waiting"]) == (True, 4)
    assert "Next: dsar campaign work spring" in text
    put_out(here, on=date.fromisoformat(LATE))
    count, wave, text = seen()
    assert (count, wave["waiting"]) == (4, 0)
    assert "wave 2: 4 reminders, 0 wait" in text


@pytest.mark.parametrize("reminder", [False, True])
@pytest.mark.parametrize(("change", "words"), [
    ("exclude", "excluded"), ("move", "another address"), ("forget", "knows the company no more")])
def test_no_approved_letter_goes_to_a_company_that_is_excluded_or_has_moved(
    here: Here, tmp_path: Path, reminder: bool, change: str, words: str
) -> None:
    if reminder:
        sent_by_mandate(here, tmp_path)
        remind(here, 4)
    else:
        begin(here, tmp_path, "mandate")
        sign_all(here, tmp_path)
        send(here, 4)
    assert set(obstacles(here).values()) == {""}
    overlay = here.home / "companies.local.yaml"
    if change == "exclude":
        here("registry", "exclude", "alpha", "--reason", "in talks")
    elif change == "move":
        overlay.write_text(overlay.read_text().replace("dpo@alpha.", "privacy@alpha."))
    else:
        write_companies(here.home, {"beta": "dpo@beta.example"})
    found = obstacles(here)
    assert {slug: words in why for slug, why in found.items()} == {"alpha": True, "beta": False}
    assert found["beta"] == ""


def obstacles(here: Here) -> dict[str, str]:
    """Company → why a worker would not send the approved letter."""
    os.environ["DSAR_TODAY"] = LATE
    store = opened(here)
    room = Room.of(App(Settings(), os.environ), store, "spring")
    why = obstacle_of(room)
    found = {c.facts.controller: why(c) for c in store.cases()}
    store.close()
    return found
