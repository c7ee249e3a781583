"""Reading WARC files, ours and others', at an offset or from end to end.

Blocks come back exactly as stored. The iterator survives what real files hold: cut tails, flipped bits, trailing zeros,
whole files in one gzip member, WARC/1.0 without digests, uncompressed files. What it cannot read it reports as a
problem and goes on at the next gzip member or the next `WARC/` line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from archive import http1
from archive.errors import DamagedRecordError

GZIP_MAGIC = b"\x1f\x8b\x08"
HEADER_LIMIT = 1024 * 1024
BLOCK_LIMIT = 2 * 1024**3
_PIECE = 256 * 1024
_VERSION_LINE = re.compile(rb"WARC/\d+\.\d+[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as stored: header fields in order, names as written; the block's bytes."""

    version: str
    headers: tuple[tuple[str, str], ...]
    block: bytes
    _index: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def get(self, name: str, default: str = "") -> str:
        """First value of the field, whatever its case."""
        return self._index.get(name.lower(), default)

    @property
    def type(self) -> str:
        return self.get("WARC-Type").lower()

    @property
    def record_id(self) -> str:
        return self.get("WARC-Record-ID")

    @property
    def target_uri(self) -> str:
        # WARC/1.0 writers following the grammar literally put the URI in angle brackets (wget does).
        return self.get("WARC-Target-URI").strip("<>")


@dataclass(frozen=True, slots=True)
class Located:
    """What stands at an offset of a file: a record, or a problem, or a record with a problem.

    `length` counts the stored (compressed) bytes. In a file that is not compressed record by record, `is_addressable`
    is False: the offset is that in the uncompressed stream.
    """

    offset: int
    length: int
    record: Record | None
    problem: str | None = None
    is_addressable: bool = True


def read_record(path: Path, offset: int, length: int) -> Record:
    """The record in the `length` bytes at `offset`, its block digest verified.

    Raises DamagedRecordError when it is not one whole record or the digest differs, OSError when the file cannot be
    read.
    """
    with path.open("rb") as handle:
        handle.seek(offset)
        stored = handle.read(length)
    where = f"{path.name} at {offset}"
    if len(stored) < length:
        raise DamagedRecordError(f"{where}: expected {length} bytes, found {len(stored)}")
    raw = _gunzipped(stored, where) if stored.startswith(GZIP_MAGIC) else stored
    try:
        record, rest = parse_record(raw)
    except DamagedRecordError as error:
        raise DamagedRecordError(f"{where}: {error}") from error
    if rest.strip(b"\r\n"):
        raise DamagedRecordError(f"{where}: {len(rest)} bytes after the record")
    problem = digest_problem(record)
    if problem:
        raise DamagedRecordError(f"{where}: {problem}")
    return record


def records(path: Path, *, start: int = 0) -> Iterator[Located]:
    """Every record of a WARC file from offset `start` on, with what is wrong with it."""
    with path.open("rb") as handle:
        handle.seek(start)
        is_gzip = handle.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        handle.seek(start)
        yield from _gzip_records(handle, start) if is_gzip else _plain_records(handle, start)


def parse_record(raw: bytes) -> tuple[Record, bytes]:
    """The record at the start of `raw` and the bytes after its block; raises DamagedRecordError."""
    version_line = _VERSION_LINE.match(raw)
    if version_line is None:
        raise DamagedRecordError(f"expected a WARC version line, found {raw[:20]!r}")
    end = _HEADER_END.search(raw, version_line.end() - 2, HEADER_LIMIT)
    if end is None:
        raise DamagedRecordError("the record's header has no end")
    headers = _header_fields(raw[version_line.end() : end.start()])
    index: dict[str, str] = {}
    for name, value in headers:
        index.setdefault(name.lower(), value)
    declared = index.get("content-length", "")
    if not (declared.isascii() and declared.isdigit()):
        raise DamagedRecordError(f"expected a Content-Length, found {declared!r}")
    length = int(declared)
    block = raw[end.end() : end.end() + length]
    if len(block) < length:
        raise DamagedRecordError(f"expected a block of {length} bytes, found {len(block)}")
    version = version_line.group().strip().decode("ascii")
    return Record(version, headers, block, index), raw[end.end() + length :]


def digest_problem(record: Record) -> str | None:
    """Why the record's block or payload digest does not hold, None when they do or cannot be checked.

    The payload digest may be over the payload without transfer coding (the standard) or over the body as it came (wget,
    warcio): either is accepted. Revisits' payload digests are of another record's payload.
    """
    declared = record.get("WARC-Block-Digest")
    if declared and _differs(declared, record.block):
        return f"block digest differs: declared {declared}, found {_same_form(declared, record.block)}"
    declared = record.get("WARC-Payload-Digest")
    if not declared or record.type == "revisit" or record.get("WARC-Segment-Number"):
        return None
    if record.type == "resource":
        return _payload_problem(declared) if _differs(declared, record.block) else None
    if record.type != "response":
        return None
    head = http1.split_head(record.block)
    as_came = record.block[head.length :] if head else record.block
    if _differs(declared, as_came) and all(
        _differs(declared, http1.payload(record.block, method)) for method in ("GET", "HEAD")
    ):
        return _payload_problem(declared)
    return None


def _payload_problem(declared: str) -> str:
    return f"payload digest differs: declared {declared}"


def _differs(declared: str, data: bytes) -> bool:
    """False also where the digest's algorithm or spelling is not known: such a one cannot be checked."""
    algorithm, _, value = declared.partition(":")
    algorithm = algorithm.lower().replace("-", "")
    expected = _digest_bytes(algorithm, value)
    if expected is None:
        return False
    return hashlib.new(algorithm, data, usedforsecurity=False).digest() != expected


def _digest_bytes(algorithm: str, value: str) -> bytes | None:
    """The digest's bytes from base16, base32 or base64; None when it is of none of these or of an unknown algorithm."""
    size = _DIGEST_SIZES.get(algorithm)
    if size is None:
        return None
    try:
        if len(value) == size * 2:
            return bytes.fromhex(value)
        padded = value + "=" * (-len(value) % 8)
        if len(value.rstrip("=")) == -(-size * 8 // 5):
            return base64.b32decode(padded, casefold=True)
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_" if set("-_") & set(value) else None)
    except (ValueError, binascii.Error):
        return b""


def _same_form(declared: str, data: bytes) -> str:
    algorithm, _, value = declared.partition(":")
    digest = hashlib.new(algorithm.lower().replace("-", ""), data, usedforsecurity=False)
    if len(value) == digest.digest_size * 2:
        return f"{algorithm}:{digest.hexdigest()}"
    return f"{algorithm}:{base64.b32encode(digest.digest()).decode()}"


def _header_fields(raw: bytes) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    for line in raw.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip(), value.strip()))
    return tuple(fields)


def _gunzipped(stored: bytes, where: str) -> bytes:
    stream = zlib.decompressobj(31)
    try:
        raw = stream.decompress(stored, BLOCK_LIMIT)
    except zlib.error as error:
        raise DamagedRecordError(f"{where}: {error}") from error
    if not stream.eof:
        raise DamagedRecordError(f"{where}: the gzip member is cut short")
    if stream.unused_data:
        raise DamagedRecordError(f"{where}: {len(stream.unused_data)} bytes after the gzip member")
    return raw


class _Window:
    """A file read forward in pieces; `data` is what is at hand from `offset` on."""

    __slots__ = ("_handle", "data", "offset")

    def __init__(self, handle: BinaryIO, offset: int) -> None:
        self._handle = handle
        self.offset = offset
        self.data = b""

    def more(self) -> bool:
        """Reads on; False at the end of the file."""
        piece = self._handle.read(_PIECE)
        self.data += piece
        return bool(piece)

    def skip(self, count: int) -> None:
        self.data = self.data[count:]
        self.offset += count


def _gzip_records(handle: BinaryIO, start: int) -> Iterator[Located]:
    window = _Window(handle, start)
    while window.data or window.more():
        if len(window.data) < len(GZIP_MAGIC) and window.more():
            continue
        if not window.data.startswith(GZIP_MAGIC):
            yield _gap(window)
            continue
        yield from _one_member(window)


def _one_member(window: _Window) -> Iterator[Located]:
    """The record or records in the gzip member at the window's start; leaves the window after it."""
    offset = window.offset
    taken, pieces, problem, size = 0, [], None, 0
    stream = zlib.decompressobj(31)
    chunk = window.data
    while True:
        try:
            piece = stream.decompress(chunk, BLOCK_LIMIT - size)
        except zlib.error as error:
            problem = f"damaged gzip member: {error}"
            break
        pieces.append(piece)
        size += len(piece)
        if stream.eof:
            taken += len(chunk) - len(stream.unused_data)
            break
        if size >= BLOCK_LIMIT:
            problem = f"more than {BLOCK_LIMIT} bytes in one gzip member"
            break
        taken += len(chunk)
        held = len(window.data)
        if not window.more():
            problem = "the gzip member is cut short"
            break
        chunk = window.data[held:]
    raw = b"".join(pieces)
    if problem is None:
        window.skip(taken)
        yield from _records_of_member(raw, offset, taken)
        return
    end = _next_magic(window, 1)
    length = window.offset + end - offset
    window.skip(end)
    yield Located(offset, length, None, problem)


def _records_of_member(raw: bytes, offset: int, length: int) -> Iterator[Located]:
    place, is_first = 0, True
    while raw.strip(b"\r\n\0"):
        try:
            record, rest = parse_record(raw)
        except DamagedRecordError as error:
            yield Located(offset, length, None, str(error), is_addressable=is_first)
            return
        rest = rest.lstrip(b"\r\n")
        is_alone = is_first and not rest
        where = (offset, length) if is_alone else (place, len(raw) - len(rest))
        yield Located(*where, record, digest_problem(record), is_addressable=is_alone)
        place += len(raw) - len(rest)
        raw, is_first = rest, False


def _gap(window: _Window) -> Located:
    """Bytes that are no gzip member, up to the next one."""
    offset = window.offset
    end = _next_magic(window, 0)
    found = window.data[:end]
    window.skip(end)
    what = "zero bytes" if not found.strip(b"\0") else "bytes that are no gzip member"
    return Located(offset, end, None, f"{end} {what}")


def _next_magic(window: _Window, after: int) -> int:
    """Where in the window the next whole gzip header stands whose contents begin a WARC record; its end when there is
    none.
    """
    searched = after
    while True:
        found = window.data.find(GZIP_MAGIC, searched)
        if found < 0:
            searched = max(after, len(window.data) - len(GZIP_MAGIC) + 1)
            if not window.more():
                return len(window.data)
            continue
        while len(window.data) - found < 512 and window.more():
            pass
        if _starts_record(window.data[found : found + 512]):
            return found
        searched = found + 1


def _starts_record(stored: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(stored, 5) == b"WARC/"
    except zlib.error:
        return False


def _plain_records(handle: BinaryIO, start: int) -> Iterator[Located]:
    window = _Window(handle, start)
    while window.data or window.more():
        blank = len(window.data) - len(window.data.lstrip(b"\r\n"))
        if blank:
            window.skip(blank)
            continue
        yield _one_plain(window)


def _one_plain(window: _Window) -> Located:
    offset = window.offset
    while True:
        try:
            record, rest = parse_record(window.data)
        except DamagedRecordError as error:
            if _may_go_on(window.data) and window.more():
                continue
            found = _VERSION_LINE.search(window.data, 1)
            while found is None and window.more():
                found = _VERSION_LINE.search(window.data, 1)
            end = found.start() if found else len(window.data)
            window.skip(end)
            return Located(offset, end, None, str(error))
        length = len(window.data) - len(rest)
        while len(rest) < 4 and window.more():
            rest = window.data[length:]
        tail = len(rest[:4]) - len(rest[:4].lstrip(b"\r\n"))
        window.skip(length + tail)
        return Located(offset, length + tail, record, digest_problem(record))


def _may_go_on(data: bytes) -> bool:
    """More bytes could complete the record at the start of `data`."""
    if b"\n" not in data[:64]:
        return len(data) < 64
    if _VERSION_LINE.match(data) is None:
        return False
    end = _HEADER_END.search(data, 0, HEADER_LIMIT)
    if end is None:
        return len(data) < HEADER_LIMIT
    declared = re.search(rb"\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r?\n", data[: end.end()], re.IGNORECASE)
    return declared is not None and len(data) < end.end() + int(declared[1]) <= BLOCK_LIMIT
