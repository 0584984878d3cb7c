"""A server that lies about sizes: a real one, whose answers are changed on their way."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
_EMPTY = re.compile(rb'(BODY\[\]<\d+>) ""')
Lie = Callable[[int], int]


def honest(size: int) -> int:
    """What is really there."""
    return size


@dataclass(frozen=True)
class Lies:
    """What the server says in place of the truth.

    size: of RFC822.SIZE. literal: of the length it announces before the octets of a body.
    nil: says NIL, and not an empty text, for what lies beyond the end of a message.
    """

    size: Lie = honest
    literal: Lie = honest
    nil: bool = False


class SizeProxy:
    """Passes on what the client says as it is, and what the server says with `lies`."""

    def __init__(self, target: int, lies: Lies) -> None:
        self._target, self._lies = target, lies
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.told: list[int] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening and break what is open."""
        for each in (self._listener, *self._open):
            _shut(each)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for work in (self._upwards, self._downwards):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        _shut(server)

    def _downwards(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), server.makefile("rb") as answers:
            while line := answers.readline():
                self._pass_on(line, answers, client)
        _shut(client)

    def _pass_on(self, line: bytes, answers: BinaryIO, client: socket.socket) -> None:
        """One line, and the octets that it announces."""
        found = _LITERAL.search(line)
        client.sendall(self._changed(line))
        left = int(found.group(1)) if found else 0
        while left and (data := answers.read(min(left, 65536))):
            client.sendall(data)
            left -= len(data)

    def _changed(self, line: bytes) -> bytes:
        def size(found: re.Match[bytes]) -> bytes:
            self.told.append(self._lies.size(int(found.group(1))))
            return b"RFC822.SIZE %d" % self.told[-1]

        line = _SIZE.sub(size, line)
        if b"BODY[]" in line:
            line = _LITERAL.sub(lambda found: b"{%d}\r\n" % self._lies.literal(
                int(found.group(1))), line)
        return _EMPTY.sub(rb"\1 NIL", line) if self._lies.nil else line


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
