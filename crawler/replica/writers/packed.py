"""Reports in archives: .zip as Chinese Windows writes it (names in GBK, not declared), .rar with stored members.

And in mails, as mail programs of China write them, with the names of what is attached in GBK.
"""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UTF8_NAME = 0x800
_RAR_MAIN, _RAR_FILE, _RAR_END = 1, 2, 5
_RAR_HAS_DATA, _RAR_HAS_CRC = 0x2, 0x4
_BOUNDARY = "----=_001_NextPart"
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


def write_mail(members: Sequence[tuple[str, bytes]], *, body: str = "见附件。") -> bytes:
    """A mail that says `body` as plain text and as a page, with the members attached."""
    said = _part("text/plain", body.encode("gb18030")) + _part("text/html", f"<p>{body}</p>".encode("gb18030"))
    ways = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}.1"\r\n\r\n'.encode()
    ways += said.replace(_BOUNDARY.encode(), f"{_BOUNDARY}.1".encode()) + f"--{_BOUNDARY}.1--\r\n".encode()
    attached = b"".join(_part("application/octet-stream", data, name) for name, data in members)
    head = (
        "Date: Wed, 18 Jan 2023 09:00:00 +0800\r\nFrom: office@example.cn\r\nTo: desk@example.cn\r\n"
        f"Subject: {_encoded('年度报告')}\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"\r\n\r\nThis is a multi-part message in MIME format.\r\n'
    )
    return b"".join((head.encode(), f"--{_BOUNDARY}\r\n".encode(), ways, attached, f"--{_BOUNDARY}--\r\n".encode()))


def _part(kind: str, data: bytes, name: str = "") -> bytes:
    named = f'Content-Disposition: attachment; filename="{_encoded(name)}"\r\n' if name else ""
    head = f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\n{named}Content-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


def _encoded(text: str) -> str:
    return f"=?gb2312?B?{base64.b64encode(text.encode('gb18030')).decode()}?="
