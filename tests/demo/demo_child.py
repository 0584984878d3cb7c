"""Runs `dsar demo` in a process of its own that writes down every socket and child process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent

WATCHED = """
import json, os, sys
log = open(sys.argv.pop(1), "a", buffering=1)
def hook(event, arguments):
    if event.startswith("socket."):
        shown = [a for a in arguments if isinstance(a, (str, int, tuple, bytes, type(None)))]
        log.write(json.dumps([event, shown], default=repr) + "\\n")
    elif event in ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
                   "os.system"):
        log.write(json.dumps([event, []]) + "\\n")
sys.addaudithook(hook)
from dsar.cli import main
main(sys.argv[1:])
"""


@dataclass(frozen=True)
class Ran:
    """What the demo printed, its exit status, and the (event, arguments) that were watched."""

    out: str
    err: str
    status: int
    watched: list[tuple[str, list[Any]]]
    home: Path
    temporary: Path

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def day(self, number: int) -> str:
        """The part of the output about one day."""
        found = re.split(r"^Day (\d+), ", self.out, flags=re.MULTILINE)
        parts = dict(zip(found[1::2], found[2::2], strict=True))
        return parts[str(number)]

    def typed(self, number: int) -> list[str]:
        """The commands typed on one day, continuation lines joined."""
        text = self.day(number).replace("\\\n", " ")
        return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def environment(home: Path, temporary: Path, **more: str) -> dict[str, str]:
    """An environment in which whatever the demo leaves behind lies in one of two empty folders."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("DSAR_", "XDG_")) and k != "TZ"}
    return kept | {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT),
                   "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def run_demo(place: Path, *arguments: str, **more: str) -> Ran:
    """Run `dsar demo ARGUMENTS` watched; `more` is added to the environment."""
    home, temporary, log = place / "home", place / "tmp", place / "watched"
    for folder in (home, temporary):
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(log), "demo", *arguments], cwd=home,
        env=environment(home, temporary, **more), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=280, check=False,
    )
    watched = [(e, a) for e, a in map(json.loads, log.read_text().splitlines())]
    return Ran(done.stdout, done.stderr, done.returncode, watched, home, temporary)
