"""Fixtures for the law: the data that ship with dsar, read once."""

from __future__ import annotations

import pytest

from dsar.law.load import Laws, load_laws


@pytest.fixture(scope="session")
def laws() -> Laws:
    """Every law, authority and calendar of the package."""
    return load_laws()
