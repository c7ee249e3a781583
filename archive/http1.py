"""The bytes of HTTP/1.x messages: where one ends, what its head says, what it carries.

    raw message → head (`split_head`) → payload (transfer coding removed) → entity (content coding removed, with caps)

Everything here takes what servers really send: line feeds alone, folded headers, lines without a colon, no reason
phrase, two lengths, a length beside chunks, chunks that are none. Only `entity` and `decode` raise, and only
DecodingError.
RFC 9112 §6.3 (body length), §7.1 (chunks), RFC 9110 §8.4 (content codings).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from isal import isal_zlib

HEAD_LIMIT = 256 * 1024
ENTITY_LIMIT = 128 * 1024 * 1024
ENTITY_RATIO = 200
# Small bodies may have any ratio: an empty table of 4 MB really does shrink a thousandfold.
RATIO_FLOOR = 8 * 1024 * 1024

# isal's stub declares its exception as an instance.
_IsalError: type[Exception] = isal_zlib.error  # type: ignore[assignment]
_BLANK_LINES = re.compile(rb"[\r\n]{0,64}")
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d(?:\.\d)?)[ \t]+(\d{3})(?![0-9])[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL)
_CHUNK_SIZE_SO_FAR = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,15}[ \t]*(?:;.*)?\r?", re.DOTALL)
_CHUNK_LINE_LIMIT = 16 * 1024
_CODINGS_LIMIT = 5
# Servers put charsets and MIME transfer encodings here; none of them changes a byte.
_NO_CODINGS = frozenset({"", "identity", "none", "binary", "7bit", "8bit", "utf-8", "utf8", "gbk", "gb2312", "gb18030"})

DecodingCode = Literal["bomb", "bad_coding", "unsupported_coding"]


class DecodingError(Exception):
    """Raised by `entity` when the content coding cannot be removed; the payload itself stays usable.

    `code` is `bomb` (a cap was passed), `bad_coding` (damaged or cut short) or `unsupported_coding`. `partial` holds
    what was decoded before the damage, b"" when nothing was or after a bomb.
    """

    def __init__(self, code: DecodingCode, message: str, partial: bytes = b"") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and header fields of a response.

    `headers` keeps names as received, order and duplicates; values are stripped, folded lines joined by one space,
    lines without a colon left out. `length` counts every byte up to and including the blank line.
    """

    version: str
    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    _values: dict[bytes, list[bytes]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.headers:
            self._values.setdefault(name.lower(), []).append(value)

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """Every value of the field `name`, which must be given in lower case."""
        return tuple(self._values.get(name, ()))

    def get(self, name: bytes) -> bytes | None:
        """First value of the field `name`, which must be given in lower case."""
        values = self._values.get(name)
        return values[0] if values else None

    def tokens(self, name: bytes) -> tuple[str, ...]:
        """Comma-separated members of the field `name` over all its lines, in lower case."""
        values = self._values.get(name)
        if not values:
            return ()
        joined = b",".join(values).decode("latin-1").lower()
        return tuple(token for part in joined.split(",") if (token := part.strip(" \t\"'")))


def split_head(raw: bytes) -> Head | None:
    """Head of the final response in `raw`; None when it has no complete, recognisable head.

    Interim (1xx) heads in front are skipped and counted in `length`, so that the body starts at `raw[head.length:]`.
    """
    skipped = 0
    while True:
        head = _head_at(raw, skipped)
        if head is None or not _is_interim(head.status):
            return head
        skipped = head.length


def payload(raw: bytes, method: str = "GET", *, head: Head | None = None) -> bytes:
    """Body of the response `raw` without its transfer coding, as the WARC payload digest wants it.

    `head` spares reading it again.
    A message without a recognisable head (HTTP/0.9) is all payload. A body that claims chunks and does not start with
    one is returned as it stands; a chunk broken later ends the payload there.
    """
    head = head or split_head(raw)
    if head is None:
        return raw
    return _payload(raw, head, method)


def entity(
    raw: bytes,
    method: str = "GET",
    *,
    head: Head | None = None,
    limit: int = ENTITY_LIMIT,
    ratio: int = ENTITY_RATIO,
) -> bytes:
    """Body of the response `raw` without transfer and content coding. `head` spares reading it again.

    Raises DecodingError when the result would be longer than `limit` bytes or, above 8 MiB, more than `ratio` times
    the payload; when the coded bytes are damaged or cut short; and for codings other than gzip and deflate.
    """
    head = head or split_head(raw)
    if head is None:
        return raw
    return decode(_payload(raw, head, method), head.tokens(b"content-encoding"), limit=limit, ratio=ratio)


def decode(data: bytes, codings: tuple[str, ...], *, limit: int = ENTITY_LIMIT, ratio: int = ENTITY_RATIO) -> bytes:
    """`data` with `codings` (in the order applied, lower case) removed; raises DecodingError as `entity` does."""
    codings = tuple(coding for coding in codings if coding not in _NO_CODINGS)
    if not data or not codings:
        return data
    if len(codings) > _CODINGS_LIMIT:
        raise DecodingError("bomb", f"{len(codings)} content codings on one body")
    cap = min(limit, max(RATIO_FLOOR, len(data) * ratio))
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip"):
            data = _inflate(data, 31, cap)
        elif coding == "deflate":
            data = _inflate_deflate(data, cap)
        else:
            raise DecodingError("unsupported_coding", f"cannot remove content coding {coding!r}")
    return data


class Framer:
    """Finds the end of one response in a stream of bytes, whatever the size of the pieces it comes in.

    Feed every piece with `feed`, and `close` at the end of the stream. The bytes fed are, in order, exactly
    `b"".join(interim) + response + trailing`.

    `done`      the message has ended; what is fed afterwards goes to `trailing`
    `complete`  it ended where its framing says (False: the stream ended first)
    `head`      its parsed head, None until known or when unrecognisable
    `defect`    `unparsable_head`, `head_too_large` or `bad_chunk`, with an explanation: the rest of the stream, up to
                its end, then belongs to the message
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_end",
        "_interim",
        "_interim_size",
        "_lengths",
        "_method",
        "_scanned",
        "_state",
        "complete",
        "defect",
        "done",
        "head",
    )

    def __init__(self, method: str = "GET") -> None:
        self._method = method
        self._buffer = bytearray()
        self._interim: list[bytes] = []
        self._interim_size = 0
        self._scanned = 0
        self._state: Literal["head", "length", "chunked", "close"] = "head"
        self._lengths: tuple[int, ...] = ()
        self._end = -1
        self._chunks: _Chunks | None = None
        self.head: Head | None = None
        self.done = False
        self.complete = False
        self.defect: str | None = None

    @property
    def response(self) -> bytes:
        """The message from its first byte to its last (so far)."""
        return bytes(self._buffer if self._end < 0 else self._buffer[: self._end])

    @property
    def interim(self) -> tuple[bytes, ...]:
        """1xx responses that came first, each whole."""
        return tuple(self._interim)

    @property
    def trailing(self) -> bytes:
        """Bytes fed that come after the message."""
        return b"" if self._end < 0 else bytes(self._buffer[self._end :])

    @property
    def received(self) -> int:
        """Bytes fed so far."""
        return len(self._buffer) + self._interim_size

    @property
    def reusable(self) -> bool:
        """The connection may carry another request: the message ended by itself and nobody asked to close."""
        if not self.complete or self.head is None or self.defect or self._state == "close" or self.trailing:
            return False
        wishes = self.head.tokens(b"connection")
        if self.head.version == "1.1":
            return "close" not in wishes
        return "keep-alive" in wishes and "close" not in wishes

    def feed(self, data: bytes) -> bool:
        """Takes the next piece of the stream; True when the message has ended."""
        self._buffer += data
        if self.done:
            return True
        if self._state == "head":
            self._read_heads()
        if self._state == "length":
            self._read_length()
        elif self._state == "chunked":
            self._read_chunks()
        return self.done

    def close(self) -> None:
        """The stream ended."""
        if self.done:
            return
        if self._state == "head":
            if self._buffer and not _may_be_status_line(self._buffer):
                self.defect = _UNPARSABLE
        elif self._state == "close":
            self.complete = True
        elif self._state == "length":
            self.complete = len(self._buffer) - self._head_length in self._lengths
        elif self._chunks is not None:
            # Old servers leave out the last blank line; all the data came.
            self.complete = self._chunks.last_chunk_seen and not self._chunks.inside_line(self._buffer)
        self._finish(len(self._buffer), complete=self.complete)

    @property
    def _head_length(self) -> int:
        return self.head.length if self.head else 0

    def _finish(self, end: int, *, complete: bool) -> None:
        self._end = end
        self.complete = complete
        self.done = True

    def _read_heads(self) -> None:
        while self._state == "head" and not self.done:
            if not _may_be_status_line(self._buffer):
                self._give_up(_UNPARSABLE)
                return
            found = _HEAD_END.search(self._buffer, max(_first_line_at(self._buffer), self._scanned - 2))
            if found is None or found.end() > HEAD_LIMIT:
                self._scanned = len(self._buffer)
                if len(self._buffer) > HEAD_LIMIT:
                    self._give_up(f"head_too_large: no end of the head within {HEAD_LIMIT} bytes")
                return
            head = _head_at(bytes(self._buffer[: found.end()]), 0)
            if head is None:
                self._give_up(_UNPARSABLE)
                return
            if not _is_interim(head.status):
                self._start_body(head)
                return
            self._interim.append(bytes(self._buffer[: head.length]))
            self._interim_size += head.length
            del self._buffer[: head.length]
            self._scanned = 0

    def _give_up(self, defect: str) -> None:
        self.defect = defect
        self._state = "close"

    def _start_body(self, head: Head) -> None:
        self.head = head
        kind, self._lengths = _framing(head, self._method)
        if kind == "none":
            self._state = "length"
            self._lengths = (0,)
        else:
            self._state = kind
        if kind == "chunked":
            self._chunks = _Chunks(head.length)

    def _read_length(self) -> None:
        end = self._head_length + self._lengths[-1]
        if len(self._buffer) >= end:
            self._finish(end, complete=True)

    def _read_chunks(self) -> None:
        if self._chunks is None:
            return
        self._chunks.read(self._buffer)
        if self._chunks.problem is not None:
            self._give_up(f"bad_chunk: {self._chunks.problem}")
        elif self._chunks.finished:
            self._finish(self._chunks.position, complete=True)


_UNPARSABLE = "unparsable_head: the reply does not start with an HTTP status line"


class _Chunks:
    """Walks over chunked framing in a growing buffer; `spans` are the places of the data in it."""

    __slots__ = ("_data_left", "_scanned", "_state", "finished", "last_chunk_seen", "position", "problem", "spans")

    def __init__(self, start: int) -> None:
        self.position = start
        self.spans: list[tuple[int, int]] = []
        self.finished = False
        self.last_chunk_seen = False
        self.problem: str | None = None
        self._state: Literal["size", "data", "data_end", "trailer"] = "size"
        self._data_left = 0
        self._scanned = start

    def inside_line(self, buffer: bytes | bytearray) -> bool:
        """Bytes of an unfinished line (other than the start of a line end) are left over."""
        return bytes(buffer[self.position :]) not in (b"", b"\r")

    def read(self, buffer: bytes | bytearray) -> None:
        """Goes as far as the bytes in `buffer` allow."""
        while not self.finished and self.problem is None:
            if self._state == "data":
                if not self._read_data(buffer):
                    return
            elif self._state == "data_end":
                if not self._read_data_end(buffer):
                    return
            elif not self._read_line(buffer):
                return

    def _read_data(self, buffer: bytes | bytearray) -> bool:
        taken = min(self._data_left, len(buffer) - self.position)
        if taken:
            self._add_span(self.position, self.position + taken)
            self.position += taken
            self._data_left -= taken
        if self._data_left:
            return False
        self._state = "data_end"
        return True

    def _add_span(self, start: int, end: int) -> None:
        if self.spans and self.spans[-1][1] == start:
            start = self.spans.pop()[0]
        self.spans.append((start, end))

    def _read_data_end(self, buffer: bytes | bytearray) -> bool:
        rest = bytes(buffer[self.position : self.position + 2])
        if rest in (b"", b"\r"):
            return False
        width = 2 if rest == b"\r\n" else 1 if rest[:1] == b"\n" else 0
        if not width:
            self.problem = f"expected a line end after the chunk's data at byte {self.position}"
            return False
        self.position += width
        self._scanned = self.position
        self._state = "size"
        return True

    def _read_line(self, buffer: bytes | bytearray) -> bool:
        limit = HEAD_LIMIT if self._state == "trailer" else _CHUNK_LINE_LIMIT
        end = buffer.find(b"\n", self._scanned, self.position + limit)
        if end < 0:
            self._scanned = max(self.position, min(len(buffer), self.position + limit))
            if len(buffer) - self.position >= limit:
                self.problem = f"expected a line of at most {limit} bytes at byte {self.position}"
            elif self._state == "size" and not _CHUNK_SIZE_SO_FAR.fullmatch(buffer, self.position):
                self._refuse_size()
            return False
        line = bytes(buffer[self.position : end])
        if self._state == "trailer":
            self.finished = line in (b"", b"\r")
        elif not self._start_chunk(line):
            return False
        self.position = self._scanned = end + 1
        return True

    def _start_chunk(self, line: bytes) -> bool:
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            self._refuse_size()
            return False
        self._data_left = int(size[1], 16)
        self.last_chunk_seen = self._data_left == 0
        self._state = "trailer" if self.last_chunk_seen else "data"
        return True

    def _refuse_size(self) -> None:
        self.problem = f"expected a chunk size at byte {self.position}"


def _is_interim(status: int) -> bool:
    # 101 ends HTTP on the connection, so it is the last response, not an interim one.
    return 100 <= status < 200 and status != 101


def _first_line_at(raw: bytes | bytearray, start: int = 0) -> int:
    """Blank lines before the status line are skipped: the end of a previous body counted too short."""
    blanks = _BLANK_LINES.match(raw, start)
    return blanks.end() if blanks else start


def _may_be_status_line(raw: bytes | bytearray) -> bool:
    start = _first_line_at(raw)
    return b"HTTP/".startswith(bytes(raw[start : start + 5]).upper())


def _head_at(raw: bytes, start: int) -> Head | None:
    first = _first_line_at(raw, start)
    if raw[first : first + 5].upper() != b"HTTP/":
        return None
    found = _HEAD_END.search(raw, first, start + HEAD_LIMIT)
    return None if found is None else _read_head(raw[first : found.start()], found.end())


# A head is read where it comes in and again where its message is recorded, with few others between.
@lru_cache(maxsize=32)
def _read_head(raw: bytes, length: int) -> Head | None:
    """The head in `raw`, which is all of it but its last line end; `length` is that of the head in its message."""
    lines = raw.split(b"\n")
    status_line = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r"))
    if status_line is None:
        return None
    version, status, reason = status_line.groups()
    return Head(version.decode(), int(status), reason.rstrip(), _fields(lines[1:]), length)


def _fields(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if fields:
                name, value = fields[-1]
                fields[-1] = (name, value + b" " + line.strip(b" \t\r") if value else line.strip(b" \t\r"))
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and name:
            fields.append((name, value.strip(b" \t\r")))
    return tuple(fields)


def _framing(head: Head, method: str) -> tuple[Literal["none", "length", "chunked", "close"], tuple[int, ...]]:
    """How the end of the body is found, and the declared lengths in ascending order.

    Lengths that contradict each other are all kept: the message may end at any of them, the longest is waited for.
    """
    if method.upper() == "HEAD" or head.status in (101, 204, 304) or 100 <= head.status < 200:
        return "none", ()
    transfer = [coding for coding in head.tokens(b"transfer-encoding") if coding != "identity"]
    if transfer:
        return ("chunked" if transfer[-1] == "chunked" else "close"), ()
    declared = head.tokens(b"content-length")
    if declared and all(length.isascii() and length.isdigit() and len(length) < 16 for length in declared):
        return "length", tuple(sorted({int(length) for length in declared}))
    return "close", ()


def _payload(raw: bytes, head: Head, method: str) -> bytes:
    kind, lengths = _framing(head, method)
    if kind == "none":
        return b""
    if kind == "length":
        return raw[head.length : head.length + lengths[-1]]
    if kind == "close":
        return _without_transfer_codings(raw[head.length :], head)
    chunks = _Chunks(head.length)
    chunks.read(raw)
    if chunks.problem is not None and not chunks.spans:
        return raw[head.length :]
    return _without_transfer_codings(b"".join(raw[start:end] for start, end in chunks.spans), head)


def _without_transfer_codings(body: bytes, head: Head) -> bytes:
    codings = tuple(coding for coding in head.tokens(b"transfer-encoding") if coding != "chunked")
    try:
        return decode(body, codings)
    except DecodingError:
        return body


def _inflate_deflate(data: bytes, cap: int) -> bytes:
    """`deflate` is zlib by the standard and a bare deflate stream by half of the servers."""
    has_zlib_head = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    if not has_zlib_head:
        return _inflate(data, -15, cap)
    try:
        return _inflate(data, 15, cap)
    except DecodingError as error:
        if error.code == "bomb" or error.partial:
            raise
        return _inflate(data, -15, cap)


def _inflate(data: bytes, window_bits: int, cap: int) -> bytes:
    """All members of a gzip, zlib or bare deflate stream, one call each; bytes after the last member are left out."""
    members: list[bytes] = []
    size = 0
    while data:
        stream = isal_zlib.decompressobj(wbits=window_bits)
        try:
            member = stream.decompress(data, cap - size + 1)
        except _IsalError as error:
            members.append(_inflated_prefix(data, window_bits, cap - size))
            raise DecodingError("bad_coding", str(error), b"".join(members)) from error
        members.append(member)
        size += len(member)
        if size > cap:
            raise DecodingError("bomb", f"more than {cap} bytes from {len(data)}")
        if not stream.eof:
            raise DecodingError("bad_coding", f"cut short after {size} bytes", b"".join(members))
        data = stream.unused_data if window_bits == 31 and stream.unused_data[:2] == b"\x1f\x8b" else b""
    return members[0] if len(members) == 1 else b"".join(members)


def _inflated_prefix(data: bytes, window_bits: int, cap: int) -> bytes:
    """What comes out before the damage: the slow way, in small steps, and byte by byte where the damage is."""
    stream = zlib.decompressobj(wbits=window_bits)
    out = bytearray()
    start, step = 0, 512
    while start < len(data) and len(out) <= cap:
        before = stream.copy()
        try:
            out += stream.decompress(data[start : start + step], cap - len(out) + 1)
            start += step
        except zlib.error:
            if step == 1:
                break
            stream, step = before, 1
    return bytes(out[:cap])
