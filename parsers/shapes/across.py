"""Section four: fifteen numbers in one printed row, three groups of five; some pages print three tables of five.

Empty filler rows stand above the numbers in some reports. A row of fifteen is read by order, a row of five only when
the words above or before it name one group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from msgspec.structs import replace

from parsers.form import Table
from parsers.labels import Entry, LabelBook
from parsers.model import Cell, Finding
from parsers.normalise import is_wordy, label_key
from parsers.rows import (
    Candidate,
    Line,
    Placed,
    candidate,
    is_blank,
    overlaps,
    place_by_header,
    place_by_order,
    place_in_stream,
    unassigned,
)

_RECONSIDERATION, _LITIGATION = "行政复议", "行政诉讼"
# So many words of a header are cut together, or none is.
_LEAST_CUT = 3
_UNVERIFIED, _STREAM, _LABELLED, _DISAGREEING = 0.85, 0.9, 0.8, 0.6


@dataclass(frozen=True, slots=True)
class Across:
    """What one run of lines gave. `printed`: whether a row of values stands under the header."""

    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]
    has_header: bool


@dataclass(slots=True)
class _Header:
    """Groups and columns named since the last values, in printed order, with their cells.

    `reversed`: 行政诉讼 stands before 行政复议, and which columns are whose is not seen from merged cells.
    """

    groups: list[tuple[int, Cell]]
    columns: list[tuple[int, Cell]]
    grid: int = -1
    used: bool = False
    reversed: bool = False


class AcrossReader:
    """Reads runs of lines of one table of shape `across`."""

    def __init__(self, table: Table) -> None:
        block = table.blocks[0]
        self._table, self._rows, self._columns = table, block.rows, block.columns
        self._groups = LabelBook(Entry(row.label, row.also) for row in self._rows)
        self._names = LabelBook(Entry(column.label, column.also) for column in self._columns)
        self._telling = {label_key(column.label) for column in self._columns if len(label_key(column.label)) > 2}
        self._group_keys = {*(label_key(row.label) for row in self._rows), _LITIGATION}
        self._ids = [f"{table.key}.{row.key}.{column.key}" for row in self._rows for column in self._columns]
        self._numbers = [str(number) for number in range(1, len(self._ids) + 1)]

    def is_header(self, line: Line) -> bool:
        """Whether a line belongs to the table's header: two of its columns, or two of its groups."""
        if sum([key in self._telling for key in line.keys]) >= 2:
            return True
        groups = self._group_keys.intersection(line.keys)
        # A table of five may be headed by the name of its group alone.
        return len(groups) >= 2 or (len(groups) == 1 and {label_key(cell.text) for cell in line.cells} <= {*groups, ""})

    def read(self, lines: Sequence[Line]) -> Across:
        candidates: list[Candidate] = []
        findings: list[Finding] = []
        blank: tuple[Line, list[Cell], _Header] | None = None
        header = _Header([], [])
        instance, seen = 0, set[str]()
        has_header = False
        for line in self._whole(lines):
            words, values = self._words_and_values(line)
            self._take_words(words, line, header)
            has_header = has_header or bool(header.columns) or len(header.groups) > 1
            if len(values) < len(self._columns):
                findings.extend(self._too_few(values, header))
                continue
            if [cell.text.strip() for cell in values] == self._numbers:
                # The columns' numbers: no sum of theirs would hold.
                continue
            if all(is_blank(cell) for cell in values):
                # Rows of the header without words look the same: counts only if no numbers follow.
                if len(values) >= len(self._ids) or (len(header.groups) == 1 and header.columns):
                    blank = blank or (line, values, _Header(list(header.groups), list(header.columns), header.grid))
                continue
            read = self._row(line, words, values, header, findings)
            if seen.intersection(one.cell for one in read):
                instance, seen = instance + 1, set()
            seen.update(one.cell for one in read)
            candidates += [replace(one, instance=instance) for one in read] if instance else read
            header.groups, header.used, header.reversed = [], True, False
        if not candidates and blank:
            line, values, header = blank
            candidates.extend(self._row(line, [], values, header, findings))
        return Across(tuple(candidates), tuple(findings), has_header)

    def _whole(self, lines: Sequence[Line]) -> list[Line]:
        """Lines with the words of columns made whole that are cut over two of them, as by the end of a page."""
        whole: list[Line] = []
        for line in lines:
            joined = self._joined(whole[-1], line) if whole else None
            if joined:
                whole[-1] = joined
            else:
                whole.append(line)
        return whole

    def _joined(self, above: Line, below: Line) -> Line | None:
        rest = [cell for cell in below.cells if not is_blank(cell)]
        if above.grid != below.grid or not below.rows_known or not all(is_wordy(cell.text) for cell in rest):
            return None
        cells = list(above.cells)
        used = 0
        for at, cell in enumerate(cells):
            if used == len(rest) or self._names.exact(cell.text) or not self._names.exact(cell.text + rest[used].text):
                continue
            if not above.columns_known or cell.column == rest[used].column:
                cells[at] = replace(cell, text=cell.text + rest[used].text)
                used += 1
        return replace(above, cells=tuple(cells)) if used == len(rest) >= _LEAST_CUT else None

    def _words_and_values(self, line: Line) -> tuple[list[Cell], list[Cell]]:
        words = [cell for cell in line.cells if is_wordy(cell.text)]
        if not words:
            return [], list(line.cells)
        after = line.cells.index(words[-1]) + 1
        numbers = [cell for cell in line.cells[after:] if not is_blank(cell)]
        if not numbers and any(self._names.exact(cell.text) or self._groups.exact(cell.text) for cell in words):
            # A header row; the cells it lacks stand in the row above.
            return words, []
        first = next(
            (index for index, cell in enumerate(line.cells) if not is_wordy(cell.text) and not is_blank(cell)), after
        )
        if line.rows_known and first < after:
            # Words among the values: kept in their place, they are unreadable there.
            lead = next((index for index, cell in enumerate(line.cells) if not is_wordy(cell.text)), first)
            return list(line.cells[:lead]), list(line.cells[lead:])
        return words, list(line.cells[after:])

    def _take_words(self, words: Sequence[Cell], line: Line, header: _Header) -> None:
        fresh = True
        keys = [label_key(cell.text) for cell in words]
        if {_LITIGATION, _RECONSIDERATION} <= set(keys) and keys.index(_LITIGATION) < keys.index(_RECONSIDERATION):
            header.reversed = True
        for cell in words:
            name, group = self._names.exact(cell.text), self._groups.exact(cell.text)
            if name and fresh:
                # The words of another table's header, or of one whose values have been read.
                if header.grid != line.grid or header.used:
                    header.columns = []
                header.grid, header.used = line.grid, False
                fresh = False
            if name:
                header.columns.append((name.indexes[0], cell))
            elif group and group.indexes[0] not in [index for index, _ in header.groups]:
                header.groups.append((group.indexes[0], cell))

    def _row(
        self, line: Line, words: Sequence[Cell], values: Sequence[Cell], header: _Header, findings: list[Finding]
    ) -> list[Candidate]:
        quality = 1.0 if line.rows_known else _STREAM
        labelled = [group.indexes[0] for group in (self._groups.exact(cell.text) for cell in words) if group]
        groups = (
            labelled[:1]
            if labelled and line.rows_known and len(values) < len(self._ids)
            else [g for g, _ in header.groups]
        )
        size = len(self._columns)
        placed = self._fifteen(line, values, header)
        if placed is not None:
            ids = self._ids_of(header)
            if words and line.rows_known and not labelled:
                # A year or a note in front: whose numbers they are is less than certain.
                quality = min(quality, _LABELLED)
        elif len(groups) in (1, 2) and (placed := self._by_order(line, values, size * len(groups))) is not None:
            ids = [self._ids[group * size + column] for group in groups for column in range(size)]
            if len(groups) == 2:
                quality = min(quality, _LABELLED)
        else:
            printed = " | ".join(cell.text.strip() for cell in values)
            message = f"{self._table.label}: expected {len(self._ids)} values in a row, found {len(values)}: {printed}"
            findings.append(Finding("unassigned_values", " ".join(message.split()), values[0].locator))
            wanted = (
                [self._ids[group * size + column] for group in groups for column in range(size)]
                if groups
                else self._ids
            )
            return unassigned(wanted, values, values[0].locator)
        order = self._order(header, len(ids) // size)
        uniform = len({cell.text.strip() for cell in placed.cells if cell}) == 1
        if not uniform:
            quality = min(quality, order)
        quality = min(quality, placed.confidence)
        if quality == 0.0:
            return unassigned(ids, values, values[0].locator)
        unit = self._columns[0].unit
        return [candidate(cell, unit, value, quality) for cell, value in zip(ids, placed.cells, strict=True) if value]

    def _fifteen(self, line: Line, values: Sequence[Cell], header: _Header) -> Placed | None:
        total = len(self._ids)
        by_order = self._by_order(line, values, total)
        spans = self._spans(line, header)
        if by_order is None:
            return place_by_header(values, spans) if spans else None
        if spans and len({cell.text.strip() for cell in values}) > 1:
            agrees = all(cell and overlaps(cell, span) for cell, span in zip(by_order.cells, spans, strict=True))
            return by_order if agrees else replace(by_order, confidence=_DISAGREEING)
        return by_order

    @staticmethod
    def _by_order(line: Line, values: Sequence[Cell], count: int) -> Placed | None:
        return place_by_order(values, count) if line.rows_known else place_in_stream(values, count)

    def _spans(self, line: Line, header: _Header) -> list[tuple[int, int]] | None:
        if not line.columns_known or header.grid != line.grid or len(header.columns) != len(self._ids):
            return None
        spans = sorted((cell.column, cell.column + cell.column_span) for _, cell in header.columns)
        # Two headers in one place: the tool kept no column of its own for merged cells.
        return spans if all(before[1] <= after[0] for before, after in pairwise(spans)) else None

    def _ids_of(self, header: _Header) -> list[str]:
        """The cells of a row of fifteen, in the order in which the groups stand side by side."""
        size = len(self._columns)
        order = self._printed_groups(header) or list(range(len(self._rows)))
        return [self._ids[group * size + column] for group in order for column in range(size)]

    def _printed_groups(self, header: _Header) -> list[int] | None:
        """The groups from left to right, where the header is merged over the five columns of each; else None."""
        cells = sorted(header.groups, key=lambda item: item[1].column)
        size = len(self._columns)
        whole = len(cells) == len(self._rows) and all(cell.column_span == size for _, cell in cells)
        apart = all(before.column + size <= after.column for (_, before), (_, after) in pairwise(cells))
        return [group for group, _ in cells] if whole and apart else None

    def _order(self, header: _Header, groups: int) -> float:
        """How sure the header makes the order of columns: 1.0, less where it cannot be seen, 0 where it differs."""
        size = len(self._columns)
        lawful = list(range(size))
        printed_groups = [group for group, _ in header.groups]
        if self._printed_groups(header) is None and (header.reversed or printed_groups != sorted(printed_groups)):
            return 0.0
        cells = header.columns
        if len(cells) == groups * size and self._one_line(header):
            cells = sorted(cells, key=lambda item: item[1].column)
        names = [index for index, _ in cells]
        fives = [names[at : at + size] for at in range(0, len(names), size)]
        if self._one_line(header) and any(sorted(five) == lawful and five != lawful for five in fives):
            return 0.0
        return 1.0 if len(fives) >= groups and all(five == lawful for five in fives) else _UNVERIFIED

    @staticmethod
    def _one_line(header: _Header) -> bool:
        """Whether the header's columns stand in one line: in text, those of the first group may stand a line above."""
        return len({cell.row for _, cell in header.columns}) == 1

    def _too_few(self, values: Sequence[Cell], header: _Header) -> list[Finding]:
        numbers = [cell for cell in values if not is_blank(cell)]
        if not numbers or not header.columns:
            return []
        printed = " | ".join(cell.text.strip() for cell in values)
        return [
            Finding(
                "unassigned_values",
                f"{self._table.label}: a row of {len(values)} values: {printed}",
                numbers[0].locator,
            )
        ]
