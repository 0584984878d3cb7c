"""Fetching a list: HTTPS only, verified, capped, only when it changed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dsar.errors import Temporary, UsageProblem
from dsar.registry.fetch import fetch

BODY = b'[{"name": "Acme"}]'
MEDIA = ("application/json",)


class Handler(BaseHTTPRequestHandler):
    """A few addresses, each with one way to go wrong."""

    def do_GET(self) -> None:
        match self.path:
            case "/list" if self.headers.get("If-None-Match") == '"v1"':
                self._answer(304, b"", ETag='"v1"')
            case "/list":
                self._answer(200, BODY, ETag='"v1"')
            case "/html":
                self._answer(200, b"<html>", type_="text/html")
            case "/big":
                self._answer(200, b"x" * 100_000)
            case "/down":
                self._answer(302, b"", Location="http://127.0.0.1:9/list")
            case "/file":
                self._answer(302, b"", Location="file:///etc/passwd")
            case "/moved":
                self._answer(302, b"", Location="/list")
            case _:
                self._answer(503, b"")

    def _answer(self, status: int, body: bytes, *, type_: str = "application/json",
                **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key),
         "-out", str(certificate)], check=True, capture_output=True)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    trusting = ssl.create_default_context(cafile=str(certificate))
    yield f"https://127.0.0.1:{httpd.server_address[1]}", trusting
    httpd.shutdown()
    httpd.server_close()


def clock() -> float:
    return 0.0


def test_a_list_comes_with_its_etag_and_then_only_when_it_changed(
    server: tuple[str, ssl.SSLContext],
) -> None:
    base, context = server
    found = fetch(f"{base}/list", MEDIA, clock=clock, context=context)
    assert found is not None
    assert (found.raw, found.etag) == (BODY, '"v1"')
    assert fetch(f"{base}/list", MEDIA, etag=found.etag, clock=clock, context=context) is None
    moved = fetch(f"{base}/moved", MEDIA, clock=clock, context=context)
    assert moved is not None


@pytest.mark.parametrize("path", ["/html", "/big", "/down", "/file"])
def test_what_is_not_the_list_is_refused(server: tuple[str, ssl.SSLContext], path: str) -> None:
    base, context = server
    with pytest.raises((UsageProblem, Temporary)):
        fetch(f"{base}{path}", MEDIA, clock=clock, context=context, limit=50_000)


def test_a_server_in_trouble_is_temporary(server: tuple[str, ssl.SSLContext]) -> None:
    base, context = server
    with pytest.raises(Temporary, match="503"):
        fetch(f"{base}/nothing", MEDIA, clock=clock, context=context)
    with pytest.raises(Temporary):
        fetch("https://127.0.0.1:9/list", MEDIA, clock=clock, timeout_s=2)


def test_a_certificate_nobody_vouches_for_is_refused(server: tuple[str, ssl.SSLContext]) -> None:
    with pytest.raises(Temporary, match="certificate"):
        fetch(f"{server[0]}/list", MEDIA, clock=clock)


@pytest.mark.parametrize("url", ["http://127.0.0.1/list", "file:///etc/passwd", "ftp://x.example"])
def test_only_https_is_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="HTTPS"):
        fetch(url, MEDIA, clock=clock)


def test_a_server_that_sends_drop_by_drop_is_cut_off(server: tuple[str, ssl.SSLContext]) -> None:
    base, context = server
    ticks = iter([0.0, 10_000.0, 10_000.0])
    with pytest.raises(Temporary, match="too long"):
        fetch(f"{base}/list", MEDIA, clock=lambda: next(ticks), context=context)
