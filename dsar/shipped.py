"""Finds templates, companies.yaml and law data, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder with letters/, documents/ and reports/."""
    return _first("templates")


def companies() -> Path:
    """The registry that ships with dsar."""
    return _first("companies.yaml")


def law() -> Path:
    """The folder with regimes/ and authorities.yaml."""
    return _PACKAGE / "law"


def reading_rules() -> Path:
    """The folder with the reading rules, one file per language."""
    return _PACKAGE / "reading" / "rules"


def data(name: str) -> Path:
    """A data file inside the package, such as `mail/providers.yaml`."""
    return _PACKAGE / name


def _first(name: str) -> Path:
    """In a wheel the files lie in `_shipped`, in a checkout beside the package."""
    packed = _PACKAGE / "_shipped" / name
    return packed if packed.exists() else _PACKAGE.parent / name
