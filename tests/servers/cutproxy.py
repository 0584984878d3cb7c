"""A wire that breaks on purpose: sits between a client and a real server on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Break the connection at the first byte string `when` that the client sends.

    pass_on: the server still gets it, and the client gets nothing back: what was sent is done
    but never confirmed. Otherwise neither side hears of it. after: break it once so many bytes
    of the server's have come through, in place of `when`. meanwhile: what happens while the wire
    is held there. breaks: False lets it go on afterwards, as if nothing had been. says: what the
    client is told in place of the server, such as "NO why", to each command sent then; the server
    hears of none of them, and the connection goes on. With a * it is said once, and it ends.
    """

    when: bytes = b""
    pass_on: bool = False
    after: int | None = None
    meanwhile: Callable[[], None] | None = None
    breaks: bool = True
    says: bytes = b""


class CutProxy:
    """Each connection obeys the next of `cuts`; once they are used up nothing is cut."""

    def __init__(self, target: int, cuts: Sequence[Cut], *, port: int = 0) -> None:
        self._target, self._cuts = target, list(cuts)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def drop_all(self) -> None:
        """Break every connection now, as a server does that tired of waiting."""
        for each in self._open:
            _shut(each)
        self._open.clear()

    def close(self) -> None:
        """Stop listening and break what is open."""
        _shut(self._listener)
        self.drop_all()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                cut = self._cuts.pop(0) if self._cuts else None
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                _Wire(client, server, cut).start()


class _Wire:
    """One connection through the proxy, a thread for each direction."""

    def __init__(self, client: socket.socket, server: socket.socket, cut: Cut | None) -> None:
        self._client, self._server, self._cut = client, server, cut
        self._silent = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._upwards, daemon=True).start()
        threading.Thread(target=self._downwards, daemon=True).start()

    def _upwards(self) -> None:
        seen = b""
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                seen = (seen + data)[-200_000:]
                if self._cut is None or not self._cut.when or self._cut.when not in seen:
                    self._server.sendall(data)
                    continue
                if self._cut.meanwhile is not None:
                    self._cut.meanwhile()
                if self._cut.says.startswith(b"*"):
                    self._client.sendall(self._cut.says + b"\r\n")
                    break
                if self._cut.says:
                    for command in data.splitlines():
                        tag = command.partition(b" ")[0]
                        self._client.sendall(tag + b" " + self._cut.says + b"\r\n")
                    self._cut = None
                    continue
                if not self._cut.breaks:
                    self._cut = None
                    self._server.sendall(data)
                    continue
                if self._cut.pass_on:
                    self._silent.set()
                    self._server.sendall(data)
                    return  # the other direction ends both, once the server has answered
                break
        self._end()

    def _downwards(self) -> None:
        with contextlib.suppress(OSError):
            left = None if self._cut is None else self._cut.after
            while (data := self._server.recv(65536)) and not self._silent.is_set():
                if left is not None and len(data) > left:
                    self._client.sendall(data[:left])
                    break
                left = None if left is None else left - len(data)
                self._client.sendall(data)
        self._end()

    def _end(self) -> None:
        _shut(self._client)
        _shut(self._server)


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
