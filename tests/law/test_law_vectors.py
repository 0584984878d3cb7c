"""The published vectors and our own, to the day."""

from __future__ import annotations

from pathlib import Path

import pytest
from lawvectors import OWN, computed, differences, vectors

from dsar.law.load import Laws


def test_every_published_vector_comes_out_to_the_day(laws: Laws, shared: Path) -> None:
    found = {v["id"]: differences(laws, v)
             for v in vectors(shared / "law" / "vectors-published.yaml")}
    assert len(found) == 40
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_calendar_of_every_published_vector_is_the_one_stated(
    laws: Laws, shared: Path
) -> None:
    for vector in vectors(shared / "law" / "vectors-published.yaml"):
        assert computed(laws, vector).calendar == vector["calendar"], vector["id"]


@pytest.mark.parametrize("vector", list(vectors(OWN)), ids=lambda v: v["id"])
def test_our_own_vector(laws: Laws, vector: dict[str, object]) -> None:
    assert differences(laws, vector) == []
