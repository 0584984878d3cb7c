"""Vectors: what a law says of one request, as a file states it, and as we compute it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from dsar.core.deadline import Deadlines, Facts, Moment, deadlines
from dsar.law.load import Laws
from dsar.yamlfile import read

OWN = Path(__file__).with_name("vectors.yaml")


def vectors(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of one file."""
    yield from read(path).value["vectors"]


def computed(laws: Laws, vector: dict[str, Any]) -> Deadlines:
    """What we make of the facts of one vector."""
    received = datetime.fromisoformat(vector["received"])
    place = vector["jurisdiction"]
    moments = tuple(
        Moment(type=e["type"], on=date.fromisoformat(e["date"]),
               justified=e.get("justified", True),
               until=date.fromisoformat(e["until"]) if e.get("until") else None)
        for e in vector.get("events") or ()
    )
    facts = Facts(
        right=vector["right"], received=received.date(), received_at=received,
        country=place["country"], subdivision=place["subdivision"], moments=moments,
        flags=vector.get("flags") or {},
    )
    return deadlines(laws.regimes[vector["regime"]], facts, laws.calendars)


def differences(laws: Laws, vector: dict[str, Any]) -> list[str]:
    """Each date that is not the one stated."""
    found = computed(laws, vector)
    return [
        f"{name}: {getattr(found, name)}, stated {stated}"
        for name, stated in vector["expected"].items()
        if _iso(getattr(found, name)) != stated
    ]


def _iso(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
