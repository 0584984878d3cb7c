"""Opens an IMAP connection: verified TLS, the login, and errors that name the reason."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from imaplib import IMAP4, IMAP4_SSL
from typing import Any

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


def open_connection(
    account: Account, endpoint: Endpoint, secret: SecretGiver, timeout_s: float
) -> Connection:
    """Connect, secure, log in; raises LoginRefused or MailServerUnreachable.

    A token that is refused is renewed once, on a new connection.
    """
    credential = given(secret)
    try:
        return Connection(_logged_in(account, endpoint, credential, timeout_s))
    except LoginRefused:
        fresh = renewed(secret, credential)
        if fresh is None:
            raise
    return Connection(_logged_in(account, endpoint, fresh, timeout_s))


def _logged_in(account: Account, endpoint: Endpoint, credential: Secret, timeout_s: float) -> IMAP4:
    imap: IMAP4 | None = None
    try:
        imap = _connect(account, endpoint, timeout_s)
        _log_in(imap, account.auth, endpoint, credential)
    except (LoginRefused, MailServerUnreachable):
        log_out(imap, politely=False)
        raise
    except (OSError, IMAP4.error) as error:
        log_out(imap, politely=False)
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise MailServerUnreachable(
            endpoint.host, endpoint.port, credential.hidden_in(reason)
        ) from None
    return imap


def log_out(imap: IMAP4 | None, *, politely: bool = True) -> None:
    """End a connection in whatever state it is; never raises."""
    if imap is None:
        return
    with contextlib.suppress(OSError, IMAP4.error):
        if politely:
            imap.logout()
        else:
            imap.shutdown()


class Connection:
    """A connection that is logged in."""

    def __init__(self, imap: IMAP4) -> None:
        self.imap = imap
        told = imap.untagged_responses.get("CAPABILITY")
        last = told[-1] if told else None
        self._told = frozenset(last.upper().split()) if isinstance(last, bytes) else None

    @cached_property
    def client(self) -> Any:
        """IMAPClient over it, for what imaplib cannot read by itself.

        It is loaded here and not before: a mailbox without news does not need it.
        """
        from imapclient import IMAPClient

        imap = self.imap

        class Over(IMAPClient):  # type: ignore[misc]
            def _create_IMAP4(self) -> IMAP4:
                return imap

        client = Over(imap.host, imap.port, ssl=False, timeout=imap.sock.gettimeout())
        client.normalise_times = False  # keep the zone of INTERNALDATE
        imap.debug = 0  # IMAPClient logs every line of the dialogue, that is: people's mail
        return client

    def can(self, capability: str) -> bool:
        """Whether the server has it; it is asked only where it did not say so after the login."""
        if self._told is None:
            return bool(self.client.has_capability(capability))
        return capability.encode() in self._told


def _connect(account: Account, endpoint: Endpoint, timeout_s: float) -> IMAP4:
    """Never an open connection to another machine: `Endpoint` does not allow one."""
    host, port = endpoint.host, endpoint.port
    if endpoint.security is Security.TLS:
        return IMAP4_SSL(host, port, ssl_context=tls_context(account), timeout=timeout_s)
    imap = IMAP4(host, port, timeout_s)
    if endpoint.security is Security.STARTTLS:
        try:
            imap.starttls(tls_context(account))
        except BaseException:
            log_out(imap, politely=False)
            raise
    return imap


def _log_in(imap: IMAP4, auth: Auth, endpoint: Endpoint, credential: Secret) -> None:
    try:
        match auth:
            case Auth.XOAUTH2 | Auth.OAUTHBEARER:
                answer = bearer_answer(auth, endpoint, credential)
                imap.authenticate(auth.value.upper(), _once(answer, auth))
            case _ if "AUTH=PLAIN" in imap.capabilities:
                imap.authenticate("PLAIN", _once(plain_answer(endpoint, credential), auth))
            case _:
                imap.login(endpoint.username, credential.reveal())
    except IMAP4.abort:
        raise  # the connection broke: nobody refused anything
    except IMAP4.error as error:
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
