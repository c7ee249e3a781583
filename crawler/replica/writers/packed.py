"""Reports in archives: .zip as Chinese Windows writes it (names in GBK, not declared), .rar with stored members."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UTF8_NAME = 0x800
_RAR_MAIN, _RAR_FILE, _RAR_END = 1, 2, 5
_RAR_HAS_DATA, _RAR_HAS_CRC = 0x2, 0x4
_UNIX, _REGULAR_FILE = 1, 0o100644


def write_zip(members: Sequence[tuple[str, bytes]], *, encoding: str = "gb18030") -> bytes:
    """A zip with names in `encoding`; only UTF-8 is declared, as tools do."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(_Entry(name, encoding), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class _Entry(zipfile.ZipInfo):
    """A member whose name goes out in an encoding of our choice; zipfile itself knows ASCII and UTF-8."""

    def __init__(self, name: str, encoding: str) -> None:
        super().__init__(name, _EPOCH)
        self._name = name.encode(encoding)
        self._flag = _UTF8_NAME if encoding == "utf-8" else 0

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  zipfile's own hook
        return self._name, self._flag


def write_rar(members: Sequence[tuple[str, bytes]]) -> bytes:
    """A RAR 5 archive that stores its members uncompressed, which is all of the format that is free to write."""
    body = _rar_block(_RAR_MAIN, 0, _varint(0))
    for name, data in members:
        encoded = name.encode()
        fields = (
            _varint(_RAR_HAS_CRC) + _varint(len(data)) + _varint(_REGULAR_FILE) + struct.pack("<I", zlib.crc32(data))
        )
        fields += _varint(0) + _varint(_UNIX) + _varint(len(encoded)) + encoded
        body += _rar_block(_RAR_FILE, _RAR_HAS_DATA, fields, data)
    return b"Rar!\x1a\x07\x01\x00" + body + _rar_block(_RAR_END, 0, _varint(0))


def _rar_block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
    sizes = _varint(len(data)) if flags & _RAR_HAS_DATA else b""
    header = _varint(kind) + _varint(flags) + sizes + fields
    header = _varint(len(header)) + header
    return struct.pack("<I", zlib.crc32(header)) + header + data


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
