"""Rows of section three that go on below: which values belong to the label above them, and which to none for sure."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.labels import OFFICIAL, LabelBook
from parsers.model import Cell
from parsers.rows import is_blank, is_empty, put_together
from parsers.shapes.matrix_lines import LabelledLine, is_number, is_sum

# Where a line goes on below.
_CONTINUED = 0.8
_DOUBTED = 0.5


class Continuations:
    """Puts the lines of one row together, where that is sure."""

    def __init__(self, labels: LabelBook, column_count: int) -> None:
        self._labels = labels
        self._column_count = column_count

    def is_disordered(self, entries: Sequence[LabelledLine]) -> bool:
        """Whether values stand where no row can have them: before the first row, or under a row that has its own.

        Tools that write a page column by column, or a number above its label, leave such traces. A label may then be
        followed by the values of another row, so none that is not on the label's own line is believed.
        """
        lacking = 0
        for entry in entries:
            filled = any(not is_blank(cell) for cell in entry.values)
            if entry.header:
                lacking = 0
                if not entry.line.rows_known and any(is_number(cell) for cell in entry.line.cells):
                    return True
            elif entry.hit:
                lacking = self._column_count - len(entry.values)
            elif filled and not entry.heads:
                if len(entry.values) != lacking:
                    return True
                lacking = 0
        return False

    def joined(self, entries: list[LabelledLine], *, disordered: bool) -> list[LabelledLine]:
        """Lines that go on with the row above: values under one that lacks just as many, the rest of its label.

        What might be such a line leaves the blanks above it in doubt.
        """
        done: list[LabelledLine] = []
        for entry in entries:
            if cut := _cut_row(done, entry):
                cut.values = put_together(cut.values, entry.values)
                cut.quality = min(cut.quality, _CONTINUED)
                continue
            before = done[-1] if done else None
            filled = entry.hit is None and not entry.header and any(map(is_number, entry.values))
            if not before or not before.hit or not filled or (disordered and not entry.line.rows_known):
                done.append(entry)
            elif not entry.heads and self._goes_on(before, entry):
                before.values = [*_without_empty_ends(before.values), *entry.values]
                before.quality = min(before.quality, _CONTINUED)
            elif entry.heads and all(map(is_blank, before.values)) and self._is_rest(before, entry):
                before.values, before.line = entry.values, entry.line
            else:
                if before.values and is_empty(before.values[-1]):
                    before.quality = min(before.quality, _DOUBTED)
                done.append(entry)
        return done

    def _goes_on(self, before: LabelledLine, entry: LabelledLine) -> bool:
        printed = _without_empty_ends(before.values)
        if len(printed) + len(entry.values) != self._column_count:
            return False
        # A single number may be that of the page, if it is not the sum of the others.
        return len(entry.values) > 1 or is_sum(printed, entry.values[0])

    def _is_rest(self, before: LabelledLine, entry: LabelledLine) -> bool:
        whole = self._labels.exact(before.heads[-1].text + entry.heads[-1].text)
        if whole is None or before.hit is None or whole.quality < OFFICIAL:
            return False
        return whole.indexes == before.hit.indexes


def _cut_row(done: Sequence[LabelledLine], entry: LabelledLine) -> LabelledLine | None:
    """The row that a line without a label goes on with, cell under cell: a page end cuts numbers as it does labels.

    The head of the table may be printed between the two.
    """
    if entry.heads or entry.header or entry.hit or not entry.line.rows_known or not entry.line.columns_known:
        return None
    before = next((other for other in reversed(done) if not other.header), None)
    if before is None or not before.hit or not before.values or not before.line.columns_known:
        return None
    count = len(before.values)
    has_gaps = any(map(is_empty, entry.values[-count:])) and any(map(is_number, entry.values[-count:]))
    is_under = len(entry.values) >= count and all(map(is_empty, entry.values[:-count]))
    return before if has_gaps and is_under else None


def forget_after_empty(entries: Sequence[LabelledLine]) -> None:
    """In a stream, values under two labels in a row are of either: neither has them."""
    empty = False
    for entry in entries:
        if entry.line.rows_known:
            continue
        empty_here = entry.hit is not None and not entry.values
        if empty and entry.values and entry.hit:
            entry.quality = 0.0
        empty = empty_here


def _without_empty_ends(cells: Sequence[Cell]) -> list[Cell]:
    printed = [at for at, cell in enumerate(cells) if not is_empty(cell)]
    return list(cells[printed[0] : printed[-1] + 1]) if printed else []
