"""A server of a few lines on loopback for what no replica does: each test says what an address answers, and reads
afterwards when it was asked."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

LIST = "/col/col33/index.html"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    late: bytes = b""


@dataclass
class Asked:
    """One request: when it came, when its answer was out, how many were under way with it."""

    path: str
    at: float
    user_agent: str
    together: int
    ended: float = 0.0


@dataclass
class Script:
    """`answer(path, n)` gives the n-th answer (from 1) at an address; `late` follows its end after a while."""

    answer: Callable[[str, int], Answer]
    log: list[Asked] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.log]

    def begin(self, path: str, user_agent: str) -> tuple[Asked, int]:
        with self.lock:
            self.under_way += 1
            self.counts[path] += 1
            asked = Asked(path, time.monotonic(), user_agent, self.under_way)
            self.log.append(asked)
            return asked, self.counts[path]

    def end(self, asked: Asked) -> None:
        with self.lock:
            self.under_way -= 1
            asked.ended = time.monotonic()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        asked, count = self.script.begin(self.path, self.headers.get("User-Agent", ""))
        answer = self.script.answer(self.path, count)
        time.sleep(answer.seconds)
        self.script.end(asked)
        if answer.status == 0:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.late:
            time.sleep(0.2)
            self.wfile.write(answer.late)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is not this server's trouble."""


@contextmanager
def served(answer: Callable[[str, int], Answer]) -> Iterator[Script]:
    """Serves until the block ends. A status of 0 closes the connection without an answer."""
    script = Script(answer)
    handler = type("Handler", (_Handler,), {"script": script})
    server = _Server(("127.0.0.1", 0), handler)
    script.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Column:
    """A site of one list and so many pages. `overrides` come first; None from them means the ordinary answer."""

    pages: int = 4
    overrides: Callable[[str, int], Answer | None] = lambda _path, _count: None

    def __call__(self, path: str, count: int) -> Answer:
        special = self.overrides(path, count)
        if special is not None:
            return special
        if path == LIST:
            return Answer(body=column_page(self.paths), headers=(("Content-Type", "text/html; charset=utf-8"),))
        if path in self.paths:
            return Answer(body=article(path), headers=(("Content-Type", "text/html; charset=utf-8"),))
        return Answer(404, "<html><title>404</title><p>没有这个页面。</p></html>".encode())

    @property
    def paths(self) -> list[str]:
        return [f"/art/2022/1/5/art_33_{number}.html" for number in range(1, self.pages + 1)]

    def with_overrides(self, overrides: Callable[[str, int], Answer | None]) -> Self:
        return type(self)(self.pages, overrides)


def column_page(paths: list[str]) -> bytes:
    records = "".join(
        f"<record><![CDATA[<li><a href='{path}'>第{number}号公告</a><span>2022-01-05</span></li>]]></record>"
        for number, path in enumerate(paths, 1)
    )
    return (
        "<script type='text/xml'><datastore><nextgroup><![CDATA[<a href='/module/web/jpage/dataproxy.jsp?webid=7"
        f"&columnid=33&unitid=900'></a>]]></nextgroup><recordset>{records}</recordset></datastore></script>"
        f"<script>$('#900').jpage({{totalRecord:{len(paths)},perPage:{max(15, len(paths))}}});</script>"
    ).encode()


def article(path: str) -> bytes:
    text = f"关于{path[-12:-5]}的公告：本区自公布之日起施行，具体事项由有关部门负责解释。" * 3
    return f"<html><head><title>公告</title></head><body><div id='zoom'><p>{text}</p></div></body></html>".encode()


def site_file(folder: Path, base: str, politeness: str = "", *, name: str = "small", more: str = "") -> Path:
    """`politeness` and `more` are lines of TOML; later lines of `politeness` replace the defaults here."""
    lines = {"delay_seconds": "0.0", "allow_private_hosts": "true", "probe_missing": "false"}
    lines.update(line.split(" = ", 1) for line in politeness.splitlines() if line)
    path = folder / f"{name}.toml"
    path.write_text(
        f'agency = "某区人民政府"\ndivision_code = "230199"\n[channels]\nreports = "{base}{LIST}"\n[politeness]\n'
        + "".join(f"{key} = {value}\n" for key, value in lines.items())
        + more,
        encoding="utf-8",
    )
    return path
