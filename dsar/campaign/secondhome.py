"""What a second machine needs to work on a campaign, as one file sealed with a passphrase.

The keys that open identities and letters, the key of reply addresses, the settings of the one
account and where the ledger lies. Never the keeper's key, and no password: whoever joins has one
of their own, for the mailbox and for the database.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsar.campaign.keys import BLIND, SENDING
from dsar.errors import NotSetUp, UsageProblem
from dsar.home import Home, make_private_folder, write_private
from dsar.store.agekeys import seal_with_passphrase, unseal_with_passphrase
from dsar.store.sealing import CannotOpen

SCHEMA = "dsar.campaign-pack/1"
CA = "account-ca.pem"
_TEMPLATE = re.compile(r"templates/letters/[a-z0-9-]+(?:/[\w-]+)*/[\w-]+\.txt\.j2")


@dataclass(frozen=True, kw_only=True)
class Pack:
    """account: its entry in config.yaml, without the password. files: name → bytes."""

    campaign: str
    store: str
    account: Mapping[str, Any]
    files: Mapping[str, bytes]


def gather(home: Home, campaign: str, *, store: str, account: Mapping[str, Any]) -> Pack:
    """Read what a second machine needs. Raises NotSetUp where a key is not here."""
    entry = {key: value for key, value in account.items()
             if key != "secret" or (isinstance(value, Mapping) and "microsoft" in value)}
    files = {}
    for name, path in _places(home, campaign, home.templates):
        if path.is_file():
            files[name] = path.read_bytes()
        elif name.endswith(".key"):
            raise NotSetUp(f"{path}: is not on this machine.",
                           hint="Pack on the machine on which the campaign was begun.")
    if ca := entry.get("ca_file"):
        files[CA] = (home.config_folder / Path(str(ca)).expanduser()).read_bytes()
        entry["ca_file"] = CA
    return Pack(campaign=campaign, store=store, account=entry, files=files)


def sealed(pack: Pack, passphrase: str) -> bytes:
    """The file. Raises UsageProblem for an empty passphrase."""
    if not passphrase:
        raise UsageProblem("The passphrase is empty.")
    whole = {"schema": SCHEMA, "campaign": pack.campaign, "store": pack.store,
             "account": dict(pack.account),
             "files": {name: b64encode(raw).decode() for name, raw in pack.files.items()}}
    return seal_with_passphrase(json.dumps(whole).encode(), passphrase)


def unsealed(raw: bytes, passphrase: str) -> Pack:
    """Undo `sealed`. Raises UsageProblem for another passphrase, or what is no such file."""
    try:
        whole = json.loads(unseal_with_passphrase(raw, passphrase))
        if whole["schema"] != SCHEMA:
            raise ValueError("another schema")
        folder = f"campaigns/{whole['campaign']}"
        if not {f"{folder}/{SENDING}", f"{folder}/{BLIND}"} <= set(whole["files"]):
            raise ValueError("keys are missing")
        files = {name: b64decode(text, validate=True) for name, text in whole["files"].items()}
        return Pack(campaign=str(whole["campaign"]), store=str(whole["store"]),
                    account=dict(whole["account"]), files=files)
    except (CannotOpen, ValueError, KeyError, TypeError, AttributeError):
        raise UsageProblem("The passphrase does not open it, or it is no file of "
                           "`dsar campaign pack`.") from None


def place_of(home: Home, pack: Pack, name: str) -> Path:
    """Where a file of a pack goes. Raises UsageProblem for a name that has no place."""
    known = dict(_places(home, pack.campaign, None))
    if name in known:
        return known[name]
    if name == CA:
        return home.config_folder / CA
    if _TEMPLATE.fullmatch(name):
        return home.config_folder / name
    raise UsageProblem(f"{name[:80]!r} does not belong into such a file.")


def in_the_way(home: Home, pack: Pack) -> list[str]:
    """Files of this home that are there and are others."""
    return [str(path) for name, raw in pack.files.items()
            if (path := place_of(home, pack, name)).exists() and path.read_bytes() != raw]


def put(home: Home, pack: Pack) -> None:
    """Write the files, each readable by the user alone. Raises StorageFailed."""
    home.create()
    for name, raw in pack.files.items():
        path = place_of(home, pack, name)
        for folder in reversed(path.parents):
            if not folder.exists():
                make_private_folder(folder)
        write_private(path, raw)


def _places(home: Home, campaign: str, templates: Path | None) -> Iterator[tuple[str, Path]]:
    folder = home.campaigns / campaign
    yield f"campaigns/{campaign}/{SENDING}", folder / SENDING
    yield f"campaigns/{campaign}/{BLIND}", folder / BLIND
    yield "reply-tag.key", home.tag_key
    yield "companies.local.yaml", home.overlay
    yield "tombstones.json", home.tombstones
    for path in sorted(templates.rglob("*.j2")) if templates is not None else ():
        name = f"templates/letters/{path.relative_to(home.templates).as_posix()}"
        if _TEMPLATE.fullmatch(name):
            yield name, path
