"""Tables whose grid columns are known, and which edition a document is."""

from __future__ import annotations

from parsers.match import Match, match
from parsers.model import Cell, Document, Fact, Grid, Paragraph

COLUMNS = ("自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计")
KEYS = ("natural_person", "business", "research", "public_interest", "legal_service", "other", "total")
NEW, CARRIED, GRANTED = "一、本年新收政府信息公开申请数量", "二、上年结转政府信息公开申请数量", "（一）予以公开"
SECTION_TWO = [["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"], ["规章", "1", "2", "3"]]


def grid(rows: list[list[str]], *, spans: dict[tuple[int, int], int] | None = None) -> Grid:
    """Each row's cells from left to right; `spans`: (row, place) → columns the cell takes."""
    cells: list[Cell] = []
    for number, row in enumerate(rows):
        column = 0
        for place, text in enumerate(row):
            span = (spans or {}).get((number, place), 1)
            cells.append(Cell(text, number, column, f"table=1;row={number + 1};column={column + 1}", 1, span))
            column += span
    return Grid(tuple(cells), "table=1")


def matched(*blocks: Grid | Paragraph) -> Match:
    return match(Document("text/html", blocks))


def fact(found: Match, cell: str) -> Fact:
    return next(one for one in found.facts if one.cell == cell)


def values(found: Match, row: str) -> list[object]:
    return [fact(found, f"applications.{row}.{key}").value for key in KEYS]


def codes(found: Match) -> set[str]:
    return {finding.code for finding in found.findings}


def applications(*rows: list[str], header: tuple[str, ...] = COLUMNS) -> Grid:
    return grid([["申请人情况", *header], *rows])


def row(label: str, *numbers: object) -> list[str]:
    return [label, *map(str, numbers)]


def test_an_empty_column_too_many_at_the_end_moves_nothing() -> None:
    rows = [row(label, 1, 2, 3, 4, 5, 6, 21, "") for label in (NEW, CARRIED, GRANTED)]
    found = matched(applications(*rows))
    assert values(found, "new") == [1, 2, 3, 4, 5, 6, 21]
    assert fact(found, "applications.new.natural_person").confidence == 1.0


def test_a_phantom_column_is_seen_through_by_the_order_of_cells() -> None:
    """Converters split a column whose edges lie a hair apart; some cells then take two grid columns."""
    rows = [["申请人情况", *COLUMNS], *(row(label, 1, 2, 3, 4, 5, 6, 21) for label in (NEW, CARRIED, GRANTED))]
    found = matched(grid(rows, spans={(1, 3): 2, (2, 3): 2, (3, 3): 2, (0, 4): 2}))
    assert values(found, "new") == [1, 2, 3, 4, 5, 6, 21]


def test_a_column_of_remarks_is_left_out_by_the_header() -> None:
    rows = [row(label, 1, 2, 3, 4, 5, 6, 21, 9) for label in (NEW, CARRIED, GRANTED)]
    found = matched(applications(*rows, header=(*COLUMNS, "上年数")))
    assert values(found, "new") == [1, 2, 3, 4, 5, 6, 21]
    assert fact(found, "applications.new.total").confidence < 0.9
    assert "unknown_column" in codes(found)


def test_a_value_merged_with_the_one_below_leaves_a_row_too_short() -> None:
    found = matched(
        applications(row(NEW, 1, 2, 3, 4, 5, 6, 21), row(CARRIED, 1, 0, 0, 0, 0, 1), row(GRANTED, 1, 0, 0, 0, 0, 0, 1))
    )
    assert {fact(found, f"applications.carried_in.{key}").status for key in KEYS[:5]} <= {"unreadable", "reported"}
    assert all(fact(found, f"applications.carried_in.{key}").confidence < 1.0 for key in KEYS)


def test_a_word_in_place_of_a_number_is_unreadable_there_only() -> None:
    rows = [row(NEW, "见附件", 2, 3, 4, 5, 6, 21), row(CARRIED, *[0] * 7), row(GRANTED, *[0] * 7)]
    found = matched(applications(*rows))
    assert values(found, "new") == [None, 2, 3, 4, 5, 6, 21]
    assert (fact(found, "applications.new.natural_person").status, fact(found, "applications.new.business").status) == (
        "unreadable",
        "reported",
    )


def test_one_header_over_three_cells_of_which_one_is_filled() -> None:
    rows = [["信息内容", "本年处理决定数量"], ["行政许可", "", "12", ""]]
    found = matched(grid(SECTION_TWO), grid(rows, spans={(0, 1): 3}))
    assert fact(found, "disclosure.licensing.decisions").value == 12


def test_one_header_printed_over_copies_of_one_value() -> None:
    rows = [["信息内容", *["本年处理决定数量"] * 3], ["行政许可", "12", "12", "12"], ["行政处罚", "7", "8", "7"]]
    found = matched(grid(SECTION_TWO), grid(rows))
    assert fact(found, "disclosure.licensing.decisions").value == 12
    assert fact(found, "disclosure.penalties.decisions").status == "unreadable"


def test_a_table_printed_twice_alike_is_read_once() -> None:
    found = matched(grid(SECTION_TWO), Paragraph("附件", "paragraph=1"), grid(SECTION_TWO))
    assert fact(found, "disclosure.regulations.issued").value == 1
    assert "conflicting_values" not in codes(found)


def test_section_two_decides_the_edition_whatever_is_cited() -> None:
    cited = Paragraph("根据国办公开办函〔2019〕60号文件编制", "paragraph=1")
    assert matched(cited, grid(SECTION_TWO)).form == "2021"


def test_without_section_two_the_cited_number_decides_and_a_finding_says_so() -> None:
    rows = [row(label, *[0] * 7) for label in (NEW, CARRIED, GRANTED, "（六）其他处理")]
    cited = Paragraph("根据国办公开办函[2021]30号文件编制", "paragraph=1")
    assert matched(cited, applications(*rows)).form == "2021"
    assert matched(applications(*rows)).form == "2019"
    assert "form_uncertain" in codes(matched(cited, applications(*rows)))


def test_a_document_without_statutory_tables_has_no_form() -> None:
    found = matched(grid([["科室", "件数"], ["行政许可", "12"]]))
    assert (found.form, found.facts) == (None, ())


def test_a_missing_row_is_absent_and_said_once() -> None:
    found = matched(grid(SECTION_TWO))
    assert fact(found, "disclosure.normative_documents.issued").status == "absent"
    absent = [finding.message for finding in found.findings if finding.code == "row_absent"]
    assert sum("行政规范性文件" in message for message in absent) == 1
    assert sum(finding.code == "table_absent" for finding in found.findings) == 2


def review_rows(*header: list[str]) -> Grid:
    numbers = [*range(1, 5), 10, *range(11, 15), 50, *range(21, 25), 90]
    groups = [["行政复议", "行政诉讼"], [*FIVE, "未经复议直接起诉", "复议后起诉"]]
    spans = {(0, 0): 5, (0, 1): 10, (1, 5): 5, (1, 6): 5}
    return grid([*groups, *header, list(map(str, numbers))], spans=spans)


FIVE = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"]


def test_words_of_columns_cut_by_a_page_end_are_one_header() -> None:
    cut = [*[""] * 5, *["结果", "结果", "其他", "尚未", "总计"] * 2]
    rest = [*[""] * 5, *["维持", "纠正", "结果", "审结", ""] * 2]
    found = matched(grid(SECTION_TWO), review_rows(cut, rest))
    read = [one for one in found.facts if one.cell.startswith("review.")]
    assert [one.value for one in read] == [1, 2, 3, 4, 10, 11, 12, 13, 14, 50, 21, 22, 23, 24, 90]
    assert {one.confidence for one in read} == {1.0}


def test_a_line_below_a_header_that_completes_only_some_of_its_words_is_left_alone() -> None:
    cut = [*[""] * 5, *["结果", "结果", "其他", "尚未", "总计"] * 2]
    rest = [*[""] * 5, *["维持", "纠正", "结果", "说明", ""] * 2]
    found = matched(grid(SECTION_TWO), review_rows(cut, rest))
    assert all(one.confidence < 0.9 for one in found.facts if one.cell.startswith("review.") and one.value is not None)
