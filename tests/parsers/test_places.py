"""Places drawn: whatever the format, what is marked is what was read."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from pathlib import Path

import pytest
from lxml import html
from PIL import Image

from crawler.replica.reports import draw_report, lay_out
from crawler.replica.writers import docx, ofd, pdf
from crawler.replica.writers.sheet import write_excel_xml, write_ods, write_xls, write_xlsx
from parsers import places
from parsers.errors import UnreadableDocumentError
from parsers.model import PagePicture, Shown
from parsers.reading import read

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PRINTED = lay_out(draw_report("places", year=2022, mode="distinct"))
PDF = pdf.write(PRINTED)
PAGES = [path for path in sorted((ROOT / "tests/fixtures").rglob("input.*")) if path.suffix != ".odt"]


def shown(data: bytes, locator: str, name: str = "") -> Shown:
    drawn = places.draw(data, name=name, locator=locator)
    return places.framed(drawn, locator) if isinstance(drawn, PagePicture) else drawn


def mark(drawn: Shown) -> html.HtmlElement:
    [element] = html.fromstring(drawn.html).xpath(f"//*[@id='{places.ANCHOR}']")
    for style in element.xpath(".//style"):
        style.drop_tree()
    return element


def squeezed(text: str) -> str:
    return "".join(text.split())


def marked_text(drawn: Shown) -> str:
    element = mark(drawn)
    cell = element.xpath("./b") if drawn.how == "lines" else [element]
    return squeezed(cell[0].text_content()) if cell else ""


def wrong_marks(data: bytes, name: str = "") -> tuple[int, list[str]]:
    """How many facts were looked up, and those whose mark does not hold what was read there."""
    sample = [fact for fact in read(data, name=name).facts if fact.locator and fact.status != "unreadable"]
    if len(sample) > 250 or data.startswith(b"PK"):
        sample = sample[:: max(1, len(sample) // 40)]
    drawn = {fact: shown(data, fact.locator, name) for fact in sample}
    # A number cut by the end of a page is marked where it begins.
    wrong = [fact.cell for fact, one in drawn.items() if marked_text(one) != squeezed(fact.raw.partition("\n")[0])]
    return len(sample), wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}{path.suffix}")
def test_the_mark_holds_what_was_read(path: Path) -> None:
    _, wrong = wrong_marks(path.read_bytes(), path.name)
    # Cells whose tabs are lost have no place of their own; the last one printed stands for them.
    lost = {"tabs_lost_at_line_ends": 4}.get(path.parent.name, 0)
    assert len(wrong) == lost, wrong


@pytest.mark.parametrize(
    "data",
    [write(PRINTED) for write in (docx.write, write_xls, write_xlsx, write_excel_xml, write_ods, ofd.write)],
    ids=["docx", "xls", "xlsx", "excel-xml", "ods", "ofd"],
)
def test_tables_drawn_anew_mark_the_cell_that_was_read(data: bytes) -> None:
    looked_up, wrong = wrong_marks(data)
    assert looked_up >= 30
    assert wrong == []


@pytest.mark.parametrize("path", ["seeds/*.txt", "real/shuyang-fgj-2023.html", "real/form-2021-blank.docx"])
def test_the_mark_holds_what_was_read_in_documents_met(path: str) -> None:
    found = sorted(SHARED.glob(path))
    if not found:
        pytest.skip(f"{SHARED / path} is not here")
    for document in found:
        looked_up, wrong = wrong_marks(document.read_bytes(), document.name)
        assert (looked_up >= 30, wrong) == (True, [])


# HTML: the source itself

ROWS = "<table><tr><td>项目</td><td>件数</td></tr><tr><td>新收</td><td>{}</td></tr></table>"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "<!-- <table><tr><td>1</td><td>2</td></tr></table> -->",
        "<script>'<table><tr><td>1</td><td>2</td></tr></table>'</script>",
        "<p title='<td>>' data-a=it's>说明</p><br/>",
        '<p title="<table><tr><td>">说明</p>',
        "<p title=>说明</p><p title=a=b'c>x</p>",
    ],
    ids=["plain", "comment", "script", "tags in values", "tags in quotes", "odd values"],
)
def test_only_the_start_tags_of_cell_and_row_are_changed(before: str) -> None:
    source = f"<!DOCTYPE html><body>{before}{ROWS.format('<b>84</b>')}</body>"
    drawn = shown(source.encode(), "table=1;row=2;column=2")
    assert (drawn.how, drawn.is_marked, marked_text(drawn)) == ("page", True, "84")
    ours = re.compile(
        r' id="gongkai-place" data-gongkai="cell"| data-gongkai="row"|<style>:has\(.*?</style>', re.DOTALL
    )
    assert ours.sub("", drawn.html) == source
    assert [row.get("data-gongkai") for row in html.fromstring(drawn.html).iter("tr")] == [None, "row"]


def test_a_page_cannot_say_where_the_mark_goes() -> None:
    source = f"<body><p id=gongkai-place gk0=1>{ROWS.format(84)}"
    drawn = shown(source.encode(), "table=1;row=2;column=2")
    assert '<td id="gongkai-place" data-gongkai="cell"><style>' in drawn.html


def test_a_page_in_gbk_is_shown_in_utf_8() -> None:
    drawn = shown(f"<meta charset=gbk>{ROWS.format('八十四')}".encode("gbk"), "table=1;row=2;column=2")
    assert marked_text(drawn) == "八十四"


@pytest.mark.parametrize(
    ("locator", "text"),
    [("paragraph=1", "说明"), ("table=1", squeezed("项目件数新收84")), ("table=1;row=1;column=1", "项目")],
)
def test_paragraphs_and_tables_are_marked_too(locator: str, text: str) -> None:
    drawn = shown(f"<body><p>说明</p>{ROWS.format(84)}".encode(), locator)
    assert marked_text(drawn) == text


@pytest.mark.parametrize("locator", ["", "table=7;row=1;column=1", "page=1;box=1,2,3,4", "no such thing", "line=5"])
def test_a_place_that_is_not_there_is_not_marked(locator: str) -> None:
    page = ROWS.format(84).encode()
    for data in (page, "新收\t84\n其他\t6\n".encode(), docx.write(PRINTED)):
        drawn = shown(data, locator)
        assert not drawn.is_marked
        assert html.fromstring(drawn.html).xpath(f"//*[@id='{places.ANCHOR}']") == []


# What is drawn by us: escaped


def test_text_of_a_document_stays_text() -> None:
    data = "<b>新收</b>\t<script>84</script>\n其他\t6\n总计\t90\n\n".encode()
    drawn = places.lines.marked(data, "line=1;column=2")
    assert "<script>" not in drawn.html
    assert marked_text(drawn) == "<script>84</script>"


# Pages as pictures


def test_the_box_is_drawn_where_the_pdf_prints_the_number() -> None:
    (fact,) = [fact for fact in read(PDF).facts if fact.cell == "disclosure.regulations.issued"]
    picture = places.draw(PDF, locator=fact.locator)
    assert isinstance(picture, PagePicture)
    assert (picture.width, picture.height) == pytest.approx((595.3, 841.9), abs=0.1)
    image = Image.open(io.BytesIO(picture.encoded)).convert("L")
    assert max(image.size) >= 1600
    scale = image.width / picture.width
    left, top, right, bottom = (float(n) * scale for n in fact.locator.partition("box=")[2].split(","))
    inside = image.crop((round(left) + 3, round(top) + 3, round(right) - 3, round(bottom) - 3))
    darkest, _ = inside.getextrema()
    assert darkest < 128
    style = mark(places.framed(picture, fact.locator)).get("style")
    assert f"left:{100 * left / image.width:.1f}" in style


def test_all_places_of_a_page_share_its_picture() -> None:
    one, other = "page=2;box=1.0,2.0,3.0,4.0", "page=2;box=5.0,6.0,7.0,8.0"
    assert places.without_box(one) == places.without_box(other) == "page=2"
    assert places.draw(PDF, locator=one) == places.draw(PDF, locator=other)


def test_boxes_of_a_picture_are_in_its_pixels() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2400, 1200), "white").save(buffer, "PNG")
    picture = places.draw(buffer.getvalue(), locator="page=1;box=240,120,480,240")
    assert isinstance(picture, PagePicture)
    assert (picture.width, picture.height) == (2400, 1200)
    assert mark(places.framed(picture, "page=1;box=240,120,480,240")).get("style") == (
        "top:10.000%;height:10.000%;left:10.000%;width:10.000%"
    )


def test_a_photograph_is_not_sent_as_png() -> None:
    noise = Image.effect_noise((1600, 1600), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    drawn = shown(buffer.getvalue(), "page=1")
    [source] = html.fromstring(drawn.html).xpath("//img/@src")
    kind, _, encoded = source.partition(";base64,")
    assert kind == "data:image/jpeg"
    assert base64.b64decode(encoded).startswith(b"\xff\xd8\xff")


# Archives


def test_a_place_in_an_archive_is_in_its_member() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("说明.txt", "说明\n")
        archive.writestr("附件/年报;终.html", ROWS.format(84))
    drawn = shown(buffer.getvalue(), "member=附件/年报；终.html;table=1;row=2;column=2")
    assert marked_text(drawn) == "84"


@pytest.mark.parametrize(
    ("data", "locator", "code"),
    [
        (PDF, "page=99", "no_page"),
        (PDF[:5000], "page=1", "damaged"),
        (b"", "page=1", "empty"),
        (b"\x89PNG\r\n\x1a\n broken", "page=1", "damaged"),
        (b"{\\rtf1 x}", "table=1", "needs_conversion"),
    ],
    ids=["page", "cut", "empty", "picture", "rtf"],
)
def test_what_cannot_be_drawn_says_why(data: bytes, locator: str, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        places.draw(data, locator=locator)
    assert refused.value.code == code


def test_a_member_that_is_not_there_is_named() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(UnreadableDocumentError, match="no file that the place"):
        places.draw(buffer.getvalue(), locator="member=b.txt")
