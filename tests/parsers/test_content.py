"""What counts as content and what as layout."""

from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from parsers.content import changed_cells, content_lines, digest_of, essence_lines, text_diff
from parsers.model import Fact, Labelled, Link, Page, Reading, ReadingError

TEXT = (
    "为做好本年度工作，现将有关事项公告如下。\n"
    "本单位网站访问量：全年共计达到了120000次，比上年有所增加，群众满意度稳步提升，公开渠道保持畅通，"
    "各项制度得到落实，下一步将继续改进。"
)
PAGE = Page(title=Labelled("关于某事项的公告", "meta"), published_date=Labelled("2026-01-05", "meta"), text=TEXT)
READING = Reading(media_type="text/html", kind="page")
REPORT = Reading(
    media_type="application/pdf",
    kind="annual_report",
    title="年度报告",
    facts=(Fact("a.b", 3, "3", "件", "reported", "table=1"), Fact("a.c", Decimal("4.5"), "4.5", "元", "reported", "")),
)


@pytest.mark.parametrize(
    "line",
    [
        "浏览次数：1234次",
        "【点击数:7】",
        "今天是2026年1月5日 星期一",
        "2026年1月5日 星期一 08:30:12",
        "页面生成时间：2026-01-05 08:00",
    ],
)
def test_counters_and_clocks_are_no_content(line: str):
    noisy = replace(PAGE, text=f"{line}\n{TEXT}")
    assert content_lines(READING, noisy) == content_lines(READING, PAGE)


@pytest.mark.parametrize(
    "page",
    [
        replace(PAGE, title=Labelled("关于某事项的更正公告", "meta")),
        replace(PAGE, published_date=Labelled("2026-01-06", "meta")),
        replace(PAGE, text=TEXT.replace("120000", "120001")),
        replace(PAGE, attachments=(Link("http://a.example/1.pdf", "附件", "附件.pdf"),)),
    ],
    ids=["title", "date", "number in a sentence", "attachment"],
)
def test_what_a_page_says_is_content(page: Page):
    assert content_lines(READING, page) != content_lines(READING, PAGE)


def test_white_space_is_layout():
    spaced = replace(PAGE, text=TEXT.replace("，", "， "))
    assert digest_of(content_lines(READING, spaced)) == digest_of(content_lines(READING, PAGE))


def test_a_cell_printed_differently_is_content_and_named():
    other = replace(REPORT, facts=(structs.replace(REPORT.facts[0], value=5, raw="5"), REPORT.facts[1]))
    assert content_lines(other, None) != content_lines(REPORT, None)
    assert changed_cells(REPORT, other) == (("a.b", "3", "5"),)


def test_a_file_that_is_no_report_is_compared_by_its_bytes():
    assert content_lines(Reading(media_type="application/zip"), None) == ()
    assert content_lines(replace(REPORT, error=ReadingError("damaged", "x")), None) == ()


def test_an_address_is_no_part_of_the_essence():
    with_file = replace(PAGE, attachments=(Link("http://a.example/1.pdf", "附件", "附件.pdf"),))
    assert essence_lines(READING, with_file) == essence_lines(READING, PAGE) != ()
    assert essence_lines(READING, Page(title=Labelled("公告", "meta"))) == ()


def test_the_diff_names_the_line_before_and_after():
    changed = replace(PAGE, title=Labelled("更正", "meta"))
    diff = text_diff(content_lines(READING, PAGE), content_lines(READING, changed)).split("\n")
    assert "-title: 关于某事项的公告" in diff
    assert "+title: 更正" in diff
