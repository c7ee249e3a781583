"""The header of section three: which columns it prints, where, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from parsers.form import Column
from parsers.labels import Entry, LabelBook
from parsers.model import Cell
from parsers.normalise import is_wordy, label_key
from parsers.rows import Line, is_empty, overlaps, place_by_order
from parsers.shapes.matrix_lines import LabelledLine


@dataclass(slots=True)
class Header:
    """The columns as one grid prints them.

    `spans`: key → grid columns, where they are known. `order`: keys from left to right. `verified`: all of them were
    seen, in the form's order; `out_of_order`: they stand otherwise, and `complete` says whether the order is all known.
    `start`: in text, the place of the first column in its line where the others stand in the places after it.
    """

    grid: int
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    verified: bool = False
    out_of_order: bool = False
    complete: bool = False
    start: int | None = None


class HeaderReader:
    """Reads the header lines of one grid."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._book = LabelBook(Entry(column.label, column.also) for column in columns)

    def read(self, lines: Sequence[Line]) -> Header | None:
        """What the header lines say of the columns, or None when there are none."""
        if not lines:
            return None
        header = Header(lines[0].grid)
        first = [line for line in lines if line.grid == header.grid]
        lawful = [column.key for column in self._columns]
        if first[0].columns_known:
            found: dict[str, Cell] = {}
            for line in first:
                for cell in line.cells:
                    key = self._column_of(cell)
                    if key:
                        found.setdefault(key, cell)
            header.spans = {key: (cell.column, cell.column + cell.column_span) for key, cell in found.items()}
            header.order = tuple(sorted(header.spans, key=lambda key: header.spans[key][0]))
            header.complete = len(header.order) == len(lawful)
        else:
            header.order, header.complete = self._printed_order(first)
            header.start = self._start(first)
        header.out_of_order = list(header.order) != [key for key in lawful if key in header.order]
        header.verified = header.complete and not header.out_of_order and len(header.order) == len(lawful)
        return header

    def is_refuted(self, header: Header, entries: Sequence[LabelledLine]) -> bool:
        """Whether the columns of the header are none: two in one place, or rows printed in full stand beside them."""
        spans = sorted(header.spans.values())
        if any(before[1] > after[0] for before, after in pairwise(spans)):
            return True
        if not header.complete:
            return False
        agreeing = []
        for entry in entries:
            placed = place_by_order(entry.values, len(self._columns)) if entry.hit else None
            if placed and not any(cell and is_empty(cell) for cell in placed.cells):
                agreeing.append(stand_under(placed.cells, spans))
        return agreeing.count(False) > len(agreeing) / 2

    def _start(self, lines: Sequence[Line]) -> int | None:
        places: dict[str, int] = {}
        for line in lines:
            for at, cell in enumerate(line.cells):
                places.setdefault(self._column_of(cell), at)
        start = places.get(self._columns[0].key, 0)
        lawful = all(places.get(column.key) == at for at, column in enumerate(self._columns, start))
        return start if lawful else None

    def _column_of(self, cell: Cell) -> str:
        """The column a header cell names, be it by the first of two lines its words are broken over; else ""."""
        hit = self._book.exact(cell.text)
        if hit:
            return self._columns[hit.indexes[0]].key
        key = label_key(cell.text)
        begun = [column.key for column in self._columns if len(key) > 1 and label_key(column.label).startswith(key)]
        return begun[0] if len(begun) == 1 else ""

    def _printed_order(self, lines: Sequence[Line]) -> tuple[tuple[str, ...], bool]:
        """The columns in printed order, and whether all that are printed were seen.

        自然人 and 总计 stand on other lines of the header than the kinds of organisation between them.
        """
        lawful = [column.key for column in self._columns]
        outer, inner = {lawful[0], lawful[-1]}, lawful[1:-1]
        cells = [[cell for cell in line.cells if is_wordy(cell.text)] for line in lines]
        kinds = [[key for key in map(self._column_of, line) if key in inner] for line in cells]
        longest = max(kinds, key=len)
        seen = {key for line in cells for key in map(self._column_of, line)}
        line = next(line for line, found in zip(cells, kinds, strict=True) if found is longest)
        named = [at for at, cell in enumerate(line) if self._column_of(cell) in inner]
        # Words before the first column are those of the corner; words between columns would be a column of their own.
        strange = [cell for cell in line[named[0] : named[-1]] if not self._column_of(cell)] if named else line
        complete = outer <= seen and not strange and len(set(longest)) == len(longest) >= len(inner) - 1
        if complete and not set(inner) & seen - set(longest):
            return (lawful[0], *longest, lawful[-1]), True
        return tuple(longest), False


def stand_under(cells: Sequence[Cell | None], spans: Sequence[tuple[int, int] | None]) -> bool:
    """Whether each cell stands in the grid columns (first, past the last) of its header cell."""
    return all(cell and span and overlaps(cell, span) for cell, span in zip(cells, spans, strict=True))
