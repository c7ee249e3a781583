"""Workbooks as one XML file, as Excel 2003 saves them and offices' systems export them under the name of .xls."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from test_sheet import FORMATS

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers.sheet import SheetStyle, write_excel_xml
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import read_document, workbook
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
REPORT = lay_out(draw_report("excel xml", year=2022, mode="distinct"))
UNTOLD = "\ufffc"


def book(table: str, *, styles: str = "", options: str = "", declared: str = "UTF-8", name: str = "表;一") -> str:
    return (
        f'<?xml version="1.0" encoding="{declared}"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40" '
        f'xmlns:x="urn:schemas-microsoft-com:office:excel"><Styles>{styles}</Styles>'
        f'<Worksheet ss:Name="{name}"><Table>{table}</Table>'
        f"<x:WorksheetOptions>{options}</x:WorksheetOptions></Worksheet></Workbook>"
    )


def text(value: str) -> str:
    return f'<Cell><Data ss:Type="String">{value}</Data></Cell>'


def number(value: object, style: str = "", **attributes: int) -> str:
    """A cell; `attributes` as Index=2."""
    told = {**attributes, **({"StyleID": style} if style else {})}
    written = "".join(f' ss:{name}="{said}"' for name, said in told.items())
    return f'<Cell{written}><Data ss:Type="Number">{value}</Data></Cell>'


def shown(written: str) -> list[list[str]]:
    """Texts of each grid's cells."""
    return [[cell.text for cell in grid.cells] for grid in grids(read_document(written.encode()))]


def grids(document: Document) -> list[Grid]:
    return [block for block in document.blocks if isinstance(block, Grid)]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


@pytest.mark.parametrize("style", [SheetStyle(), SheetStyle(sheet_each=True), SheetStyle(as_text=True)], ids=str)
def test_a_report_is_read_whole(style: SheetStyle) -> None:
    reading = read(write_excel_xml(REPORT, style=style), name="年报.xls")
    assert (reading.media_type, reading.form, reading.report_year) == (sniff.EXCEL_XML, "2021", 2022)
    assert {fact.cell: (fact.value, fact.confidence) for fact in reading.facts} == {
        cell: (expected.value, 1.0) for cell, expected in REPORT.truth.items()
    }
    assert reading.findings == ()


def test_a_report_as_a_program_exports_it_is_read_and_found_again() -> None:
    """The fixture has what Excel itself writes: properties, styles like others, columns, spans, places left out."""
    reading = read((FIXTURES / "excel-xml" / "input.xls").read_bytes())
    assert {fact.cell: (fact.raw, fact.locator) for fact in reading.facts if fact.raw} == {
        "disclosure.regulations.issued": ("3", "sheet=总体情况;cell=B4"),
        "disclosure.regulations.repealed": ("-", "sheet=总体情况;cell=C4"),
        "disclosure.regulations.in_force": ("1,204", "sheet=总体情况;cell=D4"),
        "disclosure.normative_documents.issued": ("0", "sheet=总体情况;cell=B5"),
        "disclosure.normative_documents.in_force": (UNTOLD, "sheet=总体情况;cell=D5"),
    }


def test_one_that_was_cut_off_is_damaged() -> None:
    assert refusal((FIXTURES / "excel-xml-cut" / "input.xls").read_bytes()) == "damaged"


@pytest.mark.parametrize(("value", "code", "printed"), FORMATS, ids=[f"{value} {code}" for value, code, _ in FORMATS])
def test_a_cell_holds_what_its_number_format_shows(value: float, code: str, printed: str) -> None:
    styles = f'<Style ss:ID="s1"><NumberFormat ss:Format="{escape(code)}"/></Style>'
    document = read_document(book(f"<Row>{text('甲')}{number(value, 's1')}</Row>", styles=styles).encode())
    assert [cell.text for cell in grids(document)[0].cells] == ["甲", printed]
    assert ("number_format" in {finding.code for finding in document.findings}) == (printed == UNTOLD)


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("Fixed", "1234.50"),
        ("Standard", "1,234.50"),
        ("Percent", "123450.00%"),
        ("General Number", "1234.5"),
        ("Currency", "¥1,234.50"),
        ("Scientific", UNTOLD),
        ("Short Date", UNTOLD),
        ("Yes/No", UNTOLD),
    ],
)
def test_formats_that_have_names(code: str, printed: str) -> None:
    styles = f'<Style ss:ID="s1"><NumberFormat ss:Format="{code}"/></Style>'
    row = f"<Row>{text('甲')}{number(1234.5, 's1')}</Row>"
    assert shown(book(row, styles=styles)) == [["甲", printed]]


HIDING = '<Style ss:ID="h"><NumberFormat ss:Format=";;;"/></Style>'
HIDING_ALL = HIDING.replace('"h"', '"Default"')
PLAIN = '<Style ss:ID="p"><NumberFormat/></Style>'


@pytest.mark.parametrize(
    ("table", "styles"),
    [
        (f'<Row>{number(1, "h")}{number(2)}</Row>', HIDING),
        (f'<Row>{number(1)}{number(2, "p")}</Row>', HIDING_ALL + PLAIN),
        (f'<Row ss:StyleID="h">{number(1)}{number(2, "p")}</Row>', HIDING + PLAIN),
        (f'<Column ss:StyleID="h"/><Row>{number(1)}{number(2)}</Row>', HIDING),
        (f'<Column ss:Index="2" ss:StyleID="p"/><Row>{number(1)}{number(2)}</Row>', HIDING_ALL + PLAIN),
        (f'<Row>{number(1, "c")}{number(2)}</Row>', HIDING + '<Style ss:ID="c" ss:Parent="h"/>'),
    ],
    ids=["its own", "of all", "the row's", "the column's", "all but the column's", "the style's parent's"],
)  # fmt: skip
def test_a_cell_has_the_nearest_format(table: str, styles: str) -> None:
    assert shown(book(table, styles=styles)) == [[UNTOLD, "2"]]


def test_styles_that_are_like_each_other_have_no_format() -> None:
    styles = '<Style ss:ID="a" ss:Parent="b"/><Style ss:ID="b" ss:Parent="a"/>'
    assert shown(book(f"<Row>{text('甲')}{number(1, 'a')}</Row>", styles=styles)) == [["甲", "1"]]


def test_a_number_in_white_ink_is_not_told_unless_a_ground_is_behind_it() -> None:
    ink = '<Font ss:Color="#ffffff"/>'
    styles = (
        f'<Style ss:ID="w">{ink}</Style><Style ss:ID="n"><Font ss:Color="#FEFEFE"/><Interior/></Style>'
        f'<Style ss:ID="g">{ink}<Interior ss:Color="#4F81BD" ss:Pattern="Solid"/></Style>'
    )
    row = "".join(number(7, name) for name in "wng")
    assert shown(book(f"<Row>{row}</Row>", styles=styles)) == [[UNTOLD, UNTOLD, "7"]]


def test_a_number_that_is_struck_out_is_none() -> None:
    styles = '<Style ss:ID="s"><Font ss:StrikeThrough="1"/></Style><Style ss:ID="b"><Font ss:Bold="1"/></Style>'
    row = "".join(number(7, name) for name in "sb")
    assert shown(book(f"<Row>{row}</Row>", styles=styles)) == [[UNTOLD, "7"]]


def test_zeros_that_a_sheet_does_not_show_are_no_zeros() -> None:
    table = f"<Row>{number(0)}{number(7)}{text('0')}</Row>"
    assert shown(book(table, options="<x:DoNotDisplayZeros/>")) == [[UNTOLD, "7", "0"]]


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        ('<Cell ss:Formula="=SUM(R[-1]C)"/>', "=SUM(R[-1]C)"),
        ('<Cell ss:Formula="=SUM(R[-1]C)"><Data ss:Type="Number"></Data></Cell>', "=SUM(R[-1]C)"),
        ('<Cell ss:Formula="=SUM(R[-1]C)"><Data ss:Type="Number">7</Data></Cell>', "7"),
        ('<Cell ss:Formula="=IF(RC[-1]=0,&quot;&quot;)"><Data ss:Type="String"></Data></Cell>', ""),
        ('<Cell><Data ss:Type="Error">#DIV/0!</Data></Cell>', "#DIV/0!"),
        ('<Cell><Data ss:Type="Boolean">1</Data></Cell>', "TRUE"),
        ('<Cell><Data ss:Type="DateTime">2022-01-14T00:00:00.000</Data></Cell>', "2022-01-14"),
        ('<Cell><Data ss:Type="DateTime">1899-12-31T08:30:00.000</Data></Cell>', "08:30:00"),
        ('<Cell><Data ss:Type="DateTime">年初</Data></Cell>', "年初"),
        ('<Cell><Data ss:Type="Number">1 234</Data></Cell>', "1 234"),
        ('<Cell><Data ss:Type="Number">1_000</Data></Cell>', "1_000"),
        ('<Cell><Data ss:Type="Number">1e999</Data></Cell>', "1e999"),
        ('<Cell><Data ss:Type="Number">1.0000000000000001E-2</Data></Cell>', "0.01"),
        ('<Cell><ss:Data ss:Type="String">21<html:Sup>1</html:Sup></ss:Data></Cell>', "21[1]"),
        ('<Cell><ss:Data ss:Type="String"><html:S>9</html:S><html:B>2</html:B>1</ss:Data></Cell>', "21"),
        ('<Cell><Data ss:Type="String">甲</Data><Comment><ss:Data>批注</ss:Data></Comment></Cell>', "甲"),
    ],
)
def test_a_cell_holds_what_the_sheet_shows(cell: str, printed: str) -> None:
    assert shown(book(f"<Row>{number(1)}{cell}{number(3)}</Row>")) == [["1", printed, "3"]]


def test_places_are_those_that_indices_and_merged_cells_leave() -> None:
    document = read_document(
        book(
            f'<Row ss:Index="3"><Cell ss:MergeDown="1"><Data ss:Type="String">甲</Data></Cell>'
            f'<Cell ss:MergeAcross="1"><Data ss:Type="String">乙</Data></Cell>{number(1)}</Row>'
            f'<Row><Cell ss:Index="2"><Data ss:Type="Number">2</Data></Cell>{number(3)}{number(4)}</Row>'
        ).encode()
    )
    (grid,) = grids(document)
    assert [(cell.text, cell.locator, cell.row_span, cell.column_span) for cell in grid.cells] == [
        ("甲", "sheet=表；一;cell=A3", 2, 1),
        ("乙", "sheet=表；一;cell=B3", 1, 2),
        ("1", "sheet=表；一;cell=D3", 1, 1),
        ("2", "sheet=表；一;cell=B4", 1, 1),
        ("3", "sheet=表；一;cell=C4", 1, 1),
        ("4", "sheet=表；一;cell=D4", 1, 1),
    ]


def test_hidden_rows_columns_and_sheets_are_left_out_and_said() -> None:
    row = "".join(map(number, range(4)))
    columns = '<Column ss:Index="2" ss:Span="1" ss:Hidden="1"/>'
    table = f'<Row>{row}</Row><Row ss:Hidden="1">{row}</Row><Row>{row}</Row>'
    document = read_document(book(columns + table).encode())
    assert [cell.text for cell in grids(document)[0].cells] == ["0", "3", "0", "3"]
    assert [(finding.code, finding.message[:2]) for finding in document.findings] == [("hidden_cells", "8 ")]
    for how in ("SheetHidden", "SheetVeryHidden"):
        hidden = read_document(book(table, options=f"<x:Visible>{how}</x:Visible>").encode())
        assert (hidden.blocks, [finding.code for finding in hidden.findings]) == ((), ["hidden_sheet"])


@pytest.mark.parametrize(("encoding", "declared"), [("gb18030", "GB2312"), ("gb18030", "UTF-8"), ("utf-16", "UTF-16")])
def test_whatever_encoding_it_says_it_is_in_is_tried_by_the_bytes(encoding: str, declared: str) -> None:
    """㖞 is in GBK and not in GB2312."""
    written = book(f"<Row>{text('㖞江区年度报告')}</Row>", declared=declared).encode(encoding)
    assert [block.text for block in read_document(written).blocks if isinstance(block, Paragraph)] == ["㖞江区年度报告"]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (f'<Row ss:Index="20001">{number(1)}</Row>', "too_complex"),
        (f"<Row>{number(1, Index=703)}</Row>", "too_complex"),
        ("".join(f"<Row>{number(1, Index=700)}</Row>" for _ in range(600)), "too_complex"),
        (f'<Row ss:Index="2">{number(1)}</Row><Row ss:Index="2">{number(1)}</Row>', "damaged"),
        (f"<Row>{number(1, MergeAcross=2)}{number(1, Index=2)}</Row>", "damaged"),
        # Which of the two a program shows, and where it puts the other, is not said.
        (f"<Row>{number(1, MergeDown=1)}{number(2)}</Row><Row>{number(3)}{number(4)}</Row>", "damaged"),
        ("<Row><Cell>" * 20, "damaged"),
        ("<a>" * 300 + "</a>" * 300, "too_complex"),
    ],
    ids=["rows", "columns", "cells", "a row twice", "a cell on another", "a cell under another", "cut", "nested"],
)
def test_what_no_workbook_holds_is_refused(table: str, code: str) -> None:
    assert refusal(book(table).encode()) == code


def test_a_sheet_makes_no_room_for_more_cells_than_a_workbook_may_have() -> None:
    sheet = workbook.Worksheet("表")
    with pytest.raises(UnreadableDocumentError, match="more than 400000 cells"):
        for row in range(600):
            sheet.put(row, 701, "1")


def test_rows_and_columns_that_are_only_hidden_or_named_may_reach_to_the_end_of_the_world() -> None:
    table = (
        f'<Column ss:Span="16383"/><Row>{number(1)}{number(2)}</Row><Row ss:Index="9" ss:Span="1048566" ss:Hidden="1"/>'
    )
    assert shown(book(table)) == [["1", "2"]]


def test_entities_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("424242")
    kinds = f'<!DOCTYPE Workbook [<!ENTITY a "7"><!ENTITY b SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    head, rest = book(f"<Row>{text('甲')}{text('&a;')}{text('&b;')}</Row>").split("\n", 1)
    (found,) = shown(f"{head}{kinds}{rest}")
    assert found == ["甲", "&a;", "&b;"]
