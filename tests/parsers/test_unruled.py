"""Columns of tables that nothing rules down."""

from __future__ import annotations

from parsers.readers.pdf_grid import Line
from parsers.readers.unruled import Piece, PieceLine, UnruledTable, tables

ROWS = (("甲类", "1", "22", "333"), ("乙类", "4444", "5", "66"), ("丙类", "7", "88", "9"))


def line(index: int, *pieces: tuple[str, float]) -> PieceLine:
    """A line whose pieces are centred at the given places; characters are 10 points wide, digits 5."""
    found = []
    for text, centre in pieces:
        half = sum(5 if character.isascii() else 10 for character in text) / 2
        found.append(Piece(text, centre - half, centre + half))
    return PieceLine(index, 100.0 + 20 * index, 110.0 + 20 * index, tuple(found))


def page(*rows: tuple[str, ...]) -> list[PieceLine]:
    return [
        line(at, *((text, 100.0 + 80 * place) for place, text in enumerate(row) if text)) for at, row in enumerate(rows)
    ]


def texts(table: UnruledTable) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        found[cell.row].append(cell.text)
    return found


def test_numbers_below_each_other_are_a_column() -> None:
    (table,) = tables(page(*ROWS), [])
    assert texts(table) == [list(row) for row in ROWS]
    assert {(cell.text, cell.column) for cell in table.cells if cell.row == 1} == {
        ("乙类", 0),
        ("4444", 1),
        ("5", 2),
        ("66", 3),
    }


def test_a_number_that_is_not_printed_leaves_its_column_empty() -> None:
    (table,) = tables(page(*ROWS, ("丁类", "1", "", "3")), [])
    assert texts(table)[3] == ["丁类", "1", "", "3"]


def test_words_above_later_numbers_begin_another_table() -> None:
    first, second = tables(page(*ROWS, ("名称", "数量", "", ""), ("戊类", "5", "", "")), [])
    assert texts(first) == [list(row) for row in ROWS]
    assert texts(second) == [["名称", "数量"], ["戊类", "5"]]


def test_lines_between_two_rules_are_one_row() -> None:
    lines = [line(0, ("甲类名称", 100)), line(1, ("1", 180), ("2", 260), ("3", 340)), line(2, ("很长", 100))]
    lines += [
        line(3, ("乙类", 100), ("4", 180), ("5", 260), ("6", 340)),
        line(4, ("丙类", 100), ("7", 180), ("8", 260), ("9", 340)),
    ]
    rules = [Line(at, 60.0, 400.0) for at in (95.0, 155.0, 175.0, 195.0)]
    (table,) = tables(lines, rules)
    assert texts(table)[0] == ["甲类名称\n很长", "1", "2", "3"]


def test_running_text_is_no_table() -> None:
    prose = [line(at, ("本机关全年主动公开信息若干条并答复申请若干件现将情况报告如下请予审阅", 250)) for at in range(6)]
    assert tables(prose, []) == []
    assert tables(page(("一、", "2024"), ("二、", "2025")), []) == []


def test_labels_in_two_columns_stay_apart() -> None:
    rows = [
        line(0, ("甲", 70), ("一项", 120), ("1", 200), ("2", 260), ("3", 320)),
        line(1, ("二项很长", 120), ("4", 200), ("5", 260), ("6", 320)),
        line(2, ("乙", 70), ("三项", 120), ("7", 200), ("8", 260), ("9", 320)),
    ]
    (table,) = tables(rows, [])
    assert [(cell.text, cell.column) for cell in table.cells if cell.column < 2] == [
        ("甲", 0),
        ("一项", 1),
        ("二项很长", 1),
        ("乙", 0),
        ("三项", 1),
    ]
