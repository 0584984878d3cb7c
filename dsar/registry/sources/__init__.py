"""The public lists dsar can read: where each is, under what licence, and which module reads it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dsar.core.controller import Controller


@dataclass(frozen=True)
class Remark:
    """What was mended or refused in one record; `place` is its line or number, from 1."""

    place: int
    name: str
    what: str


@dataclass
class Reading:
    """One list being read. `stated` is the date or year for which the list says what it says."""

    source: str
    stated: str = ""
    records: int = 0
    mended: list[Remark] = field(default_factory=list)
    refused: list[Remark] = field(default_factory=list)

    def mend(self, place: int, name: str, what: str) -> None:
        """Note that something was put right, or left out of a record that is kept."""
        self.mended.append(Remark(place, name[:80], what))

    def refuse(self, place: int, name: str, what: str) -> None:
        """Note that a record was left out as a whole."""
        self.refused.append(Remark(place, name[:80], what))


Reader = Callable[[bytes, Reading], Iterator[Controller]]


@dataclass(frozen=True)
class Source:
    """A public list. `url` is None for formats without a stable address (`--from FILE`)."""

    id: str
    title: str
    licence: str
    module: str
    url: str | None = None
    media: tuple[str, ...] = ()

    def reader(self) -> Reader:
        """Import the module and return its `read(raw, reading)`."""
        found: Reader = importlib.import_module(f"dsar.registry.sources.{self.module}").read
        return found


_GITHUB = "https://github.com/{}/archive/HEAD.tar.gz"
_RAW = "https://raw.githubusercontent.com/{}/HEAD/{}"
_TARBALL = ("application/x-gzip", "application/gzip", "application/octet-stream")
_TEXT = ("text/plain", "text/csv", "application/json", "application/octet-stream", "text/yaml",
         "application/yaml", "application/x-yaml", "application/csv", "application/vnd.ms-excel")

SOURCES = {source.id: source for source in (
    Source("datenanfragen", "Datenanfragen.de company records", "CC0-1.0", "datenanfragen",
           _GITHUB.format("datenanfragen/data"), _TARBALL),
    Source("cppa", "California Privacy Protection Agency, data broker registry", "public record",
           "cppa", "https://cppa.ca.gov/data_broker_registry/registry.csv", _TEXT),
    Source("eraser", "drumandbytes/eraser broker list", "MIT", "eraser",
           _RAW.format("drumandbytes/eraser", "data/brokers.yaml"), _TEXT),
    Source("jdm", "JustDeleteMe", "MIT", "jdm",
           _RAW.format("jdm-contrib/jdm", "_data/sites.json"), _TEXT),
    Source("unlock-my-data", "Unlock My Data, checked by hand", "MIT", "unlock_my_data",
           _GITHUB.format("les-enovateurs/unlock-my-data"), _TARBALL),
    Source("oregon", "Oregon, data broker registry", "public record", "oregon"),
    Source("vermont", "Vermont, data broker registry", "public record", "vermont"),
    Source("california-ag", "California Attorney General, data broker registry (to 2023)",
           "public record", "california_ag"),
)}
"""In the order in which they are merged: the most carefully kept first."""
