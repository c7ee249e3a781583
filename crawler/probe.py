"""`gongkai sites probe URL`: fetches one page, gently and with the crawl's own wire client, and proposes a site file.

Nothing is recorded: a page that somebody looks at is not part of the corpus.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urldefrag, urlsplit

from archive import http1
from archive.model import Exchange
from crawler import settings
from crawler.blocking import block
from crawler.discover import MOST_REDIRECTS, REDIRECTS, absolute_url, location_of
from crawler.exceptions import ProbeError
from crawler.proposal import Proposal, propose
from crawler.wire.client import Client, Order
from crawler.wire.connection import Limits
from crawler.wire.context import Permission
from crawler.wire.request import UnsendableRequestError, origin, request_bytes

_LIMITS = Limits(first_byte_seconds=60.0, total_seconds=120.0, response_bytes=8 * 1024 * 1024)
_SCHEMES = ("http", "https")


def probe(url: str, *, allow_private: bool = False) -> Proposal:
    """What the page at `url` says about its site. Raises ProbeError, which says why there is no page to read."""
    asked = url if "://" in url else f"http://{url}"
    exchange = asyncio.run(_fetched(asked, allow_private=allow_private))
    entity = _entity(exchange)
    guard = block(entity, status=exchange.status or 0, headers=exchange.headers)
    if guard is not None:
        raise ProbeError(f"{exchange.url}: expected a page, found that of a guard: {guard.name} ({guard.why})")
    if exchange.status != 200:
        raise ProbeError(f"{exchange.url}: expected status 200, found {exchange.status}")
    return replace(propose(entity, exchange.url, exchange.headers), allow_private=allow_private)


async def _fetched(url: str, *, allow_private: bool) -> Exchange:
    """The exchange at the end of the redirects from `url`; the address of every hop is checked."""
    client = Client()
    try:
        for _ in range(MOST_REDIRECTS + 1):
            exchange = (await client.attempt(_order(url, allow_private=allow_private))).exchange
            if exchange.error is not None or exchange.status is None:
                why = exchange.error or "the answer has no head that can be read"
                hint = " (--allow-private looks nonetheless)" if why.startswith("private_address:") else ""
                raise ProbeError(f"{url}: {why}{hint}")
            location = location_of(url, exchange.headers) if exchange.status in REDIRECTS else None
            if location is None:
                return exchange
            url = location
    finally:
        await client.close()
    raise ProbeError(f"{url}: more than {MOST_REDIRECTS} redirects")


def _order(url: str, *, allow_private: bool) -> Order:
    target = absolute_url(url, urldefrag(url).url)
    if target is None or urlsplit(target).scheme not in _SCHEMES:
        raise ProbeError(f"{url}: expected an http or https address")
    headers = {"User-Agent": settings.USER_AGENT, **settings.DEFAULT_REQUEST_HEADERS}
    lines = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    try:
        scheme, host, port = origin(target)
        request = request_bytes("GET", target, lines)
    except UnsendableRequestError as error:
        raise ProbeError(f"{url}: {error}") from error
    permission = Permission(ports=frozenset({port}), private=allow_private)
    return Order(target, "GET", scheme, host, port, request, permission, _LIMITS)


def _entity(exchange: Exchange) -> bytes:
    try:
        return http1.entity(exchange.response)
    except http1.DecodingError as error:
        return error.partial
