"""Options that many commands share: the global ones, and the selectors."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
SETTINGS = "dsar.settings"


@dataclass
class Settings:
    """The global options as given, before or after the command."""

    person: str | None = None
    home: str | None = None
    json: bool = False
    plain: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_input: bool = False
    yes: bool = False
    offline: bool = False
    no_color: bool = False


class Day(click.ParamType[date]):
    """A date on the command line."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None
                ) -> date:
        """Return the date written YYYY-MM-DD."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-11-22", param, ctx)


def settings_of(ctx: click.Context) -> Settings:
    """The one settings object of this call."""
    meta = ctx.find_root().meta
    if SETTINGS not in meta:
        meta[SETTINGS] = Settings(no_color=bool(os.environ.get("NO_COLOR")))
    found: Settings = meta[SETTINGS]
    return found


def _store(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    settings = settings_of(ctx)
    if value not in (None, False) and param.name:
        setattr(settings, param.name.removeprefix("global_"), value)
    if settings.no_color:
        ctx.find_root().color = False
        ctx.color = False
    return value


def _global(*names: str, **more: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_store, **more)


_GLOBALS = (
    _global("-p", "--person", "global_person", metavar="ID", help="Act for this person."),
    _global("--home", "global_home", metavar="DIR", help="Keep everything in this folder."),
    _global("--json", "global_json", is_flag=True, help="Answer with JSON."),
    _global("--plain", "global_plain", is_flag=True, help="Answer with tab-separated values."),
    _global("-q", "--quiet", "global_quiet", is_flag=True, help="Say less."),
    _global("-v", "--verbose", "global_verbose", is_flag=True, help="Say more."),
    _global("--debug", "global_debug", is_flag=True, help="Show a traceback for an error."),
    _global("--no-input", "global_no_input", is_flag=True, help="Never ask anything."),
    _global("-y", "--yes", "global_yes", is_flag=True, help="Answer yes to simple questions."),
    _global("--offline", "global_offline", is_flag=True, help="Open no network connection."),
    _global("--no-color", "global_no_color", is_flag=True, help="Use no colour."),
)


def global_options(command: F) -> F:
    """Accept the global options on this command too; they are kept in `settings_of(ctx)`."""
    for option in reversed(_GLOBALS):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Which companies or cases a command is about; empty fields mean: no limit."""

    slugs: tuple[str, ...] = ()
    everything: bool = False
    only: frozenset[str] = field(default_factory=frozenset)
    exclude: frozenset[str] = field(default_factory=frozenset)
    category: str | None = None
    country: str | None = None
    law: str | None = None
    right: str | None = None
    status: str | None = None
    overdue: bool = False
    due_days: int | None = None
    limit: int | None = None

    @property
    def names_companies(self) -> bool:
        """Whether the user said at all which companies they mean."""
        return bool(self.slugs or self.everything or self.only or self.category or self.country)


def _list(text: str | None) -> frozenset[str]:
    return frozenset(part.strip() for part in (text or "").split(",") if part.strip())


def _days(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if not value.removesuffix("d").isdigit():
        raise click.BadParameter(f"{value!r} is not a number of days such as 7d", ctx, param)
    return int(value.removesuffix("d"))


_SELECTORS = (
    click.argument("slugs", nargs=-1, metavar="[SLUG]..."),
    click.option("--all", "everything", is_flag=True,
                 help="All of the chosen set, after exclusions."),
    click.option("--only", metavar="A,B", help="Only these companies."),
    click.option("--exclude", metavar="A,B", help="Not these companies."),
    click.option("--category", metavar="C", help="Only companies of this category."),
    click.option("--country", metavar="CC", help="Only companies seated there."),
    click.option("--law", metavar="ID", help="Only under this law."),
    click.option("--right", metavar="R", help="Only this right."),
    click.option("--status", metavar="S", help="Only cases that stand so."),
    click.option("--overdue", is_flag=True, help="Only cases past their due date."),
    click.option("--due", "due_days", metavar="7d", callback=_days,
                 help="Only cases due within so many days."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many."),
)
_NAMES = ("slugs", "everything", "only", "exclude", "category", "country", "law", "right", "status",
          "overdue", "due_days", "limit")


def selectors(command: F) -> F:
    """Add the selectors to a command; it receives them as one `wanted: Selector`."""
    import functools

    @functools.wraps(command)
    def call(*args: Any, **named: Any) -> Any:
        chosen = {name: named.pop(name) for name in _NAMES}
        for name in ("only", "exclude"):
            chosen[name] = _list(chosen[name])
        return command(*args, wanted=Selector(**chosen), **named)

    result: Any = call
    for option in reversed(_SELECTORS):
        result = option(result)
    decorated: F = result
    return decorated
