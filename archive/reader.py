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
import sys
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
_INFLATED_PIECE = 8 * 1024 * 1024
_VERSION_LINE = re.compile(rb"WARC/\d+\.\d+[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r?\n", re.IGNORECASE)
_BLANK = re.compile(rb"[\r\n]*")
# So many bytes of a gzip member tell whether a record is in it.
_START = 512
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


def read_record(path: Path, offset: int, length: int, *, verify: bool = True) -> Record:
    """The record in the `length` bytes at `offset`, the digests that it declares verified unless `verify` is False.

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
    problem = digest_problem(record) if verify else None
    if problem:
        raise DamagedRecordError(f"{where}: {problem}")
    return record


def records(path: Path, *, start: int = 0, limit: int = BLOCK_LIMIT) -> Iterator[Located]:
    """Every record of a WARC file from offset `start` on, with what is wrong with it.

    A gzip member or an uncompressed record of more than `limit` bytes is a problem and is passed over.
    """
    with path.open("rb") as handle:
        handle.seek(start)
        is_gzip = handle.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        window = _Window(handle, start)
        window.restart(start)
        yield from _gzip_records(window, limit) if is_gzip else _plain_records(window, limit)


def holds_several(path: Path) -> bool:
    """The first gzip member of the file has more than one record in it: it is not compressed record by record."""
    with path.open("rb") as handle:
        window = _Window(handle, 0)
        if not window.more() or not window.data.startswith(GZIP_MAGIC):
            return False
        head, end, size = b"", 0, 0
        try:
            for piece in _inflated(window, sys.maxsize - 1):
                size += len(piece)
                if not end:
                    head += piece
                    end = _end_of_first(head)
                    if len(head) > HEADER_LIMIT and not end:
                        return False
                    piece = head
                if end and piece[max(0, end - (size - len(piece))) :].strip(b"\r\n\0"):
                    return True
        except DamagedRecordError:
            return False
    return False


def unpacked(path: Path, problems: list[tuple[int, str]], *, limit: int) -> Iterator[bytes]:
    """The contents of a gzip file's members one after the other, as far as they can be had.

    What cannot is added to `problems` with its offset. Ends, with a problem, after `limit` bytes.
    """
    with path.open("rb") as handle:
        window, size = _Window(handle, 0), 0
        while window.data or window.more():
            offset = window.offset
            try:
                for piece in _inflated(window, limit - size):
                    size += len(piece)
                    yield piece
            except DamagedRecordError as error:
                problems.append((offset, str(error)))
                if size >= limit:
                    return
                window.restart(offset + 1)
                _skip_to_member(window)


def _end_of_first(raw: bytes) -> int:
    """Where the block of the record at the start of `raw` ends, or will; 0 when that cannot be said yet."""
    end = _HEADER_END.search(raw, 0, HEADER_LIMIT)
    declared = _CONTENT_LENGTH.search(raw, 0, end.end()) if end else None
    return end.end() + int(declared[1]) if end and declared else 0


def parse_record(raw: bytes) -> tuple[Record, bytes]:
    """The record at the start of `raw` and the bytes after its block; raises DamagedRecordError."""
    record, end = _record_at(raw, 0)
    return record, raw[end:]


def _record_at(raw: bytes, start: int) -> tuple[Record, int]:
    """The record at `start` and where its block ends."""
    version_line = _VERSION_LINE.match(raw, start)
    if version_line is None:
        raise DamagedRecordError(f"expected a WARC version line, found {raw[start : start + 20]!r}")
    end = _HEADER_END.search(raw, version_line.end() - 2, start + HEADER_LIMIT)
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
    return Record(version, headers, block, index), end.end() + length


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

    def more(self, wanted: int = 0) -> bool:
        """Reads on, until `wanted` bytes are at hand if there are so many; False at the end of the file."""
        pieces, held = [self.data], len(self.data)
        while piece := self._handle.read(_PIECE):
            pieces.append(piece)
            held += len(piece)
            if held >= wanted:
                break
        self.data = b"".join(pieces)
        return len(pieces) > 1

    def skip(self, count: int) -> None:
        self.data = self.data[count:]
        self.offset += count

    def restart(self, offset: int) -> None:
        """Goes to another place of the file."""
        self._handle.seek(offset)
        self.data, self.offset = b"", offset


def _gzip_records(window: _Window, limit: int) -> Iterator[Located]:
    while window.data or window.more():
        if len(window.data) < len(GZIP_MAGIC) and window.more():
            continue
        if not window.data.startswith(GZIP_MAGIC):
            yield _gap(window)
            continue
        yield from _one_member(window, limit)


def _one_member(window: _Window, limit: int) -> Iterator[Located]:
    """The record or records in the gzip member at the window's start; leaves the window after it."""
    offset = window.offset
    pieces: list[bytes] = []
    problem = None
    try:
        pieces.extend(_inflated(window, limit))
    except DamagedRecordError as error:
        problem = str(error)
    if problem is None:
        yield from _records_of_member(b"".join(pieces), offset, window.offset - offset)
        return
    pieces.clear()
    window.restart(offset + 1)
    _skip_to_member(window)
    yield Located(offset, window.offset - offset, None, problem)


def _inflated(window: _Window, limit: int) -> Iterator[bytes]:
    """The contents of the gzip member at the window's start, piece by piece; leaves the window after it.

    Raises DamagedRecordError where it is cut short, damaged, or longer than `limit` bytes.
    """
    stream, size, stored = zlib.decompressobj(31), 0, window.data
    while True:
        wanted = min(_INFLATED_PIECE, limit - size + 1)
        try:
            piece = stream.decompress(stored, wanted)
        except zlib.error as error:
            raise DamagedRecordError(f"damaged gzip member: {error}") from error
        size += len(piece)
        if size > limit:
            raise DamagedRecordError(f"more than {limit} bytes in one gzip member")
        if piece:
            yield piece
        if stream.eof:
            window.skip(len(window.data) - len(stream.unused_data))
            return
        if len(piece) == wanted:
            stored = stream.unconsumed_tail
            continue
        window.skip(len(window.data))
        if not window.more():
            raise DamagedRecordError("the gzip member is cut short")
        stored = window.data


def _records_of_member(raw: bytes, offset: int, length: int) -> Iterator[Located]:
    start, is_first = _after_blank(raw, 0), True
    while start < len(raw):
        try:
            record, end = _record_at(raw, start)
        except DamagedRecordError as error:
            yield Located(offset, length, None, str(error), is_addressable=is_first)
            return
        following = _after_blank(raw, end)
        is_alone = is_first and following == len(raw)
        where = (offset, length) if is_alone else (start, following - start)
        yield Located(*where, record, digest_problem(record), is_addressable=is_alone)
        start, is_first = following, False


def _after_blank(raw: bytes, start: int) -> int:
    """Where the line breaks (and, at the very end, zeros) from `start` on end."""
    blank = _BLANK.match(raw, start)
    end = blank.end() if blank else start
    return len(raw) if end < len(raw) and raw[end] == 0 and not raw[end:].strip(b"\r\n\0") else end


def _gap(window: _Window) -> Located:
    """Bytes that are no gzip member, up to the next one."""
    offset, is_zero = window.offset, not window.data[:_START].strip(b"\0")
    _skip_to_member(window)
    length = window.offset - offset
    return Located(offset, length, None, f"{length} {'zero bytes' if is_zero else 'bytes that are no gzip member'}")


def _skip_to_member(window: _Window) -> None:
    """Leaves the window at the next whole gzip header whose contents begin a WARC record; at the file's end when there
    is none.
    """
    while True:
        found = window.data.find(GZIP_MAGIC)
        if found < 0:
            window.skip(max(0, len(window.data) - len(GZIP_MAGIC) + 1))
            if not window.more():
                window.skip(len(window.data))
                return
            continue
        window.skip(found)
        if len(window.data) < _START:
            window.more(_START)
        if _starts_record(window.data[:_START]):
            return
        window.skip(1)


def _starts_record(stored: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(stored, 5) == b"WARC/"
    except zlib.error:
        return False


def _plain_records(window: _Window, limit: int) -> Iterator[Located]:
    while window.data or window.more():
        blank = len(window.data) - len(window.data.lstrip(b"\r\n"))
        if blank:
            window.skip(blank)
            continue
        yield _one_plain(window, limit)


def _one_plain(window: _Window, limit: int) -> Located:
    offset = window.offset
    while True:
        try:
            record, end = _record_at(window.data, 0)
        except DamagedRecordError as error:
            wanted = _wanted(window.data, limit)
            if wanted and window.more(wanted):
                continue
            _skip_to_version(window)
            return Located(offset, window.offset - offset, None, str(error))
        if len(window.data) < end + 4:
            window.more(end + 4)
        rest = window.data[end : end + 4]
        length = end + len(rest) - len(rest.lstrip(b"\r\n"))
        window.skip(length)
        return Located(offset, length, record, digest_problem(record))


def _wanted(data: bytes, limit: int) -> int:
    """How many bytes could make a whole record of what stands at the start of `data`; 0 when none could."""
    if b"\n" not in data[:64]:
        return 64 if len(data) < 64 else 0
    if _VERSION_LINE.match(data) is None:
        return 0
    end = _HEADER_END.search(data, 0, HEADER_LIMIT)
    if end is None:
        return len(data) + _PIECE if len(data) < HEADER_LIMIT else 0
    declared = _CONTENT_LENGTH.search(data, 0, end.end())
    whole = end.end() + int(declared[1]) if declared else 0
    return whole if len(data) < whole <= limit else 0


def _skip_to_version(window: _Window) -> None:
    """Leaves the window at the next version line; at the file's end when there is none."""
    window.skip(1)
    while True:
        found = _VERSION_LINE.search(window.data)
        if found is not None:
            window.skip(found.start())
            return
        # The start of a version line may stand at the end of what is at hand.
        window.skip(max(0, len(window.data) - 16))
        if not window.more():
            window.skip(len(window.data))
            return
