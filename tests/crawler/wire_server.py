"""A raw server on loopback that sends what it is told and remembers every byte that crossed, and the hostile cases.

The cases are what `test_wire_cases.py` runs against the handler and `test_wire_crawl.py` through a whole Scrapy crawl.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import ipaddress
import random
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TEXT = "<html><title>政府信息公开</title>".encode("gbk") + b"<p>0123456789</p>" * 60
BOMB = gzip.compress(bytes(20_000_000), mtime=0)
CODED = gzip.compress(TEXT, mtime=0)
OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = "close"
RESET = "reset"
HANG = "hang"
DROP = "drop"

Step = bytes | float | str


def chunks(body: bytes, size: int = 100, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    return framed + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def with_length(body: bytes, *fields: bytes, status: bytes = OK) -> bytes:
    return status + b"".join(line + b"\r\n" for line in fields) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def bytewise(data: bytes) -> tuple[Step, ...]:
    return tuple(step for at in range(len(data)) for step in (data[at : at + 1], 0.0))


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@dataclass(frozen=True)
class Case:
    """What the server does (bytes to send, seconds to sleep, `close`, `reset`, `hang`) and what must be recorded.

    `drop` closes without TLS's goodbye, as many servers do.

    After the last step the server waits for the client. `trailing` and `interim` count bytes after and before the
    response. `entity` None: the handler raises instead of returning a Response.
    """

    steps: tuple[Step, ...]
    entity: bytes | None = TEXT
    status: int | None = 200
    error: str | None = None
    truncated: str | None = None
    interim: int = 0
    trailing: int = 0
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    meta: dict[str, float] = field(default_factory=dict)
    prefix: bool = False

    @property
    def sent(self) -> bytes:
        return b"".join(step for step in self.steps if isinstance(step, bytes))


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
GBK = "年度报告.doc".encode("gbk")
NOISE = random.Random(3).randbytes(300_000)
SMALL = {"download_maxsize": 50_000}
SHORT = {"download_timeout": 0.3}

CASES: dict[str, Case] = {
    "plain": Case((with_length(TEXT),)),
    "odd_case_and_duplicate_headers": Case((with_length(TEXT, b"sErVeR: x", b"Set-Cookie: a", b"set-cookie: b"),)),
    "values_with_outer_spaces": Case((with_length(TEXT, b"X-Padded:   a  ", b"X-Tab:\tb"),)),
    "head_split_in_two": Case((with_length(TEXT)[:9], 0.01, with_length(TEXT)[9:])),
    "byte_by_byte": Case(bytewise(with_length(TEXT[:200])), entity=TEXT[:200]),
    "chunks_byte_by_byte": Case(bytewise(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(TEXT[:99], 9)), TEXT[:99]),
    "slow_headers": Case((OK, 0.1, b"Content-Le", 0.1, b"ngth: 2\r\n\r\nhi"), entity=b"hi"),
    "gzip": Case((with_length(CODED, b"Content-Encoding: gzip"),)),
    "gzip_in_chunks": Case((OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(CODED, 7),)),
    "gzip_twice": Case((with_length(gzip.compress(CODED), b"Content-Encoding: gzip, gzip"),)),
    "deflate": Case((with_length(zlib.compress(TEXT), b"Content-Encoding: deflate"),)),
    "bare_deflate": Case((with_length(bare_deflate(TEXT), b"Content-Encoding: deflate"),)),
    "damaged_gzip": Case((with_length(CODED[:30] + b"\0\0\0\0" + CODED[34:], b"Content-Encoding: gzip"),),
                         entity=CODED[:30] + b"\0\0\0\0" + CODED[34:]),
    "gzip_bomb": Case((with_length(BOMB, b"Content-Encoding: gzip"),), entity=BOMB),
    "unknown_coding": Case((with_length(TEXT, b"Content-Encoding: br"),)),
    "coding_identity": Case((with_length(TEXT, b"Content-Encoding: identity"),)),
    "chunks": Case((OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(TEXT),)),
    "chunks_upper_case": Case((OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + chunks(TEXT),)),
    "chunk_extensions_and_trailers": Case(
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(TEXT, 50, b';a="b"', b"Sum: abc\r\nOther: 1\r\n"),)),
    "chunks_end_in_lf": Case((b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n",), entity=b"hi"),
    "http_1_0_chunks": Case((b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(TEXT), CLOSE)),
    "length_and_chunks": Case((OK + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(TEXT),)),
    "bad_chunk": Case((OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nxyz\r\nrest", CLOSE),
                      entity=None, error="bad_chunk"),
    "chunks_that_are_none": Case((OK + b"Transfer-Encoding: chunked\r\n\r\n<html>", CLOSE),
                                 entity=None, error="bad_chunk"),
    "until_close": Case((OK + b"\r\n" + TEXT, CLOSE)),
    "until_close_in_pieces": Case((OK + b"\r\n" + TEXT[:100], 0.05, TEXT[100:], CLOSE)),
    "until_close_without_goodbye": Case((OK + b"\r\n" + TEXT, 0.05, DROP)),
    "cut_body_without_goodbye": Case((OK + b"Content-Length: 5000\r\n\r\n" + TEXT, 0.05, DROP),
                                     entity=None, error="disconnected", truncated="disconnect"),
    "empty_reply_without_goodbye": Case((DROP,), entity=None, status=None, error="empty_reply"),
    "http_1_0": Case((b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + TEXT, CLOSE)),
    "http_1_0_keep_alive": Case((with_length(TEXT, b"Connection: keep-alive", status=b"HTTP/1.0 200 OK\r\n"),)),
    "connection_close": Case((with_length(TEXT, b"Connection: close"), CLOSE)),
    "interim_100_and_103": Case((CONTINUE + HINTS + with_length(TEXT),), interim=2),
    "interim_apart": Case((CONTINUE, 0.02, HINTS, 0.02, with_length(TEXT)), interim=2),
    "redirect": Case((with_length(b"", b"Location: /b.htm", status=b"HTTP/1.1 302 Found\r\n"),),
                     entity=b"", status=302),
    "redirect_to_gbk": Case((with_length(b"", b"Location: /" + GBK, status=b"HTTP/1.1 301 Moved\r\n"),),
                            entity=b"", status=301),
    "gbk_file_name": Case((with_length(TEXT, b"Content-Disposition: attachment; filename=" + GBK),)),
    "gbk_reason": Case((with_length(TEXT, status=b"HTTP/1.1 200 " + "成功".encode("gbk") + b"\r\n"),)),
    "not_modified": Case((b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",), entity=b"", status=304),
    "not_modified_with_length": Case((b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n",),
                                     entity=b"", status=304),
    "not_modified_with_body": Case((with_length(b"hello", status=b"HTTP/1.1 304 Not Modified\r\n"),),
                                   entity=b"", status=304, trailing=5),
    "no_content": Case((b"HTTP/1.1 204 No Content\r\n\r\n",), entity=b"", status=204),
    "no_content_with_body": Case((with_length(b"hello", status=b"HTTP/1.1 204 No Content\r\n"),),
                                 entity=b"", status=204, trailing=5),
    "not_found": Case((with_length(TEXT, status=b"HTTP/1.1 404 Not Found\r\n"),), status=404),
    "server_error": Case((with_length(TEXT, status=b"HTTP/1.1 503 Busy\r\n", ), CLOSE), status=503),
    "status_521": Case((with_length(TEXT, status=b"HTTP/1.1 521\r\n"),), status=521),
    "status_999": Case((with_length(TEXT, status=b"HTTP/1.1 999 Odd\r\n"),), status=999),
    "no_reason": Case((with_length(TEXT, status=b"HTTP/1.1 200\r\n"),)),
    "head": Case((b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",), entity=b"", method="HEAD"),
    "head_chunked": Case((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",), entity=b"", method="HEAD"),
    "post_form": Case((with_length(TEXT),), method="POST", body=b"page=2&size=20",
                      headers={"Content-Type": "application/x-www-form-urlencoded"}),
    "post_every_byte": Case((with_length(TEXT),), method="POST", body=bytes(range(256)) * 300),
    "post_nothing": Case((with_length(TEXT),), method="POST"),
    "conditional": Case((b"HTTP/1.1 304 Not Modified\r\n\r\n",), entity=b"", status=304,
                        headers={"If-None-Match": 'W/"a"', "If-Modified-Since": "Fri, 01 Mar 2024 00:00:00 GMT"}),
    "folded_header": Case((with_length(TEXT, b"X-Folded: one\r\n  two\r\n\tthree"),)),
    "line_feeds_only": Case((b"HTTP/1.1 200 OK\nServer: lf\nContent-Length: 2\n\nhi",), entity=b"hi"),
    "mixed_line_ends": Case((b"HTTP/1.1 200 OK\r\nServer: lf\nContent-Length: 2\r\n\nhi",), entity=b"hi"),
    "line_without_colon": Case((with_length(TEXT, b"this is no header"),)),
    "space_before_colon": Case((OK + b"Content-Length : 2\r\n\r\nhi",), entity=b"hi"),
    "nul_in_header": Case((with_length(TEXT, b"X-NUL: a\0b"),)),
    "empty_header_name": Case((with_length(TEXT, b": nameless"),)),
    "many_headers": Case((with_length(TEXT, *(b"X-%d: %d" % (n, n) for n in range(800))),)),
    "huge_header": Case((with_length(TEXT, b"Set-Cookie: " + b"c" * 100_000),)),
    "head_too_large": Case((with_length(TEXT, b"X: " + b"c" * 300_000), CLOSE),
                           entity=None, status=None, error="head_too_large"),
    "blank_lines_first": Case((b"\r\n" + with_length(TEXT),)),
    "trailing_junk": Case((with_length(b"hello") + b"\r\n<!-- junk -->",), entity=b"hello", trailing=15),
    "junk_after_chunks": Case((OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(TEXT) + b"junk",), trailing=4),
    "same_length_twice": Case((OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",), entity=b"hi"),
    "two_lengths": Case((OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\nhi", CLOSE), entity=b"hi"),
    "length_that_is_none": Case((OK + b"Content-Length: many\r\n\r\nhi", CLOSE), entity=b"hi"),
    "cut_body": Case((OK + b"Content-Length: 5000\r\n\r\n" + TEXT, CLOSE),
                     entity=None, error="disconnected", truncated="disconnect"),
    "cut_chunk": Case((OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc", CLOSE),
                      entity=None, error="disconnected", truncated="disconnect"),
    "cut_head": Case((OK + b"Content-Ty", CLOSE),
                     entity=None, status=None, error="disconnected", truncated="disconnect"),
    "cut_after_interim": Case((HINTS, CLOSE), entity=None, status=None, error="disconnected", truncated="disconnect",
                              interim=1),
    "reset_in_body": Case((OK + b"Content-Length: 5000\r\n\r\n" + TEXT, 0.05, RESET),
                          entity=None, error="connection_reset", truncated="disconnect"),
    "reset_before_reply": Case((0.02, RESET), entity=None, status=None, error="connection_reset"),
    "reset_of_body_without_length": Case((OK + b"\r\n" + TEXT, 0.05, RESET),
                                         entity=None, error="connection_reset", truncated="disconnect"),
    "empty_reply": Case((CLOSE,), entity=None, status=None, error="empty_reply"),
    "http_0_9": Case((b"<html>before headers</html>", CLOSE), entity=None, status=None, error="unparsable_head"),
    "bad_status_line": Case((b"HTTP/1.1 OK\r\n\r\nhi", CLOSE), entity=None, status=None, error="unparsable_head"),
    "binary_instead_of_http": Case((b"\x16\x03\x01\x00\x02\x02\x28", CLOSE), entity=None, status=None,
                                   error="unparsable_head"),
    "timeout_before_reply": Case((HANG,), entity=None, status=None, error="timeout", meta=SHORT),
    "timeout_in_head": Case((OK + b"Server: slow", HANG), entity=None, status=None, error="timeout", truncated="time",
                            meta=SHORT),
    "timeout_in_body": Case((OK + b"Content-Length: 5000\r\n\r\n" + TEXT, HANG),
                            entity=None, error="timeout", truncated="time", meta=SHORT),
    "drops_forever": Case((OK + b"Content-Length: 5000\r\n\r\n", *(step for _ in range(9) for step in (b"x", 0.09))),
                          entity=None, error="timeout", truncated="time", meta=SHORT, prefix=True),
    "oversize": Case((with_length(NOISE),), entity=None, error="oversize", truncated="length", meta=SMALL, prefix=True),
    "oversize_chunks": Case((OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(NOISE, 9000),),
                            entity=None, error="oversize", truncated="length", meta=SMALL, prefix=True),
    "oversize_until_close": Case((OK + b"\r\n" + NOISE, CLOSE),
                                 entity=None, error="oversize", truncated="length", meta=SMALL, prefix=True),
    "endless_interim": Case((HINTS * 5000,), entity=None, status=None, error="oversize", truncated="length",
                            meta=SMALL, prefix=True, interim=-1),
    "large_binary": Case((with_length(NOISE, b"Content-Type: application/pdf"),), entity=NOISE),
}  # fmt: skip


@dataclass
class Served:
    """One request as the socket saw it, and what was sent back so far."""

    connection: int
    request: bytes
    sent: bytearray


class WireServer:
    """Serves `script` entries by path (`/<name>`); `served` holds every request in order of arrival."""

    def __init__(self, scripts: dict[str, tuple[Step, ...]], context: ssl.SSLContext | None = None) -> None:
        self._scripts = scripts
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.served: list[Served] = []
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[WireServer]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, name: str) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}/{name}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        number = self.connections
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._answer(number, reader, writer)
        writer.transport.abort()

    async def _answer(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        for line in request.split(b"\r\n"):
            name, _, value = line.partition(b": ")
            if name == b"Content-Length":
                request += await reader.readexactly(int(value))
        served = Served(number, request, bytearray())
        self.served.append(served)
        name = request.split(b" ")[1].decode().strip("/").partition("?")[0]
        for step in self._scripts[name]:
            await self._perform(step, served, writer)

    async def _perform(self, step: Step, served: Served, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            served.sent += step
            writer.write(step)
            await writer.drain()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif step == HANG:
            await asyncio.sleep(60)
        elif step == RESET:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            await asyncio.sleep(0.01)
        elif step == DROP:
            writer.transport.abort()
            await asyncio.sleep(0.01)
        elif step == CLOSE:
            writer.close()
            await asyncio.sleep(0.01)


def certificate(name: str = "127.0.0.1", *, expired: bool = False) -> tuple[bytes, bytes]:
    """A self-signed certificate for `name` and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wire test")])
    now = datetime.datetime.now(datetime.UTC)
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=20))
        .not_valid_after(now + datetime.timedelta(days=-10 if expired else 10))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return built.public_bytes(serialization.Encoding.PEM), private


def server_context(folder: Path, name: str = "127.0.0.1", *, expired: bool = False) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context and the file of the certificate it shows."""
    shown, key = certificate(name, expired=expired)
    path = folder / f"{name.replace(':', '_')}{'-expired' if expired else ''}.pem"
    path.write_bytes(shown)
    both = path.with_suffix(".key.pem")
    both.write_bytes(shown + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, path


@cache
def all_scripts() -> dict[str, tuple[Step, ...]]:
    return {name: case.steps for name, case in CASES.items()}
