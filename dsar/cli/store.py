"""`dsar store`: where the ledger lies: copy it, prepare a database, check its projection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, UsageProblem

if TYPE_CHECKING:
    from dsar.store import Store
    from dsar.store.postgres import PostgresStore


@click.group()
@global_options
def store() -> None:
    """The ledger's place: copy it, prepare a database, check and rebuild."""


@store.command()
@click.argument("source")
@click.argument("target")
@global_options
@pass_app
def copy(app: App, *, source: str, target: str) -> None:
    """Copy the ledger SOURCE into the empty TARGET, whole or not at all.

    Each is `tinydb:FOLDER` (`tinydb:` alone: this home) or `postgresql://ROLE@HOST/DATABASE`.
    Every event is compared afterwards: number, time, author, each field. The raw mail stays
    where it is, in the archive of the home. Stop every other dsar first.
    """
    from dsar.keeping.copying import copy_ledger

    if source == target:
        raise UsageProblem("SOURCE and TARGET are the same ledger.")
    with _opened(app, source) as one, _opened(app, target) as other:
        copied = copy_ledger(one, other)
    if app.settings.json:
        app.emit("store-copy", [vars(copied)])
    else:
        click.echo(f"{copied.events} events of {copied.streams} streams copied and compared; "
                   "no mail was copied.")
    app.next(f"set `store: {target}` in config.yaml, then dsar doctor")


@store.command()
@click.argument("url")
@click.option("--role", "roles", multiple=True, metavar="ROLE",
              help="A role that may read and add from now on, and change nothing.")
@global_options
@pass_app
def migrate(app: App, *, url: str, roles: tuple[str, ...]) -> None:
    """Make or update the tables of dsar in the database at URL, as its owner.

    Everything in one transaction. Let dsar work as a ROLE that is not the owner: for it no
    event can be changed or deleted, other than by `dsar forget`.
    """
    _needs_postgres(url)
    from dsar.store.postgres_migrate import migrate as apply

    applied = apply(url, roles=roles)
    if app.settings.json:
        app.emit("store-migrate", [{"name": name} for name in applied])
    else:
        click.echo("\n".join(applied) if applied else "Nothing to do.")


@store.command()
@global_options
@pass_app
def rebuild(app: App) -> None:
    """Compute the projection of the ledger in PostgreSQL anew where it is missing or wrong."""
    from dsar.store.postgres_projection import rebuild as write

    with _database(app, write=True) as ledger:
        count = write(ledger)
    if app.settings.json:
        app.emit("store-rebuild", [{"cases": count}])
    else:
        click.echo(f"{count} cases computed anew.")


@store.command()
@global_options
@pass_app
def check(app: App) -> None:
    """Hold the projection of every case against its events, and name those that differ."""
    from dsar.store.postgres_projection import wrong

    with _database(app, write=False) as ledger:
        found = [{"case": case.id, "what": "differs" if there else "missing"}
                 for case, there in wrong(ledger)]
    if app.settings.json:
        app.emit("store-check", found)
    else:
        for item in found:
            click.echo(f"{item['case']}: {item['what']}")
        app.say(f"{len(found)} cases differ or are missing.")
    if found:
        raise DoneInPart(f"The projection lacks {len(found)} cases or has them wrong.",
                         hint="`dsar store rebuild` computes them anew; the events are untouched.")


@contextmanager
def _opened(app: App, url: str) -> Iterator[Store]:
    """A ledger to copy from or into; of one in a folder nobody else may be writing meanwhile."""
    from dsar.store import open_store

    sealer = None
    if url == "tinydb:":
        url, sealer = f"tinydb:{app.home.ledger}", app.sealer
    opened = open_store(url, write=True, now=app.now, author="copy", sealer=sealer)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _database(app: App, *, write: bool) -> Iterator[PostgresStore]:
    _needs_postgres(app.config.store)
    from dsar.store.postgres import PostgresStore

    opened = PostgresStore(app.config.store, write=write, now=app.now, author="rebuild")
    try:
        yield opened
    finally:
        opened.close()


def _needs_postgres(url: str) -> None:
    if not url.startswith(("postgresql:", "postgres:")):
        raise UsageProblem("That is no ledger in PostgreSQL; any other needs no such care.",
                           hint="`store: postgresql://role@host/database` in config.yaml")
    try:
        import dsar.store.postgres_migrate  # noqa: F401
    except ImportError:
        raise UsageProblem("The driver for PostgreSQL is not installed.",
                           hint="pip install 'dsar-cli[postgres]'") from None
