"""Reports as .docx: the package by python-docx, tables in WordprocessingML with gridSpan and vMerge as the form has."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from xml.sax.saxutils import escape

import docx
from docx.oxml import parse_xml

from crawler.replica.layout import Placed, Table, place
from crawler.replica.reports import Block, Printed, Text

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PAGE_WIDTH = 8700  # twentieths of a point between the margins
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip member can have: the same report is the same bytes


@dataclass(frozen=True, slots=True)
class DocxStyle:
    """`split_runs` breaks text into one run per digit group; `content_controls` wraps label cells in `w:sdt`."""

    split_runs: bool = False
    content_controls: bool = False


def write(printed: Printed, *, style: DocxStyle | None = None) -> bytes:
    return write_blocks(printed.blocks, title=printed.title, style=style)


def write_blocks(blocks: Iterable[Block], *, title: str, style: DocxStyle | None = None) -> bytes:
    chosen = style or DocxStyle()
    document = docx.Document(io.BytesIO(_template()))
    document.core_properties.title = title
    document.core_properties.author = "青禾区"
    document.core_properties.created = document.core_properties.modified = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    body = document.element.body
    end = body.sectPr
    for block in blocks:
        xml = _paragraph(block, chosen) if isinstance(block, Text) else _table(block, chosen)
        end.addprevious(parse_xml(xml))
        if isinstance(block, Table):
            end.addprevious(parse_xml(f'<w:p xmlns:w="{_W}"/>'))
    buffer = io.BytesIO()
    document.save(buffer)
    return _with_fixed_dates(buffer.getvalue())


@cache
def _template() -> bytes:
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    return buffer.getvalue()


def _with_fixed_dates(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            target.writestr(zipfile.ZipInfo(member.filename, _EPOCH), source.read(member), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _runs(text: str, style: DocxStyle) -> str:
    pieces = [text] if text else []
    if style.split_runs:
        pieces = []
        for character in text:
            if pieces and pieces[-1][-1].isdigit() == character.isdigit():
                pieces[-1] += character
            else:
                pieces.append(character)
    runs = []
    for piece in pieces:
        lines = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in piece.split("\n"))
        runs.append(f'<w:r><w:rPr><w:rFonts w:eastAsia="仿宋"/></w:rPr>{lines}</w:r>')
    return "".join(runs)


_ALIGNMENT = {"title": "center", "signature": "right", "date": "right"}


def _paragraph(block: Text, style: DocxStyle) -> str:
    alignment = _ALIGNMENT.get(block.role, "both")
    return f'<w:p xmlns:w="{_W}"><w:pPr><w:jc w:val="{alignment}"/></w:pPr>{_runs(block.text, style)}</w:p>'


def _table(table: Table, style: DocxStyle) -> str:
    scale = _PAGE_WIDTH / sum(table.widths)
    widths = [round(width * scale) for width in table.widths]
    rows: list[list[tuple[int, str]]] = [[] for _ in table.rows]
    for placed in place(table):
        span = widths[placed.column : placed.column + placed.slot.column_span]
        rows[placed.row].append((placed.column, _cell(placed, sum(span), style)))
        for below in range(1, placed.slot.row_span):
            rows[placed.row + below].append((placed.column, _continuation(placed, sum(span))))
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4"/>' for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    body = "".join("<w:tr>" + "".join(xml for _, xml in sorted(row)) + "</w:tr>" for row in rows)
    return (
        f'<w:tbl xmlns:w="{_W}"><w:tblPr><w:tblW w:w="0" w:type="auto"/><w:tblBorders>{borders}</w:tblBorders>'
        f"</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{body}</w:tbl>"
    )


def _properties(placed: Placed, width: int, merge: str) -> str:
    span = f'<w:gridSpan w:val="{placed.slot.column_span}"/>' if placed.slot.column_span > 1 else ""
    return f'<w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}{merge}</w:tcPr>'


def _cell(placed: Placed, width: int, style: DocxStyle) -> str:
    merge = '<w:vMerge w:val="restart"/>' if placed.slot.row_span > 1 else ""
    text = f"<w:p>{_runs(placed.slot.text, style)}</w:p>"
    cell = f"<w:tc>{_properties(placed, width, merge)}{text}</w:tc>"
    if style.content_controls and not placed.slot.cell:
        return f"<w:sdt><w:sdtContent>{cell}</w:sdtContent></w:sdt>"
    return cell


def _continuation(placed: Placed, width: int) -> str:
    return f"<w:tc>{_properties(placed, width, '<w:vMerge/>')}<w:p/></w:tc>"
