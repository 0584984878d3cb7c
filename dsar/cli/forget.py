"""`dsar forget`: a person, a company or old cases, for good."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import DoneInPart, NeedsConfirmation, UsageProblem

if TYPE_CHECKING:
    from dsar.keeping.forget import Forgetting, Wanted

_OPTIONS = (
    click.option("--keep-tombstone", is_flag=True,
                 help="Keep salted hashes, so that no second request goes out too early."),
    click.option("-n", "--dry-run", is_flag=True, help="Show what would go; remove nothing."),
)


@click.group()
@global_options
def forget() -> None:
    """Remove a person, a company or old cases for good, with all mail.

    Cases of a campaign are not touched: `dsar campaign forget` removes a member.
    """


def _options(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@forget.command()
@click.argument("person_id", metavar="ID")
@_options
@global_options
@pass_app
def person(app: App, person_id: str, *, keep_tombstone: bool, dry_run: bool) -> None:
    """Forget a person: entry, cases, mail, and the account that was theirs alone."""
    from dsar.keeping.forget import Person

    _refuse_member(app, person_id)
    _forget(app, Person(person_id), keep_tombstone=keep_tombstone, dry_run=dry_run)


def _refuse_member(app: App, person_id: str) -> None:
    """Raise UsageProblem for the code of a member: more than cases is kept of one."""
    with app.reading() as store:
        campaigns = [g.campaign for g in store.glances()
                     if g.campaign and g.subject_id == person_id]
    if campaigns:
        raise UsageProblem(f"{person_id} is a member of campaign {campaigns[0]}.",
                           hint=f"dsar campaign forget {campaigns[0]} {person_id}")


@forget.command()
@click.argument("slug", metavar="SLUG")
@_options
@global_options
@pass_app
def company(app: App, slug: str, *, keep_tombstone: bool, dry_run: bool) -> None:
    """Forget a company: cases, mail, and what you added about it to the registry.

    If you have excluded it, it stays excluded.
    """
    from dsar.keeping.forget import Company

    _forget(app, Company(slug), keep_tombstone=keep_tombstone, dry_run=dry_run)


@forget.command(name="older-than")
@click.argument("age", metavar="DATE|18m")
@_options
@global_options
@pass_app
def older_than(app: App, age: str, *, keep_tombstone: bool, dry_run: bool) -> None:
    """Forget closed cases in which nothing has happened since; open cases stay.

    DATE is such as 2025-06-30; 18m are months, 2y years, 90d days before today.
    """
    from dsar.keeping.forget import OlderThan

    wanted = OlderThan(day_of(age, app.today))
    _forget(app, wanted, keep_tombstone=keep_tombstone, dry_run=dry_run)


def day_of(age: str, today: date) -> date:
    """Return the date written as such or as an age. Raises UsageProblem for anything else."""
    written = re.fullmatch(r"(\d{1,4})([dmy])", age.strip())
    try:
        if written is None:
            return date.fromisoformat(age.strip())
        count, unit = int(written[1]), written[2]
        if unit == "d":
            return today - timedelta(days=count)
        months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
        first = date(months // 12, months % 12 + 1, 1)
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return first.replace(day=min(today.day, last.day))
    except (ValueError, OverflowError):
        raise UsageProblem(f"{age!r} is neither a date such as 2025-06-30 nor an age such as 18m."
                           ) from None


def _forget(app: App, wanted: Wanted, *, keep_tombstone: bool, dry_run: bool) -> None:
    from dsar.keeping.forget import forget as remove
    from dsar.keeping.forget import plan_forgetting
    from dsar.keeping.traces import traces

    own = own_companies(app)
    if dry_run:
        with app.reading() as store:
            _show(app, plan_forgetting(wanted, store, app.config, own_companies=own), done=False)
        return
    with app.home.working(), app.writing() as store:
        going = plan_forgetting(wanted, store, app.config, own_companies=own)
        if going.is_nothing:
            _show(app, going, done=True)
            return
        if not app.settings.json:
            _show(app, going, done=False)
        _confirm(app)
        remove(going, app.home, store, app.archive, app.config, today=app.today,
               keep_tombstones=keep_tombstone, stay_excluded=_excluded(app, going.companies))
        left = list(traces(app.home, store, app.archive, going.needles))
    _report(app, going, left)


def own_companies(app: App) -> frozenset[str]:
    """Slugs of the user's own part of the registry."""
    from dsar.registry.load import parsed

    if not app.home.overlay.exists():
        return frozenset()
    raw = app.home.overlay.read_bytes()
    return frozenset(parsed(raw, name=str(app.home.overlay), partial=True))


def _excluded(app: App, slugs: Collection[str]) -> list[str]:
    """Those of dsar's own companies that the user has excluded."""
    from dsar import shipped
    from dsar.registry.load import load_registry

    if not slugs:
        return []
    known = load_registry(shipped.companies())
    return [s for s in slugs if s in known and s in app.registry
            and app.registry.get(s).excluded is not None]


def _confirm(app: App) -> None:
    if app.settings.yes:
        return
    if not app.can_ask:
        raise NeedsConfirmation("This cannot be undone, and nobody can be asked.",
                                hint="Look with -n, then give --yes.")
    answer = click.prompt("Type forget to remove this for good, anything else stops",
                          default="", show_default=False, err=True)
    if answer.strip() != "forget":
        raise click.Abort


def _items(going: Forgetting) -> list[dict[str, Any]]:
    return [{"case": c.id, "company": c.facts.controller, "person": c.facts.subject_id,
             "right": c.facts.right, "closed": c.closed.on if c.closed else None}
            for c in going.cases]


def _summary(going: Forgetting, left: Collection[str]) -> dict[str, Any]:
    return {"cases": len(going.cases), "mails": len(going.mails), "shared": len(going.shared),
            "waiting": len(going.waiting), "accounts": len(going.accounts), "left": list(left)}


def _show(app: App, going: Forgetting, *, done: bool) -> None:
    from dsar.report.terminal import row

    if app.settings.json:
        app.emit("forget", _items(going), _summary(going, ()))
        return
    if going.is_nothing:
        click.echo("Nothing to forget.")
        return
    for case in going.cases:
        state = f"closed {case.closed.on}" if case.closed else "still open"
        click.echo(row(("", 2), (case.id, 11), (case.facts.controller_name, 28),
                       (case.facts.right, 12), last=state))
    for line in _lines(going):
        click.echo(line)


def _lines(going: Forgetting) -> list[str]:
    found = [f"{len(going.cases)} cases with {len(going.mails)} mails"]
    if going.person is not None:
        found.append(f"the entry {going.person.id} in people.yaml")
    found += [f"account {name} with its password file" for name in going.accounts]
    found += [f"your own entries about {slug}" for slug in sorted(going.companies)]
    lines = [f"To be removed: {', '.join(found)}."]
    if going.shared:
        lines.append(f"{len(going.shared)} mails also belong to cases that stay, and stay there.")
    return [*lines, "Your mailbox, backups and exports are not touched."]


def _report(app: App, going: Forgetting, left: Collection[str]) -> None:
    if app.settings.json:
        app.emit("forget", _items(going), _summary(going, left))
    else:
        click.echo(f"Forgotten: {len(going.cases)} cases, {len(going.mails)} mails.")
    app.next("dsar status")
    if left:
        listed = "".join(f"\n  {place}" for place in left)
        raise DoneInPart(f"It is removed, but traces stand in what stays:{listed}",
                         hint="Look at each of these; what is not a case is yours to edit.")
