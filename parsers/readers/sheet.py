"""Spreadsheets of Excel and WPS (.xls, .et, .xlsx): their values by calamine, what it does not say beside them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import zip_longest

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document
from parsers.readers import biff, sheet_marks, workbook
from parsers.readers.native import panics_refused
from parsers.readers.ooxml import Package
from parsers.readers.sheet_marks import Marks
from parsers.readers.workbook import MAX_COLUMNS, MAX_ROWS, Range, Value, Worksheet

# Where a cell or a row says it stands; other elements (the gradients of every theme of Excel) have an `r` of their own.
# Two letters reach column 702.
_REFERENCE = re.compile(rb"""<(?:[\w.-]+:)?(?:c|row)\s(?:[^<>]*?\s)?r\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")
_COLUMN_LETTERS = 2


def read(data: bytes) -> Document:
    """Read a workbook.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `bomb`, `too_large`, `too_complex`.
    """
    kind = sniff.media_type(data)
    if kind == sniff.XLSX:
        marks = sheet_marks.of_package(_weighed(data))
    else:
        data, marks = biff.checked(data, most_rows=MAX_ROWS)
    with panics_refused("calamine"):
        return workbook.document(kind, _worksheets(_opened(data), marks))


def _worksheets(opened: CalamineWorkbook, marks: list[Marks]) -> Iterator[Worksheet]:
    found = opened.sheets_metadata
    for sheet, marked in zip_longest(found, marks[: len(found)]):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        if sheet.visible != SheetVisibleEnum.Visible:
            yield Worksheet(sheet.name, is_hidden=True)
            continue
        rows, merged = _loaded(opened, sheet.name)
        yield Worksheet(sheet.name, rows, merged, marked or Marks())


def _weighed(data: bytes) -> Package:
    """calamine inflates whatever a package holds, and makes room for every cell up to the last: both are tried here."""
    package = Package(data)
    if package.has("xl/workbook.bin"):
        raise UnreadableDocumentError("unsupported", "the workbook is binary (.xlsb), for which there is no reader yet")
    for name in package.names():
        if not name.endswith((".xml", ".rels")):
            continue
        part = package.part(name) or b""
        for column, row in _REFERENCE.findall(part):
            if int(row) > MAX_ROWS or len(column) > _COLUMN_LETTERS:
                place = f"{column.decode()}{row.decode()}"
                raise UnreadableDocumentError(
                    "too_complex", f"{name} has a cell at {place}; at most {MAX_ROWS} rows are read"
                )
    return package


def _opened(data: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise UnreadableDocumentError("encrypted", "the workbook needs its password") from error
    except (CalamineError, XmlError, ZipError, OSError, ValueError) as error:
        raise UnreadableDocumentError("damaged", f"the workbook cannot be opened: {error}") from error


def _loaded(opened: CalamineWorkbook, name: str) -> tuple[list[list[Value]], list[Range]]:
    try:
        sheet: CalamineSheet = opened.get_sheet_by_name(name)
        if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
            # Formatting without content stretches sheets to their last row; content does not.
            size = f"{sheet.total_height} rows and {sheet.total_width} columns"
            raise UnreadableDocumentError("too_complex", f"sheet {name} has {size}; at most {MAX_ROWS}, {MAX_COLUMNS}")
        return sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []
    except (CalamineError, XmlError, ZipError, OSError, ValueError) as error:
        raise UnreadableDocumentError("damaged", f"sheet {name} cannot be read: {error}") from error
