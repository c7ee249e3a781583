"""Whole pages: one fixture folder a page, one test a field, so that one wrong day does not hide a right title."""

from __future__ import annotations

import json
import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.model import Page
from parsers.page import page_kind, read_page, title_without_site

PAGES = Path(__file__).parents[1] / "fixtures" / "pages"
NAMES = sorted(folder.name for folder in PAGES.iterdir())
LABELLED = (
    "title",
    "published_date",
    "written_date",
    "publisher",
    "index_number",
    "document_number",
    "column_name",
    "site_name",
    "site_code",
)


@dataclass(frozen=True)
class Fixture:
    page: Page
    expected: dict[str, Any]


@cache
def fixture(name: str) -> Fixture:
    folder = PAGES / name
    url = tomllib.loads((folder / "origin.toml").read_text("utf-8"))["url"]
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return Fixture(read_page((folder / "input.html").read_bytes(), url=url), expected)


@pytest.mark.parametrize("field", LABELLED)
@pytest.mark.parametrize("name", NAMES)
def test_a_field_has_its_value_and_origin(name: str, field: str) -> None:
    labelled = getattr(fixture(name).page, field)

    assert ([labelled.value, labelled.origin] if labelled else None) == fixture(name).expected[field]


@pytest.mark.parametrize("name", NAMES)
def test_the_attachments_come_once_each_under_the_name_people_see(name: str) -> None:
    page = fixture(name).page

    assert [[link.url, link.name] for link in page.attachments] == fixture(name).expected["attachments"]


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_the_articles(name: str) -> None:
    page, expected = fixture(name).page, fixture(name).expected

    assert page.text.startswith(expected["text_starts"])
    assert bool(page.text) == bool(expected["text_starts"])
    assert "首页" not in page.text
    assert "浏览次数" not in page.text


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_found(name: str) -> None:
    page = fixture(name).page

    assert sorted({finding.code for finding in page.findings}) == fixture(name).expected["findings"]


def page_of(body: str, *, head: str = "", url: str = "http://a.example/x/y.html") -> Page:
    return read_page(f"<html><head>{head}</head><body>{body}</body></html>".encode(), url=url, with_text=False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<table><tr><th>索引号</th><td>A/1</td><th>分类</th><td>甲</td></tr></table>", id="th and td"),
        pytest.param(
            "<table><tr><td>索 引 号：A/1</td><td>分类：甲</td></tr></table>", id="label and value in one cell"
        ),
        pytest.param("<table><tr><td>【索引号】A/1</td><td>【分类】甲</td></tr></table>", id="in brackets"),
        pytest.param("<table><tr><td>索引号、A/1</td><td>分类、甲</td></tr></table>", id="an enumeration comma"),
        pytest.param("<dl><dt>索引号：</dt><dd>A/1</dd><dt>文号：</dt><dd></dd></dl>", id="dl"),
        pytest.param("<ul><li>索引号：A/1</li><li>文号：</li><li>分类：甲</li></ul>", id="list items"),
        pytest.param(
            "<div><span>索引号</span><span>A/1</span></div><div><span>文号</span><span>无</span></div>"
            "<div><span>分类</span><span>甲</span></div>",
            id="spans without separators",
        ),
        pytest.param(
            "<div><div>索引号：</div><div>A/1</div></div><div><div>文号：</div><div>/</div></div>"
            "<div><div>分类：</div><div>甲</div></div>",
            id="divs beside each other",
        ),
        pytest.param(
            "<table><tr><td><table><tr><td>索引号：</td><td>A/1</td><td>文号：</td><td>-</td></tr></table></td></tr></table>",
            id="a table in a layout table",
        ),
    ],
)
def test_a_head_table_is_read_in_any_markup(body: str) -> None:
    page = page_of(body)

    assert page.index_number is not None
    assert (page.index_number.value, page.index_number.origin) == ("A/1", "head_table")
    assert page.document_number is None


def test_a_head_table_counts_more_than_loose_lines_before_it() -> None:
    loose = "<p>索引号：B/2</p><p>文号：松发〔2022〕2号</p><p>分类：乙</p>"
    page = page_of(loose + "<table><tr><td>索引号</td><td>A/1</td><td>分类</td><td>甲</td></tr></table>")

    assert page.index_number is not None
    assert page.index_number.value == "A/1"


def test_a_statistical_table_is_no_head_table() -> None:
    page = page_of("<table><tr><td>名称</td><td>数量</td></tr><tr><td>规章</td><td>3</td></tr></table>")

    assert page.title is None


def test_a_day_stands_in_the_url_when_nowhere_else() -> None:
    page = page_of("<p>甲</p>", url="http://a.example/nb/202204/t20220417_974894.html")

    assert page.published_date is not None
    assert (page.published_date.value, page.published_date.origin) == ("2022-04-17", "url")


def test_a_day_that_cannot_be_is_a_finding_and_no_day() -> None:
    page = page_of("", head='<meta name="PubDate" content="2022-02-30">')

    assert page.published_date is None
    assert [finding.code for finding in page.findings] == ["unreadable_date"]


@pytest.mark.parametrize("code", ["3213220037", "bm17000009"])
def test_a_site_code_of_either_kind_is_kept(code: str) -> None:
    page = page_of("", head=f'<meta name="SiteIDCode" content="{code}">')

    assert page.site_code is not None
    assert page.site_code.value == code


@pytest.mark.parametrize("value", ["", "网站名称", "头部", "CMSPRO_DOCUMENT.TITLE", "${title}", "null"])
def test_template_samples_are_no_values(value: str) -> None:
    page = page_of("", head=f'<meta name="SiteName" content="{value}"><meta name="ColumnName" content="{value}">')

    assert (page.site_name, page.column_name) == (None, None)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("松江区2021年政府信息公开工作年度报告", "report"),
        ("2021年政府信息公开年报", "report"),
        ("【图解】松江区2021年政府信息公开工作年度报告", "digest"),
        ("一图读懂松江区2021年年报", "digest"),
        ("《松江区2021年政府信息公开工作年度报告》解读", "explanation"),
        ("2021年度", "unknown"),
        ("松江区水务局", "unknown"),
    ],
)
def test_the_title_tells_the_report_from_its_digest_and_explanation(title: str, kind: str) -> None:
    assert page_kind(title) == kind


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("水务局2021年政府信息公开年度报告-松江区人民政府", "水务局2021年政府信息公开年度报告"),
        ("水务局2021年年报_年报_松江区 | 门户网站", "水务局2021年年报_年报"),
        ("2019-2020年年度报告", "2019-2020年年度报告"),
        ("水务局2021年度报告——图解", "水务局2021年度报告——图解"),
        ("松江区人民政府", "松江区人民政府"),
    ],
)
def test_a_site_name_behind_the_title_is_cut(title: str, kept: str) -> None:
    assert title_without_site(title) == kept


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"report.html", id="a file name"),
        pytest.param(b"\x00\xff\xfe\x00<", id="noise"),
        pytest.param(b"%PDF-1.4\n1 0 obj", id="a PDF"),
        pytest.param(b"<div>" * 3000 + b"x", id="deep nesting"),
        pytest.param(b'<?xml version="1.0"?><root><td>x</td></root>', id="XML"),
        pytest.param(b'<a href="http://[">x</a><iframe><embed src>', id="broken addresses"),
    ],
)
def test_what_is_no_page_gives_no_facts_and_no_exception(data: bytes) -> None:
    page = read_page(data)

    assert (page.title, page.published_date, page.attachments) == (None, None, ())


@pytest.mark.parametrize(
    "rows",
    [
        "<tr>" + "<td>1" * 50_000,
        "<tr>" + "<td>另附 索引号：" * 50_000,
        "<tr><td colspan=1000 rowspan=1000>1" * 1000,
        "</table><table><tr><td>1" * 15_000,
    ],
    ids=["numbers", "labels without a value", "spans", "tables"],
)
def test_a_table_of_no_size_that_people_print_is_read_in_seconds(rows: str) -> None:
    """It took minutes, in the square of its cells."""
    began = time.thread_time()
    page = read_page(f"<body><table>{rows}".encode())
    assert time.thread_time() - began < 15
    assert page.text == ""


@pytest.mark.parametrize("span", ["1000", "-1", "²", "一", " 2"])
def test_a_page_with_spans_that_are_no_numbers_has_its_text(span: str) -> None:
    cells = f'<td colspan="{span}" rowspan="{span}">本年收到申请 3 件</td><td>其他</td>'
    assert "本年收到申请" in read_page(f"<body><p>政府信息公开工作年度报告</p><table><tr>{cells}".encode()).text


def test_what_follows_the_end_of_a_page_within_a_page_is_seen() -> None:
    page = read_page(
        b"<html><body><div><html><body>x</body></html></div><a href='a/b.docx'>b.docx</a></body></html>",
        url="http://localhost/p.html",
    )
    assert [link.url for link in page.attachments] == ["http://localhost/a/b.docx"]


def test_a_label_run_into_the_value_before_it_ends_it() -> None:
    page = page_of("<p>发布时间：2021-01-21 来源：松江区水务局浏览次数：77 字体：大 中 小</p>")

    assert page.publisher is not None
    assert (page.publisher.value, page.publisher.origin) == ("松江区水务局", "page")


def test_a_box_with_only_a_link_is_not_given_the_navigation_as_text() -> None:
    menu = "".join(
        f"<li><a href='/c{n}'>政府信息公开目录第{n}栏，包括法定主动公开的全部内容</a></li>" for n in range(40)
    )
    page = read_page(f"<body><ul>{menu}</ul><div id='zoom'><a href='a.doc'>年报.doc</a></div></body>".encode())

    assert page.text == "年报.doc"
