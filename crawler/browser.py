"""Draws one page in a local Chromium that cannot reach the network: every request of the page is answered by us.

Chromium is spoken to over two pipes (its DevTools protocol, JSON messages that end with NUL). What cannot be answered
over that way (WebSocket, WebRTC, further windows, its own housekeeping) meets a proxy that does not exist.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from crawler.exceptions import CrawlerError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Without any request under way for so long, a page is taken for drawn.
QUIET_SECONDS = 1.0
START_SECONDS = 30.0
TAKE_SECONDS = 15.0
# A page that asks on and on is left.
MOST_REQUESTS = 150
MOST_MESSAGE_BYTES = 64 * 1024 * 1024
# So that nobody has to guess the charset: the page's own <meta> speaks of what was sent.
UTF8_MARK = b"\xef\xbb\xbf"
_SWITCHES = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--metrics-recording-only",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Port 9 discards; <-loopback> takes away the exception that loopback has by default.
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # A frame in a process of its own would escape the page's interception.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process",
)


class BrowserError(CrawlerError):
    """Raised when Chromium does not start, ends by itself, or does not give the page back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the page. `kind` is Chromium's word for what it is for: Document, Script, XHR, Fetch, Image …"""

    url: str
    kind: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Given:
    """The answer to it, its body without codings."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Drawn:
    """The page's DOM as HTML (UTF-8 with its mark). `is_whole` is False when it was still asking when time was up."""

    html: bytes
    is_whole: bool


# None lets the page's request fail.
Answer = Callable[[Asked], Awaitable[Given | None]]


def browser() -> str | None:
    """Path of the Chromium of this machine, None when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


async def draw(url: str, answer: Answer, *, program: str, user_agent: str, seconds: float) -> Drawn:
    """Opens `url` and gives it back when it is quiet or `seconds` have passed. Raises BrowserError.

    Every call of `answer` has ended when this returns; what one raised is raised again.
    """
    page = _Page(answer)
    try:
        async with _chromium(program, user_agent) as wire:
            try:
                async with _within(START_SECONDS, f"{program} did not open a page"):
                    await page.open(wire, url)
                is_whole = await page.wait(seconds)
                async with _within(TAKE_SECONDS, f"{program} did not give the page back"):
                    html = await page.html()
            finally:
                page.is_closed = True
    finally:
        await page.close()
    return Drawn(UTF8_MARK + html.encode("utf-8", "replace"), is_whole)


@asynccontextmanager
async def _within(seconds: float, trouble: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise BrowserError(f"{trouble} within {seconds:g} s") from error


class _Wire:
    """The two pipes. Events go to `listener`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self.listener: Callable[[str, dict[str, Any]], None] = lambda _method, _parameters: None
        self.ended: BrowserError | None = None

    def send(self, method: str, parameters: dict[str, Any], session: str = "") -> int:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._writer.write(json.dumps(message).encode() + b"\0")
        return self._count

    async def call(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        if self.ended is not None:
            raise self.ended
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[self.send(method, parameters, session)] = future
        return await future

    async def listen(self) -> None:
        """Until Chromium ends."""
        try:
            while True:
                self._take(json.loads((await self._reader.readuntil(b"\0"))[:-1]))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError) as error:
            self.ended = BrowserError(f"Chromium ended or said what is no message: {error}")
            for future in self._calls.values():
                if not future.done():
                    future.set_exception(self.ended)

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            self.listener(message["method"], message["params"])
            return
        future = self._calls.pop(message["id"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(BrowserError(f"Chromium refused: {message['error'].get('message', '')}"))
        else:
            future.set_result(message["result"])


class _Page:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._wire: _Wire | None = None
        self._session = ""
        self._answers: set[asyncio.Task[None]] = set()
        self._count = 0
        self._is_loaded = False
        self.is_closed = False
        self._quiet_since = 0.0
        self._error: BaseException | None = None

    async def open(self, wire: _Wire, url: str) -> None:
        self._wire = wire
        wire.listener = self._event
        await wire.call("Browser.setDownloadBehavior", {"behavior": "deny"})
        target = await wire.call("Target.createTarget", {"url": "about:blank"})
        attached = await wire.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        self._session = attached["sessionId"]
        await self._call("Page.enable")
        await self._call("Fetch.enable", patterns=[{"urlPattern": "*"}])
        # Its answer comes when the page does, so it is not waited for.
        self._send("Page.navigate", url=url)

    async def wait(self, seconds: float) -> bool:
        """Until the page is quiet: True; False when it is not in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        self._quiet_since = loop.time()
        while loop.time() < until:
            if self._error is not None or (self._wire is not None and self._wire.ended is not None):
                return False
            is_idle = self._is_loaded and not self._answers
            if is_idle and loop.time() - self._quiet_since >= QUIET_SECONDS:
                return self._count <= MOST_REQUESTS
            await asyncio.sleep(0.05)
        return False

    async def html(self) -> str:
        document = await self._call("DOM.getDocument", depth=0)
        html: str = (await self._call("DOM.getOuterHTML", nodeId=document["root"]["nodeId"]))["outerHTML"]
        return html

    async def close(self) -> None:
        """Waits for what is under way; nothing further is asked for."""
        self.is_closed = True
        await asyncio.gather(*self._answers, return_exceptions=True)
        if self._error is not None:
            raise self._error

    async def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        if self._wire is None:
            raise BrowserError("the page is not open")
        return await self._wire.call(method, parameters, self._session)

    def _send(self, method: str, **parameters: object) -> None:
        if self._wire is not None and self._wire.ended is None and not self.is_closed:
            self._wire.send(method, parameters, self._session)

    def _event(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._is_loaded = True
            self._quiet_since = asyncio.get_running_loop().time()
        elif method == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", accept=False)
        elif method == "Fetch.requestPaused":
            self._count += 1
            if self.is_closed or self._count > MOST_REQUESTS:
                self._fail(parameters["requestId"])
                return
            task = asyncio.ensure_future(self._give(parameters["requestId"], _asked(parameters)))
            self._answers.add(task)
            task.add_done_callback(self._given)

    def _given(self, task: asyncio.Task[None]) -> None:
        self._answers.discard(task)
        if not task.cancelled():
            self._error = self._error or task.exception()
        self._quiet_since = asyncio.get_running_loop().time()

    async def _give(self, request_id: str, asked: Asked) -> None:
        given = await self._answer(asked)
        if given is None:
            self._fail(request_id)
            return
        self._send(
            "Fetch.fulfillRequest",
            requestId=request_id,
            responseCode=given.status,
            responseHeaders=[{"name": name, "value": value} for name, value in given.headers],
            body=base64.b64encode(given.body).decode("ascii"),
        )

    def _fail(self, request_id: str) -> None:
        self._send("Fetch.failRequest", requestId=request_id, errorReason="BlockedByClient")


def _asked(parameters: dict[str, Any]) -> Asked:
    request = parameters["request"]
    parts = [base64.b64decode(part.get("bytes", "")) for part in request.get("postDataEntries", ())]
    return Asked(
        url=request["url"].partition("#")[0],
        kind=parameters["resourceType"],
        method=request["method"],
        headers=tuple(request["headers"].items()),
        body=b"".join(parts),
    )


@asynccontextmanager
async def _chromium(program: str, user_agent: str) -> AsyncIterator[_Wire]:
    """A fresh Chromium with a profile of its own; it and its children are gone afterwards."""
    with TemporaryDirectory(prefix="gongkai-browser-", ignore_cleanup_errors=True) as profile:
        arguments = [program, *_SWITCHES, f"--user-data-dir={profile}", f"--user-agent={user_agent}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        pid, reading, writing = _spawn(program, [*arguments, "about:blank"], profile)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MOST_MESSAGE_BYTES)
        try:
            source, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", 0)
            )
            sink, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb", 0))
            wire = _Wire(reader, sink)
            listening = asyncio.ensure_future(wire.listen())
            try:
                yield wire
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                source.close()
                # A pipe that Chromium has left is closed already, and closing it twice is an error.
                if not sink.is_closing():
                    sink.abort()
        finally:
            os.killpg(pid, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, pid, 0)


def _spawn(program: str, arguments: list[str], home: str) -> tuple[int, int, int]:
    """Process id, and our ends of its pipes (to be read, to be written). Chromium's are 3 (in) and 4 (out)."""
    theirs_in, writing = os.pipe()
    reading, theirs_out = os.pipe()
    # Out of the way of 3 and 4, lest one is put over the other.
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
    try:
        pid = os.posix_spawn(
            program,
            arguments,
            {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, high[0], 3),
                (os.POSIX_SPAWN_DUP2, high[1], 4),
            ],
            setpgroup=0,
        )
    except OSError as error:
        for end in (reading, writing):
            os.close(end)
        raise BrowserError(f"{program} could not be started: {error.strerror}") from error
    finally:
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
    return pid, reading, writing
