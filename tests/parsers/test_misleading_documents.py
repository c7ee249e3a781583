"""The reader against documents made to mislead it.

The measure: a wrong number, or a blank for a number, is never reported with confidence 0.9 or more; where the print
says all there is to say, every cell is right.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from misleading import (
    AGENCY,
    COLUMNS,
    SIGNED,
    YEAR,
    Box,
    Table,
    Truth,
    behind_tabs,
    changed,
    longer_spans,
    moved_columns,
    one_a_line,
    page,
    piped,
    slots,
    spaced,
    squares,
    tabbed,
    table_tags,
    tables,
    truth,
)
from written_docx import docx

from parsers.model import Fact, Reading
from parsers.reading import read

SURE = 0.9


def facts(reading: Reading) -> dict[str, Fact]:
    return {fact.cell: fact for fact in reading.facts}


def wrong(reading: Reading, cells: Truth) -> dict[str, object]:
    """Cells that are not read as printed: a number as that number, an empty cell as blank."""
    found = facts(reading)
    return {
        cell: found.get(cell)
        for cell, number in cells.items()
        if cell not in found
        or (found[cell].status, found[cell].value) != ("blank" if number is None else "reported", number)
    }


def surely_wrong(reading: Reading, cells: Truth) -> list[Fact]:
    """Facts held for sure that the document does not bear out."""
    return [
        fact
        for fact in reading.facts
        if fact.confidence >= SURE
        and (
            (fact.status in ("reported", "inferred") and fact.value != cells.get(fact.cell))
            or (fact.status == "blank" and cells.get(fact.cell) is not None)
        )
    ]


def assert_all_read(reading: Reading, cells: Truth) -> None:
    assert reading.error is None
    assert (reading.form, reading.report_year, reading.agency) == ("2021", YEAR, AGENCY)
    assert reading.published_date == SIGNED
    assert wrong(reading, cells) == {}


# ------------------------------------------------------------ text


@pytest.mark.parametrize("merged", ["first", "real", "repeat", "down", "across"])
@pytest.mark.parametrize("seed", [1, 2])
def test_copied_rows_are_read_whatever_merged_cells_leave_behind(merged: str, seed: int) -> None:
    cells = truth(seed)
    assert_all_read(read(tabbed(tables(cells), merged).encode()), cells)


@pytest.mark.parametrize("merged", ["first", "repeat", "down"])
@pytest.mark.parametrize("rule_after", [None, 1, 3])
def test_markdown_is_read_wherever_its_rule_stands(merged: str, rule_after: int | None) -> None:
    cells = truth(3)
    assert_all_read(read(piped(tables(cells), merged, rule_after=rule_after).encode()), cells)


@pytest.mark.parametrize("writer", [tabbed, piped, spaced, one_a_line, behind_tabs])
def test_numbers_that_add_up_are_read_from_every_shape_of_text(writer: Callable[[dict[str, Table]], str]) -> None:
    cells = truth(4)
    assert_all_read(read(writer(tables(cells)).encode()), cells)


@pytest.mark.parametrize("writer", [tabbed, piped, behind_tabs])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_empty_cells_stay_empty_and_numbers_stay_in_their_columns(
    writer: Callable[[dict[str, Table]], str], share: float
) -> None:
    cells = truth(5, blanks=share)
    reading = read(writer(tables(cells)).encode())
    assert surely_wrong(reading, cells) == []
    read_well = len(cells) - len(wrong(reading, cells))
    assert read_well > 0.8 * len(cells)


def test_columns_of_spaces_are_read_with_empty_cells_between_them() -> None:
    cells = truth(6, blanks=0.3)
    for text in (spaced(tables(cells)), spaced(tables(cells), centred=False), spaced(tables(cells), blank_lines=True)):
        assert surely_wrong(read(text.encode()), cells) == []


def test_lost_tabs_at_the_end_of_lines_do_no_harm_where_every_cell_is_printed() -> None:
    cells = truth(7)
    assert_all_read(read(tabbed(tables(cells), strip=True).encode()), cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_encodings_chinese_tools_write(encoding: str) -> None:
    cells = truth(8)
    assert_all_read(read(tabbed(tables(cells)).encode(encoding)), cells)


@pytest.mark.parametrize("mark", ["- 4 -", "4", "第4页 共9页", "\n— 4 —\n", "\f"])
def test_page_marks_between_rows_are_no_numbers(mark: str) -> None:
    cells = truth(9)
    lines = tabbed(tables(cells)).split("\n")
    for start in ("\t\t4.保护第三方合法权益", "\t（七）总计"):
        at = next(index for index, line in enumerate(lines) if line.startswith(start))
        lines.insert(at, mark)
    assert_all_read(read("\n".join(lines).encode()), cells)


def test_wrong_sums_leave_every_printed_number_and_are_doubted() -> None:
    cells = truth(10, sums_hold=False)
    reading = read(page(tables(cells)))
    assert wrong(reading, cells) == {}
    assert any(check.status == "fail" for check in reading.checks)
    assert all(facts(reading)[cell].confidence <= 0.5 for cell in cells if cell.endswith(".total"))


# ------------------------------------------------------------ damage


def _rows_of(lines: list[str]) -> list[int]:
    return [
        at
        for at, line in enumerate(lines)
        if line.count("\t") > 2 and sum(part.isdigit() for part in line.split("\t")) > 2
    ]


def _drop_row(lines: list[str], at: int, _rng: random.Random) -> None:
    del lines[at]


def _double_row(lines: list[str], at: int, _rng: random.Random) -> None:
    lines.insert(at, lines[at])


def _lose_tab(lines: list[str], at: int, rng: random.Random) -> None:
    places = [place for place, character in enumerate(lines[at]) if character == "\t"]
    place = rng.choice(places)
    lines[at] = lines[at][:place] + lines[at][place + 1 :]


def _add_tab(lines: list[str], at: int, rng: random.Random) -> None:
    place = rng.choice([place for place, character in enumerate(lines[at]) if character == "\t"])
    lines[at] = lines[at][:place] + "\t" + lines[at][place:]


def _join_rows(lines: list[str], at: int, _rng: random.Random) -> None:
    lines[at : at + 2] = ["".join(lines[at : at + 2])]


def _drop_number(lines: list[str], at: int, rng: random.Random) -> None:
    parts = lines[at].split("\t")
    del parts[rng.choice([place for place, part in enumerate(parts) if part.isdigit()])]
    lines[at] = "\t".join(parts)


def _part_number(lines: list[str], at: int, rng: random.Random) -> None:
    parts = lines[at].split("\t")
    place = rng.choice([place for place, part in enumerate(parts) if part.isdigit()])
    parts[place] = f"{parts[place][:1]} {parts[place][1:]}".strip()
    lines[at] = "\t".join(parts)


def _lose_label(lines: list[str], at: int, _rng: random.Random) -> None:
    lines[at] = "\t".join(part if part.isdigit() else "" for part in lines[at].split("\t"))


DAMAGE = (_drop_row, _double_row, _lose_tab, _add_tab, _join_rows, _drop_number, _part_number, _lose_label)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_a_damaged_row_never_yields_a_sure_wrong_number(
    damage: Callable[[list[str], int, random.Random], None],
) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        cells = truth(seed, sums_hold=bool(seed % 3))
        lines = tabbed(tables(cells), rng.choice(["first", "repeat", "real"])).split("\n")
        damage(lines, rng.choice(_rows_of(lines)), rng)
        reading = read("\n".join(lines).encode())
        numbers = [fact for fact in surely_wrong(reading, cells) if fact.status == "reported"]
        assert numbers == [], f"seed {seed}"


# ------------------------------------------------------------ HTML


def _phantom(table: Table) -> Table:
    return [[Box(), *row, Box()] for row in table]


def _with_total_first(table: Table) -> Table:
    return moved_columns([6, 0, 1, 2, 3, 4, 5])(table)


def _with_two_columns_exchanged(table: Table) -> Table:
    return moved_columns([0, 2, 1, 3, 4, 5, 6])(table)


def _with_two_rows_exchanged(table: Table) -> Table:
    table[8], table[9] = table[9], table[8]
    return table


def _numbered(table: Table) -> Table:
    body = [[Box(str(number)), *row] for number, row in enumerate(table[3:], 1)]
    return [[Box("序号", 3), *table[0]], *table[1:3], *body]


def _with_numbered_columns(table: Table) -> Table:
    return [*table[:3], [Box("栏次", 1, 3), *(Box(str(number)) for number in range(1, 8))], *table[3:]]


@pytest.mark.parametrize(
    "change",
    [
        _phantom,
        _with_total_first,
        _with_two_columns_exchanged,
        _with_two_rows_exchanged,
        _numbered,
        _with_numbered_columns,
        longer_spans,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
@pytest.mark.parametrize("seed", [11, 12])
def test_table_three_is_read_however_the_editor_left_it(change: Callable[[Table], Table], seed: int) -> None:
    cells = truth(seed)
    assert_all_read(read(page(changed(tables(cells), "applications", change))), cells)


def test_exchanged_columns_are_followed_even_where_sums_cannot_tell() -> None:
    cells = truth(13, blanks=0.3)
    made = changed(tables(cells), "applications", _with_two_columns_exchanged)
    assert wrong(read(page(made)), cells) == {}


def test_a_column_that_is_not_printed_is_absent_and_its_neighbours_stay() -> None:
    cells = truth(14)
    made = changed(tables(cells), "applications", moved_columns([0, 1, 2, 3, 4, 6]))
    found = facts(read(page(made)))
    for cell, number in cells.items():
        if cell.startswith("applications.") and cell.endswith(".other"):
            assert found[cell].status == "absent"
        else:
            assert (found[cell].status, found[cell].value) == ("reported", number)


@pytest.mark.parametrize(
    "dressed",
    [
        lambda text, _box: f"&nbsp;{text}&nbsp;",
        lambda text, box: text if box.cell else "<br>".join(text) if len(text) < 7 else text,
        lambda text, _box: "<p class=MsoNormal><span lang=EN-US>" + text + "<o:p></o:p></span></p>",
        lambda text, box: f"<span style='display:none'>12</span>{text}" if box.cell else text,
        lambda text, box: "".join(f"<span>{character}</span>" for character in text) if box.cell else text,
    ],
    ids=["hard spaces", "words one over another", "pasted from Word", "hidden text", "a span a digit"],
)
def test_what_editors_wrap_round_a_cell_is_not_part_of_it(dressed: Callable[[str, Box], str]) -> None:
    cells = truth(15)
    assert_all_read(read(page(tables(cells), dressed=dressed)), cells)


def _nested(_name: str, table: Table) -> str:
    return f"<table><tr><td></td><td><table><tr><td>{table_tags(table)}</td></tr></table></td></tr></table>"


def _header_apart(name: str, table: Table) -> str:
    if name == "disclosure":
        return table_tags(table)
    return table_tags(table[:3]) + table_tags(table[3:])


def _in_two_pieces(name: str, table: Table, *, repeated: bool) -> str:
    if name != "applications":
        return table_tags(table)
    cut = 15
    upper = [[replace(box, rows=min(box.rows, cut - at)) for box in row] for at, row in enumerate(table[:cut])]
    lower = [[Box("", len(table) - cut - 1), *table[cut]], *table[cut + 1 :]]
    return table_tags(upper) + "<p>- 3 -</p>" + table_tags([*(table[:3] if repeated else []), *lower])


@pytest.mark.parametrize(
    "printed",
    [
        _nested,
        _header_apart,
        lambda name, table: _in_two_pieces(name, table, repeated=True),
        lambda name, table: _in_two_pieces(name, table, repeated=False),
        lambda _name, table: table_tags(table).replace("</td>", "").replace("</tr>", ""),
    ],
    ids=["nested in layout tables", "header in its own table", "two pieces, header twice", "two pieces", "unclosed"],
)
def test_tables_taken_apart_or_wrapped_by_a_site_are_read(printed: Callable[[str, Table], str]) -> None:
    cells = truth(16)
    assert_all_read(read(page(tables(cells), printed=printed)), cells)


def test_a_page_that_holds_its_content_twice_is_read_once() -> None:
    cells = truth(17)
    once = page(tables(cells)).decode()
    inner = once[once.index("<div") : once.index("</body>")]
    assert surely_wrong(read(once.replace(inner, inner + inner).encode()), cells) == []


def _with_last_year(table: Table) -> Table:
    """Table three with a column of last year's totals."""
    first, second, third, *rows = table
    return [
        [first[0], replace(first[1], columns=8)],
        [*second, Box("上年总计", 2)],
        third,
        *([*row, Box(str(7000 + at))] for at, row in enumerate(rows)),
    ]


def _with_subtotals(table: Table) -> Table:
    """Table three with a column of sums behind the kinds of organisation."""
    first, second, third, *rows = table
    return [
        [first[0], replace(first[1], columns=8)],
        [second[0], replace(second[1], columns=6), second[2]],
        [*third, Box("小计")],
        *([*row[:-1], Box(str(7000 + at)), row[-1]] for at, row in enumerate(rows)),
    ]


def _with_remarks(table: Table) -> Table:
    """Table three with a column of remarks, few of them filled."""
    first, second, third, *rows = table
    remarks = ([*row, Box("" if at % 4 else "含上年5件")] for at, row in enumerate(rows))
    return [[*first, Box("备注", 3)], second, third, *remarks]


@pytest.mark.parametrize("change", [_with_last_year, _with_subtotals, _with_remarks])
@pytest.mark.parametrize("writer", [tabbed, piped, spaced, one_a_line, behind_tabs])
def test_a_column_of_the_offices_own_takes_no_blanks_place(
    writer: Callable[[dict[str, Table]], str], change: Callable[[Table], Table]
) -> None:
    cells = truth(102, blanks=0.3)
    made = changed(tables(cells), "applications", change)
    assert surely_wrong(read(writer(made).encode()), cells) == []


def _values_below_a_cut_label(table: Table) -> Table:
    """A row cut by the page end in its label, with its numbers beside the rest of it."""
    at = next(at for at, row in enumerate(table) if any(box.text.startswith("5.要求行政机关") for box in row))
    row = table[at]
    label = next(box for box in row if box.text.startswith("5.要求"))
    above = [replace(box, text=box.text[:9]) if box is label else replace(box, text="", cell="") for box in row]
    longer = [
        [replace(box, rows=box.rows + 1) if box.text.startswith(("三、", "（五）")) else box for box in line]
        for line in [*table[:at], above]
    ]
    below = [replace(label, text=label.text[9:]), *(box for box in row if box.cell)]
    return [*longer, below, *table[at + 1 :]]


@pytest.mark.parametrize("writer", [tabbed, piped, behind_tabs])
def test_numbers_beside_the_rest_of_a_cut_label_are_its_rows(writer: Callable[[dict[str, Table]], str]) -> None:
    cells = truth(777, blanks=0.2)
    made = changed(tables(cells), "applications", _values_below_a_cut_label)
    reading = read(writer(made).encode())
    assert surely_wrong(reading, cells) == []
    found = facts(reading)
    row = [f"applications.rejected_reconfirm.{column}" for column in COLUMNS]
    assert [found[cell].value for cell in row if cells[cell]] == [cells[cell] for cell in row if cells[cell]]


def _over_two_rows(label: str) -> Callable[[Table], Table]:
    """The last number of a row over that of the row below, which has none of its own."""

    def change(table: Table) -> Table:
        at = next(at for at, row in enumerate(table) if any(box.text == label for box in row))
        table[at][-1] = replace(table[at][-1], rows=2)
        del table[at + 1][-1]
        return table

    return change


@pytest.mark.parametrize(
    ("name", "label", "cell"),
    [
        ("disclosure", "行政处罚", "disclosure.penalties.decisions"),
        ("applications", "4.保护第三方合法权益", "applications.refused_third_party.total"),
    ],
)
def test_a_number_that_stands_over_two_rows_is_sure_in_neither(name: str, label: str, cell: str) -> None:
    cells = truth(29)
    found = facts(read(page(changed(tables(cells), name, _over_two_rows(label)))))
    assert (found[cell].value, found[cell].confidence) == (cells[cell], 0.85)
    sure = {other for other, fact in found.items() if fact.confidence >= SURE}
    assert sure <= {other for other in cells if found[other].value == cells[other]}


# ------------------------------------------------------------ how a number may be printed

TARGET = "applications.granted.business"


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("1207", 1207),
        ("１２０７", 1207),
        ("1,207", 1207),
        ("1，207", 1207),
        ("1207件", 1207),
        ("1207 件", 1207),
        ("１，２０７", 1207),
        ("1207（其中转办3件）", 1207),
        ("1207(含上年结转2件)", 1207),
        ("1207.0", 1207),
        ("1207①", 1207),
        ("1207*", 1207),
        ("1207＊", 1207),
        ("1207※", 1207),
        ("1207注", 1207),
        ("1207 注2", 1207),
    ],
)
def test_a_number_is_the_same_number_however_it_is_dressed(printed: str, number: int) -> None:
    cells = truth(18)
    cells = _with_number(cells, number)
    fact = facts(read(page(tables(cells, {TARGET: printed}))))[TARGET]
    assert (fact.status, fact.value, fact.raw) == ("reported", number, printed)


@pytest.mark.parametrize("printed", ["", "-", "—", "——", "/", "无", "\u3000"])
def test_nothing_is_never_zero(printed: str) -> None:
    cells = truth(19)
    fact = facts(read(page(tables(cells, {TARGET: printed}))))[TARGET]
    assert (fact.status, fact.value) == ("blank", None)


@pytest.mark.parametrize(
    "printed",
    [
        "约30",
        "30余件",
        "3/5",
        "3-5",
        "3+2",
        "3、5",
        "12,05",
        "1,2345",
        "12%",
        "O",
        "l",
        "1O",
        "1月3日",
        "2021年3件",
        "未收取",
        "待定",
        "增3减2",
        "3  5",
        "½",
        "12……",
        "12..",
        "*12",
        "注12",
        "1*2",
        "12注3件",
    ],
)
def test_what_is_no_plain_number_is_never_a_sure_one(printed: str) -> None:
    cells = truth(20)
    fact = facts(read(page(tables(cells, {TARGET: printed}))))[TARGET]
    assert fact.status == "unreadable" or fact.confidence < SURE
    assert fact.raw


def _with_number(cells: Truth, number: int) -> Truth:
    """The same report with another number in the target cell, every sum corrected."""
    more = number - (cells[TARGET] or 0)
    touched = {
        TARGET,
        *(f"applications.{row}.{column}" for row in ("handled_total", "new") for column in ("business", "total")),
        "applications.granted.total",
    }
    return {cell: (old or 0) + more if cell in touched else old for cell, old in cells.items()}


@pytest.mark.parametrize(
    ("printed", "value", "status"),
    [
        ("4500元", Decimal("0.45"), "reported"),
        ("0.45万元", Decimal("0.45"), "reported"),
        ("4,500.00元", Decimal("0.45"), "reported"),
        ("1.2亿元", 12000, "reported"),
        ("4500千元", None, "unreadable"),
    ],
)
def test_an_amount_says_its_own_unit(printed: str, value: object, status: str) -> None:
    cell = "disclosure.fees.amount"
    fact = facts(read(page(tables(truth(21), {cell: printed}))))[cell]
    assert (fact.value, fact.status) == (value, status)


def test_a_header_in_yuan_is_turned_into_ten_thousands() -> None:
    cells = {**truth(22), "disclosure.fees.amount": 4500}
    data = page(tables(cells)).decode().replace("单位：万元", "单位：元").encode()
    assert facts(read(data))["disclosure.fees.amount"].value == Decimal("0.45")


@pytest.mark.parametrize(
    ("line", "header", "value"),
    [
        ("单位：元", "", Decimal("0.45")),
        ("（计量单位：件，元）", "", Decimal("0.45")),
        ("单位：万元", "", 4500),
        ("单位：件", "", 4500),
        # The column's own unit goes before that of all.
        ("单位：元", "（单位：万元）", 4500),
        # A sentence, and no unit of the table's.
        ("单位：元月起调整的收费项目已经全部公开完毕。", "", 4500),
    ],
)
@pytest.mark.parametrize("is_row", [False, True], ids=["above the table", "in the table"])
def test_a_line_of_units_speaks_for_a_header_without_one(line: str, header: str, value: object, is_row: bool) -> None:
    made = tables({**truth(22), "disclosure.fees.amount": 4500})
    if is_row:
        made = changed(made, "disclosure", lambda table: [table[0], [Box(line, 1, 4)], *table[1:]])
    data = page(made).decode().replace("（单位：万元）", header)
    if not is_row:
        heading = "<p>二、主动公开政府信息情况</p>"
        assert heading in data
        data = data.replace(heading, f"{heading}<p>{line}</p>")
    assert facts(read(data.encode()))["disclosure.fees.amount"].value == value


def test_the_numbers_of_the_columns_are_no_row_of_section_four() -> None:
    cells = truth(29)
    numbers = [Box(str(number)) for number in range(1, 16)]
    made = changed(tables(cells), "review", lambda table: [*table[:3], numbers, *table[3:]])
    assert wrong(read(page(made)), cells) == {}


# ------------------------------------------------------------ what is no report, or more than one


def test_a_form_sent_out_empty_reports_no_number() -> None:
    empty: Truth = dict.fromkeys(truth(1))
    for data in (page(tables(empty)), tabbed(tables(empty)).encode(), piped(tables(empty)).encode()):
        reading = read(data)
        assert reading.form == "2021"
        assert {fact.status for fact in reading.facts} == {"blank"}


def test_sentences_that_name_the_labels_are_no_table() -> None:
    text = "\n".join(
        [
            f"{YEAR}年{AGENCY}政府信息公开工作年度报告",
            "一、总体情况",
            "全年制发行政规范性文件3件，行政许可处理决定201件，行政处罚34件，行政事业性收费12.5万元。",
            "本年新收政府信息公开申请数量12件，上年结转1件，予以公开5件，部分公开2件，结转下年度继续办理1件。",
            "二、主动公开政府信息情况",
            "自然人12件，商业企业0件，科研机构0件。",
            "三、收到和处理政府信息公开申请情况",
            "行政复议3件，结果维持2件，结果纠正1件；未经复议直接起诉1件，复议后起诉0件。",
            "四、存在的主要问题及改进情况",
            "人手不足。",
        ]
    )
    reading = read(text.encode())
    assert (reading.form, reading.facts) == (None, ())
    assert reading.report_year == YEAR


def test_a_picture_story_with_a_small_table_is_no_statutory_table() -> None:
    story = [
        [Box("项目"), Box("2021年"), Box("2022年")],
        [Box("本年新收政府信息公开申请数量"), Box("15"), Box("12")],
        [Box("予以公开"), Box("5"), Box("7")],
        [Box("部分公开"), Box("2"), Box("3")],
        [Box("结转下年度继续办理"), Box("1"), Box("2")],
    ]
    data = f"<html><body><h1>一图读懂{AGENCY}年度报告</h1>{table_tags(story)}</body></html>".encode()
    assert [fact for fact in read(data).facts if fact.status == "reported" and fact.confidence >= SURE] == []


def test_two_reports_in_one_file_are_not_mixed_into_one() -> None:
    first, second = truth(23), truth(24)
    both = tabbed(tables(first)) + "\n\n" + tabbed(tables(second))
    same = {cell for cell in first if first[cell] == second[cell]}
    sure = [fact for fact in read(both.encode()).facts if fact.value is not None and fact.confidence >= SURE]
    assert {fact.cell for fact in sure} <= same


def test_last_years_table_under_its_caption_is_left_out() -> None:
    ours, theirs = truth(25), truth(26)

    def printed(name: str, table: Table) -> str:
        if name != "applications":
            return table_tags(table)
        other = tables(theirs)["applications"]
        return f"<p>{YEAR}年情况</p>{table_tags(table)}<p>{YEAR - 1}年情况</p>{table_tags(other)}"

    assert surely_wrong(read(page(tables(ours), printed=printed)), ours) == []


def _cut(table: Table, at: int, column: int, kept: int) -> Table:
    """The table with a number of a row cut by the page end: its other digits stand in a row of their own below."""
    row = table[at]
    whole = row[column].text
    above = [*row[:column], replace(row[column], text=whole[:kept]), *row[column + 1 :]]
    below = [replace(box, text="", rows=1) for box in row]
    below[column] = replace(below[column], text=whole[kept:])
    grown = [
        [replace(box, rows=box.rows + 1) if y < at and y + box.rows > at else box for box in line]
        for y, line in enumerate(table[:at])
    ]
    return [*grown, above, below, *table[at + 1 :]]


@pytest.mark.parametrize("kept", [0, 1, 2])
@pytest.mark.parametrize("name", ["disclosure", "applications", "review"])
def test_a_number_cut_by_the_page_end_is_never_taken_for_its_first_digits(name: str, kept: int) -> None:
    """Sums do not hold: nothing but the row below says that there is more."""
    ours = {cell: None if number is None else 100 + number % 800 for cell, number in truth(31).items()}
    made = tables(ours)
    wrongly: list[Fact] = []
    for at, row in enumerate(made[name]):
        column = next((x for x, box in enumerate(row) if box.cell), None)
        if column is None or not row[column].text.isdigit():
            continue
        cut = {**made, name: _cut(made[name], at, column + 1 if len(row) > column + 1 else column, kept)}
        wrongly += surely_wrong(read(page(cut)), ours)
    assert wrongly == []


@pytest.mark.parametrize("with_head", [False, True])
def test_a_label_that_a_page_end_cuts_into_two_others_is_put_together(with_head: bool) -> None:
    ours = truth(32)
    made = tables(ours)
    table = made["applications"]
    at, column = next((y, x) for y, row in enumerate(table) for x, box in enumerate(row) if box.text[:4] == "2.其他")
    row = table[at]
    above = [*row[:column], replace(row[column], text="2.其他"), *row[column + 1 :]]
    rest = [Box(), Box(), Box("法律行政法规禁止公开"), *(Box() for box in row[column + 1 :])]
    cut = [
        *([replace(box, rows=min(box.rows, at + 1 - y)) for box in line] for y, line in enumerate(table[:at])),
        above,
        *(table[:3] if with_head else []),
        rest,
        *([Box(), *line] if line[0].text[:2] == "3." else line for line in table[at + 1 :]),
    ]
    reading = read(page({**made, "applications": cut}))
    assert wrong(reading, ours) == {}
    lowered = {fact.cell.split(".")[1] for fact in reading.facts if fact.confidence < 1}
    assert lowered == {"refused_by_law"}


STATION = "云岭县水库管理站"


@pytest.mark.parametrize(
    "above",
    [
        f"附件：{STATION}{YEAR}年政府信息公开工作年度报告",
        f"{STATION}政府信息公开行政复议、行政诉讼情况",
        f"{STATION}{YEAR}年度行政复议情况表",
        STATION,
        f"{AGENCY}水库管理站行政复议情况",
        f"{AGENCY}{YEAR - 1}年政府信息公开工作年度报告",
    ],
)
def test_a_table_of_another_body_or_year_does_not_stand_in_for_ours(above: str) -> None:
    ours = truth(27)

    def printed(name: str, table: Table) -> str:
        return f"<p>无。</p><p>{above}</p>{table_tags(table)}" if name == "review" else table_tags(table)

    reading = read(page(tables(ours), printed=printed))
    others = [fact for fact in reading.facts if fact.cell.startswith("review.")]
    assert {fact.confidence for fact in others if fact.value is not None} <= {0.5}
    assert {"other_body", "other_year"} & {finding.code for finding in reading.findings}
    assert surely_wrong(reading, ours) == []
    assert {fact.confidence for fact in reading.facts if fact.cell.startswith("applications.")} == {1.0}


@pytest.mark.parametrize("name", [AGENCY, "水务局", f"{AGENCY}办公室", "本机关", "一、"])
def test_a_caption_that_names_us_changes_nothing(name: str) -> None:
    ours = truth(28)

    def printed(table_name: str, table: Table) -> str:
        caption = f"<p>{name}{YEAR}年度行政复议、行政诉讼情况</p><p>{name}</p>"
        return (caption if table_name == "review" else "") + table_tags(table)

    reading = read(page(tables(ours), printed=printed))
    assert wrong(reading, ours) == {}
    assert {fact.confidence for fact in reading.facts} == {1.0}


def test_our_numbers_win_over_those_of_a_report_appended_to_ours() -> None:
    ours, theirs = truth(29), truth(30)
    first, second = page(tables(ours)), page(tables(theirs)).replace(AGENCY.encode(), STATION.encode())
    reading = read(first + second)
    assert surely_wrong(reading, ours) == []
    assert wrong(reading, ours) == {}
    assert "other_body" in {finding.code for finding in reading.findings}


# ------------------------------------------------------------ docx


def _word(table: Table, run: Callable[[str, Box], str], *, head: int = 0) -> str:
    rows = ""
    for y, row in enumerate(squares(table)):
        rows += "<w:tr>" + ("<w:trPr><w:tblHeader/></w:trPr>" if y < head else "")
        for square in row:
            box, down, right = square or (Box(), 0, 0)
            if right:
                continue
            spans = f'<w:gridSpan w:val="{box.columns}"/>' if box.columns > 1 else ""
            if box.rows > 1:
                spans += "<w:vMerge/>" if down else '<w:vMerge w:val="restart"/>'
            rows += f"<w:tc><w:tcPr>{spans}</w:tcPr><w:p>{run('' if down else box.text, box)}</w:p></w:tc>"
        rows += "</w:tr>"
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{rows}</w:tbl>"


def _run(text: str, _box: Box) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>" if text else ""


def _tracked(text: str, box: Box) -> str:
    gone = '<w:del w:id="1" w:author="a"><w:r><w:delText>77</w:delText></w:r></w:del>' if box.cell else ""
    return f'{gone}<w:ins w:id="2" w:author="a">{_run(text, box)}</w:ins>'


def _split_runs(text: str, box: Box) -> str:
    return "".join(_run(character, box) for character in text)


@pytest.mark.parametrize("run", [_run, _tracked, _split_runs], ids=["plain", "changes tracked", "a run a character"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_word_tables_are_read_with_merged_cells_and_corrections(run: Callable[[str, Box], str], share: float) -> None:
    cells = truth(27, blanks=share)
    body = tabbed({name: [[Box(f"@{name}")]] for name in ("disclosure", "applications", "review")}).split("\n\n")
    made = tables(cells)
    parts = [
        _word(made[part[1:]], run, head=3) if part.startswith("@") else f"<w:p>{_run(part.strip(), Box())}</w:p>"
        for part in body
    ]
    reading = read(docx("".join(parts)))
    assert wrong(reading, cells) == {}
    assert (reading.form, reading.report_year, reading.agency) == ("2021", YEAR, AGENCY)


def test_the_makers_print_what_they_say() -> None:
    cells = truth(28)
    made = tables(cells)
    texts = [text for table in made.values() for line in slots(table, "real") for text in line]
    assert len(cells) == 200
    assert all(str(number) in texts for number in cells.values())
