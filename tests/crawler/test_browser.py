"""What a page drawn in Chromium can do and cannot, without a crawl."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.browser import Asked, Drawn, Given, browser, draw
from crawler.exceptions import CrawlerError

pytestmark = pytest.mark.skipif(browser() is None, reason="no Chromium on PATH")

HTML = (("Content-Type", "text/html; charset=utf-8"),)
URL = "http://portal.example/list"


async def drawn(body: str, asked: list[Asked], seconds: float = 20.0) -> Drawn:
    async def answer(request: Asked) -> Given | None:
        asked.append(request)
        if request.url == URL:
            return Given(200, HTML, body.encode())
        return Given(200, HTML, b"more") if request.url == f"{URL}/more" else None

    return await draw(URL, answer, program=browser() or "", user_agent="gongkai/test", seconds=seconds)


async def connections_of(body: str) -> int:
    """How many connections a page opens to a port of this machine, PORT in its text."""
    count = 0

    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await drawn(body.replace("PORT", str(port)), [])
    return count


def test_a_page_opens_no_connection_of_its_own():
    body = """<link rel="preconnect" href="http://127.0.0.1:PORT"><iframe src="http://127.0.0.1:PORT/frame"></iframe>
    <script>new WebSocket('ws://127.0.0.1:PORT/socket'); navigator.sendBeacon('http://127.0.0.1:PORT/beacon', 'x');
    new RTCPeerConnection({iceServers: [{urls: 'turn:127.0.0.1:PORT?transport=tcp', username: 'a', credential: 'b'}]})
      .createDataChannel('x');</script>"""
    assert asyncio.run(connections_of(body)) == 0


def test_what_a_script_sends_reaches_us_whole():
    asked: list[Asked] = []
    script = (
        "fetch('/list/more', {method: 'POST', body: '栏目=33'}).then(a => a.text()).then(t => document.body.append(t))"
    )
    page = asyncio.run(drawn(f"<body><script>{script}</script>", asked))
    (post,) = [request for request in asked if request.method == "POST"]
    assert (post.url, post.kind, post.body) == (f"{URL}/more", "XHR", "栏目=33".encode())
    assert b"</script>more</body>" in page.html
    assert page.is_whole


def test_a_page_that_never_rests_is_taken_as_it_is():
    asked: list[Asked] = []
    page = asyncio.run(drawn("<p>here</p><script>setInterval(() => fetch('/list/more'), 100)</script>", asked, 2.0))
    assert not page.is_whole
    assert b"<p>here</p>" in page.html


def test_what_answering_raises_ends_the_drawing():
    async def answer(request: Asked) -> Given | None:
        raise CrawlerError(f"cannot record {request.url}")

    with pytest.raises(CrawlerError, match=f"cannot record {URL}"):
        asyncio.run(draw(URL, answer, program=browser() or "", user_agent="gongkai/test", seconds=20))


def command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # A process may end while it is looked at.
        with suppress(OSError):
            found.append(path.read_text("utf-8", "replace"))
    return found


def test_no_process_and_no_profile_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asyncio.run(drawn("<p>here</p>", []))
    assert list(tmp_path.iterdir()) == []
    assert [line for line in command_lines() if str(tmp_path) in line] == []
