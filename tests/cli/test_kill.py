"""kill -9 in the middle of sending: no letter twice, none lost, the doubtful ones settled."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options, write_companies
from figures import Figures
from servers.maillab import MailLab
from test_loop import letters_of

LETTERS = 200
KILLS = 50
BATCHES = 6


@pytest.mark.timeout(600)
def test_fifty_kills_during_two_hundred_letters_deliver_none_twice_and_lose_none(
    lab: MailLab, tmp_path: Path, figures_shown: Figures
) -> None:
    user = lab.new_user()
    dsar = Dsar(tmp_path / "home")
    # A copy to oneself in the same SMTP transaction proves what happened in a crash.
    dsar("init", "--no-input", "--email", user, *ALEX, *lab_options(lab, tmp_path),
         "--sent-copy", "bcc")
    names = [f"c{n:03}" for n in range(LETTERS * BATCHES)]
    write_companies(dsar.home, {name: f"dpo@{name}.example" for name in names})
    batches = [",".join(names[n:n + LETTERS]) for n in range(0, len(names), LETTERS)]
    seed = random.SystemRandom().randrange(10**6)
    draw = random.Random(seed)

    killed, used = 0, 0
    while killed < KILLS and used < BATCHES:
        used += 1
        while killed < KILLS and _left(dsar, batches[used - 1]):
            killed += _run_and_kill(dsar, batches[used - 1], draw)
    doubtful = _states(dsar)["in-doubt"]
    total = LETTERS * used

    for slugs in batches[:used]:
        _finish(dsar, slugs)
    lab.wait_for(user, _accepted(lab, user), "INBOX", seconds=60)
    polled = dsar("poll", "--rescan", "--json", status=None)
    assert polled.status == 0, polled.err
    after = _states(dsar)

    delivered = Counter(str(m["X-Original-To"]) for m in letters_of(lab, user))
    twice = {to: n for to, n in delivered.items() if n > 1}
    sent = {i["company"] for i in _items(dsar) if i["sent_on"]}
    arrived = {to.partition("@")[2].removesuffix(".example") for to in delivered}
    figures_shown.append(
        f"seed {seed}: {killed} kills; delivered {sum(delivered.values())} of {total}, "
        f"twice {len(twice)}; in doubt when the kills ended {doubtful}, "
        f"left for the user {after['in-doubt']}; {dict(after)}")
    assert killed == KILLS
    assert twice == {}
    assert sum(after.values()) == total
    assert set(after) <= {"waiting", "in-doubt"}, "every case is sent or in doubt"
    assert arrived == sent, "sent is exactly what arrived"


def _run_and_kill(dsar: Dsar, slugs: str, draw: random.Random) -> bool:
    """Start sending what is left and kill it at a random point; False: it had ended before.

    Mostly some instants after a random number of outcomes, sometimes while letters are written.
    """
    argv = dsar.argv("send", "--only", slugs, "--confirm", str(_left(dsar, slugs)), "--json")
    process = subprocess.Popen(argv, env=dsar.environment | {"PYTHONUNBUFFERED": "1"},
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    if draw.random() < 0.2:
        time.sleep(draw.uniform(0.2, 0.5))
    else:
        for _ in range(draw.randrange(3)):
            process.stdout.readline()
        time.sleep(draw.uniform(0, 0.004))
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    return process.wait() == -signal.SIGKILL


def _left(dsar: Dsar, slugs: str) -> int:
    """How many letters a dry run would still send."""
    return sum("to" in i for i in dsar("send", "--only", slugs, "-n", "--json").lines)


def _finish(dsar: Dsar, slugs: str) -> None:
    if left := _left(dsar, slugs):
        dsar("send", "--only", slugs, "--confirm", str(left), "--json", status=None)


def _items(dsar: Dsar) -> list[dict[str, str]]:
    items: list[dict[str, str]] = dsar("status", "--json").json["items"]
    return items


def _states(dsar: Dsar) -> Counter[str]:
    return Counter(item["status"] for item in _items(dsar))


def _accepted(lab: MailLab, user: str) -> int:
    return len({str(m["Message-ID"]) for m in letters_of(lab, user)})
