"""Why a login probably failed, from what is known of the provider, and what to do there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsar.errors import DsarError, LoginRefused, MailServerUnreachable
from dsar.mail.account import Account, Auth
from dsar.mail.providers import Provider, provider, provider_for
from dsar.mail.secret import SecretUnavailable


def known_provider(account: Account) -> Provider | None:
    """The provider by the domain of the address, else the one noted when the account was made."""
    found = provider_for(account.address)
    return found or (provider(account.provider, account.address) if account.provider else None)


def advice(account: Account, results: Mapping[str, DsarError | None]) -> tuple[str, ...]:
    """The likely cause first, then what has to be done in the provider's settings.

    results: by "IMAP" and "SMTP" the error of each, None where it works. Empty where all works.
    """
    failed = {kind: error for kind, error in results.items() if error is not None}
    if not failed or all(isinstance(e, SecretUnavailable) for e in failed.values()):
        return ()
    known = known_provider(account)
    lines = [*_one_works(results, failed), *(_cause(account, known, failed) if known else _plain())]
    if known is not None:
        lines += [f"{known.name}: {step}" for step in known.before_first_use]
    return tuple(dict.fromkeys(lines))


def _one_works(
    results: Mapping[str, DsarError | None], failed: Mapping[str, DsarError]
) -> Iterator[str]:
    """The same password was taken by one of the two: then it is not the password."""
    refused = [kind for kind, error in failed.items() if isinstance(error, LoginRefused)]
    if len(results) == 2 and len(failed) == 1 and refused:
        other = "sending" if refused == ["IMAP"] else "reading"
        yield (f"The same login works for {other}: {refused[0]} is probably not switched on for "
               "this mailbox.")


def _cause(account: Account, known: Provider, failed: Mapping[str, DsarError]) -> Iterator[str]:
    refused = any(isinstance(error, LoginRefused) for error in failed.values())
    unreachable = any(isinstance(error, MailServerUnreachable) for error in failed.values())
    if unreachable and "bridge-password" in known.login:
        yield f"{known.name}: the Bridge must be running on this machine."
    if not refused or account.auth is not Auth.PASSWORD:
        return
    match known.login:
        case ("oauth2",):
            yield (f"{known.name} takes no password from a mail program any more: "
                   "give --microsoft CLIENT-ID, see docs/accounts.md.")
        case ("bridge-password",):
            yield f"{known.name}: it wants the password that the Bridge shows, not your own."
        case login if "password" not in login and "app-password" in login:
            yield (f"{known.name} wants an app password made for dsar, "
                   "not the password you sign in with.")
        case login if "app-password" in login:
            yield (f"{known.name} takes your own password or an app password, depending on your "
                   "settings; with two-factor login only an app password.")
        case _:
            yield (f"{known.name}: nothing special is known. Try the password in its web mail, and "
                   "look there whether IMAP and SMTP have to be switched on.")


def _plain() -> Iterator[str]:
    yield ("Your provider is not in our table: it may want an app password, another user name "
           "(--username), or IMAP switched on.")
