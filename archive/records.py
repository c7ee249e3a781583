"""WARC/1.1 records as bytes. Blocks are taken as they are: nothing here parses or re-writes HTTP.

ISO 28500:2017; WARC-Protocol and WARC-Cipher-Suite as proposed in iipc/warc-specifications (#42, #86).
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from hashlib import sha256

from isal import igzip_lib, isal_zlib

URN = "urn:gongkai:"
PROFILE_IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
PROFILE_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
RESPONSE_TYPE = "application/http;msgtype=response"
REQUEST_TYPE = "application/http;msgtype=request"
JSON_TYPE = "application/json"
BYTES_TYPE = "application/octet-stream"
GZIP_LEVEL = 1
# Deflate, no name, no time, unknown system (RFC 1952); stored blocks hold at most 65,535 bytes (RFC 1951, 3.2.4).
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_MOST_STORED = 0xFFFF

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class WarcRecord:
    """A record to be written. `headers` come beside type, id, date, target, content type, length and block digest.

    `is_dense` says that the block is compressed already: doing so again takes long and gains nothing.
    """

    type: str
    record_id: str
    date: str
    target_uri: str | None
    content_type: str
    block: bytes
    headers: tuple[tuple[str, str], ...] = ()
    is_dense: bool = False


def new_record_id() -> str:
    """A random (version 4) UUID as WARC writes it."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"<urn:uuid:{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}>"


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def serialised(record: WarcRecord) -> bytes:
    """The record as it stands in an uncompressed WARC file."""
    lines = [
        "WARC/1.1",
        f"WARC-Type: {record.type}",
        f"WARC-Record-ID: {record.record_id}",
        f"WARC-Date: {record.date}",
    ]
    if record.target_uri is not None:
        lines.append(f"WARC-Target-URI: {header_safe(record.target_uri)}")
    lines.extend(f"{name}: {header_safe(value)}" for name, value in record.headers)
    lines.append(f"WARC-Block-Digest: {digest(record.block)}")
    lines.append(f"Content-Type: {record.content_type}")
    lines.append(f"Content-Length: {len(record.block)}")
    return b"".join(("\r\n".join(lines).encode(), b"\r\n\r\n", record.block, b"\r\n\r\n"))


def member(record: WarcRecord) -> bytes:
    """The record as one gzip member; that of a dense one stores it as it is."""
    data = serialised(record)
    return _stored(data) if record.is_dense else igzip_lib.compress(data, GZIP_LEVEL, igzip_lib.COMP_GZIP)


def _stored(data: bytes) -> bytes:
    """A gzip member whose deflate blocks hold the bytes themselves."""
    pieces: list[bytes | memoryview] = [_GZIP_HEAD]
    view = memoryview(data)
    while view:
        piece, view = view[:_MOST_STORED], view[_MOST_STORED:]
        pieces += [struct.pack("<BHH", not view, len(piece), len(piece) ^ 0xFFFF), piece]
    pieces.append(struct.pack("<II", isal_zlib.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(pieces)


def json_block(value: dict[str, object]) -> bytes:
    return _ENCODER.encode(value).encode("utf-8", "backslashreplace")


def warc_fields(fields: dict[str, str]) -> bytes:
    """An application/warc-fields block."""
    return "".join(f"{name}: {header_safe(value)}\r\n" for name, value in fields.items()).encode()


def header_safe(value: str) -> str:
    """`value` without line breaks and other control characters, which are percent-encoded, as are lone surrogates."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(
        character
        if character.isprintable() and not 0xD800 <= ord(character) < 0xE000
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in value
    )
