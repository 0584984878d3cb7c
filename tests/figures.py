"""Measured figures: they travel with the report of their test, and stand at the end of the run.

With several workers nothing that a test prints reaches the terminal; what a report carries does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

PROPERTY = "figure"


@dataclass(frozen=True)
class Share:
    """What one of several tests contributes to a line.

    Shares with the same `text` become one line: `added` are summed up, of `most` the largest
    counts. All must be numbers; `text` is a format string that names them.
    """

    text: str
    added: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)


class Figures:
    """The figures of one test."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node

    def append(self, line: str) -> None:
        """Show a line as it is."""
        self._node.user_properties.append((PROPERTY, line))

    def share(self, share: Share) -> None:
        """Show a line together with other tests."""
        parts = [share.text, dict(share.added), dict(share.most)]
        self._node.user_properties.append((PROPERTY, parts))


def lines_of(reports: Iterable[Any]) -> list[str]:
    """The figures that finished tests reported, in the order of the tests' names."""
    ended = {r.nodeid: r.user_properties for r in reports
             if getattr(r, "when", "") == "teardown"}
    lines: list[str | _Sum] = []
    sums: dict[str, _Sum] = {}
    for figure in (f for name in sorted(ended) for kind, f in ended[name] if kind == PROPERTY):
        if isinstance(figure, str):
            lines.append(figure)
            continue
        text, added, most = figure
        if text not in sums:
            lines.append(sums.setdefault(text, _Sum(text)))
        sums[text].add(added, most)
    return list(map(str, lines))


@dataclass
class _Sum:
    """One line of several shares."""

    text: str
    added: dict[str, float] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)

    def add(self, added: Mapping[str, float], most: Mapping[str, float]) -> None:
        self.added |= {key: self.added.get(key, 0) + value for key, value in added.items()}
        self.most |= {key: max(self.most.get(key, value), value) for key, value in most.items()}

    def __str__(self) -> str:
        return self.text.format(**self.added, **self.most)
