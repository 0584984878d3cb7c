"""Runs in a child process: `python keeping_worker.py WHAT PATH…`; says a line when it begins."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

from keeping_samples import CHEAP, DAY, JO, NOON, apart, clock, home_at, ledger, open_case

from dsar.config import load_config
from dsar.keeping import restore as restoring
from dsar.keeping.atrest import remove_passphrase, set_passphrase, unlock
from dsar.keeping.backup import back_up
from dsar.keeping.forget import Person, forget, plan_forgetting
from dsar.store.archive import Archive
from dsar.store.tiny import TinyStore


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def append(folder: str) -> None:
    """Add cases with mail for ever; say after each how many there are."""
    home = home_at(Path(folder))
    store, archive = ledger(home), Archive(home.archive)
    for number in count(5):
        open_case(store, archive, JO, f"c{number}", f"CASE-{number}", more=str(number))
        _say(number)


def backup(folder: str, target: str) -> None:
    back_up(home_at(Path(folder)), Path(target), "correct horse", now=NOON, cost=CHEAP)


def _restore(backup_file: str, folder: str, *, two: bool) -> None:
    target = apart(Path(folder)) if two else home_at(Path(folder) / "home")
    _say("ready")
    restoring.restore(Path(backup_file), target, lambda: "correct horse")


def die_between(backup_file: str, folder: str) -> None:
    """Restore, and die by SIGKILL before the second rename."""
    renames = count()
    rename = os.rename

    def dying(old: Path, new: Path) -> None:
        if next(renames) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(old, new)

    os.rename = dying  # type: ignore[assignment]
    _restore(backup_file, folder, two=True)


def forget_jo(folder: str) -> None:
    home = home_at(Path(folder))
    config = load_config(home.config, home.people)
    store, archive = ledger(home), Archive(home.archive)
    going = plan_forgetting(Person("jo"), store, config, own_companies=())
    _say("ready")
    forget(going, home, store, archive, config, today=DAY, keep_tombstones=True)
    store.close()


def seal(folder: str) -> None:
    home = home_at(Path(folder))
    store = TinyStore(home.ledger, write=True, now=clock, author="jo")
    _say("ready")
    set_passphrase(home, store, "word", readable_status=True, cost=CHEAP)


def unseal(folder: str) -> None:
    home = home_at(Path(folder))
    key = unlock(home.sealed_key, "word")
    store = TinyStore(home.ledger, write=True, now=clock, author="jo", sealer=key)
    _say("ready")
    remove_passphrase(home, store, "word")


WORK = {
    "seal": seal, "unseal": unseal,
    "forget": forget_jo,
    "append": append, "backup": backup, "restore-die": die_between,
    "restore-one": lambda b, f: _restore(b, f, two=False),
    "restore-two": lambda b, f: _restore(b, f, two=True),
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
