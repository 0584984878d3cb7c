"""Hands letters to a `sendmail` command of this machine, and says what its exit status means."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dsar.errors import LoginRefused, NotSetUp
from dsar.mail import NotAttempted, OutcomeUnknown, Rejected
from dsar.mail.wire import Unsendable, address_on_the_wire

TIMEOUT_S = 600.0
# sysexits.h, as sendmail(8) uses it. EX_TEMPFAIL (75) is left out on purpose: there it means "could
# not be sent immediately, but was queued", elsewhere "not taken"; nobody can tell which.
_USAGE, _DATAERR, _NOUSER, _NOHOST, _NOPERM, _CONFIG = 64, 65, 67, 68, 77, 78
_NEVER_STARTED = {
    _USAGE: "does not know the arguments it was given",
    _NOHOST: "does not find a host",
    _CONFIG: "is not configured",
}
_REFUSED = {_DATAERR: "5.6.0", _NOUSER: "5.1.1"}


class SendmailTransport:
    """Keeps the contract of `Transport`. Recipients are arguments, never read from the letter.

    The command takes the letter on its standard input with the line ends of this system, as
    every such command expects. Status 0 counts only where all of the letter was read.
    """

    def __init__(self, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S,
                 environ: Mapping[str, str] = os.environ) -> None:
        if not argv:
            raise ValueError("a sendmail command needs a program")
        plain = {"-i", "-oi"}.isdisjoint(argv)  # without it a line with a lone dot ends the letter
        self._argv = (*argv, "-i") if plain else tuple(argv)
        self._timeout_s = timeout_s
        self._environ = {k: v for k, v in environ.items() if not k.startswith("DSAR_")}

    def __str__(self) -> str:
        return Path(self._argv[0]).name

    def check(self) -> None:
        """Whether the command can be started at all; nothing is run. Raises NotSetUp."""
        import shutil

        if shutil.which(self._argv[0]) is None:
            raise NotSetUp(f"The command {self._argv[0]!r} cannot be started.",
                           hint="Install a mail server or msmtp, or correct `sendmail:`.")

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Hand over one letter; see `Transport.send`.

        Raises OutcomeUnknown for every status that does not say for certain that the letter
        stayed here: the command may have taken it before it failed.
        """
        if not recipients:
            raise ValueError("a letter needs a recipient")
        if not message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r"):
            raise Unsendable("The letter holds a line that does not end in CRLF.")
        envelope = [address_on_the_wire(each) for each in (sender, *recipients)]
        argv = [*self._argv, "-f", envelope[0], "--", *envelope[1:]]
        with tempfile.TemporaryFile() as letter:  # has no name; its offset shows what was read
            letter.write(message.replace(b"\r\n", b"\n"))
            letter.seek(0)
            status, said = self._run(argv, letter.fileno())
            whole = os.lseek(letter.fileno(), 0, os.SEEK_CUR) == os.fstat(letter.fileno()).st_size
        said = _without(said, envelope)
        if status == 0 and whole:
            return f"accepted by {self} (exit status 0)"
        raise self._failure(status, said, alone=len(envelope) == 2)

    def close(self) -> None:
        """Nothing stays open."""

    def _run(self, argv: Sequence[str], letter: int) -> tuple[int, str]:
        try:
            done = subprocess.run(
                argv, stdin=letter, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                timeout=self._timeout_s, env=self._environ, check=False,
            )
        except subprocess.TimeoutExpired:
            raise OutcomeUnknown(f"{self} did not end in time; the letter is in doubt.") from None
        except (OSError, ValueError):
            raise NotAttempted(f"The command {argv[0]!r} cannot be started.") from None
        return done.returncode, done.stderr.decode("utf-8", "replace")

    def _failure(self, status: int, said: str, *, alone: bool) -> Exception:
        """alone: one recipient only; of several, some may have been served before the failure."""
        if status == 0:
            return OutcomeUnknown(f"{self} ended without reading all of the letter.")
        if status == _NOPERM:
            return LoginRefused(f"{self} was not let in (exit status {status}{said}).")
        if status in _NEVER_STARTED and (alone or status != _NOHOST):
            return NotAttempted(f"{self} {_NEVER_STARTED[status]} (exit status {status}{said}).")
        if status in _REFUSED and alone:
            return Rejected(554, f"{_REFUSED[status]} {self} ended with status {status}{said}")
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return OutcomeUnknown(f"{self} {ended}{said}; the letter may or may not be on its way.")


def _without(said: str, addresses: Sequence[str]) -> str:
    """The first line of what a command said, short, without the addresses it was given."""
    line = next((line for line in said.splitlines() if line.strip()), "")
    for each in addresses:
        line = line.replace(each, "(address)")
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in line).split())[:160]
    return f": {line}" if line else ""
