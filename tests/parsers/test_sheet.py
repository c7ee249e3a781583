"""Spreadsheets: merged ranges, lines of text round tables, numbers as printed, and workbooks that cannot be read."""

from __future__ import annotations

import html
import io
import struct
import zipfile
from pathlib import Path

import pytest
import xlwt

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers.sheet import SheetStyle, write_xls, write_xlsx
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import ole, read_document, sheet, workbook
from parsers.reading import read

REPORT = lay_out(draw_report("sheet", year=2022, mode="distinct"))


def xls(*rows: list[object], merged: list[tuple[int, int, int, int]] = (), hidden: bool = False) -> bytes:  # type: ignore[assignment]
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表;一")
    tops = {(top, left): (bottom, right) for top, bottom, left, right in merged}
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if (row, column) in tops:
                bottom, right = tops[row, column]
                page.write_merge(row, bottom, column, right, value)
            elif value is not None:
                page.write(row, column, value)
    if hidden:
        workbook.add_sheet("可见")
        page.visibility = 1
        workbook.active_sheet = 1
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def grid(document: Document) -> Grid:
    (found,) = [block for block in document.blocks if isinstance(block, Grid)]
    return found


def texts(document: Document) -> list[str]:
    return [block.text if isinstance(block, Paragraph) else "grid" for block in document.blocks]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


@pytest.mark.parametrize("write", [write_xls, write_xlsx])
@pytest.mark.parametrize("style", [SheetStyle(), SheetStyle(sheet_each=True), SheetStyle(as_text=True)], ids=str)
def test_a_report_is_read_whole(write, style) -> None:
    reading = read(write(REPORT, style=style))
    assert {fact.cell: fact.value for fact in reading.facts} == {c: e.value for c, e in REPORT.truth.items()}
    assert {fact.confidence for fact in reading.facts} == {1.0}
    assert (reading.report_year, reading.agency) == (2022, REPORT.agency)
    assert reading.signed_date == REPORT.signed_on.isoformat()


def test_a_fact_is_found_again_by_sheet_and_cell() -> None:
    reading = read(write_xlsx(REPORT, style=SheetStyle(sheet_each=True)))
    (fact,) = [fact for fact in reading.facts if fact.cell == "disclosure.regulations.issued"]
    assert fact.locator == "sheet=表1;cell=B3"


def test_merged_ranges_come_out_once_with_their_spans() -> None:
    document = read_document(xls(["甲", "乙", None], [None, 1, 2], merged=[(0, 1, 0, 0), (0, 0, 1, 2)]))
    found = [(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid(document).cells]
    assert found == [("甲", 0, 0, 2, 1), ("乙", 0, 1, 1, 2), ("1", 1, 1, 1, 1), ("2", 1, 2, 1, 1)]


def test_a_separator_in_a_sheets_name_does_not_part_the_locator() -> None:
    assert grid(read_document(xls(["甲", 1]))).cells[1].locator == "sheet=表；一;cell=B1"


@pytest.mark.parametrize(
    ("value", "text"),
    [(84, "84"), (84.0, "84"), (124.61, "124.61"), (0.1 + 0.2, "0.3"), (1e16, "10000000000000000"), (-5, "-5")],
)
def test_numbers_are_printed_as_a_sheet_prints_them(value: float, text: str) -> None:
    assert grid(read_document(xls(["甲", value]))).cells[1].text == text


FORMATS = [
    (12345, "0.00", "12345.00"),
    (12345, "#,##0", "12,345"),
    (12.345678, "0.00", "12.35"),
    (-1234, "#,##0;[Red]-#,##0", "-1,234"),
    (12, '0"件"', "12件"),
    (12, "0件", "12件"),
    (12, 'General"件"', "12件"),
    (12, '"约"0', "约12"),
    (0.5, "0%", "50%"),
    (0.125, "0.0%", "12.5%"),
    (0, '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ', "-"),
    (7, '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ', "7"),
    (0, '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "-"),
    (7, "0;-0;;@", "7"),
    (12345, "0!.0,", "\ufffc"),
    (12345, "0,", "\ufffc"),
    (12345, ";;;", "\ufffc"),
    (0, "0;-0;;@", "\ufffc"),
    (0, "#", "\ufffc"),
    (12, '[>=10]0.0"万";0', "\ufffc"),
    (12, "[DBNum1]0", "\ufffc"),
    (12, "[White]0", "\ufffc"),
    (12, "[Red]0", "12"),
    (1.5, "# ?/?", "\ufffc"),
    (12345, "0.00E+00", "\ufffc"),
]


@pytest.mark.parametrize(("value", "code", "text"), FORMATS, ids=[f"{value} {code}" for value, code, _ in FORMATS])
def test_a_cell_holds_what_its_number_format_shows(value: float, code: str, text: str) -> None:
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    page.write(0, 0, "甲")
    page.write(0, 1, value, xlwt.easyxf(num_format_str=code))
    page.write(0, 2, value)
    buffer = io.BytesIO()
    workbook.save(buffer)
    old = read_document(buffer.getvalue())
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<numFmts><numFmt numFmtId="180" formatCode="{html.escape(code)}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="180"/></cellXfs></styleSheet>'
    )
    row = f'<row><c t="inlineStr"><is><t>甲</t></is></c><c s="1"><v>{value}</v></c><c><v>{value}</v></c></row>'
    new = read_document(_with_sheet(row, styles=styles))
    for document in (old, new):
        assert [cell.text for cell in grid(document).cells] == ["甲", text, f"{value}"]
        assert ("number_format" in {finding.code for finding in document.findings}) == (text == "\ufffc")


def test_a_number_in_white_ink_is_not_told_unless_a_ground_is_behind_it() -> None:
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<fonts><font/><font><color rgb="FFFFFFFF"/></font><font><color theme="0"/></font>'
        '<font><color rgb="FFFDFEFF"/></font></fonts>'
        '<fills><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="solid"/></fill>'
        "<fill><patternFill/></fill></fills>"
        '<cellXfs><xf fontId="0" fillId="0"/><xf fontId="1" fillId="0"/><xf fontId="2" fillId="0"/>'
        '<xf fontId="2" fillId="1"/><xf fontId="2" fillId="2"/><xf fontId="3" fillId="0"/></cellXfs></styleSheet>'
    )
    row = "".join(f'<c s="{style}"><v>7</v></c>' for style in range(6))
    document = read_document(_with_sheet(f"<row>{row}</row>", styles=styles))
    assert [cell.text for cell in grid(document).cells] == ["7", "\ufffc", "\ufffc", "7", "\ufffc", "\ufffc"]


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("font: colour white", "\ufffc"),
        ("font: colour white; pattern: pattern solid, fore_colour dark_blue", "7"),
        ("font: struck_out on", "\ufffc"),
        ("font: struck_out off, colour red", "7"),
    ],
)
def test_an_old_workbooks_white_or_struck_number_is_not_told(style: str, text: str) -> None:
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    page.write(0, 0, "甲")
    page.write(0, 1, 7, xlwt.easyxf(style))
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert [cell.text for cell in grid(read_document(buffer.getvalue())).cells] == ["甲", text]


@pytest.mark.parametrize(("strike", "text"), [("<strike/>", "\ufffc"), ('<strike val="0"/>', "7")])
def test_a_number_struck_out_is_not_told(strike: str, text: str) -> None:
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<fonts><font/><font>{strike}</font></fonts>"
        '<cellXfs><xf fontId="0"/><xf fontId="1"/></cellXfs></styleSheet>'
    )
    document = read_document(_with_sheet('<row><c s="1"><v>7</v></c><c s="0"><v>8</v></c></row>', styles=styles))
    assert [cell.text for cell in grid(document).cells] == [text, "8"]


def test_numbers_in_a_row_have_their_own_formats() -> None:
    """LibreOffice and Excel write the numbers of a row as one record, xlwt only its blanks."""
    numbers = b"".join(struct.pack("<HI", style, number << 2 | 2) for style, number in ((17, 5), (18, 5), (17, 6)))
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    page.write(0, 0, 5, xlwt.easyxf(num_format_str="0"))
    page.write(1, 0, 5, xlwt.easyxf(num_format_str=";;;"))
    buffer = io.BytesIO()
    workbook.save(buffer)
    stream = ole.stream(buffer.getvalue(), ("Workbook",))
    one = stream.index(struct.pack("<HHHHH", 0x027E, 10, 0, 0, 17))
    many = struct.pack("<HHHH", 0x00BD, 6 + len(numbers), 0, 1) + numbers + struct.pack("<H", 3)
    document = read_document(ole.container("Workbook", stream[:one] + many + stream[one:]))
    assert [cell.text for cell in grid(document).cells][:4] == ["5", "5", "\ufffc", "6"]


def test_zeros_that_a_sheet_does_not_show_are_no_zeros() -> None:
    """Nor are they blanks that the office left: the number is there, and nobody is shown it."""
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    page.show_zero_values = 0
    for column, value in enumerate((0, 7, "0")):
        page.write(0, column, value)
    buffer = io.BytesIO()
    workbook.save(buffer)
    rows = '<row><c><v>0</v></c><c><v>7</v></c><c t="inlineStr"><is><t>0</t></is></c></row>'
    views = '<sheetViews><sheetView showZeros="0" workbookViewId="0"/></sheetViews>'
    for document in (read_document(buffer.getvalue()), read_document(_with_sheet(rows, before=views))):
        assert [cell.text for cell in grid(document).cells] == ["\ufffc", "7", "0"]
        assert [finding.code for finding in document.findings] == ["number_format"]


def test_lines_before_between_and_after_tables_are_paragraphs() -> None:
    document = read_document(
        xls(
            ["标题"],
            ["一、总体情况"],
            ["甲", 1],
            ["乙"],
            ["三、收到和处理政府信息公开申请情况"],
            ["丙", 2],
            [],
            ["署名"],
        )
    )
    assert texts(document) == ["标题", "一、总体情况", "grid", "三、收到和处理政府信息公开申请情况", "grid", "署名"]


def test_a_row_label_without_values_stays_in_its_table() -> None:
    assert [cell.text for cell in grid(read_document(xls(["甲", 1], ["乙"], ["丙", 2]))).cells] == [
        "甲",
        "1",
        "乙",
        "",
        "丙",
        "2",
    ]


def test_a_hidden_sheet_is_left_out_and_said() -> None:
    document = read_document(xls(["甲", 1], hidden=True))
    assert document.blocks == ()
    assert [finding.code for finding in document.findings] == ["hidden_sheet"]


def test_hidden_rows_and_columns_are_left_out_and_said() -> None:
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    for row in range(4):
        for column in range(4):
            page.write(row, column, f"{row}{column}")
    page.row(1).hidden = page.row(1).has_default_height = True
    page.col(2).hidden = True
    buffer = io.BytesIO()
    workbook.save(buffer)
    document = read_document(buffer.getvalue())
    assert [cell.text for cell in grid(document).cells] == ["00", "01", "03", "20", "21", "23", "30", "31", "33"]
    assert [(finding.code, finding.message[:2]) for finding in document.findings] == [("hidden_cells", "7 ")]


def test_rows_and_columns_that_a_workbook_of_today_hides_are_left_out() -> None:
    rows = "".join(
        f'<row r="{row}" hidden="{int(row == 2)}">'
        + "".join(f'<c r="{letter}{row}"><v>{row}{at}</v></c>' for at, letter in enumerate("ABCD"))
        + "</row>"
        for row in (1, 2, 3)
    )
    columns = '<cols><col min="2" max="3" hidden="1"/></cols>'
    document = read_document(
        _with_sheet(rows, before=columns, after='<mergeCells><mergeCell ref="C1:D1"/></mergeCells>')
    )
    # A merged cell shows as long as one of its columns does.
    assert [(cell.text, cell.column) for cell in grid(document).cells] == [("10", 0), ("12", 2), ("30", 0), ("33", 3)]
    assert [finding.code for finding in document.findings] == ["hidden_cells"]


def _rich(runs: str) -> str:
    return f'<c r="B1" t="inlineStr"><is>{runs}</is></c>'


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="B1"><f>SUM(A2:A9)</f></c>', "=SUM(A2:A9)"),
        ('<c r="B1"><f>SUM(A2:A9)</f><v></v></c>', "=SUM(A2:A9)"),
        ('<c r="B1"><f t="shared" si="0"/></c>', "="),
        ('<c r="B1"><f>SUM(A2:A9)</f><v>7</v></c>', "7"),
        # Worked out, and nothing: the sheet shows a blank.
        ('<c r="B1" t="str"><f>IF(A2=0,"",A2)</f><v></v></c>', ""),
        ('<c r="B1" t="e"><f>A1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="B1" t="e"><v>#N/A</v></c>', "#N/A"),
        (_rich('<r><t>21</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>1</t></r>'), "21[1]"),
        (_rich("<r><rPr><strike/></rPr><t>9</t></r><r><t>21</t></r>"), "21"),
        (_rich('<r><rPr><strike val="0"/></rPr><t>2</t></r><r><t>1</t></r>'), "21"),
        (_rich("<r><rPr><b/></rPr><t>2</t></r><r><t>1</t></r>"), "21"),
    ],
    ids=lambda value: None if value.startswith("<") else value or "blank",
)  # fmt: skip
def test_a_cell_holds_what_the_sheet_shows(cell: str, text: str) -> None:
    """A formula that no program has worked out is not blank, nor is an error."""
    rows = f'<row r="1"><c r="A1"><v>1</v></c>{cell}<c r="C1"><v>3</v></c></row>'
    assert [cell.text for cell in grid(read_document(_with_sheet(rows))).cells] == ["1", text, "3"]


def test_a_last_column_of_formulas_without_values_is_not_left_away() -> None:
    rows = (
        '<row><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c><c r="C1"><f>A1+B1</f></c></row><row><c r="C2" t="e"/></row>'
    )
    cells = [(cell.row, cell.column, cell.text) for cell in grid(read_document(_with_sheet(rows))).cells if cell.text]
    assert cells == [(0, 0, "1"), (0, 1, "2"), (0, 2, "=A1+B1"), (1, 2, "#N/A")]


def test_an_old_workbook_says_which_formulas_have_no_result() -> None:
    """xlwt writes formulas without working them out."""
    formula = ole.stream(xls([1, xlwt.Formula("A1+1"), 3]), ("Workbook",))
    assert [cell.text for cell in grid(read_document(xls([1, xlwt.Formula("A1+1"), 3]))).cells] == ["1", "=", "3"]
    result = formula.index(struct.pack("<Q", 0xFFFF000000000003))
    failed = formula[:result] + struct.pack("<Q", 0xFFFF000000170002) + formula[result + 8 :]
    assert [cell.text for cell in grid(read_document(ole.container("Workbook", failed))).cells] == ["1", "#REF!", "3"]


@pytest.mark.parametrize("before", [0, 300, 4100, 4104, 5000], ids=lambda count: f"after {count} letters")
def test_an_old_workbooks_raised_and_struck_digits_never_join_a_number(before: int) -> None:
    """Strings go on over records of 8 kB; where one is cut, its letters begin with their width anew."""
    workbook = xlwt.Workbook()
    page = workbook.add_sheet("表")
    plain, raised, struck = xlwt.Font(), xlwt.Font(), xlwt.Font()
    raised.escapement = xlwt.Font.ESCAPEMENT_SUPERSCRIPT
    struck.struck_out = True
    page.write(0, 0, "甲" * before)
    page.write_rich_text(0, 1, [("12", plain), ("2", raised)])
    page.write_rich_text(0, 2, [("9", struck), ("21", plain)])
    page.write_rich_text(0, 3, [("规章" + "x" * before, plain), ("1", raised)])
    page.write(0, 4, "122")
    page.write_rich_text(0, 5, [("3", plain), ("4", xlwt.Font())])
    buffer = io.BytesIO()
    workbook.save(buffer)
    found = [cell.text for cell in grid(read_document(buffer.getvalue())).cells]
    assert found[-5:] == ["12[2]", "21", "规章" + "x" * before + "[1]", "122", "34"]


def test_columns_are_lettered_as_spreadsheets_do() -> None:
    assert [workbook.column_letters(column) for column in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize("cell", ["XFD1", "A1048576", "B20001", "b20001"])
def test_a_cell_at_the_end_of_the_world_makes_no_room_for_all_before_it(cell: str) -> None:
    assert refusal(_with_sheet(f'<row><c r="{cell}"><v>1</v></c></row>')) == "too_complex"


def test_a_row_that_says_it_is_the_last_is_too_complex() -> None:
    assert refusal(_with_sheet('<row r="1048576"><c><v>1</v></c></row>')) == "too_complex"


def test_a_long_text_that_every_cell_shows_is_too_complex() -> None:
    """Workbooks hold a text once, however many cells show it: 6 kB are 300 million characters."""
    written = xls(*([["甲" * 32_000] * 10] * 40))
    assert len(written) < 200_000
    assert refusal(written) == "too_complex"


def test_the_theme_every_workbook_of_excel_has_holds_no_cells() -> None:
    """Its gradients have an `r` of their own: r="50000"."""
    theme = (
        b'<a:theme xmlns:a="a"><a:path path="circle"><a:fillToRect l="50000" t="-80000" r="50000"/></a:path></a:theme>'
    )
    buffer = io.BytesIO(write_xlsx(REPORT))
    with zipfile.ZipFile(buffer, "a") as package:
        package.writestr("xl/theme/theme1.xml", theme)
    assert read_document(buffer.getvalue()).blocks == read_document(write_xlsx(REPORT)).blocks


def test_a_sheet_that_inflates_without_end_is_a_bomb() -> None:
    assert refusal(_with_sheet("<row><c><v>1</v></c></row>" + " " * (40 << 20))) == "bomb"


def test_an_old_workbook_with_too_many_rows_is_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_ROWS", 3)
    assert refusal(xls(*([row, row] for row in range(5)))) == "too_complex"


def test_cut_workbooks_are_damaged() -> None:
    assert refusal(write_xls(REPORT)[:3000]) == "damaged"
    assert refusal(write_xlsx(REPORT)[:-500]) == "damaged"


_STYLES = (
    '<Relationship Id="r9" Target="styles.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/>'
)


def _with_sheet(rows: str, *, before: str = "", after: str = "", styles: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(write_xlsx(REPORT))) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            body = source.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                body = body[: body.index("<sheetData>")] + f"{before}<sheetData>{rows}</sheetData>{after}</worksheet>"
            if name == "xl/_rels/workbook.xml.rels" and styles:
                body = body.replace("</Relationships>", f"{_STYLES}</Relationships>")
            target.writestr(name, body, zipfile.ZIP_DEFLATED)
        if styles:
            target.writestr("xl/styles.xml", styles, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _patched(kind: int, offset: int, number: bytes) -> bytes:
    """The report as .xls with bytes of its first record of a kind changed."""
    stream = ole.stream(write_xls(REPORT), ("Workbook",))
    at = 0
    while struct.unpack_from("<H", stream, at)[0] != kind:
        at += 4 + struct.unpack_from("<H", stream, at + 2)[0]
    at += 4 + offset
    return ole.container("Workbook", stream[:at] + number + stream[at + len(number) :])


# Each of these ended the process in calamine 0.9.1, which makes room for what a record announces.
@pytest.mark.parametrize(
    ("kind", "offset", "number"),
    [
        pytest.param(0x00FC, 4, b"\xff\xff\xff\x7f", id="strings announced without end"),
        pytest.param(0x0200, 4, b"\xff\xff\xff\x7f", id="rows announced without end"),
        pytest.param(0x00FD, 2, b"\xff\xff", id="a text in the last column of all"),
        pytest.param(0x0085, 0, b"\x01\x00\x00\x00", id="a sheet that begins inside a record"),
    ],
)
def test_numbers_no_workbook_can_hold_are_damage(kind: int, offset: int, number: bytes) -> None:
    assert refusal(_patched(kind, offset, number)) == "damaged"


def test_a_workbook_in_another_container_is_the_same() -> None:
    assert read_document(_patched(0x00FC, 0, b"")).blocks == read_document(write_xls(REPORT)).blocks


def test_a_workbook_that_asks_for_a_password_is_encrypted() -> None:
    stream = ole.stream(write_xls(REPORT), ("Workbook",))
    begin = 4 + struct.unpack_from("<H", stream, 2)[0]
    data = ole.container("Workbook", stream[:begin] + struct.pack("<HHI", 0x2F, 4, 0) + stream[begin:])
    assert refusal(data) == "encrypted"


@pytest.mark.parametrize("size", [10, 4096, 5000, 3_000_000, 9_000_000])
def test_a_stream_comes_back_out_of_its_container(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"\x01" * (size % 256)
    assert ole.stream(ole.container("名", content), ("名",))[:size] == content


def test_small_streams_are_read_from_the_mini_stream() -> None:
    data = (Path(__file__).parents[1] / "fixtures/documents/doc-report/input.doc").read_bytes()
    assert ole.stream(data, ("\x01CompObj",))[4:8] == b"\x03\x0a\x00\x00"


def test_a_chain_that_runs_in_a_circle_is_damaged() -> None:
    data = bytearray(ole.container("名", bytes(20_000)))
    sectors = 4096
    # the third sector of the stream is followed by its first
    data[sectors + 4 * 4 : sectors + 4 * 5] = struct.pack("<I", 2)
    with pytest.raises(UnreadableDocumentError) as refused:
        ole.stream(bytes(data), ("名",))
    assert refused.value.code == "damaged"
