"""Runs in a child process: `python store_worker.py WHAT PLACE`; one line per acknowledgement."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable
from itertools import count

from store_samples import note, opened

from dsar.errors import StorageFailed
from dsar.store import Addition, Store, open_store


def _open(place: str) -> Store:
    url = place if place.startswith("postgresql:") else f"tinydb:{place}"
    return open_store(url, write=True)


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def append_pairs(place: str) -> None:
    """Append two events at a time for ever; say after each how many the case has by now."""
    store = _open(place)
    have = len(store.events("acme"))
    if not have:
        store.append("acme", [opened("acme"), note("1")], after=0)
        have = 2
    _say(have)
    for first in count(have, 2):
        store.append("acme", [note(str(first)), note("x" * (first % 9000))], after=first)
        _say(first + 2)


def append_batches(place: str) -> None:
    """Append to a hundred cases at once for ever; say after each how many events each has."""
    store = _open(place)
    names = [f"case-{number}" for number in range(100)]
    for have in count(len(store.events(names[0]))):
        store.append_all([Addition(stream=name, after=have, events=[
            note(name * 200) if have else opened(name)]) for name in names])
        _say(have + 1)


def hold(place: str) -> None:
    """Hold the lock until stdin ends."""
    store = _open(place)
    store.append("acme", [opened("acme")], after=0)
    _say("ready")
    sys.stdin.read()
    store.close()


def fill(place: str) -> None:
    """Append until the disk is full (a limit on the size of files), then once there is room."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = _open(place)
    store.append("acme", [opened("acme")], after=0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
    have = 1
    try:
        while have < 1000:
            store.append("acme", [note("x" * 700)], after=have)
            have += 1
    except StorageFailed as error:
        _say(error)
    _say(have)
    for _ in range(2):  # still full: refused again, and nothing half-written piles up
        try:
            store.append("acme", [note("x" * 700)], after=have)
        except StorageFailed:
            _say("refused")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.append("acme", [note("room again")], after=have)
    _say(store.case("acme").version)
    store.close()


WORK: dict[str, Callable[[str], None]] = {"append": append_pairs, "batches": append_batches,
                                         "hold": hold, "fill": fill}

if __name__ == "__main__":
    WORK[sys.argv[1]](sys.argv[2])
