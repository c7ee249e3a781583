"""What calamine does not say of a workbook: what is hidden, and cells that it calls empty and that are not.

A formula that no program has worked out, and one that ends in an error, have no value; the sheet shows something all
the same. Parts of a text that are struck out or raised are told from the rest.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from parsers.readers import sheet_formats
from parsers.readers.ooxml import Package
from parsers.readers.white import is_white

# What makes a look at a sheet's cells worth while: few sheets have any of it.
_TELLING = re.compile(rb"""\shidden\s*=|\sshowZeros\s*=|[<:]f[\s/>]|\st\s*=\s*["']e["']|strike|superscript""")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_TRUE = ("1", "true")
_LONGEST_FORMULA = 60
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!"}
_OTHER_ERROR = "#N/A"
_NO_RESULT = "="
# A result that is no number: what kind it is, and the error.
_SPECIAL = b"\xff\xff"
_ERROR_RESULT, _EMPTY_RESULT = 2, 3
_ROW_HIDDEN, _COLUMN_HIDDEN = 0x20, 0x01


@dataclass(slots=True)
class Marks:
    """Of one sheet, rows and columns from 0. `texts`: what cells show in place of the value calamine gives them.

    `formats`: the number formats of cells whose numbers they may change.
    """

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    shows_zeros: bool = True


# ------------------------------------------------------------ .xlsx


def of_package(package: Package) -> list[Marks]:
    """The marks of each sheet, in the workbook's order. Raises UnreadableDocumentError as the package does."""
    strings, formats = _marked_strings(package), _formats(package)
    return [_of_sheet(package, name, strings, formats) for name in _sheets(package)]


def _sheets(package: Package) -> Iterator[str]:
    """Names of the sheets' parts; "" for one that is not there."""
    workbook = package.related("officeDocument")
    tree = package.tree(workbook) if workbook else None
    if tree is None:
        return
    parts = package.related_by_id(of=workbook)
    for sheet in tree.iterfind("{*}sheets/{*}sheet"):
        yield parts.get(sheet.get(_RELATION) or sheet.get(_STRICT_RELATION) or "", "")


def _of_sheet(package: Package, name: str, strings: Mapping[int, str], formats: Mapping[str, str]) -> Marks:
    marks = Marks()
    part = package.part(name) if name else None
    if part is None or not (strings or formats or _TELLING.search(part)):
        return marks
    tree = package.tree(name)
    if tree is None:
        return marks
    views = tree.iterfind("{*}sheetViews/{*}sheetView")
    marks.shows_zeros = all(view.get("showZeros", "1") in _TRUE for view in views)
    for column in tree.iterfind("{*}cols/{*}col"):
        if column.get("hidden") in _TRUE:
            first, last = whole(column.get("min")), whole(column.get("max"))
            marks.hidden_columns.update(range(max(0, first - 1), min(last, 1 << 14)))
    at = -1
    for row in tree.iterfind("{*}sheetData/{*}row"):
        at = whole(row.get("r"), at + 2) - 1
        if row.get("hidden") in _TRUE:
            marks.hidden_rows.add(at)
        column_at = -1
        for cell in row.iterfind("{*}c"):
            column_at = _column(cell.get("r") or "", column_at + 1)
            if code := formats.get(cell.get("s") or ""):
                marks.formats[at, column_at] = code
            text = _shown(cell, strings)
            if text is not None:
                marks.texts[at, column_at] = text
    return marks


def _shown(cell: etree._Element, strings: Mapping[int, str]) -> str | None:
    """What a cell shows, None where calamine says it."""
    kind, value = cell.get("t"), cell.findtext("{*}v") or ""
    if kind == "e":
        return value or _OTHER_ERROR
    if kind == "s":
        return strings.get(whole(value, -1))
    if kind == "inlineStr":
        return _marked(cell.find("{*}is"))
    formula = cell.find("{*}f")
    if formula is None or value or kind == "str":
        return None
    return _NO_RESULT + (formula.text or "")[:_LONGEST_FORMULA]


def _marked_strings(package: Package) -> dict[int, str]:
    """The shared strings, by number, that have struck out or raised parts."""
    workbook = package.related("officeDocument")
    name = package.related("sharedStrings", of=workbook) if workbook else ""
    part = package.part(name) if name else None
    if part is None or not _TELLING.search(part):
        return {}
    tree = package.tree(name)
    marked = enumerate(map(_marked, tree.iterfind("{*}si"))) if tree is not None else ()
    return {number: text for number, text in marked if text is not None}


def _formats(package: Package) -> dict[str, str]:
    """Number formats, by the style that a cell names, without those that show numbers as they are.

    White ink without a ground shows as little as a format that shows nothing; a number struck out is none.
    """
    workbook = package.related("officeDocument")
    name = package.related("styles", of=workbook) if workbook else ""
    tree = package.tree(name) if name else None
    if tree is None:
        return {}
    codes = {str(number): code for number, code in sheet_formats.BUILT_IN.items()}
    for made in tree.iterfind("{*}numFmts/{*}numFmt"):
        codes[made.get("numFmtId") or ""] = made.get("formatCode") or ""
    fonts = list(tree.iterfind("{*}fonts/{*}font"))
    white = {str(at) for at, font in enumerate(fonts) if _is_white(font.find("{*}color"))}
    struck = {str(at) for at, font in enumerate(fonts) if _is_on(font.find("{*}strike"))}
    fills = enumerate(tree.iterfind("{*}fills/{*}fill/{*}patternFill"))
    empty = {str(at) for at, fill in fills if fill.get("patternType", "none") == "none"}
    found: dict[str, str] = {}
    for number, style in enumerate(tree.iterfind("{*}cellXfs/{*}xf")):
        font = style.get("fontId")
        is_unseen = font in struck or (font in white and style.get("fillId", "0") in empty)
        found[str(number)] = sheet_formats.HIDING if is_unseen else codes.get(style.get("numFmtId") or "", "")
    return {number: code for number, code in found.items() if not sheet_formats.is_as_it_is(code)}


def _is_white(color: etree._Element | None) -> bool:
    """Whether a font is white by name, or by the theme's first colour, the paper's."""
    return color is not None and (is_white(color.get("rgb", "")) or color.get("theme") == "0")


def _is_on(setting: etree._Element | None) -> bool:
    return setting is not None and setting.get("val", "1") in _TRUE


def _marked(string: etree._Element | None) -> str | None:
    """A text without what is struck out, and with raised digits as a note's mark; None where it has neither."""
    parts: list[str] = []
    is_marked = False
    for run in string.iterfind("{*}r") if string is not None else ():
        text = run.findtext("{*}t") or ""
        struck, raised = run.find("{*}rPr/{*}strike"), run.find("{*}rPr/{*}vertAlign")
        if _is_on(struck):
            is_marked, text = True, ""
        elif raised is not None and raised.get("val") == "superscript" and text.strip().isdigit():
            # 21¹ must never become 211.
            is_marked, text = True, f"[{text.strip()}]"
        parts.append(text)
    return "".join(parts).strip() if is_marked else None


def whole(text: str | None, otherwise: int = 0) -> int:
    """A number of up to eight digits, `otherwise` for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else otherwise


def _column(reference: str, otherwise: int) -> int:
    letters = reference.rstrip("0123456789").upper()
    if not (letters.isascii() and letters.isalpha()):
        return otherwise
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


# ------------------------------------------------------------ .xls


def take_row(body: bytes, marks: Marks) -> None:
    row, options = struct.unpack_from("<H10xI", body.ljust(16, b"\0"))
    if options & _ROW_HIDDEN:
        marks.hidden_rows.add(row)


def take_columns(body: bytes, marks: Marks) -> None:
    first, last, options = struct.unpack_from("<HH4xH", body.ljust(10, b"\0"))
    if options & _COLUMN_HIDDEN:
        marks.hidden_columns.update(range(first, min(last, 255) + 1))


def take_formula(body: bytes, marks: Marks) -> None:
    row, column, result = struct.unpack_from("<HH2x8s", body.ljust(14, b"\0"))
    if not result.endswith(_SPECIAL):
        return
    if result[0] == _ERROR_RESULT:
        marks.texts[row, column] = _ERRORS.get(result[2], _OTHER_ERROR)
    elif result[0] == _EMPTY_RESULT:
        # Programs that do not calculate leave this; Excel does for a formula that ends in no text.
        marks.texts[row, column] = _NO_RESULT


def take_error(body: bytes, marks: Marks) -> None:
    row, column, code, is_error = struct.unpack_from("<HH2xBB", body.ljust(8, b"\0"))
    if is_error:
        marks.texts[row, column] = _ERRORS.get(code, _OTHER_ERROR)
