"""Every hostile exchange, over http and https: what the socket saw is what is recorded, in both directions."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from wire_server import CASES, Case, WireServer, all_scripts, server_context

from archive.model import Exchange, Target
from crawler.wire.context import FRONTIER_ID, TARGET, Permission, WireContext
from crawler.wire.handler import WireHandler

EXCEPTIONS: dict[str, type[Exception]] = {
    "bad_chunk": ResponseDataLossError,
    "connection_reset": DownloadFailedError,
    "disconnected": ResponseDataLossError,
    "empty_reply": DownloadFailedError,
    "head_too_large": DownloadFailedError,
    "oversize": DownloadCancelledError,
    "timeout": DownloadTimeoutError,
    "unparsable_head": DownloadFailedError,
}


@dataclass
class Recorded:
    """A recorder that keeps what it is given."""

    rows: list[tuple[Target, int | None, Exchange]] = field(default_factory=list)

    async def record(self, target: Target, frontier_id: int | None, exchange: Exchange) -> object:
        await asyncio.sleep(0)
        self.rows.append((target, frontier_id, exchange))
        return None


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return server_context(tmp_path_factory.mktemp("tls"))


def handler_for(recorder: Recorded, port: int, **settings: object) -> WireHandler:
    crawler = Crawler(Spider, {"GONGKAI_WIRE_SELF_TEST": False, "DOWNLOAD_TIMEOUT": 10, **settings})
    permission = Permission(frozenset({port}), private=True)
    crawler.gongkai_wire = WireContext(recorder, permission=lambda host: permission)  # type: ignore[attr-defined]
    return WireHandler.from_crawler(crawler)


def request_for(case: Case, url: str) -> Request:
    target = Target(url=url, role="page", site="test_site", channel="test", method=case.method, body=case.body)
    meta = {TARGET: target, FRONTIER_ID: 7, **case.meta}
    return Request(url, method=case.method, body=case.body, headers=case.headers, meta=meta)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", CASES)
def test_the_record_holds_exactly_what_crossed_the_wire(
    name: str, scheme: str, tls: tuple[ssl.SSLContext, Path]
) -> None:
    case = CASES[name]
    recorder = Recorded()

    async def fetch() -> tuple[Response | Exception, WireServer]:
        async with WireServer(all_scripts(), tls[0] if scheme == "https" else None).running() as server:
            handler = handler_for(recorder, server.port, GONGKAI_CA_FILE=str(tls[1]))
            try:
                return await handler.download_request(request_for(case, server.url(name))), server
            except tuple(EXCEPTIONS.values()) as error:
                return error, server
            finally:
                await handler.close()

    outcome, server = asyncio.run(fetch())
    assert len(recorder.rows) == len(server.served) == 1, recorder.rows
    target, frontier_id, exchange = recorder.rows[0]
    served = server.served[0]
    assert (target.url, frontier_id, exchange.url) == (server.url(name), 7, server.url(name))

    assert digest(exchange.request) == digest(served.request)
    kept = b"".join(exchange.interim) + exchange.response + exchange.trailing
    if case.prefix:
        assert served.sent.startswith(kept)
        assert kept
    else:
        assert digest(kept) == digest(bytes(served.sent))
        assert bytes(served.sent) == case.sent
    if case.interim >= 0:
        assert len(exchange.interim) == case.interim
    assert len(exchange.trailing) == case.trailing

    assert exchange.status == case.status
    assert exchange.truncated == case.truncated
    assert (exchange.error or "").partition(":")[0] == (case.error or "")
    assert exchange.peer == "127.0.0.1"
    if scheme == "https":
        assert exchange.tls is not None
        assert exchange.tls.verified
        assert exchange.tls.version == "TLSv1.3"
    else:
        assert exchange.tls is None

    if case.error is not None:
        assert type(outcome) is EXCEPTIONS[case.error]
    else:
        assert isinstance(outcome, Response), outcome
        assert outcome.body == case.entity
        assert outcome.status == case.status


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40
