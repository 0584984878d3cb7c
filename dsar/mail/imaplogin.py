"""Opens an IMAP connection: verified TLS, the login, and errors that name the reason."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from dsar.errors import LoginRefused, MailServerUnreachable
from dsar.mail.account import Account, Auth, Endpoint, Security
from dsar.mail.login import (
    SecretGiver,
    bearer_answer,
    given,
    plain_answer,
    renewed,
    tls_context,
    why,
)
from dsar.mail.secret import Secret


def open_client(
    account: Account, endpoint: Endpoint, secret: SecretGiver, timeout_s: float
) -> Any:
    """Connect, secure, log in; raises LoginRefused or MailServerUnreachable.

    A token that is refused is renewed once, on a new connection.
    """
    credential = given(secret)
    try:
        return _logged_in(account, endpoint, credential, timeout_s)
    except LoginRefused:
        fresh = renewed(secret, credential)
        if fresh is None:
            raise
    return _logged_in(account, endpoint, fresh, timeout_s)


def _logged_in(account: Account, endpoint: Endpoint, credential: Secret, timeout_s: float) -> Any:
    client: Any = None
    try:
        client = _connect(account, endpoint, timeout_s)
        _log_in(client, account.auth, endpoint, credential)
    except (LoginRefused, MailServerUnreachable):
        log_out(client, politely=False)
        raise
    except (OSError, IMAPClientError) as error:
        log_out(client, politely=False)
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise MailServerUnreachable(
            endpoint.host, endpoint.port, credential.hidden_in(reason)
        ) from None
    return client


def log_out(client: Any, *, politely: bool = True) -> None:
    """End a connection in whatever state it is; never raises."""
    if client is None:
        return
    with contextlib.suppress(OSError, IMAPClientError):
        if politely:
            client.logout()
        else:
            client.shutdown()


def _connect(account: Account, endpoint: Endpoint, timeout_s: float) -> Any:
    """Never an open connection to another machine: `Endpoint` does not allow one."""
    implicit = endpoint.security is Security.TLS
    client = IMAPClient(
        endpoint.host,
        endpoint.port,
        ssl=implicit,
        ssl_context=tls_context(account) if implicit else None,
        timeout=SocketTimeout(timeout_s, timeout_s),
    )
    if endpoint.security is Security.STARTTLS:
        try:
            client.starttls(tls_context(account))
        except BaseException:
            log_out(client, politely=False)
            raise
    client.normalise_times = False  # keep the zone of INTERNALDATE
    client._imap.debug = 0  # IMAPClient logs every line of the dialogue, that is: people's mail
    return client


def _log_in(client: Any, auth: Auth, endpoint: Endpoint, credential: Secret) -> None:
    try:
        match auth:
            case Auth.XOAUTH2 | Auth.OAUTHBEARER:
                answer = bearer_answer(auth, endpoint, credential)
                client.sasl_login(auth.value.upper(), _once(answer, auth))
            case _ if client.has_capability("AUTH=PLAIN"):
                client.sasl_login("PLAIN", _once(plain_answer(endpoint, credential), auth))
            case _:
                client.login(endpoint.username, credential.reveal())
    except IMAPClientError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            raise error.__context__ from None  # the connection broke: nobody refused anything
        reason = credential.hidden_in(str(error))
        if "[UNAVAILABLE]" in reason:  # RFC 5530, section 3: may work in a moment
            raise MailServerUnreachable(endpoint.host, endpoint.port, reason) from None
        raise LoginRefused(f"{endpoint}: the server refused the login ({reason}).") from None


def _once(answer: str, auth: Auth) -> Callable[[bytes], bytes]:
    """Give the answer; a second challenge holds the reason of a refusal, which ends like this."""
    left = [answer.encode()]

    def step(challenge: bytes) -> bytes:
        end = b"\x01" if auth is Auth.OAUTHBEARER else b""
        return left.pop() if left else end

    return step
