"""Four workers, killed again and again, a database that restarts: each letter at most once.

With DSAR_FULL=1 it is 5,000 letters to 250 companies, else 1,000 to 50.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from figures import Figures
from many import CAMPAIGN, ManyLetters, companies
from servers.labconfig import CATCHALL
from servers.maillab import MailLab
from servers.postgres import PostgresServer

from dsar.core.case import Case
from dsar.store import open_store

FULL = os.environ.get("DSAR_FULL") == "1"
COMPANIES, MEMBERS, PER_DAY = 250 if FULL else 50, 25, 20
KILL_EVERY_S = 3.0


def _cases(ledger: str) -> list[Case]:
    store = open_store(ledger, write=False)
    try:
        return [case for case in store.cases() if case.facts.campaign == CAMPAIGN]
    finally:
        store.close()


def _arrived(lab: MailLab) -> list[Message]:
    """What companies of this test got."""
    found = [message_from_bytes(raw) for raw in lab.delivered(CATCHALL)]
    return [m for m in found if ".many.example" in str(m["To"])]


@pytest.mark.realserver
@pytest.mark.timeout(1500)
def test_no_letter_goes_twice_and_none_is_lost_whoever_dies(
    postgres: PostgresServer, lab: MailLab, user: str, tmp_path: Path, figures_shown: Figures
) -> None:
    begun, ledger = time.monotonic(), postgres.new_ledger()
    many = ManyLetters(tmp_path / "home", ledger, lab, user, postgres.environment["PGPASSFILE"])
    planned, today = COMPANIES * MEMBERS, COMPANIES * PER_DAY
    try:
        many.prepare(companies(COMPANIES), MEMBERS, per_day=PER_DAY)
        many.write(planned)
        written = time.monotonic()
        _send_under_fire(many, postgres, ledger, today)
    finally:
        many.stop()
    sent_in = time.monotonic() - written
    many.dsar("poll")
    cases, arrived = _cases(ledger), _settled(lab, user)
    attempts = [a for case in cases for a in case.attempts]
    twice = [k for k, n in Counter(m["Message-ID"] for m in arrived).items() if n > 1]
    got = {m["Message-ID"] for m in arrived}
    recorded = {s.message_id for case in cases for s in case.letters}
    doubtful = [case for case in cases if case.in_doubt]
    by_company = many.sent_by_company()
    figures_shown.append(
        f"{planned} letters planned, {today} may go today; 4 workers, {many.killed} killed, "
        f"PostgreSQL restarted once; written in {written - begun:.0f} s, sent in {sent_in:.0f} s")
    figures_shown.append(
        f"attempts {len(attempts)}, delivered {len(got)}, twice {len(twice)}, recorded as sent and "
        f"not delivered {len(recorded - got)}, delivered and not recorded {len(got - recorded)}, "
        f"left in doubt and shown {len(doubtful)}, most to one company {max(by_company.values())}")
    assert twice == [], many.said()[-3000:]
    assert len(attempts) == today
    assert max(Counter(a.message_id for a in attempts).values()) == 1
    assert recorded == got, "what arrived is recorded, and what is recorded arrived"
    assert all(case.in_doubt and case.in_doubt.message_id not in got for case in doubtful)
    assert len(got) + len(doubtful) == today
    assert len(doubtful) <= many.killed + 4  # each death, and the restart for each worker
    assert max(by_company.values()) <= PER_DAY
    assert sum(by_company.values()) == len(got)
    assert len(_cases(ledger)) == planned


def _send_under_fire(
    many: ManyLetters, postgres: PostgresServer, ledger: str, today: int
) -> None:
    """Send with four workers, one of them killed every few seconds, until all is tried."""
    dice, database, restarted = random.Random(20260105), ledger.rpartition("/")[2], False
    end, next_kill = time.monotonic() + 900, time.monotonic() + KILL_EVERY_S
    many.start(4)
    while (tried := _tried(postgres, database)) < today and time.monotonic() < end:
        time.sleep(0.1)
        if time.monotonic() > next_kill:
            many.kill(dice.randrange(4))
            many.start(1)
            next_kill = time.monotonic() + KILL_EVERY_S * (0.5 + dice.random())
        if not restarted and tried > today // 2:
            postgres.restart("immediate")
            restarted = True
    assert tried == today, many.said()[-3000:]
    time.sleep(2.0)  # the outcomes of the last ones; what is not recorded then is in doubt
    assert restarted


def _tried(postgres: PostgresServer, database: str) -> int:
    return int(postgres.sql("SELECT count(*) FROM dsar.attempts", database))


def _settled(lab: MailLab, user: str) -> list[Message]:
    """All mail that arrived, once nothing arrives any more."""
    before = -1
    while (now := len(lab.delivered(CATCHALL)) + len(lab.delivered(user))) != before:
        before = now
        time.sleep(1.5)
    return _arrived(lab)
