"""The mail servers of the demo: SMTP (aiosmtpd) and IMAP (pymap), on this machine's loopback."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import Config, DictBackend, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

LOOPBACK = "127.0.0.1"
START_S = 20.0
MAILBOXES = ("Sent", "Junk")


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A letter that the SMTP server took: its envelope and its exact bytes."""

    recipient: str
    raw: bytes


@dataclass
class MailServers:
    """Both servers of one mailbox owner, in a thread of their own; a context manager.

    host: what they call themselves. accepts: whether a recipient exists. posted: what came in
    by SMTP, in order. No name is looked up: hosts are numeric, and nothing asks for our own.
    """

    host: str
    user: str
    accepts: Callable[[str], bool]
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    posted: list[Posted] = field(default_factory=list)
    smtp_port: int = 0
    imap_port: int = 0
    _ready: threading.Event = field(init=False, repr=False)
    _thread: threading.Thread = field(init=False, repr=False)
    _loop: asyncio.AbstractEventLoop = field(init=False, repr=False)
    _stop: asyncio.Event = field(init=False, repr=False)
    _login: Login = field(init=False, repr=False)
    _failed: BaseException | None = field(init=False, repr=False, default=None)

    def __enter__(self) -> Self:
        """Start; raises OSError where this machine lets nobody listen."""
        # aiosmtpd warns of its own old names at every login
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._ready, self._failed = threading.Event(), None
        self._thread = threading.Thread(target=self._run, name="demo mail servers", daemon=True)
        self._thread.start()
        started = self._ready.wait(START_S)
        if self._failed is not None or not started:
            raise OSError(f"the mail servers of the demo did not start: {self._failed or 'late'}")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_S)

    def deliver(self, raw: bytes, at: datetime) -> None:
        """Put a message into INBOX as if it had arrived at that instant."""
        asyncio.run_coroutine_threadsafe(self._append("INBOX", raw, at), self._loop).result(START_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        smtp = await self._loop.create_server(self._smtp_session, LOOPBACK, 0)
        imap = await asyncio.start_server(await self._imap_session(), LOOPBACK, 0)
        self.smtp_port, self.imap_port = _port(smtp), _port(imap)
        self._ready.set()
        await self._stop.wait()
        smtp.close()
        imap.close()

    def _smtp_session(self) -> SMTP:
        return SMTP(
            _Postbox(self), hostname=self.host, ident="ESMTP", loop=self._loop,
            enable_SMTPUTF8=True, auth_require_tls=False, authenticator=self._authenticate,
        )

    def _authenticate(
        self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data == LoginPassword(
            self.user.encode(), self.password.encode())
        return AuthResult(success=right, handled=False)

    async def _imap_session(self) -> Callable[..., Awaitable[None]]:
        config = _imap_config(self.host, self.user, self.password)
        config.apply_context()
        self._login = DictBackend(Login(config), config).login
        owner = UserMetadata(config, self.user, password=self.password)
        await self._login.demo_user_identity.set(owner)
        async with self._login.demo_user_identity.new_session() as session:
            for name in MAILBOXES:
                await session.mailbox_set.add_mailbox(name)
        reader = ProxyProtocolReader(config.proxy_protocol)
        return reader.get_callback(IMAPServer(self._login, config))

    async def _append(self, mailbox: str, raw: bytes, at: datetime) -> None:
        async with self._login.demo_user_identity.new_session() as session:
            found = await session.mailbox_set.get_mailbox(mailbox)
            await found.append(AppendMessage(raw, at), recent=True)


@dataclass
class _Postbox:
    """What the SMTP server does with letters; methods are the hooks that aiosmtpd calls."""

    servers: MailServers

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        if not self.servers.accepts(address):
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        for recipient in envelope.rcpt_tos:
            self.servers.posted.append(Posted(recipient=recipient, raw=envelope.content))
        return f"250 2.0.0 Ok: queued as {len(self.servers.posted):04}"


class _ImapConfig(Config):
    """pymap greets with the name of this machine, which it looks up; ours is given."""

    named = ""

    @property
    def greeting(self) -> bytes:
        return b"Server ready " + self.named.encode("ascii")


def _imap_config(host: str, user: str, password: str) -> _ImapConfig:
    """A mailbox in memory; no TLS, since nothing leaves this machine."""
    arguments = Namespace(passlib_cfg=None, proxy_protocol=None, inherited_sockets=None)
    config = _ImapConfig(
        arguments, host=LOOPBACK, port=0, tls_enabled=False, demo_data=False, demo_user=user,
        demo_password=password, proxy_protocol=ProxyProtocolVersion.get(None),
        hash_context=Cleartext(), cpu_subsystem=Subsystem.for_asyncio(), reject_dnsbl=False,
    )
    config.named = host
    return config


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
