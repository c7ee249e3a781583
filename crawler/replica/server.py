"""The replica over HTTP/1.1 on loopback: one thread, one event loop, two ports (the site and its file host)."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from crawler.replica import jcms
from crawler.replica.content import (
    CHANNELS,
    DIVISION_CODE,
    FIRST_YEAR,
    HISTORY_AREA,
    LAST_YEAR,
    SITE_NAME,
    Content,
    column_of,
    document_article,
    documents_in,
    history_path,
    make_content,
)
from crawler.replica.portal import Behaviour, Portal, Request, Response
from crawler.replica.truth import Manifest

logger = logging.getLogger(__name__)

_LARGEST_REQUEST = 1 << 20
_REASONS = {
    200: "OK",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
}


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One answered request. `at` is a UNIX time; `path` the request target; `bytes_sent` counts head and body."""

    at: float
    method: str
    path: str
    status: int
    bytes_sent: int


class Replica:
    """The site, served while the `with` block runs. Everything on it is drawn from `seed`.

    `documents` adds every file of a folder as a report. `port` 0 picks a free one. The file host is 127.0.0.2 where the
    machine has it, otherwise the same address on another port.
    """

    def __init__(
        self,
        *,
        seed: int = 2026,
        listings: int = 200,
        documents: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        behaviour: Behaviour | None = None,
    ) -> None:
        content = make_content(seed, listings)
        if documents is not None:
            added = (document_article(path, number) for number, path in enumerate(documents_in(documents)))
            content = Content((*content.articles, *added), content.pictures)
        self.behaviour = behaviour or Behaviour()
        self.access_log: list[AccessEntry] = []
        self._content = content
        self._address = (host, port)
        self._portal: Portal | None = None
        self._thread: _ServerThread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        site = _listen(*self._address)
        files = _listen_for_files(*self._address)
        self._portal = Portal(self._content, jcms.Hosts(_origin(site), _origin(files)), self.behaviour)
        self._thread = _ServerThread((site, files), self._portal.answer, self.access_log.append, self.behaviour)
        self._thread.start()

    def stop(self) -> None:
        """Closes both ports and every connection; returns when the thread has ended."""
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    @property
    def portal(self) -> Portal:
        if self._portal is None:
            raise RuntimeError("the replica has no address yet: use it in a with block, or call start() first")
        return self._portal

    @property
    def base_url(self) -> str:
        """`http://host:port`, no slash at the end."""
        return self.portal.hosts.site

    @property
    def files_url(self) -> str:
        """The file host's address, like `base_url`."""
        return self.portal.hosts.files

    @property
    def truth(self) -> Manifest:
        """The truth about the site as it stands now."""
        return self.portal.truth()

    def channel_url(self, channel: str) -> str:
        return self.base_url + column_of(channel).path

    def site_file(self, directory: Path) -> Path:
        """Writes the replica's site file as `directory/qinghe.toml` and returns its path."""
        listed = [listing.channel for listing in self.truth.listings]
        expected = {channel.key: listed.count(channel.key) for channel in CHANNELS}
        path = directory / "qinghe.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            f'agency = "{SITE_NAME}"',
            f'division_code = "{DIVISION_CODE}"  # invented, as the district is',
            'platform = "auto"',
            f'allowed_hosts = ["{urlsplit(self.files_url).hostname}"]  # where some attachments are kept',
            "enabled = true",
            "",
            "[channels]",
            *(f'{key} = "{self.channel_url(key)}"' for key, count in expected.items() if count),
            "",
            "[annual_report_history]  # one body's reports, a page a year; some years have none",
            f'url = "{self.base_url}{history_path(HISTORY_AREA, "{year}")}"',
            f"first_year = {FIRST_YEAR}",
            f"last_year = {LAST_YEAR}",
            "",
            "[politeness]",
            "delay_seconds = 0.0",
            "concurrent_requests = 4",
            "allow_private_hosts = true",
            "",
            "[expect]",
            *(f"{key} = {count}" for key, count in expected.items() if count),
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def add_article(self, *, channel: str, title: str, body: str, published: date, publisher: str = SITE_NAME) -> str:
        """Puts a new page on the site and in its channel's list; returns its URL. `body` is HTML."""
        return self.portal.add(channel=channel, title=title, body=body, published=published, publisher=publisher)

    def edit_article(
        self, url: str, *, title: str | None = None, body: str | None = None, published: date | None = None
    ) -> None:
        """Changes a page in place; the truth of a report goes with its old body. Unknown URL: KeyError."""
        self.portal.edit(url, title=title, body=body, published=published)

    def edit_attachment(self, url: str, data: bytes) -> None:
        """Replaces the bytes behind an attachment's first or final address. Unknown URL: KeyError."""
        self.portal.edit_attachment(url, data)

    def delete_article(self, url: str, *, keep_listed: bool = False) -> None:
        """Takes a page off the site (404). `keep_listed` leaves its entry in the list, as careless sites do."""
        self.portal.delete(url, keep_listed=keep_listed)

    def restore_article(self, url: str) -> None:
        """Puts a deleted page back on the site and into its list. Unknown URL: KeyError."""
        self.portal.restore(url)

    def redesign(self, notice: str) -> None:
        """Changes the layout of every page and nothing that an article says."""
        self.portal.redesign(notice)

    def move_article(self, url: str, *, channel: str | None = None, redirect: bool = False) -> str:
        """Gives a page a new address, which is returned; the old one is 404, or 302 to the new with `redirect`."""
        return self.portal.move(url, channel=channel, redirect=redirect)


@contextmanager
def served(answer: Callable[[Request], Response]) -> Iterator[tuple[str, list[AccessEntry]]]:
    """Serves any site's answers on a free port of loopback: `http://host:port` and the access log, which grows."""
    listener = _listen("127.0.0.1", 0)
    log: list[AccessEntry] = []
    thread = _ServerThread((listener,), answer, log.append, Behaviour())
    thread.start()
    try:
        yield _origin(listener), log
    finally:
        thread.stop()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _listen_for_files(host: str, port: int) -> socket.socket:
    """A fixed `port` fixes the file host's address too, so that a second demonstration meets the same addresses."""
    if host == "127.0.0.1":
        try:
            return _listen("127.0.0.2", port)
        except OSError:  # macOS has 127.0.0.1 only
            pass
    return _listen(host, port + 1 if port else 0)


def _origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _ServerThread:
    """Runs the event loop; every connection is a task of it, so that stopping leaves nothing behind."""

    def __init__(
        self,
        listeners: tuple[socket.socket, ...],
        answer: Callable[[Request], Response],
        log: Callable[[AccessEntry], None],
        behaviour: Behaviour,
    ) -> None:
        self._listeners = listeners
        self._answer = answer
        self._log = log
        self._behaviour = behaviour
        self._loop = asyncio.new_event_loop()
        self._ended: asyncio.Event | None = None
        self._ready = threading.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="replica", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        if self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        servers = [await asyncio.start_server(self._connect, sock=listener) for listener in self._listeners]
        self._ready.set()
        await self._ended.wait()
        for server in servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            logger.debug("connection ended: %s", error)
        except asyncio.CancelledError:
            logger.debug("connection closed: the replica stops")
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; False when the connection is to be closed."""
        head = await reader.readuntil(b"\r\n\r\n")
        request = _parse(head)
        if request is None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return False
        length = int(request.headers.get("content-length", "0"))
        if length:
            request = replace(request, body=await reader.readexactly(min(length, _LARGEST_REQUEST)))
        if self._behaviour.delay_seconds:
            await asyncio.sleep(self._behaviour.delay_seconds)
        response = self._answer(request)
        keep = request.headers.get("connection", "").lower() != "close"
        message = _message(request, response, self._behaviour, keep=keep)
        # Logged before it is sent: whoever has the answer finds its entry.
        self._log(AccessEntry(time.time(), request.method, request.target, response.status, len(message)))
        writer.write(message)
        await writer.drain()
        return keep


def _parse(head: bytes) -> Request | None:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if not headers.get("content-length", "0").isdigit():
        return None
    target = words[1]
    if target.startswith("http://"):
        target = "/" + target.partition("//")[2].partition("/")[2]
    return Request(words[0], target, headers)


def _message(request: Request, response: Response, behaviour: Behaviour, *, keep: bool) -> bytes:
    body = response.body
    headers = [("Server", "nginx"), ("Date", "Fri, 28 Mar 2025 01:02:03 GMT")]
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
    headers += response.headers
    if behaviour.gzip and "gzip" in request.headers.get("accept-encoding", "") and body:
        body = gzip.compress(body, 6, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    if response.status == 304:
        body = b""
    elif behaviour.chunked and response.encoding:
        headers.append(("Transfer-Encoding", "chunked"))
        body = _chunks(body)
    else:
        headers.append(("Content-Length", str(len(body))))
    headers.append(("Connection", "keep-alive" if keep else "close"))
    if request.method == "HEAD":
        body = b""
    lines = [f"HTTP/1.1 {response.status} {_REASONS[response.status]}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _chunks(body: bytes, size: int = 4096) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
