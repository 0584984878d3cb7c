"""`dsar registry`: whom to write to, from where we know it, and how fresh it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.core.contact import contact_problem, usable_email, what_can_be_done
from dsar.core.controller import CATEGORIES, Controller
from dsar.errors import FileProblems, Problem

if TYPE_CHECKING:
    from dsar.core.expect import Expectation
    from dsar.registry.load import Registry

COLUMNS = ("company", "name", "country", "categories", "status", "to", "checked", "problem")


@click.group()
@global_options
def registry() -> None:
    """Companies: whom to write to, from where we know it, and how fresh that is."""


def pulled_folder(app: App) -> Path:
    """Where the pulled lists lie."""
    return app.home.pulled


def everything(app: App) -> Registry:
    """The registry with the pulled lists merged in; those are shown, and not written to."""
    return app.registry_with_pulled


@registry.command(name="list")
@click.option("--category", type=click.Choice(CATEGORIES), metavar="C",
              help="Only companies of this category.")
@click.option("--country", metavar="CC", help="Only companies seated there.")
@click.option("--law", metavar="ID", help="Only companies bound by this law.")
@click.option("--pulled", is_flag=True, help="Also what was pulled from public lists.")
@click.option("--held", is_flag=True, help="Only those no letter goes to as things stand.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@global_options
@pass_app
def list_companies(
    app: App, *, category: str | None, country: str | None, law: str | None, pulled: bool,
    held: bool, limit: int | None,
) -> None:
    """List the companies, one line each."""
    found = [c for c in (everything(app) if pulled else app.registry)
             if category in (None, *c.categories) and law in (None, *c.laws)
             and (country is None or (c.country or "").split("-")[0] == country.upper())
             and not (held and _problem(c, app) is None)]
    _show_list(app, found[:limit], "companies")


@registry.command()
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@click.option("--limit", type=click.IntRange(min=1), default=25, metavar="N",
              help="At most so many (25).")
@global_options
@pass_app
def search(app: App, *, words: tuple[str, ...], limit: int) -> None:
    """Find companies by name, brand, alias, address or domain; the best match first."""
    found = everything(app).search(" ".join(words))
    _show_list(app, found[:limit], "companies")
    if not found:
        app.say("Nothing found. `dsar registry add SLUG --name NAME --email ADDRESS` adds one.")
    elif len(found) > limit:
        app.say(f"{len(found) - limit} more; --limit shows them.")


def _show_list(app: App, found: list[Controller], noun: str) -> None:
    items = [_item(c, app) for c in found]
    if app.settings.json:
        usable = sum(item["problem"] is None for item in items)
        app.emit(noun, items, {"total": len(items), "can_be_written_to": usable})
    elif app.settings.plain:
        app.emit_rows(COLUMNS, items)
    else:
        for line in _table(items):
            click.echo(line)


def _item(controller: Controller, app: App) -> dict[str, Any]:
    usable = usable_email(controller, None, app.today)
    contact = usable or next(iter(controller.emails()), None)
    return {
        "company": controller.slug, "name": controller.name, "country": controller.country,
        "categories": list(controller.categories), "status": controller.status,
        "to": contact.value if contact else None,
        "checked": (contact.checked_as or None) if contact else None,
        "problem": _problem(controller, app),
    }


def _problem(controller: Controller, app: App) -> str | None:
    """Why no letter goes to this company by e-mail as things stand, or None."""
    if controller.excluded is not None:
        return f"excluded: {controller.excluded}"
    if not controller.contactable:
        return f"see {controller.successor}" if controller.successor else "no contact"
    problems = [contact_problem(c, app.today) for c in controller.emails()]
    if None in problems:
        return None
    if problems:
        return problems[0]
    for kind, text in (("webform", "web form only"), ("post", "post only")):
        if controller.contact(kind) is not None:
            return text
    return "no contact"


def _table(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    from dsar.report.terminal import row

    for item in items:
        state = item["problem"] or f"ok ({item['checked']})"
        to = item["to"] or ""
        yield row((item["company"], 25), (item["country"] or "", 3), (to, 30), last=state)


@registry.command()
@click.argument("slug")
@click.option("--expect", is_flag=True, help="Also what usually happens, from your own cases.")
@global_options
@pass_app
def show(app: App, *, slug: str, expect: bool) -> None:
    """Show all we know about one company, with the source of each contact."""
    known = app.registry if slug in app.registry else everything(app)
    controller = known.get(slug)
    if app.settings.json:
        item = {"company": slug, **known.entry(slug)}
        item["to_do"] = what_can_be_done(controller, app.today)
        if expect:
            item["expect"] = asdict(found) if (found := _expected(app, known, slug)) else None
        app.emit("company", [item], {"total": 1})
        return
    if app.settings.plain:
        app.emit_rows(COLUMNS, [_item(controller, app)])
        return
    together = [c.slug for c in known.group_of(controller) if c.slug != slug]
    for line in _sheet(controller, together, app):
        click.echo(line)
    if expect:
        from dsar.core.expect import in_words

        for line in _folded("Expect", in_words(_expected(app, known, slug))):
            click.echo(line)


def _expected(app: App, known: Registry, slug: str) -> Expectation | None:
    """What happened to the requests to this company and those served with it."""
    from dsar.core.expect import expectation

    if not app.home.ledger.exists():
        return None
    slugs = frozenset(c.slug for c in known.group_of(known.get(slug)))
    with app.reading() as store:
        return expectation(store.cases(), slugs)


def _sheet(controller: Controller, together: list[str], app: App) -> Iterator[str]:
    for label, text in _facts(controller, together, app):
        yield from _folded(label, text)


def _folded(label: str, text: str) -> Iterator[str]:
    """A label and its text, in lines of 80 columns; a link is never broken."""
    import textwrap

    from dsar.report.terminal import printable

    body = textwrap.wrap(printable(text), 64, break_on_hyphens=False,
                         break_long_words=False) or [""]
    yield f"{label:<15} {body[0]}"
    yield from (f"{'':<15} {more}" for more in body[1:])


def _facts(
    controller: Controller, together: list[str], app: App
) -> Iterator[tuple[str, str]]:
    """Label and text of each line that has something to say."""
    rows: list[tuple[str, str]] = [
        (controller.slug, controller.name),
        ("What to do", what_can_be_done(controller, app.today)),
        ("Legal entity", controller.legal_entity or ""),
        ("Brands", ", ".join((*controller.brands, *controller.aliases))),
        ("Kind", ", ".join(controller.categories)
         + (" (public body)" if controller.public_body else "")),
        ("Seat", controller.country or "unknown"),
        ("Status", controller.status if controller.status != "active" else ""),
        ("In use", controller.in_use or ""),
        ("Laws", ", ".join(controller.laws)),
        ("Served together", ", ".join(together)),
        *(_contact_row(c, app) for c in controller.contacts),
        ("Asks for", "; ".join(" or ".join(kinds) for kinds in controller.identifiers)),
        ("May ask later", ", ".join(controller.identifiers_on_demand)),
        ("ID document", controller.id_document if controller.id_document != "unknown" else ""),
        ("Authority", controller.lead_authority or ""),
        ("Replies from", ", ".join((*controller.reply_mailboxes, *controller.reply_domains))
         + (" (shared with others)" if controller.shared_domain else "")),
        ("Registered in", ", ".join(controller.brokers_registered_in)),
        *(("Decision", f"{d.date} {d.authority}: {d.what} [{d.source}]")
          for d in controller.enforcement),
        *(("Another source", f"{c.field} {_line(c.value)} [{c.source}]; not written to")
          for c in controller.conflicts),
        ("Notes", controller.notes or ""),
        ("Pulled from", ", ".join(controller.pulled_from)),
    ]
    return ((label, text) for label, text in rows if text)


def _contact_row(contact: Any, app: App) -> tuple[str, str]:
    problem = contact_problem(contact, app.today)
    state = f"held back: {problem}" if problem else "ok"
    when = f", checked {contact.checked_as}" if contact.checked_as else ""
    since = f", unchanged since {contact.since}" if contact.since else ""
    right = f" ({contact.right})" if contact.right else ""
    name = f"{contact.name}, " if contact.name else ""
    label = contact.kind.replace("representative-", "rep. ") + right
    return label, f"{name}{_line(contact.value)} [{contact.source}{when}{since}] {state}"


def _line(text: str) -> str:
    return " / ".join(text.splitlines())


@registry.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False,
                                                         path_type=Path))
@click.option("--doubts/--no-doubts", default=True,
              help="Also what is no mistake, but worth a look (stale, personal, free mail).")
@click.option("--mx", is_flag=True, help="Also ask the DNS whether each domain takes mail.")
@click.option("--web", is_flag=True, help="Also ask each web form whether it answers.")
@global_options
@pass_app
def check(app: App, *, file: Path | None, doubts: bool, mx: bool, web: bool) -> None:
    """Check the registry, or FILE: each problem with its line and the fix proposed.

    The exit status is 6 where there are mistakes; doubts alone leave it at 0. Only --mx and
    --web use the network: they tell the DNS, and the companies' sites, whom you look at.
    """
    from dsar import shipped
    from dsar.registry.check import check as check_file

    overlay = None if file else app.home.overlay
    found = check_file(file or shipped.companies(), overlay, today=app.today)
    if mx or web:
        app.needs_network()
        found.doubts += _looked_up(file or shipped.companies(), overlay, mx=mx, web=web)
    shown = found.mistakes + (found.doubts if doubts else [])
    if app.settings.json or app.settings.plain:
        items = [{"path": p.path, "line": p.line, "slug": p.slug, "problem": p.message,
                  "hint": p.hint} for p in shown]
        if app.settings.json:
            app.emit("problems", items,
                     {"mistakes": len(found.mistakes), "doubts": len(found.doubts)})
        else:
            app.emit_rows(("path", "line", "slug", "problem", "hint"), items)
    else:
        _show_problems(shown)
        app.say(f"{len(found.mistakes)} to mend, {len(found.doubts)} worth a look.")
    if found.mistakes:
        click.get_current_context().exit(FileProblems.exit_status)


def _looked_up(path: Path, overlay: Path | None, *, mx: bool, web: bool) -> list[Problem]:
    from dsar.registry.check import contact_values
    from dsar.registry.lookups import looked_up, mail_look, web_look

    contacts = contact_values(path, overlay)
    domains = [(at, value.rpartition("@")[2]) for at, kind, value in contacts
               if kind in ("email", "dpo")]
    pages = [(at, value) for at, kind, value in contacts if kind == "webform"]
    found = []
    for wanted, look, places in ((mx, mail_look, domains), (web, web_look, pages)):
        problems = dict(looked_up(look(), (thing for _, thing in places))) if wanted else {}
        found += [replace(at, message=f"{at.slug}: {thing} {problems[thing]}",
                          hint="Find another contact.")
                  for at, thing in places if thing in problems]
    return sorted(found)


def _show_problems(shown: Iterable[Any]) -> None:
    from dsar.report.terminal import printable

    seen: Counter[str] = Counter()
    for problem in shown:
        click.echo(printable(str(problem)))
        seen[problem.hint] += 1
        if problem.hint and seen[problem.hint] == 1:
            click.echo(f"    {printable(problem.hint)}")


def _more() -> None:
    """The commands that change the registry have files of their own."""
    from dsar.cli import registry_edit, registry_pull

    for command in (*registry_pull.COMMANDS, *registry_edit.COMMANDS):
        registry.add_command(command)


_more()
