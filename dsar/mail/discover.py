"""Finds the mail servers of a domain: SRV records (RFC 6186, 8314), autoconfig, the MX's provider.

Asks the network, so it is called only once the person has agreed. Only the domain is told, never
the address. What is found is shown before it is used.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsar.mail.account import Endpoint, Security
from dsar.mail.autoconfig import servers_in
from dsar.mail.providers import Provider, provider_of_mail_server
from dsar.mail.wire import address_on_the_wire

TIMEOUT_S = 10.0
MAX_BYTES = 64 * 1024
Connect = Callable[[tuple[str, int], float], socket.socket]
# implicit TLS first (RFC 8314, section 3); each name with what it means
_SRV = {
    "imap": (("_imaps._tcp", Security.TLS), ("_imap._tcp", Security.STARTTLS)),
    "smtp": (("_submissions._tcp", Security.TLS), ("_submission._tcp", Security.STARTTLS)),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Servers and where they were read. `provider` is known where the MX records name one.

    outside: hosts that do not belong to the domain; RFC 6186, section 6, has the person asked.
    """

    source: str
    imap: Endpoint | None = None
    smtp: Endpoint | None = None
    provider: Provider | None = None
    outside: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether there is a server for reading and one for sending."""
        return self.imap is not None and self.smtp is not None


class Discovery:
    """Looks one domain up. `notes` tells what was asked and what came of it, line by line.

    resolver: a `dns.resolver.Resolver`; None takes the machine's own.
    """

    def __init__(
        self, address: str, *, resolver: Any = None, context: ssl.SSLContext | None = None,
        connect: Connect = socket.create_connection, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self.domain = address_on_the_wire(address).rpartition("@")[2]
        self.notes: list[str] = []
        self._resolver, self._context = resolver, context
        self._connect, self._clock = connect, clock

    def run(self) -> Found | None:
        """The first complete answer of SRV, autoconfig and MX, in this order; None for none."""
        for look in (self._by_srv, self._by_autoconfig, self._by_mx):
            found = look()
            if found is not None and found.complete:
                hosts = [end.host for end in (found.imap, found.smtp) if end is not None]
                outside = [host for host in dict.fromkeys(hosts) if not self._is_inside(host)]
                return replace(found, outside=tuple(outside))
        return None

    # -- DNS ----------------------------------------------------------------------------------

    def _by_srv(self) -> Found | None:
        """Each of the two: implicit TLS where it is named, else STARTTLS; never without."""
        ends = {kind: self._srv_endpoint(names) for kind, names in _SRV.items()}
        return Found(source=f"SRV records of {self.domain} (DNS)",
                     imap=ends["imap"], smtp=ends["smtp"])

    def _srv_endpoint(self, names: Sequence[tuple[str, Security]]) -> Endpoint | None:
        for name, security in names:
            records = self._resolve(f"{name}.{self.domain}", "SRV")
            best = min(records, key=lambda one: (one.priority, -one.weight), default=None)
            if best is None:
                continue
            host = str(best.target).rstrip(".").lower()
            with contextlib.suppress(ValueError):
                if host:  # "." says that there is no such service (RFC 6186, section 3.4)
                    return Endpoint(host=host, port=best.port, security=security,
                                    username=self.address)
        return None

    def _by_mx(self) -> Found | None:
        """Who takes the domain's mail, if that is a provider whose settings are known offline."""
        records = self._resolve(self.domain, "MX")
        for record in sorted(records, key=lambda one: int(one.preference)):
            known = provider_of_mail_server(str(record.exchange), self.address)
            if known is not None:
                return Found(source=f"{self.domain}'s mail goes to {known.name} (MX record in DNS)",
                             imap=known.imap, smtp=known.smtp, provider=known)
        return None

    def _resolve(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            resolver = self._resolver or dns.resolver.Resolver()
            found = list(resolver.resolve(name, kind, lifetime=TIMEOUT_S, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            found = []
        except dns.exception.DNSException as error:
            self.notes.append(f"DNS {kind} {name}: no answer ({type(error).__name__})")
            return []
        self.notes.append(f"DNS {kind} {name}: {'found' if found else 'nothing'}")
        return found

    # -- autoconfig ---------------------------------------------------------------------------

    def _by_autoconfig(self) -> Found | None:
        """https only: over plain http anybody on the way could name a server of their own."""
        for host, path in (
            (f"autoconfig.{self.domain}", "/mail/config-v1.1.xml"),
            (self.domain, "/.well-known/autoconfig/mail/config-v1.1.xml"),
        ):
            ends = servers_in(self._read(host, path), self.address)
            if len(ends) == 2:
                return Found(source=f"https://{host}{path}", imap=ends["imap"], smtp=ends["smtp"])
        return None

    def _read(self, host: str, path: str) -> bytes:
        """What lies there, or nothing; redirects are not followed."""
        try:
            with self._tls(host) as wire:
                connection = http.client.HTTPSConnection(host)
                connection.sock = wire
                connection.request("GET", path, headers={"User-Agent": "dsar", "Accept": "*/*"})
                answer = connection.getresponse()
                raw = self._capped(answer) if answer.status == 200 else b""
                said = "found" if raw else f"nothing usable (HTTP status {answer.status})"
        except ssl.SSLCertVerificationError:
            raw, said = b"", "not used: its certificate cannot be verified"
        except (OSError, http.client.HTTPException) as error:
            raw, said = b"", f"nothing ({type(error).__name__})"
        self.notes.append(f"https://{host}{path}: {said}")
        return raw

    @contextlib.contextmanager
    def _tls(self, host: str) -> Iterator[ssl.SSLSocket]:
        context = self._context or ssl.create_default_context()
        with (self._connect((host, 443), TIMEOUT_S) as plain,
              context.wrap_socket(plain, server_hostname=host) as wire):
            yield wire

    def _capped(self, answer: http.client.HTTPResponse) -> bytes:
        """At most 64 kB within ten seconds; more is no configuration but an attack."""
        raw, until = b"", self._clock() + TIMEOUT_S
        while piece := answer.read1(16 * 1024):
            raw += piece
            if len(raw) > MAX_BYTES or self._clock() > until:
                return b""
        return raw

    def _is_inside(self, host: str) -> bool:
        return host == self.domain or host.endswith(f".{self.domain}")


def resolver_at(server: str) -> Any:
    """A resolver that asks one name server, `ADDRESS` or `ADDRESS:PORT`. Raises ValueError."""
    import dns.resolver

    address, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = int(port or 53)
    return resolver
