"""One connection: a request goes out, the bytes of its response come in, and how it ended is said."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from archive.http1 import Framer
from archive.model import TlsFacts
from crawler.wire.tls import tls_facts

Ending = Literal["message", "eof", "reset", "first_byte_time", "total_time", "size", "stray"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until the first byte of a response and until its end; bytes of it on the wire, head and all."""

    first_byte_seconds: float
    total_seconds: float
    response_bytes: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `ending` says what stopped the reading, `detail` the operating system's words for a reset.

    `stray`: instead of an answer the rest of the one before began to come.
    """

    framer: Framer
    ending: Ending
    detail: str
    latency_seconds: float | None


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. `on_lost` is called when it ends while idle, `on_stray` with what comes then."""

    def __init__(self, on_lost: Callable[[Connection], None], on_stray: Callable[[Connection, bytes], None]) -> None:
        self._on_lost = on_lost
        self._on_stray = on_stray
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._framer: Framer | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._limits = Limits(0, 0, 0)
        self._started = 0.0
        self._is_used = False
        self._first_byte_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.peer = ""
        self.tls: TlsFacts | None = None
        # The address that was asked for last.
        self.url = ""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"expected a stream transport, found {transport!r}")
        self._transport = transport
        self.peer = transport.get_extra_info("peername")[0]

    def data_received(self, data: bytes) -> None:
        if self._framer is None:
            # Nobody asked: a 408 before an idle close, or the rest of a body longer than it claimed.
            self._on_stray(self, data)
            self.discard()
            return
        if self._first_byte_at is None:
            self._first_byte_at = self._loop.time()
        if self._framer.feed(data):
            self._end("message")
        elif self._is_used and (self._framer.defect or "").startswith("unparsable_head"):
            self._end("stray")
        elif self._framer.received > self._limits.response_bytes:
            self._end("size")

    def eof_received(self) -> bool:
        self._end("eof")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if exc is None or isinstance(exc, ssl.SSLEOFError):
            self._end("eof")
        else:
            self._end("reset", str(exc) or type(exc).__name__)
        if self._timer is not None:
            self._timer.cancel()
        self._on_lost(self)

    # ours

    @property
    def usable(self) -> bool:
        """Still open as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    def note_tls(self, *, verdict: str) -> None:
        """Keeps what the handshake agreed on."""
        connection = self._transport.get_extra_info("ssl_object") if self._transport else None
        if connection is not None:
            self.tls = tls_facts(connection, verdict=verdict)

    async def exchange(self, request: bytes, method: str, limits: Limits, *, url: str) -> Reply:
        """Sends `request` and waits for the end of the response, the stream, or the limits."""
        self._is_used, self.url = bool(self.url), url
        self._framer = Framer(method)
        self._reply = self._loop.create_future()
        self._limits = limits
        self._first_byte_at = None
        self._started = self._loop.time()
        self._set_timer(min(limits.first_byte_seconds, limits.total_seconds), self._on_time)
        if self._transport is None:
            self._end("eof")
        else:
            self._transport.write(request)
        try:
            return await self._reply
        finally:
            self._framer = self._reply = None
            if self._timer is not None:
                self._timer.cancel()

    def keep(self, seconds: float) -> None:
        """Stays open without an exchange for at most `seconds`."""
        self._set_timer(seconds, self.discard)

    def discard(self) -> None:
        """Closes at once."""
        if self._transport is not None:
            self._transport.abort()

    def _set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(seconds, 0.0), callback)

    def _on_time(self) -> None:
        left = self._started + self._limits.total_seconds - self._loop.time()
        if self._first_byte_at is None:
            self._end("total_time" if left <= 0 else "first_byte_time")
        elif left > 0:
            self._set_timer(left, self._on_time)
        else:
            self._end("total_time")

    def _end(self, ending: Ending, detail: str = "") -> None:
        if self._framer is None or self._reply is None or self._reply.done():
            return
        if ending in ("eof", "reset"):
            self._framer.close()
        latency = None if self._first_byte_at is None else self._first_byte_at - self._started
        self._reply.set_result(Reply(self._framer, ending, detail, latency))
