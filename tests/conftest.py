"""Fixtures for all tests: the mail lab with real servers, and the folder of shared data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from figures import Figures, lines_of
from hypothesis import HealthCheck, settings
from servers.cutproxy import Cut, CutProxy
from servers.guard import guarded
from servers.maillab import MailLab, missing
from servers.postgres import PostgresServer
from servers.postgres import missing as postgres_missing

# a busy machine is no fault of what is tested: no example has to end in some milliseconds
settings.register_profile("unhurried", settings.default, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever takes the lab needs real servers; whoever takes `shared`, the shared data."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "lab" in names:
            item.add_marker(pytest.mark.realserver)
        if "shared" in names:
            item.add_marker(pytest.mark.shared)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what cannot run here and say what is missing; where it must run, fail instead."""
    if item.get_closest_marker("realserver") is None or not (lacking := missing()):
        return
    reason = f"real mail servers: {'; '.join(lacking)}"
    if os.environ.get("DSAR_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lab() -> Iterator[MailLab]:
    """Postfix and Dovecot, started once for all tests of this run."""
    running = MailLab.make()
    with guarded(running.root):
        try:
            running.start()
            yield running
        finally:
            running.stop(purge=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of our own, started once for all tests of this run."""
    if lacking := postgres_missing():
        reason = f"real PostgreSQL: {'; '.join(lacking)}"
        if os.environ.get("DSAR_REQUIRE_SERVERS") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    running = PostgresServer.make(syncs=False)
    with guarded(running.root), pytest.MonkeyPatch.context() as patch:
        try:
            running.start()
            for name, value in running.environment.items():
                patch.setenv(name, value)
            yield running
        finally:
            running.stop(purge=True)


@pytest.fixture
def user(lab: MailLab) -> str:
    """The address of a mailbox that only this test uses."""
    return lab.new_user()


@pytest.fixture
def cut_proxy() -> Iterator[Callable[..., CutProxy]]:
    """Makes proxies that cut a connection at a chosen moment; all are closed afterwards."""
    made: list[CutProxy] = []

    def make(port: int, *cuts: Cut) -> CutProxy:
        made.append(CutProxy(port, cuts))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder named by DSAR_SHARED: data that is not part of the repository."""
    place = os.environ.get("DSAR_SHARED")
    if not place or not Path(place).is_dir():
        pytest.skip("DSAR_SHARED does not name the folder of shared data")
    return Path(place)


@pytest.fixture
def figures_shown(request: pytest.FixtureRequest) -> Figures:
    """What is put in here is printed at the end of the run."""
    return Figures(request.node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the measured figures, so that whoever reads a run sees them."""
    reports = [each for listed in terminalreporter.stats.values() for each in listed]
    if lines := lines_of(reports):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
