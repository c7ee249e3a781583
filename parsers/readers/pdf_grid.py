"""Ruled lines of a page to tables: which cells there are, and where.

Coordinates are points from the page's top left corner, y downwards. The rules, and why:

- lines within `SNAP` of each other are one, pieces of a line less than `BRIDGE` apart belong together, and both
  happen before tables are told apart: else the inner pieces of merged rows stand alone and vanish;
- a boundary between two neighbouring cells exists where at least half of it is drawn;
- where at least three lines, or all of a table's, stop together, the border they stop at is taken as drawn: tables that
  go on overleaf often have no bottom line.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import ge
from typing import NamedTuple

SNAP = 2.0
BRIDGE = 3.0
# No printed cell is narrower: closer lines are one border drawn double.
MIN_CELL = 4.0
MAX_LINE_PAIRS = 400_000
MAX_ELEMENTS = 40_000
MAX_TABLES = 200

_STOP_TOGETHER = 3
_MIN_STUB = 6.0
_COVERED = 0.5


_Span = tuple[float, float]
# One cell: row and column of its top left corner in the grid, from 0, and how many of each it spans.
Box = tuple[int, int, int, int]
# Whether a line is drawn on the left, right, upper and lower side.
_RULED_AROUND = (True, True, True, True)


class Line(NamedTuple):
    """A horizontal or vertical line: its constant coordinate, and where it starts and ends on the other axis."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table. `xs` and `ys` are its column and row edges.

    `owners[row + 1][column + 1]` is the index in `boxes` of the cell that covers this element of the grid, -1 for none;
    there is none in the rows and columns around it.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    boxes: list[Box]
    owners: list[list[int]]

    def find(self, x: float, y: float) -> int:
        """Index in `boxes` of the cell at a point, -1 when the point is in none."""
        return self.owners[bisect_right(self.ys, y)][bisect_right(self.xs, x)]

    @property
    def columns(self) -> int:
        """How many columns have a cell that begins there."""
        return len({column for _, column, _, _ in self.boxes})


def tables(horizontal: list[Line], vertical: list[Line]) -> list[Table] | None:
    """Ruled tables of a page, top to bottom; None when there are more lines than any table has."""
    across, down = _joined(horizontal), _joined(vertical)
    if len(across) * len(down) > MAX_LINE_PAIRS:
        return None
    found: list[Table] = []
    for rows, columns in _components(across, down):
        table = _table(rows, columns)
        if table is not None:
            found.append(table)
    if len(found) > MAX_TABLES:
        return None
    return sorted(found, key=lambda table: (table.ys[0], table.xs[0]))


def _joined(lines: list[Line]) -> list[Line]:
    """Lines snapped to common coordinates, collinear pieces joined."""
    spans: defaultdict[float, list[_Span]] = defaultdict(list)
    for at, start, end in lines:
        spans[at].append((start, end))
    together: list[list[float]] = []
    first = last = -math.inf
    for at in sorted(spans):
        if at - last <= SNAP and at - first <= 2 * SNAP:
            together[-1].append(at)
        else:
            together.append([at])
            first = at
        last = at
    return [
        line
        for own in together
        for line in _bridged((own[0] + own[-1]) / 2, sorted([span for at in own for span in spans[at]]))
    ]


def _bridged(at: float, spans: list[_Span]) -> list[Line]:
    """The lines at one coordinate, of pieces in order."""
    start, end = spans[0]
    joined: list[Line] = []
    for next_start, next_end in spans:
        if next_start - end > BRIDGE:
            joined.append(Line(at, start, end))
            start, end = next_start, next_end
        elif next_end > end:
            end = next_end
    joined.append(Line(at, start, end))
    return joined


def _components(across: list[Line], down: list[Line]) -> list[tuple[list[Line], list[Line]]]:
    """Lines that cross or touch each other, directly or through others: (horizontal, vertical) of each group."""
    positions = [line.at for line in down]
    reach = [(line.start - BRIDGE, line.end + BRIDGE) for line in down]
    # Vertical lines of one group have one number; of each horizontal line, a vertical one that it touches.
    groups = list(range(len(down)))
    touched: list[tuple[Line, int]] = []
    for row in across:
        at, start, end = row
        first, last = bisect_left(positions, start - BRIDGE), bisect_right(positions, end + BRIDGE)
        own = [column for column, (top, bottom) in enumerate(reach[first:last], first) if top <= at <= bottom]
        if not own:
            continue
        touched.append((row, own[0]))
        joined = {groups[column] for column in own}
        if len(joined) > 1:
            group = groups[own[0]]
            groups = [group if other in joined else other for other in groups]
    found: defaultdict[int, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
    for row, column in touched:
        found[groups[column]][0].append(row)
    for line, group in zip(down, groups, strict=True):
        found[group][1].append(line)
    return list(found.values())


def _table(across: list[Line], down: list[Line]) -> Table | None:
    # Where the sides of a table are left open, one line may be all that parts its columns.
    if not down or not across or (len(down) < 2 and len(across) < _STOP_TOGETHER):
        return None
    across, down = _closed(across, down), _closed(down, across)
    xs, ys = edges(line.at for line in down), edges(line.at for line in across)
    columns, rows = len(xs) - 1, len(ys) - 1
    if columns < 1 or rows < 1 or columns * rows > MAX_ELEMENTS:
        return None
    boxes = _boxes(_covered(down, xs, ys), _covered(across, ys, xs))
    owners = [[-1] * (columns + 2) for _ in range(rows + 2)]
    for index, (row, column, row_span, column_span) in enumerate(boxes):
        if row_span == column_span == 1:
            owners[row + 1][column + 1] = index
            continue
        for own in owners[row + 1 : row + 1 + row_span]:
            own[column + 1 : column + 1 + column_span] = [index] * column_span
    return Table(tuple(xs), tuple(ys), boxes, owners)


def _closed(lines: list[Line], crossing: list[Line]) -> list[Line]:
    """`lines` with the outer borders added that only the ends of the `crossing` lines show."""
    positions = [line.at for line in lines]
    first, last = min(positions), max(positions)
    left, right = min(line.at for line in crossing), max(line.at for line in crossing)
    added = []
    for ends in (
        sorted(line.start for line in crossing if line.start < first - _MIN_STUB),
        sorted(line.end for line in crossing if line.end > last + _MIN_STUB),
    ):
        if not ends:
            continue
        outermost = ends[0] if ends[0] < first else ends[-1]
        together = [end for end in ends if abs(end - outermost) <= BRIDGE]
        if len(together) >= min(_STOP_TOGETHER, len(crossing)):
            added.append(Line(outermost, left, right))
    return [*lines, *added] if added else lines


def edges(positions: Iterable[float]) -> list[float]:
    """Distinct coordinates in order; those closer than `MIN_CELL` are one."""
    distinct: list[float] = []
    for position in sorted(positions):
        if not distinct or position - distinct[-1] >= MIN_CELL:
            distinct.append(position)
    return distinct


def _covered(lines: list[Line], positions: list[float], stops: list[float]) -> list[list[bool]]:
    """For each edge, and each interval between neighbouring stops: whether at least half of it is drawn."""
    widths = [end - start for start, end in pairwise(stops)]
    drawn = [[0.0] * len(widths) for _ in positions]
    for at, start, end in lines:
        own = drawn[bisect_right(positions, at) - 1]
        first, last = bisect_left(stops, start), bisect_right(stops, end) - 1
        if first < last:
            own[first:last] = widths[first:last]
        # It may begin and end between two stops, the same two or others.
        if 0 < first <= len(widths):
            own[first - 1] += min(end, stops[first]) - start
        if first <= last < len(widths):
            own[last] += end - stops[last]
    least = [width * _COVERED for width in widths]
    return [list(map(ge, own, least)) for own in drawn]


def _boxes(down: list[list[bool]], across: list[list[bool]]) -> list[Box]:
    """The cells, row by row: what no line parts is one, but where it lies beside a narrower part of the table."""
    columns = len(down) - 1
    is_closed = all(map(all, (down[0], down[-1], across[0], across[-1])))
    boxes: list[Box] = []
    seen: set[int] = set()
    for row, walls in enumerate(zip(*down, strict=True)):
        for column, sides in enumerate(zip(walls, walls[1:], across[row], across[row + 1], strict=False)):
            if sides == _RULED_AROUND:
                boxes.append((row, column, 1, 1))
            elif row * columns + column not in seen:
                group = _group(row * columns + column, down, across)
                seen.update(group)
                if is_closed or not _is_open(group, down, across):
                    boxes += _rectangles(group, columns)
    return sorted(boxes)


def _group(first: int, down: list[list[bool]], across: list[list[bool]]) -> list[int]:
    """Elements of the grid that no line parts from the first, in ascending order."""
    columns, rows = len(down) - 1, len(across) - 1
    group = [first]
    seen = {first}
    for element in group:
        row, column = divmod(element, columns)
        if column + 1 < columns and not down[column + 1][row] and element + 1 not in seen:
            seen.add(element + 1)
            group.append(element + 1)
        if column and not down[column][row] and element - 1 not in seen:
            seen.add(element - 1)
            group.append(element - 1)
        if row + 1 < rows and not across[row + 1][column] and element + columns not in seen:
            seen.add(element + columns)
            group.append(element + columns)
        if row and not across[row][column] and element - columns not in seen:
            seen.add(element - columns)
            group.append(element - columns)
    return sorted(group)


def _is_open(group: list[int], down: list[list[bool]], across: list[list[bool]]) -> bool:
    """Whether the group reaches the outside on more than one side: then it lies beside a narrower part of the table.

    On one side alone a border is only left out, as above the first row of a page that continues a table.
    """
    columns, rows = len(down) - 1, len(across) - 1
    is_left = is_right = is_top = is_bottom = False
    for element in group:
        row, column = divmod(element, columns)
        if column == 0 and not down[0][row]:
            is_left = True
        if column == columns - 1 and not down[columns][row]:
            is_right = True
        if row == 0 and not across[0][column]:
            is_top = True
        if row == rows - 1 and not across[rows][column]:
            is_bottom = True
    return is_left + is_right + is_top + is_bottom > 1


def _rectangles(group: list[int], columns: int) -> list[Box]:
    """The group as one box; where a missing line leaves another shape, as the boxes its rows make up."""
    by_row: dict[int, list[int]] = {}
    for element in group:
        row, column = divmod(element, columns)
        by_row.setdefault(row, []).append(column)
    boxes: list[Box] = []
    for row, row_columns in by_row.items():
        for start, width in _runs(row_columns):
            top, column, height, last_width = boxes[-1] if boxes else (-1, -1, 0, 0)
            if (top + height, column, last_width) == (row, start, width):
                boxes[-1] = (top, start, height + 1, width)
            else:
                boxes.append((row, start, 1, width))
    return boxes


def _runs(columns: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive columns as (first, how many)."""
    runs: list[tuple[int, int]] = []
    for column in columns:
        if runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((column, 1))
    return runs
