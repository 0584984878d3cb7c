"""Tells the person that something needs them: by a command, on the desktop, by mail to oneself."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.errors import DsarError

if TYPE_CHECKING:
    from dsar.mail.account import Account

TITLE = "dsar: something needs you"
TIMEOUT_S = 60
_MAC = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How the person wants to hear of it. command: takes the notice on standard input."""

    command: str | None = None
    desktop: bool = False
    mail: bool = False

    def __bool__(self) -> bool:
        return bool(self.command or self.desktop or self.mail)


def give_notice(app: App, ways: Ways, lines: Sequence[str], account: Account) -> list[str]:
    """Tell of `lines` (case ids and states, no names); returns what went wrong, in words."""
    problems = []
    if ways.command:
        text = f"{TITLE}\n" + "".join(f"  {line}\n" for line in lines)
        problems += _run(lambda: shlex.split(ways.command or ""), text)
    if ways.desktop:
        problems += _on_desktop(counted(lines))
    if ways.mail:
        problems += _by_mail(app, account, counted(lines))
    return problems


def counted(lines: Sequence[str]) -> str:
    """How often each reason, without case ids: for a screen others see and a provider's server."""
    reasons = Counter(line.partition(": ")[2] or line for line in lines)
    return "\n".join(f"{count} x {reason}" for reason, count in reasons.most_common())


def _run(argv: Callable[[], list[str]], text: str) -> list[str]:
    try:
        subprocess.run(argv(), input=text, text=True, check=True, timeout=TIMEOUT_S)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return [f"the notice could not be given: {type(error).__name__}"]
    return []


def _on_desktop(text: str) -> list[str]:
    """notify-send (freedesktop.org Desktop Notifications), or osascript on a Mac."""
    if send := shutil.which("notify-send"):
        return _run(lambda: [send, "--app-name=dsar", TITLE, text], "")
    if script := shutil.which("osascript"):
        return _run(lambda: [script, "-e", _MAC, TITLE, text], "")
    return ["the notice could not be given: there is no notify-send here"]


def _by_mail(app: App, account: Account, text: str) -> list[str]:
    """A mail from oneself to oneself. It names no case: no poll takes it for an answer."""
    from dsar.cli.mailing import open_transport
    from dsar.core.message import Address
    from dsar.mail.compose import compose, new_message_id

    own = Address(name="dsar", addr=account.address)
    message = compose(TITLE, f"{text}\n\nLook with: dsar status\n", sender=own, recipient=own,
                      message_id=new_message_id(account.address), date=app.now())
    marked = b"Auto-Submitted: auto-generated\r\n" + message  # RFC 3834, section 5
    try:
        transport = open_transport(app, account)
        try:
            transport.send(marked, sender=account.address, recipients=[account.address])
        finally:
            transport.close()
    except DsarError as error:
        return [f"the notice could not be mailed: {error}"]
    return []
