"""Text tables with nothing where a cell is blank: numbers that keep their columns are read, and none is surely wrong.

Nothing lowers a floor but a person editing it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from measured import YEARS, Measure, _compared, reports

from crawler.replica.layout import Table
from crawler.replica.reports import Printed, Text
from crawler.replica.troubles import with_troubles
from crawler.replica.writers import text
from crawler.replica.writers.text import TextStyle, text_width
from parsers.reading import read

_ROOM = 6
Join = Callable[[list[str]], str]


def right(values: list[str]) -> str:
    return "".join(value.rjust(_ROOM) for value in values)


def left(values: list[str]) -> str:
    return "  " + "".join(value.ljust(_ROOM) for value in values)


def centred(values: list[str]) -> str:
    return "  " + "".join(value.center(_ROOM) for value in values)


def closed_up(values: list[str]) -> str:
    """Blank cells leave nothing at all, not even the space between cells."""
    return right([value for value in values if value])


def without_width(values: list[str]) -> str:
    """Blank cells leave the space between cells."""
    return "  " + "  ".join(values)


def pushed(values: list[str]) -> str:
    """The first number stands where it likes, the others in their columns."""
    return "  " + "".join(value.rjust(_ROOM - 2 * (at == 0)) for at, value in enumerate(values))


def columns(printed: Printed, join: Join, width: Callable[[str], int]) -> bytes:
    """The report in text: labels filled up to one width, then the values as `join` puts them."""
    parts = [block.text if isinstance(block, Text) else _table(block, join, width) for block in printed.blocks]
    return "\n\n".join(parts).encode()


def _table(table: Table, join: Join, width: Callable[[str], int]) -> str:
    lines = []
    for row in table.rows:
        labels = "  ".join(slot.text.replace("\n", "") for slot in row if not slot.cell and slot.text)
        values = [slot.text for slot in row if slot.cell]
        lines.append(labels + " " * (90 - width(labels)) + join(values) if values else labels)
    return "\n".join(line.rstrip() for line in lines)


def with_blanks(form: str) -> list[Printed]:
    return [with_troubles(one, ["empty_cells"], at) for at, one in enumerate(reports(form, (1, 2, 3)))]


def measured(form: str, write: Callable[[Printed], bytes]) -> Measure:
    found = [_compared(one, read(write(one))) for one in with_blanks(form)]
    return Measure(*(sum(getattr(one, name) for one in found) for name in ("cells", "right", "wrong_when_sure")))


# Section two has too few columns to tell by place, section four one row alone: theirs are most of what is unread.
@pytest.mark.parametrize(
    ("form", "wrap", "floor"), [("2019", 12, 0.81), ("2019", 24, 0.88), ("2021", 12, 0.80), ("2021", 24, 0.88)]
)
def test_rows_over_several_lines_keep_their_floor(form: str, wrap: int, floor: float) -> None:
    assert form in YEARS
    whole = measured(form, lambda one: text.write(one, style=TextStyle(shape="layout", wrap=wrap)))
    assert whole.wrong_when_sure == 0
    assert whole.share >= floor, f"{whole.right} of {whole.cells} cells right"


@pytest.mark.parametrize("width", [text_width, len], ids=["wide characters", "characters alike"])
@pytest.mark.parametrize(("join", "floor"), [(right, 0.86), (left, 0.87), (centred, 0.87)])
@pytest.mark.parametrize("form", ["2019", "2021"])
def test_a_way_of_aligning_keeps_its_floor(form: str, join: Join, floor: float, width: Callable[[str], int]) -> None:
    whole = measured(form, lambda one: columns(one, join, width))
    assert whole.wrong_when_sure == 0
    assert whole.share >= floor, f"{whole.right} of {whole.cells} cells right"


@pytest.mark.parametrize("join", [closed_up, without_width, pushed])
@pytest.mark.parametrize("form", ["2019", "2021"])
def test_numbers_that_do_not_keep_their_columns_are_never_surely_wrong(form: str, join: Join) -> None:
    assert measured(form, lambda one: columns(one, join, text_width)).wrong_when_sure == 0
