"""What a command works with: the clock, the files, the store, and how it talks to the person."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.options import Selector, Settings, settings_of
from dsar.errors import NeedsConfirmation, RefusedByRail, UsageProblem
from dsar.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsar.config import Config
    from dsar.core.case import Case
    from dsar.core.controller import Controller
    from dsar.core.status import Outlooks, Standing
    from dsar.core.subject import DataSubject
    from dsar.law.load import Laws
    from dsar.mail.secret import Secret
    from dsar.registry.load import Registry
    from dsar.store import Store
    from dsar.store.archive import Archive
    from dsar.store.sealing import Sealer
    from dsar.store.shelf import Shelf


class App:
    """One call of the command line. Everything is loaded when it is first asked for."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self.environment = environment
        self.home = Home.find(settings.home, environment)
        self.languages_by_law: dict[tuple[str, str], tuple[str, ...]] = {}
        self.secrets: dict[str, Secret] = {}
        self._started = datetime.now(UTC)

    # -- the clock ---------------------------------------------------------------------------

    @cached_property
    def clock_is_set(self) -> bool:
        """Whether DSAR_TODAY replaces the real date."""
        return bool(self.environment.get("DSAR_TODAY"))

    @cached_property
    def today(self) -> date:
        """The local date, or DSAR_TODAY. Raises UsageProblem for a date that is none."""
        chosen = self.environment.get("DSAR_TODAY")
        if not chosen:
            return self._started.astimezone().date()
        try:
            return date.fromisoformat(chosen)
        except ValueError:
            raise UsageProblem(f"DSAR_TODAY is {chosen!r}, not a date such as 2026-11-22."
                               ) from None

    def new_day(self) -> bool:
        """Whether the date has changed since the command began; from then on it is today."""
        if self.clock_is_set or self.now().astimezone().date() == self.today:
            return False
        self._started = datetime.now(UTC)
        for dated in ("today", "outlooks"):
            self.__dict__.pop(dated, None)
        return True

    def now(self) -> datetime:
        """The instant, aware, UTC; under DSAR_TODAY the same time of day on that date."""
        real = datetime.now(UTC)
        if not self.clock_is_set:
            return real
        return real + timedelta(days=(self.today - real.astimezone().date()).days)

    # -- what is on disk ----------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """config.yaml and people.yaml. Raises FileProblems."""
        from dsar.config import load_config

        return load_config(self.home.config, self.home.people)

    @cached_property
    def subject(self) -> DataSubject:
        """The person the command acts for. Raises NotSetUp."""
        return self.config.person(self.settings.person)

    @cached_property
    def laws(self) -> Laws:
        """The law data. Raises FileProblems."""
        from dsar.law.load import load_laws

        return load_laws()

    @cached_property
    def registry(self) -> Registry:
        """The companies, ours with the user's additions. Raises FileProblems."""
        from dsar import shipped
        from dsar.registry.load import load_registry

        return load_registry(shipped.companies(), self.home.overlay,
                             cache_folder=self.home.cache_folder)

    @cached_property
    def rights(self) -> frozenset[str]:
        """The words for the rights there are letters for."""
        from dsar.core.regime import Right

        return frozenset(map(str, Right))

    @cached_property
    def template_folders(self) -> tuple[Path, ...]:
        """Where letters are looked for: the user's own, then ours."""
        from dsar import shipped

        own = (self.home.templates,) if self.home.templates.is_dir() else ()
        return (*own, shipped.templates() / "letters")

    @cached_property
    def letter_languages(self) -> tuple[str, ...]:
        """Languages there are letters in, BCP 47."""
        folders = {p.name for folder in self.template_folders if folder.is_dir()
                   for p in folder.iterdir() if p.is_dir() and p.name != "only"}
        return tuple(sorted(name for name in folders if "-" not in name))

    @cached_property
    def registry_with_pulled(self) -> Registry:
        """The registry with the pulled public lists merged in: shown, not written to by itself."""
        from dsar import shipped
        from dsar.registry.load import load_registry

        folder = self.home.pulled
        if not folder.is_dir():
            return self.registry
        return load_registry(shipped.companies(), self.home.overlay, pulled=folder,
                             cache_folder=self.home.cache_folder)

    def controllers(self, wanted: Selector, companies: Registry) -> list[Controller]:
        """The companies selected, in the order of the registry. Raises UnknownCompany."""
        for slug in (*wanted.slugs, *sorted(wanted.only), *sorted(wanted.exclude)):
            companies.get(slug)
        named = set(wanted.slugs) | wanted.only or set(self.config.chosen)
        found = [c for c in companies if (not named or c.slug in named)
                 and c.slug not in wanted.exclude
                 and wanted.category in (None, *c.categories)
                 and wanted.country in (None, c.country)]
        return found[: wanted.limit]

    @cached_property
    def sealer(self) -> Sealer | None:
        """The key of an encrypted home; asks for the passphrase. Raises Locked, CannotUnseal."""
        if not self.home.sealed_key.exists():
            return None
        from dsar.cli.passphrases import unlocked

        return unlocked(self)

    def store(self, *, write: bool = False, sealer: Sealer | None = None) -> Store:
        """Open the ledger. Raises AnotherAtWork, LedgerDamaged, StorageFailed."""
        from dsar.store import open_store

        url = self.config.store
        url = f"tinydb:{self.home.ledger}" if url == "tinydb:" else url
        author = self.environment.get("DSAR_AUTHOR") or self.settings.person or "user"
        return open_store(url, write=write, now=self.now, author=author, sealer=sealer)

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The ledger, to read from."""
        store = self.store(sealer=self.sealer)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def glancing(self) -> Iterator[Store]:
        """The ledger, for what `status` needs: without a passphrase where that is readable."""
        readable = False
        if self.home.sealed_key.exists():
            from dsar.keeping.atrest import KeyFile

            readable = KeyFile.read(self.home.sealed_key).readable_status
        store = self.store(sealer=None if readable else self.sealer)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """The ledger, to write to. Raises AnotherAtWork."""
        self.home.create()
        store = self.store(write=True, sealer=self.sealer)
        try:
            yield store
        finally:
            store.close()

    @cached_property
    def archive(self) -> Archive:
        """The raw mail, by SHA-256."""
        from dsar.store.archive import Archive

        return Archive(self.shelf, self.sealer)

    @cached_property
    def shelf(self) -> Path | Shelf:
        """Where the raw mail lies: a folder of the home, or the database of the ledger."""
        if self.config.archive == "folder":
            return self.home.archive
        from dsar.store.pgshelf import PostgresShelf

        return PostgresShelf(self.config.store)

    @cached_property
    def outlooks(self) -> Outlooks:
        """What today makes of the courses of cases, under the laws as they are."""
        from dsar.core.status import Outlooks

        return Outlooks(self.laws.regimes, self.laws.calendars, self.today)

    def standing(self, case: Case) -> Standing:
        """Where a case stands today, with its due dates under its law."""
        from dsar.core.course import course
        from dsar.core.status import Stand

        return Stand(case, self.outlooks.of(course(case)))

    # -- talking -------------------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """Progress and hints go to stderr."""
        if not self.settings.quiet:
            click.echo(text, err=True)

    def next(self, text: str) -> None:
        """The one `Next:` line that ends every state-changing command."""
        if text:
            self.say(f"Next: {text}")

    def emit(
        self, noun: str, items: Sequence[Any], summary: Mapping[str, Any] | None = None
    ) -> None:
        """Print the one JSON object of a command that returns data."""
        shown = {"schema": f"dsar.{noun}/1", "generated_at": self.now().isoformat("T", "seconds"),
                 "items": list(items), "summary": dict(summary or {})}
        click.echo(json.dumps(shown, ensure_ascii=False, default=str))

    def emit_line(self, item: Mapping[str, Any]) -> None:
        """Print one JSON line of a stream."""
        click.echo(json.dumps(item, ensure_ascii=False, default=str))

    def emit_rows(self, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Print tab-separated values with a heading; tabs and line ends in values become spaces."""
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(_flat(row.get(column)) for column in columns))

    # -- asking --------------------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """Whether there is a person at a terminal."""
        return (not self.settings.no_input and sys.stdin.isatty() and sys.stderr.isatty())

    def confirm_number(
        self, count: int, *, given: int | None, word: str = "", act: str = "send"
    ) -> None:
        """Ask for the exact number of letters (behind `word`, where one is needed).

        given: what `--confirm` says. Raises NeedsConfirmation where nobody can be asked,
        UsageProblem for a number that is not the plan's, click.Abort when the person stops.
        """
        noun = "letter" if act == "send" else "filing"
        letters = noun if count == 1 else f"{noun}s"
        if given is not None:
            if given != count:
                raise UsageProblem(f"--confirm says {given}, the plan has {count} {letters}.",
                                   hint=f"Look at the plan (-n), then --confirm {count}.")
            return
        if count == 1 and self.settings.yes and not word:
            return
        expected = f"{word} {count}".strip()
        if not self.can_ask:
            raise NeedsConfirmation(f"The plan has {count} {letters}; nobody can be asked.",
                                    hint=f"Give --confirm {count} to {act} exactly these.")
        answer = click.prompt(f"Type {expected} to {act} {count} {letters}, anything else stops",
                              default="", show_default=False, err=True)
        if answer.strip() != expected:
            raise click.Abort

    def ask_yes(self, question: str) -> None:
        """Ask a simple question. Raises NeedsConfirmation, or click.Abort for a no."""
        if self.settings.yes:
            return
        if not self.can_ask:
            raise NeedsConfirmation(f"{question} Nobody can be asked.", hint="Give --yes.")
        click.confirm(question, abort=True, err=True)

    def needs_network(self) -> None:
        """Refuse under --offline. Raises RefusedByRail."""
        if self.settings.offline:
            raise RefusedByRail("offline", "This command needs the network.",
                                hint="Leave out --offline.")


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, value))
    return " ".join(str(value).split())


def pass_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command the one App of this call as its first argument."""
    import functools

    @functools.wraps(command)
    def call(*args: Any, **named: Any) -> Any:
        context = click.get_current_context()
        root = context.find_root()
        app = root.meta.get("dsar.app")
        if app is None:
            app = root.meta["dsar.app"] = App(settings_of(context), os.environ)
        return command(app, *args, **named)

    return call
