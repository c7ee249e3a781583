"""Numbers of a text table put to columns by where they stand in their lines, for rows that lack some.

The rows printed in full say where the columns are. A row that lacks numbers is put to them when each of its numbers
keeps the edge, or the middle, that theirs have in common, and the last column is filled: whatever a tool leaves out or
closes up moves all that stands after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from parsers.normalise import is_wordy

# Section three has seven columns; of fewer columns a page has several tables, and their rows are alike.
_LEAST_COLUMNS = 5
# Section four has fifteen; a line of many more is of no form.
_MOST_COLUMNS = 20
_LEAST_FULL_ROWS = 2
# Above the first full row and below the last, a row of up to three numbers may be one of section two.
_LEAST_OUTSIDE = 4
_TOKEN = re.compile(r"\S+")

_Span = tuple[int, int]
_Width = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class TextRow:
    """A line and its cells as printed, in order. The labels are the words it begins with."""

    line: str
    cells: tuple[str, ...]

    @property
    def label_count(self) -> int:
        return next((at for at, text in enumerate(self.cells) if not is_wordy(text)), len(self.cells))

    @property
    def value_count(self) -> int:
        """Cells after the labels, 0 where there is no label or words stand among them."""
        values = self.cells[self.label_count :]
        return 0 if not self.label_count or any(map(is_wordy, values)) else len(values)

    def spans(self, width: _Width) -> list[_Span]:
        """Where each cell begins and ends in the line."""
        tokens = _TOKEN.finditer(self.line)
        spans: list[_Span] = []
        reached = place = 0
        for text in self.cells:
            own = list(islice(tokens, len(text.split())))
            start = place + width(self.line[reached : own[0].start()])
            place = start + width(self.line[own[0].start() : own[-1].end()])
            reached = own[-1].end()
            spans.append((start, place))
        return spans


def filled_up(rows: Mapping[int, TextRow]) -> dict[int, tuple[int, ...]]:
    """Row → the column of each of its values, for those rows that lack some. `rows`: by their order in the table.

    Tools count a Chinese character as one place or as two, and differ over quotation marks: each way is tried, and a
    row that they put differently is left out.
    """
    counts = {at: row.value_count for at, row in rows.items()}
    found = [_by_place(rows, counts, width) for width in (_width_in_chinese, _width_elsewhere, len)]
    sure: dict[int, tuple[int, ...]] = {}
    for row in rows:
        placings = {one[row] for one in found if row in one}
        if len(placings) == 1:
            sure[row] = placings.pop()
    return sure


def column_count(rows: Mapping[int, TextRow]) -> int:
    """How many values the rows have that are printed in full."""
    return max((row.value_count for row in rows.values()), default=0)


def _width_in_chinese(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _width_elsewhere(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _by_place(rows: Mapping[int, TextRow], counts: Mapping[int, int], width: _Width) -> dict[int, tuple[int, ...]]:
    count = max(counts.values(), default=0)
    full = [at for at in rows if counts[at] == count]
    if not _LEAST_COLUMNS <= count <= _MOST_COLUMNS or len(full) < _LEAST_FULL_ROWS:
        return {}
    printed = [rows[at].spans(width)[-count:] for at in full]
    columns = [_Column.of(spans) for spans in zip(*printed, strict=True)]
    if not all(column.is_aligned for column in columns) or not _are_apart(columns):
        return {}
    placed: dict[int, tuple[int, ...]] = {}
    for at, row in rows.items():
        least = 1 if full[0] < at < full[-1] else _LEAST_OUTSIDE
        found = _columns(row, columns, width) if least <= counts[at] < count else None
        if found:
            placed[at] = found
    return placed


def _columns(row: TextRow, columns: Sequence[_Column], width: _Width) -> tuple[int, ...] | None:
    spans = row.spans(width)
    labels, values = spans[: row.label_count], spans[row.label_count :]
    if labels[-1][1] >= columns[0].start:
        return None
    found: list[int] = []
    for value in values:
        over = [at for at, column in enumerate(columns) if value[0] < column.end and value[1] > column.start]
        if len(over) != 1 or over[0] in found or not columns[over[0]].has(value):
            return None
        found.append(over[0])
    return tuple(found) if found[-1] == len(columns) - 1 else None


@dataclass(frozen=True, slots=True)
class _Column:
    """What the values of a column have in common: where they begin, end, or have their middle (doubled); else None."""

    start: int
    end: int
    left: int | None
    right: int | None
    middle: int | None

    @classmethod
    def of(cls, spans: Sequence[_Span]) -> _Column:
        starts, ends = [start for start, _ in spans], [end for _, end in spans]
        middles = [start + end for start, end in spans]
        return cls(
            min(starts),
            max(ends),
            left=starts[0] if len(set(starts)) == 1 else None,
            right=ends[0] if len(set(ends)) == 1 else None,
            middle=min(middles) if max(middles) - min(middles) <= 1 else None,
        )

    @property
    def is_aligned(self) -> bool:
        return (self.left, self.right, self.middle) != (None, None, None)

    def has(self, span: _Span) -> bool:
        """Whether a value stands as the others do."""
        if span[0] == self.left or span[1] == self.right:
            return True
        return self.middle is not None and abs(span[0] + span[1] - self.middle) <= 1


def _are_apart(columns: Sequence[_Column]) -> bool:
    return all(before.end < after.start for before, after in pairwise(columns))
