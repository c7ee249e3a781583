"""Spreadsheets of OpenDocument, in a package (.ods) and as one XML file (.fods)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers.packed import write_zip
from crawler.replica.writers.sheet import SheetStyle, write_fods, write_ods
from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import read_document
from parsers.reading import read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "documents"
REPORT = lay_out(draw_report("ods", year=2022, mode="distinct"))
UNTOLD = "\ufffc"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"


def book(rows: str, *, styles: str = "", settings: str = "", table: str = "") -> bytes:
    spaces = "".join(f' xmlns:{name}="{OASIS}:{name}:1.0"' for name in ("office", "table", "text", "style", "config"))
    return (
        f'<?xml version="1.0"?><office:document{spaces} xmlns:fo="{OASIS}:xsl-fo-compatible:1.0" '
        f'office:mimetype="{sniff.ODS}"><office:settings>{settings}</office:settings>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="表;一"{table}>{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document>"
    ).encode()


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row{attributes}>{''.join(cells)}</table:table-row>"


def number(value: object, *, shown: str | None = None, attributes: str = "") -> str:
    text = f"<text:p>{value if shown is None else shown}</text:p>"
    return f'<table:table-cell office:value-type="float" office:value="{value}"{attributes}>{text}</table:table-cell>'


def text(markup: str, attributes: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{attributes}><text:p>{markup}</text:p></table:table-cell>'


def grids(document: Document) -> list[Grid]:
    return [block for block in document.blocks if isinstance(block, Grid)]


def shown(data: bytes) -> list[str]:
    (grid,) = grids(read_document(data))
    return [cell.text for cell in grid.cells]


def codes(data: bytes) -> list[str]:
    return [finding.code for finding in read_document(data).findings]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


@pytest.mark.parametrize(("write", "kind"), [(write_ods, sniff.ODS), (write_fods, sniff.FLAT_ODS)], ids=["ods", "fods"])
@pytest.mark.parametrize("style", [SheetStyle(), SheetStyle(sheet_each=True), SheetStyle(as_text=True)], ids=str)
def test_a_report_is_read_whole(write, kind: str, style: SheetStyle) -> None:  # type: ignore[no-untyped-def]
    reading = read(write(REPORT, style=style))
    assert (reading.media_type, reading.form, reading.findings) == (kind, "2021", ())
    assert {fact.cell: (fact.value, fact.confidence) for fact in reading.facts} == {
        cell: (expected.value, 1.0) for cell, expected in REPORT.truth.items()
    }


def test_a_report_as_a_program_writes_it_is_read_and_found_again() -> None:
    """The fixture has what Calc writes: repeated rows to the last of all, notes, a hidden row and sheet."""
    reading = read((FIXTURES / "fods-report" / "input.fods").read_bytes())
    assert {fact.cell: (fact.raw, fact.locator) for fact in reading.facts if fact.raw} == {
        "disclosure.regulations.issued": ("3", "sheet=总体情况;cell=B4"),
        "disclosure.regulations.repealed": ("-", "sheet=总体情况;cell=C4"),
        "disclosure.regulations.in_force": ("1,204", "sheet=总体情况;cell=D4"),
        "disclosure.normative_documents.issued": ("0", "sheet=总体情况;cell=B5"),
        "disclosure.normative_documents.in_force": (UNTOLD, "sheet=总体情况;cell=D5"),
    }
    assert [(finding.code, finding.locator) for finding in reading.findings][:3] == [
        ("hidden_cells", "sheet=总体情况"),
        ("number_format", "sheet=总体情况"),
        ("hidden_sheet", "sheet=底稿"),
    ]


def test_those_that_were_cut_off_are_damaged() -> None:
    assert refusal((FIXTURES / "fods-cut" / "input.fods").read_bytes()) == "damaged"
    error = read(write_ods(REPORT)[:-200]).error
    assert error is not None
    assert error.code == "damaged"


def test_a_locked_one_is_encrypted_and_one_of_no_parts_damaged() -> None:
    def changed(name: str, content: bytes | None) -> bytes:
        with zipfile.ZipFile(io.BytesIO(write_ods(REPORT))) as source:
            parts = {one: source.read(one) for one in source.namelist()} | ({name: content} if content else {})
        return write_zip([(one, parts[one]) for one in parts if content or one != name], encoding="utf-8")

    assert refusal(changed("META-INF/manifest.xml", b"<m><encryption-data/></m>")) == "encrypted"
    assert refusal(changed("META-INF/manifest.xml", None)) == "damaged"
    assert refusal(changed("content.xml", None)) == "damaged"


def test_other_files_of_opendocument_are_no_archives() -> None:
    slides = "application/vnd.oasis.opendocument.presentation"
    assert refusal(write_zip([("mimetype", slides.encode()), ("content.xml", b"<x/>")])) == "unsupported"


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        (number(12345, shown="12,345.00"), "12,345.00"),
        (number(0.5, shown="50%"), "50%"),
        (number(0, shown="-"), "-"),
        (number(12345, shown="1.2"), "1.2"),
        (number(12345, shown=""), UNTOLD),
        ('<table:table-cell office:value-type="float" office:value="7"/>', UNTOLD),
        (text("21<text:span text:style-name='up'>1</text:span>"), "21[1]"),
        (text("<text:span text:style-name='out'>9</text:span>21"), "21"),
        (text("<text:span text:style-name='red'>2</text:span>1"), "21"),
        (text("甲<text:s text:c='3'/>乙<text:tab/>丙<text:line-break/>丁</text:p><text:p>戊"), "甲   乙\t丙\n丁\n戊"),
        (text("甲</text:p><office:annotation><text:p>批注</text:p></office:annotation><text:p>乙"), "甲\n乙"),
        (text("甲<office:annotation><text:p>批注</text:p></office:annotation>乙"), "甲乙"),
        (text("<text:ruby><text:ruby-base>甲</text:ruby-base><text:ruby-text>jiǎ</text:ruby-text></text:ruby>"), "甲"),
        ('<table:table-cell office:value-type="date" office:date-value="2023-01-11"/>', "2023-01-11"),
        ('<table:table-cell office:value-type="string" office:string-value="甲"/>', "甲"),
        ('<table:table-cell table:formula="of:=SUM([.A1:.A3])"/>', "=SUM([.A1:.A3])"),
        ('<table:table-cell table:formula="of:=&quot;&quot;" office:value-type="string"/>', ""),
        ("<table:table-cell/>", ""),
    ],
)
def test_a_cell_holds_what_the_sheet_shows(cell: str, printed: str) -> None:
    styles = (
        '<style:style style:name="up" style:family="text"><style:text-properties style:text-position="super 58%"/>'
        '</style:style><style:style style:name="out" style:family="text">'
        '<style:text-properties style:text-line-through-style="solid"/></style:style>'
        '<style:style style:name="red" style:family="text"><style:text-properties fo:color="#ff0000" '
        'style:text-line-through-style="none"/></style:style>'
    )
    data = book(row(number(1), cell, number(3)), styles=styles)
    assert shown(data) == ["1", printed, "3"]
    assert ("number_format" in codes(data)) == (printed == UNTOLD)


def test_a_number_in_white_ink_is_not_told_unless_a_ground_is_behind_it() -> None:
    def style(name: str, *, parent: str = "", ink: str = "", ground: str = "") -> str:
        color = f'<style:text-properties fo:color="{ink}"/>' if ink else ""
        back = f'<style:table-cell-properties fo:background-color="{ground}"/>' if ground else ""
        like = f' style:parent-style-name="{parent}"' if parent else ""
        return f'<style:style style:name="{name}" style:family="table-cell"{like}>{back}{color}</style:style>'

    styles = (
        style("w", ink="#FFFFFF")
        + style("wt", ink="#fefefe", ground="transparent")
        + style("wg", ink="#ffffff", ground="#4f81bd")
        + style("like", parent="w")
        + style("round", parent="round")
    )
    cells = [number(7, attributes=f' table:style-name="{name}"') for name in ("w", "wt", "wg", "like", "round", "none")]
    assert shown(book(row(*cells), styles=styles)) == [UNTOLD, UNTOLD, "7", UNTOLD, "7", "7"]
    column = '<table:table-column/><table:table-column table:default-cell-style-name="w"/>'
    assert shown(book(column + row(number(7), number(7)), styles=styles)) == ["7", UNTOLD]
    of_row = ' table:default-cell-style-name="w"'
    assert shown(book(row(number(7), text("8"), attributes=of_row), styles=styles)) == [UNTOLD, "8"]


def test_a_number_that_is_struck_out_is_none() -> None:
    styles = "".join(
        f'<style:style style:name="{line}" style:family="table-cell">'
        f'<style:text-properties style:text-line-through-style="{line}"/></style:style>'
        for line in ("solid", "none")
    )
    cells = [number(7, attributes=f' table:style-name="{line}"') for line in ("solid", "none")]
    assert shown(book(row(*cells), styles=styles)) == [UNTOLD, "7"]


def test_zeros_that_a_sheet_does_not_show_are_no_zeros() -> None:
    settings = '<config:config-item config:name="ShowZeroValues">false</config:config-item>'
    cells = row(number(0), number("-0.0", shown="0"), number(10), text("0"))
    assert shown(book(cells, settings=settings)) == [UNTOLD, UNTOLD, "10", "0"]


def test_repeated_merged_and_grouped_cells_stand_where_they_are_shown() -> None:
    document = read_document(
        book(
            '<table:table-row table:number-rows-repeated="2"/><table:table-header-rows>'
            + row(
                text("甲", ' table:number-rows-spanned="2"'),
                text("乙", ' table:number-columns-spanned="2"'),
                "<table:covered-table-cell><text:p>盖住</text:p></table:covered-table-cell>",
            )
            + "</table:table-header-rows><table:table-row-group>"
            + row("<table:covered-table-cell/>", number(1, attributes=' table:number-columns-repeated="2"'))
            + row("<table:table-cell/>", number(2), number(3), attributes=' table:number-rows-repeated="2"')
            + "</table:table-row-group>"
        )
    )
    (grid,) = grids(document)
    assert [(cell.text, cell.locator[10:], cell.row_span, cell.column_span) for cell in grid.cells if cell.text] == [
        ("甲", "cell=A3", 2, 1),
        ("乙", "cell=B3", 1, 2),
        ("1", "cell=B4", 1, 1),
        ("1", "cell=C4", 1, 1),
        ("2", "cell=B5", 1, 1),
        ("3", "cell=C5", 1, 1),
        ("2", "cell=B6", 1, 1),
        ("3", "cell=C6", 1, 1),
    ]


def test_what_a_merged_cell_covers_is_not_read() -> None:
    covered = "<table:covered-table-cell><text:p>盖住</text:p></table:covered-table-cell>"
    rows = row(text("标题", ' table:number-columns-spanned="2"'), covered) + row(number(1), number(2))
    blocks = read_document(book(rows)).blocks
    assert [block.text if isinstance(block, Paragraph) else "grid" for block in blocks] == ["标题", "grid"]


def test_hidden_rows_columns_and_sheets_are_left_out_and_said() -> None:
    columns = (
        '<table:table-column/><table:table-column-group><table:table-column table:visibility="collapse" '
        'table:number-columns-repeated="2"/></table:table-column-group>'
    )
    cells = [number(value) for value in range(4)]
    rows = row(*cells) + row(*cells, attributes=' table:visibility="filter"')
    assert shown(book(columns + rows)) == ["0", "3"]
    assert codes(book(columns + rows)) == ["hidden_cells"]
    hidden = (
        '<style:style style:name="h" style:family="table"><style:table-properties table:display="false"/></style:style>'
    )
    data = book(row(*cells), styles=hidden, table=' table:style-name="h"')
    assert (read_document(data).blocks, codes(data)) == ((), ["hidden_sheet"])


WIDE = number(1, attributes=' table:number-columns-repeated="700"')


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (row(number(1), attributes=' table:number-rows-repeated="1048576"'), "too_complex"),
        (row(number(1, attributes=' table:number-columns-repeated="16384"')), "too_complex"),
        (row(WIDE, attributes=' table:number-rows-repeated="600"'), "too_complex"),
        ("<table:table-row-group>" * 300 + "</table:table-row-group>" * 300, "too_complex"),
        ("<table:table-row>", "damaged"),
    ],
    ids=["rows", "columns", "cells", "nested", "cut"],
)
def test_what_no_workbook_holds_is_refused(rows: str, code: str) -> None:
    assert refusal(book(rows)) == code


def test_empty_rows_and_columns_may_reach_to_the_end_of_the_world() -> None:
    column = '<table:table-column table:number-columns-repeated="16384" table:visibility="visible"/>'
    end = row(
        '<table:table-cell table:number-columns-repeated="16384"/>', attributes=' table:number-rows-repeated="1048575"'
    )
    assert shown(book(column + row(number(1), number(2)) + end)) == ["1", "2"]
