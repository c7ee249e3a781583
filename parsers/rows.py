"""Grids as lines of cells, and values put to their columns.

Everything here works on the order of real cells in a row; grid columns are asked only where the format knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from parsers.model import Cell, FactStatus, Grid, Number
from parsers.normalise import UNKNOWN_UNIT, is_wordy, label_key, read_number, seen

# What each oddity of a printed number leaves of the confidence in it.
_ODDITY = {
    "sign": 1.0,
    "unit_converted": 0.95,
    "spaces": 0.85,
    "note": 0.9,
    "broken_line": 0.6,
    "decimal_count": 0.5,
}
_LONGEST_RAW = 240
_UNIT_UNKNOWN = 0.5
# What is left of the confidence where the grid column of a header cell, not the order of cells, names a value.
_BY_HEADER = 0.8
# Where a number stands over more rows than its label: it may be that of the next row, or of both.
_OVER_ROWS = 0.85
# Where nothing marks the rows, and where blank lines are all that shows a column without a number.
IN_STREAM, EMPTY_LINE = 0.9, 0.85


class Line(Struct):
    """One row of a grid as its real cells in order. `grid` numbers the document's grids from 0.

    `words`: the cells that hold more than ASCII, as all that bear a label do; `keys`: the `label_key` of each of them.
    """

    cells: tuple[Cell, ...]
    grid: int
    columns_known: bool
    rows_known: bool
    words: tuple[Cell, ...] = ()
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.words = tuple([cell for cell in self.cells if not cell.text.isascii()])
        self.keys = tuple([label_key(cell.text) for cell in self.words])

    @property
    def locator(self) -> str:
        printed = next((cell for cell in self.cells if cell.text.strip()), None)
        return (printed or self.cells[0]).locator

    @property
    def text(self) -> str:
        return " ".join(" ".join(cell.text.split()) for cell in self.cells if cell.text.strip())


class Candidate(Struct, frozen=True, gc=False):
    """One reading of one cell of a form. `instance` numbers the printings of a table in the document."""

    cell: str
    status: FactStatus
    value: Number | None
    raw: str
    locator: str
    confidence: float
    oddity: str = ""
    instance: int = 0


class Placed(Struct, frozen=True, gc=False):
    """Values put to columns: one cell per column, None for a column that is not printed."""

    cells: tuple[Cell | None, ...]
    confidence: float
    unknown: tuple[Cell, ...] = ()


def lines_of(grid: Grid, number: int) -> list[Line]:
    """The rows of a grid. A stream of cells is cut where a number is followed by words."""
    if not grid.rows_known:
        return _cut_stream(grid, number)
    rows: dict[int, list[Cell]] = {}
    for cell in grid.cells:
        rows.setdefault(cell.row, []).append(cell)
    return [Line(tuple(rows[row]), number, grid.columns_known, True) for row in sorted(rows)]


def _cut_stream(grid: Grid, number: int) -> list[Line]:
    lines: list[Line] = []
    cells: list[Cell] = []
    for cell in grid.cells:
        if cells and is_wordy(cell.text) and not is_wordy(cells[-1].text):
            lines.append(Line(tuple(cells), number, False, False))
            cells = []
        cells.append(cell)
    if cells:
        lines.append(Line(tuple(cells), number, False, False))
    return lines


def is_blank(cell: Cell) -> bool:
    return read_number(cell.text, "").status == "blank"


def is_empty(cell: Cell) -> bool:
    """Whether nothing at all is printed in a cell: a dash is a value, an empty cell may be what a tool left."""
    return not seen(cell.text).strip()


def place_by_order(values: Sequence[Cell], count: int) -> Placed | None:
    """Put values to `count` columns by their order, where only one way is possible; else None.

    More cells than columns are met where tools write empty cells for merged ones: these are left out where all columns
    are printed, one beside the other, or none is.
    """
    if len(values) == count:
        return Placed(tuple(values), 1.0)
    if len(values) < count:
        return None
    printed = [index for index, cell in enumerate(values) if not is_empty(cell)]
    if not printed:
        return Placed(tuple(values[:count]), 1.0)
    if len(printed) != count or printed[-1] - printed[0] != count - 1:
        return None
    return Placed(tuple(values[printed[0] : printed[-1] + 1]), 1.0)


def place_in_stream(values: Sequence[Cell], count: int) -> Placed | None:
    """Put the values between two labels of a stream to `count` columns: as many cells as columns, or as many printed.

    A blank line that is no empty cell stands after the last value, or is one too many between them.
    """
    printed = [cell for cell in values if not is_empty(cell)]
    if len(printed) == count:
        return Placed(tuple(printed), IN_STREAM)
    if len(values) < count or any(not is_empty(cell) for cell in values[count:]):
        return None
    return Placed(tuple(values[:count]), EMPTY_LINE)


def place_by_header(values: Sequence[Cell], columns: Sequence[tuple[int, int] | None]) -> Placed | None:
    """Put values to columns by the grid columns (first, past the last) of their header cells.

    A column whose header is not printed has None. No value may stand under two headers, no header over two values.
    """
    if len(values) == len(columns) and all(_fills(cell, span) for cell, span in zip(values, columns, strict=True)):
        return Placed(tuple(values), _BY_HEADER)
    placed: list[Cell | None] = []
    for span in columns:
        found = [cell for cell in values if span and overlaps(cell, span)]
        if len(found) > 1:
            # A merged header over cells that are not: the one that is filled, if one is.
            found = [cell for cell in found if not is_blank(cell)] or found[:1]
        if span and len(found) != 1:
            return None
        placed.append(found[0] if found else None)
    used = [id(cell) for cell in placed if cell]
    if len(set(used)) != len(used):
        return None
    unknown = tuple(cell for cell in values if id(cell) not in used and not is_blank(cell))
    return Placed(tuple(placed), _BY_HEADER, unknown)


def _fills(cell: Cell, span: tuple[int, int] | None) -> bool:
    return span is not None and cell.column == span[0] and cell.column + cell.column_span == span[1]


def overlaps(cell: Cell, span: tuple[int, int]) -> bool:
    return cell.column < span[1] and cell.column + cell.column_span > span[0]


def over_rows(cell: Cell, label: Cell) -> float:
    """What is left of the confidence in a value where it goes further down than its row's label."""
    return _OVER_ROWS if cell.row_span > label.row_span else 1.0


def candidate(cell_id: str, unit: str, cell: Cell, confidence: float, printed_unit: str = "") -> Candidate:
    """Read one value cell. `printed_unit` is the money unit its header or row label names, "" for the form's own."""
    raw = cell.text.strip()
    printed = read_number(raw, unit)
    if printed.status != "number":
        return Candidate(cell_id, printed.status, None, raw, cell.locator, confidence)
    if printed_unit == UNKNOWN_UNIT:
        confidence = min(confidence, _UNIT_UNKNOWN)
    elif printed_unit and printed_unit != unit:
        with_unit = read_number(raw + printed_unit, unit)
        printed = with_unit if with_unit.status == "number" else printed
    if printed.oddity:
        is_odd_sign = printed.oddity == "sign" and not cell_id.endswith(".items_change")
        confidence = round(confidence * (0.5 if is_odd_sign else _ODDITY[printed.oddity]), 3)
    return Candidate(cell_id, "reported", printed.value, raw, cell.locator, confidence, printed.oddity)


def put_together(above: Sequence[Cell], below: Sequence[Cell]) -> list[Cell]:
    """The values of a row that the page end cuts in two: under each what stands in the last cells `below`."""
    return [
        one if is_empty(other) else replace(one, text=f"{one.text}\n{other.text}".strip())
        for one, other in zip(above, below[-len(above) :], strict=True)
    ]


def unassigned(cell_ids: Sequence[str], values: Sequence[Cell], locator: str) -> list[Candidate]:
    """The cells of a row whose printed values cannot be put to columns: unreadable, each with all that is printed."""
    raw = " ".join(cell.text.strip() for cell in values if cell.text.strip())[:_LONGEST_RAW]
    return [Candidate(cell_id, "unreadable", None, raw, locator, 0.5, "unassigned") for cell_id in cell_ids]


def split_wordy(cells: Sequence[Cell], wordy: Callable[[str], bool] = is_wordy) -> tuple[list[Cell], list[Cell]]:
    """The leading cells up to the last word before the first number, and what follows."""
    last = -1
    for index, cell in enumerate(cells):
        if wordy(cell.text):
            last = index
        elif not is_blank(cell):
            break
    return list(cells[: last + 1]), list(cells[last + 1 :])
