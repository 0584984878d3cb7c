"""Small real servers on 127.0.0.1 for tests: names (DNS), pages over TLS, a sign-in service."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import dns.message
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certify(folder: Path, *names: str) -> tuple[Path, Path]:
    """An authority and, signed by it, a certificate for `names`: (ca.pem, server.pem with key)."""
    now = dt.datetime.now(dt.UTC)

    def made(subject: str, issuer: str, public: Any, signer: Any, *more: Any) -> Any:
        build = (x509.CertificateBuilder()
                 .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
                 .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
                 .public_key(public).serial_number(x509.random_serial_number())
                 .not_valid_before(now - dt.timedelta(days=1))
                 .not_valid_after(now + dt.timedelta(days=7)))
        for extension, critical in more:
            build = build.add_extension(extension, critical)
        return build.sign(signer, hashes.SHA256())

    own, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = made("test authority", "test authority", own.public_key(), own,
              (x509.BasicConstraints(ca=True, path_length=None), True))
    leaf = made("test server", "test authority", key.public_key(), own,
                (x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False))
    folder.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem) + key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "ca.pem", folder / "server.pem"


class NameServer:
    """Answers DNS questions over UDP from a table: (name, type) → texts. Others do not exist."""

    def __init__(self, table: Mapping[tuple[str, str], list[str]]) -> None:
        self.table, self.asked = dict(table), list[str]()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            question = dns.message.from_wire(raw)
            [asked] = question.question
            name, kind = asked.name.to_text().rstrip("."), dns.rdatatype.to_text(asked.rdtype)
            self.asked.append(f"{kind} {name}")
            answer = dns.message.make_response(question)
            texts = self.table.get((name, kind))
            if texts:
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *texts))
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), peer)

    def close(self) -> None:
        self._socket.close()


Answer = tuple[int, str, bytes]


class TlsSite:
    """An HTTPS server; `answer` gets method, host, path and form, and gives status, type, body."""

    def __init__(self, chain: Path, answer: Callable[[str, str, str, dict[str, str]], Answer],
                 key: Path | None = None) -> None:
        self.requests: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(size).decode()).items()}
                host = (self.headers.get("Host") or "").partition(":")[0]
                site.requests.append(f"{self.command} {host}{self.path}")
                status, kind, body = answer(self.command, host, self.path, form)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", body.decode())
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _reply

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # a client that does not trust us hangs up: nothing to tell

        self._server = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class SignIn:
    """A sign-in service as msal speaks to one: device codes (RFC 8628), refresh tokens.

    token: makes the next access token. waits: how often the person is "still typing".
    """

    chain: Path
    token: Callable[[], str]
    user: str
    key: Path | None = None
    expires_in: int = 3600
    waits: int = 1
    device_error: str = ""
    poll_error: str = ""
    refresh_error: str = ""
    client_id: str = "11111111-2222-3333-4444-555555555555"
    scope: str = ""
    given: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._site = TlsSite(self.chain, self._answer, self.key)

    @property
    def requests(self) -> list[str]:
        return self._site.requests

    @property
    def authority(self) -> str:
        return f"https://localhost:{self._site.port}/common"

    def close(self) -> None:
        self._site.close()

    def _answer(self, method: str, host: str, path: str, form: dict[str, str]) -> Answer:
        base = f"https://localhost:{self._site.port}/common/oauth2/v2.0"
        if path.endswith("/.well-known/openid-configuration"):
            return _json({"issuer": base, "authorization_endpoint": f"{base}/authorize",
                          "token_endpoint": f"{base}/token",
                          "device_authorization_endpoint": f"{base}/devicecode"})
        if path.endswith("/devicecode"):
            if self.device_error or form.get("client_id") != self.client_id:
                return _json({"error": self.device_error or "unauthorized_client",
                              "error_description": "AADSTS700016: Not found. More"}, 400)
            self.scope = form.get("scope", "")
            return _json({"user_code": "ABCD-1234", "device_code": "DEVICE-CODE-SECRET",
                          "verification_uri": "https://microsoft.example/device",
                          "expires_in": 600, "interval": 1})
        return self._token(form)

    def _token(self, form: dict[str, str]) -> Answer:
        grant = form.get("grant_type", "")
        self.grants.append(grant)
        if grant.endswith("device_code"):
            if self.poll_error:
                return _json({"error": self.poll_error, "error_description": "No. More"}, 400)
            if self.waits > 0:
                self.waits -= 1
                return _json({"error": "authorization_pending"}, 400)
        elif self.refresh_error:
            return _json({"error": self.refresh_error, "error_description": "Over. More"}, 400)
        self.given.append(self.token())
        return _json({"access_token": self.given[-1], "token_type": "Bearer",
                      "refresh_token": "REFRESH-TOKEN-SECRET", "expires_in": self.expires_in,
                      "scope": form.get("scope") or self.scope, "client_info": _b64(
                          {"uid": "u", "utid": "t"}), "id_token": self._id_token()})

    def _id_token(self) -> str:
        now = int(dt.datetime.now(dt.UTC).timestamp())
        claims = {"iss": "x", "sub": "s", "aud": self.client_id, "iat": now - 5, "exp": now + 3600,
                  "preferred_username": self.user, "oid": "u", "tid": "t"}
        return f"{_b64({'alg': 'none'})}.{_b64(claims)}.x"


def _json(value: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(value).encode()


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
