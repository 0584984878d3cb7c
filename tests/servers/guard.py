"""When a test run is broken off, its servers end too: by Ctrl-C, by kill -9, by a closed terminal.

A shell of a few hundred kilobytes waits on a pipe whose other end the test process alone holds. It
reads a line when all is put away, and the end of the file when that process is gone; then it
runs this file, which ends every process of one folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_WAIT = 'read -r _ && exit 0; exec "$@"'
_GIVE_UP_S, _QUIET_S = 20.0, 2.0


@contextlib.contextmanager
def guarded(root: Path) -> Iterator[None]:
    """Everything that runs in or on the folder `root` ends with this process, at the latest."""
    argv = [sys.executable, "-I", str(Path(__file__).resolve()), str(root.resolve())]
    with subprocess.Popen(
        ["/bin/sh", "-c", _WAIT, "guard", *argv], stdin=subprocess.PIPE, cwd="/",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as waiting:  # fmt: skip
        yield  # what comes by exception did not put anything away: the pipe is closed unread
        waiting.communicate(b"all is put away\n")


def processes_of(root: Path) -> list[int]:
    """Whoever has the folder as its place or in its command line; not ourselves."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is gone meanwhile, or not ours to look at
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            inside = str(root) in command or _within((entry / "cwd").readlink(), root)
            if inside and state not in "ZX" and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def end_all(root: Path) -> None:
    """End them, politely at first, until none has come for a while: one may just be starting."""
    begun = quiet_since = time.monotonic()
    while (now := time.monotonic()) - begun < _GIVE_UP_S and now - quiet_since < _QUIET_S:
        for pid in processes_of(root):
            quiet_since = now
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if now - begun < 1.0 else signal.SIGKILL)
        time.sleep(0.2)
    shutil.rmtree(root, ignore_errors=True)


def _within(place: Path, root: Path) -> bool:
    return place == root or root in place.parents


if __name__ == "__main__":
    end_all(Path(sys.argv[1]))
