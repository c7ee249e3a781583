"""Which font pdfium takes where a PDF names one and does not hold it.

The machine's own would do, but then where a character stands depends on what is installed, and pdfium opens the file
anew for every document: Chinese fonts have tens of megabytes. Reading needs no outlines. It is given one font of two
glyphs, a narrow box and a wide one; widths come from the document as always, and the standard fonts are pdfium's own.
Drawing needs outlines: see `of_the_machine`.

pdfium has one source of fonts for the whole process, and a document keeps those it was given.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pypdfium2.raw as raw

# Thousandths of the size. The boxes lie within what Chinese fonts call ascent, descent and width.
_EM, _ASCENT, _DESCENT, _ADVANCE = 1000, 860, -140, 500
_NARROW, _WIDE = (0, -80, 200, 700), (0, -80, 900, 700)
_GLYPHS = 0xFFFF
_FIRST_WIDE, _LAST = 0x2E80, 0x10FFFF
_NAME = b"Boxes\0"
_ANSI = 0
# pdfium has these itself, but asks for them first.
_STANDARD = frozenset(
    f"{family}{style}".encode()
    for family, styles in (
        ("Courier", ("", "-Bold", "-BoldOblique", "-Oblique")),
        ("Helvetica", ("", "-Bold", "-BoldOblique", "-Oblique")),
        ("Times", ("-Roman", "-Bold", "-BoldItalic", "-Italic")),
    )
    for style in styles
)


@contextmanager
def of_the_machine() -> Iterator[None]:
    """For drawing: documents opened within have the machine's fonts, and are closed within.

    Callers are alone with pdfium, as for everything that calls it.
    """
    # pdfium then asks anew what fonts there are.
    raw.FPDF_SetSystemFontInfo(_machine())
    try:
        yield
    finally:
        raw.FPDF_SetSystemFontInfo(_BOXES)


@cache
def _machine() -> Any:
    """pdfium's own source of fonts, kept for good: it remembers the fonts it has looked into."""
    source = raw.FPDF_GetDefaultSystemFontInfo()
    source.contents.Release = _callback("Release")
    return source


def _callback(name: str, function: Any = None) -> Any:
    kind = dict(raw.FPDF_SYSFONTINFO._fields_)[name]
    return kind(function) if function else kind()


def _font() -> bytes:
    """A TrueType font whose every glyph is the narrow box, but the last, which is the wide one.

    Documents may ask for any glyph by its number. Two outlines serve all in turn: one that ends before it begins is
    read, by FreeType, up to the end of the table.
    """
    narrow, wide = _glyph(*_NARROW), _glyph(*_WIDE)
    size = len(narrow)
    places = [*(0, size) * (_GLYPHS // 2), 2 * size, 3 * size]
    tables = {
        b"cmap": struct.pack(
            ">HHHHIHHIII6I",
            *(0, 1, 3, 10, 12),
            *(13, 0, 40, 0, 2),
            *(0, _FIRST_WIDE - 1, 1, _FIRST_WIDE, _LAST, _GLYPHS - 1),
        ),
        b"glyf": narrow * 2 + wide,
        b"head": struct.pack(
            ">4I2H2Q4h2H3h",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _EM, 0, 0),
            *(0, _DESCENT, _EM, _ASCENT, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, *(0,) * 11, 1),
        b"hmtx": struct.pack(">Hh", _ADVANCE, 0),
        b"loca": struct.pack(f">{len(places)}H", *(place // 2 for place in places)),
        b"maxp": struct.pack(">I14H", 0x10000, _GLYPHS, 4, 1, 0, 0, 2, *(0,) * 8),
    }
    directory, body = struct.pack(">I4H", 0x10000, len(tables), 64, 2, 48), b""
    for tag, table in tables.items():
        at = 12 + 16 * len(tables) + len(body)
        directory += struct.pack(">4s3I", tag, 0, at, len(table))
        body += table + bytes(-len(table) % 4)
    return directory + body


def _glyph(left: int, bottom: int, right: int, top: int) -> bytes:
    width, height = right - left, top - bottom
    outline = struct.pack(">2H4B8h", 3, 0, 1, 1, 1, 1, left, 0, width, 0, bottom, height, 0, -height)
    return struct.pack(">5h", 1, left, bottom, right, top) + outline + bytes(2)


_DATA = _font()


def _enumerate(_source: Any, _mapper: Any) -> None:
    return None


def _map(_source: Any, _weight: int, _italic: int, charset: int, _pitch: int, name: Any, _exact: Any) -> int | None:
    return None if charset == _ANSI and ctypes.string_at(name) in _STANDARD else 1


def _get(_source: Any, _name: Any) -> None:
    return None


def _copied(value: bytes, buffer: Any, size: int) -> int:
    if buffer and size >= len(value):
        ctypes.memmove(buffer, value, len(value))
    return len(value)


def _data(_source: Any, _handle: int, table: int, buffer: Any, size: int) -> int:
    return 0 if table else _copied(_DATA, buffer, size)


def _name(_source: Any, _handle: int, buffer: Any, size: int) -> int:
    return _copied(_NAME, buffer, size)


def _charset(_source: Any, _handle: int) -> int:
    return _ANSI


def _delete(_source: Any, _handle: int) -> None:
    return None


_BOXES = raw.FPDF_SYSFONTINFO(
    version=1,
    EnumFonts=_callback("EnumFonts", _enumerate),
    MapFont=_callback("MapFont", _map),
    GetFont=_callback("GetFont", _get),
    GetFontData=_callback("GetFontData", _data),
    GetFaceName=_callback("GetFaceName", _name),
    GetFontCharset=_callback("GetFontCharset", _charset),
    DeleteFont=_callback("DeleteFont", _delete),
)
raw.FPDF_SetSystemFontInfo(_BOXES)
