"""SMTP extensions against the real Postfix: what goes over the wire, packet by packet."""

from __future__ import annotations

import contextlib
import email
import socket
import threading
from collections.abc import Iterator
from email import policy

import pytest
from servers.maillab import MailLab

from dsar.mail import Rejected
from dsar.mail.account import Account, Auth, Endpoint, Security
from dsar.mail.secret import Secret
from dsar.mail.smtp import SmtpTransport


class Tap:
    """Passes bytes on to a real server and keeps what the client sent, read by read."""

    def __init__(self, target: int, *, without: bytes = b"") -> None:
        self._target, self._without = target, without
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass, args=(client, server, True),
                                 daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False),
                                 daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if up:
                    self.sent.append(data)
                elif self._without:
                    data = data.replace(self._without, b"X" * len(self._without))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def tapped(lab: MailLab, user: str) -> Iterator[tuple[Tap, SmtpTransport]]:
    with _tapped(lab, user) as both:
        yield both


@contextlib.contextmanager
def _tapped(lab: MailLab, user: str, *, without: bytes = b""
            ) -> Iterator[tuple[Tap, SmtpTransport]]:
    tap = Tap(lab.ports.plain, without=without)
    smtp = Endpoint(host="127.0.0.1", port=tap.port, security=Security.NONE)
    transport = SmtpTransport(Account(name="main", address=user, smtp=smtp, auth=Auth.NONE),
                              Secret(""))
    yield tap, transport
    transport.close()
    tap.close()


def letter(user: str, body: bytes = b"Hello.") -> bytes:
    return (f"From: {user}\r\nTo: {user}\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            ).encode() + body + b"\r\n"


def test_envelope_goes_in_one_packet_where_the_server_offers_pipelining(
    lab: MailLab, user: str, tapped: tuple[Tap, SmtpTransport]
) -> None:
    tap, transport = tapped
    transport.send(letter(user), sender=user, recipients=[user])
    [packet] = [p for p in tap.sent if p.startswith(b"MAIL FROM")]
    assert packet.splitlines()[1] == f"RCPT TO:<{user}>".encode()
    transport.send(letter(user), sender=user, recipients=[user])
    lab.wait_for(user, 2)
    second = [p for p in tap.sent if p.startswith(b"RSET\r\nMAIL FROM")]
    assert len(second) == 1, "the connection is reused after RSET, in the same packet"
    assert sum(p.lower().startswith(b"ehlo") for p in tap.sent) == 1


def test_one_by_one_where_it_is_not_offered(lab: MailLab, user: str) -> None:
    with _tapped(lab, user, without=b"PIPELINING") as (tap, transport):
        transport.send(letter(user), sender=user, recipients=[user])
        lab.wait_for(user, 1)
        assert [p.split(b" ")[0] for p in tap.sent if p[:4] in (b"MAIL", b"RCPT")] == [
            b"MAIL", b"RCPT"]


def test_the_size_is_announced(user: str, tapped: tuple[Tap, SmtpTransport]) -> None:
    tap, transport = tapped
    raw = letter(user)
    transport.send(raw, sender=user, recipients=[user])
    assert f"SIZE={len(raw)}".encode() in b"".join(tap.sent)


def test_eight_bit_text_arrives_byte_for_byte_and_is_announced(
    lab: MailLab, user: str, tapped: tuple[Tap, SmtpTransport]
) -> None:
    tap, transport = tapped
    transport.send(letter(user, "Grüße aus Köln".encode()), sender=user, recipients=[user])
    lab.wait_for(user, 1)
    assert b"BODY=8BITMIME" in b"".join(tap.sent)
    got = email.message_from_bytes(lab.delivered(user)[0], policy=policy.default)
    assert got.get_content().strip() == "Grüße aus Köln"


def test_eight_bit_text_is_refused_where_the_server_does_not_take_it(
    lab: MailLab, user: str
) -> None:
    with _tapped(lab, user, without=b"8BITMIME") as (tap, transport):
        with pytest.raises(Rejected, match="8BITMIME"):
            transport.send(letter(user, "Grüße".encode()), sender=user, recipients=[user])
        assert not [p for p in tap.sent if p.startswith(b"MAIL")]


def test_lines_that_begin_with_a_dot_arrive_whole(
    lab: MailLab, user: str, tapped: tuple[Tap, SmtpTransport]
) -> None:
    _, transport = tapped
    transport.send(letter(user, b".\r\n..\r\n.hidden"), sender=user, recipients=[user])
    lab.wait_for(user, 1)
    got = email.message_from_bytes(lab.delivered(user)[0], policy=policy.default)
    assert got.get_content().split() == [".", "..", ".hidden"]
