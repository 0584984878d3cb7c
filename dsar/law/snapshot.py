"""Writes the snapshot of the installed `holidays` package: `python -m dsar.law.snapshot`.

One file per country of the laws and of the EEA, for the years of calendars.py, so that no due
date moves when the package is updated. Run it on purpose, read the diff, commit it.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from dsar import shipped
from dsar.law.calendars import FIRST_YEAR, LAST_YEAR, MARKETS, pack, public_holidays, subdivisions

COUNTRIES = (
    "AR", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CL", "CN", "CO", "CY", "CZ", "DE", "DK",
    "EE", "ES", "FI", "FR", "GB", "GG", "GI", "GR", "HK", "HR", "HU", "ID", "IE", "IL", "IM",
    "IN", "IS", "IT", "JE", "JP", "KE", "KR", "LI", "LT", "LU", "LV", "MA", "MT", "MX", "MY",
    "NG", "NL", "NO", "NZ", "PE", "PH", "PL", "PT", "RO", "RS", "SA", "SE", "SG", "SI", "SK",
    "TH", "TR", "TW", "UA", "US", "UY", "VN", "ZA",
)


def write_snapshot(folder: Path) -> int:
    """Write every file anew; returns how many."""
    from importlib.metadata import version

    folder.mkdir(exist_ok=True)
    for country in (*COUNTRIES, *MARKETS):
        parts = subdivisions(country)
        days = {"": _days(country)} | {p: _days(f"{country}-{p}") for p in parts}
        _write(folder / f"{country}.json", pack(days))
    _write(folder / "index.json", {
        "version": version("holidays"), "first_year": FIRST_YEAR, "last_year": LAST_YEAR,
    })
    return len(COUNTRIES) + len(MARKETS)


def _days(place: str) -> frozenset[date]:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return frozenset().union(*(public_holidays(place, year) for year in years))


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.stdout.write(f"{write_snapshot(shipped.law() / 'days')} calendars written\n")
