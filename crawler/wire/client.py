"""One attempt at one request, whatever happens turned into an Exchange. Keeps connections between attempts.

Nothing is sent twice here. An attempt holds in `again` the order for another one, to be tried after this one is
recorded, when there is a reason: the kept-alive connection was dead before the first byte or brought the rest of the
answer before, or TLS failed and the relaxed profile has not been tried.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from archive.http1 import Head
from archive.model import Exchange, TlsFacts, Truncation
from archive.times import now
from crawler.wire.connection import Connection, Limits, Reply
from crawler.wire.context import Permission
from crawler.wire.peers import Resolver, is_public
from crawler.wire.tls import Profile, failure_text, relaxed_context, verified_context

# Repeating any other method could change something on the server.
_REPEATABLE = frozenset({"GET", "HEAD"})
_SHUTDOWN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """A request ready to be sent: `request` holds its bytes. `permission` None refuses the host."""

    url: str
    method: str
    scheme: str
    host: str
    port: int
    request: bytes
    permission: Permission | None
    limits: Limits
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What happened. `again` is to be tried next; `latency_seconds` runs from the request to the first byte."""

    exchange: Exchange
    head: Head | None = None
    again: Order | None = None
    latency_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Seconds to connect (per address, handshake included) and to keep an unused connection; TLS policy."""

    connect_seconds: float = 15.0
    idle_seconds: float = 15.0
    strict_tls: bool = False
    ca_file: str | None = None


class _ConnectError(Exception):
    """Raised while connecting, with the text for `Exchange.error`."""

    def __init__(
        self, error: str, *, tls: TlsFacts | None = None, peer: str | None = None, again: bool = False
    ) -> None:
        super().__init__(error)
        self.tls = tls
        self.peer = peer
        self.again = again


_Key = tuple[str, str, int, Profile, bool]
# Told of an address and how many bytes came behind the end of its answer, once that had been handed on.
Stray = Callable[[str, int], None]


class Client:
    """Connections of one crawl, kept per scheme, host, port, TLS profile and whether private addresses were allowed."""

    def __init__(
        self,
        options: ClientOptions | None = None,
        resolver: Resolver | None = None,
        stray: Stray = lambda _url, _count: None,
    ) -> None:
        self._options = options or ClientOptions()
        self._stray = stray
        self._resolver = resolver or Resolver()
        self._contexts: dict[Profile, ssl.SSLContext] = {}
        # Hosts and ports that failed to verify, and why: they get the relaxed profile for the rest of the crawl.
        self._verdicts: dict[tuple[str, int], str] = {}
        self._idle: dict[_Key, list[Connection]] = {}
        self._open: set[Connection] = set()

    async def attempt(self, order: Order) -> Attempt:
        """Sends `order` once; never raises for what servers or networks do."""
        started_at = now()
        loop = asyncio.get_running_loop()
        started = loop.time()
        verdict = self._verdicts.get((order.host, order.port), "")
        key = _key(order, verdict)
        kept = None if order.fresh else self._take(key)
        try:
            connection = kept or await self._connect(order, verdict)
        except _ConnectError as failure:
            exchange = unsent(order.url, order.method, str(failure))
            exchange = replace(
                exchange,
                started_at=started_at,
                elapsed_ms=(loop.time() - started) * 1000,
                peer=failure.peer,
                tls=failure.tls,
            )
            return Attempt(exchange, again=order if failure.again else None)
        before = connection.url
        limits = replace(order.limits, total_seconds=order.limits.total_seconds - (loop.time() - started))
        try:
            reply = await connection.exchange(order.request, order.method, limits, url=order.url)
        except asyncio.CancelledError:
            connection.discard()
            raise
        self._release(key, connection, reply)
        stale = kept is not None and reply.ending in ("eof", "reset") and reply.framer.received == 0
        is_for_nothing = stale or reply.ending == "stray"
        if reply.ending == "stray":
            self._stray(before, len(reply.framer.response.partition(b"HTTP/1.")[0]))
        return Attempt(
            _connected(order, connection, reply, started_at, loop.time() - started, stale=stale),
            head=reply.framer.head,
            again=replace(order, fresh=True) if is_for_nothing and order.method in _REPEATABLE else None,
            latency_seconds=reply.latency_seconds,
        )

    async def close(self) -> None:
        """Closes every connection."""
        for connection in tuple(self._open):
            connection.discard()
        self._idle.clear()
        # The transports say goodbye in the next turn of the loop.
        await asyncio.sleep(0)

    def _take(self, key: _Key) -> Connection | None:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def _release(self, key: _Key, connection: Connection, reply: Reply) -> None:
        if reply.ending == "message" and reply.framer.reusable and connection.usable:
            connection.keep(self._options.idle_seconds)
            self._idle.setdefault(key, []).append(connection)
        else:
            connection.discard()

    def _unasked(self, connection: Connection, data: bytes) -> None:
        """A server may say goodbye; anything else belongs to the answer before."""
        rest = data.strip()
        if rest and not rest.startswith(b"HTTP/"):
            self._stray(connection.url, len(data))

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)

    async def _connect(self, order: Order, verdict: str) -> Connection:
        addresses = await self._addresses(order)
        failures: list[_ConnectError] = []
        for address in addresses:
            try:
                return await self._connect_to(address, order, verdict)
            except _ConnectError as failure:
                failures.append(failure)
                if failure.again:
                    raise
        if len(failures) == 1:
            raise failures[0]
        last = failures[-1]
        raise _ConnectError("; ".join(map(str, failures)), tls=last.tls, peer=last.peer)

    async def _addresses(self, order: Order) -> tuple[str, ...]:
        if order.permission is None:
            raise _ConnectError(f"forbidden_host: {order.host} is not among the hosts that may be fetched")
        if order.port not in order.permission.ports:
            raise _ConnectError(f"forbidden_port: {order.port} is none of the ports allowed for {order.host}")
        try:
            async with asyncio.timeout(self._options.connect_seconds):
                found = await self._resolver.addresses(order.host, order.port)
        except TimeoutError as error:
            raise _ConnectError(f"unresolved_host: no answer for {order.host} in time") from error
        except (OSError, UnicodeError) as error:
            raise _ConnectError(f"unresolved_host: {order.host}: {error}") from error
        allowed = found if order.permission.private else tuple(address for address in found if is_public(address))
        if not allowed:
            raise _ConnectError(
                f"private_address: {order.host} is at {', '.join(found)}", peer=found[0] if found else None
            )
        return allowed

    async def _connect_to(self, address: str, order: Order, verdict: str) -> Connection:
        loop = asyncio.get_running_loop()
        profile = _profile(order, verdict)
        context = None if profile == "plain" else self._context(profile)
        seconds = min(self._options.connect_seconds, order.limits.total_seconds)
        connection = Connection(self._forget, self._unasked)
        try:
            async with asyncio.timeout(seconds):
                await loop.create_connection(
                    lambda: connection,
                    address,
                    order.port,
                    ssl=context,
                    server_hostname=order.host.rstrip(".") if context else None,
                    ssl_handshake_timeout=seconds + 1 if context else None,
                    ssl_shutdown_timeout=_SHUTDOWN_SECONDS if context else None,
                )
        except TimeoutError as error:
            raise _ConnectError(f"connect_timeout: {address} after {seconds:g} s", peer=address) from error
        except ConnectionRefusedError as error:
            raise _ConnectError(f"connection_refused: {address}", peer=address) from error
        except (ssl.SSLError, ConnectionError) as error:
            if profile == "plain":
                raise _ConnectError(f"connect_failed: {address}: {error}", peer=address) from error
            raise self._tls_failure(error, address, order, profile) from error
        except OSError as error:
            raise _ConnectError(f"connect_failed: {address}: {error}", peer=address) from error
        self._open.add(connection)
        connection.note_tls(verdict=verdict)
        return connection

    def _tls_failure(self, error: Exception, address: str, order: Order, profile: Profile) -> _ConnectError:
        text = failure_text(error)
        again = profile == "verified" and not self._options.strict_tls
        if again:
            self._verdicts[order.host, order.port] = text
        else:
            self._verdicts.pop((order.host, order.port), None)
        facts = TlsFacts(version="", cipher="", verified=False, verdict=text)
        return _ConnectError(f"tls_failed: {address}: {text}", tls=facts, peer=address, again=again)

    def _context(self, profile: Profile) -> ssl.SSLContext:
        if profile not in self._contexts:
            self._contexts[profile] = (
                relaxed_context() if profile == "relaxed" else verified_context(self._options.ca_file)
            )
        return self._contexts[profile]


def _profile(order: Order, verdict: str) -> Profile:
    if order.scheme != "https":
        return "plain"
    return "relaxed" if verdict else "verified"


def _key(order: Order, verdict: str) -> _Key:
    private = order.permission is not None and order.permission.private
    return order.scheme, order.host, order.port, _profile(order, verdict), private


def unsent(url: str, method: str, error: str) -> Exchange:
    """An exchange of which no byte was sent."""
    return Exchange(url=url, method=method, started_at=now(), elapsed_ms=0.0, request=b"", response=b"", error=error)


def _connected(
    order: Order, connection: Connection, reply: Reply, started_at: datetime, seconds: float, *, stale: bool
) -> Exchange:
    truncated, error = _verdict(reply, stale=stale)
    head = reply.framer.head
    return Exchange(
        url=order.url,
        method=order.method,
        started_at=started_at,
        elapsed_ms=seconds * 1000,
        request=order.request,
        response=reply.framer.response,
        status=head.status if head else None,
        headers=head.headers if head else (),
        interim=reply.framer.interim,
        trailing=reply.framer.trailing,
        peer=connection.peer,
        tls=connection.tls,
        truncated=truncated,
        error=error,
    )


def _verdict(reply: Reply, *, stale: bool) -> tuple[Truncation | None, str | None]:
    """`truncated` and `error` of the exchange."""
    framer = reply.framer
    nothing = framer.received == 0
    if reply.ending == "size":
        return "length", f"oversize: stopped after {framer.received} bytes"
    if reply.ending in ("first_byte_time", "total_time"):
        what = "first byte" if reply.ending == "first_byte_time" else "end of the response"
        return (None if nothing else "time"), f"timeout: no {what} in time, {framer.received} bytes received"
    if reply.ending == "stray":
        return None, "stray_bytes: the rest of the answer before came on the kept-alive connection, and no answer"
    if stale:
        return None, f"stale_connection: the kept-alive connection was closed by the server {reply.detail}".rstrip()
    if reply.ending == "reset":
        return (None if nothing else "disconnect"), f"connection_reset: {reply.detail}"
    if nothing:
        return None, "empty_reply: the server closed the connection without a byte"
    if framer.defect is not None:
        return None, framer.defect
    if not framer.complete:
        return "disconnect", f"disconnected: the response ended after {framer.received} bytes, before its end"
    return None, None
