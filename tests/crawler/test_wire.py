"""The download handler beyond single exchanges: connections, TLS verdicts, refusals, order of events, request bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    NotSupported,
)
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse
from wire_server import CASES, CLOSE, HANG, OK, RESET, TEXT, Step, WireServer, server_context, with_length

from archive.model import Exchange, Target
from crawler.wire import selftest
from crawler.wire.client import Client, ClientOptions, Order
from crawler.wire.connection import Limits
from crawler.wire.context import FRONTIER_ID, RECORDED, TARGET, UNREAD, Permission, WireContext
from crawler.wire.handler import WireHandler
from crawler.wire.peers import Resolver, is_public
from crawler.wire.request import UnsendableRequestError, request_bytes
from crawler.wire.selftest import WireSelfTestError, check_wire

PAGE = with_length(TEXT, b"Content-Type: text/html; charset=gbk")
Row = tuple[Target, int | None, Exchange]


class Recorder:
    """Keeps what it is given; `fail` is raised instead when set."""

    def __init__(self, fail: Exception | None = None) -> None:
        self.rows: list[Row] = []
        self.fail = fail

    async def record(self, target: Target, frontier_id: int | None, exchange: Exchange) -> object:
        await asyncio.sleep(0.01)
        if self.fail:
            raise self.fail
        self.rows.append((target, frontier_id, exchange))
        return "recorded"

    @property
    def errors(self) -> list[str]:
        return [(exchange.error or "ok").partition(":")[0] for _, _, exchange in self.rows]


def handler_with(context: WireContext, **settings: object) -> WireHandler:
    crawler = Crawler(Spider, {"GONGKAI_WIRE_SELF_TEST": False, "DOWNLOAD_TIMEOUT": 10, **settings})
    crawler.gongkai_wire = context  # type: ignore[attr-defined]
    return WireHandler.from_crawler(crawler)


def context_for(
    recorder: Recorder,
    port: int,
    *,
    private: bool = True,
    stray: Callable[[str, int], None] = lambda _url, _count: None,
) -> WireContext:
    permission = Permission(frozenset({port}), private=private)
    return WireContext(
        recorder, permission=lambda host: permission, site_of=lambda host: f"site of {host}", stray=stray
    )


def ask(url: str, frontier_id: int = 1, **kwargs: object) -> Request:
    target = Target(url=url, role="page", site="test_site", channel="test")
    return Request(url, meta={TARGET: target, FRONTIER_ID: frontier_id}, **kwargs)  # type: ignore[arg-type]


def run(
    steps: dict[str, tuple[Step, ...]],
    talk: Callable[[WireHandler, WireServer], Awaitable[None]],
    *,
    recorder: Recorder,
    tls: ssl.SSLContext | None = None,
    private: bool = True,
    stray: Callable[[str, int], None] = lambda _url, _count: None,
    **settings: object,
) -> WireServer:
    """Runs `talk` against a server with `steps`, and gives the server back to look at."""

    async def main() -> WireServer:
        async with WireServer(steps, tls).running() as server:
            handler = handler_with(context_for(recorder, server.port, private=private, stray=stray), **settings)
            try:
                await talk(handler, server)
            finally:
                await handler.close()
            return server

    return asyncio.run(main())


# connections


def test_a_connection_is_used_again() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        for _ in range(5):
            assert (await handler.download_request(ask(server.url("page")))).body == TEXT

    server = run({"page": (PAGE,)}, talk, recorder=recorder)
    assert server.connections == 1
    assert [exchange.response for _, _, exchange in recorder.rows] == [PAGE] * 5


@pytest.mark.parametrize(
    "name", ["connection_close", "http_1_0", "trailing_junk", "until_close", "not_modified_with_body", "cut_body"]
)
def test_a_connection_is_not_used_again_after(name: str) -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await asyncio.gather(handler.download_request(ask(server.url("first"))), return_exceptions=True)
        assert (await handler.download_request(ask(server.url("page")))).body == TEXT

    server = run({"first": CASES[name].steps, "page": (PAGE,)}, talk, recorder=recorder)
    assert server.connections == 2
    assert len(recorder.rows) == 2


def test_requests_at_once_go_over_connections_of_their_own() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        urls = [server.url(f"page?{n}") for n in range(24)]
        for response in await asyncio.gather(*(handler.download_request(ask(url)) for url in urls)):
            assert response.body == TEXT

    server = run({"page": (0.02, PAGE)}, talk, recorder=recorder)
    assert server.connections == 24
    assert sorted(served.request for served in server.served) == sorted(row[2].request for row in recorder.rows)


def test_a_connection_closed_while_idle_is_noticed_before_sending() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page")))
        await asyncio.sleep(0.05)
        await handler.download_request(ask(server.url("page")))

    server = run({"page": (PAGE, CLOSE)}, talk, recorder=recorder)
    assert (server.connections, len(server.served)) == (2, 2)
    assert recorder.errors == ["ok", "ok"]


STALE = {"page": (PAGE,), "dead": (CLOSE,), "reset": (RESET,)}


@pytest.mark.parametrize("way", ["dead", "reset"])
def test_a_dead_kept_connection_is_recorded_and_the_request_repeated_once(way: str) -> None:
    """The server takes the second request on the kept connection and closes it without a byte, then again."""
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page"), 1))
        with pytest.raises(DownloadFailedError):
            await handler.download_request(ask(server.url(way), 2))

    server = run(STALE, talk, recorder=recorder)
    assert recorder.errors == ["ok", "stale_connection", "empty_reply" if way == "dead" else "connection_reset"]
    assert [frontier_id for _, frontier_id, _ in recorder.rows] == [1, None, 2]
    assert [served.connection for served in server.served] == [1, 1, 2]
    assert [served.request for served in server.served] == [exchange.request for _, _, exchange in recorder.rows]


def test_a_post_on_a_dead_kept_connection_is_not_repeated() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page"), 1))
        with pytest.raises(DownloadFailedError):
            await handler.download_request(ask(server.url("dead"), 2, method="POST", body=b"a=1"))

    server = run(STALE, talk, recorder=recorder)
    assert recorder.errors == ["ok", "stale_connection"]
    assert [frontier_id for _, frontier_id, _ in recorder.rows] == [1, 2]
    assert len(server.served) == 2


def test_unasked_bytes_end_an_idle_connection() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("late")))
        await asyncio.sleep(0.4)
        assert (await handler.download_request(ask(server.url("page")))).body == TEXT

    server = run({"late": (PAGE, 0.03, b"HTTP/1.1 408 Idle\r\n\r\n"), "page": (PAGE,)}, talk, recorder=recorder)
    assert server.connections == 2
    assert recorder.rows[0][2].trailing == b""


@pytest.mark.parametrize(
    ("late", "said"),
    [(b"<p>the rest</p>", [15]), (b"\r\n", []), (b"HTTP/1.1 408 Idle\r\n\r\n", [])],
    ids=["a body's rest", "blanks", "a farewell"],
)
def test_what_comes_behind_the_end_later_is_said(late: bytes, said: list[int]) -> None:
    recorder, strays = Recorder(), []

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("long")))
        await asyncio.sleep(0.4)

    run({"long": (PAGE, 0.03, late)}, talk, recorder=recorder, stray=lambda url, count: strays.append((url, count)))
    assert recorder.rows[0][2].trailing == b""
    assert strays == [(recorder.rows[0][2].url, count) for count in said]


def test_what_comes_behind_the_end_in_place_of_the_next_answer_is_kept_and_said() -> None:
    """The server is still sending its first answer when it is asked for the second."""
    recorder, strays = Recorder(), []

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("long"), 1))
        assert (await handler.download_request(ask(server.url("page"), 2))).body == TEXT

    steps = {"long": (PAGE, 0.05, b"<p>the rest</p>"), "page": (PAGE,)}
    server = run(steps, talk, recorder=recorder, stray=lambda url, count: strays.append((url, count)))
    assert recorder.errors == ["ok", "stray_bytes", "ok"]
    assert [frontier_id for _, frontier_id, _ in recorder.rows] == [1, None, 2]
    assert recorder.rows[1][2].response.startswith(b"<p>the rest</p>")
    assert strays == [(server.url("long"), 15)]


def test_an_idle_connection_is_closed_after_its_time() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page")))
        await asyncio.sleep(0.2)
        await handler.download_request(ask(server.url("page")))

    assert run({"page": (PAGE,)}, talk, recorder=recorder, GONGKAI_IDLE_SECONDS=0.05).connections == 2


def test_a_slow_first_byte_has_its_own_limit() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        with pytest.raises(DownloadTimeoutError, match="no first byte"):
            await handler.download_request(ask(server.url("hang")))
        assert (await handler.download_request(ask(server.url("slow")))).body == b"hi"

    steps: dict[str, tuple[Step, ...]] = {"hang": (HANG,), "slow": (OK, 0.4, b"Content-Length: 2\r\n\r\nhi")}
    run(steps, talk, recorder=recorder, GONGKAI_FIRST_BYTE_SECONDS=0.2)
    assert recorder.errors == ["timeout", "ok"]


def test_a_cancelled_download_closes_its_connection() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        task = asyncio.ensure_future(handler.download_request(ask(server.url("hang"))))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await handler.download_request(ask(server.url("page")))).body == TEXT

    server = run({"hang": (HANG,), "page": (PAGE,)}, talk, recorder=recorder)
    assert server.connections == 2
    assert recorder.errors == ["ok"]


# recording


def test_nothing_is_returned_before_it_is_recorded() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        request = ask(server.url("page"), 9)
        await handler.download_request(request)
        assert request.meta[RECORDED] == "recorded"
        assert [frontier_id for _, frontier_id, _ in recorder.rows] == [9]
        with pytest.raises(DownloadFailedError):
            await handler.download_request(ask(server.url("dead"), 10))
        assert recorder.rows[-1][1] == 10

    run(STALE, talk, recorder=recorder)


def test_what_cannot_be_recorded_is_not_returned() -> None:
    async def talk(handler: WireHandler, server: WireServer) -> None:
        with pytest.raises(OSError, match="disk full"):
            await handler.download_request(ask(server.url("page")))

    run({"page": (PAGE,)}, talk, recorder=Recorder(fail=OSError("disk full")))


def test_a_request_without_target_is_recorded_as_robots() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(Request(server.url("robots.txt")))

    run({"robots.txt": (with_length(b"User-agent: *\n"),)}, talk, recorder=recorder)
    target, frontier_id, exchange = recorder.rows[0]
    assert (target.role, target.site, target.url) == ("robots", "site of 127.0.0.1", exchange.url)
    assert frontier_id is None


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (b"text/html; charset=gbk", HtmlResponse),
        (b"application/xhtml+xml", HtmlResponse),
        (b"text/xml", XmlResponse),
        (b"application/json", TextResponse),
        (b"text/plain", TextResponse),
        (b"application/msword", Response),
        (b"", Response),
    ],
)
def test_the_response_is_of_the_class_its_type_asks_for(content_type: bytes, kind: type[Response]) -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        request = ask(server.url("page"))
        response = await handler.download_request(request)
        assert type(response) is kind
        assert response.headers[b"Content-Type"] == content_type
        assert response.headers.getlist(b"Set-Cookie") == [b"a", b"b"]
        assert b"Content-Length" not in response.headers
        assert str(response.ip_address) == "127.0.0.1"
        assert 0 < request.meta["download_latency"] < 5

    page = with_length(TEXT, b"Content-Type: " + content_type, b"Set-Cookie: a", b"Set-Cookie: b")
    run({"page": (page,)}, talk, recorder=recorder)


def test_a_body_that_cannot_be_decoded_is_marked() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        response = await handler.download_request(ask(server.url("bomb")))
        assert response.flags == ["bomb"]

    run({"bomb": CASES["gzip_bomb"].steps}, talk, recorder=recorder)


def test_a_response_that_nobody_reads_is_recorded_whole_and_has_no_body() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        request = ask(server.url("page"))
        request.meta[UNREAD] = True
        response = await handler.download_request(request)
        assert (response.status, response.body) == (200, b"")

    run({"page": (PAGE,)}, talk, recorder=recorder)
    assert recorder.rows[0][2].response.endswith(TEXT)


# TLS


def test_an_unverifiable_server_is_fetched_with_its_verdict_and_chain(tmp_path: Path) -> None:
    recorder = Recorder()
    tls, path = server_context(tmp_path, expired=True)

    async def talk(handler: WireHandler, server: WireServer) -> None:
        for number in (1, 2):
            assert (await handler.download_request(ask(server.url("page"), number))).body == TEXT

    server = run({"page": (PAGE,)}, talk, recorder=recorder, tls=tls, GONGKAI_CA_FILE=str(path))
    assert recorder.errors == ["tls_failed", "ok", "ok"]
    assert [frontier_id for _, frontier_id, _ in recorder.rows] == [None, 1, 2]
    assert len(server.served) == 2
    failed, relaxed, again = (exchange for _, _, exchange in recorder.rows)
    assert (failed.request, failed.response, failed.peer) == (b"", b"", "127.0.0.1")
    assert failed.tls is not None
    assert failed.tls.verdict == "certificate: certificate has expired"
    for exchange in (relaxed, again):
        assert exchange.tls is not None
        assert exchange.tls.verified is False
        assert exchange.tls.verdict == "certificate: certificate has expired"
        assert exchange.tls.chain == (ssl.PEM_cert_to_DER_cert(path.read_text()),)
        assert exchange.tls.cipher


def test_a_certificate_for_another_name_does_not_verify(tmp_path: Path) -> None:
    recorder = Recorder()
    tls, path = server_context(tmp_path, "other.example")

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page")))

    run({"page": (PAGE,)}, talk, recorder=recorder, tls=tls, GONGKAI_CA_FILE=str(path))
    verdict = recorder.rows[-1][2].tls
    assert verdict is not None
    assert verdict.verified is False
    assert "IP address mismatch" in verdict.verdict


def test_strict_tls_refuses_what_does_not_verify(tmp_path: Path) -> None:
    recorder = Recorder()
    tls, _ = server_context(tmp_path)

    async def talk(handler: WireHandler, server: WireServer) -> None:
        with pytest.raises(DownloadFailedError, match="self-signed certificate"):
            await handler.download_request(ask(server.url("page"), 4))

    server = run({"page": (PAGE,)}, talk, recorder=recorder, tls=tls, GONGKAI_STRICT_TLS=True)
    assert recorder.errors == ["tls_failed"]
    assert recorder.rows[0][1] == 4
    assert server.served == []


def test_a_server_of_old_protocols_is_fetched_with_its_verdict(tmp_path: Path) -> None:
    recorder = Recorder()
    tls, path = server_context(tmp_path)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1

    async def talk(handler: WireHandler, server: WireServer) -> None:
        await handler.download_request(ask(server.url("page")))

    run({"page": (PAGE,)}, talk, recorder=recorder, tls=tls, GONGKAI_CA_FILE=str(path))
    assert recorder.errors == ["tls_failed", "ok"]
    facts = recorder.rows[-1][2].tls
    assert facts is not None
    assert (facts.version, facts.verified) == ("TLSv1.1", False)
    assert facts.verdict.startswith("handshake: ")


def test_a_plain_server_on_an_https_url_fails_in_both_profiles() -> None:
    recorder = Recorder()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def fetch() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            handler = handler_with(context_for(recorder, port))
            with pytest.raises(DownloadFailedError):
                await handler.download_request(ask(f"https://127.0.0.1:{port}/page", 5))

    asyncio.run(fetch())
    assert recorder.errors == ["tls_failed", "tls_failed"]
    assert [frontier_id for _, frontier_id, _ in recorder.rows] == [None, 5]


def test_the_server_is_told_the_name_wanted(tmp_path: Path) -> None:
    tls, path = server_context(tmp_path, "www.example.gov.cn")
    names: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)

    async def fetch() -> Exchange:
        async with WireServer({"page": (PAGE,)}, tls).running() as server:
            client = Client(ClientOptions(ca_file=str(path)), Resolver(lookup_of("127.0.0.1")))
            order = order_for(f"https://www.example.gov.cn:{server.port}/page", "www.example.gov.cn", server.port)
            try:
                return (await client.attempt(order)).exchange
            finally:
                await client.close()

    exchange = asyncio.run(fetch())
    assert names == ["www.example.gov.cn"]
    assert exchange.tls is not None
    assert exchange.tls.verified


# refusals


def lookup_of(*addresses: str) -> Callable[[str, int], Awaitable[tuple[str, ...]]]:
    async def lookup(host: str, port: int) -> tuple[str, ...]:
        return addresses

    return lookup


def order_for(url: str, host: str, port: int, permission: Permission | None = None) -> Order:
    return Order(
        url=url,
        method="GET",
        scheme=url.partition(":")[0],
        host=host,
        port=port,
        request=request_bytes("GET", url, ()),
        permission=permission or Permission(frozenset({port}), private=True),
        limits=Limits(5, 5, 1 << 20),
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "fd12::1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::c0a8:1", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
        "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "3fff::1", "100::1", "not an address", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize(
    "address", ["1.2.4.8", "114.114.114.114", "202.97.224.69", "2400:3200::1", "::ffff:1.2.4.8", "64:ff9b::102:408"]
)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "127.1", "2130706433"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_byte_reaches_a_private_address(name: str, scheme: str) -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        with pytest.raises((IgnoreRequest, CannotResolveHostError)):
            await handler.download_request(ask(f"{scheme}://{name}:{server.port}/page", 3))

    server = run({"page": (PAGE,)}, talk, recorder=recorder, private=False)
    assert server.connections == 0
    assert recorder.errors[0] in ("private_address", "unresolved_host")
    assert (recorder.rows[0][1], recorder.rows[0][2].request) == (3, b"")


def test_the_address_connected_to_is_the_one_checked() -> None:
    """A name that is public when checked and private a moment later never gets a connection to the private one."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) > 1 else ("203.0.113.9", "192.168.0.9", "127.0.0.1")

    async def fetch() -> tuple[list[Exchange], int]:
        async with WireServer({"page": (PAGE,)}).running() as server:
            client = Client(ClientOptions(connect_seconds=0.5), Resolver(rebinding))
            url = f"http://rebinding.example:{server.port}/page"
            order = order_for(url, "rebinding.example", server.port, Permission(frozenset({server.port})))
            exchanges = [(await client.attempt(order)).exchange for _ in range(2)]
            await client.close()
            return exchanges, server.connections

    exchanges, connections = asyncio.run(fetch())
    assert connections == 0
    assert [str(exchange.error).partition(":")[0] for exchange in exchanges] == ["private_address"] * 2
    assert asked == ["rebinding.example"]


def test_a_connection_allowed_to_be_private_is_not_lent_to_a_request_that_is_not() -> None:
    async def fetch() -> list[str | None]:
        async with WireServer({"page": (PAGE,)}).running() as server:
            client = Client()
            allowed = order_for(server.url("page"), "127.0.0.1", server.port)
            denied = order_for(server.url("page"), "127.0.0.1", server.port, Permission(frozenset({server.port})))
            errors = [(await client.attempt(order)).exchange.error for order in (allowed, denied)]
            await client.close()
            return errors

    assert asyncio.run(fetch()) == [None, "private_address: 127.0.0.1 is at 127.0.0.1"]


@pytest.mark.parametrize(
    ("permission", "error"),
    [(None, "forbidden_host"), (Permission(private=True), "forbidden_port")],
)
def test_hosts_and_ports_that_were_not_named_are_refused(permission: Permission | None, error: str) -> None:
    recorder = Recorder()

    async def fetch() -> int:
        async with WireServer({"page": (PAGE,)}).running() as server:
            handler = handler_with(WireContext(recorder, permission=lambda host: permission))
            with pytest.raises(IgnoreRequest, match=error):
                await handler.download_request(ask(server.url("page")))
            await handler.close()
            return server.connections

    assert asyncio.run(fetch()) == 0
    assert recorder.errors == [error]


def test_a_host_without_address_is_recorded() -> None:
    async def nowhere(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def fetch() -> Exchange:
        client = Client(resolver=Resolver(nowhere))
        return (await client.attempt(order_for("http://gone.example/", "gone.example", 80))).exchange

    assert (asyncio.run(fetch()).error or "").startswith("unresolved_host: gone.example")


def test_a_closed_port_is_recorded() -> None:
    recorder = Recorder()

    async def fetch(port: int) -> None:
        handler = handler_with(context_for(recorder, port))
        with pytest.raises(DownloadConnectionRefusedError):
            await handler.download_request(ask(f"http://127.0.0.1:{port}/"))

    # Bound and not listened on: nobody else can be given the port meanwhile.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        asyncio.run(fetch(closed.getsockname()[1]))
    assert recorder.errors == ["connection_refused"]


def test_addresses_are_tried_in_order() -> None:
    async def fetch() -> Exchange:
        async with WireServer({"page": (PAGE,)}).running() as server:
            client = Client(resolver=Resolver(lookup_of("127.0.0.2", "::1", "127.0.0.1")))
            order = order_for(f"http://many.example:{server.port}/page", "many.example", server.port)
            exchange = (await client.attempt(order)).exchange
            await client.close()
            return exchange

    exchange = asyncio.run(fetch())
    assert (exchange.error, exchange.peer, exchange.status) == (None, "127.0.0.1", 200)


def test_the_handler_needs_its_context() -> None:
    with pytest.raises(NotConfigured, match="gongkai_wire"):
        WireHandler.from_crawler(Crawler(Spider, {}))


def test_a_proxy_is_refused() -> None:
    async def talk(handler: WireHandler, server: WireServer) -> None:
        request = ask(server.url("page"))
        request.meta["proxy"] = "http://127.0.0.1:1"
        with pytest.raises(NotSupported):
            await handler.download_request(request)

    run({"page": (PAGE,)}, talk, recorder=Recorder())


# request bytes


def test_a_request_is_written_in_one_order() -> None:
    headers = [
        (b"Cookie", b"a=1"), (b"If-None-Match", b'"x"'), (b"Referer", b"http://a.cn/"), (b"X-oDD", b"\xb9\xab\xbf\xaa"),
        (b"Accept", b"*/*"), (b"User-Agent", b"gongkai"), (b"Accept-Encoding", b"gzip, br, zstd"), (b"Host", b"evil"),
        (b"Connection", b"upgrade"), (b"Content-Length", b"9"), (b"Accept-Language", b"zh-CN"),
    ]  # fmt: skip
    assert request_bytes("POST", "http://www.a.cn:8080/b/c.do?x=%B9%AB#frag", headers, b"q") == (
        b"POST /b/c.do?x=%B9%AB HTTP/1.1\r\n"
        b"Host: www.a.cn:8080\r\n"
        b"User-Agent: gongkai\r\n"
        b"Accept: */*\r\n"
        b"Accept-Language: zh-CN\r\n"
        b"Accept-Encoding: gzip\r\n"
        b"Referer: http://a.cn/\r\n"
        b"Cookie: a=1\r\n"
        b'If-None-Match: "x"\r\n'
        b"X-oDD: \xb9\xab\xbf\xaa\r\n"
        b"Content-Length: 1\r\n\r\nq"
    )


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://A.cn", b"GET / HTTP/1.1\r\nHost: a.cn\r\n"),
        ("https://a.cn:443/x", b"GET /x HTTP/1.1\r\nHost: a.cn\r\n"),
        ("http://a.cn:443/x", b"GET /x HTTP/1.1\r\nHost: a.cn:443\r\n"),
        ("http://user:word@a.cn/x?", b"GET /x? HTTP/1.1\r\nHost: a.cn\r\n"),
        ("http://[2400::1]:81/?a=?b", b"GET /?a=?b HTTP/1.1\r\nHost: [2400::1]:81\r\n"),
        ("http://a.cn//b//c;d?e#f?g", b"GET //b//c;d?e HTTP/1.1\r\nHost: a.cn\r\n"),
    ],
)
def test_request_line_and_host_come_from_the_url(url: str, start: bytes) -> None:
    assert request_bytes("GET", url, ()) == start + b"Accept-Encoding: gzip\r\n\r\n"


def test_no_coding_may_be_asked_for() -> None:
    headers = [(b"Accept-Encoding", b"identity")]
    assert b"Accept-Encoding: identity\r\n" in request_bytes("GET", "http://a.cn/", headers)


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "http://a.cn/a b", []),
        ("GET", "http://a.cn/公开", []),
        ("GET", "http:///x", []),
        ("GET", "http://a.cn:99999/x", []),
        ("GET /x HTTP/1.1\r\nX:", "http://a.cn/", []),
        ("get", "http://a.cn/", []),
        ("GET", "http://a.cn/", [(b"X", b"a\r\nY: b")]),
        ("GET", "http://a.cn/", [(b"X Y", b"a")]),
        ("GET", "http://a.cn/", [(b"X", b"a\0")]),
    ],
)
def test_a_request_that_would_break_its_framing_is_not_sent(
    method: str, url: str, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(UnsendableRequestError):
        request_bytes(method, url, headers)


def test_a_request_that_cannot_be_sent_is_recorded() -> None:
    recorder = Recorder()

    async def talk(handler: WireHandler, server: WireServer) -> None:
        with pytest.raises(IgnoreRequest, match="unsendable_request"):
            await handler.download_request(ask(server.url("page"), 6, headers={"X": "a\r\nb"}))

    assert run({"page": (PAGE,)}, talk, recorder=recorder).connections == 0
    assert recorder.errors == ["unsendable_request"]
    assert recorder.rows[0][1] == 6


# self-test


def test_the_self_test_passes() -> None:
    asyncio.run(check_wire())


@pytest.mark.parametrize("part", ["request", "response", "trailing"])
def test_the_self_test_sees_one_changed_byte(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Altering(Client):
        async def attempt(self, order: Order):  # type: ignore[no-untyped-def]
            attempt = await super().attempt(order)
            bent = bytes(getattr(attempt.exchange, part))
            object.__setattr__(attempt.exchange, part, bent[:50] + b"?" + bent[51:])
            return attempt

    monkeypatch.setattr(selftest, "Client", Altering)
    with pytest.raises(WireSelfTestError, match="differ at"):
        asyncio.run(check_wire())


def test_nothing_is_fetched_when_the_self_test_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(selftest, "_INTERIM", selftest._INTERIM + b"x")

    async def talk(handler: WireHandler, server: WireServer) -> None:
        for _ in range(2):
            with pytest.raises(WireSelfTestError):
                await handler.download_request(ask(server.url("page")))

    server = run({"page": (PAGE,)}, talk, recorder=recorder, GONGKAI_WIRE_SELF_TEST=True)
    assert (server.connections, recorder.rows) == (0, [])
