"""Reads states.yaml: the states of the European Economic Area."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dsar.yamlfile import Reader, read


@dataclass(frozen=True, kw_only=True)
class State:
    """One state: its languages, authorities, national act and holiday calendar.

    calendar: `{subdivision}` stands where holidays differ by Land or region.
    """

    code: str
    name: str
    languages: tuple[str, ...]
    authorities: tuple[str, ...]
    national_act: str
    calendar: str
    note: str = ""


def read_states(path: Path) -> dict[str, State]:
    """Every state by ISO 3166-1 code; raises FileProblems."""
    document = read(path)
    reader = Reader.of(document, document.value, "states")
    reader.number("schema")
    reader.texts("sources")
    block = reader.mapping("states")
    found = {code: _state(block.mapping(code), code) for code in list(block.value)}
    reader.finish()
    document.raise_problems()
    return found


def _state(reader: Reader, code: str) -> State:
    found = State(
        code=code,
        name=reader.text("name", required=True),
        languages=reader.texts("languages"),
        authorities=reader.texts("authorities"),
        national_act=reader.text("national_act"),
        calendar=reader.text("calendar", required=True),
        note=reader.text("note"),
    )
    reader.finish()
    return found
