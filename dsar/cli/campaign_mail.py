"""Mail of members: opened where a campaign's own key may, and sealed to whom it turns out to be."""

from __future__ import annotations

from dsar.campaign.keys import load_keyring
from dsar.cli.app import App
from dsar.cli.campaign_poll import discretion
from dsar.core.case import Case
from dsar.core.message import Message
from dsar.errors import NotSetUp, StorageFailed
from dsar.store import Store
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


def keep_for(app: App, store: Store, case: Case, digest: str, raw: bytes) -> bool:
    """Seal a message anew to whom it concerns once it is filed under a case, and to nobody else.

    Returns whether no word of it may stand in the ledger.
    """
    others = [] if digest in store.house().waiting else [  # what waits is filed nowhere
        c for c in store.cases() if c.id != case.id and c.reply(digest) is not None]
    private = discretion(app, store, [case, *others])
    (private.archive if private is not None else app.archive).add(raw)
    return private is not None and private.sealed
