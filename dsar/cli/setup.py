"""Building and saving a mail account, as `account add` and `init` share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsar.cli.app import App
from dsar.errors import UsageProblem

if TYPE_CHECKING:
    from dsar.mail.account import Account, Endpoint
    from dsar.mail.discover import Found
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
    sendmail: str | None = None
    token_command: str | None = None
    microsoft: str | None = None
    microsoft_authority: str | None = None
    find_servers: bool = False
    dns: str | None = None


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
    click.option("--sendmail", metavar="CMD",
                 help="Send through this command, such as '/usr/sbin/sendmail -i'."),
    click.option("--token-command", metavar="CMD",
                 help="A command that prints an OAuth token for each login."),
    click.option("--microsoft", metavar="CLIENT-ID",
                 help="Sign in at Microsoft with a device code."),
    click.option("--microsoft-authority", metavar="URL",
                 help="Another sign-in service or tenant than Microsoft's common one."),
    click.option("--find-servers", is_flag=True,
                 help="Agree to ask the domain (DNS, then https) for its servers."),
    click.option("--dns", metavar="HOST[:PORT]",
                 help="Ask this name server instead of the system's."),
)


def account_options(command: Any) -> Any:
    """Add the options of an account; the command receives them by name."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def build_account(app: App, wish: AccountWish, found: Found | None = None) -> Account:
    """The account, from what was given, what was found, and what is known of the provider.

    found: servers that were looked up and that the person has seen. Raises UsageProblem.
    """
    from dsar.core.pacing import OFF
    from dsar.mail.account import Account, Auth, SentCopy, is_loopback

    known = _known(wish, found)
    smtp = None if wish.sendmail else _endpoint(
        wish, "smtp", wish.smtp, wish.smtp_security, found or known)
    imap = _endpoint(wish, "imap", wish.imap, wish.imap_security, found or known)
    if (smtp is None and not wish.sendmail) or imap is None:
        raise UsageProblem(
            f"The servers for {wish.address.rpartition('@')[2]} are not known.",
            hint="Give --smtp HOST and --imap HOST, or --find-servers to ask the domain for them.")
    if wish.no_limits and (smtp is None or not is_loopback(smtp.host)):
        raise UsageProblem("--no-limits is for a server on this machine only.")
    account = Account(
        name=wish.name, address=wish.address, display_name=wish.display_name, smtp=smtp,
        imap=imap, secret=secret_source(app, wish), ca_file=_absolute(wish.ca_file),
        auth=Auth(wish.auth or ("xoauth2" if wish.microsoft or wish.token_command
                                else "password")),
        sent_copy=SentCopy(wish.sent_copy or "append"),
        sendmail=_words(wish.sendmail, "--sendmail"),
        reply_tags=known.reply_tags if known and wish.reply_tags is None else bool(
            wish.reply_tags),
        provider=known.id if known else "", mailboxes=known.quarantine if known else (),
    )
    if wish.no_limits:
        return replace(account, limits=OFF)
    return replace(account, limits=known.limits) if known else account


def _known(wish: AccountWish, found: Found | None) -> Provider | None:
    from dsar.mail.providers import provider_for

    known = provider_for(wish.address) or (found.provider if found else None)
    if known is not None and not known.supported:
        raise UsageProblem(
            f"{known.name} offers neither IMAP nor SMTP, so dsar cannot use this address.",
            hint="Use another address; `dsar letter export` writes letters to send by hand.")
    return known


def _absolute(path: Path | None) -> Path | None:
    return path.expanduser().absolute() if path else None


def _endpoint(
    wish: AccountWish, kind: str, given: str | None, security: str | None,
    known: Provider | Found | None,
) -> Endpoint | None:
    """A port of 587 or 143 means STARTTLS unless something else is said (RFC 8314, section 3)."""
    from dsar.mail.account import Endpoint, Security

    if given is None:
        found: Endpoint | None = getattr(known, kind) if known else None
        return replace(found, username=wish.username) if found and wish.username else found
    host, colon, port = given.partition(":")
    if not host or any(c.isspace() for c in given) or (colon and not port.isdigit()):
        raise UsageProblem(f"{given!r} is not HOST or HOST:PORT.")
    protection = Security(security or ("starttls" if port in ("587", "143") else "tls"))
    usual = {"smtp": {"tls": 465, "starttls": 587, "none": 25},
             "imap": {"tls": 993, "starttls": 143, "none": 143}}[kind][str(protection)]
    try:
        return Endpoint(host=host, port=int(port or usual), security=protection,
                        username=wish.username or wish.address)
    except ValueError as error:
        raise UsageProblem(f"--{kind} {given}: {error}.") from None


def _words(command: str | None, option: str) -> tuple[str, ...]:
    import shlex

    try:
        return tuple(shlex.split(command or ""))
    except ValueError:
        raise UsageProblem(f"{option}: a quotation mark is not closed.") from None


def secret_source(app: App, wish: AccountWish) -> SecretSource:
    """Where the password is; asked at each use where nothing is given. Raises UsageProblem."""
    from dsar.mail.secret import Command, Keyring, Prompt, SecretFile, SystemdCredential

    if wish.microsoft:
        return _microsoft(app, wish)
    given = [v for v in (wish.password_command, wish.password_file, wish.keyring, wish.credential,
                         wish.token_command) if v]
    if len(given) > 1:
        raise UsageProblem("Give the password in one way only.")
    if command := wish.password_command or wish.token_command:
        return Command(_words(command, "the command"))
    if wish.password_file:
        return SecretFile(wish.password_file.expanduser().absolute())
    if wish.keyring:
        return Keyring(wish.keyring, wish.address)
    if wish.credential:
        return SystemdCredential(wish.credential)
    return Prompt()


def _microsoft(app: App, wish: AccountWish) -> SecretSource:
    from dsar.mail.microsoft import tokens_file
    from dsar.mail.secret import MICROSOFT_AUTHORITY, Keyring, Microsoft

    if wish.password_command or wish.password_file or wish.credential or wish.token_command:
        raise UsageProblem("--microsoft signs in with a code: leave the password out.")
    authority = (wish.microsoft_authority or MICROSOFT_AUTHORITY).rstrip("/")
    if not authority.startswith("https://"):
        raise UsageProblem("--microsoft-authority must begin with https://.")
    file = tokens_file(app.home.config_folder / "secrets", wish.name)
    return Microsoft(
        client_id=wish.microsoft or "", authority=authority,
        cache=Keyring(wish.keyring, wish.address) if wish.keyring else file,
        ca_file=_absolute(wish.ca_file) if authority != MICROSOFT_AUTHORITY else None,
    )


def save_account(app: App, account: Account) -> None:
    """Add the account to config.yaml; an account of that name is never overwritten."""
    from dsar.cli.mailing import accounts

    existing = accounts(app)
    if any(a.name == account.name for a in existing):
        raise UsageProblem(f"There is an account {account.name!r} already.",
                           hint="Give another name, or edit config.yaml.")
    _write(app, (*existing, account))


def change_account(app: App, account: Account) -> None:
    """Write the account in place of the one of the same name."""
    from dsar.cli.mailing import accounts

    _write(app, tuple(account if a.name == account.name else a for a in accounts(app)))


def _write(app: App, chosen: tuple[Account, ...]) -> None:
    from dsar.config import write_config
    from dsar.mail.account import account_entry

    app.home.create()
    entries = [dict(account_entry(a)) for a in chosen]
    write_config(app.home.config, store=app.config.store, chosen=app.config.chosen,
                 accounts=entries)
