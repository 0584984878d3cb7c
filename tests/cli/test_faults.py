"""Two hundred sendings that go wrong in every way we know: none twice, none lost, doubts shown."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command import ALEX, Dsar, lab_options, write_companies
from figures import Figures
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab
from test_loop import letters_of

RUNS = 200
FRESH = 2
"""New companies in each run, beside what earlier runs left."""


@dataclass
class Scene:
    """One home, its server, and the table of what was done to it."""

    dsar: Dsar
    lab: MailLab
    user: str
    draw: random.Random
    proxy: Callable[..., CutProxy]
    table: Counter[tuple[str, str]] = field(default_factory=Counter)

    def configure(self, port: int) -> None:
        """Send through this port; a copy goes to oneself in the same transaction."""
        (self.dsar.home / "config.yaml").write_text(f"""
accounts:
  - name: main
    address: {self.user}
    smtp: {{host: localhost, port: {port}, security: none}}
    auth: none
    sent_copy: bcc
    reply_tags: true
    limits: off
""")

    def left(self, slugs: str) -> int:
        """How many letters the dry run would send."""
        return sum("to" in i for i in self.dsar("send", "--only", slugs, "-n", "--json").lines)

    def start(self, slugs: str, count: int, **more: object) -> subprocess.Popen[bytes]:
        """Begin to send, output buffered by lines."""
        argv = self.dsar.argv("send", "--only", slugs, "--confirm", str(count), "--json")
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            argv, env=self.dsar.environment | {"PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)


def _by_signal(scene: Scene, slugs: str, count: int, number: signal.Signals) -> None:
    scene.configure(scene.lab.ports.plain)
    process = scene.start(slugs, count)
    assert process.stdout is not None
    if scene.draw.random() < 0.3:
        time.sleep(scene.draw.uniform(0.1, 0.5))
    elif scene.draw.random() < 0.7:
        process.stdout.readline()
    time.sleep(scene.draw.uniform(0, 0.006))
    process.send_signal(number)
    process.stdout.close()
    process.wait(timeout=60)


def killed(scene: Scene, slugs: str, count: int) -> None:
    """kill -9 at a random point."""
    _by_signal(scene, slugs, count, signal.SIGKILL)


def terminated(scene: Scene, slugs: str, count: int) -> None:
    """SIGTERM at a random point."""
    _by_signal(scene, slugs, count, signal.SIGTERM)


def power_cut(scene: Scene, slugs: str, count: int) -> None:
    """kill -9, and a half-written line at the end of the ledger."""
    killed(scene, slugs, count)
    ledger = scene.dsar.home / "ledger" / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True) if ledger.exists() else []
    if not lines:
        return  # killed before the first line of all
    with ledger.open("ab") as file:
        file.write(lines[-1][:scene.draw.randrange(1, len(lines[-1]) - 1)])


def _through(scene: Scene, slugs: str, count: int, *cuts: Cut) -> None:
    scene.configure(scene.proxy(scene.lab.ports.plain, *cuts).port)
    process = scene.start(slugs, count)
    process.communicate(timeout=120)


def cut_at_recipient(scene: Scene, slugs: str, count: int) -> None:
    """The network goes before the data."""
    _through(scene, slugs, count, Cut(when=b"RCPT TO"))


def cut_in_data(scene: Scene, slugs: str, count: int) -> None:
    """The network goes in the middle of the data."""
    _through(scene, slugs, count, Cut(when=b"Subject:"))


def cut_before_250(scene: Scene, slugs: str, count: int) -> None:
    """The server takes the letter, its answer never arrives."""
    _through(scene, slugs, count, Cut(when=b"\r\n.\r\n", pass_on=True))


def disk_full(scene: Scene, slugs: str, count: int) -> None:
    """No file may grow further, some way into the run."""
    scene.configure(scene.lab.ports.plain)
    ledger = scene.dsar.home / "ledger" / "ledger.jsonl"
    room = (ledger.stat().st_size if ledger.exists() else 0) + scene.draw.randrange(6000)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = scene.start(slugs, count, preexec_fn=limit)
    process.communicate(timeout=120)


def two_at_once(scene: Scene, slugs: str, count: int) -> None:
    """Two processes want to send the same letters."""
    scene.configure(scene.lab.ports.plain)
    pair = [scene.start(slugs, count), scene.start(slugs, count)]
    for process in pair:
        process.communicate(timeout=120)


FAULTS = (killed, terminated, power_cut, cut_at_recipient, cut_in_data, cut_before_250, disk_full,
          two_at_once)


@pytest.mark.timeout(900)
def test_two_hundred_faults_deliver_none_twice_and_lose_none(
    lab: MailLab, tmp_path: Path, cut_proxy: Callable[..., CutProxy], figures_shown: Figures
) -> None:
    user = lab.new_user()
    dsar = Dsar(tmp_path / "home")
    seed = random.SystemRandom().randrange(10**6)
    scene = Scene(dsar, lab, user, random.Random(seed), cut_proxy)
    dsar("person", "add", "me", "--email", user, *ALEX)
    names = [f"f{n:03}" for n in range(RUNS * FRESH)]
    write_companies(dsar.home, {name: f"dpo@{name}.example" for name in names})
    scene.configure(lab.ports.plain)

    for run in range(RUNS):
        fault = FAULTS[run % len(FAULTS)]
        used = names[max(0, run * FRESH - 6):(run + 1) * FRESH]
        slugs = ",".join(used)
        count = scene.left(slugs)
        if count:
            fault(scene, slugs, count)
        scene.table[fault.__name__, "runs"] += 1
    scene.configure(lab.ports.plain)
    everything = ",".join(names)
    while left := scene.left(everything):
        before = left
        dsar("send", "--only", everything, "--confirm", str(left), "--json", status=None)
        assert scene.left(everything) < before, "what is left goes out once nothing is in the way"

    _judge(scene, seed, tmp_path, names, figures_shown)


def _judge(
    scene: Scene, seed: int, tmp_path: Path, names: list[str], figures_shown: Figures
) -> None:
    dsar, lab, user = scene.dsar, scene.lab, scene.user
    doubtful = [i for i in dsar("status", "--json").json["items"] if i["status"] == "in-doubt"]
    (dsar.home / "config.yaml").unlink()
    dsar("account", "add", user, *lab_options(lab, tmp_path), "--sent-copy", "bcc")
    lab.wait_for(user, len({str(m["Message-ID"]) for m in letters_of(lab, user)}), seconds=60)
    settled = dsar("poll", "--rescan")
    items = {i["company"]: i for i in dsar("status", "--json").json["items"]}
    arrived = Counter(str(m["X-Original-To"]).partition("@")[2].removesuffix(".example")
                      for m in letters_of(lab, user))
    twice = [name for name, count in arrived.items() if count > 1]
    sent = {name for name, item in items.items() if item["sent_on"]}
    shown = {name for name, item in items.items() if item["status"] == "in-doubt"}
    lost = [n for n in names if n not in items]
    figures_shown.append(f"seed {seed}; {RUNS} faults: " + ", ".join(
        f"{kind} {count}" for (kind, _), count in sorted(scene.table.items())))
    figures_shown.append(
        f"letters {len(names)}, arrived {len(arrived)}, twice {len(twice)}, lost {len(lost)}; "
        f"in doubt {len(doubtful)}, after poll {len(shown)} shown; {settled.out.strip()}")
    assert twice == []
    assert lost == []
    assert sent == set(arrived), "sent is exactly what arrived"
    assert shown == set(items) - sent, "whatever did not arrive is shown as in doubt"
