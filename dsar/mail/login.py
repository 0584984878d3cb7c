"""What SMTP and IMAP share in logging in: TLS that is verified, and SASL answers."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from dsar.mail.account import Account, Auth, Endpoint
from dsar.mail.secret import Secret


@dataclass(frozen=True)
class Renewing:
    """A token for each login; `renew` gets another one where a server refuses it as too old."""

    fetch: Callable[[], Secret]
    renew: Callable[[], Secret]

    def __call__(self) -> Secret:
        return self.fetch()


SecretGiver = Secret | Callable[[], Secret]
"""The secret, or what fetches it for each login anew, because tokens expire."""


def given(secret: SecretGiver) -> Secret:
    """The secret for one login; raises SecretUnavailable."""
    return secret if isinstance(secret, Secret) else secret()


def renewed(secret: SecretGiver, refused: Secret | None) -> Secret | None:
    """Another token in place of one that was refused; None where there is no other.

    A password is never tried twice: that is how accounts get locked.
    """
    if refused is None or not isinstance(secret, Renewing):
        return None
    fresh = secret.renew()
    return None if fresh.reveal() == refused.reveal() else fresh


def tls_context(account: Account) -> ssl.SSLContext:
    """Certificates and host names are checked, TLS 1.2 or newer.

    The account's own authority, where it has one, is trusted in place of the system's.
    Raises OSError for a file of certificates that cannot be read.
    """
    context = ssl.create_default_context(cafile=account.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def bearer_answer(auth: Auth, endpoint: Endpoint, token: Secret) -> str:
    """The initial response of XOAUTH2 or OAUTHBEARER (RFC 7628, section 3.1)."""
    user, value = endpoint.username, token.reveal()
    if auth is Auth.OAUTHBEARER:
        place = f"host={endpoint.host}\x01port={endpoint.port}"
        name = user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, section 4
        return f"n,a={name},\x01{place}\x01auth=Bearer {value}\x01\x01"
    return f"user={user}\x01auth=Bearer {value}\x01\x01"


def plain_answer(endpoint: Endpoint, password: Secret) -> str:
    """The initial response of PLAIN (RFC 4616)."""
    return f"\0{endpoint.username}\0{password.reveal()}"


def in_base64(text: str) -> str:
    """UTF-8 in base64 without line breaks."""
    return base64.b64encode(text.encode()).decode()


def why(error: Exception) -> str:
    """A reason for people: of TLS, of the network, or of the name look-up."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the server cannot be verified ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection ({error.reason or 'TLS failed'})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error.__context__, OSError):  # smtplib wraps what the network said
        return why(error.__context__)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the connection was lost"
