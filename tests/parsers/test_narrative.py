"""What reports say in words. One fixture folder a report, one test a field; then the single rules."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.model import Cell, Document, Grid, Labelled, Page, Paragraph
from parsers.narrative import Narrative, narrate
from parsers.readers import html, text

REPORTS = Path(__file__).parents[1] / "fixtures" / "narratives"
NAMES = sorted(folder.name for folder in REPORTS.iterdir())
READERS = {".html": html.read, ".txt": text.read}


@dataclass(frozen=True)
class Fixture:
    narrative: Narrative
    expected: dict[str, Any]


@cache
def fixture(name: str) -> Fixture:
    (document,) = (REPORTS / name).glob("input.*")
    expected = json.loads((REPORTS / name / "expected.json").read_text("utf-8"))
    return Fixture(narrate(READERS[document.suffix](document.read_bytes())), expected)


@pytest.mark.parametrize("field", ["title", "report_year", "agency", "signed_date", "published_date", "form_cited"])
@pytest.mark.parametrize("name", NAMES)
def test_a_field_is_as_the_report_gives_it(name: str, field: str) -> None:
    assert getattr(fixture(name).narrative, field) == fixture(name).expected[field]


@pytest.mark.parametrize("name", NAMES)
def test_the_sections_are_complete_and_without_tables(name: str) -> None:
    found = [[section.heading, section.text] for section in fixture(name).narrative.sections]

    assert found == fixture(name).expected["sections"]


@pytest.mark.parametrize("name", NAMES)
def test_the_contact_block_is_taken_apart(name: str) -> None:
    assert asdict(fixture(name).narrative.contact) == fixture(name).expected["contact"]


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_found(name: str) -> None:
    codes = [finding.code for finding in fixture(name).narrative.findings]

    assert sorted(codes) == fixture(name).expected["findings"]


def report(*texts: str, media_type: str = "text/plain", title: str = "", **metadata: str) -> Document:
    paragraphs = tuple(Paragraph(text, f"paragraph={number}") for number, text in enumerate(texts, 1))
    return Document(media_type, paragraphs, title=title, metadata=metadata)


SIX = (
    "一、总体情况",
    "全年公开信息90条。",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "人员不足。",
    "六、其他需要报告的事项",
    "无。",
)


@pytest.mark.parametrize(
    ("title", "agency"),
    [
        ("松江区2021年政府信息公开工作年度报告", "松江区"),
        ("松江区人民政府2021年政府信息公开工作年度报告", "松江区人民政府"),
        ("松江区人民政府信息公开2021年年报", "松江区人民政府"),
        ("2021年度松江区水务局政府信息公开年度报告", "松江区水务局"),
        ("松江区水务局关于2021年度政府信息公开工作的年度报告", "松江区水务局"),
        ("松江区水务局政府信息公开工作年度报告（2021年）", "松江区水务局"),
        ("松江 区 水务局 2021 年 政府信息公开年报", "松江区水务局"),
        ("二〇二一年松江区水务局信息公开年度报告", "松江区水务局"),
        ("《松江区水务局2021年政府信息公开工作年度报告》", "松江区水务局"),
    ],
)
def test_the_title_names_the_body(title: str, agency: str) -> None:
    assert narrate(report(title, *SIX)).agency == agency


@pytest.mark.parametrize(
    "title",
    [
        "政府信息公开工作年度报告",
        "2021年政府信息公开工作年度报告",
        "政府信息公开工作年度报告格式模板",
        "本机关2021年年度报告",
    ],
)
def test_a_title_may_name_nobody(title: str) -> None:
    assert narrate(report(title, *SIX)).agency is None


def test_the_signature_names_the_body_when_the_title_does_not() -> None:
    found = narrate(report("2021年政府信息公开工作年度报告", *SIX, "松江区水务局", "2022年1月17日"))

    assert (found.agency, found.signed_date) == ("松江区水务局", "2022-01-17")
    assert found.sections[-1].text == "无。"


def test_the_announcement_names_the_body_when_title_and_signature_do_not() -> None:
    opening = "根据《条例》要求，现向社会公布松江区水务局2021年度政府信息公开年度报告。"

    assert narrate(report("2021年政府信息公开工作年度报告", opening, *SIX)).agency == "松江区水务局"


@pytest.mark.parametrize(
    ("lines", "agency"),
    [
        (("2021年，松江区水务局政务公开工作在区委领导下开展。",), "松江区水务局"),
        (("松江区水务局认真贯彻落实条例。",), "松江区水务局"),
        (("2021年松江市松江区青石街道办事处坚持公开为常态。",), "松江市松江区青石街道办事处"),
        (("2021年，我局认真贯彻落实条例。",), None),
        (("2021年，在区委、区政府领导下，全区认真贯彻落实条例。",), None),
        (("区政府高度重视。",), None),
        (("现有人员不足。", "党政办公室积极开展培训。"), None),
    ],
)
def test_a_sentence_names_the_body_it_is_about(lines: tuple[str, ...], agency: str | None) -> None:
    assert narrate(report("政府信息公开工作年度报告", "一、总体情况", *lines, *SIX[2:])).agency == agency


def test_a_name_below_the_day_is_a_signature_too() -> None:
    found = narrate(report("政府信息公开工作年度报告", *SIX, "2022年1月17日", "松江区水务局"))

    assert (found.agency, found.signed_date, found.sections[-1].text) == ("松江区水务局", "2022-01-17", "无。")


def test_the_heading_of_a_web_page_is_its_title_whatever_its_menus_say() -> None:
    menu = Paragraph("首页 政务公开 政府信息公开年报 " + "法定主动公开内容 " * 12, "paragraph=1")
    crumb = Paragraph("首页 > 政府信息公开年报", "paragraph=2")
    heading = Paragraph("松江区水务局2021年政府信息公开工作年度报告", "paragraph=3", level=1)
    document = Document("text/html", (menu, crumb, heading, *report(*SIX).blocks))

    assert narrate(document).title == "松江区水务局2021年政府信息公开工作年度报告"


def test_title_and_signature_of_two_bodies_are_a_finding() -> None:
    found = narrate(report("松江区水务局2021年政府信息公开年报", *SIX, "北塘区教育局", "2022年1月17日"))

    assert [finding.code for finding in found.findings] == ["agency_conflict"]
    assert found.agency == "松江区水务局"


@pytest.mark.parametrize("signature", ["松江区人民政府办公室", "松江市松江区水务局", "松江区水利水务局"])
def test_a_longer_or_shorter_name_is_no_other_body(signature: str) -> None:
    assert narrate(report("松江区水务局2021年政府信息公开年报", *SIX, signature, "2022年1月17日")).findings == ()


@pytest.mark.parametrize(
    ("title", "opening", "year"),
    [
        ("松江区2021年政府信息公开工作年度报告", "", 2021),
        ("松江区二〇二一年政府信息公开工作年度报告", "", 2021),
        ("松江区2022年发布的2021年度政府信息公开工作报告", "", 2021),
        ("松江区政府信息公开工作年度报告", "统计期限自 2021 年 1 月 1 日起至 2021 年 12 月 31 日止。", 2021),
        ("松江区政府信息公开工作年度报告", "统计时限为2021年1月1日—12月31日。", 2021),
        ("松江区政府信息公开工作年度报告", "2021年，松江区认真落实《2019年工作要点》。", 2021),
    ],
)
def test_the_year_comes_from_title_then_period_then_text(title: str, opening: str, year: int) -> None:
    assert narrate(report(title, opening, *SIX)).report_year == year


def test_the_day_of_publication_is_no_reporting_year() -> None:
    page = Page(published_date=Labelled("2020-06-22", "meta"))

    assert narrate(report("松江区政府信息公开工作年度报告", *SIX), page).report_year is None


def test_a_year_the_text_does_not_settle_is_a_finding() -> None:
    found = narrate(report("松江区政府信息公开工作年度报告", "工作在2020年和2021年均有进展。", *SIX))

    assert [finding.code for finding in found.findings] == ["report_year_uncertain"]


def test_the_page_gives_title_and_day_of_a_web_report() -> None:
    page = Page(
        title=Labelled("松江区水务局2021年政府信息公开年报", "meta"), published_date=Labelled("2022-01-20", "meta")
    )
    found = narrate(report("政府信息公开年报", *SIX, "2022年1月17日", media_type="text/html"), page)

    assert (found.title, found.published_date) == ("松江区水务局2021年政府信息公开年报", "2022-01-20")
    assert found.signed_date == "2022-01-17"


def test_the_head_table_of_a_page_counts_more_than_a_loose_line_before_it() -> None:
    texts = ("索引号", "A/1", "发布日期", "2022-01-20")
    cells = tuple(Cell(text, 0, column, f"table=1;row=1;column={column + 1}") for column, text in enumerate(texts))
    line = Paragraph("发布时间：2022-01-25 来源：松江区水务局", "paragraph=1")
    document = Document("text/html", (line, Grid(cells, "table=1"), *report("松江区2021年年报", *SIX).blocks[1:]))

    assert narrate(document).published_date == "2022-01-20"


def test_a_page_title_that_says_nothing_gives_way_to_the_printed_one() -> None:
    page = Page(title=Labelled("2021年度", "meta"))

    assert narrate(report("松江区2021年政府信息公开年报", *SIX, media_type="text/html"), page).title == (
        "松江区2021年政府信息公开年报"
    )


def test_the_metadata_of_a_page_serve_without_it() -> None:
    found = narrate(
        report(*SIX, media_type="text/html", ArticleTitle="松江区2021年政府信息公开年报", PubDate="2022-01-20 08:00")
    )

    assert (found.title, found.published_date) == ("松江区2021年政府信息公开年报", "2022-01-20")


@pytest.mark.parametrize(
    "printed",
    [
        "（国办公开办函〔2021〕30号）",
        "（国办公开办函[2021]30号）",
        "国办公开办函（2021）30 号",
        "国办公开办函 【2021】 30号",
        "国办公开办函﹝2021﹞30号",
    ],
)
def test_the_form_cited_is_spelled_one_way(printed: str) -> None:
    opening = f"根据《关于印发年度报告格式的通知》{printed}要求编制。"

    assert narrate(report("松江区2021年年报", opening, *SIX)).form_cited == "国办公开办函〔2021〕30号"


def test_two_forms_cited_are_a_finding() -> None:
    found = narrate(report("松江区2021年年报", "根据国办公开办函〔2019〕60号、国办公开办函〔2021〕30号编制。", *SIX))

    assert "several_forms_cited" in [finding.code for finding in found.findings]


def test_rows_of_the_third_table_printed_as_text_are_no_headings() -> None:
    lines = list(SIX)
    lines[4:4] = [
        "一、本年新收政府信息公开申请数量",
        "二、上年结转政府信息公开申请数量",
        "三、本年度办理结果",
        "四、结转下年度继续办理",
    ]

    assert [section.heading for section in narrate(report("松江区2021年年报", *lines)).sections] == [
        "一、总体情况",
        "二、主动公开政府信息情况",
        "三、收到和处理政府信息公开申请情况",
        "四、政府信息公开行政复议、行政诉讼情况",
        "五、存在的主要问题及改进情况",
        "六、其他需要报告的事项",
    ]


def test_a_row_of_the_third_table_does_not_stand_in_for_a_missing_section() -> None:
    lines = [line for line in SIX if not line.startswith("四、")]
    lines[4:4] = ["四、结转下年度继续办理"]
    found = narrate(report("松江区2021年年报", *lines))

    assert len(found.sections) == 5
    assert [finding.code for finding in found.findings] == ["section_missing"]


def test_a_list_inside_a_section_does_not_open_the_sections_it_is_named_like() -> None:
    lines = list(SIX)
    lines[1:2] = ["一、主动公开情况", "公开90条。", "二、依申请公开情况", "未收到申请。"]
    found = narrate(report("松江区2021年年报", *lines))

    assert [section.heading for section in found.sections][1:3] == [SIX[2], SIX[3]]
    assert found.sections[0].text == "一、主动公开情况\n公开90条。\n二、依申请公开情况\n未收到申请。"


def test_a_table_printed_as_lines_is_no_text_of_its_section() -> None:
    lines = list(SIX)
    lines[3:3] = [
        "本年度未制发规章。",
        "（一）统计表",
        "数据如下：",
        "第二十条第（一）项",
        "规章000",
        "行政许可12",
        "行政处罚3",
        "行政强制0",
    ]

    text = narrate(report("松江区2021年年报", *lines)).sections[1].text

    assert text == "本年度未制发规章。\n（一）统计表\n数据如下："


def test_headings_numbered_by_word_itself_are_found_without_numbers() -> None:
    unnumbered = [line.split("、", 1)[1] if line[1:2] == "、" else line for line in SIX]
    unnumbered = [line.replace("收到和处理", "三、收到和处理") for line in unnumbered]

    assert [section.heading for section in narrate(report("松江区2021年年报", *unnumbered)).sections] == [
        "总体情况",
        "主动公开政府信息情况",
        "三、收到和处理政府信息公开申请情况",
        "政府信息公开行政复议、行政诉讼情况",
        "存在的主要问题及改进情况",
        "其他需要报告的事项",
    ]


def test_sections_in_another_order_are_a_finding() -> None:
    lines = (*SIX[:4], SIX[5], SIX[6], SIX[4], *SIX[7:])
    found = narrate(report("松江区2021年年报", *lines))

    assert "sections_out_of_order" in [finding.code for finding in found.findings]
    assert len(found.sections) == 6


def test_a_section_under_a_wrong_number_is_a_finding() -> None:
    lines = [line.replace("六、其他", "五、其他") for line in SIX]
    found = narrate(report("松江区2021年年报", *lines))

    assert [finding.code for finding in found.findings] == ["section_misnumbered"]
    assert found.sections[-1].heading == "五、其他需要报告的事项"


def test_a_section_under_a_title_nobody_met_is_taken_by_its_number() -> None:
    lines = [line.replace("五、存在的主要问题及改进情况", "五、困难与打算") for line in SIX]
    found = narrate(report("松江区2021年年报", *lines))

    assert [section.heading for section in found.sections][4] == "五、困难与打算"
    assert found.findings == ()


def test_text_in_a_box_is_text() -> None:
    cells = [Cell("\n".join(SIX[:2]) + "较上年有所增加，" * 10, 0, 0, "table=1;row=1;column=1")]
    document = Document("text/html", (Grid(tuple(cells), "table=1"), *report(*SIX[2:]).blocks))

    assert narrate(document).sections[0].heading == "一、总体情况"


def test_a_document_without_a_word_gives_nothing() -> None:
    found = narrate(Document("application/pdf", ()))

    assert (found.title, found.report_year, found.agency, found.sections) == (None, None, None, ())


def test_twenty_thousand_headings_are_told_from_contents_in_seconds() -> None:
    """Each was looked for in all that follow."""
    document = text.read("一、总体情况\n（一）主动公开\n".encode() * 20_000)
    began = time.thread_time()
    narrate(document, None)
    assert time.thread_time() - began < 8
