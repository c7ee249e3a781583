"""Refuses to crawl when the bytes recorded are not the bytes on the wire.

An archive that is wrong from some interpreter or library upgrade on is worse than no archive. So a crawl starts with
one exchange over loopback that is as awkward as HTTP allows, and compares what the socket saw with what would be
stored.
"""

from __future__ import annotations

import asyncio
import gzip

from crawler.exceptions import CrawlerError
from crawler.wire.client import Client, ClientOptions, Order
from crawler.wire.connection import Limits
from crawler.wire.context import Permission
from crawler.wire.request import request_bytes

_INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"
_CODED = gzip.compress("政府信息公开".encode("gbk") * 50, mtime=0)
_RESPONSE = (
    b"HTTP/1.1 200\r\n"
    b"sErVeR:  odd \r\nServer: twice\r\n"
    b"Content-Disposition: attachment; filename=" + "年度报告.doc".encode("gbk") + b"\r\n"
    b"X-Folded: one\r\n\t two\r\nno colon here\r\nX-NUL: a\x00b\n"
    b"Content-Encoding: gzip\r\nTRANSFER-ENCODING : Chunked\r\n\r\n"
    + b"".join(b"%X;x=%d\r\n%s\r\n" % (len(_CODED[at : at + 7]), at, _CODED[at : at + 7]) for at in range(0, 70, 7))
    + b"%x\r\n%s\r\n" % (len(_CODED[70:]), _CODED[70:])
    + b"000\r\nSum: abc\r\n\r\n"
)
_BODY = bytes(range(256))
_SECONDS = 10.0


class WireSelfTestError(CrawlerError):
    """Raised before a crawl when a loopback exchange was not recorded byte for byte; nothing must be fetched then."""


async def check_wire() -> None:
    """One exchange over loopback; raises WireSelfTestError when a byte differs in either direction."""
    seen: list[bytes] = []
    server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, seen), "127.0.0.1", 0)
    client = Client(ClientOptions(connect_seconds=_SECONDS))
    try:
        port: int = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/self-test?a=%B9%AB&b"
        headers = [(b"User-Agent", b"gongkai self-test"), (b"x-oDD", b"1"), (b"X-Name", "公开".encode("gbk"))]
        request = request_bytes("POST", url, headers, _BODY)
        exchange = (
            await client.attempt(
                Order(
                    url=url, method="POST", scheme="http", host="127.0.0.1", port=port, request=request,
                    permission=Permission(frozenset({port}), private=True), limits=Limits(_SECONDS, _SECONDS, 1 << 20),
                )
            )
        ).exchange  # fmt: skip
    finally:
        await client.close()
        server.close()
    _compare("sent", b"".join(seen), exchange.request)
    _compare("received", _INTERIM + _RESPONSE, b"".join(exchange.interim) + exchange.response + exchange.trailing)
    if exchange.error is not None:
        raise WireSelfTestError(f"self-test: expected a whole response, found {exchange.error!r}")


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        seen += [head, await reader.readexactly(len(_BODY))]
        for at in range(0, len(_INTERIM + _RESPONSE), 61):
            writer.write((_INTERIM + _RESPONSE)[at : at + 61])
            await writer.drain()
    finally:
        writer.close()


def _compare(direction: str, on_the_wire: bytes, recorded: bytes) -> None:
    if on_the_wire == recorded:
        return
    at = next((i for i, pair in enumerate(zip(on_the_wire, recorded, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(on_the_wire), len(recorded)) if at is None else at
    raise WireSelfTestError(
        f"self-test: bytes {direction} differ at {at}: expected {on_the_wire[at : at + 40]!r}, "
        f"recorded {recorded[at : at + 40]!r}"
    )
