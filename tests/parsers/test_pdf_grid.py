"""Ruled lines to tables, line by line."""

from __future__ import annotations

from parsers.readers import pdf_grid
from parsers.readers.pdf_grid import Line, Table, tables


def only(horizontal: list[Line], vertical: list[Line]) -> Table:
    found = tables(horizontal, vertical)
    assert found is not None
    assert len(found) == 1
    return found[0]


# Two columns of 100, three rows of 20 points.
ACROSS = [Line(y, 0, 200) for y in (0, 20, 40, 60)]
DOWN = [Line(x, 0, 60) for x in (0, 100, 200)]


def test_a_plain_table_has_a_cell_for_each_element() -> None:
    table = only(ACROSS, DOWN)
    assert (table.xs, table.ys) == ((0, 100, 200), (0, 20, 40, 60))
    assert len(table.boxes) == 6
    assert table.boxes[table.find(150, 30)] == (1, 1, 1, 1)
    assert table.find(250, 30) == table.find(50, 61) == -1


def test_a_first_row_whose_border_is_left_out_over_one_cell_is_whole() -> None:
    table = only([Line(0, 100, 200), *ACROSS[1:]], DOWN)
    assert table.boxes[table.find(50, 10)] == (0, 0, 1, 1)


def test_an_element_open_on_two_sides_is_no_cell() -> None:
    table = only([Line(0, 0, 100), *ACROSS[1:]], [*DOWN[:2], Line(200, 20, 60)])
    assert table.find(150, 10) == -1
    assert table.boxes[table.find(150, 30)] == (1, 1, 1, 1)


def test_lines_that_stop_together_make_the_border_they_stop_at() -> None:
    table = only(ACROSS[:3], DOWN)
    assert table.ys == (0, 20, 40, 60)
    assert table.boxes[table.find(150, 50)] == (2, 1, 1, 1)


def test_one_line_that_stops_alone_makes_no_border() -> None:
    table = only(ACROSS[:3], [DOWN[0], Line(100, 0, 40), Line(200, 0, 40)])
    assert table.ys == (0, 20, 40)


def test_a_boundary_drawn_less_than_half_is_none() -> None:
    merged = only([ACROSS[0], Line(20, 0, 149), *ACROSS[2:]], DOWN)
    assert merged.boxes[merged.find(150, 30)] == (0, 1, 2, 1)
    parted = only([ACROSS[0], Line(20, 0, 151), *ACROSS[2:]], DOWN)
    assert parted.boxes[parted.find(150, 30)] == (1, 1, 1, 1)


def test_a_line_that_ends_beside_the_table_parts_none_of_its_cells() -> None:
    for stub in (Line(30, -20, -1), Line(30, 201, 220)):
        table = only([*ACROSS, stub], DOWN)
        assert table.find(50, 25) == table.find(50, 35) != table.find(150, 25) == table.find(150, 35)


def test_a_border_drawn_double_is_one() -> None:
    table = only([*ACROSS, Line(62.5, 0, 200)], [*DOWN, Line(203, 0, 60)])
    assert (len(table.xs), len(table.ys)) == (3, 4)


def test_a_shape_that_is_no_rectangle_falls_into_boxes() -> None:
    table = only([ACROSS[0], Line(20, 100, 200), *ACROSS[2:]], [DOWN[0], Line(100, 0, 20), Line(100, 40, 60), DOWN[2]])
    assert table.boxes == [
        (0, 0, 1, 1),
        (0, 1, 1, 1),
        (1, 0, 1, 2),
        (2, 0, 1, 1),
        (2, 1, 1, 1),
    ]


def test_an_underline_and_a_frame_without_parts_are_told_apart_from_tables() -> None:
    frame = ([Line(0, 300, 400), Line(50, 300, 400)], [Line(300, 0, 50), Line(400, 0, 50)])
    found = tables([*ACROSS, *frame[0], Line(200, 0, 80)], [*DOWN, *frame[1]])
    assert found is not None
    assert [table.columns for table in found] == [2, 1]


def test_lines_without_end_are_no_table() -> None:
    many = [Line(float(at * 5), 0, 10_000) for at in range(700)]
    assert len(many) ** 2 > pdf_grid.MAX_LINE_PAIRS
    assert tables(many, many) is None
