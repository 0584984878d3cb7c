"""Connections to PostgreSQL: made anew when they are lost, with errors that tell no password."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dsar.errors import StorageFailed, StoreUnreachable, Temporary, UsageProblem

T = TypeVar("T")
PATIENCE_S = 20.0
"""How long a connection that was lost is tried again: a server that restarts is back by then."""
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10, "tcp_user_timeout": 30_000, "application_name": "dsar",
}
# A commit has to be on the disk; a server set to wait for more keeps waiting for more. Compiling
# takes longer than any query of ours.
_SESSION = """
SELECT set_config('timezone', 'UTC', false), set_config('lock_timeout', '20s', false),
       set_config('jit', 'off', false),
       set_config('default_transaction_read_only', %s, false),
       CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
            THEN set_config('synchronous_commit', 'on', false) END
"""


def conninfo_of(url: str) -> str:
    """Return libpq's connection string for `postgresql:…`.

    What follows the scheme is either `//user@host/database` or libpq's `key=value` pairs, such as
    `service=dsar`; what it leaves out libpq takes from PG… variables, service and password file.
    Raises UsageProblem for a password in it: it would stand in listings and in configuration.
    """
    rest = url.partition(":")[2]
    try:
        given = conninfo_to_dict(f"postgresql:{rest}" if rest.startswith("//") else rest)
    except psycopg.Error:
        raise UsageProblem("The address of the database cannot be read.",
                           hint="Use postgresql://user@host/database, without a password."
                           ) from None
    if given.get("password") or given.get("sslpassword"):
        raise UsageProblem("The address of the database holds a password.",
                           hint="Put it into ~/.pgpass (mode 0600) or a service file.")
    return make_conninfo(**(_DEFAULTS | given))


def shown(conninfo: str) -> str:
    """Return how messages name a database: role, host, database, and no more."""
    given = conninfo_to_dict(conninfo)
    if service := given.get("service"):
        return f"postgresql:service={service}"
    user, host = given.get("user"), given.get("host") or given.get("hostaddr") or ""
    port = f":{given['port']}" if given.get("port") else ""
    return f"postgresql://{f'{user}@' if user else ''}{host}{port}/{given.get('dbname') or ''}"


class Link:
    """One connection to work with, and one for each long read at a time."""

    def __init__(self, url: str, *, write: bool) -> None:
        """Connect; raises StoreUnreachable, UsageProblem."""
        self._conninfo, self._write = conninfo_of(url), write
        self.name = shown(self._conninfo)
        self._main: Connection[Any] | None = self._connect()
        self._spare: Connection[Any] | None = None

    def run(self, work: Callable[[Connection[Any]], T]) -> T:
        """Return what `work` does; when the connection is lost, it is done once more from anew.

        `work` must be harmless when done twice. Errors of the database come as StorageFailed,
        our own (`DS…`) as they are.
        """
        again = False
        while True:
            try:
                return work(self._connection(patient=again))
            except psycopg.Error as error:
                if again or not self._passes(error):
                    raise self._translated(error) from error
                again = True

    def once(self, work: Callable[[Connection[Any]], T]) -> T:
        """Return what `work` does; it is not tried again."""
        try:
            return work(self._connection(patient=False))
        except psycopg.Error as error:
            raise self._translated(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[Connection[Any]]:
        """Give a connection that sees everything as it stands now, and changes nothing."""
        connection = self._lend()
        try:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield connection
        except psycopg.Error as error:
            raise self._translated(error) from error
        finally:
            if connection.closed or self._spare is not None:
                connection.close()
            else:
                self._spare = connection

    def close(self) -> None:
        """Close what is open."""
        for connection in (self._main, self._spare):
            if connection is not None:
                connection.close()
        self._main = self._spare = None

    def _lend(self) -> Connection[Any]:
        """The spare connection where it still lives, else a new one."""
        connection, self._spare = self._spare, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.execute("SELECT 1")
                return connection
            connection.close()
        return self._connect(patient=True)

    def _connection(self, *, patient: bool) -> Connection[Any]:
        if self._main is None or self._main.closed:
            self._main = self._connect(patient=patient)
        return self._main

    def _connect(self, *, patient: bool = False) -> Connection[Any]:
        give_up = time.monotonic() + (PATIENCE_S if patient else 0)
        while True:
            try:
                connection = psycopg.connect(self._conninfo, autocommit=True)
                connection.execute(_SESSION, ["off" if self._write else "on"])
                return connection
            except psycopg.OperationalError as error:
                if time.monotonic() >= give_up:
                    raise self._translated(error, lost=True) from None
                time.sleep(0.2)

    def _passes(self, error: psycopg.Error) -> bool:
        """Whether doing it once more may help: the connection went, or two waited in a circle."""
        if self._main is None or self._main.closed:
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure)

    def _translated(self, error: psycopg.Error, *, lost: bool = False) -> Exception:
        """Return our error for one of the database; values of rows are not in its text."""
        if (error.sqlstate or "").startswith("DS"):
            return error
        if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
            return Temporary(f"{self.name}: another dsar holds what is needed.")
        said = error.diag.message_primary or (str(error) if lost else type(error).__name__)
        text = f"{self.name}: {' '.join(said.split()).rstrip('.')}."
        if lost or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return StoreUnreachable(text)
        return StorageFailed(text, hint=_HINTS.get(error.sqlstate or ""))


_HINTS = {
    "42501": "`dsar store migrate --role ROLE`, run as the owner, lets a role work.",
    "25006": "The ledger was opened to read only.",
    "53100": "The disk of the database is full.",
}
