"""`dsar registry add|exclude|verify|import|export`: the user's own part of the registry."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.errors import UsageProblem

FORMATS = ("yaml", "json", "csv", "json-schema")
CSV_COLUMNS = ("slug", "name", "legal_entity", "country", "email", "webform", "web", "status",
               "group", "source", "checked")


@click.command()
@click.argument("slug")
@click.option("--name", metavar="NAME", help="The company's name (needed for a new one).")
@click.option("--email", metavar="ADDRESS", help="Where it takes requests.")
@click.option("--webform", metavar="URL", help="The form it takes requests with.")
@click.option("--web", metavar="URL", help="Its web site.")
@click.option("--country", metavar="CC", help="Where it is seated (ISO 3166).")
@click.option("--source", metavar="TEXT", default="entered by you",
              help="Where you have the contact from.")
@global_options
@pass_app
def add(
    app: App, *, slug: str, name: str | None, email: str | None, webform: str | None,
    web: str | None, country: str | None, source: str,
) -> None:
    """Add a company, or a contact to one that is known."""
    from dsar.registry.overlay import edit, new_entry

    known = slug in app.registry
    if not known and name is None:
        raise UsageProblem(f"{slug} is new: it needs a --name.",
                           hint="`dsar registry search WORD` finds those that are known.")
    entry = new_entry(name=name or app.registry.get(slug).name, email=email, webform=webform,
                      web=web, country=country, source=source, today=app.today)
    if known:
        if not entry.get("contacts"):
            raise UsageProblem("Nothing to add: give --email or --webform.")
        entry = {"contacts": entry["contacts"]}
    edit(app.home.overlay, {slug: entry})
    app.say(f"{slug} is in {app.home.overlay}.")
    app.next(f"dsar registry show {slug}")


@click.command()
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@click.option("--reason", metavar="TEXT", default="excluded by you", help="Why (for yourself).")
@click.option("--undo", is_flag=True, help="Write to them again.")
@global_options
@pass_app
def exclude(app: App, *, slugs: tuple[str, ...], reason: str, undo: bool) -> None:
    """Never write to these companies."""
    from dsar.registry.overlay import edit

    for slug in slugs:
        app.registry.get(slug)
    edit(app.home.overlay, {slug: {"excluded": None if undo else reason} for slug in slugs})
    app.say(f"{len(slugs)} {'included again' if undo else 'excluded'}.")
    app.next("dsar registry list --held")


@click.command(name="in-use")
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@click.option("--reason", metavar="TEXT", default="by you", show_default=True,
              help="What for, such as: my bank.")
@click.option("--undo", is_flag=True, help="You use them no longer.")
@global_options
@pass_app
def in_use(app: App, *, slugs: tuple[str, ...], reason: str, undo: bool) -> None:
    """Mark companies that you use: no erasure goes there by itself."""
    from dsar.registry.overlay import edit

    known = app.registry_with_pulled
    for slug in slugs:
        known.get(slug)
    pulled = [slug for slug in slugs if slug not in app.registry]
    if pulled:
        raise UsageProblem(f"{pulled[0]} stands in a pulled list only.",
                           hint=f"dsar registry verify {pulled[0]}")
    edit(app.home.overlay, {slug: {"in_use": None if undo else reason} for slug in slugs})
    app.say(f"{len(slugs)} {'not in use any more' if undo else 'marked as in use'}.")
    app.next("dsar send --all --right erasure -n")


@click.command()
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@global_options
@pass_app
def verify(app: App, *, slugs: tuple[str, ...]) -> None:
    """Record that you looked: the contacts stand on the companies' own sites today.

    A company that was pulled from a public list becomes one of your own by this.
    """
    from dsar.registry.overlay import edit

    changes = {slug: _confirmed(app, slug) for slug in slugs}
    for slug, change in changes.items():
        for contact in change["contacts"]:
            app.say(f"{slug}: {contact['kind']} {' / '.join(contact['value'].splitlines())}")
    app.ask_yes("Did you find all of these on the companies' own sites?")
    edit(app.home.overlay, changes)
    app.next("dsar plan")


def _confirmed(app: App, slug: str) -> dict[str, Any]:
    from dsar.cli.registry import everything
    from dsar.registry.overlay import adopted, verified_contacts

    if slug in app.registry:
        return {"contacts": verified_contacts(app.registry, slug, app.today)}
    pulled = everything(app)
    return adopted(pulled.entry(slug), verified_contacts(pulled, slug, app.today), app.registry)


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@global_options
@pass_app
def import_file(app: App, *, file: Path) -> None:
    """Take companies from a FILE in the form of companies.yaml into your own part."""
    from dsar.registry.load import parsed
    from dsar.registry.overlay import edit

    entries = parsed(file.read_bytes(), name=str(file))
    edit(app.home.overlay, dict(entries))
    app.say(f"{len(entries)} companies taken into {app.home.overlay}.")
    app.next("dsar registry check")


@click.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@click.option("--format", "form", type=click.Choice(FORMATS), default="yaml",
              help="yaml (can be imported again), json, csv, or the JSON Schema for editors.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to a file instead of to the terminal.")
@global_options
@pass_app
def export(app: App, *, slugs: tuple[str, ...], form: str, output: Path | None) -> None:
    """Write the companies, with your edits in them, to a file."""
    for slug in slugs:
        app.registry.get(slug)
    text = _exported(app, slugs or app.registry.slugs(), form)
    if output is None:
        click.echo(text, nl=False)
        return
    from dsar.home import write_private

    write_private(output.absolute(), text.encode())
    app.say(f"Written to {output}.")


def _exported(app: App, slugs: Iterable[str], form: str) -> str:
    from dsar.registry.schema import FORMAT, json_schema

    if form == "json-schema":
        return json.dumps(json_schema(), indent=2) + "\n"
    if form == "csv":
        return _csv(app, slugs)
    whole = {"schema": FORMAT, "companies": {s: dict(app.registry.entry(s)) for s in slugs}}
    if form == "json":
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    from dsar.yamlfile import dump

    return dump(whole)


def _csv(app: App, slugs: Iterable[str]) -> str:
    """One line a company; a cell that a spreadsheet would run gets a quote before it."""
    import csv
    import io

    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(CSV_COLUMNS)
    for slug in slugs:
        company = app.registry.get(slug)
        contact = next(iter(company.emails()), None)
        form = company.contact("webform")
        cells = (slug, company.name, company.legal_entity, company.country,
                 contact.value if contact else "", form.value if form else "", company.web,
                 company.status, company.group, contact.source if contact else "",
                 contact.checked_as if contact else "")
        table.writerow(_inert(cell or "") for cell in cells)
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple("=+-@\t\r") and cell else cell


COMMANDS = (add, exclude, in_use, verify, import_file, export)
