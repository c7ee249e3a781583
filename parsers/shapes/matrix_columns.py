"""Values of section three put to their columns: by header, by order, or as the other rows of the table have theirs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from parsers.form import Column
from parsers.normalise import is_wordy
from parsers.rows import Line, Placed, is_blank, is_empty, place_by_header, place_by_order, place_in_stream
from parsers.shapes.matrix_header import Header, stand_under
from parsers.shapes.matrix_layout import Layout
from parsers.shapes.matrix_lines import LabelledLine, is_sum

# Confidence left where the header does not show that the columns stand in statutory order.
_UNVERIFIED = 0.85
# Where the order of cells and the columns of the header disagree, and where the header has its own order.
_DISAGREEING, _REORDERED = 0.6, 0.8
# Where a line is shorter than its like, as all are that end in a column without a number.
_STRIPPED = 0.85


class Placement:
    """Puts the values of a line to the columns of the form."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def placed(self, entry: LabelledLine, header: Header | None, layout: Layout) -> tuple[Placed | None, float]:
        """Each column's value, and how sure that is; None where they cannot be told."""
        spans = self._spans(header, entry.line)
        by_header: Placed | None = None
        if header and (header.out_of_order or (header.complete and len(header.order) < len(self._columns))):
            by_header = _under_header(entry, spans)
            placed = by_header or self._by_printed_order(entry, header)
        elif not entry.line.rows_known:
            placed = place_in_stream(entry.values, len(self._columns))
        elif not entry.line.columns_known:
            placed = self._in_text(entry, layout)
        else:
            placed = self._in_grid(entry, header, spans)
            if placed is None:
                placed = by_header = _under_header(entry, spans)
        if placed is None:
            return None, 0.0
        quality = min(entry.quality, placed.confidence)
        if spans and all(spans) and _width(entry.line) < max([span[1] for span in spans if span]):
            quality = min(quality, _STRIPPED)
        uniform = len({cell.text.strip() for cell in placed.cells if cell}) == 1
        if placed is not by_header and not uniform:
            if not (header and (header.verified or header.out_of_order)):
                quality = min(quality, _UNVERIFIED)
            if spans and all(spans) and not stand_under(placed.cells, spans):
                quality = min(quality, _DISAGREEING)
        return placed, quality

    def _in_grid(
        self, entry: LabelledLine, header: Header | None, spans: Sequence[tuple[int, int] | None] | None
    ) -> Placed | None:
        """By order; None where only the header can tell."""
        size = len(self._columns)
        placed = place_by_order(entry.values, size)
        if placed is None:
            return None
        if len(entry.values) != size and spans and all(spans) and any(cell and is_blank(cell) for cell in placed.cells):
            # Merged labels are written out as empty cells: only the header shows which of them are values.
            return None
        if header and header.verified:
            return placed
        edges = (placed.cells[0], placed.cells[-1])
        empty_edge = any(cell and is_blank(cell) for cell in edges) and not all(map(is_blank, entry.values))
        return None if empty_edge else placed

    def _in_text(self, entry: LabelledLine, layout: Layout) -> Placed | None:
        """By order where all columns are printed, else where the lines that are printed in full have theirs.

        Where one of the table's columns is not the form's, only a sum tells which lines are without it. A line longer
        than its like has a cell that is not its own; a shorter one has lost cells, at its end where no line ends in an
        empty cell.
        """
        # Not the line's own: its values may stand on the next one.
        size, heads, cells = len(self._columns), len(entry.heads), [*entry.heads, *entry.values]
        if all(is_empty(cell) for cell in entry.values):
            return place_by_order(entry.values, size)
        placed = place_by_order(entry.values, size)
        if layout.wide:
            *parts, whole = [cell for cell in placed.cells if cell] if placed else entry.values
            return placed if is_sum(parts, whole) else None
        missing = layout.widths[heads] - len(cells)
        if placed and not any(cell and is_empty(cell) for cell in placed.cells):
            *parts, whole = [cell for cell in placed.cells if cell]
            # Words may be a remark behind a row that lacks a number.
            is_plain = missing >= 0 and not any(is_wordy(cell.text) for cell in placed.cells if cell)
            return placed if is_plain or is_sum(parts, whole) else replace(placed, confidence=_UNVERIFIED)
        start = heads if layout.bare else layout.starts.get(heads, layout.start)
        if start is None or start < heads:
            return None
        outside = [*cells[heads:start], *cells[start + size :]]
        missing = max(missing, start + size - len(cells))
        if any(not is_empty(cell) for cell in outside) or missing < 0 or (missing and not layout.stripped):
            return None
        if not layout.regular and layout.start is None and len(entry.values) > size:
            # Where lines have empty cells to spare and no two alike, another alignment is as good.
            return None
        values = list(cells[start : start + size])
        if len(values) < size:
            values += [replace(cells[-1], text="")] * (size - len(values))
        return Placed(tuple(values), 1.0 if layout.regular and not missing else _STRIPPED)

    def _by_printed_order(self, entry: LabelledLine, header: Header) -> Placed | None:
        """By the order of the header's words, in text; columns the header does not print stay empty-handed."""
        if not header.complete or entry.line.columns_known:
            return None
        placed = place_by_order(entry.values, len(header.order))
        if placed is None or any(cell and is_blank(cell) for cell in (placed.cells[0], placed.cells[-1])):
            return None
        by_key = dict(zip(header.order, placed.cells, strict=True))
        return Placed(tuple(by_key.get(column.key) for column in self._columns), _REORDERED)

    def _spans(self, header: Header | None, line: Line) -> list[tuple[int, int] | None] | None:
        if header is None or not line.columns_known or header.grid != line.grid:
            return None
        return [header.spans.get(column.key) for column in self._columns]


def _under_header(entry: LabelledLine, spans: Sequence[tuple[int, int] | None] | None) -> Placed | None:
    return place_by_header(entry.values, spans) if spans and any(spans) else None


def _width(line: Line) -> int:
    return max([cell.column + cell.column_span for cell in line.cells])
