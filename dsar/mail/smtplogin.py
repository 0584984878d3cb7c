"""Opens an SMTP connection: verified TLS, the login, and errors that name the reason."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from collections.abc import Callable, Sequence

from dsar.errors import LoginRefused, MailServerUnreachable
from dsar.mail.account import Account, Auth, Endpoint, Security
from dsar.mail.login import (
    SecretGiver,
    bearer_answer,
    given,
    in_base64,
    plain_answer,
    renewed,
    tls_context,
    why,
)
from dsar.mail.secret import Secret

# the name in EHLO ends up in a Received line that the company reads: it must not name this machine
OUR_NAME = "[127.0.0.1]"


def open_session(
    account: Account, endpoint: Endpoint, secret: SecretGiver, timeout_s: float
) -> smtplib.SMTP:
    """Connect, secure, log in; raises LoginRefused or MailServerUnreachable.

    A token that is refused is renewed once, on a new connection.
    """
    credential = given(secret) if account.auth is not Auth.NONE else None
    try:
        return _logged_in(account, endpoint, credential, timeout_s)
    except LoginRefused:
        fresh = renewed(secret, credential)
        if fresh is None:
            raise
    return _logged_in(account, endpoint, fresh, timeout_s)


def _logged_in(
    account: Account, endpoint: Endpoint, credential: Secret | None, timeout_s: float
) -> smtplib.SMTP:
    server: smtplib.SMTP | None = None
    try:
        server = _connect(account, endpoint, timeout_s)
        if credential is not None:
            _log_in(server, account.auth, endpoint, credential)
    except (LoginRefused, MailServerUnreachable):
        _close(server)
        raise
    except (OSError, smtplib.SMTPException) as error:
        _close(server)
        reason = why(error)
        if isinstance(error, smtplib.SMTPResponseException):
            reason = f"{error.smtp_code} {_words(error.smtp_error)}"
        raise MailServerUnreachable(endpoint.host, endpoint.port, reason) from None
    return server


def _connect(account: Account, endpoint: Endpoint, timeout_s: float) -> smtplib.SMTP:
    """Never an open connection to another machine: `Endpoint` does not allow one."""
    if endpoint.security is Security.TLS:
        context = tls_context(account)
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            endpoint.host, endpoint.port, OUR_NAME, timeout=timeout_s, context=context
        )
    else:
        server = smtplib.SMTP(endpoint.host, endpoint.port, OUR_NAME, timeout=timeout_s)
    server.ehlo_or_helo_if_needed()
    if endpoint.security is Security.STARTTLS:
        if not server.has_extn("starttls"):
            reason = "the server offers no STARTTLS; no password goes over an open connection"
            raise MailServerUnreachable(endpoint.host, endpoint.port, reason)
        server.starttls(context=tls_context(account))
        server.ehlo_or_helo_if_needed()
    _do_not_wait(server.sock)
    return server


def _do_not_wait(sock: socket.socket | None) -> None:
    """Without this a letter with an attachment waits 40 ms for an acknowledgement over TLS."""
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _log_in(server: smtplib.SMTP, auth: Auth, endpoint: Endpoint, credential: Secret) -> None:
    offered = server.esmtp_features.get("auth", "").upper().split()
    code, text = reply_text(_mechanism(auth, offered)(server, endpoint, credential))
    text = credential.hidden_in(text)
    if 400 <= code < 500:
        reason = f"no login for the moment ({code} {text})"
        raise MailServerUnreachable(endpoint.host, endpoint.port, reason)
    if code not in (235, 503):  # 503: already logged in
        raise LoginRefused(f"{endpoint}: the server refused the login ({code} {text}).")


_Login = Callable[[smtplib.SMTP, Endpoint, Secret], tuple[int, bytes]]


def _mechanism(auth: Auth, offered: Sequence[str]) -> _Login:
    """The way to log in that both sides know."""
    if auth in (Auth.XOAUTH2, Auth.OAUTHBEARER) and auth.value.upper() in offered:
        return lambda server, at, token: _bearer(server, auth, at, token)
    if auth is Auth.PASSWORD and "PLAIN" in offered:
        return _plain
    if auth is Auth.PASSWORD and "LOGIN" in offered:
        return _login
    known = ", ".join(offered) or "none"
    raise LoginRefused(f"The server does not offer this kind of login; it offers: {known}.")


def _plain(server: smtplib.SMTP, at: Endpoint, password: Secret) -> tuple[int, bytes]:
    return server.docmd("AUTH PLAIN", in_base64(plain_answer(at, password)))


def _login(server: smtplib.SMTP, at: Endpoint, password: Secret) -> tuple[int, bytes]:
    code, text = server.docmd("AUTH LOGIN", in_base64(at.username))
    return server.docmd(in_base64(password.reveal())) if code == 334 else (code, text)


def _bearer(server: smtplib.SMTP, auth: Auth, at: Endpoint, token: Secret) -> tuple[int, bytes]:
    """A refusal comes as a challenge first, which an empty answer ends (RFC 7628, 3.2.3)."""
    answer = in_base64(bearer_answer(auth, at, token))
    code, text = server.docmd("AUTH", f"{auth.value.upper()} {answer}")
    return server.docmd("AQ==" if auth is Auth.OAUTHBEARER else "") if code == 334 else (code, text)


def reply_text(reply: tuple[int, bytes]) -> tuple[int, str]:
    """Code and words of a reply, on one line."""
    return reply[0], _words(reply[1])


def _words(raw: bytes | str) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return " ".join(text.split())


def _close(server: smtplib.SMTP | None) -> None:
    if server is not None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.close()
