"""The questions of `dsar init`: at most five, each repeated with the reason where it must be."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import click

from dsar.cli.app import App
from dsar.cli.setup import AccountWish, build_account
from dsar.cli.trying import wrapped
from dsar.core.subject import Place
from dsar.errors import (
    DsarError,
    LoginRefused,
    MailServerUnreachable,
    NeedsConfirmation,
    UsageProblem,
)

if TYPE_CHECKING:
    from dsar.mail.account import Account
    from dsar.mail.discover import Found
    from dsar.mail.providers import Provider
    from dsar.mail.secret import Secret

TRIES = 3
_T = TypeVar("_T")
_CLIENT_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ALSO = {"UK": "GB", "EL": "GR"}  # as the EU writes them


class _NotUsable(Exception):
    """What was typed cannot be used; the text says why and how it should look."""


@dataclass
class Wizard:
    """Asks what was not given and remembers what was typed, so that it can be given again."""

    app: App
    typed: list[str] = field(default_factory=list)

    def name(self, given: str | None) -> str:
        """The name as it stands in letters."""
        return self._asked(given, "--name", "Your name, as in letters (Alex Example)", _name)

    def email(self, given: str | None) -> str:
        """An address whose provider can be used at all."""
        return self._asked(given, "--email", "Your e-mail address (alex@example.org)", _address)

    def residence(self, given: str | None) -> Place:
        """A country there is, by its code or its name, with the state where that matters."""
        return self._asked(given, "--residence", "Where you live (DE, FR, GB, CH, US-CA, DE-BE)",
                           lambda text: _place(self.app, text))

    def client_id(self, known: Provider) -> str:
        """The registration under which dsar signs in at Microsoft."""
        self.app.say(wrapped(
            f"{known.name} takes no passwords from mail programs: you sign in with a code in a "
            "browser. For this, dsar needs the client id of a registration at Microsoft; "
            "docs/accounts.md says how to get one. dsar then asks Microsoft for a code."))
        return self._asked(None, "--microsoft", "Client id (8-4-4-4-12 letters and digits)",
                           _client_id)

    def servers(self, wish: AccountWish) -> tuple[AccountWish, Found | None]:
        """Two servers typed, or what a look-up found after the word `look` was typed."""
        domain = wish.address.rpartition("@")[2]
        self.app.say(wrapped(
            f"{domain} is not in our table of providers. Type its two servers, or the word look "
            f"to ask {domain} for them: by DNS, then https. It hears of the domain, not of you."))
        for _ in range(TRIES):
            text = self._question("Servers (imap.example.org smtp.example.org)")
            if text.lower() == "look":
                from dsar.cli.finding import look_up

                found = look_up(self.app, wish)
                if found is not None:
                    return wish, found
                continue
            try:
                return self._typed_servers(wish, text), None
            except UsageProblem as error:
                self.app.say(wrapped(str(error)))
        raise UsageProblem("No servers were given.", hint="Give --imap HOST and --smtp HOST.")

    def password(self, account: Account, known: Provider | None, *, may_go_back: bool) -> str:
        """The password; empty only where that means going back to the servers."""
        word = "Password or app password"
        if known is not None and "password" not in known.login and "app-password" in known.login:
            word = "App password"
        back = "; empty: other servers" if may_go_back else ""
        for _ in range(TRIES):
            typed = str(click.prompt(f"{word} for {account.address} (not shown{back})", default="",
                                     show_default=False, hide_input=True, err=True))
            if typed or may_go_back:
                return typed
            self.app.say("  Nothing was typed; Ctrl-C stops.")
        raise UsageProblem("No password was given.")

    def once_more(self) -> str:
        """The command with everything that was typed, except the password; empty for nothing."""
        return shlex.join(["dsar", *sys.argv[1:], *self.typed]) if self.typed else ""

    def _typed_servers(self, wish: AccountWish, text: str) -> AccountWish:
        words = text.replace(",", " ").split()
        if len(words) > 2:
            raise UsageProblem("That is more than two servers.")
        imap, smtp = words[0], words[-1]
        wished = replace(wish, imap=wish.imap or imap, smtp=wish.smtp or smtp)
        build_account(self.app, wished)
        self._remember("--imap", imap)
        self._remember("--smtp", smtp)
        return wished

    def _asked(
        self, given: str | None, option: str, question: str, check: Callable[[str], _T]
    ) -> _T:
        """A checked option, or an answer. Raises UsageProblem, NeedsConfirmation."""
        if given is not None and given.strip():
            try:
                return check(given.strip())
            except _NotUsable as error:
                raise UsageProblem(f"{option}: {error}") from None
        if not self.app.can_ask:
            raise NeedsConfirmation(f"{option} is missing, and nobody can be asked.",
                                    hint=f"Give {option}.")
        for _ in range(TRIES):
            text = self._question(question)
            try:
                value = check(text)
            except _NotUsable as error:
                self.app.say(wrapped(str(error)))
                continue
            self._remember(option, text)
            return value
        raise UsageProblem(f"No usable answer after {TRIES} tries.", hint=f"Give {option}.")

    def _question(self, question: str) -> str:
        for _ in range(TRIES):
            text = str(click.prompt(question, default="", show_default=False, err=True)).strip()
            if text:
                return text
            self.app.say("  Nothing was typed; Ctrl-C stops.")
        raise UsageProblem("Nothing was typed.")

    def _remember(self, option: str, text: str) -> None:
        """A later answer takes the place of an earlier one."""
        if option in self.typed:
            where = self.typed.index(option)
            del self.typed[where:where + 2]
        self.typed += [option, text]


def _name(text: str) -> str:
    from dsar.mail.wire import Unsendable, refuse_control

    try:
        refuse_control(text, "The name")
    except Unsendable as error:
        raise _NotUsable(str(error)) from None
    if "@" in text:
        raise _NotUsable("That is a mail address; type your name, such as Alex Example.")
    return text


def _address(text: str) -> str:
    from dsar.mail.providers import provider_for
    from dsar.mail.wire import Unsendable, address_on_the_wire

    try:
        wire = address_on_the_wire(text)
    except Unsendable:
        wire = ""
    if "." not in wire.rpartition("@")[2]:
        raise _NotUsable(f"{text[:60]!a} is no mail address; it looks like alex@example.org.")
    known = provider_for(text)
    if known is not None and not known.supported:
        raise _NotUsable(f"{known.name} offers neither IMAP nor SMTP: dsar cannot use this "
                         "address. Use another one.")
    return text


def _place(app: App, text: str) -> Place:
    from dsar.letters.languages import country_codes

    names = country_codes("en", app.template_folders)
    code, dash, part = text.strip().upper().partition("-")
    code = _ALSO.get(code, code)
    if len(code) != 2:
        by_name = [each for language in app.letter_languages
                   for each, name in country_codes(language, app.template_folders).items()
                   if name.casefold() == text.strip().casefold()]
        code, part = (by_name[0], "") if by_name else ("", "")
    if code not in names or (dash and not re.fullmatch(r"[A-Z0-9]{1,3}", part)):
        raise _NotUsable(f"{text[:40]!a} is no country: type its two letters, such as DE, "
                         "or with the state US-CA.")
    if code == "US" and not part:
        raise _NotUsable("In the United States the law depends on the state: US-CA, US-TX, …")
    return Place(code, part or None)


def _client_id(text: str) -> str:
    if not _CLIENT_ID.fullmatch(text):
        raise _NotUsable("That is no client id; it looks like "
                         "00000000-0000-0000-0000-000000000000.")
    return text


# -- the account, tried ---------------------------------------------------------------------------


def working_account(wizard: Wizard, wish: AccountWish) -> tuple[Account, Secret | None]:
    """The account, tried, and the password that was typed and is not kept anywhere yet.

    Wrong servers and a wrong password can be given again; what fails for another reason ends
    here with its error.
    """
    from dsar.cli.finding import servers_are_known

    if servers_are_known(wish):
        return _with_servers(wizard, wish, None, may_go_back=False)
    if not wizard.app.can_ask:
        from dsar.cli.finding import found_servers

        return _with_servers(wizard, wish, found_servers(wizard.app, wish), may_go_back=False)
    for attempt in range(1, TRIES + 1):
        chosen, found = wizard.servers(wish)
        try:
            return _with_servers(wizard, chosen, found, may_go_back=True)
        except _OtherServers:
            continue
        except MailServerUnreachable:
            if attempt == TRIES:
                raise
    raise UsageProblem("No servers were given.", hint="Give --imap HOST and --smtp HOST.")


class _OtherServers(Exception):
    """The person wants to name other servers."""


def _with_servers(
    wizard: Wizard, wish: AccountWish, found: Found | None, *, may_go_back: bool
) -> tuple[Account, Secret | None]:
    from dsar.mail.advice import known_provider

    account = build_account(wizard.app, wish, found)
    known = known_provider(account)
    if _wants_device_code(known, wish, wizard.app) and known is not None:
        return _signed_in(wizard, wish, found, known), None
    asked = _is_asked(wizard.app, account)
    if asked and known is not None and known.before_first_use:
        wizard.app.say(f"  Before the first use, at {known.name}:")
        for step in known.before_first_use:
            wizard.app.say(wrapped(step, "    ", mark="- "))
    for attempt in range(1, TRIES + 1):
        typed = _typed_password(wizard, account, known, may_go_back) if asked else None
        error = _tried(wizard.app, account)
        if error is None:
            return account, typed
        if attempt == TRIES or not asked or not isinstance(error, LoginRefused):
            raise error
    raise AssertionError("the loop returns or raises")


def _typed_password(
    wizard: Wizard, account: Account, known: Provider | None, may_go_back: bool
) -> Secret:
    from dsar.mail.secret import Secret

    password = wizard.password(account, known, may_go_back=may_go_back)
    if not password:
        raise _OtherServers
    wizard.app.secrets[account.name] = Secret(password)
    return wizard.app.secrets[account.name]


def _is_asked(app: App, account: Account) -> bool:
    """Whether the password comes from the keyboard: no source was named, or an empty keyring."""
    from dsar.mail.account import Auth
    from dsar.mail.secret import Keyring, Prompt, stored_in_keyring

    if not app.can_ask or account.auth is Auth.NONE:
        return False
    if isinstance(account.secret, Keyring):
        return stored_in_keyring(account.secret) is None
    return isinstance(account.secret, Prompt)


def _wants_device_code(known: Provider | None, wish: AccountWish, app: App) -> bool:
    if wish.microsoft:
        return True
    own = (wish.auth, wish.token_command, wish.password_command, wish.password_file,
           wish.credential)
    return (known is not None and known.login == ("oauth2",) and app.can_ask
            and bool(known.oauth.get("device_flow")) and not any(own))


def _signed_in(
    wizard: Wizard, wish: AccountWish, found: Found | None, known: Provider
) -> Account:
    """A wrong client id can be given again; the service says so before any code is shown."""
    from dsar.cli.signin import first_sign_in

    for attempt in range(1, TRIES + 1):
        chosen = wish if wish.microsoft else replace(wish, microsoft=wizard.client_id(known))
        account = build_account(wizard.app, chosen, found)
        try:
            with first_sign_in(wizard.app, account):
                if (error := _tried(wizard.app, account)) is not None:
                    raise error
            return account
        except LoginRefused as error:
            if attempt == TRIES or wish.microsoft:
                raise
            wizard.app.say(wrapped(str(error)))
            wizard.app.say(wrapped(error.hint))
    raise AssertionError("the loop returns or raises")


def _tried(app: App, account: Account) -> DsarError | None:
    from dsar.cli.trying import show_trial, try_account

    trial = try_account(app, account)
    show_trial(app, account, trial)
    return trial.first_error


def given_secret_works(app: App, wish: AccountWish) -> None:
    """Read the password where a source was named, before any question. Raises SecretUnavailable."""
    from dsar.cli.setup import secret_source
    from dsar.mail.secret import Keyring, Microsoft, Prompt, read_secret

    source = secret_source(app, wish)
    if not isinstance(source, Prompt | Microsoft | Keyring):
        read_secret(source)

