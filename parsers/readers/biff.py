"""The records of an .xls (MS-XLS), looked through before calamine reads them.

calamine makes room for as many cells and strings as a record announces; a wrong number there ends the process, which
nobody can catch. Here the numbers are held against what the format allows and the file holds.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Mapping

from parsers.errors import UnreadableDocumentError
from parsers.readers import biff_strings, ole, sheet_formats, sheet_marks
from parsers.readers.sheet_marks import Marks

_STREAMS = ("Workbook", "Book")
_MAX_ROW, _MAX_COLUMN = 65536, 256
# Records that put something into a cell begin with its row and column; MULRK goes on over the columns to the right.
_CELLS = frozenset((0x0006, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E, 0x0207, 0x0406, 0x0206))
_MANY_CELLS = frozenset((0x00BD, 0x00BE))
_MANY_HEAD, _MANY_EACH = 6, 6
_BOF = (0x0809, 0x0409, 0x0209, 0x0009)
_EOF = 0x000A
_STYLE, _FORMAT, _VIEW = 0x00E0, 0x041E, 0x023E
_STYLE_LENGTH = 20
_FONT, _CONTINUED, _SHARED = 0x0031, 0x003C, 0x00FD
_NUMBERS = frozenset((0x0203, 0x027E, 0x0006, 0x00BD))
_SHOWS_ZEROS = 0x10
_SHEET, _STRINGS, _DIMENSIONS, _PASSWORD = 0x0085, 0x00FC, 0x0200, 0x002F
_MARKING: dict[int, Callable[[bytes, Marks], None]] = {
    0x0208: sheet_marks.take_row,
    0x007D: sheet_marks.take_columns,
    0x0006: sheet_marks.take_formula,
    0x0206: sheet_marks.take_formula,
    0x0406: sheet_marks.take_formula,
    0x0205: sheet_marks.take_error,
}


def checked(data: bytes, *, most_rows: int) -> tuple[bytes, list[Marks]]:
    """The workbook alone, in an OLE file that holds nothing else (no macros, no objects), and each sheet's marks.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `too_large`, `too_complex` (more rows than `most_rows`).
    """
    content = ole.stream(data, _STREAMS)
    begins: set[int] = set()
    sheets: list[int] = []
    marks: defaultdict[int, Marks] = defaultdict(Marks)
    fonts: list[biff_strings.Font] = []
    pieces: list[bytes] = []
    marked: dict[int, str] | None = None
    before = 0
    codes, styles = dict(sheet_formats.BUILT_IN), list[str]()
    # Where the sheet, and the chart in it, begins that a record stands in.
    within: list[int] = []
    at = 0
    while at + 4 <= len(content):
        kind, length = struct.unpack_from("<HH", content, at)
        body = content[at + 4 : at + 4 + length]
        if kind in _BOF:
            begins.add(at)
            within.append(at)
        elif kind == _EOF:
            del within[-1:]
        elif kind in _CELLS:
            _check_cell(body, 1, most_rows)
        elif kind in _MANY_CELLS:
            _check_cell(body, (length - _MANY_HEAD) // _MANY_EACH, most_rows)
        elif kind == _PASSWORD:
            raise UnreadableDocumentError("encrypted", "the workbook needs its password")
        elif kind == _SHEET and length >= 4:
            sheets.append(struct.unpack_from("<I", body.ljust(4, b"\0"))[0])
        elif kind == _STRINGS:
            _check_strings(body, len(content))
            pieces = [body[8:]]
        elif kind == _CONTINUED and before in (_STRINGS, _CONTINUED) and marked is None:
            pieces.append(body)
        elif kind == _FONT:
            fonts.append(biff_strings.font(body))
        elif kind == _DIMENSIONS:
            _check_dimensions(body)
        elif kind == _FORMAT:
            number, code = _format(body)
            codes[number] = code
        elif kind == _STYLE:
            styles.append(_style(body, fonts, codes))
        elif kind == _VIEW and within:
            marks[within[-1]].shows_zeros = bool(body[:1] and body[0] & _SHOWS_ZEROS)
        if kind in _NUMBERS and within:
            columns = (length - _MANY_HEAD) // _MANY_EACH if kind in _MANY_CELLS else 1
            _take_formats(body, columns, styles, marks[within[-1]])
        if kind == _SHARED and within:
            marked = biff_strings.marked(pieces, fonts) if marked is None else marked
            row, column, number = struct.unpack_from("<HH2xI", body.ljust(10, b"\0"))
            if number in marked:
                marks[within[-1]].texts[row, column] = marked[number]
        if kind in _MARKING and within:
            _MARKING[kind](body, marks[within[-1]])
        before = kind
        at += 4 + length
    lost = [place for place in sheets if place not in begins]
    if lost or not sheets:
        raise UnreadableDocumentError("damaged", f"{len(lost)} of {len(sheets)} sheets are not where the workbook says")
    return ole.container(_STREAMS[0], content), [marks[place] for place in sheets]


def _format(body: bytes) -> tuple[int, str]:
    """A number format and the number it is called by; in two bytes a character or one, in one before Excel 97."""
    number, length, is_wide = struct.unpack_from("<HHB", body.ljust(5, b"\0"))
    if is_wide in (0, 1):
        return number, body[5 : 5 + length * (1 + is_wide)].decode("utf-16-le" if is_wide else "latin-1", "replace")
    return number, body[3 : 3 + body[2]].decode("gb18030", "replace")


def _style(body: bytes, fonts: list[biff_strings.Font], codes: Mapping[int, str]) -> str:
    """The number format of a style; one that shows nothing for white ink without a ground, and for what is struck out.

    A ground is six bits behind the borders' lines, since Excel 97.
    """
    font, code, borders = struct.unpack_from("<HH10xI", body.ljust(18, b"\0"))
    look = biff_strings.by_number(fonts, font)
    is_unseen = look.struck or (look.white and len(body) >= _STYLE_LENGTH and not borders >> 26)
    return sheet_formats.HIDING if is_unseen else codes.get(code, "")


def _take_formats(body: bytes, columns: int, styles: list[str], marks: Marks) -> None:
    """The formats of the numbers of a record, one in each column."""
    row, column = struct.unpack_from("<HH", body.ljust(4, b"\0"))
    for number in range(columns):
        at = 4 + number * _MANY_EACH
        style = int.from_bytes(body[at : at + 2], "little")
        code = styles[style] if style < len(styles) else ""
        if not sheet_formats.is_as_it_is(code):
            marks.formats[row, column + number] = code


def _check_cell(body: bytes, columns: int, most_rows: int) -> None:
    row, column = struct.unpack_from("<HH", body.ljust(4, b"\0"))
    if column + columns > _MAX_COLUMN:
        raise UnreadableDocumentError("damaged", f"the workbook has a cell in column {column + columns}")
    if row >= most_rows:
        raise UnreadableDocumentError(
            "too_complex", f"the workbook has a cell in row {row + 1}; at most {most_rows} are read"
        )


def _check_strings(body: bytes, most: int) -> None:
    total, different = struct.unpack_from("<II", body.ljust(8, b"\0"))
    # A string takes three bytes at the least.
    if different * 3 > most or total > 1 << 28:
        raise UnreadableDocumentError("damaged", f"the workbook announces {different} strings in {most} bytes")


def _check_dimensions(body: bytes) -> None:
    """Rows are four bytes wide since Excel 97, two before."""
    form, length = ("<IIHH", 12) if len(body) >= 14 else ("<HHHH", 8)
    first_row, past_row, first_column, past_column = struct.unpack_from(form, body.ljust(length, b"\0"))
    if not (first_row <= past_row <= _MAX_ROW and first_column <= past_column <= _MAX_COLUMN):
        size = f"rows {first_row} to {past_row}, columns {first_column} to {past_column}"
        raise UnreadableDocumentError("damaged", f"a sheet announces {size}")
