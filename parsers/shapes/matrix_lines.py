"""Lines of section three: where a line's label ends, which row it names, and the values after it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from parsers.form import Table
from parsers.labels import Entry, Hit, LabelBook
from parsers.model import Cell
from parsers.normalise import UNITS, is_unit, is_wordy, label_key, read_number
from parsers.rows import Line, is_blank, split_wordy

_LONGEST_LABEL = 9
# So many cells after a label make a row of the table, even without its header.
_LEAST_VALUES = 5


class LabelledLine(Struct):
    """A line being understood: where its label ends, what it names, and its values."""

    line: Line
    heads: list[Cell]
    values: list[Cell]
    hit: Hit | None = None
    header: bool = False
    quality: float = 1.0
    header_words: Line | None = None


class LineReader:
    """Understands one line at a time of the table."""

    def __init__(self, table: Table) -> None:
        block = table.blocks[0]
        self._rows = block.rows
        self._columns = block.columns
        results = next(label for label in table.furniture if label.startswith("三、"))
        self.labels = LabelBook(
            Entry(row.label, row.also, _heads(row.group, row.within and results)) for row in self._rows
        )
        # Columns whose label is used nowhere else on the page: a header line shows at least two of them.
        telling = {label_key(column.label) for column in self._columns if len(label_key(column.label)) > 2}
        # Header words broken over two lines show their beginnings.
        self._beginnings = {label[:end] for label in telling for end in range(2, len(label) + 1)}
        self._column_keys = {label_key(column.label) for column in self._columns}

    def is_header(self, line: Line) -> bool:
        """Whether a line belongs to the table's header."""
        keys = line.keys
        for key in keys:
            if key in ("申请人情况", "法人或其他组织") or key.startswith("本列数据的勾稽关系"):
                return True
        telling = sum([key in self._beginnings for key in keys])
        return telling >= 2 or (telling == 1 and all(is_blank(cell) or is_wordy(cell.text) for cell in line.cells))

    def has_row(self, line: Line) -> bool:
        """Whether a line is one of the table's rows by official label with at least five cells after it, none of words.

        Section four has a header of fifteen cells, 总计 among them.
        """
        if len(line.cells) <= _LEAST_VALUES:
            return False
        entry = self.read(line)
        return (
            entry.hit is not None
            and len(entry.values) >= _LEAST_VALUES
            and not any(is_wordy(cell.text) for cell in entry.values)
        )

    def read(self, line: Line) -> LabelledLine:
        if line.rows_known and not UNITS.isdisjoint(line.keys):
            # A column of units between label and values.
            line = replace(line, cells=tuple(cell for cell in line.cells if not is_unit(cell.text)) or line.cells)
        if not self.is_header(line):
            return self._row_entry(line)
        tail = self._row_after_header(line) if not line.rows_known else None
        if tail is None:
            return LabelledLine(line, [], [], header=True)
        entry = self._row_entry(tail)
        entry.header_words = line
        return entry

    def _row_entry(self, line: Line) -> LabelledLine:
        best: tuple[int, Hit] | None = None
        named = set[int]()
        for index, cell in enumerate(line.cells):
            hit = self.labels.exact(cell.text) if is_wordy(cell.text) else None
            if hit is None or (label_key(cell.text) in self._column_keys and not self._is_bare_row(line, index)):
                continue
            if best is None or hit.quality >= best[1].quality:
                best = (index, hit)
            if not self._rows[hit.indexes[0]].variant:
                named.add(hit.indexes[0])
        if best and self._is_heading(line, *best):
            best = None
        if best and line.rows_known:
            at, hit = best
            return LabelledLine(line, list(line.cells[: at + 1]), list(line.cells[at + 1 :]), hit, quality=hit.quality)
        heads, values = split_wordy(line.cells)
        if best:
            at, hit = best
            whole = self.labels.exact("".join(cell.text for cell in heads[at:]))
            # Two labels in a row share the values after them: whose they are is not known.
            sure = len(named) <= 1 and whole is not None and whole.indexes == hit.indexes
            return LabelledLine(line, heads, values, hit, quality=hit.quality if sure else 0.0)
        for size in range(2, _LONGEST_LABEL):
            hit = self.labels.exact("".join(cell.text for cell in heads[-size:])) if len(heads) >= size else None
            if hit:
                return LabelledLine(line, heads, values, hit, quality=hit.quality)
        return LabelledLine(line, heads, values)

    def _is_bare_row(self, line: Line, at: int) -> bool:
        """Whether 总计 or 其他 without its number names a row: where rows are marked and its values follow."""
        return line.rows_known and len(line.cells) - at - 1 >= len(self._columns)

    def _is_heading(self, line: Line, at: int, hit: Hit) -> bool:
        """Whether words that follow make a label that is a row when printed alone the heading of another row."""
        if not self._rows[hit.indexes[0]].variant:
            return False
        heads, _ = split_wordy(line.cells)
        return any(is_wordy(cell.text) for cell in heads[at + 1 :])

    def _row_after_header(self, line: Line) -> Line | None:
        """The row at the end of a line of a stream whose words begin with the header's."""
        heads, values = split_wordy(line.cells)
        for size in range(1, _LONGEST_LABEL):
            label = "".join(cell.text for cell in heads[-size:])
            if label_key(label) in self._column_keys:
                return None
            if len(heads) > size and values and self.labels.exact(label):
                return replace(line, cells=tuple(heads[-size:] + values))
        return None


def is_number(cell: Cell) -> bool:
    """Whether a cell bears a number, neither words nor a blank."""
    return not is_wordy(cell.text) and not is_blank(cell)


def is_sum(parts: Sequence[Cell], whole: Cell) -> bool:
    """Whether all cells bear numbers and `whole` is the sum of `parts`."""
    values = [read_number(cell.text, "").value for cell in (*parts, whole)]
    return None not in values and sum(value for value in values[:-1] if value) == values[-1]


def _heads(group: str, results: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(head for head in (group, results, results + group) if head))
