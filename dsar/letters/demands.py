"""What a letter lists: the demands of the law file, else the standard ones of the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from dsar import yamlfile
from dsar.core.regime import RightRule

FILE = "rights.yaml"


def demands_of(rule: RightRule, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the ids of the demands of a right under its law; perhaps none."""
    if rule.demands:
        return rule.demands
    for folder in folders:
        standard = _read(folder / FILE)
        if rule.right in standard:
            return standard[rule.right]
    return ()


@lru_cache(maxsize=8)
def _read(path: Path) -> Mapping[str, tuple[str, ...]]:
    if not path.exists():
        return {}
    document = yamlfile.read(path)
    entry = yamlfile.Reader.of(document, document.value, "rights")
    found = {right: entry.texts(right) for right in entry.value}
    document.raise_problems()
    return found
