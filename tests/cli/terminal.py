"""A command at a terminal of 80 columns, as a person sees it and types at it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence


class Terminal:
    """Runs a command in a pseudo-terminal; `screen` is everything that was shown."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], cwd: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=dict(environment), cwd=cwd,
            start_new_session=True, close_fds=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.screen = ""
        self._read = 0

    def waits_for(self, text: str, seconds: float = 60) -> None:
        """Read on until `text` appears behind what was waited for before."""
        end = time.monotonic() + seconds
        while text not in self.screen[self._read:]:
            if time.monotonic() > end or not self._more():
                raise AssertionError(f"{text!r} did not appear in:\n{self.screen[self._read:]}"
                                     f"\n--- all:\n{self.screen}")
        self._read = self.screen.index(text, self._read) + len(text)

    def answers(self, question: str, text: str) -> None:
        """Wait for the question and for the cursor to rest behind its colon, then type."""
        self.waits_for(question)
        self.waits_for(": ")
        os.write(self._master, text.encode() + b"\n")

    def interrupts(self, question: str) -> None:
        """Ctrl-C at a question."""
        self.waits_for(question)
        self.waits_for(": ")
        self.presses_ctrl_c()

    def presses_ctrl_c(self) -> None:
        """Like a person, not in the instant in which the line editor is still being set up."""
        time.sleep(0.5)
        os.write(self._master, b"\x03")

    def ends(self) -> int:
        """Read to the end and return the exit status."""
        while self._more():
            pass
        return self._process.wait(60)

    def close(self) -> None:
        """End what still runs."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
        with contextlib.suppress(OSError):
            os.close(self._master)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 30)
        if not ready:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.screen += piece.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(piece)
