"""Stata's file format 118 (Stata 14 and later), written as it is documented and row by row.

Layout: `help dta` of Stata. Names ≤ 32 characters, labels ≤ 80; texts longer than `LONGEST_FIXED` bytes are strL, whose
contents stand after the rows; numbers in the smallest type that holds all of a column; categories as codes with value
labels.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from archive.exports.tables import Column, ExportTable, Row

NAME_LIMIT, LABEL_LIMIT = 32, 80
# Longer ones become strL: a row is as wide as the longest text of each column.
LONGEST_FIXED = 244
_STRL, _DOUBLE, _LONG, _INT, _BYTE = 32768, 65526, 65528, 65529, 65530
_MISSING = {_BYTE: 101, _INT: 32741, _LONG: 2147483621}
# Type code, least and most value, struct code, display format.
_WHOLE = (
    (_BYTE, -127, 100, "b", "%8.0g"),
    (_INT, -32767, 32740, "h", "%8.0g"),
    (_LONG, -2147483647, 2147483620, "i", "%12.0g"),
)
_MISSING_DOUBLE = b"\x00\x00\x00\x00\x00\x00\xe0\x7f"
# The largest whole number that a double holds exactly.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class _Variable:
    """A column as Stata has it. `pack` makes its bytes of a value, given the row's number for strL."""

    name: str
    type: int
    format: str
    label: str
    value_label: str
    categories: tuple[str, ...]
    pack: Callable[[Any, int], bytes]


def write(table: ExportTable, batches: Iterable[list[Row]], path: Path, *, stamp: str = "") -> None:
    """`stamp` is Stata's timestamp, `dd Mon yyyy hh:mm`; the same input and stamp give the same bytes."""
    with path.open("wb") as out, tempfile.TemporaryFile(dir=path.parent) as long_texts:
        variables = [_variable(place, column, long_texts) for place, column in enumerate(table.columns, 1)]
        _Writer(out, table, variables, stamp).write(batches, long_texts)


class _Writer:
    """One file; `map` collects where its sections begin."""

    def __init__(self, out: IO[bytes], table: ExportTable, variables: list[_Variable], stamp: str) -> None:
        self._out = out
        self._table = table
        self._variables = variables
        self._stamp = stamp
        self._map: list[int] = [0]

    def write(self, batches: Iterable[list[Row]], long_texts: IO[bytes]) -> None:
        variables = self._variables
        self._out.write(b"<stata_dta>" + self._header())
        map_at = self._begin("map")
        self._out.write(bytes(8 * 14) + b"</map>")
        self._section("variable_types", (struct.pack("<H", v.type) for v in variables))
        self._section("varnames", (_fixed(v.name, 129) for v in variables))
        self._section("sortlist", [bytes(2 * (len(variables) + 1))])
        self._section("formats", (_fixed(v.format, 57) for v in variables))
        self._section("value_label_names", (_fixed(v.value_label, 129) for v in variables))
        self._section("variable_labels", (_fixed(v.label, 321) for v in variables))
        self._section("characteristics", [])
        self._section("data", self._rows(batches))
        long_texts.seek(0)
        self._section("strls", iter(lambda: long_texts.read(1 << 20), b""))
        labelled = [v for v in variables if v.value_label]
        self._section("value_labels", (_value_label(v) for v in labelled))
        self._map.append(self._out.tell())
        self._out.write(b"</stata_dta>")
        self._map.append(self._out.tell())
        self._out.seek(map_at)
        self._out.write(struct.pack("<14Q", *self._map))

    def _header(self) -> bytes:
        label = _cut(f"{self._table.title_zh} {self._table.title}", LABEL_LIMIT).encode()
        stamp = self._stamp.encode()
        return (
            b"<header><release>118</release><byteorder>LSF</byteorder>"
            + b"<K>" + struct.pack("<H", len(self._variables)) + b"</K>"
            + b"<N>" + struct.pack("<Q", self._table.rows) + b"</N>"
            + b"<label>" + struct.pack("<H", len(label)) + label + b"</label>"
            + b"<timestamp>" + bytes([len(stamp)]) + stamp + b"</timestamp></header>"
        )  # fmt: skip

    def _begin(self, name: str) -> int:
        self._map.append(self._out.tell())
        self._out.write(f"<{name}>".encode())
        return self._out.tell()

    def _section(self, name: str, pieces: Iterable[bytes]) -> None:
        self._begin(name)
        for piece in pieces:
            self._out.write(piece)
        self._out.write(f"</{name}>".encode())

    def _rows(self, batches: Iterable[list[Row]]) -> Iterator[bytes]:
        packs = [variable.pack for variable in self._variables]
        number = 0
        for batch in batches:
            packed = bytearray()
            for row in batch:
                number += 1
                for pack, value in zip(packs, row, strict=True):
                    packed += pack(value, number)
            yield bytes(packed)
        if number != self._table.rows:
            raise ValueError(f"{self._table.name}: expected {self._table.rows} rows, found {number}")


def _variable(place: int, column: Column, long_texts: IO[bytes]) -> _Variable:
    label = _cut(f"{column.zh} {column.en}" + (f" ({column.unit})" if column.unit else ""), LABEL_LIMIT)
    name = column.name[:NAME_LIMIT]
    if column.categories:
        codes = {value: code for code, value in enumerate(column.categories, 1)}
        pack = _whole(_BYTE, "b", codes.__getitem__)
        return _Variable(name, _BYTE, "%16.0g", label, _cut(column.name, NAME_LIMIT), column.categories, pack)
    if column.kind != "text":
        return _numeric(name, column, label)
    if column.longest > LONGEST_FIXED:
        return _Variable(name, _STRL, "%9s", label, "", (), _long_text(place, long_texts))
    width = max(1, column.longest)
    return _Variable(name, width, f"%{min(width, 40)}s", label, "", (), _short_text(width))


def _numeric(name: str, column: Column, label: str) -> _Variable:
    least, most = column.least or 0, column.most or 0
    if column.kind == "integer":
        for code, lowest, highest, packed, shown in _WHOLE:
            if lowest <= least and most <= highest:
                return _Variable(name, code, shown, label, "", (), _whole(code, packed, int))
        if max(abs(least), abs(most)) > _EXACT:
            width = max(1, column.longest)
            return _Variable(name, width, f"%{width}s", label, "", (), _short_text(width))
    return _Variable(name, _DOUBLE, "%14.0g", label, "", (), _double)


def _whole(code: int, packed: str, number: Callable[[Any], int]) -> Callable[[Any, int], bytes]:
    pack = struct.Struct(f"<{packed}").pack
    missing = pack(_MISSING[code])
    return lambda value, _: missing if value is None else pack(number(value))


def _double(value: Any, _: int) -> bytes:
    return _MISSING_DOUBLE if value is None else struct.pack("<d", value)


def _short_text(width: int) -> Callable[[Any, int], bytes]:
    return lambda value, _: ("" if value is None else str(value)).encode("utf-8", "replace").ljust(width, b"\0")[:width]


def _long_text(place: int, long_texts: IO[bytes]) -> Callable[[Any, int], bytes]:
    """What stands in the row is the place of the text: variable (2 bytes) and row (6 bytes)."""

    def pack(value: Any, row: int) -> bytes:
        text = ("" if value is None else str(value)).encode("utf-8", "replace").replace(b"\0", b" ")
        if not text:
            return bytes(8)
        long_texts.write(b"GSO" + struct.pack("<IQBI", place, row, 130, len(text) + 1) + text + b"\0")
        return struct.pack("<H", place) + struct.pack("<Q", row)[:6]

    return pack


def _value_label(variable: _Variable) -> bytes:
    texts = [value.encode() + b"\0" for value in variable.categories]
    offsets = [sum(map(len, texts[:place])) for place in range(len(texts))]
    codes = range(1, len(texts) + 1)
    count = len(texts)
    table = struct.pack("<II", count, sum(map(len, texts)))
    table += struct.pack(f"<{count}i", *offsets) + struct.pack(f"<{count}i", *codes) + b"".join(texts)
    return b"<lbl>" + struct.pack("<I", len(table)) + _fixed(variable.value_label, 129) + bytes(3) + table + b"</lbl>"


def _fixed(text: str, length: int) -> bytes:
    return text.encode()[: length - 1].ljust(length, b"\0")


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
