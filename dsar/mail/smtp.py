"""Sends letters by SMTP over one connection, and says exactly what became of each."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsar.mail import NotAttempted, OutcomeUnknown, Rejected
from dsar.mail.account import Account, Endpoint
from dsar.mail.login import SecretGiver, why
from dsar.mail.smtplogin import open_session, reply_text
from dsar.mail.wire import Unsendable, address_on_the_wire

TIMEOUT_S = 30.0
# RFC 5321, section 4.5.3.2.6: ten minutes for the answer to the final dot; giving up earlier
# would leave letters in doubt that the server has accepted
ANSWER_TIMEOUT_S = 600.0

_Reply = tuple[int, str]


class _Lost(Exception):
    """The connection broke, or the server said goodbye, before the letter itself was sent."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


class SmtpTransport:
    """Keeps the contract of `Transport`. Connects at the first letter and stays connected."""

    def __init__(
        self,
        account: Account,
        secret: SecretGiver,
        *,
        timeout_s: float = TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        if account.smtp is None:
            raise ValueError(f"account {account.name!r} has no SMTP server")
        self._account, self._secret = account, secret
        self._endpoint: Endpoint = account.smtp
        self._timeout_s, self._answer_timeout_s = timeout_s, answer_timeout_s
        self._session: _Session | None = None

    def check(self) -> None:
        """Connect and log in without sending; raises LoginRefused or MailServerUnreachable."""
        self._drop()
        self._connected()

    def send(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Send to all recipients or to none; see `Transport.send`."""
        envelope = _Envelope.of(message, sender, recipients)
        try:
            self._offer(envelope)
            code, text = self._content(message)
        except Rejected:
            raise
        except BaseException:  # also Ctrl-C: a dialogue that was cut short is not gone on with
            self._drop()
            raise
        if 200 <= code < 300:
            return f"{code} {text}"
        if code == 421:
            self._drop()
        raise Rejected(code, text)

    def close(self) -> None:
        """Say goodbye; never raises."""
        if self._session is not None:
            self._session.quit()
        self._session = None

    def _offer(self, envelope: _Envelope) -> None:
        """Announce sender and recipients. A connection that broke while idle is made anew once."""
        was_open = self._session is not None
        try:
            self._connected().offer(envelope)
            return
        except _Lost as lost:
            self._drop()
            if not was_open and lost.code:
                raise Rejected(lost.code, lost.reason) from None
            if not was_open:
                reason = f"{self._endpoint}: {lost.reason}; the letter did not go out."
                raise NotAttempted(reason) from None
        self._offer(envelope)

    def _content(self, message: bytes) -> _Reply:
        """From here on a lost connection leaves the letter in doubt."""
        try:
            code, text = self._connected().content(message, self._answer_timeout_s)
        except (OSError, smtplib.SMTPException) as error:
            reason = f"{self._endpoint}: {why(error)} while the letter was being sent."
            raise OutcomeUnknown(reason) from None
        if code // 100 not in (2, 4, 5):
            raise OutcomeUnknown(f"{self._endpoint}: the answer to the letter was no SMTP reply.")
        return code, text

    def _connected(self) -> _Session:
        if self._session is None:
            server = open_session(self._account, self._endpoint, self._secret, self._timeout_s)
            self._session = _Session(server, self._timeout_s)
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.abort()
        self._session = None


@dataclass(frozen=True)
class _Envelope:
    sender: str
    recipients: tuple[str, ...]
    size: int
    eight_bit: bool
    utf8: bool

    @classmethod
    def of(cls, message: bytes, sender: str, recipients: Sequence[str]) -> _Envelope:
        """Raises Unsendable for an address that is none: nothing else gets onto the wire."""
        if not recipients:
            raise ValueError("a letter needs a recipient")
        if not message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r"):
            # servers disagree on what a lone CR or LF means: a part could pass for another letter
            raise Unsendable("The letter holds a line that does not end in CRLF.")
        wire = [address_on_the_wire(each) for each in (sender, *recipients)]
        utf8 = not all(each.isascii() for each in wire)
        return cls(wire[0], tuple(wire[1:]), len(message), not message.isascii(), utf8)


class _Session:
    """One connection, logged in."""

    def __init__(self, server: smtplib.SMTP, timeout_s: float) -> None:
        self._server, self._timeout_s = server, timeout_s
        self._used = False

    def offer(self, envelope: _Envelope) -> None:
        """MAIL and RCPT for each recipient, then DATA; raises Rejected, or _Lost."""
        self._refuse_what_the_server_cannot(envelope)
        commands = [self._mail(envelope), *(f"RCPT TO:<{each}>" for each in envelope.recipients)]
        if self._used:
            commands.insert(0, "RSET")  # also shows whether an idle connection still lives
        self._used = True
        replies = list(self._replies(commands))
        for code, text in replies:
            if code not in (250, 251):
                raise Rejected(code, text)
        code, text = self._command("DATA")
        if code != 354:
            raise Rejected(code, text)

    def content(self, message: bytes, answer_timeout_s: float) -> _Reply:
        """The letter and the final dot in one piece; the answer may take its time."""
        sock = self._socket()
        self._server.send(_dotted(message))
        sock.settimeout(answer_timeout_s)
        try:
            return reply_text(self._server.getreply())
        finally:
            sock.settimeout(self._timeout_s)

    def quit(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._socket().settimeout(5)
            self._server.quit()
        self.abort()

    def abort(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._server.close()

    def _refuse_what_the_server_cannot(self, envelope: _Envelope) -> None:
        """Extensions: SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531)."""
        features = self._server.esmtp_features
        limit = features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < envelope.size:
            raise Rejected(552, f"5.3.4 {envelope.size} bytes; the server takes {limit}")
        if envelope.utf8 and "smtputf8" not in features:
            raise Rejected(553, "5.6.7 the server takes no addresses beyond ASCII (SMTPUTF8)")
        if envelope.eight_bit and "8bitmime" not in features:
            raise Rejected(554, "5.6.1 the server takes no 8-bit letters (8BITMIME)")

    def _mail(self, envelope: _Envelope) -> str:
        features = self._server.esmtp_features
        words = [f"MAIL FROM:<{envelope.sender}>"]
        if "size" in features:
            words.append(f"SIZE={envelope.size}")
        if envelope.eight_bit:
            words.append("BODY=8BITMIME")
        if envelope.utf8:
            words.append("SMTPUTF8")
        return " ".join(words)

    def _replies(self, commands: Sequence[str]) -> Iterator[_Reply]:
        """All in one packet where the server offers PIPELINING (RFC 2920), else one by one."""
        if "pipelining" not in self._server.esmtp_features:
            yield from map(self._command, commands)
            return
        try:
            self._server.send("".join(f"{each}\r\n" for each in commands).encode())
        except (OSError, smtplib.SMTPException) as error:
            raise _Lost(why(error)) from None
        for _ in commands:
            yield self._reply()

    def _command(self, command: str) -> _Reply:
        try:
            self._server.send(f"{command}\r\n".encode())
        except (OSError, smtplib.SMTPException) as error:
            raise _Lost(why(error)) from None
        return self._reply()

    def _reply(self) -> _Reply:
        try:
            code, text = reply_text(self._server.getreply())
        except (OSError, smtplib.SMTPException) as error:
            raise _Lost(why(error)) from None
        if code == 421:  # "closing the channel": an idle connection often ends like this
            raise _Lost(text, code)
        if code < 200:
            raise _Lost("the answer was no SMTP reply")
        return code, text

    def _socket(self) -> socket.socket:
        if self._server.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self._server.sock


def _dotted(message: bytes) -> bytes:
    """Transparency (RFC 5321, section 4.5.2) and the end of the data."""
    body = message if message.endswith(b"\r\n") else message + b"\r\n"
    body = body.replace(b"\r\n.", b"\r\n..")
    return (b"." + body if body.startswith(b".") else body) + b".\r\n"
