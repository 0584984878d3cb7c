"""`dsar init`: a person, a mailbox and a first list, in at most five questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.cli.setup import (
    AccountWish,
    account_options,
    build_account,
    save_account,
    show_test,
    test_account,
)
from dsar.core.subject import DataSubject, Place
from dsar.errors import DsarError, LoginRefused, NeedsConfirmation, UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account

TRIES = 3


@click.command()
@click.option("--id", "person_id", default="me", show_default=True, help="Short name for you.")
@click.option("--name", help="Your name as it should stand in letters.")
@click.option("--email", help="Your address: letters go out from it.")
@click.option("--residence", metavar="CC[-SUB]", help="Where you live, such as DE-BE or US-CA.")
@click.option("--language", "languages", multiple=True, metavar="XX", help="Best first.")
@click.option("--address", "address", multiple=True, metavar="LINE",
              help="A line of your postal address; told only where a company needs it.")
@click.option("--companies", metavar="A,B", help="Only these; without it, the whole registry.")
@account_options
@global_options
@pass_app
def init(
    app: App, *, person_id: str, name: str | None, email: str | None, residence: str | None,
    languages: tuple[str, ...], address: tuple[str, ...], companies: str | None, **given: Any,
) -> None:
    """Set up a person, a mailbox and a first list.

    Asks what is not given: at most five questions. Servers of common providers are known.
    Reading and sending are tried apart before anything is saved; nothing is overwritten.
    """
    if app.config.people or app.config.accounts:
        raise UsageProblem("There is a set-up already; it is not overwritten.",
                           hint="dsar person edit, dsar account add, or edit config.yaml")
    chosen = _companies(app, companies)
    person = DataSubject(
        id=person_id, name=_ask(app, name, "--name", "Your name, as in letters (Alex Example)"),
        email=_asked_mail(app, email), residence=_asked_place(app, residence),
        languages=languages or ("en",), address=address,
    )
    account = _working_account(app, person, given)
    _save(app, person, account, chosen)
    app.say(f"Set up: {person.id}, account {account.name}.")
    app.next("dsar send --all -n")


def _ask(app: App, given: str | None, option: str, question: str) -> str:
    if given and given.strip():
        return given.strip()
    if not app.can_ask:
        raise NeedsConfirmation(f"{option} is missing, and nobody can be asked.",
                                hint=f"Give {option}.")
    answer = ""
    while not answer:
        answer = str(click.prompt(question, err=True)).strip()
    return answer


def _asked_mail(app: App, given: str | None) -> str:
    for _ in range(TRIES):
        address = _ask(app, given, "--email", "Your e-mail address (alex@example.org)")
        local, at, domain = address.rpartition("@")
        if local and at and "." in domain and not any(c.isspace() for c in address):
            return address
        if given or not app.can_ask:
            raise UsageProblem(f"{address!r} is no mail address.")
        app.say("  That is no mail address; it looks like alex@example.org.")
    raise UsageProblem("No mail address was given.")


def _asked_place(app: App, given: str | None) -> Place:
    for _ in range(TRIES):
        text = _ask(app, given, "--residence", "Where you live (DE, FR, GB, CH, US-CA, DE-BE)")
        try:
            return Place.parse(text)
        except ValueError as error:
            if given or not app.can_ask:
                raise UsageProblem(f"{error}.") from None
            app.say(f"  {error}.")
    raise UsageProblem("No country was given.")


def _companies(app: App, listed: str | None) -> tuple[str, ...]:
    slugs = tuple(s.strip() for s in (listed or "").split(",") if s.strip())
    for slug in slugs:
        app.registry.get(slug)
    return slugs


def _working_account(app: App, person: DataSubject, given: dict[str, Any]) -> Account:
    """The account, tried; a wrong password may be given again."""
    given = _with_servers(app, person.email, given)
    account = build_account(app, AccountWish(
        name="main", address=person.email, display_name=person.name, **given))
    for attempt in range(1, TRIES + 1):
        with_secret = _with_password(app, account)
        results = test_account(app, with_secret)
        if show_test(app, with_secret, results):
            return with_secret
        first = next(error for error in results.values() if error is not None)
        if attempt == TRIES or not app.can_ask or not isinstance(first, LoginRefused):
            _forget_password(app)
            raise first
    raise AssertionError("the loop returns or raises")


def _with_servers(app: App, address: str, given: dict[str, Any]) -> dict[str, Any]:
    """Ask for the servers where neither the user nor the table of providers names them."""
    from dsar.mail.providers import provider_for

    if (given["smtp"] and given["imap"]) or provider_for(address) or not app.can_ask:
        return given
    domain = address.rpartition("@")[2]
    app.say(f"  {domain} is not in our table of providers.")
    answer = click.prompt("IMAP and SMTP server (imap.example.org smtp.example.org)", err=True)
    imap, _, smtp = str(answer).strip().partition(" ")
    return given | {"imap": imap, "smtp": smtp.strip() or imap}


def _password_file(app: App) -> Path:
    return app.home.config_folder / "secrets" / "main"


def _with_password(app: App, account: Account) -> Account:
    """Ask for the password once and keep it in a file of mode 0600, where no source is given."""
    from dataclasses import replace

    from dsar.home import write_private
    from dsar.mail.secret import Prompt, SecretFile

    asked = isinstance(account.secret, Prompt) and app.can_ask and account.auth != "none"
    if not asked:
        return account
    password = click.prompt(f"Password or app password for {account.address}", hide_input=True,
                            err=True)
    write_private(_password_file(app), str(password).encode())
    app.say(f"  kept in {_password_file(app)}, readable by you alone")
    return replace(account, secret=SecretFile(_password_file(app)))


def _forget_password(app: App) -> None:
    _password_file(app).unlink(missing_ok=True)


def _save(app: App, person: DataSubject, account: Account, chosen: tuple[str, ...]) -> None:
    from dataclasses import replace

    from dsar.config import write_people

    app.home.create()
    app.config = replace(app.config, chosen=chosen)
    try:
        save_account(app, account)
        write_people(app.home.people, [person])
    except DsarError:
        app.home.config.unlink(missing_ok=True)
        raise
