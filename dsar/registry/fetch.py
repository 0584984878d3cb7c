"""Fetches a public list over HTTPS: verified, capped, with a time limit, only when it changed."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from dsar.errors import Temporary, UsageProblem

MAX_BYTES = 64 * 1024 * 1024
CHUNK = 256 * 1024
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Fetched:
    """What came: the bytes, and the ETag to ask with next time ("" where there is none)."""

    raw: bytes
    etag: str


class _HttpsOnly(HTTPRedirectHandler):
    """A redirect may lead to another host, never away from HTTPS."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            raise UsageProblem("The list has moved to an address without encryption.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    url: str, media: tuple[str, ...], *, etag: str = "", clock: Callable[[], float],
    context: ssl.SSLContext | None = None, limit: int = MAX_BYTES, timeout_s: float = TIMEOUT_S,
) -> Fetched | None:
    """Return what lies at `url`, or None where it is still what `etag` names.

    media: the content types to take. clock: seconds, monotonic, for the limit on the whole
    transfer. Raises Temporary for anything the network does, UsageProblem for what is not HTTPS,
    too large, or of another type.
    """
    if urlsplit(url).scheme != "https":
        raise UsageProblem("Lists are pulled over HTTPS only.")
    opener = build_opener(HTTPSHandler(context=context or ssl.create_default_context()),
                          _HttpsOnly())
    headers = {"User-Agent": "dsar", **({"If-None-Match": etag} if etag else {})}
    host = urlsplit(url).hostname
    try:
        with opener.open(Request(url, headers=headers), timeout=timeout_s) as answer:
            _check_type(answer, media)
            raw = _read(answer, limit, clock, timeout_s)
            return Fetched(raw, answer.headers.get("ETag") or "")
    except HTTPError as error:
        if error.code == 304 and etag:
            return None
        raise Temporary(f"{host}: HTTP status {error.code}.") from error
    except (URLError, HTTPException, TimeoutError, OSError) as error:
        raise Temporary(f"{host}: {getattr(error, 'reason', error)}.") from error


def _check_type(answer: HTTPResponse, media: tuple[str, ...]) -> None:
    found = answer.headers.get_content_type()
    if found not in media:
        raise UsageProblem(f"The list came as {found}, not as {media[0]}.",
                           hint="Look at the address in a browser; `--from FILE` takes a copy.")


def _read(
    answer: HTTPResponse, limit: int, clock: Callable[[], float], timeout_s: float
) -> bytes:
    """Read to the end; a server that sends drop by drop is cut off like one that sends too much."""
    parts, size, end = [], 0, clock() + 10 * timeout_s
    while part := answer.read(CHUNK):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise UsageProblem(f"The list is larger than {limit} bytes.")
        if clock() > end:
            raise Temporary("The list took too long to come.")
    return b"".join(parts)
