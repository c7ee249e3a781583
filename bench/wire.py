"""The download handler alone: CPU and wall seconds per 1,000 pages, beside the least an asyncio client can do.

    python bench/wire.py [--pages N] [--at-once N]

A static server in a process of its own sends pages of 6 to 36 KB, gzip on the wire, over kept connections. `bare` reads
them by Content-Length and keeps nothing; `handler` is WireHandler with a recorder that only takes the exchange. Medians
of three runs; ratios travel between machines, seconds do not.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import multiprocessing
import random
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

from scrapy import Request, Spider
from scrapy.crawler import Crawler

from archive.model import Exchange, Target
from crawler.wire.context import TARGET, Permission, WireContext
from crawler.wire.handler import WireHandler

RUNS = 3


def responses() -> list[bytes]:
    """Fifty pages of words, coded, with the headers a server in front of a portal sends."""
    dice = random.Random(1)
    words = [
        "政府",
        "信息",
        "公开",
        "年度",
        "报告",
        "申请",
        "答复",
        "复议",
        "诉讼",
        "机关",
        "<p>",
        "</p>",
        "<td>",
        "</td>",
    ]
    made = []
    for _ in range(50):
        text = "".join(dice.choices(words, k=dice.randint(1000, 6000))).encode()
        body = gzip.compress(text, 6)
        made.append(
            b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Fri, 01 Mar 2024 00:00:00 GMT\r\n"
            b"Content-Type: text/html; charset=utf-8\r\nLast-Modified: Fri, 01 Mar 2024 00:00:00 GMT\r\n"
            b'Connection: keep-alive\r\nETag: "65e1"\r\nContent-Encoding: gzip\r\n'
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
    return made


class Static(asyncio.Protocol):
    """Answers every head it gets with the next page."""

    pages = responses()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.count = 0

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self.count += 1
            self.transport.write(self.pages[self.count % len(self.pages)])  # type: ignore[attr-defined]


def serve(ready: Connection) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Static, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


class Bare(asyncio.Protocol):
    """One request after another over one connection."""

    def __init__(self, port: int, count: int) -> None:
        self.request = b"GET /page HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port
        self.left = count
        self.buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end or len(rest) < int(head.rpartition(b": ")[2]):
            return
        self.buffer = b""
        self.left -= 1
        if self.left:
            self.transport.write(self.request)  # type: ignore[attr-defined]
        else:
            self.done.set_result(None)
            self.transport.close()


async def bare(port: int, pages: int, at_once: int) -> None:
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Bare(port, pages // at_once), "127.0.0.1", port) for _ in range(at_once)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))


class Taker:
    async def record(self, _target: Target, _frontier_id: int | None, exchange: Exchange) -> object:
        if exchange.error:
            raise RuntimeError(exchange.error)
        return None


async def handler(port: int, pages: int, at_once: int) -> None:
    crawler = Crawler(Spider, {})
    permission = Permission(frozenset({port}), private=True)
    crawler.gongkai_wire = WireContext(Taker(), permission=lambda _host: permission)  # type: ignore[attr-defined]
    wire = WireHandler.from_crawler(crawler)

    async def one_after_another(count: int) -> None:
        for number in range(count):
            url = f"http://127.0.0.1:{port}/page?{number}"
            target = Target(url=url, role="page", site="bench", channel="all")
            await wire.download_request(Request(url, headers={"User-Agent": "gongkai"}, meta={TARGET: target}))

    await asyncio.gather(*(one_after_another(pages // at_once) for _ in range(at_once)))
    await wire.close()


def measured(
    fetch: Callable[[int, int, int], Awaitable[None]], port: int, pages: int, at_once: int
) -> tuple[float, float]:
    """CPU and wall seconds per 1,000 pages."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    asyncio.run(fetch(port, pages, at_once))
    after, ended = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu / pages * 1000, (ended - started) / pages * 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pages", type=int, default=4000)
    options.add_argument("--at-once", type=int, default=16)
    chosen = options.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    port = here.recv()
    for name, fetch in (("bare", bare), ("handler", handler)):
        runs = [measured(fetch, port, chosen.pages, chosen.at_once) for _ in range(RUNS)]
        cpu, wall = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:8} {cpu:.3f} CPU s / 1,000 pages, {1000 / wall:,.0f} pages/s")
    server.terminate()


if __name__ == "__main__":
    main()
