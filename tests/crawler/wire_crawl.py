"""Every hostile exchange through a whole Scrapy crawl; prints what was recorded beside what the socket saw, as JSON.

    PYTHONPATH=. python tests/crawler/wire_crawl.py [--failing-self-test]

A process of its own, because Scrapy's reactor can be run once. `test_wire_crawl.py` reads the output.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from twisted.python.failure import Failure
from wire_server import CASES, WireServer, all_scripts, server_context

from archive.model import Exchange, Target
from crawler.wire import selftest
from crawler.wire.context import FRONTIER_ID, TARGET, Permission, WireContext

HANDLER = "crawler.wire.handler.WireHandler"


class Recorder:
    def __init__(self) -> None:
        self.rows: list[tuple[int | None, Exchange]] = []

    async def record(self, target: Target, frontier_id: int | None, exchange: Exchange) -> object:
        await asyncio.sleep(0.001)
        self.rows.append((frontier_id, exchange))
        return None


class Hostile(scrapy.Spider):
    name = "hostile"

    async def start(self) -> AsyncIterator[Any]:
        self.outcomes: dict[int, str] = {}
        self.keys: list[tuple[str, str]] = []
        self.stack = contextlib.AsyncExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        context, _ = server_context(folder)
        self.servers = {
            "http": await self.stack.enter_async_context(WireServer(all_scripts()).running()),
            "https": await self.stack.enter_async_context(WireServer(all_scripts(), context).running()),
        }
        for scheme, server in self.servers.items():
            for name, case in CASES.items():
                url = server.url(name)
                target = Target(url=url, role="page", site="hostile", channel="all", method=case.method, body=case.body)
                number = len(self.keys)
                self.keys.append((scheme, name))
                yield scrapy.Request(
                    url, method=case.method, body=case.body, headers=case.headers, dont_filter=True,
                    meta={TARGET: target, FRONTIER_ID: number, "handle_httpstatus_all": True, **case.meta},
                    callback=self.parse, errback=self.note_failure,
                )  # fmt: skip

    async def parse(self, response: scrapy.http.Response) -> None:
        self.outcomes[response.meta[FRONTIER_ID]] = "response"

    async def note_failure(self, failure: Failure) -> None:
        self.outcomes[failure.request.meta[FRONTIER_ID]] = type(failure.value).__name__  # type: ignore[attr-defined]

    async def close_servers(self) -> None:
        await self.stack.aclose()


def main() -> None:
    process = CrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
            "DOWNLOAD_TIMEOUT": 20,
            "CONCURRENT_REQUESTS": 24,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 24,
            "DOWNLOAD_DELAY": 0,
            "RETRY_ENABLED": False,
            "REDIRECT_ENABLED": False,
            "ROBOTSTXT_OBEY": False,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    crawler = process.create_crawler(Hostile)
    recorder = Recorder()
    seen: list[dict[str, object]] = []

    permission = Permission(range(1024, 65536), private=True)
    crawler.gongkai_wire = WireContext(recorder, lambda host: permission)  # type: ignore[attr-defined]

    async def compare() -> None:
        spider = crawler.spider
        assert isinstance(spider, Hostile)
        served = {
            (scheme, one.request.split(b" ")[1].decode().strip("/")): one
            for scheme, server in spider.servers.items()
            for one in server.served
        }
        for number, exchange in recorder.rows:
            if number is None:
                seen.append({"again": exchange.error})
                continue
            scheme, name = spider.keys[number]
            one = served[scheme, name]
            kept = b"".join(exchange.interim) + exchange.response + exchange.trailing
            seen.append(
                {
                    "scheme": scheme,
                    "case": name,
                    "request_same": one.request == exchange.request,
                    "response_same": one.sent.startswith(kept) if CASES[name].prefix else bytes(one.sent) == kept,
                    "error": (exchange.error or "").partition(":")[0],
                    "outcome": spider.outcomes.get(number),
                }
            )
        await spider.close_servers()

    if "--failing-self-test" in sys.argv:
        selftest._INTERIM += b"?"
    crawler.signals.connect(compare, scrapy.signals.spider_closed)
    process.crawl(crawler)
    process.start()
    served = sum(len(server.served) for server in crawler.spider.servers.values())  # type: ignore[union-attr]
    json.dump({"scrapy": scrapy.__version__, "served": served, "seen": seen}, sys.stdout)


if __name__ == "__main__":
    main()
