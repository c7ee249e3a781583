"""Workbooks as one XML file (Excel 2003's "XML Spreadsheet", mostly named .xls), which many offices' systems export.

Cells hold values and name styles, from which what they show is told as for other workbooks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from lxml import etree

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document
from parsers.readers import sheet_formats, workbook
from parsers.readers.sheet_marks import whole
from parsers.readers.white import is_white
from parsers.readers.workbook import MAX_COLUMNS, MAX_ROWS, Value, Worksheet
from parsers.readers.xml_tree import flat_tree

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_EXCEL = "{urn:schemas-microsoft-com:office:excel}"
_HTML = "{http://www.w3.org/TR/REC-html40}"
_DEFAULT = "Default"
# Styles are like others, which are like others; Excel itself goes one step.
_MOST_PARENTS = 8
_NAMED_FORMATS = {
    "general number": "General",
    "fixed": "0.00",
    "standard": "#,##0.00",
    "percent": "0.00%",
    "currency": sheet_formats.BUILT_IN[44],
}
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][-+]?[0-9]{1,3})?")
_LONGEST_FORMULA = 60
# What a time without a day is written under.
_NO_DAY = date(1899, 12, 31)


def read(data: bytes) -> Document:
    """Read a workbook. Raises UnreadableDocumentError: `damaged`, `too_complex`."""
    root = flat_tree(data, "the Excel XML")
    formats = _formats(root)
    sheets = root.iterchildren(f"{_SS}Worksheet")
    return workbook.document(sniff.EXCEL_XML, (_Sheet(formats).worksheet(sheet) for sheet in sheets))


def _formats(root: etree._Element) -> dict[str, str]:
    """The number format of each style.

    White ink without a ground shows as little as a format that shows nothing; a number struck out is none.
    """
    styles = {style.get(f"{_SS}ID") or "": style for style in root.iterfind(f"{_SS}Styles/{_SS}Style")}
    found: dict[str, str] = {}
    for name in styles:
        ink = _said(styles, name, "Font", "Color")
        ground = _said(styles, name, "Interior", "Pattern")
        code = _said(styles, name, "NumberFormat", "Format")
        is_struck = _said(styles, name, "Font", "StrikeThrough") == "1"
        is_unseen = is_struck or (is_white(ink) and ground in ("", "None"))
        found[name] = sheet_formats.HIDING if is_unseen else _NAMED_FORMATS.get(code.lower(), code)
    return found


def _said(styles: Mapping[str, etree._Element], name: str, part: str, attribute: str) -> str:
    """What a style, or the nearest one it is like that has such a part, says in it; "" for nothing."""
    for _ in range(_MOST_PARENTS):
        style = styles.get(name)
        if style is None:
            break
        element = style.find(f"{_SS}{part}")
        if element is not None:
            return element.get(f"{_SS}{attribute}") or ""
        name = style.get(f"{_SS}Parent") or _DEFAULT
    return ""


@dataclass(slots=True)
class _Sheet:
    """One sheet on its way to rows, counted from 0. `_held`: the last row that a merged cell reaches, by column."""

    formats: Mapping[str, str]
    _columns: dict[int, str] = field(default_factory=dict)
    _held: dict[int, int] = field(default_factory=dict)

    def worksheet(self, element: etree._Element) -> Worksheet:
        options = element.find(f"{_EXCEL}WorksheetOptions")
        sheet = Worksheet(element.get(f"{_SS}Name") or "")
        if options is not None:
            sheet.is_hidden = "Hidden" in (options.findtext(f"{_EXCEL}Visible") or "")
            sheet.marks.shows_zeros = options.find(f"{_EXCEL}DoNotDisplayZeros") is None
        table = element.find(f"{_SS}Table")
        if table is None or sheet.is_hidden:
            return sheet
        style = table.get(f"{_SS}StyleID") or _DEFAULT
        for first, last, column in _placed(table, "Column"):
            last = min(last, MAX_COLUMNS)
            self._columns.update(dict.fromkeys(range(first, last + 1), column.get(f"{_SS}StyleID") or style))
            if column.get(f"{_SS}Hidden") == "1":
                sheet.marks.hidden_columns.update(range(first, last + 1))
        for first, last, row in _placed(table, "Row"):
            if row.get(f"{_SS}Hidden") == "1":
                sheet.marks.hidden_rows.update(range(first, min(last, MAX_ROWS) + 1))
            self._row(sheet, first, row, style)
        return sheet

    def _row(self, sheet: Worksheet, at: int, row: etree._Element, style: str) -> None:
        for column, last, cell in _placed(row, "Cell", "MergeAcross"):
            down = whole(cell.get(f"{_SS}MergeDown"))
            value = _value(cell)
            if value != "":
                self._check(at, column)
                sheet.put(at, column, value)
                named = cell.get(f"{_SS}StyleID") or row.get(f"{_SS}StyleID") or self._columns.get(column, style)
                code = self.formats.get(named, "")
                if not sheet_formats.is_as_it_is(code):
                    sheet.marks.formats[at, column] = code
            if last > column or down:
                sheet.merged.append(((at, column), (at + down, last)))
            if down:
                self._held.update(dict.fromkeys(range(column, min(last, MAX_COLUMNS) + 1), at + down))

    def _check(self, row: int, column: int) -> None:
        if row <= self._held.get(column, -1):
            place = f"{workbook.column_letters(column)}{row + 1}"
            raise UnreadableDocumentError("damaged", f"the Excel XML has a cell at {place}, under a merged one")


def _placed(parent: etree._Element, name: str, reach: str = "Span") -> Iterator[tuple[int, int, etree._Element]]:
    """The first and last place, from 0, of each column, row or cell. Raises UnreadableDocumentError: `damaged`."""
    after = 0
    for element in parent.iterchildren(f"{_SS}{name}"):
        at = whole(element.get(f"{_SS}Index"), after + 1) - 1
        if at < after:
            raise UnreadableDocumentError("damaged", f"the Excel XML has two of {name} at {at + 1}")
        last = at + whole(element.get(f"{_SS}{reach}"))
        yield at, last, element
        after = last + 1


def _value(cell: etree._Element) -> Value:
    """What a cell holds; "" for nothing, "=" and its formula where that was not worked out."""
    data = cell.find(f"{_SS}Data")
    text = _text(data).strip() if data is not None else ""
    kind = data.get(f"{_SS}Type") if data is not None else None
    if not text and kind != "String":
        return cell.get(f"{_SS}Formula", "")[:_LONGEST_FORMULA]
    if kind == "Number" and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if kind == "Boolean" and text in ("0", "1"):
        return text == "1"
    return _moment(text) if kind == "DateTime" else text


def _moment(text: str) -> Value:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.date() == _NO_DAY:
        return moment.time()
    return moment.date() if moment.time() == time() else moment


def _text(element: etree._Element) -> str:
    """Text without what is struck out, and with raised digits as a note's mark."""
    parts = [element.text or ""]
    for part in element:
        text = _text(part)
        if part.tag == f"{_HTML}S":
            text = ""
        elif part.tag == f"{_HTML}Sup" and text.strip().isdigit():
            # 21¹ must never become 211.
            text = f"[{text.strip()}]"
        parts += [text, part.tail or ""]
    return "".join(parts)
