"""Building, testing and saving a mail account, as `account add` and `init` share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App
from dsar.errors import DsarError, UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account, Endpoint
    from dsar.mail.providers import Provider
    from dsar.mail.secret import SecretSource


@dataclass(frozen=True, kw_only=True)
class AccountWish:
    """What the user gave for an account; what is None comes from the provider's settings."""

    name: str
    address: str
    display_name: str = ""
    smtp: str | None = None
    smtp_security: str | None = None
    imap: str | None = None
    imap_security: str | None = None
    username: str | None = None
    password_command: str | None = None
    password_file: Path | None = None
    keyring: str | None = None
    credential: str | None = None
    ca_file: Path | None = None
    sent_copy: str | None = None
    reply_tags: bool | None = None
    no_limits: bool = False
    auth: str | None = None


_OPTIONS = (
    click.option("--smtp", metavar="HOST[:PORT]", help="Server for sending."),
    click.option("--smtp-security", type=click.Choice(["tls", "starttls", "none"]),
                 help="How that connection is protected."),
    click.option("--imap", metavar="HOST[:PORT]", help="Server for reading."),
    click.option("--imap-security", type=click.Choice(["tls", "starttls", "none"]),
                 help="How that connection is protected."),
    click.option("--username", help="To log in with, where it is not the address."),
    click.option("--password-command", metavar="CMD", help="A command that prints the password."),
    click.option("--password-file", type=click.Path(path_type=Path),
                 help="A file (mode 0600) with the password."),
    click.option("--keyring", metavar="SERVICE", help="The system keyring has the password."),
    click.option("--credential", metavar="NAME", help="A systemd credential has the password."),
    click.option("--ca-file", type=click.Path(path_type=Path),
                 help="Certificates to trust, for a server of your own."),
    click.option("--sent-copy", type=click.Choice(["append", "provider", "bcc", "none"]),
                 help="Who keeps a copy of each letter."),
    click.option("--reply-tags/--no-reply-tags", default=None,
                 help="Whether name+tag@domain reaches this mailbox."),
    click.option("--no-limits", is_flag=True,
                 help="No limits on sending: only for a server on this machine."),
    click.option("--auth", type=click.Choice(["password", "xoauth2", "oauthbearer", "none"]),
                 help="How to log in."),
)


def account_options(command: Any) -> Any:
    """Add the options of an account; the command receives them by name."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def build_account(app: App, wish: AccountWish) -> Account:
    """The account, from what was given and what is known of the provider. Raises UsageProblem."""
    from dsar.core.pacing import OFF
    from dsar.mail.account import Account, Auth, SentCopy, is_loopback
    from dsar.mail.providers import provider_for

    known = provider_for(wish.address)
    smtp = _endpoint(wish, "smtp", wish.smtp, wish.smtp_security, known)
    imap = _endpoint(wish, "imap", wish.imap, wish.imap_security, known)
    if smtp is None or imap is None:
        raise UsageProblem(f"The servers for {wish.address.rpartition('@')[2]} are not known.",
                           hint="Give --smtp HOST and --imap HOST; your provider names them.")
    if wish.no_limits and not is_loopback(smtp.host):
        raise UsageProblem("--no-limits is for a server on this machine only.")
    account = Account(
        name=wish.name, address=wish.address, display_name=wish.display_name, smtp=smtp,
        imap=imap, secret=secret_source(wish), ca_file=_absolute(wish.ca_file),
        auth=Auth(wish.auth or "password"), sent_copy=SentCopy(wish.sent_copy or "append"),
        reply_tags=known.reply_tags if known and wish.reply_tags is None else bool(
            wish.reply_tags),
        provider=known.id if known else "",
    )
    if wish.no_limits:
        return replace(account, limits=OFF)
    return replace(account, limits=known.limits) if known else account


def _absolute(path: Path | None) -> Path | None:
    return path.expanduser().absolute() if path else None


def _endpoint(
    wish: AccountWish, kind: str, given: str | None, security: str | None, known: Provider | None
) -> Endpoint | None:
    from dsar.mail.account import Endpoint, Security

    if given is None:
        found: Endpoint | None = getattr(known, kind) if known else None
        return replace(found, username=wish.username) if found and wish.username else found
    host, _, port = given.partition(":")
    protection = Security(security or "tls")
    usual = {"smtp": {"tls": 465, "starttls": 587, "none": 25},
             "imap": {"tls": 993, "starttls": 143, "none": 143}}[kind][str(protection)]
    if port and not port.isdigit():
        raise UsageProblem(f"{given!r} is not HOST or HOST:PORT.")
    try:
        return Endpoint(host=host, port=int(port or usual), security=protection,
                        username=wish.username or wish.address)
    except ValueError as error:
        raise UsageProblem(f"--{kind} {given}: {error}.") from None


def secret_source(wish: AccountWish) -> SecretSource:
    """Where the password is; asked at each use where nothing is given."""
    import shlex

    from dsar.mail.secret import Command, Keyring, Prompt, SecretFile, SystemdCredential

    if wish.password_command:
        return Command(tuple(shlex.split(wish.password_command)))
    if wish.password_file:
        return SecretFile(wish.password_file.expanduser().absolute())
    if wish.keyring:
        return Keyring(wish.keyring, wish.address)
    if wish.credential:
        return SystemdCredential(wish.credential)
    return Prompt()


def test_account(app: App, account: Account) -> dict[str, DsarError | None]:
    """Try IMAP and SMTP apart, sending nothing; the error of each, or None where it works."""
    from dsar.cli.mailing import open_mailbox, open_transport

    def imap() -> None:
        mailbox = open_mailbox(app, account)
        try:
            mailbox.mailboxes()
        finally:
            mailbox.close()

    def smtp() -> None:
        from dsar.mail.smtp import SmtpTransport

        transport = open_transport(app, account)
        try:
            if isinstance(transport, SmtpTransport):
                transport.check()
        finally:
            transport.close()

    return {"IMAP": _error_of(imap), "SMTP": _error_of(smtp)}


def _error_of(attempt: Callable[[], None]) -> DsarError | None:
    try:
        attempt()
    except DsarError as error:
        return error
    return None


def show_test(app: App, account: Account, results: dict[str, DsarError | None]) -> bool:
    """Print one line per server, and what this provider needs where one failed."""
    for kind, error in results.items():
        server = account.imap if kind == "IMAP" else account.smtp
        app.say(f"  {kind} {server}: " + ("works" if error is None else f"failed: {error}"))
        if error is not None and error.hint:
            app.say(f"    {error.hint}")
    failed = [error for error in results.values() if error is not None]
    if failed:
        for step in provider_steps(account):
            app.say(f"    {step}")
    return not failed


def provider_steps(account: Account) -> tuple[str, ...]:
    """What a person has to do in the provider's settings first."""
    from dsar.mail.providers import provider_for

    known = provider_for(account.address)
    if known is None:
        return ()
    return tuple(f"{known.name}: {step}" for step in known.before_first_use)


def save_account(app: App, account: Account) -> None:
    """Add the account to config.yaml; an account of that name is never overwritten."""
    from dsar.cli.mailing import accounts
    from dsar.config import write_config
    from dsar.mail.account import account_entry

    existing = accounts(app)
    if any(a.name == account.name for a in existing):
        raise UsageProblem(f"There is an account {account.name!r} already.",
                           hint="Give another name, or edit config.yaml.")
    app.home.create()
    entries = [dict(account_entry(a)) for a in (*existing, account)]
    write_config(app.home.config, store=app.config.store, chosen=app.config.chosen,
                 accounts=entries)
