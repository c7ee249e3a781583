"""Text PDFs: ruled tables of several producers, page ends, turned pages, and files that cannot be read."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from drawn_pdf import FONT, HEIGHT, WIDTH, Drawn, pdf, plain, table, text
from reportlab.lib.colors import CMYKColor, Color
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import pdf as reader
from parsers.readers import pdf_grid, pdf_page

SHARED = Path(__file__).parents[2].parent / "shared"

# 青石县 is invented; so are its numbers.
MERGED = [
    Drawn("申请人情况", 0, 0, 1, 3),
    Drawn("三、\n办理\n结果", 1, 0, 3, 1),
    Drawn("（一）予以公开", 1, 1),
    Drawn("17", 1, 2),
    Drawn("（二）部分公开", 2, 1),
    Drawn("2,308", 2, 2),
    Drawn("（三）", 3, 1),
    Drawn("", 3, 2),
]
WIDTHS = (60, 150, 70)


def grids(document: Document) -> list[Grid]:
    return [block for block in document.blocks if isinstance(block, Grid)]


def paragraphs(document: Document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Paragraph)]


def rows(grid: Grid) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        found.setdefault(cell.row, []).append(cell.text)
    return list(found.values())


def box(locator: str) -> list[float]:
    return [float(number) for number in locator.partition("box=")[2].split(",")]


@pytest.mark.parametrize("rules", ["strokes", "hairlines", "boxes", "pieces"])
def test_merged_cells_come_out_once_with_their_spans_however_the_lines_are_drawn(rules: str) -> None:
    (grid,) = grids(reader.read(pdf(lambda page: table(page, MERGED, widths=WIDTHS, rules=rules))))
    assert [(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid.cells] == [
        ("申请人情况", 0, 0, 1, 3),
        ("三、\n办理\n结果", 1, 0, 3, 1),
        ("（一）予以公开", 1, 1, 1, 1),
        ("17", 1, 2, 1, 1),
        ("（二）部分公开", 2, 1, 1, 1),
        ("2,308", 2, 2, 1, 1),
        ("（三）", 3, 1, 1, 1),
        ("", 3, 2, 1, 1),
    ]


def test_a_cell_says_on_which_page_and_where_it_stands() -> None:
    blank = pdf(lambda page: text(page, 80, 80, "封面"), lambda page: table(page, MERGED, widths=WIDTHS))
    (grid,) = grids(reader.read(blank))
    locator = grid.cells[3].locator
    assert locator.startswith("page=2;box=")
    assert box(locator) == pytest.approx([290, 124, 360, 148], abs=1)


def test_text_round_a_table_keeps_its_place_and_page_numbers_are_left_out() -> None:
    def draw(page: Canvas) -> None:
        text(page, 80, 60, "二、主动公开情况")
        table(page, MERGED, widths=WIDTHS)
        text(page, 80, 300, "五、主要问题")
        text(page, 280, 800, "— 3 —")

    blocks = reader.read(pdf(draw)).blocks
    assert [block.text if isinstance(block, Paragraph) else "grid" for block in blocks] == [
        "二、主动公开情况",
        "grid",
        "五、主要问题",
    ]


def test_a_table_without_bottom_line_goes_on_overleaf_in_the_same_grid() -> None:
    upper = plain([["规章", "0", "1", "2"], ["行政规范性文件", "3", "4", "5"]])
    lower = [Drawn("行政许可", 0, 0), Drawn("677", 0, 1, 1, 3)]
    document = reader.read(
        pdf(
            lambda page: table(page, upper, top=740, widths=(100, 60, 60, 60), bottom_line=False),
            lambda page: table(page, lower, top=70, widths=(100, 60, 60, 60), top_line=False),
        )
    )
    (grid,) = grids(document)
    assert rows(grid) == [["规章", "0", "1", "2"], ["行政规范性文件", "3", "4", "5"], ["行政许可", "677"]]
    assert [cell.row for cell in grid.cells][-1] == 2
    assert (grid.cells[-1].column, grid.cells[-1].column_span) == (1, 3)
    assert grid.cells[-1].locator.startswith("page=2;")


def test_a_row_cut_by_the_page_end_stays_two_rows_each_on_its_page() -> None:
    document = reader.read(
        pdf(
            lambda page: table(page, plain([["（二）部分公", "2,7"]]), top=760, widths=(150, 60)),
            lambda page: table(page, plain([["开", "31"], ["（三）不予公开", "8"]]), top=70, widths=(150, 60)),
        )
    )
    (grid,) = grids(document)
    assert rows(grid) == [["（二）部分公", "2,7"], ["开", "31"], ["（三）不予公开", "8"]]
    assert [cell.locator[:6] for cell in grid.cells] == ["page=1"] * 2 + ["page=2"] * 4


def test_tables_of_other_width_or_with_text_between_stay_apart() -> None:
    def lower(page: Canvas) -> None:
        text(page, 80, 60, "四、行政复议情况")
        table(page, plain([["结果维持", "1"]]), top=100, widths=(100, 60))

    document = reader.read(
        pdf(
            lambda page: table(page, plain([["规章", "0"]]), top=740, widths=(100, 60)),
            lower,
            lambda page: table(page, plain([["总计", "9"]]), top=70, widths=(100, 90)),
        )
    )
    assert [rows(grid) for grid in grids(document)] == [[["规章", "0"]], [["结果维持", "1"]], [["总计", "9"]]]


def test_a_box_round_a_paragraph_is_text() -> None:
    document = reader.read(pdf(lambda page: table(page, [Drawn("本报告由青石县编制", 0, 0)], widths=(300,))))
    assert grids(document) == []
    assert paragraphs(document) == ["本报告由青石县编制"]


def test_a_table_beside_a_narrower_one_below_has_no_cells_outside_its_lines() -> None:
    cells = [Drawn("甲", 0, 0), Drawn("乙", 0, 1), Drawn("丙", 0, 2), Drawn("丁", 1, 0), Drawn("戊", 1, 1)]
    (grid,) = grids(reader.read(pdf(lambda page: table(page, cells, widths=(60, 60, 60)))))
    assert rows(grid) == [["甲", "乙", "丙"], ["丁", "戊"]]


def test_digits_set_one_by_one_are_one_number_and_far_apart_ones_are_two() -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", ""], ["办结", ""]]), widths=(100, 120))
        for x, digit in ((200, "3"), (207, "1"), (212, "1"), (217, "9")):
            page.setFont(FONT, 10)
            page.drawString(x, HEIGHT - 116, digit)
        for x, digit in ((200, "4"), (260, "5")):
            page.drawString(x, HEIGHT - 140, digit)

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid) == [["受理", "3119"], ["办结", "4\t5"]]


def test_a_raised_note_mark_never_joins_its_number() -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", ""], ["办结", "6"]]), widths=(100, 120))
        page.setFont(FONT, 10)
        page.drawString(200, HEIGHT - 116, "21")
        page.setFont(FONT, 5)
        page.drawString(210.5, HEIGHT - 111, "1")

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid)[0] == ["受理", "21[1]"]


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        # Bold type and shadows of printers that draw everything twice.
        ([("67", 0.0, 0.0), ("67", 1.2, -1.2)], "67"),
        ([("4", 0.0, 0.0), ("4", 1.3, 0.0)], "4"),
        ([("11", 0.0, 0.0), ("11", 0.8, -1.5)], "11"),
        # A number typed over another that was painted white: which of them is seen is not told.
        ([("5", 0.0, 0.0), ("8", 0.5, 0.0)], "5\ufffc8"),
        ([("5", 0.0, 0.0), ("12", -2.5, 0.0)], "1\ufffc5\ufffc2"),
    ],
)
def test_characters_printed_over_each_other_never_make_a_longer_number(
    drawn: list[tuple[str, float, float]], shown: str
) -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", ""], ["办结", "6"]]), widths=(100, 120))
        page.setFont(FONT, 10)
        for number, x, y in drawn:
            page.drawString(200 + x, HEIGHT - 116 + y, number)

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid)[0] == ["受理", shown]


@pytest.mark.parametrize(
    ("ink", "rotate", "row", "codes"),
    [
        ((1, 1, 1), 0, ["受理", "\ufffc", "5"], ["white_number"]),
        ((0, 0, 0, 0), 0, ["受理", "\ufffc", "5"], ["white_number"]),
        ((1, 1, 1), 90, ["受理", "\ufffc", "5"], ["white_number"]),
        ((0.9, 0.9, 0.9), 0, ["受理", "9", "5"], []),
    ],
)
def test_a_number_in_white_ink_is_not_told(
    ink: tuple[float, ...], rotate: int, row: list[str], codes: list[str]
) -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", "", "5"], ["办结", "6", "7"]]), widths=(100, 80, 60))
        page.setFillColor(CMYKColor(*ink) if len(ink) == 4 else Color(*ink))
        page.drawString(215, HEIGHT - 116, "9")
        # A heading on a dark ground.
        page.drawString(100, HEIGHT - 240, "2022年报")

    document = reader.read(pdf(draw, rotate=rotate))
    assert rows(grids(document)[0])[0] == row
    assert paragraphs(document) == ["2022年报"]
    assert [finding.code for finding in document.findings] == codes


@pytest.mark.parametrize(
    ("ground", "before", "row", "codes"),
    [
        ((1, 1, 1), False, ["受理", "\ufffc"], ["white_number"]),
        ((1, 1, 1), True, ["受理", "9"], []),
        ((0.8, 0.9, 1), False, ["受理", "9"], []),
    ],
)
def test_a_number_painted_over_with_white_is_not_told(
    ground: tuple[float, ...], before: bool, row: list[str], codes: list[str]
) -> None:
    def paint(page: Canvas) -> None:
        page.setFillColor(Color(*ground))
        page.rect(200, HEIGHT - 122, 40, 20, stroke=0, fill=1)
        page.setFillGray(0)

    def draw(page: Canvas) -> None:
        if before:
            paint(page)
        table(page, plain([["受理", "9"], ["办结", "6"]]), widths=(100, 80))
        if not before:
            paint(page)

    document = reader.read(pdf(draw))
    assert rows(grids(document)[0]) == [row, ["办结", "6"]]
    assert [finding.code for finding in document.findings] == codes


@pytest.mark.parametrize(("off", "confidence"), [(b"99 0 R", 0.5), (b"", 1.0)])
def test_nothing_is_sure_where_layers_are_switched_off(off: bytes, confidence: float) -> None:
    data = pdf(lambda page: table(page, plain([["受理", "9"], ["办结", "6"]]), widths=(100, 80)))
    layers = b"/OCProperties << /OCGs [99 0 R] /D << /OFF [ %s ] >> >> /Type /Catalog" % off
    assert data.count(b"/Type /Catalog") == 1
    document = reader.read(data.replace(b"/Type /Catalog", layers))
    assert {cell.confidence for cell in grids(document)[0].cells} == {confidence}
    assert [finding.code for finding in document.findings] == ["hidden_layers"] * (confidence < 1)


def test_white_print_on_dark_paper_is_read() -> None:
    def draw(page: Canvas) -> None:
        page.setFillGray(0)
        page.rect(0, 0, WIDTH, HEIGHT, fill=1)
        page.setFillGray(1)
        page.setStrokeGray(1)
        table(page, plain([["受理", "9"], ["办结", "6"]]), widths=(100, 80))

    assert rows(grids(reader.read(pdf(draw)))[0]) == [["受理", "9"], ["办结", "6"]]


@pytest.mark.parametrize("x", [WIDTH - 14, WIDTH - 9, WIDTH - 6])
def test_a_number_whose_end_runs_off_the_paper_is_no_shorter_one(x: float) -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", "5"], ["办结", "6"]]), left=395, widths=(100, 80))
        for y in (100, 124, 148):
            page.line(575, HEIGHT - y, WIDTH, HEIGHT - y)
        page.setFont("Helvetica", 10)
        page.drawString(x, HEIGHT - 116, "307")

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid)[0] == ["受理", "5", "307"]


def test_a_number_that_runs_over_a_line_is_neither_cells() -> None:
    def draw(page: Canvas) -> None:
        table(page, plain([["受理", "", ""], ["办结", "6", "7"]]), widths=(100, 40, 40))
        page.setFont("Helvetica", 10)
        page.drawString(206, HEIGHT - 116, "30712")

    document = reader.read(pdf(draw))
    assert rows(grids(document)[0]) == [["受理", "30\ufffc", "\ufffc2"], ["办结", "6", "7"]]
    assert [finding.code for finding in document.findings] == ["number_over_line"]


def test_a_table_of_two_columns_that_is_open_at_its_sides_is_one() -> None:
    def draw(page: Canvas) -> None:
        for y in (100, 124, 148):
            page.line(80, HEIGHT - y, 380, HEIGHT - y)
        page.line(230, HEIGHT - 100, 230, HEIGHT - 148)
        for y, (label, number) in ((116, ("行政许可", "69")), (140, ("行政强制", "7"))):
            page.drawString(100, HEIGHT - y, label)
            page.drawString(300, HEIGHT - y, number)

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid) == [["行政许可", "69"], ["行政强制", "7"]]


def test_a_watermark_over_a_table_is_left_out_and_reported() -> None:
    def draw(page: Canvas) -> None:
        table(page, MERGED, widths=WIDTHS)
        page.setFont(FONT, 60)
        page.drawString(90, HEIGHT - 190, "青石8")

    document = reader.read(pdf(draw))
    assert rows(grids(document)[0])[1] == ["三、\n办理\n结果", "（一）予以公开", "17"]
    assert [finding.code for finding in document.findings] == ["watermark"]


def test_lines_become_paragraphs_across_the_page_end() -> None:
    long = "青石县坚持以公开为常态不公开为例外的原则推进政务公开工作"
    document = reader.read(
        pdf(
            lambda page: text(page, 80, 60, "　　" + long[:26], long[:28], long[:28]),
            lambda page: text(page, 80, 60, long[:28], "完成。", "　　" + "另起一段。"),
        )
    )
    assert [printed.strip("　") for printed in paragraphs(document)] == [
        long[:26] + long[:28] * 3 + "完成。",
        "另起一段。",
    ]


def test_a_title_in_larger_type_is_a_heading_of_its_own_lines() -> None:
    def draw(page: Canvas) -> None:
        text(page, 200, 60, "青石县人民政府", "2023年年度报告", size=20, leading=28)
        text(page, 80, 150, "本报告由青石县人民政府办公室编制，全文共分六个部分。", "数据截至年底。")

    first = reader.read(pdf(draw)).blocks[0]
    assert isinstance(first, Paragraph)
    assert (first.text, first.level) == ("青石县人民政府\n2023年年度报告", 1)


def test_a_head_that_returns_on_every_page_is_left_out() -> None:
    def draw(page: Canvas) -> None:
        text(page, 80, 30, "青石县政务公开")
        text(page, 80, 400, "正文。")

    assert paragraphs(reader.read(pdf(draw, draw, draw))) == ["正文。", "正文。", "正文。"]


def turned(page: Canvas) -> None:
    """A landscape table on a portrait sheet: everything turned counter-clockwise by a right angle."""
    page.translate(WIDTH, 0)
    page.rotate(90)
    page.translate(0, -(HEIGHT - WIDTH))
    table(page, MERGED, widths=WIDTHS)


@pytest.mark.parametrize("rotate", [0, 90], ids=["sheet stays", "sheet is turned upright"])
def test_a_turned_table_reads_like_an_upright_one(rotate: int) -> None:
    (grid,) = grids(reader.read(pdf(turned, rotate=rotate)))
    assert rows(grid) == [
        ["申请人情况"],
        ["三、\n办理\n结果", "（一）予以公开", "17"],
        ["（二）部分公开", "2,308"],
        ["（三）", ""],
    ]


def test_boxes_of_a_turned_page_are_those_of_the_page_as_displayed() -> None:
    upright = box(grids(reader.read(pdf(turned, rotate=90)))[0].cells[3].locator)
    assert upright == pytest.approx([290, 124, 360, 148], abs=1)
    sideways = box(grids(reader.read(pdf(turned, rotate=0)))[0].cells[3].locator)
    assert sideways == pytest.approx([124, HEIGHT - 360, 148, HEIGHT - 290], abs=1)


@pytest.mark.parametrize("angle", [180, 270])
def test_a_table_drawn_upside_down_or_clockwise_reads_like_an_upright_one(angle: int) -> None:
    def draw(page: Canvas) -> None:
        page.translate(WIDTH if angle == 180 else 0, HEIGHT)
        page.rotate(angle)
        page.translate(0, 0 if angle == 180 else -(HEIGHT - WIDTH))
        table(page, MERGED, widths=WIDTHS)

    (grid,) = grids(reader.read(pdf(draw)))
    assert rows(grid)[1] == ["三、\n办理\n结果", "（一）予以公开", "17"]


VERTICAL = (
    b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-V/DescendantFonts[<</Type/Font"
    b"/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 0>>"
    b"/FontDescriptor<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0"
    b"/Ascent 752/Descent -271/CapHeight 737/StemV 58>>>>]>>"
)


def test_vertical_writing_scaled_by_its_matrix_stays_in_its_cell() -> None:
    printed = "办理结果".encode("utf-16-be").hex().encode()
    rules = b"".join(b"120 %d 100 100 re S " % y for y in (600, 500)) + b"80 500 40 200 re S "
    glyphs = b"BT /F1 200 Tf 0.05 0 0 0.05 100 690 Tm <" + printed + b"> Tj ET"
    (grid,) = grids(
        reader.read(_hand_made(rules + glyphs + _digits(b"0", 150, 650) + _digits(b"1", 150, 550), VERTICAL))
    )
    assert rows(grid) == [["办\n理\n结\n果", "0"], ["1"]]


def _digits(printed: bytes, x: int, y: int) -> bytes:
    return b" BT /F2 10 Tf %d %d Td (%s) Tj ET" % (x, y, printed)


@pytest.mark.parametrize("rotate", [180, 270])
def test_a_sheet_turned_the_wrong_way_still_reads(rotate: int) -> None:
    (grid,) = grids(reader.read(pdf(lambda page: table(page, MERGED, widths=WIDTHS), rotate=rotate)))
    assert rows(grid)[1] == ["三、\n办理\n结果", "（一）予以公开", "17"]


def test_document_properties_are_title_and_metadata() -> None:
    def draw(page: Canvas) -> None:
        page.setTitle("青石县年度报告")
        text(page, 80, 80, "正文。")

    document = reader.read(pdf(draw))
    assert document.title == "青石县年度报告"
    assert document.metadata["Title"] == "青石县年度报告"


def test_a_password_is_asked_for_as_encrypted_and_an_owner_password_is_not() -> None:
    def draw(page: Canvas) -> None:
        text(page, 80, 80, "正文。")

    locked = pdf(draw, encrypt=StandardEncryption("读", "写", canPrint=0))
    with pytest.raises(UnreadableDocumentError) as refused:
        reader.read(locked)
    assert refused.value.code == "encrypted"
    open_to_read = pdf(draw, encrypt=StandardEncryption("", "写", canModify=0))
    assert paragraphs(reader.read(open_to_read)) == ["正文。"]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_cut_file_is_damaged_never_half_a_report(share: float) -> None:
    whole = pdf(*[lambda page: table(page, MERGED, widths=WIDTHS)] * 3)
    with pytest.raises(UnreadableDocumentError) as refused:
        reader.read(whole[: int(len(whole) * share)])
    assert refused.value.code == "damaged"


def test_a_file_cut_in_its_last_revision_is_damaged_not_its_first_revision() -> None:
    first = _hand_made(b"BT /F1 12 Tf 80 700 Td (first) Tj ET")
    assert paragraphs(reader.read(first)) == ["first"]
    with pytest.raises(UnreadableDocumentError) as refused:
        reader.read(first + b"4 0 obj\n<</Length 40>>stream\nBT /F1 12 Tf 80 70")
    assert refused.value.code == "damaged"


def test_files_in_a_pdf_are_said_not_to_be_read() -> None:
    document = pdfium.PdfDocument(pdf(lambda page: text(page, 80, 60, "报告见附件。")))
    document.new_attachment("年报.pdf").set_data(b"%PDF-1.4")
    buffer = io.BytesIO()
    document.save(buffer)
    assert [finding.code for finding in reader.read(buffer.getvalue()).findings] == ["attached_files"]


def test_bytes_after_the_end_of_the_file_do_no_harm() -> None:
    whole = pdf(lambda page: text(page, 80, 80, "正文。"))
    assert paragraphs(reader.read(whole + b"\r\n<script>counter()</script>" * 300)) == ["正文。"]


def test_an_image_without_text_is_a_finding_of_its_page() -> None:
    def scan(page: Canvas) -> None:
        page.drawInlineImage(_image(), 0, 0, WIDTH, HEIGHT)

    document = reader.read(pdf(lambda page: text(page, 80, 80, "封面"), scan))
    assert [(finding.code, finding.locator) for finding in document.findings] == [("no_text_layer", "page=2")]


@pytest.mark.parametrize(
    ("size", "turn", "shown"),
    [
        ((20, 12), 0, "\ufffc"),
        ((20, 12), 90, "\ufffc"),
        ((70, 24), 180, "\ufffc"),
        ((20, 1), 0, ""),
        ((300, 300), 0, ""),
    ],
    ids=["a number as a picture", "on its side", "fills the cell", "a line", "a seal over the table"],
)
def test_an_empty_cell_that_a_picture_stands_in_is_not_blank(size: tuple[int, int], turn: int, shown: str) -> None:
    def draw(page: Canvas) -> None:
        table(page, MERGED, widths=WIDTHS)
        width, height = size
        page.drawInlineImage(_image(), 80 + 60 + 150 + 35 - width / 2, HEIGHT - 184 - height / 2, width, height)

    (grid,) = grids(reader.read(pdf(draw, rotate=turn)))
    assert [cell.text for cell in grid.cells][-1] == shown


def test_the_rest_of_a_label_alone_on_the_next_page_stays_in_its_table() -> None:
    widths = (60, 60, 60, 60)
    first = [Drawn("合计", 0, 0), *(Drawn("9", 0, x) for x in (1, 2, 3)), Drawn("四、结转下年", 1, 0)]
    first += [Drawn(number, 1, x + 1) for x, number in enumerate("345")]
    rest = [Drawn("度继续办理", 0, 0), *(Drawn("", 0, x) for x in (1, 2, 3))]
    document = reader.read(
        pdf(
            lambda page: table(page, first, top=700, widths=widths, bottom_line=False),
            lambda page: table(page, rest, top=72, widths=widths),
        )
    )
    (grid,) = grids(document)
    assert rows(grid)[1:] == [["四、结转下年", "3", "4", "5"], ["度继续办理", "", "", ""]]
    assert paragraphs(document) == []


def test_invisible_text_over_an_image_is_told_to_be_recognised_text() -> None:
    def scan(page: Canvas) -> None:
        page.drawInlineImage(_image(), 0, 0, WIDTH, HEIGHT)
        line = page.beginText(80, 700)
        line.setFont(FONT, 12)
        line.setTextRenderMode(3)
        line.textLine("受理申请21件")
        page.drawText(line)

    document = reader.read(pdf(scan))
    assert [finding.code for finding in document.findings] == ["ocr_text_layer"]
    assert paragraphs(document) == ["受理申请21件"]


def test_a_number_that_another_program_recognised_is_never_sure() -> None:
    def scan(page: Canvas) -> None:
        page.drawInlineImage(_image(), 0, 0, WIDTH, HEIGHT)
        table(page, plain([["", ""], ["", ""]]), widths=(100, 80))
        layer = page.beginText()
        layer.setFont(FONT, 9)
        layer.setTextRenderMode(3)
        for x, y, printed in ((100, 112, "受理"), (210, 112, "21"), (100, 136, "办结"), (210, 136, "7")):
            layer.setTextOrigin(x, HEIGHT - y)
            layer.textOut(printed)
        page.drawText(layer)

    (grid,) = grids(reader.read(pdf(scan)))
    assert [(cell.text, cell.confidence) for cell in grid.cells] == [
        ("受理", 0.5),
        ("21", 0.5),
        ("办结", 0.5),
        ("7", 0.5),
    ]


def _image() -> object:
    from PIL import Image

    return Image.new("L", (20, 20), 200)


def test_a_text_layer_of_private_characters_is_a_finding() -> None:
    cmap = (
        b"/CIDInit /ProcSet findresource begin\nbegincmap\n1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        b"1 beginbfrange\n<41> <5A> <E041>\nendbfrange\nendcmap\nend"
    )
    font = HELVETICA[:-2] + b"/ToUnicode 7 0 R>>"
    data = _hand_made(b"BT /F1 12 Tf 80 700 Td (ABCDEFGHIJKLMNOPQRSTUVWXYZ) Tj ET", font, stream=cmap)
    # What its picture shows is read where recognition is installed; see test_scan.
    assert reader.read(data).findings[0].code == "garbage_text_layer"


HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def _hand_made(content: bytes, font: bytes = HELVETICA, stream: bytes = b"") -> bytes:
    """A one-page file: /F1 is `font`, /F2 Helvetica, `stream` object 7."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        font,
        HELVETICA,
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 8\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer<</Size 8/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


@pytest.mark.parametrize(("value", "shown"), [("77", "77"), ("", "")])
def test_what_is_typed_into_a_form_is_in_its_cell(value: str, shown: str) -> None:
    rows = [["信息内容", "本年制发件数", "现行有效件数"], ["规章", "1", ""], ["行政规范性文件", "4", "5"]]

    def draw(canvas: Canvas) -> None:
        table(canvas, plain(rows), widths=[120, 90, 90])
        canvas.linkURL("http://127.0.0.1/", (90, 600, 190, 620))
        canvas.acroForm.textfield(value=value, x=300, y=HEIGHT - 145, width=60, height=16, borderWidth=0, fontSize=9)

    (found,) = grids(reader.read(pdf(draw)))
    assert [cell.text for cell in found.cells] == [*rows[0], "规章", "1", shown, *rows[2]]


def test_a_page_drawn_of_paths_without_end_is_cut_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_page, "MAX_PATHS", 5)
    document = reader.read(pdf(lambda page: table(page, MERGED, widths=WIDTHS)))
    assert "too_many_paths" in [finding.code for finding in document.findings]


def test_a_page_ruled_like_no_table_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_grid, "MAX_LINE_PAIRS", 3)
    document = reader.read(pdf(lambda page: table(page, MERGED, widths=WIDTHS)))
    assert grids(document) == []
    assert "2,308" in "".join(paragraphs(document))
    assert [finding.code for finding in document.findings] == ["too_many_lines"]


def test_more_pages_than_any_report_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_PAGES", 1)
    with pytest.raises(UnreadableDocumentError) as refused:
        reader.read(pdf(lambda page: text(page, 80, 80, "一"), lambda page: text(page, 80, 80, "二")))
    assert refused.value.code == "too_large"


def test_threads_take_turns() -> None:
    data = pdf(lambda page: table(page, MERGED, widths=WIDTHS))
    alone = reader.read(data)
    results: list[Document] = []
    threads = [threading.Thread(target=lambda: results.append(reader.read(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone] * 8


HONGZE = SHARED / "real" / "hongze-district-2023.pdf"


@pytest.mark.skipif(not HONGZE.exists(), reason=f"{HONGZE} is not here")
def test_a_real_report_of_five_pages_gives_three_whole_tables() -> None:
    found = grids(reader.read(HONGZE.read_bytes()))
    assert [len(grid.cells) for grid in found] == [30, 200, 34]
    assert rows(found[0])[-1] == ["行政事业性收费", "7730.28"]
    assert rows(found[2])[-1] == ["10", "1", *["0"] * 8, "5", *["0"] * 4]
    numbers = [row for row in rows(found[1]) if re.fullmatch(r"\d+", row[-1])]
    assert len(numbers) == 23
    assert numbers[-2] == ["（七）总计", "21", "0", "0", "0", "0", "0", "21"]
