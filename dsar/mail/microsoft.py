"""Signing in at Microsoft with a device code (RFC 8628), and tokens renewed without asking again.

Nothing here contacts anybody until `MicrosoftLogin.start` or `token` is called: the constructor of
the library (msal) asks the sign-in service for its addresses, so it is called only then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dsar.errors import LoginRefused, MailServerUnreachable, StorageFailed
from dsar.home import write_private
from dsar.mail.secret import (
    Keyring,
    Microsoft,
    Secret,
    SecretUnavailable,
    read_private,
    store_in_keyring,
    stored_in_keyring,
)

TIMEOUT_S = 30.0
_BY_THE_LIBRARY = {"openid", "profile", "offline_access"}  # it adds these scopes by itself
_SIGN_IN = "Sign in anew: dsar account login NAME"
_AGAIN = {"invalid_grant", "interaction_required", "login_required", "consent_required"}


@dataclass(frozen=True)
class DeviceCode:
    """What a person types, where, and within how many seconds."""

    code: str
    url: str
    expires_s: int
    flow: dict[str, Any]

    def __repr__(self) -> str:
        return f"DeviceCode({self.code!r}, {self.url!r})"  # the rest is secret


class MicrosoftLogin:
    """One sign-in, kept in a file of mode 0600 or in the keyring."""

    def __init__(self, source: Microsoft) -> None:
        self._source = source
        self._host = urlsplit(source.authority).hostname or source.authority

    def start(self) -> DeviceCode:
        """Ask for a code to sign in with. Raises LoginRefused, MailServerUnreachable."""
        with self._explained():
            self._forget()
            flow = self._client.initiate_device_flow(self._scopes)
        if "user_code" not in flow:
            raise LoginRefused(f"{self._host} gives no code ({_why(flow)}).", hint=_REGISTRATION)
        return DeviceCode(str(flow["user_code"]), str(flow["verification_uri"]),
                          int(flow.get("expires_in", 900)), flow)

    def finish(self, code: DeviceCode) -> str:
        """Wait until the person has signed in and keep the tokens; the user name they gave.

        Raises LoginRefused where they declined or the code ran out, StorageFailed.
        """
        with self._explained():
            answer = self._client.acquire_token_by_device_flow(code.flow)
        if "access_token" not in answer:
            raise LoginRefused(f"The sign-in did not succeed ({_why(answer)}).",
                               hint="Run the command again for a new code.")
        self._keep()
        claims = answer.get("id_token_claims") or {}
        return str(claims.get("preferred_username", ""))

    def token(self, *, renew: bool = False) -> Secret:
        """An access token, renewed where it has run out, or anyway with `renew`.

        Raises SecretUnavailable where a person has to sign in, MailServerUnreachable.
        """
        if not self._cached():
            raise SecretUnavailable("Nobody has signed in for this account yet.", hint=_SIGN_IN)
        with self._explained():
            known = self._client.get_accounts()
            if not known:
                raise SecretUnavailable("The kept sign-in names no account.", hint=_SIGN_IN)
            answer = self._client.acquire_token_silent_with_error(
                self._scopes, known[0], force_refresh=renew) or {}
        with contextlib.suppress(StorageFailed, SecretUnavailable):  # the old ones go on working
            self._keep()
        if "access_token" in answer:
            return Secret(str(answer["access_token"]))
        if answer and answer.get("error") not in _AGAIN:
            reason = f"no token for the moment ({_why(answer)})"
            raise MailServerUnreachable(self._host, 443, reason)
        raise SecretUnavailable(f"The sign-in is no longer good ({_why(answer)}).", hint=_SIGN_IN)

    @cached_property
    def _client(self) -> Any:
        return _library().PublicClientApplication(
            self._source.client_id, authority=self._source.authority, token_cache=self._cache,
            http_client=_web(self._source.ca_file),
            instance_discovery=False,  # else another host is asked whether this one is Microsoft's
        )

    @cached_property
    def _cache(self) -> Any:
        cache = _library().SerializableTokenCache()
        if text := self._cached():
            try:
                cache.deserialize(text)
            except (ValueError, TypeError):
                raise SecretUnavailable("The kept sign-in cannot be read.", hint=_SIGN_IN) from None
        return cache

    @property
    def _scopes(self) -> list[str]:
        return [each for each in self._source.scopes if each not in _BY_THE_LIBRARY]

    def _cached(self) -> str:
        place = self._source.cache
        if isinstance(place, Keyring):
            return stored_in_keyring(place) or ""
        return read_private(place).decode("utf-8", "replace") if place.exists() else ""

    def _keep(self) -> None:
        if not self._cache.has_state_changed:
            return
        text, place = str(self._cache.serialize()), self._source.cache
        if isinstance(place, Keyring):
            store_in_keyring(place, text)
        else:
            write_private(place, text.encode())

    def _forget(self) -> None:
        """Start without earlier tokens, so that exactly one account is kept."""
        self.__dict__["_cache"] = _library().SerializableTokenCache()
        self.__dict__.pop("_client", None)

    @contextlib.contextmanager
    def _explained(self) -> Any:
        """Errors of the library and of the network, without their texts: they may hold tokens."""
        try:
            yield
        except (LoginRefused, MailServerUnreachable):
            raise
        except OSError as error:  # also everything `requests` raises
            kind = type(error).__name__
            raise MailServerUnreachable(self._host, 443, f"no connection ({kind})") from None
        except Exception as error:  # msal raises ValueError, KeyError and others on odd answers
            kind = type(error).__name__
            raise LoginRefused(f"{self._host} does not answer as a sign-in service ({kind}).",
                               hint="Check `authority` and `client_id`.") from None


_REGISTRATION = ("Check the client id; the registration must allow public client flows: "
                 "see docs/accounts.md.")


def _library() -> Any:
    try:
        import msal
    except ImportError:
        raise SecretUnavailable(
            "Signing in at Microsoft needs the package `msal`.",
            hint="Install `dsar-cli[microsoft]`.") from None
    import logging

    logging.getLogger("msal").setLevel(logging.ERROR)  # at DEBUG it writes down device codes
    return msal


def _web(ca_file: Path | None) -> Any:
    """A session with a time limit. The environment must not name other certificates than ours."""
    from functools import partial

    import requests

    session = requests.Session()
    if ca_file is not None:
        session.verify, session.trust_env = str(ca_file), False
    session.request = partial(session.request, timeout=TIMEOUT_S)  # type: ignore[method-assign]
    return session


def _why(answer: Mapping[str, Any]) -> str:
    """The code of an error and the first sentence of what was said about it."""
    said = " ".join(str(answer.get("error_description", "")).split()).partition(". ")[0][:160]
    return ": ".join(filter(None, (str(answer.get("error", "no answer")), said)))


def tokens_file(folder: Path, account: str) -> Path:
    """Where the sign-in of an account lies if not in the keyring."""
    return folder / f"{account.replace('/', '_')}.tokens"
