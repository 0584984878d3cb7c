"""Takes people, accounts and companies out of the files the user sees, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from dsar import yamlfile
from dsar.config import HEADER, Config, write_people
from dsar.home import Home, write_private
from dsar.registry.overlay import remove


def drop_people(home: Home, config: Config, ids: Collection[str]) -> None:
    """Rewrite people.yaml without these people. Raises StorageFailed."""
    left = [p for p in config.people if p.id not in ids]
    if left:
        write_people(home.people, left)
    else:
        home.people.unlink(missing_ok=True)


def drop_accounts(home: Home, names: Collection[str]) -> None:
    """Remove accounts from config.yaml, their password files in the home, and the cursors."""
    content = _read(home.config)
    accounts = content.get("accounts") or []
    for account in (a for a in accounts if a.get("name") in names):
        file = (account.get("secret") or {}).get("file")
        path = home.config_folder / Path(file).expanduser() if file else None
        if path is not None and path.resolve().is_relative_to(home.config_folder.resolve()):
            path.unlink(missing_ok=True)
    content["accounts"] = [a for a in accounts if a.get("name") not in names]
    home.cursors.unlink(missing_ok=True)  # a cache, by account
    _write(home.config, content)


def drop_companies(
    home: Home, slugs: Collection[str], *, stay_excluded: Collection[str]
) -> None:
    """Remove companies from the user's own part of the registry and from the chosen set.

    The last one chosen stays chosen: no list at all means every company there is.
    """
    if home.overlay.exists():
        remove(home.overlay, slugs, stay_excluded=stay_excluded)
    content = _read(home.config)
    chosen = content.get("companies")
    left = [slug for slug in chosen if slug not in slugs] if isinstance(chosen, list) else []
    if left and left != chosen:
        content["companies"] = left
        _write(home.config, content)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found = yamlfile.plain(yamlfile.read(path).value)
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    write_private(path, (HEADER + yamlfile.dump(content)).encode())
