"""The stores that have to keep the contract; a new kind joins by a line in STORES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from servers.postgres import PostgresServer
from store_samples import NOON

from dsar.keeping.atrest import Key
from dsar.store import Store
from dsar.store.memory import MemoryStore
from dsar.store.postgres import PostgresStore
from dsar.store.tiny import TinyStore

Now = Callable[[], datetime]
STORES: dict[str, Callable[[Path, Now], Store]] = {
    "memory": lambda folder, now: MemoryStore(now=now, author="jo"),
    "tiny": lambda folder, now: TinyStore(folder, write=True, now=now, author="jo"),
    "sealed": lambda folder, now: TinyStore(folder, write=True, now=now, author="jo",
                                            sealer=_key(readable_status=False)),
    "sealed, status readable": lambda folder, now: TinyStore(
        folder, write=True, now=now, author="jo", sealer=_key(readable_status=True)),
}


def _key(*, readable_status: bool) -> Key:
    return Key(bytes(range(32)), readable_status=readable_status, seals=True)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """An empty ledger in PostgreSQL."""
    return postgres.new_ledger()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """One minute later each time it is asked."""
    minutes = count()
    return lambda: NOON + timedelta(minutes=next(minutes))


@pytest.fixture(params=[*STORES, "postgres"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Callable[[], datetime]
) -> Iterator[Store]:
    """An empty store of each kind, open for writing."""
    opened: Store
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_ledger()
        opened = PostgresStore(url, write=True, now=clock, author="jo")
    else:
        opened = STORES[request.param](tmp_path / "ledger", clock)
    yield opened
    opened.close()
