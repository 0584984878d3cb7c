"""The tables of the PostgreSQL store, from numbered SQL files; forwards only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from psycopg import Connection, sql

from dsar.errors import DsarError, StorageFailed, UsageProblem
from dsar.store.postgres_link import Link

_NAME = re.compile(r"(\d{4})_\w+\.sql")
_LOCK = 3701198202
_TABLE = """
CREATE SCHEMA IF NOT EXISTS dsar;
REVOKE ALL ON SCHEMA dsar FROM PUBLIC;
CREATE TABLE IF NOT EXISTS dsar.migrations (
    number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())
"""
_APPEND_ONE = ("append_one(uuid, text, integer, uuid, timestamptz, text, text, text, bytea, text, "
               "text, json)")
_FUNCTIONS = ("append(uuid, json, json, json)", _APPEND_ONE, "project(json)", "begin_adopting()",
              "erase(text[], integer, json)", "sweep()", "put_piece(uuid, integer, bytea)",
              "keep_item(text, uuid)", "drop_item(uuid)", "delete_item(text)", "sweep_items()")
_INNER = ("project_glances(json)", "project_work(json)", "drop_work()")


class SchemaNotReady(DsarError):
    """The tables are not those that this dsar works with."""

    exit_status = 6
    hint = "`dsar store migrate URL`, run as the owner of the database."


@dataclass(frozen=True)
class Migration:
    """One file; digest: SHA-256 of its text, so that a changed file is found."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return all files in their order; raises ValueError for a gap in the numbers."""
    folder = files("dsar.store") / "migrations"
    found = [Migration(int(match[1]), entry.name, entry.read_text("utf-8"))
             for entry in folder.iterdir() if (match := _NAME.fullmatch(entry.name))]
    found.sort(key=lambda m: m.number)
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError("the migrations are not numbered from 1 without a gap")
    return found


def migrate(url: str, *, roles: Sequence[str] = ()) -> list[str]:
    """Bring the tables up to date and let `roles` work with them; return the files applied.

    Everything in one transaction, or nothing; two at once wait for each other. Raises
    SchemaNotReady for tables of a newer dsar, StorageFailed, UsageProblem for an unknown role.
    """
    link = Link(url, write=True)

    def work(connection: Connection[Any]) -> list[str]:
        with connection.transaction():
            return _migrated(connection, roles)

    try:
        return link.run(work)
    finally:
        link.close()


def check(connection: Connection[Any], name: str) -> None:
    """Raise SchemaNotReady, unless the tables are those of this dsar."""
    if not _there(connection):
        raise SchemaNotReady(f"{name}: has no tables of dsar, or this role may not see them.")
    applied = _applied(connection)
    wanted = {m.number: m.digest for m in migrations()}
    if missing := sorted(wanted.keys() - applied.keys()):
        raise SchemaNotReady(f"{name}: the tables are older; {len(missing)} migrations to go.")
    _refuse_others(applied, wanted)


def _migrated(connection: Connection[Any], roles: Sequence[str]) -> list[str]:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if not _there(connection):
        connection.execute(_TABLE)
    applied, listed = _applied(connection), migrations()
    _refuse_others(applied, {m.number: m.digest for m in listed})
    fresh = [m for m in listed if m.number not in applied]
    for migration in fresh:
        connection.execute(migration.text.encode())
        connection.execute("INSERT INTO dsar.migrations (number, name, digest) VALUES (%s, %s, %s)",
                           [migration.number, migration.name, migration.digest])
    _grant(connection, roles)
    return [m.name for m in fresh]


def _there(connection: Connection[Any]) -> bool:
    found = connection.execute("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace "
                               "WHERE nspname = 'dsar'").fetchone()
    return bool(found and found[0] and connection.execute(
        "SELECT to_regclass('dsar.migrations')").fetchone() != (None,))


def _applied(connection: Connection[Any]) -> dict[int, str]:
    return dict(connection.execute("SELECT number, digest FROM dsar.migrations").fetchall())


def _refuse_others(applied: dict[int, str], known: dict[int, str]) -> None:
    if newer := sorted(applied.keys() - known.keys()):
        raise SchemaNotReady(f"The tables are those of a newer dsar (migration {newer[-1]}).",
                             hint="Use that dsar, or a newer one.")
    if changed := sorted(n for n, digest in applied.items() if known[n] != digest):
        raise SchemaNotReady(f"Migration {changed[0]} was applied with another text.",
                             hint="Use the dsar that made these tables.")


def _grant(connection: Connection[Any], roles: Sequence[str]) -> None:
    """Roles read tables and call functions: no event can be changed, removed or put in between."""
    for function in (*_FUNCTIONS, *_INNER):
        connection.execute(f"REVOKE ALL ON FUNCTION dsar.{function} FROM PUBLIC".encode())
    connection.execute("REVOKE ALL ON ALL TABLES IN SCHEMA dsar FROM PUBLIC")
    for role in roles:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            raise UsageProblem(f"The database has no role {role!r}.", hint="Create it first.")
        name = sql.Identifier(role)
        for statement in ("REVOKE ALL ON ALL TABLES IN SCHEMA dsar FROM {}",
                          "GRANT USAGE ON SCHEMA dsar TO {}",
                          "GRANT SELECT ON ALL TABLES IN SCHEMA dsar TO {}"):
            connection.execute(sql.SQL(statement).format(name))
        for function in _FUNCTIONS:
            text = sql.SQL("GRANT EXECUTE ON FUNCTION dsar.{} TO {}")
            connection.execute(text.format(sql.SQL(function), name))


def counted(link: Link) -> tuple[int, int]:
    """Return how many streams there are and how many events they count."""
    found = link.run(lambda c: c.execute(
        "SELECT count(*), coalesce(sum(version), 0) FROM dsar.streams").fetchone())
    if found is None:
        raise StorageFailed(f"{link.name}: gave no answer.")
    return int(found[0]), int(found[1])
