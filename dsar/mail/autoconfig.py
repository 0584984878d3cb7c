"""Reads the XML in which a domain names its mail servers (Thunderbird's autoconfig, version 1.1).

The format: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, fromstring

from dsar.mail.account import Endpoint, Security

_SECURITY = {"SSL": Security.TLS, "STARTTLS": Security.STARTTLS}  # "plain" is never used


def servers_in(raw: bytes, address: str) -> Mapping[str, Endpoint]:
    """The first secure server for reading ("imap") and for sending ("smtp") that is named.

    Empty for what is no such XML. Document types and entities are refused: they are how a short
    file grows without end or reads others.
    """
    try:
        text = raw.decode("utf-8")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            return {}
        provider = fromstring(text).find("emailProvider")
    except (UnicodeDecodeError, ParseError, ValueError):
        return {}
    found: dict[str, Endpoint] = {}
    for kind, tag in (("imap", "incomingServer"), ("smtp", "outgoingServer")):
        listed = [] if provider is None else provider.findall(tag)
        ends = [_endpoint(one, address) for one in listed if one.get("type") == kind]
        if (first := next((end for end in ends if end is not None), None)) is not None:
            found[kind] = first
    return found


def _endpoint(server: Element, address: str) -> Endpoint | None:
    local, _, domain = address.rpartition("@")
    host = _text(server, "hostname").replace("%EMAILDOMAIN%", domain).lower()
    security = _SECURITY.get(_text(server, "socketType"))
    port = _text(server, "port")
    if security is None or not port.isdigit() or not _is_host(host):
        return None
    name = _text(server, "username") or "%EMAILADDRESS%"
    for placeholder, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local),
                               ("%EMAILDOMAIN%", domain)):
        name = name.replace(placeholder, value)
    try:
        return Endpoint(host=host, port=int(port), security=security, username=name)
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    labels = host.split(".")
    return len(labels) > 1 and host.isascii() and all(
        part and part.replace("-", "a").isalnum() for part in labels)


def _text(server: Element, tag: str) -> str:
    found = server.findtext(tag) or ""
    return "".join(ch for ch in found if ch.isprintable()).strip()
