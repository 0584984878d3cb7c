"""Puts a text on the clipboard of the machine the person sits at."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

from dsar.errors import UsageProblem

MAX_BYTES = 74_994
"""What terminals take in one OSC 52 sequence (xterm's limit of 100,000 in base64)."""


def copy(text: str, environment: Mapping[str, str], *, terminal: Path = Path("/dev/tty")) -> str:
    """Copy `text` and return by what. Raises UsageProblem where there is no clipboard.

    Over SSH the clipboard of the machine one is logged in to is of no use: the terminal is asked
    instead (OSC 52, "Operating System Commands" in xterm's Control Sequences).
    """
    if "SSH_CONNECTION" not in environment:
        import pyperclip

        if pyperclip.is_available():
            pyperclip.copy(text)
            return "the clipboard"
    data = text.encode()
    sequence = _sequence(data, inside_tmux="TMUX" in environment)
    if len(data) <= MAX_BYTES and _told(terminal, sequence):
        return "the clipboard of the terminal, if it allows that (OSC 52)"
    raise UsageProblem("There is no clipboard here.", hint=(
        "Leave out --copy and mark the text, or install xclip or wl-clipboard."))


def _sequence(data: bytes, *, inside_tmux: bool) -> bytes:
    """The control sequence; tmux passes it on when wrapped (tmux FAQ, allow-passthrough)."""
    plain = b"\x1b]52;c;" + base64.b64encode(data) + b"\x07"
    if not inside_tmux:
        return plain
    return plain + b"\x1bPtmux;" + plain.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"


def _told(terminal: Path, sequence: bytes) -> bool:
    try:
        with terminal.open("wb", buffering=0) as out:
            os.write(out.fileno(), sequence)
    except OSError:
        return False
    return True
