"""`poll --watch` misses nothing between two looks, in no folder, and survives a lost server."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from polledhome import PolledHome, reply
from servers.cutproxy import Cut, CutProxy
from servers.maillab import MailLab

WATCH = ("import sys\nfrom dsar.cli import poll, run\npoll.PAUSE_S = float(sys.argv[1])\n"
         "sys.exit(run(('poll', '--watch', '--json')))")


class Watching:
    """A watch as a process; what it prints comes line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[tuple[str, str]] = queue.Queue()
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def _read(self, name: str, stream: Iterator[str]) -> None:
        for line in stream:
            self._lines.put((name, line))

    def filed(self) -> str:
        """The case of the next message that is filed."""
        while True:
            name, line = self._lines.get(timeout=30)
            if name == "out" and (case := json.loads(line)["case"]):
                return str(case)

    def said(self, words: str) -> None:
        """Wait until it says so."""
        while words not in self._lines.get(timeout=30)[1]:
            pass


@contextmanager
def watching(pause_s: float) -> Iterator[Watching]:
    """Watch with another pause than a minute between two looks; ended by Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-c", WATCH, str(pause_s)], stdin=subprocess.DEVNULL, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None)
    try:
        yield Watching(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert process.returncode == 130


def test_what_comes_between_the_poll_and_the_waiting_is_filed_at_once(
    polled_home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    home = polled_home.begin(3)
    lab.put(user, reply(1))
    before = Cut(when=b'EXAMINE "INBOX"', meanwhile=lambda: lab.put(user, reply(2)), breaks=False)
    home.account(port=cut_proxy(lab.ports.imap, Cut(), before).port)
    with watching(60) as watch:
        assert watch.filed() == "T01"
        assert watch.filed() == "T02"
        lab.put(user, reply(3))
        assert watch.filed() == "T03"
    assert set(lab.flags(user)) == {"new"}


def test_the_other_folders_have_their_turn_where_the_inbox_is_silent(
    polled_home: PolledHome, lab: MailLab, user: str
) -> None:
    home = polled_home.begin(2)
    lab.put(user, reply(1))
    with watching(0.1) as watch:
        assert watch.filed() == "T01"
        lab.put(user, reply(2), "Junk")
        assert watch.filed() == "T02"
    assert home.replies() == {"T01": 1, "T02": 1}


def test_a_connection_that_is_dropped_while_waiting_is_made_anew(
    polled_home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    home = polled_home.begin(2)
    lab.put(user, reply(1))
    waits = threading.Event()
    idles = Cut(when=b"IDLE", meanwhile=waits.set, breaks=False)
    proxy = cut_proxy(lab.ports.imap, Cut(), idles)
    home.account(port=proxy.port)
    with watching(60) as watch:
        assert watch.filed() == "T01"
        assert waits.wait(30)
        proxy.drop_all()
        lab.put(user, reply(2))
        assert watch.filed() == "T02"


def test_a_server_that_is_away_for_a_while_ends_no_watch(
    polled_home: PolledHome, lab: MailLab, user: str, cut_proxy: Callable[..., CutProxy]
) -> None:
    home = polled_home.begin(2)
    lab.put(user, reply(1))
    proxy = cut_proxy(lab.ports.imap)
    home.account(port=proxy.port)
    with watching(0.2) as watch:
        assert watch.filed() == "T01"
        proxy.close()
        watch.said("Tried again in a minute.")
        lab.put(user, reply(2))
        back = CutProxy(lab.ports.imap, (), port=proxy.port)
        try:
            assert watch.filed() == "T02"
        finally:
            back.close()
