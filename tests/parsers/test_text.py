"""The shapes of tables in plain text, bytes of every encoding, and what is no text."""

from __future__ import annotations

import pytest

from parsers.errors import UnreadableDocumentError
from parsers.model import Grid, Paragraph
from parsers.readers import text


def blocks(source: str) -> list[Grid | Paragraph]:
    return list(text.read(source.encode()).blocks)


def only_grid(source: str) -> Grid:
    (grid,) = (block for block in blocks(source) if isinstance(block, Grid))
    return grid


def rows(grid: Grid) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        found.setdefault(cell.row, []).append(cell.text)
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_told_by_the_bytes(encoding: str) -> None:
    (block,) = text.read("青禾区柳溪街道的年度报告".encode(encoding)).blocks
    assert block == Paragraph("青禾区柳溪街道的年度报告", "line=1")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t\r\n", "empty"),
        (bytes(range(256)) * 40, "damaged"),
        (b"x" * (text.MAX_BYTES + 1), "too_large"),
    ],
    ids=["nothing", "white space", "no text", "too large"],
)
def test_what_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        text.read(data)
    assert caught.value.code == code


def test_a_few_broken_bytes_are_a_finding() -> None:
    document = text.read("信息公开".encode() * 50 + b"\xff\xff" + "年报".encode() * 50)
    assert [finding.code for finding in document.findings] == ["undecodable_bytes"]


def test_tabbed_rows_go_on_over_blank_lines_of_a_page_end() -> None:
    grid = only_grid("规章\t0\t1\n\n\n规范性文件\t2\t3\n\n三、其他事项\n")
    assert rows(grid) == [["规章", "0", "1"], ["规范性文件", "2", "3"]]
    assert (grid.columns_known, grid.rows_known) == (False, True)
    assert grid.cells[3].locator == "line=4;column=1"


def test_a_cell_a_line_behind_tabs_goes_on_in_lines_without() -> None:
    grid = only_grid("\t信息内容\n\t本年新\n制作数量\n\n\t规章\n\t　0\n\n标题\n")
    assert rows(grid) == [["信息内容", "本年新\n制作数量"], ["规章", "0"]]


def test_a_line_of_a_tab_is_an_empty_cell() -> None:
    assert rows(only_grid("\t一\n\t\n\t3\n\n\t二\n\t4\n\t\n")) == [["一", "", "3"], ["二", "4", ""]]


def test_a_markdown_table_knows_its_columns() -> None:
    grid = only_grid("| 信息 | 数 |\n|:---|---:|\n| **规章** | 1\\|2 |\n|  | 3<br>4 |\n")
    assert rows(grid) == [["信息", "数"], ["规章", "1|2"], ["", "3\n4"]]
    assert grid.columns_known


def test_markdown_headings_have_levels() -> None:
    assert blocks("## 一、总体情况\n")[0] == Paragraph("一、总体情况", "line=1", 2)


def test_a_stream_knows_no_rows_and_leaves_page_numbers_out() -> None:
    lines = ["规章", *"12345", "- 3 -", "规范性文件", *"67890"]
    grid = only_grid("\n".join([*lines, ""]))
    assert [cell.text for cell in grid.cells] == [line for line in lines if line != "- 3 -"]
    assert not grid.rows_known


def test_a_stream_ends_at_a_heading_and_at_a_sentence() -> None:
    found = blocks("二、主动公开政府信息情况\n" + "\n".join(["规章", *"123456789"]) + "\n以上数据截至年底。\n")
    assert [type(block) for block in found] == [Paragraph, Grid, Paragraph]


def test_layout_cells_stand_between_runs_of_spaces() -> None:
    source = "信息内容     本年制发件数   现行有效件数\n规章            0         12\n文件  3   4\n条目    5   6 7\n"
    assert rows(only_grid(source)) == [
        ["信息内容", "本年制发件数", "现行有效件数"],
        ["规章", "0", "12"],
        ["文件", "3", "4"],
        ["条目", "5", "6 7"],
    ]


def test_numbers_one_space_apart_are_a_stream() -> None:
    """A space inside a number looks the same, so that nothing but their count is sure."""
    grid = only_grid("规章 0 1 2\n规范性文件 3 4 5\n条目 6 7 8\n")
    assert [cell.text for cell in grid.cells] == [
        "规章",
        "0",
        "1",
        "2",
        "规范性文件",
        "3",
        "4",
        "5",
        "条目",
        "6",
        "7",
        "8",
    ]
    assert not grid.rows_known


def test_running_text_is_no_table() -> None:
    source = "2023 年，柳溪街道公开信息 12 条。\n全年召开会议 3 次，培训 4 次。\n政务微博  发布 5 条。\n"
    assert all(isinstance(block, Paragraph) for block in blocks(source))


def test_a_paragraph_indented_by_a_tab_is_no_table() -> None:
    sentence = "本年度主动公开信息的范围与往年相同，" * 6
    (block,) = blocks(f"\t{sentence}\n")
    assert isinstance(block, Paragraph)


def test_a_row_with_cells_above_many_indented_lines_does_not_hold_the_reader_up() -> None:
    # Found by tests/fuzz.py: the reader never came back.
    document = text.read(("行政复议\t\t\n" + "\t总计\n" * 9).encode())
    assert [cell.text for block in document.blocks if isinstance(block, Grid) for cell in block.cells][:1] == [
        "行政复议"
    ]


@pytest.mark.parametrize("end", ["行政强制\t91", "行政强制  91", "| 行政强制 | 91"])
def test_a_text_that_ends_within_a_table_does_not_tell_its_last_number(end: str) -> None:
    rows = ["信息内容\t本年处理决定数量", "行政许可\t7", "行政处罚\t2186"]
    if "\t" not in end:
        rows = [row.replace("\t", "  ") if end[0] != "|" else f"| {row.replace(chr(9), ' | ')} |" for row in rows]
    whole = "\n".join([*rows, end])
    document = text.read(whole.encode())
    assert [finding.code for finding in document.findings] == ["cut_off"]
    assert only_grid(whole).cells[-1].text == "91\ufffc"
    assert text.read(f"{whole}\n".encode()).findings == ()
    assert text.read(f"{whole[:-2]}0".encode()).findings == ()
    assert text.read(f"{whole}\n电话010".encode()).findings == ()


def test_a_number_that_goes_on_in_the_line_below_is_not_its_beginning() -> None:
    grid = only_grid("行政许可\t7\t8\n行政处罚\t133\n7\t\n行政强制\t5\t6\n1\t行政收费\t4\n")
    assert rows(grid) == [
        ["行政许可", "7", "8"],
        ["行政处罚", "133\n7", ""],
        ["行政强制", "5", "6"],
        ["1", "行政收费", "4"],
    ]
