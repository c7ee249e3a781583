"""Reports as spreadsheets (.xls, .xlsx, Excel 2003 XML, .ods, .fods): all on one sheet, or a sheet for each table.

The .xlsx is written part by part (inline strings and merged ranges are all a report needs); the .xls, which is also
what WPS calls .et, by xlwt.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.sax.saxutils import escape, quoteattr

import xlwt

from crawler.replica.layout import Table, place
from crawler.replica.reports import Block, Printed, Text

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_2003 = "urn:schemas-microsoft-com:office:spreadsheet"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same report is the same bytes


@dataclass(frozen=True, slots=True)
class SheetStyle:
    """`sheet_each`: every table on a sheet of its own. `as_text`: numbers are stored as text.

    `merged` False: merged cells are only the first of empty ones, as converters leave them.
    """

    sheet_each: bool = False
    as_text: bool = False
    merged: bool = True


@dataclass(frozen=True, slots=True)
class _Put:
    """One cell: where it stands from 0, how far it reaches, what it holds."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    cells: tuple[_Put, ...]


def write_xlsx(printed: Printed, *, style: SheetStyle | None = None) -> bytes:
    chosen = style or SheetStyle()
    sheets = _sheets(printed, chosen)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, xml in _parts(sheets, chosen):
            package.writestr(zipfile.ZipInfo(name, _EPOCH), xml, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_xls(printed: Printed, *, style: SheetStyle | None = None) -> bytes:
    chosen = style or SheetStyle()
    workbook = xlwt.Workbook(encoding="utf-8")
    for sheet in _sheets(printed, chosen):
        target = workbook.add_sheet(sheet.name)
        for put in sheet.cells:
            value = put.text if chosen.as_text else _number(put.text)
            if chosen.merged and (put.row_span > 1 or put.column_span > 1):
                last = put.row + put.row_span - 1, put.column + put.column_span - 1
                target.write_merge(put.row, last[0], put.column, last[1], value)
            else:
                target.write(put.row, put.column, value)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def write_excel_xml(printed: Printed, *, style: SheetStyle | None = None) -> bytes:
    chosen = style or SheetStyle()
    body = "".join(_excel_xml_sheet(sheet, chosen) for sheet in _sheets(printed, chosen))
    head = '<?xml version="1.0" encoding="utf-8"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    return f'{head}<Workbook xmlns="{_SHEET_2003}" xmlns:ss="{_SHEET_2003}">{body}</Workbook>'.encode()


def _excel_xml_sheet(sheet: _Sheet, style: SheetStyle) -> str:
    rows = "".join(
        f'<Row ss:Index="{row + 1}">{"".join(_excel_xml_cell(put, style) for put in puts)}</Row>'
        for row, puts in _rows(sheet)
    )
    return f"<Worksheet ss:Name={quoteattr(sheet.name)}><Table>{rows}</Table></Worksheet>"


def _excel_xml_cell(put: _Put, style: SheetStyle) -> str:
    value = put.text if style.as_text else _number(put.text)
    spans = f' ss:MergeAcross="{put.column_span - 1}" ss:MergeDown="{put.row_span - 1}"' if style.merged else ""
    kind = "String" if isinstance(value, str) else "Number"
    data = "" if value == "" else f'<Data ss:Type="{kind}">{escape(str(value))}</Data>'
    return f'<Cell ss:Index="{put.column + 1}"{spans}>{data}</Cell>'


def write_ods(printed: Printed, *, style: SheetStyle | None = None) -> bytes:
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/></manifest:manifest>'
    )
    content = _ods_document("document-content", "", printed, style)
    parts = {"mimetype": _ODS, "content.xml": content, "META-INF/manifest.xml": manifest}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, part in parts.items():
            stored = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(zipfile.ZipInfo(name, _EPOCH), part, stored)
    return buffer.getvalue()


def write_fods(printed: Printed, *, style: SheetStyle | None = None) -> bytes:
    return _ods_document("document", f' office:mimetype="{_ODS}"', printed, style).encode()


def _ods_document(root: str, attributes: str, printed: Printed, style: SheetStyle | None) -> str:
    chosen = style or SheetStyle()
    names = "".join(f' xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    tables = "".join(_ods_table(sheet, chosen) for sheet in _sheets(printed, chosen))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:{root}{names} office:version="1.3"{attributes}>'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:{root}>"
    )


def _ods_table(sheet: _Sheet, style: SheetStyle) -> str:
    rows = "".join(f"<table:table-row>{''.join(_ods_cells(puts, style))}</table:table-row>" for _, puts in _rows(sheet))
    return f"<table:table table:name={quoteattr(sheet.name)}>{rows}</table:table>"


def _ods_cells(puts: list[_Put], style: SheetStyle) -> Iterator[str]:
    """The cells of a row; before each as many that others cover as there are places left."""
    after = 0
    for put in puts:
        if put.column > after:
            yield f'<table:covered-table-cell table:number-columns-repeated="{put.column - after}"/>'
        after = put.column + 1
        value = put.text if style.as_text else _number(put.text)
        kind = "" if value == "" else ' office:value-type="string"'
        if not isinstance(value, str):
            kind = f' office:value-type="float" office:value="{value}"'
        spans = f' table:number-columns-spanned="{put.column_span}" table:number-rows-spanned="{put.row_span}"'
        text = f"<text:p>{escape(put.text)}</text:p>" if put.text else ""
        yield f"<table:table-cell{kind}{spans if style.merged else ''}>{text}</table:table-cell>"


def _sheets(printed: Printed, style: SheetStyle) -> tuple[_Sheet, ...]:
    if not style.sheet_each:
        return (_Sheet("年度报告", tuple(_put(printed.blocks))),)
    texts = tuple(block for block in printed.blocks if isinstance(block, Text))
    sheets = [_Sheet("正文", tuple(_put(texts)))]
    sheets += [_Sheet(f"表{index}", tuple(_put((table,)))) for index, table in enumerate(printed.tables, 1)]
    return tuple(sheets)


def _put(blocks: tuple[Block, ...]) -> Iterator[_Put]:
    widest = max((len(block.widths) for block in blocks if isinstance(block, Table)), default=1)
    row = 0
    for block in blocks:
        if isinstance(block, Text):
            yield _Put(row, 0, 1, widest, block.text)
            row += 1
            continue
        for placed in place(block):
            slot = placed.slot
            yield _Put(row + placed.row, placed.column, slot.row_span, slot.column_span, slot.text)
        row += len(block.rows)


def _number(text: str) -> str | int | float:
    """What Excel makes of typed text: a number where it is nothing but one."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return int(number) if number == number.to_integral_value() else float(number)


def _reference(row: int, column: int) -> str:
    return f"{chr(ord('A') + column)}{row + 1}"


def _cell(put: _Put, style: SheetStyle) -> str:
    at = _reference(put.row, put.column)
    value = put.text if style.as_text else _number(put.text)
    if value == "":
        return f'<c r="{at}"/>'
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{at}"><v>{value}</v></c>'


def _rows(sheet: _Sheet) -> list[tuple[int, list[_Put]]]:
    """Rows in order, from 0, their cells in order."""
    rows: dict[int, list[_Put]] = {}
    for put in sorted(sheet.cells, key=lambda put: (put.row, put.column)):
        rows.setdefault(put.row, []).append(put)
    return list(rows.items())


def _worksheet(sheet: _Sheet, style: SheetStyle) -> str:
    body = "".join(
        f'<row r="{row + 1}">{"".join(_cell(put, style) for put in puts)}</row>' for row, puts in _rows(sheet)
    )
    ranges = [
        f"{_reference(p.row, p.column)}:{_reference(p.row + p.row_span - 1, p.column + p.column_span - 1)}"
        for p in sheet.cells
        if style.merged and (p.row_span > 1 or p.column_span > 1)
    ]
    merged = "".join(f'<mergeCell ref="{reference}"/>' for reference in ranges)
    merges = f'<mergeCells count="{len(ranges)}">{merged}</mergeCells>' if ranges else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData>{merges}</worksheet>'


def _parts(sheets: tuple[_Sheet, ...], style: SheetStyle) -> Iterator[tuple[str, str]]:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbered = list(enumerate(sheets, 1))
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n, _ in numbered
    )
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{overrides}</Types>',
    )
    yield "_rels/.rels", _relations([(1, "officeDocument", "xl/workbook.xml")])
    named = "".join(f'<sheet name={quoteattr(s.name)} sheetId="{n}" r:id="r{n}"/>' for n, s in numbered)
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
    )
    yield "xl/_rels/workbook.xml.rels", _relations([(n, "worksheet", f"worksheets/sheet{n}.xml") for n, _ in numbered])
    for number, sheet in numbered:
        yield f"xl/worksheets/sheet{number}.xml", _worksheet(sheet, style)


def _relations(targets: list[tuple[int, str, str]]) -> str:
    items = "".join(f'<Relationship Id="r{n}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for n, kind, to in targets)
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'
