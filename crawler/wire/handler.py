"""The Scrapy side: Request → Order → recorded Exchange → Response or the exception Scrapy knows for the failure.

In the settings: `DOWNLOAD_HANDLERS = {"http": "crawler.wire.handler.WireHandler", "https": (the same), "file": None,
"data": None, "ftp": None, "s3": None}`. HttpCompressionMiddleware has nothing to do (the body is decoded here) and
HttpProxyMiddleware must be off (proxies are not supported). The signals `headers_received` and `bytes_received` are not
sent. Reads DOWNLOAD_TIMEOUT and DOWNLOAD_MAXSIZE (or the request's `download_timeout`, `download_maxsize`), and

    GONGKAI_CONNECT_SECONDS      15     to one address, TLS handshake included
    GONGKAI_FIRST_BYTE_SECONDS   60     slow servers answer after 19 to 32 s
    GONGKAI_IDLE_SECONDS         15     how long an unused connection is kept
    GONGKAI_STRICT_TLS           False  True: a server that does not verify is not fetched
    GONGKAI_CA_FILE              ""     PEM file of further roots
    GONGKAI_WIRE_SELF_TEST       True   see `selftest`
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from functools import lru_cache
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    NotSupported,
    ResponseDataLossError,
)
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from archive import http1
from archive.model import Exchange, Target
from crawler.wire.client import Attempt, Client, ClientOptions, Order, unsent
from crawler.wire.connection import Limits
from crawler.wire.context import FRONTIER_ID, HELD, RECORDED, TARGET, UNREAD, WireContext
from crawler.wire.request import UnsendableRequestError, origin, request_bytes
from crawler.wire.selftest import WireSelfTestError, check_wire

log = logging.getLogger(__name__)

_EXCEPTIONS: dict[str, type[Exception]] = {
    "unsendable_request": IgnoreRequest,
    "private_address": IgnoreRequest,
    "forbidden_host": IgnoreRequest,
    "forbidden_port": IgnoreRequest,
    "unresolved_host": CannotResolveHostError,
    "connection_refused": DownloadConnectionRefusedError,
    "connect_timeout": DownloadTimeoutError,
    "timeout": DownloadTimeoutError,
    "oversize": DownloadCancelledError,
    "disconnected": ResponseDataLossError,
    "bad_chunk": ResponseDataLossError,
}
_NO_LIMIT = 1 << 62
# The body handed on has neither coding any more.
_CODING_HEADERS = frozenset({b"content-encoding", b"transfer-encoding", b"content-length"})


class WireHandler:
    """Scrapy download handler for http and https; see the module's text for its settings."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        context = getattr(crawler, "gongkai_wire", None)
        if not isinstance(context, WireContext):
            raise NotConfigured("set crawler.gongkai_wire to a WireContext before the crawl starts")
        settings = crawler.settings
        self._crawler = crawler
        self._context = context
        self._first_byte_seconds = settings.getfloat("GONGKAI_FIRST_BYTE_SECONDS", 60.0)
        self._total_seconds = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._response_bytes = settings.getint("DOWNLOAD_MAXSIZE")
        self._options = ClientOptions(
            connect_seconds=settings.getfloat("GONGKAI_CONNECT_SECONDS", 15.0),
            idle_seconds=settings.getfloat("GONGKAI_IDLE_SECONDS", 15.0),
            strict_tls=settings.getbool("GONGKAI_STRICT_TLS", False),
            ca_file=settings.get("GONGKAI_CA_FILE") or None,
        )
        self._client = Client(self._options, stray=context.stray)
        self._self_test: asyncio.Future[None] | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._tested = not settings.getbool("GONGKAI_WIRE_SELF_TEST", True)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WireHandler:
        """Raises NotConfigured, which disables http and https, when the crawl has no `gongkai_wire`."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Fetches and records `request`; the Response, or the exception, only once the exchange is durable."""
        if not self._tested:
            await self._test()
        if request.meta.get("proxy"):
            raise NotSupported("proxies are not supported: the bytes recorded would be the proxy's")
        target: Target = request.meta.get(TARGET) or self._robots_target(request)
        frontier_id: int | None = request.meta.get(FRONTIER_ID)
        record = self._context.recorder.record
        attempt = await self._first_attempt(request)
        while attempt.again is not None:
            await record(target, None, attempt.exchange)
            log.info("%s: trying again after %s", request.url, attempt.exchange.error)
            attempt = await self._client.attempt(attempt.again)
        exchange = attempt.exchange
        if HELD in request.meta and exchange.error is None and exchange.status is not None:
            request.meta[HELD] = exchange
        else:
            request.meta[RECORDED] = await record(target, frontier_id, exchange)
        if exchange.error is not None or exchange.status is None:
            raise _exception(exchange)
        return _response(request, attempt)

    async def close(self) -> None:
        """Closes every connection."""
        await self._client.close()

    async def _first_attempt(self, request: Request) -> Attempt:
        try:
            return await self._client.attempt(self._order(request))
        except UnsendableRequestError as error:
            return Attempt(unsent(request.url, request.method, f"unsendable_request: {error}"))

    async def _test(self) -> None:
        """Runs the self-test once, however many requests wait for it; when it fails, so does each of them."""
        if self._self_test is None:
            self._self_test = asyncio.ensure_future(self._check_or_stop())
        await asyncio.shield(self._self_test)
        self._tested = True

    async def _check_or_stop(self) -> None:
        try:
            await check_wire()
        except (WireSelfTestError, OSError) as error:
            log.critical("nothing is fetched: %s", error)
            # Not awaited: the engine waits for the downloads that wait for this.
            self._stopping = asyncio.ensure_future(self._crawler.stop_async())
            raise

    def _robots_target(self, request: Request) -> Target:
        """Scrapy's robots middleware makes its requests itself, without a target."""
        host = urlsplit(request.url).hostname or ""
        return Target(
            url=request.url, role="robots", site=self._context.site_of(host), channel="", method=request.method
        )

    def _order(self, request: Request) -> Order:
        scheme, host, port = origin(request.url)
        meta = request.meta
        total = float(meta.get("download_timeout") or self._total_seconds)
        headers = ((name, value) for name, values in request.headers.items() for value in values)
        return Order(
            url=request.url,
            method=request.method,
            scheme=scheme,
            host=host,
            port=port,
            request=request_bytes(request.method, request.url, headers, request.body),
            permission=self._context.permission(host),
            limits=Limits(
                first_byte_seconds=self._first_byte_seconds,
                total_seconds=total,
                response_bytes=int(meta.get("download_maxsize", self._response_bytes)) or _NO_LIMIT,
            ),
        )


def _exception(exchange: Exchange) -> Exception:
    error = exchange.error or "unparsable_head"
    return _EXCEPTIONS.get(error.partition(":")[0], DownloadFailedError)(f"{exchange.url}: {error}")


def _response(request: Request, attempt: Attempt) -> Response:
    exchange = attempt.exchange
    if attempt.latency_seconds is not None:
        request.meta["download_latency"] = attempt.latency_seconds
    headers: dict[bytes, list[bytes]] = {}
    for name, value in exchange.headers:
        key = name.lower()
        if key not in _CODING_HEADERS:
            headers.setdefault(key, []).append(value)
    body, flags = (b"", []) if request.meta.get(UNREAD) else _body(attempt)
    return _response_class(headers.get(b"content-type", [b""])[0].lower())(
        url=request.url,
        status=exchange.status or 0,
        headers=headers,
        body=body,
        flags=flags,
        ip_address=_address(exchange.peer) if exchange.peer else None,
        protocol="HTTP/1.1",
    )


def _body(attempt: Attempt) -> tuple[bytes, list[str]]:
    """The body without its codings, and flags that say why it stays as sent."""
    exchange = attempt.exchange
    try:
        return http1.entity(exchange.response, exchange.method, head=attempt.head), []
    except http1.DecodingError as error:
        log.warning("%s: the body stays as sent: %s", exchange.url, error)
        return http1.payload(exchange.response, exchange.method), [error.code]


@lru_cache(maxsize=256)
def _address(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(peer)


def _response_class(content_type: bytes) -> type[Response]:
    if b"html" in content_type:
        return HtmlResponse
    if b"xml" in content_type:
        return XmlResponse
    return TextResponse if content_type.startswith(b"text/") or b"json" in content_type else Response
