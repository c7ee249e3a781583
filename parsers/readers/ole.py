"""OLE compound files (MS-CFB): one stream taken out, with nothing believed that the file's own length contradicts.

`read` stands for OLE files that hold nothing known, and tells them from those cut before their directory.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from parsers.errors import UnreadableDocumentError
from parsers.model import Document

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MINI_SHIFT = 6
_MINI_CUTOFF = 4096
_HEADER_DIFAT = 109
_LAST_SECTOR = 0xFFFFFFFA
_END, _FREE, _FAT_SECTOR, _NO_ENTRY = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STREAM, _ROOT = 2, 5


def read(data: bytes) -> Document:
    """Raises UnreadableDocumentError, always: `damaged` or `unsupported`."""
    _Container(data)
    raise UnreadableDocumentError("unsupported", "the OLE file holds no Word or Excel document")


def stream(data: bytes, names: Sequence[str]) -> bytes:
    """Content of the first stream that has one of the `names`. Raises UnreadableDocumentError `damaged`."""
    return _Container(data).stream(names)


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    """The file with other bytes, as many, in the stream. Raises UnreadableDocumentError `damaged`."""
    return _Container(data).replaced(name, content)


def top_names(data: bytes) -> frozenset[str]:
    """Names of what the file holds itself, not within an embedded object. Raises UnreadableDocumentError `damaged`."""
    return _Container(data).top_names()


def container(name: str, content: bytes) -> bytes:
    """A compound file of 4096-byte sectors that holds one stream and nothing else."""
    shift = 12
    size = 1 << shift
    content += bytes(max(_MINI_CUTOFF - len(content), 0))
    sectors = -(-len(content) // size)
    # The directory takes a sector; the table of sectors lists itself too.
    tables = 1
    while tables * (size // 4) < sectors + 1 + tables:
        tables += 1
    if tables > _HEADER_DIFAT:
        raise UnreadableDocumentError("too_large", f"the stream {name} has {len(content)} bytes")
    directory = tables
    first = directory + 1
    table = [_FAT_SECTOR] * tables + [_END]
    table += [first + index + 1 for index in range(sectors - 1)] + [_END]
    table += [_FREE] * (tables * (size // 4) - len(table))
    header = _MAGIC + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 4, 0xFFFE, shift, _MINI_SHIFT)
    header += struct.pack("<IIIIIIIII", 1, tables, directory, 0, _MINI_CUTOFF, _END, 0, _END, 0)
    header += struct.pack(f"<{_HEADER_DIFAT}I", *range(tables), *([_FREE] * (_HEADER_DIFAT - tables)))
    # calamine takes a root without a sector for no root at all.
    entries = _entry("Root Entry", _ROOT, child=1, first=directory, size=0) + _entry(
        name, _STREAM, child=_NO_ENTRY, first=first, size=len(content)
    )
    padding = bytes(sectors * size - len(content))
    return b"".join(
        (
            header.ljust(size, b"\0"),
            struct.pack(f"<{len(table)}I", *table),
            entries.ljust(size, b"\0"),
            content,
            padding,
        )
    )


def _entry(name: str, kind: int, *, child: int, first: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    links = struct.pack("<BBIII", kind, 1, _NO_ENTRY, _NO_ENTRY, child)
    return (
        encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded)) + links + bytes(36) + struct.pack("<IQ", first, size)
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """`before`, `after` and `child`: the directory's own numbers of its neighbours in the tree, and what it holds."""

    name: str
    kind: int
    first: int
    size: int
    before: int
    after: int
    child: int


class _Container:
    """A compound file opened: its table of sectors and its directory."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER_BYTES:
            raise UnreadableDocumentError("damaged", f"the OLE file is cut off in its header ({len(data)} bytes)")
        self._data = data
        (self._shift,) = struct.unpack_from("<H", data, 30)
        if self._shift not in (9, 12):
            raise UnreadableDocumentError("damaged", f"the OLE file has sectors of 2^{self._shift} bytes")
        (directory,) = struct.unpack_from("<I", data, 48)
        (self._mini_first,) = struct.unpack_from("<I", data, 60)
        self._table = self._sectors_after(self._tables())
        self._entries = self._directory(directory)

    def stream(self, names: Sequence[str]) -> bytes:
        for name in names:
            for entry in self._entries:
                if entry.kind == _STREAM and entry.name == name:
                    return self._content(entry)
        raise UnreadableDocumentError("damaged", f"the OLE file has no stream {' or '.join(names)}")

    def replaced(self, name: str, content: bytes) -> bytes:
        entry = next((one for one in self._entries if one.kind == _STREAM and one.name == name), None)
        if entry is None or entry.size != len(content) or entry.size < _MINI_CUTOFF:
            raise UnreadableDocumentError("damaged", f"the stream {name} has no room for {len(content)} bytes")
        data = bytearray(self._data)
        size = 1 << self._shift
        for at, number in enumerate(self._chain(entry.first, self._table)):
            part = content[at * size : (at + 1) * size]
            start = (number + 1) * size
            data[start : start + len(part)] = part
        return bytes(data[: len(self._data)])

    def top_names(self) -> frozenset[str]:
        found: dict[int, str] = {}
        waiting = [self._entries[0].child] if self._entries else []
        while waiting:
            number = waiting.pop()
            if number < len(self._entries) and number not in found:
                entry = self._entries[number]
                found[number] = entry.name
                waiting += [entry.before, entry.after]
        return frozenset(found.values())

    def _sector(self, number: int) -> bytes:
        start = (number + 1) << self._shift
        return self._data[start : start + (1 << self._shift)]

    def _tables(self) -> list[int]:
        """The sectors that hold the table of sectors: 109 in the header, the rest in a chain."""
        numbers = list(struct.unpack_from(f"<{_HEADER_DIFAT}I", self._data, 76))
        (further,) = struct.unpack_from("<I", self._data, 68)
        most = (len(self._data) >> self._shift) + 1
        for _ in range(most):
            if further >= _LAST_SECTOR:
                break
            found = _numbers(self._sector(further))
            if not found:
                break
            numbers += found[:-1]
            further = found[-1]
        return [number for number in numbers if number < _LAST_SECTOR][:most]

    def _sectors_after(self, tables: list[int]) -> list[int]:
        table: list[int] = []
        for number in tables:
            table += _numbers(self._sector(number))
        return table

    def _chain(self, first: int, table: list[int]) -> list[int]:
        chain: list[int] = []
        number = first
        while number < len(table) and len(chain) <= len(table):
            chain.append(number)
            number = table[number]
        if len(chain) > len(table):
            raise UnreadableDocumentError("damaged", "a chain of sectors in the OLE file runs in a circle")
        return chain

    def _directory(self, first: int) -> list[_Entry]:
        listed = b"".join(map(self._sector, self._chain(first, self._table)))
        if not listed:
            raise UnreadableDocumentError(
                "damaged", f"the OLE file has no directory: cut off? ({len(self._data)} bytes)"
            )
        return [_entry_of(listed, at) for at in range(0, len(listed) - _ENTRY_BYTES + 1, _ENTRY_BYTES)]

    def _content(self, entry: _Entry) -> bytes:
        if entry.size > len(self._data):
            raise UnreadableDocumentError("damaged", f"the stream {entry.name} is longer than the file: cut off?")
        if entry.size >= _MINI_CUTOFF:
            content = b"".join(map(self._sector, self._chain(entry.first, self._table)))
        else:
            content = self._small(entry)
        if len(content) < entry.size:
            raise UnreadableDocumentError("damaged", f"the stream {entry.name} is cut off at {len(content)} bytes")
        return content[: entry.size]

    def _small(self, entry: _Entry) -> bytes:
        root = next((one for one in self._entries if one.kind == _ROOT), None)
        within = b"".join(map(self._sector, self._chain(root.first, self._table))) if root else b""
        table = self._sectors_after(self._chain(self._mini_first, self._table))
        parts = (
            within[number << _MINI_SHIFT : (number + 1) << _MINI_SHIFT] for number in self._chain(entry.first, table)
        )
        return b"".join(parts)


def _numbers(sector: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4]))


def _entry_of(listed: bytes, at: int) -> _Entry:
    (length,) = struct.unpack_from("<H", listed, at + 64)
    name = listed[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", errors="replace")
    before, after, child = struct.unpack_from("<III", listed, at + 68)
    first, size = struct.unpack_from("<II", listed, at + 116)
    return _Entry(name, listed[at + 66], first, size, before, after, child)
