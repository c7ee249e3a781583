"""Types, charsets and names of archived bytes are decided by the bytes."""

from __future__ import annotations

import pytest

from archive.browse import locator
from archive.browse.layout import laid_out
from archive.browse.payload import charset_of, classified, content_disposition, file_name

CHINESE = "<p>政府信息公开工作年度报告</p>"


@pytest.mark.parametrize(
    ("body", "declared", "expected"),
    [
        (CHINESE.encode(), "text/html", ("text/html", "utf-8")),
        (CHINESE.encode("gbk"), "text/html", ("text/html", "gb18030")),
        (b"\xef\xbb\xbf<!DOCTYPE html><title>x</title>", "", ("text/html", "utf-8")),
        ("<html>公开</html>".encode("utf-16"), "text/html", ("text/html", "utf-16le")),
        (b"<!-- seen --> <html>", "application/octet-stream", ("text/html", "utf-8")),
        (b"text and <br> a tag", "text/html", ("text/html", "utf-8")),
        (b"text and <br> a tag", "text/plain", ("text/plain", "utf-8")),
        (b'{"a": "<html>"}', "application/json", ("text/plain", "utf-8")),
        (b"<svg onload=alert(1)>", "image/svg+xml", ("application/octet-stream", "")),
        (b"<html>\x00\x01", "text/html", ("application/octet-stream", "")),
        (b"%PDF-1.7 <html>", "text/html", ("application/pdf", "")),
        (b"PK\x03\x04", "text/html", ("application/zip", "")),
        (b"plain words", "application/octet-stream", ("application/octet-stream", "")),
        (b"", "application/pdf", ("text/plain", "utf-8")),
    ],
)
def test_bytes_decide_what_they_are(body: bytes, declared: str, expected: tuple[str, str]) -> None:
    assert classified(body, declared) == expected


def test_one_broken_character_does_not_change_the_charset() -> None:
    assert charset_of(CHINESE.encode() * 5 + b"\xe6\x94 ") == "utf-8"
    assert charset_of(CHINESE.encode("gbk") * 5 + b"\xff ") == "gb18030"


@pytest.mark.parametrize(
    ("shown", "url", "body", "expected"),
    [
        ("年报.docx", "http://a.example/downfile.jsp?f=1", b"", "年报.docx"),
        ("年报", "http://a.example/x", b"%PDF-1", "年报.pdf"),
        ("", "http://a.example/%E5%B9%B4%E6%8A%A5.pdf?x=1", b"%PDF-", "年报.pdf"),
        ("../../etc/passwd", "http://a.example/", b"", "etcpasswd"),
        ('a"\r\nSet-Cookie: x\u202efdp.exe', "http://a.example/", b"", "aSet-Cookie xfdp.exe"),
        ("...", "http://a.example/", b"PK\x03\x04", "capture.zip"),
    ],
)
def test_file_names_are_harmless(shown: str, url: str, body: bytes, expected: str) -> None:
    assert file_name(shown, url, body) == expected


def test_a_disposition_is_ascii_and_keeps_the_name() -> None:
    found = content_disposition("年报 2023;x.pdf")
    assert found.isascii()
    assert found == "attachment; filename=\"_2023_x.pdf\"; filename*=UTF-8''%E5%B9%B4%E6%8A%A5%202023%3Bx.pdf"


@pytest.mark.parametrize(
    ("text", "zh", "en", "box"),
    [
        ("table=3;row=5;column=2", "第3个表格，第5行，第2列", "table 3, row 5, column 2", None),
        ("line=120;column=3", "第120行，第3列", "line 120, column 3", None),
        ("page=2;box=1,2,3.5,4", "第2页", "page 2", (1.0, 2.0, 3.5, 4.0)),
        ("page=2;box=1,2", "第2页，box 1,2", "page 2, box 1,2", None),
        ("scroll=年报", "scroll 年报", "scroll 年报", None),
        ("", "", "", None),
        (
            "member=年报.et;sheet=表一;cell=B12",
            "包内文件 年报.et，工作表“表一”，单元格 B12",
            "member 年报.et, sheet 表一, cell B12",
            None,
        ),
    ],
)
def test_locators_are_put_in_words(text: str, zh: str, en: str, box: tuple[float, ...] | None) -> None:
    place = locator.parse(text)
    assert (locator.in_chinese(place), locator.in_english(place), place.box) == (zh, en, box)


def test_a_new_block_begins_where_the_columns_change() -> None:
    labels = [("甲", "一"), ("甲", "二"), ("乙", "一"), ("乙", "二"), ("丙", "三")]
    form_cells = [
        {
            "cell": f"{row}.{column}",
            "table_label": "表",
            "row_label": row,
            "column_label": column,
            "unit": "件",
            "variant": "",
            "label_en": f"{row}, in English: {column}'",
        }
        for row, column in labels
    ]
    [table] = laid_out(form_cells, [], frozenset())
    assert [(block.columns, [line.label for line in block.lines]) for block in table.blocks] == [
        ((("一", "一'"), ("二", "二'")), ["甲", "乙"]),
        ((("三", "三'"),), ["丙"]),
    ]
    assert table.blocks[0].lines[0].label_en == "甲, in English"


def test_numbers_are_shown_even_without_a_form() -> None:
    fact = {"cell": "a.b", "value": 3, "unit": "件", "status": "reported", "confidence": 1}
    [table] = laid_out([], [fact], frozenset({"a.b"}))
    [printed] = table.blocks[0].lines[0].cells
    assert (printed.fact, printed.is_in_failed_check, printed.is_doubtful) == (fact, True, False)
