"""Finding the mail servers of a domain that is not in the table: only after a yes, shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsar.cli.app import App
from dsar.cli.trying import wrapped
from dsar.errors import NeedsConfirmation, UsageProblem

if TYPE_CHECKING:
    from dsar.cli.setup import AccountWish
    from dsar.mail.discover import Found


def servers_are_known(wish: AccountWish) -> bool:
    """Whether nothing has to be looked up: both were given, or the provider is in the table."""
    from dsar.mail.providers import provider_for

    sending = wish.smtp or wish.sendmail
    return bool(sending and wish.imap) or provider_for(wish.address) is not None


def look_up(app: App, wish: AccountWish) -> Found | None:
    """Ask DNS, then the domain over https, and show what was found and where.

    The caller has the person's yes. Raises RefusedByRail under --offline.
    """
    from dsar.mail.discover import Discovery, resolver_at

    app.needs_network()
    try:
        resolver = resolver_at(wish.dns) if wish.dns else None
    except ValueError:
        raise UsageProblem(f"--dns {wish.dns}: that is no address of a name server.") from None
    search = Discovery(wish.address, resolver=resolver)
    found = search.run()
    if app.settings.verbose or found is None:
        for note in search.notes:
            app.say(f"    {note}")
    if found is None:
        app.say(f"  {search.domain} names no servers that can be used.")
    else:
        show(app, found, search.domain)
    return found


def show(app: App, found: Found, domain: str) -> None:
    """What was found, from where, and which hosts belong to somebody else."""
    app.say(f"  Found in the {found.source}:" if found.source.startswith("SRV")
            else f"  Found: {found.source}:")
    for kind, end in (("IMAP", found.imap), ("SMTP", found.smtp)):
        if end is not None:
            strange = f"   <- outside {domain}" if end.host in found.outside else ""
            app.say(f"    {kind} {end} ({end.security}){strange}")
    if found.outside:
        app.say(wrapped(f"Your password would go to a host outside {domain}. Go on only if you "
                        "know it as your provider's: DNS can be forged on the way.", "    "))


def found_servers(app: App, wish: AccountWish) -> Found | None:
    """For `account add`: look up after a yes, and ask before a host outside the domain is used.

    Raises NeedsConfirmation, RefusedByRail, click.Abort for a no.
    """
    if servers_are_known(wish):
        return None
    domain = wish.address.rpartition("@")[2]
    if not wish.find_servers:
        if not app.can_ask:
            return None
        app.say(f"  {domain} is not in our table of providers.")
        app.ask_yes(f"Ask {domain} (DNS, then https) for its mail servers? It hears of the domain, "
                    "not of your address.")
    found = look_up(app, wish)
    if found is not None and found.outside:
        if not app.can_ask and not app.settings.yes:
            raise NeedsConfirmation(
                "The servers found are outside the domain, and nobody can be asked.",
                hint="Give them with --imap and --smtp, or --yes to trust them.")
        app.ask_yes("Use these servers?")
    return found
