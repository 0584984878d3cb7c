"""Reminders with real servers: each late case gets one, whoever dies; none without approval."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from many import CAMPAIGN, TODAY, ManyLetters
from servers.labconfig import CATCHALL
from servers.maillab import MailLab
from servers.postgres import PostgresServer

from dsar.core.case import Case
from dsar.core.letter import Stage
from dsar.store import open_store

COMPANIES, MEMBERS, ANSWERED = 30, 5, 10
DOMAIN = "late.example"
LATE = TODAY + timedelta(days=60)


class Play:
    """A campaign whose requests are out, and what came of them."""

    def __init__(self, many: ManyLetters, lab: MailLab, postgres: PostgresServer) -> None:
        self.many, self.lab, self.postgres = many, lab, postgres

    def cases(self) -> list[Case]:
        store = open_store(self.many.ledger, write=False)
        try:
            return list(store.cases())
        finally:
            store.close()

    def arrived(self) -> list[Message]:
        """The letters companies of this test got after their first ones."""
        found = [message_from_bytes(raw) for raw in self.lab.delivered(CATCHALL)]
        return [m for m in found if DOMAIN in str(m["To"]) and "eminder" in str(m["Subject"])]

    def settled(self) -> list[Message]:
        """The same, once nothing arrives any more."""
        before = -1
        while (now := len(self.lab.delivered(CATCHALL))) != before:
            before = now
            time.sleep(1.0)
        return self.arrived()

    def plan(self) -> dict[str, Any]:
        shown = self.many.dsar("campaign", "remind", CAMPAIGN, "-n", "--json")
        found: dict[str, Any] = json.loads(shown)["summary"]
        return found

    def held(self) -> dict[str, int]:
        return {one["rail"]: one["cases"] for one in self.plan()["held"]}

    def answer(self, cases: list[Case]) -> None:
        for case in cases:
            assert case.request is not None
            message = EmailMessage()
            message["From"], message["To"] = case.request.recipient, self.many.address
            message["Subject"] = f"Re: [{case.facts.reference}]"
            message["In-Reply-To"] = case.request.message_id
            message["Message-ID"] = f"<answer-{case.id}@{DOMAIN}>"
            message["Date"] = format_datetime(case.attempts[0].at + timedelta(hours=1))
            message.set_content("We hold no personal data about you.")
            self.lab.deliver(self.many.address, message.as_bytes())

    def remind(self, count: int, *, by: str = "jo") -> subprocess.Popen[bytes]:
        """Begin to write reminders, in a process that can be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "dsar", "campaign", "remind", CAMPAIGN, "--confirm",
             str(count)], env=self.many.environment | {"DSAR_AUTHOR": by},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def written(self, wave: int, state: str = "%") -> int:
        """How many letters of a wave there are in this state of the projection."""
        return int(self.postgres.sql(
            f"SELECT count(*) FROM dsar.work WHERE wave = {wave} AND state LIKE '{state}'",
            self.many.ledger.rpartition("/")[2]))

    def waiting(self, wave: int) -> int:
        return self.written(wave, "waiting")

    def under_fire(self, wave: int, *, killed: int) -> None:
        """Send with three workers, of which some are killed on the way, until none waits."""
        dice, end, all_of_it = random.Random(wave), time.monotonic() + 120, self.waiting(wave)
        deaths = [all_of_it * n // (killed + 1) for n in range(1, killed + 1)]
        self.many.start(3)
        while (left := self.waiting(wave)) and time.monotonic() < end:
            if deaths and left <= deaths[-1]:
                deaths.pop()
                self.many.kill(dice.randrange(3))
                self.many.start(1)
        time.sleep(2.0)  # the outcomes of the last ones; what is not recorded then is in doubt
        self.many.stop()
        assert self.waiting(wave) == 0, self.many.said()[-3000:]


def begin(play: Play) -> None:
    """All requests go out today in one wave, which is looked at; ten companies answer."""
    play.many.prepare([f"r{number:04}" for number in range(COMPANIES)], MEMBERS, per_day=1000)
    play.many.write(COMPANIES * MEMBERS, helpers=1)
    play.many.dsar("campaign", "work", CAMPAIGN, "--no-poll")
    play.many.dsar("campaign", "resume", CAMPAIGN)
    play.answer(play.cases()[:ANSWERED])
    play.many.dsar("poll")
    assert sum(bool(c.replies) for c in play.cases()) == ANSWERED


@pytest.mark.realserver
@pytest.mark.timeout(600)
def test_late_cases_are_reminded_once_by_whoever_lives_and_only_after_a_second_person(
    postgres: PostgresServer, lab: MailLab, user: str, tmp_path: Path, figures_shown: list[str]
) -> None:
    ledger = postgres.new_ledger()
    play = Play(ManyLetters(tmp_path / "home", ledger, lab, user,
                            postgres.environment["PGPASSFILE"], domain=DOMAIN), lab, postgres)
    begin(play)
    late = COMPANIES * MEMBERS - ANSWERED
    assert play.plan()["letters"] == 0, "today everybody is in time"
    play.many.today = str(LATE)
    assert (play.plan()["letters"], play.held()) == (late, {"unread": ANSWERED})
    try:
        first = _killed_while_writing(play, late)
        _nothing_goes_unapproved(play, 2)
        play.many.dsar("campaign", "approve", CAMPAIGN, "2", "--yes", by="sam")
        _nothing_goes_while_answers_cannot_be_fetched(play)
        play.under_fire(2, killed=2)
        assert play.plan()["letters"] == late - first
        play.many.dsar("campaign", "remind", CAMPAIGN, "--confirm", str(late - first), by="jo")
        play.many.dsar("campaign", "approve", CAMPAIGN, "3", "--yes", by="Jo", status=7)
        _nothing_goes_unapproved(play, 3)
        play.many.dsar("campaign", "approve", CAMPAIGN, "3", "--yes", by="sam")
        gone = play.cases()[-1].facts.subject_id
        play.many.dsar("campaign", "mandate", "revoke", CAMPAIGN, gone)
        play.under_fire(3, killed=4)
    finally:
        play.many.stop()
    play.many.dsar("poll")
    _each_once(play, gone, figures_shown)


def _killed_while_writing(play: Play, late: int) -> int:
    """Kill the writer in the middle; returns how many letters it had written."""
    writer, end = play.remind(late), time.monotonic() + 60
    while play.written(2) < 8 and time.monotonic() < end:
        time.sleep(0.02)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    first = play.written(2)
    assert 8 <= first < late - 100, "the rest is more than one person may let out alone"
    play.many.dsar("campaign", "send", CAMPAIGN, status=7)
    play.many.dsar("campaign", "remind", CAMPAIGN)
    assert play.written(2) == first, "it is proposed as it is"
    play.many.dsar("campaign", "remind", CAMPAIGN, status=7)
    return first


def _nothing_goes_unapproved(play: Play, wave: int) -> None:
    before = len(play.settled())
    play.many.dsar("campaign", "work", CAMPAIGN, "--no-poll")
    assert len(play.settled()) == before
    assert not [a for c in play.cases() if c.approved and c.approved.wave == wave
                for a in c.attempts if a.message_id == c.approved.message_id]


def _nothing_goes_while_answers_cannot_be_fetched(play: Play) -> None:
    config, port = play.many.home / "config.yaml", play.lab.ports.imaps
    whole = config.read_text()
    config.write_text(whole.replace(f"port: {port}", "port: 9"))
    before = len(play.settled())
    play.many.dsar("campaign", "work", CAMPAIGN)
    assert len(play.settled()) == before
    assert play.waiting(2)
    config.write_text(whole)


def _each_once(play: Play, gone: str, figures_shown: list[str]) -> None:
    cases, arrived = play.cases(), play.settled()
    ids = Counter(str(m["Message-ID"]) for m in arrived)
    sent = {s.message_id: c for c in cases for s in c.letters if s.stage is Stage.REMINDER}
    doubtful = [c for c in cases if c.in_doubt]
    figures_shown.append(
        f"{len(cases)} requests, {ANSWERED} answered; {play.many.killed} workers and one writer "
        f"killed; reminders delivered {len(ids)}, twice {sum(n > 1 for n in ids.values())}, left "
        f"in doubt and shown {len(doubtful)}")
    assert all(count == 1 for count in ids.values())
    assert set(sent) == set(ids), "what arrived is recorded, and what is recorded arrived"
    assert len({c.id for c in sent.values()}) == len(sent), "one for each case"
    assert all(not c.replies for c in sent.values())
    assert all(c.closed is None for c in cases)
    reminded = {c.id for c in sent.values()} | {c.id for c in doubtful}
    for case in cases:
        if case.id not in reminded:
            assert case.replies or case.facts.subject_id == gone
    assert play.plan()["letters"] == 0, "nobody is reminded twice for the same step"
    assert len(doubtful) <= play.many.killed
