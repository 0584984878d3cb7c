"""`dsar init`: a person, a mailbox and a first list, in at most five questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App, pass_app
from dsar.cli.options import global_options
from dsar.cli.setup import AccountWish, account_options, save_account
from dsar.core.subject import DataSubject, Place
from dsar.errors import DsarError, UsageProblem

if TYPE_CHECKING:
    from dsar.cli.wizard import Wizard
    from dsar.mail.account import Account
    from dsar.mail.secret import Secret


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
    from dsar.cli.wizard import Wizard, given_secret_works

    app.needs_network()
    chosen = _companies(app, companies)
    given_secret_works(app, AccountWish(name=ACCOUNT, address=email or "", **given))
    wizard = Wizard(app)
    try:
        person = _person(app, wizard, person_id, (name, email, residence), languages, address)
        account = _account(wizard, person, given)
    except (DsarError, click.Abort, KeyboardInterrupt):
        if again := wizard.once_more():
            app.say(f"\nNothing was saved. What you typed, to go on from here:\n  {again}")
        raise
    _save(app, person, account, chosen)
    app.say(f"Set up: {person.id}, account {account.name}; letters in "
            f"{', '.join(person.languages)}.")
    app.next("dsar send --all -n")


ACCOUNT = "main"


def _person(
    app: App, wizard: Wizard, id: str, given: tuple[str | None, str | None, str | None],
    languages: tuple[str, ...], address: tuple[str, ...],
) -> DataSubject:
    name, email, residence = given
    named, mail = wizard.name(name), wizard.email(email)
    place = wizard.residence(residence)
    return DataSubject(id=id, name=named, email=mail, residence=place,
                       languages=languages or _usual_languages(app, place), address=address)


def _usual_languages(app: App, place: Place) -> tuple[str, ...]:
    """The one language of the country where it has one and we write it, then English."""
    state = app.laws.states.get(place.country)
    known = state.languages if state is not None and len(state.languages) == 1 else ()
    return tuple(dict.fromkeys([*(x for x in known if x in app.letter_languages), "en"]))


def _companies(app: App, listed: str | None) -> tuple[str, ...]:
    slugs = tuple(s.strip() for s in (listed or "").split(",") if s.strip())
    for slug in slugs:
        app.registry.get(slug)
    return slugs


def _account(wizard: Wizard, person: DataSubject, given: dict[str, Any]) -> Account:
    """The account, tried; a password that was typed is kept only now that it works."""
    from dsar.cli.wizard import working_account

    wish = AccountWish(name=ACCOUNT, address=person.email, display_name=person.name, **given)
    account, typed = working_account(wizard, wish)
    return account if typed is None else _with_kept_password(wizard.app, account, typed)


def _with_kept_password(app: App, account: Account, typed: Secret) -> Account:
    """In the keyring where that was asked for, else in a file of mode 0600."""
    from dsar.cli.signin import keep_password
    from dsar.mail.secret import Keyring, SecretFile

    if not isinstance(account.secret, Keyring):
        file = app.home.config_folder / "secrets" / ACCOUNT
        account = replace(account, secret=SecretFile(file))
    keep_password(account, typed)
    where = "in the keyring" if isinstance(account.secret, Keyring) else (
        f"in {app.home.config_folder / 'secrets' / ACCOUNT}, readable by you alone")
    app.say(f"  password kept {where}")
    return account


def _save(app: App, person: DataSubject, account: Account, chosen: tuple[str, ...]) -> None:
    from dsar.config import write_people

    app.home.create()
    app.config = replace(app.config, chosen=chosen)
    try:
        save_account(app, account)
        write_people(app.home.people, [person])
    except DsarError:
        app.home.config.unlink(missing_ok=True)
        raise
