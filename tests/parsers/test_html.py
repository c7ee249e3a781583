"""HTML pages: spans, Word markup, layout tables, encodings, what is not shown, and markup that is no page."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Grid, Paragraph
from parsers.readers import html as reader

SHARED = Path(__file__).parents[2].parent / "shared"


def read(markup: str) -> Document:
    return reader.read(markup.encode())


def grids(document: Document) -> list[Grid]:
    return [block for block in document.blocks if isinstance(block, Grid)]


def texts(document: Document) -> list[str]:
    return [block.text if isinstance(block, Paragraph) else "grid" for block in document.blocks]


def rows(grid: Grid) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        found.setdefault(cell.row, []).append(cell.text)
    return list(found.values())


def codes(document: Document) -> list[str]:
    return [finding.code for finding in document.findings]


def test_spans_place_each_real_cell_once() -> None:
    (grid,) = grids(
        read(
            "<table><thead><tr><th colspan=3>申请人情况</th></tr></thead><tbody>"
            "<tr><td rowspan=2>三、办理结果</td><td>（一）予以公开</td><td>17</td></tr>"
            "<tr><td>（二）部分公开</td><td>2,308</td></tr></tbody></table>"
        )
    )
    assert [(cell.text, cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid.cells] == [
        ("申请人情况", 0, 0, 1, 3),
        ("三、办理结果", 1, 0, 2, 1),
        ("（一）予以公开", 1, 1, 1, 1),
        ("17", 1, 2, 1, 1),
        ("（二）部分公开", 2, 1, 1, 1),
        ("2,308", 2, 2, 1, 1),
    ]
    assert grid.cells[-1].locator == "table=1;row=3;column=3"


def test_word_markup_joins_runs_and_keeps_lines() -> None:
    (grid,) = grids(
        read(
            "<table><tr><td><p class=MsoNormal><span>本年</span><span lang=EN-US>2</span><span>3</span><o:p></o:p></p>"
            "<p><font face=仿宋>第二段</font><br>下一行</p></td><td><p><o:p>&nbsp;</o:p></p></td></tr></table>"
        )
    )
    assert [cell.text for cell in grid.cells] == ["本年23\n第二段\n下一行", ""]


def test_source_white_space_collapses_and_printed_blanks_stay() -> None:
    assert texts(read("<p>　　根据\n   要求&nbsp;&nbsp;2023</p>")) == ["　　根据 要求\xa0\xa02023"]


def test_one_line_break_stays_in_a_paragraph_and_two_part_it() -> None:
    assert texts(read("<div>一、总体情况<br>正文<br>&nbsp;<br>二、主动公开</div>")) == [
        "一、总体情况\n正文",
        "二、主动公开",
    ]


def test_preformatted_lines_stay_lines() -> None:
    assert texts(read("<pre>规章\t1\n许可  2</pre>")) == ["规章 1\n许可 2"]


def test_headings_carry_their_level_and_text_keeps_its_order() -> None:
    document = read("<h1>年度报告</h1>前言<p>正文</p><h3>一、总体情况</h3>尾声")
    assert [(block.text, block.level, block.locator) for block in document.blocks if isinstance(block, Paragraph)] == [
        ("年度报告", 1, "paragraph=1"),
        ("前言", None, "paragraph=2"),
        ("正文", None, "paragraph=3"),
        ("一、总体情况", 3, "paragraph=4"),
        ("尾声", None, "paragraph=5"),
    ]


def test_layout_tables_are_text_in_order_and_only_the_data_inside_is_a_grid() -> None:
    article = "青石县" * 150
    data = "<table><tr><td>规章</td><td>1</td></tr><tr><td>许可</td><td>677</td></tr></table>"
    frame = f"<table><tr><td>首页</td><td><p>{article}</p>{data}<p>尾声</p></td></tr></table>"
    document = read(f"<table><tr><td><table><tr><td>{frame}</td></tr></table></td></tr></table>")
    assert texts(document) == ["首页", article, "grid", "尾声"]
    assert rows(grids(document)[0]) == [["规章", "1"], ["许可", "677"]]
    assert grids(document)[0].locator == "table=4"


def test_a_box_of_one_column_is_text() -> None:
    assert texts(read("<table><tr><td>甲</td></tr><tr><td>乙</td></tr></table>")) == ["甲", "乙"]


def test_a_data_table_with_a_small_table_in_a_cell_keeps_both() -> None:
    inner = "<table><tr><td>维持</td><td>1</td></tr></table>"
    outer = "".join(f"<tr><td>第{number}项</td><td>{number}</td></tr>" for number in range(6))
    document = read(f"<table>{outer}<tr><td>复议</td><td>见{inner}</td></tr></table>")
    assert [rows(grid)[-1] for grid in grids(document)] == [["复议", "见"], ["维持", "1"]]


def test_captions_and_text_between_rows_stand_before_the_table() -> None:
    document = read(
        "<table><caption>表一</caption><tr><td>规章</td><td>1</td></tr>散落<tr><td>许可</td><td>2</td></tr></table>"
    )
    assert texts(document) == ["表一", "散落", "grid"]


def test_cells_without_rows_and_unclosed_tags_are_read() -> None:
    assert rows(grids(read("<table><td>甲<td>1<tr><td>乙<td>2</table>"))[0]) == [["甲", "1"], ["乙", "2"]]


def test_the_foot_of_a_table_comes_last_and_rowspan_zero_ends_with_its_group() -> None:
    (grid,) = grids(
        read(
            "<table><tfoot><tr><td>总计</td><td>9</td></tr></tfoot>"
            "<tbody><tr><td rowspan=0>甲</td><td>1</td></tr><tr><td>2</td></tr></tbody></table>"
        )
    )
    assert rows(grid) == [["甲", "1"], ["2"], ["总计", "9"]]
    assert grid.cells[0].row_span == 2


@pytest.mark.parametrize("span", ["100000", "99999999999999999999"])
def test_impossible_spans_are_cut_and_reported(span: str) -> None:
    document = read(f"<table><tr><td colspan={span}>甲</td><td rowspan=65000>乙</td></tr><tr><td>丙</td></tr></table>")
    (grid,) = grids(document)
    assert [(cell.column, cell.row_span, cell.column_span) for cell in grid.cells] == [
        (0, 1, 100),
        (100, 2, 1),
        (0, 1, 1),
    ]
    assert codes(document) == ["span_clamped"]


def test_cells_that_reach_to_the_end_of_all_rows_are_read_in_seconds() -> None:
    """Each row was looked through for where the cells of all rows before it end: a minute."""
    began = time.thread_time()
    document = read("<table>" + "<tr><td colspan=100 rowspan=65000>甲<td>乙" * 20_000)
    assert time.thread_time() - began < 8
    assert len(grids(document)[0].cells) == 40_000


@pytest.mark.parametrize("span", ["", "abc", "-3", "0", "1.9", "２"])
def test_odd_spans_count_as_one(span: str) -> None:
    (grid,) = grids(read(f'<table><tr><td colspan="{span}">甲</td><td>乙</td></tr></table>'))
    assert [cell.column for cell in grid.cells] == [0, 1]


def test_what_is_not_shown_is_not_read() -> None:
    document = read(
        "<p>见<script>var a='脚本'</script><!-- 注释 --><span style='DISPLAY : none'>隐藏</span><b hidden>隐</b>文</p>"
        "<style>p{}</style><noscript>请启用</noscript><select><option>选项</option></select>"
    )
    assert texts(document) == ["见文"]


def test_a_hidden_table_and_struck_text_are_left_out_and_reported() -> None:
    document = read(
        "<div style='display:none'><table><tr><td>规章</td><td>9</td></tr></table></div>"
        "<table><tr><td>规章</td><td><del>13</del><ins>30</ins></td></tr>"
        "<tr style='display:none'><td>x</td></tr></table>"
    )
    assert rows(grids(document)[0]) == [["规章", "30"]]
    assert grids(document)[0].locator == "table=2"
    assert codes(document) == ["hidden_table", "struck_text"]


@pytest.mark.parametrize(
    "mark",
    [
        "<sup>1</sup>",
        "<sup><a href='#n1'><span>1</span></a></sup>",
        "<sub>1</sub>",
        "<span style='mso-text-raise:4.0pt;VERTICAL-ALIGN: super'>1</span>",
        "<font style='vertical-align:sub'>1</font>",
        "<span style='mso-text-raise:3.0pt'>1</span>",
        "<span style='font-size:6pt;position:relative;top:-3.0pt'>1</span>",
        "<a href='#_ftn1'>1</a>",
    ],
    ids=[
        "raised",
        "with a link in it",
        "lowered",
        "raised by its style",
        "lowered by its style",
        "raised by points",
        "moved up",
        "a link to a note",
    ],
)
def test_a_raised_note_mark_never_joins_its_number(mark: str) -> None:
    assert texts(read(f"<p>21{mark}件</p>")) == ["21[1]件"]
    (grid,) = grids(read(f"<table><tr><td>规章</td><td>21{mark}</td></tr></table>"))
    assert grid.cells[1].text == "21[1]"


def test_where_a_cell_stands_in_its_row_raises_nothing() -> None:
    cell = "<td style='vertical-align:super'><p style='vertical-align:sub'>21</p></td>"
    assert grids(read(f"<table><tr><td>规章</td>{cell}</tr></table>"))[0].cells[1].text == "21"


@pytest.mark.parametrize(
    "style", ["text-decoration:line-through", "color:red;text-decoration-line: underline line-through"]
)
def test_text_that_its_style_strikes_out_is_left_out_and_said(style: str) -> None:
    document = read(f"<table><tr><td>规章</td><td><span style='{style}'>9</span>21</td></tr></table>")
    assert (grids(document)[0].cells[1].text, codes(document)) == ("21", ["struck_text"])


def test_a_cell_that_holds_a_table_is_not_empty() -> None:
    rows = "<tr><td>甲</td><td>1</td><td>2</td></tr>" * 3
    inner = "<table><tr><td>5</td><td>6</td></tr></table>"
    document = read(f"<table>{rows}<tr><td>乙</td><td>{inner}</td><td>3</td></tr></table>")
    assert [cell.text for cell in grids(document)[0].cells[-3:]] == ["乙", "\ufffc", "3"]
    assert [cell.text for cell in grids(document)[1].cells] == ["5", "6"]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("<img src='5.png'>", "\ufffc"),
        ("<svg><text>5</text></svg>", "\ufffc"),
        ("<iframe src='5.html'></iframe>", "\ufffc"),
        ("<select><option>5<option>6</select>", "\ufffc"),
        ("<script>document.write(5)</script>", "\ufffc"),
        ("<math><mn>5</mn></math>", "\ufffc"),
        ("<textarea>5</textarea>", "5"),
        ("<img src='5.png'>5", "5"),
        ("<ruby>5<rt>wu</rt></ruby>", "5"),
        ("<img src='clear.gif' width=1 height=12>", ""),
        ("<style>b{}</style>&nbsp;", ""),
    ],
)
def test_what_a_cell_shows_in_place_of_text_is_not_nothing(shown: str, text: str) -> None:
    found = grids(
        read(f"<table><tr><td>规章</td><td>{shown}</td><td>3</td></tr><tr><td>甲</td><td>1</td><td>2</td></tr></table>")
    )
    assert found[0].cells[1].text == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<td style="color:#fff">3</td>', "\ufffc"),
        ('<td><span style="COLOR: White">3</span></td>', "\ufffc"),
        ('<td><p>1<span style="color:rgb(255, 255, 255)">3</span></p></td>', "\ufffc"),
        ('<td><font color="#FFFFFF">3</font></td>', "\ufffc"),
        ('<td>1<span style="font-size:0">3</span></td>', "\ufffc"),
        ('<td>1<span style="opacity: 0;">3</span></td>', "\ufffc"),
        ('<td>1<span class="b away">3</span></td>', "\ufffc"),
        ('<td>1<span style="position:absolute;left:-9999px">3</span></td>', "\ufffc"),
        ('<td>1<span style="clip: rect(0,0,0,0)">3</span></td>', "\ufffc"),
        ('<td>1<span style="font-size:1px">3</span></td>', "\ufffc"),
        ('<td>1<span style="color:rgba(0, 0, 0, 0.0)">3</span></td>', "\ufffc"),
        ('<td style="color:#fefefe">3</td>', "\ufffc"),
        ('<td>1<span class="note">3</span></td>', "\ufffc"),
        ('<td style="text-indent:-21.0pt">3</td>', "3"),
        ('<td style="font-size:12px;color:rgba(0,0,0,0.9)">3</td>', "3"),
        ('<td style="color:#fafad2">3</td>', "3"),
        ('<td><a href="#top">3</a></td>', "3"),
        ('<td class="pale">3</td>', "\ufffc"),
        ('<td class="from"></td>', "\ufffc"),
        ('<td class="from">3</td>', "\ufffc"),
        ('<td><p class="from"></p></td>', "\ufffc"),
        # Seen, or nothing to see.
        ('<td style="color:#fff;background:#036">3</td>', "3"),
        ('<td bgcolor="navy"><span style="color:#fff">3</span></td>', "3"),
        ('<td style="color:#fff000">3</td>', "3"),
        ('<td style="background-color:#fff">3</td>', "3"),
        ('<td style="font-size:0.9em;opacity:0.9">3</td>', "3"),
        ('<td style="color:#fff"></td>', ""),
        ('<td class="away"></td>', ""),
        ('<td class="icon clear print">3</td>', "3"),
        ('<td style="color:#fff">规章</td>', "规章"),
        ('<td>1<span style="visibility:hidden">3</span></td>', "1"),
    ],
)
def test_a_number_that_may_not_be_seen_is_not_told(cell: str, text: str) -> None:
    sheet = (
        "<style>/* .icon{display:none} */ td.pale {color:#FFF} .x, table .away{font-size:9pt;display:none}"
        ".note{vertical-align: super;font-size:6pt} .from::before{content:'7'}"
        ".clear:after{content:'.';visibility:hidden} .icon:hover{opacity:0}"
        "@media print{.print{display:none}} .head{color:#fff;background:#000}</style>"
    )
    document = read(f"{sheet}<table><tr><td>规章</td>{cell}<td>5</td></tr></table>")
    assert rows(grids(document)[0]) == [["规章", text, "5"]]
    assert ("veiled_number" in codes(document)) == (text == "\ufffc")


def test_a_row_in_white_ink_holds_no_numbers() -> None:
    row = '<tr style="color:#fff"><td>规章</td><td>3</td></tr>'
    document = read(f"<table><tr><td>文件</td><td>5</td></tr>{row}</table>")
    assert rows(grids(document)[0]) == [["文件", "5"], ["规章", "\ufffc"]]


def test_values_typed_into_a_page_are_printed_and_hidden_ones_are_not() -> None:
    (grid,) = grids(read("<table><tr><td>规章</td><td><input value=7><input type=hidden value=8></td></tr></table>"))
    assert grid.cells[1].text == "7"


def test_metadata_and_title_come_from_the_page_wherever_they_stand() -> None:
    document = read(
        "<title> 青石县\n年度报告 </title><meta name=ArticleTitle content=''><body>"
        "<meta name=ArticleTitle content=年度报告><meta name=PubDate content=2024-01-17>"
        "<meta name=PubDate content=2025-05-05><title>别的</title>文"
    )
    assert document.title == "青石县 年度报告"
    assert document.metadata == {"ArticleTitle": "年度报告", "PubDate": "2024-01-17"}


@pytest.mark.parametrize(
    ("label", "encoding"),
    [("utf-8", "gb18030"), ("gb2312", "utf-8"), ("gb2312", "gb18030"), ("gb2312", "utf-16"), ("utf-8", "utf-8-sig")],
)
def test_bytes_decide_the_encoding_whatever_the_page_says(label: str, encoding: str) -> None:
    page = f"<?xml version='1.0' encoding='{label}'?><html><meta charset={label}><p>青石县二〇二三年〔3〕号</p></html>"
    assert texts(reader.read(page.encode(encoding))) == ["青石县二〇二三年〔3〕号"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_one_broken_byte_costs_one_character_and_is_reported(encoding: str) -> None:
    sentence = "根据政府信息公开条例的要求编制"
    before, after = ("<p>" + sentence * 6).encode(encoding), (sentence * 14 + "</p>").encode(encoding)
    document = reader.read(before + b"\xff" + after)
    assert texts(document)[0].count(sentence) >= 19
    assert codes(document) == ["broken_encoding"]


def test_nul_bytes_do_not_end_the_page() -> None:
    assert texts(read("<p>前\0后</p>")) == ["前\ufffd后"]


@pytest.mark.parametrize(
    "markup", ["<div>" * 100_000 + "深", "<table><tr><td>甲<td>" * 5000, "<b>" * 100_000], ids=["div", "table", "b"]
)
def test_nesting_beyond_any_page_is_refused(markup: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        read(markup)
    assert refused.value.code == "too_complex"


def test_more_tags_than_any_page_has_are_refused() -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        read("<b>" * (reader.MAX_TAGS + 1))
    assert refused.value.code == "too_complex"


def test_nesting_that_browsers_draw_is_read() -> None:
    assert texts(read("<font>" * 1500 + "深" + "<div>" * 300 + "处")) == ["深", "处"]


@pytest.mark.parametrize("markup", ["", "<!-- 只有注释 -->"])
def test_a_page_without_anything_is_empty(markup: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        read(markup)
    assert refused.value.code == "empty"


CELLS = [
    "<td>甲</td>",
    "<td><p><span>2</span><span>3<o:p></o:p></span></p></td>",
    "<td> <div>\n甲 <b>乙</b></div>\n</td>",
    "<td>甲<p>乙</p></td>",
    "<td><p>甲</p>乙</td>",
    "<td><p>甲</p><p>乙</p></td>",
    "<td><p style='display:none'>9</p></td>",
    "<td><p>8<span style='display:none'>9</span></p></td>",
    "<td><p>&nbsp;</p></td>",
    "<td><p>　1&nbsp;</p></td>",
    "<td><ul><li>甲<li>乙</ul></td>",
    "<td><pre>甲\n乙</pre></td>",
    "<td><span>甲<br>乙</span></td>",
]


def test_plain_cells_read_by_the_short_way_come_out_as_by_the_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    markup = "<table>" + "".join(f"<tr>{cell}<td>1</td></tr>" for cell in CELLS) + "</table>"
    short = read(markup)
    monkeypatch.setattr(reader._Reader, "_plain_text", lambda self, cell: None)
    assert short == read(markup)


SHUYANG = SHARED / "real" / "shuyang-fgj-2023.html"


@pytest.mark.skipif(not SHUYANG.exists(), reason=f"{SHUYANG} is not here")
def test_a_real_page_of_word_markup_gives_its_three_tables_and_the_head_table() -> None:
    found = grids(reader.read(SHUYANG.read_bytes()))
    assert [len(grid.cells) for grid in found] == [18, 30, 215, 34]
    assert rows(found[1])[3] == ["规范性文件", "8", "0", "18"]
    assert rows(found[2])[3] == ["一、本年新收政府信息公开申请数量", "26", "", "", "", "", "", "26"]


def test_what_follows_the_end_of_a_page_within_a_page_is_read() -> None:
    pasted = "<html><head><title>表</title></head><body><p>乙</p></body></HTML >"
    assert texts(read(f"<html><body><p>甲</p><div>{pasted}</div><p>丙</p></body></html><p>丁</p>")) == list("甲乙丙丁")


def test_what_follows_an_embed_is_read() -> None:
    # libxml2 does not know that embed never has an end tag, and puts what follows into it.
    source = "<body><embed src=flash.swf><p>说明</p><table><tr><td>新收</td><td>84</td></tr></table>"
    document = reader.read(source.encode())
    assert [type(block).__name__ for block in document.blocks] == ["Paragraph", "Grid"]


ROW = "<html><body><p>报告</p><table><tr><td>规章<td>3<td>5</tr><tr><td>行政许可</td>"


@pytest.mark.parametrize(
    ("page", "last", "said"),
    [
        # A download that breaks off within a number must not leave a shorter one, nor a blank where one was to come.
        (ROW + "<td><p>6", ["行政许可", "6\ufffc"], ["cut_off"]),
        (ROW + "<td><p>69</p>", ["行政许可", "69\n\ufffc"], ["cut_off"]),
        (ROW + "<td><p>69</p", ["行政许可", "69\ufffc"], ["cut_off"]),
        (ROW + "<TD align=center><P>", ["行政许可", "\ufffc"], ["cut_off"]),
        (ROW + "<td class=", ["行政许可"], ["cut_off"]),
        (ROW + "<td>69</td>", ["行政许可", "69"], ["cut_off"]),
        # Whole, however careless.
        (ROW + "<td>6</table>", ["行政许可", "6"], []),
        (ROW + "<td>6</body>", ["行政许可", "6"], []),
        (ROW + "<td>6<table><tr><td>甲</table></table></HTML >\n", ["行政许可", "6\n甲"], []),
    ],
)
def test_a_page_that_breaks_off_within_a_table_says_so(page: str, last: list[str], said: list[str]) -> None:
    document = read(page)
    assert (rows(grids(document)[0])[-1], codes(document)) == (last, said)
