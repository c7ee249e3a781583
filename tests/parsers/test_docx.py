"""docx: merged and wrapped cells, tracked changes, and packages that cannot be read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx as python_docx
import pytest
from written_docx import docx, p, tbl, tc, tr

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import docx as reader
from parsers.readers import ooxml, read_document

SHARED = Path(__file__).parents[2].parent / "shared"
Place = tuple[str, int, int, int, int]


def grids(document: Document) -> list[Grid]:
    return [block for block in document.blocks if isinstance(block, Grid)]


def places(grid: Grid) -> list[Place]:
    return [(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid.cells]


def texts(document: Document) -> list[str]:
    return [block.text if isinstance(block, Paragraph) else "grid" for block in document.blocks]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


def test_merged_cells_come_out_once_with_their_spans() -> None:
    table = tbl(
        tr(tc("申请人情况", span=3)),
        tr(tc("三、办理结果", merge="restart"), tc("（一）予以公开"), tc("17")),
        tr(tc(merge="continue"), tc("（二）部分公开"), tc("2,308")),
        tr(tc("四、结转"), tc("", span=2)),
    )
    (grid,) = grids(reader.read(docx(table)))
    assert places(grid) == [
        ("申请人情况", 0, 0, 1, 3),
        ("三、办理结果", 1, 0, 2, 1),
        ("（一）予以公开", 1, 1, 1, 1),
        ("17", 1, 2, 1, 1),
        ("（二）部分公开", 2, 1, 1, 1),
        ("2,308", 2, 2, 1, 1),
        ("四、结转", 3, 0, 1, 1),
        ("", 3, 1, 1, 2),
    ]
    assert grid.cells[3].locator == "table=1;row=2;column=3"


def test_tables_of_python_docx_read_alike() -> None:
    written = python_docx.Document()
    written.core_properties.title = "青石县年度报告"
    written.add_heading("一、总体情况", level=2)
    table = written.add_table(rows=2, cols=3)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "规章"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "件数"
    table.cell(1, 1).text, table.cell(1, 2).text = "4", "5"
    buffer = io.BytesIO()
    written.save(buffer)
    document = reader.read(buffer.getvalue())
    heading, grid = document.blocks
    assert isinstance(heading, Paragraph)
    assert isinstance(grid, Grid)
    assert (heading.text, heading.level, heading.locator) == ("一、总体情况", 2, "paragraph=1")
    assert places(grid) == [("规章", 0, 0, 2, 1), ("件数", 0, 1, 1, 2), ("4", 1, 1, 1, 1), ("5", 1, 2, 1, 1)]
    assert document.title == "青石县年度报告"


def test_a_phantom_grid_column_does_not_move_cells_or_break_merges() -> None:
    table = tbl(
        tr(tc("结果维持", span=2, merge="restart"), tc("总计"), tc("甲")),
        tr(tc(merge="continue"), tc("1", span=2), tc("2")),
    )
    (grid,) = grids(reader.read(docx(table)))
    assert [cell.text for cell in grid.cells] == ["结果维持", "总计", "甲", "1", "2"]
    assert grid.cells[0].row_span == 2


def test_a_merge_continues_although_its_column_is_one_off() -> None:
    table = tbl(
        tr(tc("甲"), tc("三、办理结果", merge="restart"), tc("1")),
        tr(tc("乙", span=2), tc(merge="continue"), tc("2")),
    )
    (grid,) = grids(reader.read(docx(table)))
    assert [(cell.text, cell.row_span) for cell in grid.cells] == [
        ("甲", 1),
        ("三、办理结果", 2),
        ("1", 1),
        ("乙", 1),
        ("2", 1),
    ]


def test_rows_and_cells_in_content_controls_are_kept() -> None:
    def wrapped(content: str) -> str:
        return f"<w:sdt><w:sdtPr/><w:sdtContent>{content}</w:sdtContent></w:sdt>"

    table = tbl(tr(tc("规章"), wrapped(tc("3"))), wrapped(tr(tc("行政许可"), tc("677"))))
    document = reader.read(docx(wrapped(p("一、总体情况") + table)))
    assert texts(document) == ["一、总体情况", "grid"]
    assert [cell.text for cell in grids(document)[0].cells] == ["规章", "3", "行政许可", "677"]


def test_tracked_deletions_are_dropped_and_insertions_kept() -> None:
    changed = (
        "<w:p><w:del><w:r><w:delText>13,444</w:delText></w:r></w:del><w:ins><w:r><w:t>30,000</w:t></w:r></w:ins></w:p>"
    )
    deleted_row = tr(tc("旧"), tc("9"), properties="<w:trPr><w:del/></w:trPr>")
    document = reader.read(docx(tbl(tr(tc("受理"), f"<w:tc>{changed}</w:tc>"), deleted_row)))
    assert [cell.text for cell in grids(document)[0].cells] == ["受理", "30,000"]
    assert [finding.code for finding in document.findings] == ["deleted_text"]


def test_hidden_and_struck_runs_are_not_printed() -> None:
    runs = (
        "<w:p><w:r><w:t>申请</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>内部</w:t></w:r>"
        "<w:r><w:rPr><w:strike/></w:rPr><w:t>7</w:t></w:r>"
        '<w:r><w:rPr><w:strike w:val="0"/></w:rPr><w:t>8件</w:t></w:r></w:p>'
    )
    document = reader.read(docx(runs))
    assert texts(document) == ["申请8件"]
    assert sorted(finding.code for finding in document.findings) == ["hidden_text", "struck_text"]


@pytest.mark.parametrize(("setting", "count"), [("<w:hidden/>", 1), ('<w:hidden w:val="0"/>', 2)])
def test_a_hidden_row_is_not_printed(setting: str, count: int) -> None:
    hidden = tr(tc("办结"), tc("6"), properties=f"<w:trPr>{setting}</w:trPr>")
    document = reader.read(docx(tbl(tr(tc("受理"), tc("5")), hidden)))
    assert len(grids(document)[0].cells) == 2 * count
    assert [finding.code for finding in document.findings] == ["hidden_text"] * (2 - count)


@pytest.mark.parametrize("way", ["superscript", "subscript"])
def test_a_raised_or_lowered_note_mark_never_joins_its_number(way: str) -> None:
    note = f'<w:p><w:r><w:t>21</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="{way}"/></w:rPr><w:t>1</w:t></w:r></w:p>'
    assert texts(reader.read(docx(note))) == ["21[1]"]


@pytest.mark.parametrize(("points", "text"), [("6", "21[1]"), ("-6", "21[1]"), ("1", "211"), ("0", "211")])
def test_a_run_moved_off_its_line_is_a_note_mark(points: str, text: str) -> None:
    note = f'<w:p><w:r><w:t>21</w:t></w:r><w:r><w:rPr><w:position w:val="{points}"/></w:rPr><w:t>1</w:t></w:r></w:p>'
    assert texts(reader.read(docx(note))) == [text]


WHITE = '<w:color w:val="FFFFFF"/>'
BLUE = '<w:shd w:val="clear" w:color="auto" w:fill="1F4E79"/>'


@pytest.mark.parametrize(
    ("runs", "cell", "text"),
    [
        (("", "1", WHITE, "3"), "", "1\ufffc"),
        (('<w:color w:val="ffffff" w:themeColor="background1"/>', "3"), "", "\ufffc"),
        ((WHITE, "3"), '<w:shd w:val="clear" w:color="auto" w:fill="FFFFFF"/>', "\ufffc"),
        ((WHITE, "3"), '<w:shd w:val="clear" w:color="auto" w:fill="auto"/>', "\ufffc"),
        ((WHITE, "3"), BLUE, "3"),
        ((WHITE + BLUE, "3"), "", "3"),
        ((WHITE, "总计"), "", "总计"),
        (('<w:color w:val="FF0000"/>', "3"), "", "3"),
        (('<w:color w:val="FEFEfe"/>', "3"), "", "\ufffc"),
        (('<w:color w:val="F0F0F0"/>', "3"), "", "3"),
    ],
)
def test_a_number_in_white_ink_is_not_told_unless_a_ground_is_behind_it(
    runs: tuple[str, ...], cell: str, text: str
) -> None:
    written = "".join(
        f"<w:r><w:rPr>{look}</w:rPr><w:t>{part}</w:t></w:r>" for look, part in zip(runs[::2], runs[1::2], strict=True)
    )
    printed = f"<w:tc><w:tcPr>{cell}</w:tcPr><w:p>{written}</w:p></w:tc>"
    document = reader.read(docx(p(text="标题") + tbl(tr(tc("规章"), printed, tc("5")))))
    assert [found.text for found in grids(document)[0].cells] == ["规章", text, "5"]
    assert [finding.code for finding in document.findings] == ["white_number"] * ("\ufffc" in text)


def test_white_letters_in_a_title_are_read() -> None:
    assert texts(reader.read(docx(f"<w:p><w:r><w:rPr>{WHITE}</w:rPr><w:t>2022</w:t></w:r></w:p>"))) == ["2022"]


DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
MATHS = "http://schemas.openxmlformats.org/officeDocument/2006/math"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (f'<w:r><w:drawing><wp:inline xmlns:wp="{DRAWN}"/></w:drawing></w:r>', "\ufffc"),
        ('<w:r><w:pict><v:shape xmlns:v="v" style="width:9pt"/></w:pict></w:r>', "\ufffc"),
        ("<w:r><w:object/></w:r>", "\ufffc"),
        (f'<m:oMath xmlns:m="{MATHS}"><m:r><m:t>5</m:t></m:r></m:oMath>', "\ufffc"),
        ('<w:r><w:sym w:font="Wingdings" w:char="F035"/></w:r>', "\ufffc"),
        ("<w:r><w:t>5</w:t></w:r><w:r><w:sym/></w:r>", "5\ufffc"),
        (f'<w:r><w:t>5</w:t></w:r><m:oMath xmlns:m="{MATHS}"><m:r><m:t>5</m:t></m:r></m:oMath>', "5\ufffc"),
        # A sign that old versions of Word print otherwise.
        (
            '<w:r><mc:AlternateContent><mc:Choice Requires="w16se"/><mc:Fallback><w:t>5</w:t></mc:Fallback>'
            "</mc:AlternateContent></w:r>",
            "5",
        ),
        # A formula of Word's that was never worked out.
        ("<w:r><w:instrText>=SUM(ABOVE)</w:instrText></w:r>", "\ufffc"),
        ('<w:fldSimple w:instr="=SUM(ABOVE)"><w:r><w:t>5</w:t></w:r></w:fldSimple>', "5"),
        # A seal that floats over the page, and a picture that was deleted.
        (f'<w:r><w:drawing><wp:anchor xmlns:wp="{DRAWN}"/></w:drawing></w:r>', ""),
        ('<w:r><w:pict><v:shape xmlns:v="v" style="position:absolute;left:0"/></w:pict></w:r>', ""),
        ('<w:del w:id="1"><w:r><w:object/></w:r></w:del>', ""),
    ],
)
def test_what_a_cell_shows_in_place_of_text_is_not_nothing(shown: str, text: str) -> None:
    cell = f"<w:tc><w:tcPr/><w:p>{shown}</w:p></w:tc>"
    (grid,) = grids(reader.read(docx(tbl(tr(tc("规章"), cell, tc("3"))))))
    assert [found.text for found in grid.cells] == ["规章", text, "3"]


@pytest.mark.parametrize(
    ("style", "own", "text"),
    [
        ('<w:vertAlign w:val="superscript"/>', "", "21[1]"),
        ('<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="baseline"/>', "211"),
        ("<w:vanish/>", "", "21"),
        ("<w:vanish/>", '<w:vanish w:val="0"/>', "211"),
        ("<w:b/>", "", "211"),
    ],
)
def test_a_style_of_characters_raises_and_hides_them(style: str, own: str, text: str) -> None:
    run = f'<w:r><w:rPr><w:rStyle w:val="mark"/>{own}</w:rPr><w:t>1</w:t></w:r>'
    cell = f"<w:tc><w:tcPr/><w:p><w:r><w:t>21</w:t></w:r>{run}</w:p></w:tc>"
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f'<w:style w:type="character" w:styleId="mark"><w:rPr>{style}</w:rPr></w:style></w:styles>'
    )
    (grid,) = grids(reader.read(docx(tbl(tr(tc("规章"), cell)), {"word/styles.xml": styles})))
    assert grid.cells[1].text == text


SCANNED = (
    '<w:p><w:r><w:drawing><wp:inline xmlns:wp="wp"><a:blip '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="r{number}"/>'
    "</wp:inline></w:drawing></w:r></w:p>"
)


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        # Scans of a report's pages, put into a document.
        (p("年度报告") + SCANNED.format(number=1) + SCANNED.format(number=2), ["pictures_not_read"]),
        (tbl(tr(tc("规章"), tc("3"))) + SCANNED.format(number=1), []),
        ('<w:altChunk w:id="r1"/>', ["foreign_part"]),
        (p("年度报告"), []),
    ],
)
def test_what_is_not_text_is_said_not_to_be_read(body: str, codes: list[str]) -> None:
    assert [finding.code for finding in reader.read(docx(body)).findings] == codes


def test_runs_join_and_breaks_end_lines() -> None:
    runs = "<w:p><w:r><w:t>20</w:t></w:r><w:r><w:t>23年</w:t><w:br/><w:t>报告</w:t><w:tab/><w:t>件</w:t></w:r></w:p>"
    assert texts(reader.read(docx(runs))) == ["2023年\n报告\t件"]


def test_field_results_are_text_and_field_codes_are_not() -> None:
    field = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>'
        "<w:r><w:t>4</w:t></w:r><w:hyperlink><w:r><w:t>页</w:t></w:r></w:hyperlink></w:p>"
    )
    assert texts(reader.read(docx(field))) == ["4页"]


def test_a_text_box_is_read_once_after_its_paragraph() -> None:
    box = f"<w:txbxContent>{p('框内文字')}</w:txbxContent>"
    drawing = (
        "<mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>" + box + "</wps:txbx></w:drawing></mc:Choice>"
        "<mc:Fallback><w:pict><v:textbox>" + box + "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent>"
    )
    document = reader.read(docx(f"<w:p><w:r><w:t>正文</w:t>{drawing}</w:r></w:p>"))
    assert texts(document) == ["正文", "框内文字"]


def test_a_table_inside_a_cell_is_a_grid_of_its_own_after_the_outer() -> None:
    inner = tbl(tr(tc("规章"), tc("1")))
    outer = tbl(tr(tc("甲"), f"<w:tc>{p('说明')}{inner}</w:tc>"), tr(tc("乙"), tc("2")))
    document = reader.read(docx(outer))
    assert [[cell.text for cell in grid.cells] for grid in grids(document)] == [
        ["甲", "说明", "乙", "2"],
        ["规章", "1"],
    ]
    assert [grid.locator for grid in grids(document)] == ["table=1", "table=2"]


def test_a_box_round_paragraphs_is_text() -> None:
    document = reader.read(docx(tbl(tr(f"<w:tc>{p('第一段')}{p('第二段')}</w:tc>"))))
    assert texts(document) == ["第一段", "第二段"]


def test_cells_left_out_before_a_row_shift_its_columns() -> None:
    before = '<w:trPr><w:gridBefore w:val="2"/></w:trPr>'
    (grid,) = grids(reader.read(docx(tbl(tr(tc("甲"), tc("乙"), tc("丙")), tr(tc("3"), properties=before)))))
    assert places(grid)[-1] == ("3", 1, 2, 1, 1)


def test_impossible_spans_are_cut_and_reported() -> None:
    document = reader.read(docx(tbl(tr(tc("甲", span=99_999_999), tc("乙")))))
    assert grids(document)[0].cells[0].column_span == 100
    assert [finding.code for finding in document.findings] == ["span_clamped"]


def test_what_only_looks_like_formatting_is_text() -> None:
    data = docx(p("", '<w:r><w:rPr><w:sz w:val="21"/><w:b/></w:rPr><w:t><![CDATA[<w:b/>]]></w:t></w:r>'))
    assert texts(reader.read(data)) == ["<w:b/>"]


def test_styles_of_tables_and_characters_do_not_hide_those_of_paragraphs() -> None:
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:style w:type="table" w:styleId="a"><w:name w:val="Grid"/><w:pPr><w:outlineLvl w:val="5"/></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="b"><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
        '<w:style w:styleId="c" w:type="character"><w:name w:val="heading 3"/></w:style></w:styles>'
    )
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{name}"/></w:pPr><w:r><w:t>{name}</w:t></w:r></w:p>' for name in "abc"
    )
    document = reader.read(docx(body, {"word/styles.xml": styles}))
    assert [block.level for block in document.blocks if isinstance(block, Paragraph)] == [None, 2, None]


def test_strict_documents_read_alike() -> None:
    data = docx(tbl(tr(tc("规章"), tc("3"))))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    strict = parts["word/document.xml"].replace(
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    )
    document = reader.read(docx("", {"word/document.xml": strict}))
    assert [cell.text for cell in grids(document)[0].cells] == ["规章", "3"]


def test_a_docx_that_is_no_zip_is_damaged() -> None:
    whole = docx(p("正文"))
    assert refusal(whole[: len(whole) // 2]) == "damaged"
    with pytest.raises(UnreadableDocumentError) as refused:
        reader.read("只是改了名字的文本".encode())
    assert refused.value.code == "damaged"


def test_a_package_without_its_main_part_or_with_cut_xml_is_damaged() -> None:
    assert refusal(docx("<w:p><w:r><w:t>没有结尾")) == "damaged"
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("word/styles.xml", "<styles/>")
    assert refusal(empty.getvalue()) == "damaged"


def test_an_encrypted_package_says_so() -> None:
    marked = bytearray(docx(p("正文")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = marked.find(signature)
        while start >= 0:
            marked[start + offset] |= 1
            start = marked.find(signature, start + 1)
    assert refusal(bytes(marked)) == "encrypted"
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage\0".encode("utf-16-le") + bytes(100)
    assert refusal(ole) == "encrypted"


def test_a_part_that_inflates_without_end_is_a_bomb() -> None:
    assert refusal(docx(p("零" * 4_000_000))) == "bomb"


def test_a_part_larger_than_the_limit_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ooxml, "MAX_PART_BYTES", 1000)
    assert refusal(docx("".join(p(f"第{number}段") for number in range(500)))) == "too_large"


def test_entities_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("不可外传")
    doctype = f'<!DOCTYPE x [<!ENTITY a "{"十" * 50}"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    document = reader.read(docx(p("见&f;&b;附件"), head=doctype))
    assert "不可外传" not in "".join(texts(document))
    assert "十" not in "".join(texts(document))


@pytest.mark.parametrize("depth", [30, 3000])
def test_nesting_beyond_any_document_is_refused(depth: int) -> None:
    body = "<w:tbl><w:tr><w:tc/><w:tc>" * depth + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * depth
    assert refusal(docx(body)) == "too_complex"


NUMBERING = (
    '<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="（%1.%2）"/></w:lvl>'
    "</w:abstractNum>"
    '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="●"/></w:lvl>'
    "</w:abstractNum>"
    '<w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="6"><w:abstractNumId w:val="1"/></w:num>'
    "</w:numbering>"
)


def listed(text: str, number_id: int, level: int = 0) -> str:
    return p(text, f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number_id}"/></w:numPr></w:pPr>')


def test_numbers_of_automatic_lists_are_printed_and_so_read() -> None:
    body = "".join(
        (
            listed("总体情况", 5),
            listed("公开", 5, 1),
            listed("管理", 5, 1),
            listed("主动公开", 5),
            listed("申请", 5, 1),
            listed("点", 6),
            listed("无此列表", 9),
        )
    )
    document = reader.read(docx(body, {"word/numbering.xml": NUMBERING}))
    assert texts(document) == [
        "一、总体情况",
        "（一.1）公开",
        "（一.2）管理",
        "二、主动公开",
        "（二.1）申请",
        "点",
        "无此列表",
    ]


def test_an_automatic_number_never_joins_a_number_in_a_cell() -> None:
    row = tr(f"<w:tc>{listed('属于国家秘密', 5)}</w:tc>", f"<w:tc>{listed('26', 5)}</w:tc>")
    document = reader.read(docx(tbl(row), {"word/numbering.xml": NUMBERING}))
    assert [cell.text for cell in grids(document)[0].cells] == ["一、属于国家秘密", "26"]


BLANK = SHARED / "real" / "form-2021-blank.docx"


@pytest.mark.skipif(not BLANK.exists(), reason=f"{BLANK} is not here")
def test_the_blank_form_of_wps_has_three_tables() -> None:
    found = grids(reader.read(BLANK.read_bytes()))
    assert [len(grid.cells) for grid in found] == [30, 215, 34]
    assert [cell.text for cell in found[1].cells if cell.row == 7] == ["（三）不予公开", "1.属于国家秘密", *[""] * 7]
    assert next(cell.row_span for cell in found[1].cells if cell.text == "三、本年度办理结果") == 22
