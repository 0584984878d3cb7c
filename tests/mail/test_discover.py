"""Looking up a domain's servers: a real name server and real HTTPS servers on this machine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers.webservers import NameServer, TlsSite, certify

from dsar.mail.account import Endpoint, Security
from dsar.mail.autoconfig import servers_in
from dsar.mail.discover import MAX_BYTES, Discovery, resolver_at

ALEX = "alex@example.org"
SRV = {("_imaps._tcp.example.org", "SRV"): ["0 1 993 imap.example.org."],
       ("_submissions._tcp.example.org", "SRV"): ["0 1 465 smtp.example.org."]}
XML = """<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.org">
<incomingServer type="pop3"><hostname>pop.example.org</hostname><port>995</port>
<socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
<incomingServer type="imap"><hostname>open.example.org</hostname><port>143</port>
<socketType>plain</socketType><username>%EMAILADDRESS%</username></incomingServer>
<incomingServer type="imap"><hostname>in.%EMAILDOMAIN%</hostname><port>993</port>
<socketType>SSL</socketType><username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>out.example.org</hostname><port>587</port>
<socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>"""
Look = Callable[..., Discovery]


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    """Makes discoveries against these records and pages; every socket leads to this machine."""
    opened: list[NameServer | TlsSite] = []

    def make(records: dict[tuple[str, str], list[str]] | None = None,
             pages: dict[str, tuple[int, bytes]] | None = None, *,
             names: tuple[str, ...] = ("autoconfig.example.org", "example.org"),
             address: str = ALEX) -> Discovery:
        ca, chain = certify(tmp_path / "ca", *names)
        server = NameServer(records or {})
        site = TlsSite(chain, lambda method, host, path, form: (
            *_typed((pages or {}).get(f"{host}{path}", (404, b""))),))
        opened.extend((server, site))
        connected: list[tuple[str, int]] = []

        def connect(where: tuple[str, int], timeout: float) -> socket.socket:
            connected.append(where)
            return socket.create_connection(("127.0.0.1", site.port), timeout)

        found = Discovery(address, resolver=resolver_at(f"127.0.0.1:{server.port}"),
                          context=ssl.create_default_context(cafile=ca), connect=connect)
        found.seen = (server, site, connected)  # type: ignore[attr-defined]
        return found

    yield make
    for each in opened:
        each.close()


def _typed(page: tuple[int, bytes]) -> tuple[int, str, bytes]:
    return page[0], "text/xml", page[1]


AUTOCONFIG = "autoconfig.example.org/mail/config-v1.1.xml"
WELL_KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"


def test_srv_records_with_tls_are_enough_and_no_page_is_fetched(look: Look) -> None:
    search = look(SRV, {AUTOCONFIG: (200, XML.encode())})
    found = search.run()
    assert found is not None
    assert found.imap == Endpoint(host="imap.example.org", port=993, username=ALEX)
    assert found.smtp == Endpoint(host="smtp.example.org", port=465, username=ALEX)
    assert (found.source, found.outside) == ("SRV records of example.org (DNS)", ())
    assert search.seen[2] == []  # type: ignore[attr-defined]


def test_starttls_records_count_where_there_are_no_others(look: Look) -> None:
    found = look({("_imap._tcp.example.org", "SRV"): ["0 1 143 imap.example.org."],
                  ("_submission._tcp.example.org", "SRV"): ["0 1 587 smtp.example.org."]}).run()
    assert found is not None
    assert (found.imap and found.imap.security) == Security.STARTTLS
    assert (found.smtp and found.smtp.port) == 587


def test_the_lowest_priority_wins_and_then_the_greatest_weight(look: Look) -> None:
    found = look(SRV | {("_imaps._tcp.example.org", "SRV"): [
        "10 9 993 late.example.org.", "5 1 993 light.example.org.", "5 7 993 heavy.example.org."
    ]}).run()
    assert found is not None
    assert (found.imap and found.imap.host) == "heavy.example.org"


def test_a_host_outside_the_domain_is_named_as_such(look: Look) -> None:
    strange = ["0 1 993 imap.evilexample.org."]
    found = look(SRV | {("_imaps._tcp.example.org", "SRV"): strange}).run()
    assert found is not None
    assert found.outside == ("imap.evilexample.org",)


def test_a_dot_as_the_target_means_that_there_is_no_such_service(look: Look) -> None:
    assert look(SRV | {("_imaps._tcp.example.org", "SRV"): ["0 0 0 ."]}).run() is None


@pytest.mark.parametrize("page", [AUTOCONFIG, WELL_KNOWN])
def test_then_the_domains_own_pages_are_read_over_https_only(look: Look, page: str) -> None:
    search = look({}, {page: (200, XML.encode())})
    found = search.run()
    assert found is not None
    assert found.imap == Endpoint(host="in.example.org", port=993, username="alex")
    assert found.smtp == Endpoint(host="out.example.org", port=587, username=ALEX,
                                  security=Security.STARTTLS)
    assert found.source == f"https://{page}"
    server, site, connected = search.seen  # type: ignore[attr-defined]
    assert {port for _, port in connected} == {443}
    assert not any("alex" in each for each in (*server.asked, *site.requests))


def test_a_page_with_an_unknown_certificate_is_not_used(look: Look) -> None:
    search = look({}, {AUTOCONFIG: (200, XML.encode()), WELL_KNOWN: (200, XML.encode())},
                  names=("other.example",))
    assert search.run() is None
    assert any("certificate" in note for note in search.notes)


def test_a_redirect_is_not_followed(look: Look) -> None:
    search = look({}, {AUTOCONFIG: (302, b"http://elsewhere.example/")})
    assert search.run() is None
    assert {host for host, _ in search.seen[2]} == {  # type: ignore[attr-defined]
        "autoconfig.example.org", "example.org"}


def test_a_page_without_end_is_cut_off(look: Look) -> None:
    assert look({}, {AUTOCONFIG: (200, XML.encode() + b" " * MAX_BYTES)}).run() is None


def test_last_a_mail_server_of_a_known_provider_gives_its_settings(look: Look) -> None:
    found = look({("example.org", "MX"): ["10 example-org.mail.protection.outlook.com."]}).run()
    assert found is not None
    assert (found.provider and found.provider.id) == "microsoft-365"
    assert (found.imap and found.imap.host) == "outlook.office365.com"
    assert found.outside == ("outlook.office365.com", "smtp.office365.com")
    assert look({("example.org", "MX"): ["10 mx.notgoogle.com."]}).run() is None


def test_nothing_found_says_what_was_asked(look: Look) -> None:
    search = look()
    assert search.run() is None
    assert len(search.notes) == 7
    assert "DNS SRV _imaps._tcp.example.org: nothing" in search.notes


def test_an_international_domain_is_asked_for_in_ascii(look: Look) -> None:
    search = look(address="alex@bücher.example")
    search.run()
    assert "SRV _imaps._tcp.xn--bcher-kva.example" in search.seen[0].asked  # type: ignore[attr-defined]


@pytest.mark.parametrize("raw", [
    b"", b"<", b"\xff\xfe<\x00", b"<a/>", XML.encode("utf-16"),
    b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XML.split("?>", 1)[1].encode(),
    XML.replace("993", "99300").replace("587", "x").encode(),
    XML.replace("in.%EMAILDOMAIN%", "a b/../").replace("out.", "-i x").encode(),
])
def test_what_is_no_proper_configuration_gives_no_pair_of_servers(raw: bytes) -> None:
    assert len(servers_in(raw, ALEX)) < 2
