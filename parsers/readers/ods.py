"""Spreadsheets of OpenDocument: .ods, and .fods, which is the same as one XML file.

What a cell shows stands in it beside its value. A number that shows nothing holds U+FFFC, as in other spreadsheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document
from parsers.readers import odf, sheet_formats, workbook
from parsers.readers.sheet_marks import whole
from parsers.readers.white import is_white
from parsers.readers.workbook import MAX_COLUMNS, MAX_ROWS, Worksheet
from parsers.readers.xml_tree import flat_tree

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _TABLE, _TEXT, _STYLE, _CONFIG = (_NAMES % name for name in ("office", "table", "text", "style", "config"))
_FO = _NAMES % "xsl-fo-compatible"
_SHEETS = f"{_OFFICE}body/{_OFFICE}spreadsheet/{_TABLE}table"
_ROWS = (f"{_TABLE}table-row-group", f"{_TABLE}table-header-rows", f"{_TABLE}table-rows")
_COLUMNS = (f"{_TABLE}table-column-group", f"{_TABLE}table-header-columns", f"{_TABLE}table-columns")
_CELL, _COVERED = f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"
_NUMBERS = ("float", "percentage", "currency")
# Where a cell of another kind holds its value when it does not say what it shows.
_VALUES = ("string-value", "date-value", "time-value", "boolean-value")
_BLANKS = {f"{_TEXT}s": " ", f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}
_UNPRINTED = (f"{_OFFICE}annotation", f"{_TEXT}ruby-text")
_LONGEST_FORMULA = 60
# Styles are like others, which are like others.
_MOST_PARENTS = 8


def read(data: bytes) -> Document:
    """Read a workbook. Raises UnreadableDocumentError: `damaged`, `encrypted`, `bomb`, `too_large`, `too_complex`."""
    kind = sniff.media_type(data)
    roots = list(_parts(data)) if kind == sniff.ODS else [flat_tree(data, "the .fods")]
    looks = _Looks()
    for root in roots:
        looks.take(root)
    return workbook.document(kind, (_Sheet(looks).worksheet(table) for table in roots[0].iterfind(_SHEETS)))


def _parts(data: bytes) -> Iterator[etree._Element]:
    package = odf.opened(data)
    content = package.tree("content.xml")
    if content is None:
        raise UnreadableDocumentError("damaged", "the .ods package has no content")
    yield content
    for name in ("styles.xml", "settings.xml"):
        root = package.tree(name)
        if root is not None:
            yield root


@dataclass(frozen=True, slots=True)
class _CellLook:
    """A style of cells: what it is like where it says nothing, its letters' colour, a line through them, its ground."""

    parent: str
    ink: str
    line: str
    ground: str


@dataclass(slots=True)
class _Looks:
    """Names of the styles that hide a sheet, and that strike text out or raise it; the looks of cells by name."""

    hidden: set[str] = field(default_factory=set)
    struck: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    cells: dict[str, _CellLook] = field(default_factory=dict)
    shows_zeros: bool = True

    def take(self, root: etree._Element) -> None:
        for style in root.iter(f"{_STYLE}style"):
            name, family = style.get(f"{_STYLE}name", ""), style.get(f"{_STYLE}family")
            if family == "table" and _said(style, "table", f"{_TABLE}display") == "false":
                self.hidden.add(name)
            elif family == "text":
                if _said(style, "text", f"{_STYLE}text-line-through-style") not in ("", "none"):
                    self.struck.add(name)
                if _said(style, "text", f"{_STYLE}text-position").startswith("super"):
                    self.raised.add(name)
            elif family == "table-cell":
                self.cells[name] = _CellLook(
                    parent=style.get(f"{_STYLE}parent-style-name", ""),
                    ink=_said(style, "text", f"{_FO}color"),
                    line=_said(style, "text", f"{_STYLE}text-line-through-style"),
                    ground=_said(style, "table-cell", f"{_FO}background-color"),
                )
        for item in root.iter(f"{_CONFIG}config-item"):
            if item.get(f"{_CONFIG}name") == "ShowZeroValues" and item.text == "false":
                self.shows_zeros = False

    def is_unseen(self, name: str) -> bool:
        """White ink without a ground shows nothing; a number struck out is none."""
        ink = line = ground = ""
        for _ in range(_MOST_PARENTS):
            look = self.cells.get(name)
            if look is None:
                break
            name, ink, line, ground = look.parent, ink or look.ink, line or look.line, ground or look.ground
        return line not in ("", "none") or (is_white(ink) and ground in ("", "transparent"))


def _said(style: etree._Element, part: str, attribute: str) -> str:
    element = style.find(f"{_STYLE}{part}-properties")
    return element.get(attribute, "") if element is not None else ""


@dataclass(slots=True)
class _Sheet:
    """One sheet on its way to rows, counted from 0."""

    looks: _Looks
    _columns: dict[int, str] = field(default_factory=dict)

    def worksheet(self, table: etree._Element) -> Worksheet:
        is_hidden = table.get(f"{_TABLE}style-name") in self.looks.hidden
        sheet = Worksheet(table.get(f"{_TABLE}name") or "", is_hidden=is_hidden)
        if is_hidden:
            return sheet
        for first, after, column in _placed(_within(table, f"{_TABLE}table-column", _COLUMNS), "columns"):
            reach = range(first, min(after, MAX_COLUMNS))
            self._columns.update(dict.fromkeys(reach, column.get(f"{_TABLE}default-cell-style-name") or ""))
            if column.get(f"{_TABLE}visibility", "visible") != "visible":
                sheet.marks.hidden_columns.update(reach)
        for first, after, row in _placed(_within(table, f"{_TABLE}table-row", _ROWS), "rows"):
            if row.get(f"{_TABLE}visibility", "visible") != "visible":
                sheet.marks.hidden_rows.update(range(first, min(after, MAX_ROWS)))
            self._row(sheet, range(first, after), row)
        return sheet

    def _row(self, sheet: Worksheet, rows: range, row: etree._Element) -> None:
        style = row.get(f"{_TABLE}default-cell-style-name")
        for first, after, cell in _placed(row.iterchildren(_CELL, _COVERED), "columns"):
            if cell.tag == _COVERED:
                continue
            down, across = (max(1, whole(cell.get(f"{_TABLE}number-{way}-spanned"))) for way in ("rows", "columns"))
            if down > 1 or across > 1:
                sheet.merged.append(((rows.start, first), (rows.start + down - 1, first + across - 1)))
            named = cell.get(f"{_TABLE}style-name") or style or self._columns.get(first, "")
            shown = self._shown(cell, named)
            if shown:
                for at in rows:
                    for column in range(first, after):
                        sheet.put(at, column, shown)

    def _shown(self, cell: etree._Element, style: str) -> str:
        kind = cell.get(f"{_OFFICE}value-type")
        text = "\n".join(self._text(line) for line in cell.iterchildren(f"{_TEXT}p", f"{_TEXT}h")).strip()
        if kind in _NUMBERS:
            is_hidden_zero = not self.looks.shows_zeros and not cell.get(f"{_OFFICE}value", "").strip("-0.")
            is_told = text and not is_hidden_zero and not self.looks.is_unseen(style)
            return text if is_told else sheet_formats.UNTOLD
        if text:
            return text
        if kind is None:
            formula = cell.get(f"{_TABLE}formula", "")
            return formula[formula.find("=") :][:_LONGEST_FORMULA]
        return next((value for name in _VALUES if (value := cell.get(f"{_OFFICE}{name}", ""))), "").strip()

    def _text(self, element: etree._Element) -> str:
        """Text without what is struck out, and with raised digits as a note's mark."""
        parts = [element.text or ""]
        for part in element:
            if part.tag in _BLANKS:
                text = _BLANKS[part.tag] * min(max(1, whole(part.get(f"{_TEXT}c"))), MAX_COLUMNS)
            elif part.tag in _UNPRINTED or part.get(f"{_TEXT}style-name") in self.looks.struck:
                text = ""
            else:
                text = self._text(part)
                if part.get(f"{_TEXT}style-name") in self.looks.raised and text.strip().isdigit():
                    # 21¹ must never become 211.
                    text = f"[{text.strip()}]"
            parts += [text, part.tail or ""]
        return "".join(parts)


def _within(parent: etree._Element, name: str, groups: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements of a name, in groups or not."""
    for element in parent.iterchildren(name, *groups):
        if element.tag == name:
            yield element
        else:
            yield from _within(element, name, groups)


def _placed(elements: Iterable[etree._Element], of: str) -> Iterator[tuple[int, int, etree._Element]]:
    """The place of each element, from 0, and that after the last it stands for."""
    at = 0
    for element in elements:
        after = at + max(1, whole(element.get(f"{_TABLE}number-{of}-repeated")))
        yield at, after, element
        at = after
