"""`dsar person`: the people the letters are for."""

from __future__ import annotations

from dataclasses import replace

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.config import person_as_data, write_people
from dsar.core.controller import IDENTIFIER_KINDS
from dsar.core.subject import DataSubject, Identifier, Place
from dsar.errors import UsageProblem


@click.group()
@global_options
def person() -> None:
    """People the letters are for."""


_FIELDS = (
    click.option("--name", help="As it should stand in letters."),
    click.option("--email", help="The address companies know them by."),
    click.option("--residence", metavar="CC[-SUB]", help="Where they live, such as DE-BE."),
    click.option("--language", "languages", multiple=True, metavar="XX", help="Best first."),
    click.option("--address", "address", multiple=True, metavar="LINE",
                 help="A line of the postal address; repeat it."),
    click.option("--identifier", "identifiers", multiple=True, metavar="KIND=VALUE",
                 help="Something a company may know them by, such as phone=+49 30 5550."),
)


def _fields(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@person.command()
@click.argument("person_id", metavar="ID")
@_fields
@global_options
@pass_app
def add(app: App, person_id: str, *, name: str | None, email: str | None, residence: str | None,
        languages: tuple[str, ...], address: tuple[str, ...], identifiers: tuple[str, ...]) -> None:
    """Add a person."""
    if not (name and email and residence):
        raise UsageProblem("A person needs --name, --email and --residence.")
    if any(p.id == person_id for p in app.config.people):
        raise UsageProblem(f"There is a person {person_id!r} already.",
                           hint=f"dsar person edit {person_id}")
    fresh = DataSubject(
        id=person_id, name=name, email=_mail(email), residence=_place(residence),
        languages=languages or ("en",), address=address,
        identifiers=tuple(map(_identifier, identifiers)),
    )
    app.home.create()
    write_people(app.home.people, [*app.config.people, fresh])
    app.say(f"Added {person_id}.")
    app.next("dsar account add" if not app.config.accounts else "dsar send --all -n")


@person.command()
@click.argument("person_id", metavar="ID")
@_fields
@click.option("--forget", "forgotten", multiple=True, metavar="KIND", help="Remove identifiers.")
@global_options
@pass_app
def edit(app: App, person_id: str, *, name: str | None, email: str | None, residence: str | None,
         languages: tuple[str, ...], address: tuple[str, ...], identifiers: tuple[str, ...],
         forgotten: tuple[str, ...]) -> None:
    """Change what is known of a person; only what is given changes."""
    old = app.config.person(person_id)
    fresh = tuple(map(_identifier, identifiers))
    replaced = {i.kind for i in fresh} | set(forgotten)
    changed = replace(
        old, name=name or old.name, email=_mail(email) if email else old.email,
        residence=_place(residence) if residence else old.residence,
        languages=languages or old.languages, address=address or old.address,
        identifiers=(*(i for i in old.identifiers if i.kind not in replaced), *fresh),
    )
    write_people(app.home.people, [changed if p.id == person_id else p for p in app.config.people])
    app.say(f"Changed {person_id}.")
    app.next(f"dsar person show {person_id}")


@person.command(name="list")
@global_options
@pass_app
def list_people(app: App) -> None:
    """List the people."""
    items = [{"id": p.id, "name": p.name, "residence": str(p.residence)}
             for p in app.config.people]
    if app.settings.json:
        app.emit("people", items)
    elif app.settings.plain:
        app.emit_rows(("id", "name", "residence"), items)
    else:
        for item in items:
            click.echo(f"{item['id']:16}{item['residence']:10}{item['name']}")
        if not items:
            click.echo("No person yet: dsar person add ID --name … --email … --residence CC")


@person.command()
@click.argument("person_id", metavar="[ID]", required=False)
@global_options
@pass_app
def show(app: App, person_id: str | None) -> None:
    """Show one person, with every identifier and who may learn it."""
    found = app.config.person(person_id or app.settings.person)
    if app.settings.json:
        app.emit("person", [person_as_data(found)])
        return
    if app.settings.plain:
        app.emit_rows(("id", "name", "email", "residence", "languages", "address"),
                      [person_as_data(found)])
        return
    click.echo(f"{found.id}: {found.name} <{found.email}>, {found.residence}")
    for line in found.address:
        click.echo(f"  {line}")
    for identifier in found.identifiers:
        click.echo(f"  {identifier.kind}: {identifier.value} (told to: {identifier.tell})")


def _mail(text: str) -> str:
    local, at, domain = text.strip().rpartition("@")
    if not (local and at and domain) or any(c.isspace() for c in text.strip()):
        raise UsageProblem(f"{text!r} is no mail address.")
    return text.strip()


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError as error:
        raise UsageProblem(f"{error}.") from None


def _identifier(text: str) -> Identifier:
    kind, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise UsageProblem(f"{text!r} is not KIND=VALUE.")
    if kind not in IDENTIFIER_KINDS:
        raise UsageProblem(f"{kind!r} is no kind of identifier.",
                           hint=f"Known: {', '.join(IDENTIFIER_KINDS)}")
    return Identifier(kind, value.strip())
