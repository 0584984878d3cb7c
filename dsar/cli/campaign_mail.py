"""Answers sealed to members, opened where a campaign's own key on this machine may open them."""

from __future__ import annotations

from dsar.campaign.keys import load_keyring
from dsar.cli.app import App
from dsar.core.message import Message
from dsar.errors import NotSetUp, StorageFailed
from dsar.store.archive import Archive
from dsar.store.sealing import Locked

SEALED = "(Sealed: only the member and the keeper of the campaign can read it.)"


def opened(app: App, digest: str) -> bytes | None:
    """The bytes of a message, or None where no campaign's key opens it: no consent to reading."""
    folder = app.home.campaigns
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            return Archive(app.shelf, load_keyring(place).letters).read(digest)
        except (Locked, NotSetUp, StorageFailed):
            continue
    return None


def sealed_message(digest: str) -> Message:
    """What stands for a message nobody here can read."""
    return Message(digest=digest, message_id=None, own_text=SEALED)
