"""Looks that leave the machine, against a DNS server and a web server on loopback."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import build_opener

import dns.message
import dns.resolver
import dns.rrset
import pytest

from dsar.registry.lookups import looked_up, mail_look, page_problem, web_look

ZONE = {
    ("good.example.", "MX"): "10 mx.good.example.", ("null.example.", "MX"): "0 .",
    ("host.example.", "A"): "192.0.2.1", ("xn--bcher-kva.example.", "MX"): "10 mx.good.example.",
}
KNOWN = {name for name, _ in ZONE} | {"bare.example."}


class Dns(socketserver.BaseRequestHandler):
    """Answers from ZONE."""

    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        if name not in KNOWN:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (name, kind) in ZONE:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, ZONE[name, kind]))
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def resolver() -> Iterator[dns.resolver.Resolver]:
    with socketserver.UDPServer(("127.0.0.1", 0), Dns) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        found = dns.resolver.Resolver(configure=False)
        found.nameservers, found.port = ["127.0.0.1"], server.server_address[1]
        yield found
        server.shutdown()


def test_domains_that_take_no_mail_are_named(resolver: dns.resolver.Resolver) -> None:
    domains = ["good.example", "good.example", "null.example", "host.example", "bare.example",
               "gone.example", "bücher.example", "not a domain"]
    assert dict(looked_up(mail_look(resolver), domains)) == {
        "null.example": "says that it takes no mail",
        "bare.example": "takes no mail: it has no mail server and no address",
        "gone.example": "does not exist", "not a domain": "is no domain name",
    }


class Web(BaseHTTPRequestHandler):
    """/gone is gone, /closed is closed to robots, anything else is there."""

    def do_HEAD(self) -> None:
        self.send_response({"/gone": 410, "/closed": 403}.get(self.path, 200))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_pages_that_are_gone_are_named() -> None:
    opener = build_opener()
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        pages = [f"{base}/", f"{base}/gone", f"{base}/closed"]
        found = dict(looked_up(lambda url: page_problem(opener, url), pages))
        server.shutdown()
    assert found == {f"{base}/gone": "answers 410"}
    assert "does not answer" in (page_problem(opener, "http://127.0.0.1:9/") or "")


def test_what_is_no_web_address_is_not_asked() -> None:
    assert web_look()("file:///etc/passwd") is not None
    assert web_look()("http://127.0.0.1/") is not None
