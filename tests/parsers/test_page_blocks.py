"""Characters and ruled lines to cells: what stands close together and is not one."""

from __future__ import annotations

from parsers.model import Grid
from parsers.readers import page_blocks
from parsers.readers.page_content import Characters, PageContent
from parsers.readers.pdf_grid import Line


def cells(*printed: tuple[str, float, float, float]) -> list[str]:
    """Texts of the cells 0 to 50 and 50 to 100 of one row, 20 high, and of the row below it.

    `printed`: a text, where it begins, how wide each of its characters is, and its top; all are 10 high.
    """
    characters = Characters()
    for text, left, width, top in printed:
        for at, character in enumerate(text):
            characters.text += character
            characters.left.append(left + at * width)
            characters.right.append(left + (at + 1) * width)
            characters.top.append(top)
            characters.bottom.append(top + 10)
    content = PageContent(
        number=1,
        width=200,
        height=200,
        turn=0,
        characters=characters,
        horizontal=[Line(y, 0, 100) for y in (0, 20, 40)],
        vertical=[Line(x, 0, 40) for x in (0, 50, 100)],
    )
    blocks = page_blocks.blocks([page_blocks.taken_apart(content, [])])
    return [cell.text for grid in blocks if isinstance(grid, Grid) for cell in grid.cells]


def test_words_that_touch_across_a_border_are_two_and_a_number_there_is_none() -> None:
    assert cells(("维持纠正", 40, 5, 5), ("5", 20, 5, 25)) == ["维持", "纠正", "5", ""]
    assert cells(("1234", 40, 5, 5), ("5", 20, 5, 25)) == ["1\ufffc", "\ufffc4", "5", ""]


def test_a_number_printed_twice_for_bold_type_is_one() -> None:
    assert cells(("12", 10, 5, 5), ("12", 10.5, 5, 5), ("5", 20, 5, 25)) == ["12", "", "5", ""]


def test_a_number_whose_digits_the_file_gives_last_first_is_read_from_the_left() -> None:
    assert cells(("3", 20, 5, 5), ("2", 15, 5, 5), ("1", 10, 5, 5), ("5", 20, 5, 25)) == ["123", "", "5", ""]
