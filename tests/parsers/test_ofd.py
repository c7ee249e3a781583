"""OFD: the habits of its producers, pages that are pictures, and packages that cannot be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers.ofd import OfdStyle, write
from crawler.replica.writers.pdf import PdfStyle
from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import ofd, read_document
from parsers.reading import read

REPORT = lay_out(draw_report("ofd", year=2022, mode="distinct"))
STYLES = {
    "plain": OfdStyle(),
    "steps one by one": OfdStyle(grouped=False),
    "text in its own space": OfdStyle(scaled=True),
    "paths from the root, a template": OfdStyle(absolute=True, template=True),
    "no namespace": OfdStyle(namespace=""),
    "another namespace, no prefix": OfdStyle(namespace="http://example.org/ofd", prefix=""),
    "boxes, headers repeated": OfdStyle(pages=PdfStyle(rules="boxes", repeat_header=True, padding=7)),
    "hairlines, rows cut": OfdStyle(pages=PdfStyle(rules="hairlines", cut_rows=True, bottom_line=False, padding=7)),
}
RULES = "".join(
    f'<PathObject Boundary="{x} {y} {w} {h}"><AbbreviatedData>M 0 0 L {w} {h}</AbbreviatedData></PathObject>'
    for x, y, w, h in [
        (20, 20, 60, 0),
        (20, 30, 60, 0),
        (20, 40, 60, 0),
        (20, 20, 0, 20),
        (50, 20, 0, 20),
        (80, 20, 0, 20),
    ]
)


def text(x: float, y: float, words: str, rest: str = "", delta: str = "") -> str:
    code = f'<TextCode X="0" Y="4" {delta}>{words}</TextCode>'
    return f'<TextObject Boundary="{x} {y} 30 5" Size="4" {rest}>{code}</TextObject>'


def package(*pages: str, parts: Mapping[str, str] | None = None, common: str = "") -> bytes:
    listed = "".join(f'<Page BaseLoc="P{number}.xml"/>' for number in range(len(pages)))
    members = {
        "OFD.xml": "<OFD><DocBody><DocInfo><Title>题名</Title></DocInfo>"
        "<DocRoot>D/Document.xml</DocRoot></DocBody></OFD>",
        "D/Document.xml": f"<Document><CommonData>{common}</CommonData><Pages>{listed}</Pages></Document>",
        **{f"D/P{n}.xml": f"<Page><Content><Layer>{page}</Layer></Content></Page>" for n, page in enumerate(pages)},
        **(parts or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Paragraph)]


def codes(document: Document) -> list[str]:
    return [finding.code for finding in document.findings]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_document(data)
    return refused.value.code


@pytest.mark.parametrize("style", STYLES)
def test_a_report_is_read_whole(style: str) -> None:
    reading = read(write(REPORT, style=STYLES[style]))
    assert {fact.cell: fact.value for fact in reading.facts} == {c: e.value for c, e in REPORT.truth.items()}
    assert {fact.confidence for fact in reading.facts} == {1.0}
    assert (reading.report_year, reading.agency) == (2022, REPORT.agency)
    assert reading.title == REPORT.title


def test_a_page_that_is_a_picture_has_no_text_layer() -> None:
    document = read_document(write(REPORT, style=OfdStyle(scanned=True)))
    assert document.blocks == ()
    assert set(codes(document)) == {"no_text_layer"}


def test_cells_are_placed_in_points_from_the_top_left_corner() -> None:
    document = read_document(
        package(RULES + text(22, 22, "规章") + text(52, 22, "84") + text(22, 32, "许可") + text(52, 32, "7"))
    )
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["规章", "84", "许可", "7"]
    # 50, 20, 80 and 30 millimetres
    assert grid.cells[1].locator == "page=1;box=141.7,56.7,226.8,85.0"
    assert document.title == "题名"


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ('DeltaX="g 3 4"', "年度报告"),
        ('DeltaX="g 1 4 4 4"', "年度报告"),
        ('DeltaX="4 4"', "年度报告"),
        ('DeltaX="g 99999999999 4"', "年度报告"),
        ('DeltaX="4 12 4"', "年度 报告"),
        ('DeltaX="g"', "年度报告"),
        ('DeltaX="inf nan"', "年度报告"),
        ("", "年度报告"),
    ],
)
def test_steps_between_characters(delta: str, expected: str) -> None:
    (found,) = texts(read_document(package(text(20, 20, "年度报告", delta=delta))))
    assert found.replace("\t", " ") == expected


def test_text_of_a_template_and_of_nested_blocks_is_read() -> None:
    common = '<TemplatePage ID="7" BaseLoc="T.xml"/>'
    template = f"<Page><Content><Layer>{text(20, 100, '模板上的字')}</Layer></Content></Page>"
    nested = f"<PageBlock><PageBlock>{text(20, 120, '块里的字')}</PageBlock></PageBlock>"
    page = f"<Page><Template TemplateID='7'/><Content><Layer>{nested}</Layer></Content></Page>"
    data = package("", parts={"D/T.xml": template, "D/P0.xml": page}, common=common)
    assert texts(read_document(data)) == ["模板上的字", "块里的字"]


def test_a_page_that_cannot_be_read_costs_only_itself() -> None:
    document = read_document(package("", text(20, 20, "第二页"), parts={"D/P0.xml": "<Page><Content>"}))
    assert texts(document) == ["第二页"]
    assert codes(document) == ["unreadable_page"]


def test_transparent_text_over_a_picture_is_told_to_be_recognised_text() -> None:
    page = '<ImageObject Boundary="0 0 210 297"/>' + text(20, 20, "识别的字", 'Alpha="0"')
    assert codes(read_document(package(page))) == ["ocr_text_layer"]


def beside_seven(drawn: str) -> Document:
    """A table whose second cell holds a 7, with something drawn right behind it."""
    words = text(22, 22, "规章") + text(52, 22, "7") + text(22, 32, "文件") + text(52, 32, "5")
    return read_document(package(RULES + words + drawn))


WHITE = '<FillColor Value="255 255 255"/>'
BOX = (
    '<PathObject Boundary="50 20 30 10" Stroke="{stroke}" Fill="{fill}"{rest}>{color}'
    "<AbbreviatedData>M 0 0 L 30 0 L 30 10 L 0 10 C</AbbreviatedData></PathObject>"
)


@pytest.mark.parametrize("rest", ['Visible="false"', 'Alpha="0"', 'Fill="false"'])
def test_text_that_is_not_shown_is_left_out_and_said(rest: str) -> None:
    document = beside_seven(text(54, 22, "9", rest))
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["规章", "7", "文件", "5"]
    assert codes(document) == ["hidden_text"]


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        (text(54, 22, "9").replace("<TextCode", f"{WHITE}<TextCode"), "\ufffc"),
        (text(54, 22, "9").replace("<TextCode", '<FillColor Value="0 0 0" Alpha="0"/><TextCode'), "7"),
        (text(54, 22, "9").replace("<TextCode", '<FillColor Value="200 0 0"/><TextCode'), "79"),
        # Painted over, with white or any colour that is not seen through.
        (BOX.format(stroke="false", fill="true", rest="", color=WHITE), "\ufffc"),
        (BOX.format(stroke="true", fill="true", rest="", color=""), "\ufffc"),
        (BOX.format(stroke="false", fill="true", rest=' Alpha="80"', color=""), "7"),
        (BOX.format(stroke="false", fill="false", rest="", color=""), "7"),
        (BOX.format(stroke="false", fill="true", rest="", color=WHITE) + text(52, 22, "9"), "\ufffc"),
    ],
)
def test_a_number_that_may_not_be_seen_is_not_told(drawn: str, shown: str) -> None:
    document = beside_seven(drawn)
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["规章", shown, "文件", "5"]
    assert ("white_number" in codes(document)) == (shown == "\ufffc")


def test_the_ground_that_a_number_is_printed_on_does_not_hide_it() -> None:
    words = text(22, 22, "规章") + BOX.format(stroke="false", fill="true", rest="", color=WHITE) + text(52, 22, "7")
    document = read_document(package(RULES + words + text(22, 32, "文件") + text(52, 32, "5")))
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["规章", "7", "文件", "5"]


def test_a_picture_that_is_not_shown_stands_in_no_cell() -> None:
    document = beside_seven('<ImageObject Boundary="0 0 210 297" Visible="false"/>')
    assert codes(document) == []
    words = text(22, 22, "规章") + text(52, 22, "3") + text(22, 32, "文件")
    document = read_document(package(RULES + words + '<ImageObject Boundary="60 32 10 6" Visible="false"/>'))
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert grid.cells[-1].text == ""


@pytest.mark.parametrize(
    ("boundary", "shown"), [("60 32 10 6", "\ufffc"), ("50 30 30 10", "\ufffc"), ("30 20 60 60", ""), ("", "")]
)
def test_an_empty_cell_that_a_picture_stands_in_is_not_blank(boundary: str, shown: str) -> None:
    words = text(22, 22, "规章") + text(52, 22, "3") + text(22, 32, "文件")
    document = read_document(package(RULES + words + f'<ImageObject Boundary="{boundary}"/>'))
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    assert [cell.text for cell in grid.cells] == ["规章", "3", "文件", shown]


def test_composite_objects_are_named_as_not_read() -> None:
    assert "composite_object" in codes(read_document(package(text(20, 20, "字") + "<CompositeObject/>")))


@pytest.mark.parametrize(
    "path",
    [
        "M 0 0 L 1e999 0",
        "M 0 0 L",
        "Q 1 2",
        "M M M",
        "C C",
        "M 0 0 L 5 5 C L",
        "A 1 2 3 4 5 6 7 8",
        "你好",
        "M 0 0 L 1e300 1e300",
    ],
)
def test_paths_that_say_nothing_do_no_harm(path: str) -> None:
    page = f'<PathObject Boundary="0 0 1e300 1"><AbbreviatedData>{path}</AbbreviatedData></PathObject>'
    assert texts(read_document(package(page + text(20, 20, "字")))) == ["字"]


def test_what_is_drawn_nowhere_is_not_on_the_page() -> None:
    page = text(20, 20, "在") + text(1e300, 20, "远") + text(20, 20, "不", 'CTM="1e308 1e308 1e308 1e308 0 0"')
    assert texts(read_document(package(page))) == ["在"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(package(), "empty", id="no page"),
        pytest.param(package("", parts={"OFD.xml": "<OFD/>"}), "damaged", id="no document named"),
        pytest.param(package("", parts={"OFD.xml": "<OFD>"}), "damaged", id="broken xml"),
        pytest.param(package("", parts={"D/P0.xml": "<Page"}), "damaged", id="no page can be read"),
        pytest.param(package("", parts={"Encryptions.xml": "<x/>"}), "encrypted", id="encrypted"),
        pytest.param(package("", parts={"D/P0.xml": " " * (40 << 20)}), "bomb", id="bomb"),
        pytest.param(package("<PageBlock>" * 40 + "</PageBlock>" * 40), "too_complex", id="nested"),
        pytest.param(write(REPORT)[:-200], "damaged", id="cut"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_entities_are_not_followed() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    root = f"{bomb}<Page><Content><Layer>{text(20, 20, '&b;字')}</Layer></Content></Page>"
    assert "aaaa" not in "".join(texts(read_document(package("", parts={"D/P0.xml": root}))))


def test_more_pages_than_a_report_has_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofd, "MAX_PAGES", 1)
    assert refusal(package("", "")) == "too_large"
