"""Section three: one header of seven columns, one row per way of handling an application.

Labels stand in up to three columns of headings and are broken by pages; the numbers are the last seven cells of a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from parsers.form import Table
from parsers.labels import OFFICIAL, Entry, Hit, LabelBook
from parsers.model import Cell, Finding
from parsers.normalise import is_unit, is_wordy, label_key, read_number
from parsers.rows import (
    Candidate,
    Line,
    Placed,
    candidate,
    is_blank,
    is_empty,
    overlaps,
    place_by_header,
    place_by_order,
    place_in_stream,
    split_wordy,
    unassigned,
)

_LONGEST_JOIN = 6
_LONGEST_LABEL = 9
# Confidence left where the header does not show that the columns stand in statutory order.
_UNVERIFIED = 0.85
# Where the order of cells and the columns of the header disagree, a line goes on below, the header has its own order.
_DISAGREEING, _CONTINUED, _REORDERED = 0.6, 0.8, 0.8
# Where a line is shorter than its like, as all are that end in a column without a number.
_STRIPPED = 0.85
# Of the rows of a table, as many as show how it is made; the rest is damage.
_MOST = 0.9
_DOUBTED = 0.5


@dataclass(slots=True)
class _Entry:
    """A line being understood: where its label ends, what it names, and its values."""

    line: Line
    heads: list[Cell]
    values: list[Cell]
    hit: Hit | None = None
    header: bool = False
    quality: float = 1.0
    header_words: Line | None = None


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


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the rows of a text table are printed, where empty cells may stand for merged labels.

    `starts`: cells of the label → index of the first value in the lines printed in full, where these agree.
    `start`: the index in all lines, whatever their label, where the table's lines have their columns in common.
    `bare`: the columns follow the label at once, be it of one cell or more: no cell stands for a merged label.
    `widths`: cells of the label → how many cells such a line usually has. `stripped`: empty cells are printed between
    others, and none at the end of a line. `regular`: all lines have as many cells, and begin where their like begin.
    """

    starts: Mapping[int, int]
    start: int | None
    bare: bool
    widths: Mapping[int, int]
    stripped: bool
    regular: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """What one run of lines gave: candidates by cell, rows seen, and what did not fit."""

    candidates: tuple[Candidate, ...]
    rows: tuple[str, ...]
    findings: tuple[Finding, ...]
    has_header: bool


class MatrixReader:
    """Reads runs of lines of one table of shape `matrix`."""

    def __init__(self, table: Table) -> None:
        block = table.blocks[0]
        self._table = table
        self._rows = block.rows
        self._columns = block.columns
        results = next(label for label in table.furniture if label.startswith("三、"))
        self.labels = LabelBook(
            Entry(row.label, row.also, _heads(row.group, row.within and results)) for row in self._rows
        )
        self._column_book = LabelBook(Entry(column.label, column.also) for column in self._columns)
        self._furniture = {label_key(label) for label in table.furniture}
        # Columns whose label is used nowhere else on the page: a header line shows at least two of them.
        self._telling = {label_key(column.label) for column in self._columns if len(label_key(column.label)) > 2}
        # Header words broken over two lines show their beginnings.
        self._beginnings = {label[:end] for label in self._telling for end in range(2, len(label) + 1)}
        self._column_keys = {label_key(column.label) for column in self._columns}

    def is_header(self, line: Line) -> bool:
        """Whether a line belongs to the table's header."""
        keys = [label_key(cell.text) for cell in line.cells]
        if "申请人情况" in keys or "法人或其他组织" in keys:
            return True
        if any(key.startswith("本列数据的勾稽关系") for key in keys):
            return True
        telling = sum([key in self._beginnings for key in keys])
        return telling >= 2 or (telling == 1 and all(is_blank(cell) or is_wordy(cell.text) for cell in line.cells))

    def has_row(self, line: Line) -> bool:
        """Whether a line is one of the table's rows by official label with at least five cells after it, none of words.

        Section four has a header of fifteen cells, 总计 among them.
        """
        entry = self._entry(line)
        return (
            entry.hit is not None and len(entry.values) >= 5 and not any(is_wordy(cell.text) for cell in entry.values)
        )

    def read(self, lines: Sequence[Line]) -> Matrix:
        entries = [self._entry(line) for line in lines]
        header_lines = [line for entry in entries if (line := _header_line(entry))]
        header = self._header(header_lines)
        entries = self._joined(entries)
        self._match_loosely(entries)
        self._doubt_blanks(entries)
        disordered = self._is_disordered(entries)
        entries = self._continued(entries, disordered=disordered)
        self._forget_after_empty(entries)
        if header and header.spans and self._is_refuted(header, entries):
            # The tool kept no column of its own for merged cells: only the order of cells is left.
            for entry in entries:
                entry.line = replace(entry.line, columns_known=False)
            header = self._header([replace(line, columns_known=False) for line in header_lines])
        layout = self._layout(entries, header)
        candidates: list[Candidate] = []
        findings: list[Finding] = []
        rows: list[str] = []
        instance, seen = 0, set[str]()
        split_row = {row.group for row in self._rows if row.group} & {
            self._rows[entry.hit.indexes[0]].group for entry in entries if entry.hit
        }
        for entry in entries:
            if entry.header:
                continue
            if entry.hit is None:
                findings.extend(self._unknown_row(entry))
                continue
            row = self._rows[entry.hit.indexes[0]]
            if row.variant and row.label in split_row:
                # （六）其他处理 as the heading of its three rows.
                findings.extend(self._unknown_row(entry))
                continue
            if row.key in seen:
                instance, seen = instance + 1, set()
            seen.add(row.key)
            rows.append(row.key)
            read, problems = self._row(row.key, entry, header, layout, disordered=disordered)
            candidates.extend(replace(one, instance=instance) if instance else one for one in read)
            findings.extend(problems)
        return Matrix(tuple(candidates), tuple(rows), tuple(findings), header is not None)

    def _entry(self, line: Line) -> _Entry:
        if line.rows_known and any(units := [is_unit(cell.text) for cell in line.cells]) and not all(units):
            # A column of units between label and values.
            line = replace(line, cells=tuple(cell for cell in line.cells if not is_unit(cell.text)))
        if not self.is_header(line):
            return self._row_entry(line)
        tail = self._row_after_header(line) if not line.rows_known else None
        if tail is None:
            return _Entry(line, [], [], header=True)
        entry = self._row_entry(tail)
        entry.header_words = line
        return entry

    def _row_entry(self, line: Line) -> _Entry:
        best: tuple[int, Hit] | None = None
        named = set[int]()
        for index, cell in enumerate(line.cells):
            hit = self.labels.exact(cell.text) if is_wordy(cell.text) else None
            if hit and label_key(cell.text) in self._column_keys and not self._is_bare_row(line, index):
                hit = None
            if hit and (best is None or hit.quality >= best[1].quality):
                best = (index, hit)
            if hit and not self._rows[hit.indexes[0]].variant:
                named.add(hit.indexes[0])
        if best and self._is_heading(line, *best):
            best = None
        heads, values = split_wordy(line.cells)
        if best and not line.rows_known:
            at, hit = best
            whole = self.labels.exact("".join(cell.text for cell in heads[at:]))
            # Two labels in a row share the values after them: whose they are is not known.
            sure = len(named) <= 1 and whole is not None and whole.indexes == hit.indexes
            return _Entry(line, heads, values, hit, quality=hit.quality if sure else 0.0)
        if best:
            at, hit = best
            return _Entry(line, list(line.cells[: at + 1]), list(line.cells[at + 1 :]), hit, quality=hit.quality)
        for size in range(2, _LONGEST_LABEL):
            hit = self.labels.exact("".join(cell.text for cell in heads[-size:])) if len(heads) >= size else None
            if hit:
                return _Entry(line, heads, values, hit, quality=hit.quality)
        return _Entry(line, heads, values)

    def _is_bare_row(self, line: Line, at: int) -> bool:
        """Whether 总计 or 其他 without its number names a row: where rows are marked and its values follow."""
        return line.rows_known and len(line.cells) - at - 1 >= len(self._columns)

    def _is_heading(self, line: Line, at: int, hit: Hit) -> bool:
        """Whether words that follow make a label that is a row when printed alone the heading of another row."""
        heads, _ = split_wordy(line.cells)
        return bool(self._rows[hit.indexes[0]].variant) and any(is_wordy(cell.text) for cell in heads[at + 1 :])

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

    # ------------------------------------------------------------ labels over several lines

    def _joined(self, entries: list[_Entry]) -> list[_Entry]:
        """Lines whose labels make an official label together become one: rows broken by a page, labels over lines."""
        done: list[_Entry] = []
        at = 0
        while at < len(entries):
            joined = self._join_at(entries, at) if self._may_join(entries[at]) else None
            if joined is None:
                done.append(entries[at])
                at += 1
                continue
            entry, at = joined
            done.append(entry)
        return done

    @staticmethod
    def _may_join(entry: _Entry) -> bool:
        return entry.hit is None and not entry.header

    def _join_at(self, entries: list[_Entry], at: int) -> tuple[_Entry, int] | None:
        window = [entries[at]]
        best: tuple[_Entry, int] | None = None
        for end in range(at + 1, min(at + _LONGEST_JOIN, len(entries))):
            if entries[end].header:
                continue
            if best and not all(is_empty(cell) for cell in entries[end].values):
                break
            remainder = entries[end].hit if self._may_be_remainder(entries[end], window) else None
            if not self._may_join(entries[end]) and remainder is None:
                break
            window.append(entries[end])
            hit = self._joined_hit(window)
            values = _merged_values(window)
            if remainder and (hit is None or hit.indexes != remainder.indexes):
                break
            if best and best[0].hit and hit and hit.indexes != best[0].hit.indexes:
                # The label is whole; what follows begins another.
                break
            if hit and values is not None:
                heads = next(part.heads for part in window if part.heads)
                entry = _Entry(window[0].line, heads, values, hit, quality=min(hit.quality, 1.0))
                if sum(not all(is_blank(cell) for cell in part.values) for part in window) > 1:
                    entry.quality = min(entry.quality, 0.9)
                best = (entry, end + 1)
        return best

    @staticmethod
    def _may_be_remainder(entry: _Entry, window: Sequence[_Entry]) -> bool:
        """Whether a row of blanks may be the rest of the label above: "（七" with its values, then "）总计"."""
        above = any(part.heads and any(not is_blank(cell) for cell in part.values) for part in window)
        return above and entry.hit is not None and all(is_blank(cell) for cell in entry.values)

    def _joined_hit(self, window: list[_Entry]) -> Hit | None:
        worded = [entry for entry in window if entry.heads]
        if len(worded) < 2 and not (worded and len(window) > 1):
            return None
        columns = {cell.column for entry in worded for cell in entry.heads[-1:]}
        texts = [("".join(entry.heads[-1].text for entry in worded))]
        if window[0].line.columns_known:
            # A label begins on the first line that has words.
            begun = {cell.column for cell in worded[0].heads}
            texts.extend(
                "".join(cell.text for entry in worded for cell in entry.heads if cell.column == column)
                for column in sorted(columns & begun, reverse=True)
            )
        for text in texts:
            hit = self.labels.exact(text)
            if hit:
                return hit
        return None

    @staticmethod
    def _doubt_blanks(entries: Sequence[_Entry]) -> None:
        """Blanks under values that have no label may be the rest of that row: they are not sure to be blank."""
        for before, entry in pairwise(entries):
            unnamed = before.hit is None and not before.header and any(not is_blank(cell) for cell in before.values)
            if unnamed and entry.hit and all(is_blank(cell) for cell in entry.values):
                entry.quality = min(entry.quality, _DOUBTED)

    def _match_loosely(self, entries: list[_Entry]) -> None:
        """Name the rows whose labels are cut or misspelt, unless another line bears the label itself."""
        taken = {entry.hit.indexes[0] for entry in entries if entry.hit}
        for entry in entries:
            if entry.hit or entry.header or not entry.heads or not entry.values:
                continue
            hit = self.labels.loose(entry.heads[-1].text)
            if hit and hit.indexes[0] not in taken and self._columns_of(entry):
                entry.hit, entry.quality = hit, hit.quality
                taken.add(hit.indexes[0])

    def _columns_of(self, entry: _Entry) -> bool:
        return len(entry.values) >= len(self._columns)

    def _is_disordered(self, entries: Sequence[_Entry]) -> bool:
        """Whether values stand where no row can have them: before the first row, or under a row that has its own.

        Tools that write a page column by column, or a number above its label, leave such traces. A label may then be
        followed by the values of another row, so none that is not on the label's own line is believed.
        """
        lacking = 0
        for entry in entries:
            filled = any(not is_blank(cell) for cell in entry.values)
            if entry.header:
                lacking = 0
                if not entry.line.rows_known and any(_is_number(cell) for cell in entry.line.cells):
                    return True
            elif entry.hit:
                lacking = len(self._columns) - len(entry.values)
            elif filled and not entry.heads:
                if len(entry.values) != lacking:
                    return True
                lacking = 0
        return False

    def _continued(self, entries: list[_Entry], *, disordered: bool) -> list[_Entry]:
        """Lines that go on with the row above: values under one that lacks just as many, the rest of its label.

        What might be such a line leaves the blanks above it in doubt.
        """
        done: list[_Entry] = []
        for entry in entries:
            before = done[-1] if done else None
            filled = entry.hit is None and not entry.header and any(map(_is_number, entry.values))
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

    def _goes_on(self, before: _Entry, entry: _Entry) -> bool:
        printed = _without_empty_ends(before.values)
        if len(printed) + len(entry.values) != len(self._columns):
            return False
        # A single number may be that of the page, if it is not the sum of the others.
        return len(entry.values) > 1 or _is_sum(printed, entry.values[0])

    def _is_rest(self, before: _Entry, entry: _Entry) -> bool:
        whole = self.labels.exact(before.heads[-1].text + entry.heads[-1].text)
        if whole is None or before.hit is None or whole.quality < OFFICIAL:
            return False
        return whole.indexes == before.hit.indexes

    @staticmethod
    def _forget_after_empty(entries: Sequence[_Entry]) -> None:
        """In a stream, values under two labels in a row are of either: neither has them."""
        empty = False
        for entry in entries:
            if entry.line.rows_known:
                continue
            empty_here = entry.hit is not None and not entry.values
            if empty and entry.values and entry.hit:
                entry.quality = 0.0
            empty = empty_here

    # ------------------------------------------------------------ columns

    def _header(self, lines: Sequence[Line]) -> Header | None:
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

    def _is_refuted(self, header: Header, entries: Sequence[_Entry]) -> bool:
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
                agreeing.append(self._agrees(placed.cells, spans))
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
        hit = self._column_book.exact(cell.text)
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

    def _row(
        self,
        row: str,
        entry: _Entry,
        header: Header | None,
        layout: _Layout,
        *,
        disordered: bool,
    ) -> tuple[list[Candidate], list[Finding]]:
        ids = [f"{self._table.key}.{row}.{column.key}" for column in self._columns]
        stray = [cell for cell in entry.heads if not is_wordy(cell.text) and not is_blank(cell)]
        findings = [
            _finding(
                "stray_cell", f"{entry.heads[-1].text.strip()}: {cell.text.strip()!r} stands before the label", cell
            )
            for cell in stray
        ]
        if entry.hit and entry.hit.stray:
            findings.append(
                _finding(
                    "stray_cell",
                    f"{entry.hit.stray!r} stands before the label in {entry.heads[-1].text.strip()!r}",
                    entry.heads[-1],
                )
            )
        if (disordered and (not entry.line.rows_known or not entry.values)) or entry.quality == 0.0:
            message = f"{entry.heads[-1].text.strip()}: values and labels do not stand in one order here"
            findings.append(_finding("disordered_values", message, entry.heads[-1]))
            return unassigned(ids, entry.values, entry.heads[-1].locator), findings
        if not entry.values:
            at = entry.heads[-1].locator
            return [Candidate(cell, "blank", None, "", at, 0.5) for cell in ids], findings
        placed, confidence = self._placed(entry, header, layout)
        if placed is None:
            message = (
                f"{entry.heads[-1].text.strip()}: expected {len(ids)} values, found {len(entry.values)}: "
                f"{' | '.join(cell.text.strip() for cell in entry.values)}"
            )
            findings.append(_finding("unassigned_values", message, entry.values[0]))
            if all(is_blank(cell) for cell in entry.values):
                return [Candidate(cell, "blank", None, "", entry.values[0].locator, 0.5) for cell in ids], findings
            return unassigned(ids, entry.values, entry.values[0].locator), findings
        cells, unknown = placed.cells, placed.unknown
        findings.extend(
            _finding(
                "unknown_column",
                f"{entry.heads[-1].text.strip()}: no column of the form for {cell.text.strip()!r}",
                cell,
            )
            for cell in unknown
        )
        read = [
            candidate(cell_id, column.unit, cell, confidence)
            for cell_id, column, cell in zip(ids, self._columns, cells, strict=True)
            if cell is not None
        ]
        return read, findings

    def _placed(self, entry: _Entry, header: Header | None, layout: _Layout) -> tuple[Placed | None, float]:
        """Each column's value, and how sure that is; None where they cannot be told."""
        spans = self._spans(header, entry.line)
        by_header = place_by_header(entry.values, spans) if spans and any(spans) else None
        if header and (header.out_of_order or (header.complete and len(header.order) < len(self._columns))):
            placed = by_header or self._by_printed_order(entry, header)
        elif not entry.line.rows_known:
            placed = place_in_stream(entry.values, len(self._columns))
        elif not entry.line.columns_known:
            placed = self._in_text(entry, layout)
        else:
            placed = self._in_grid(entry, header, spans, by_header)
        if placed is None:
            return None, 0.0
        quality = min(entry.quality, placed.confidence)
        if spans and all(spans) and _width(entry.line) < max(span[1] for span in spans if span):
            quality = min(quality, _STRIPPED)
        uniform = len({cell.text.strip() for cell in placed.cells if cell}) == 1
        if placed is not by_header and not uniform:
            if not (header and (header.verified or header.out_of_order)):
                quality = min(quality, _UNVERIFIED)
            if spans and all(spans) and not self._agrees(placed.cells, spans):
                quality = min(quality, _DISAGREEING)
        return placed, quality

    def _in_grid(
        self,
        entry: _Entry,
        header: Header | None,
        spans: Sequence[tuple[int, int] | None] | None,
        by_header: Placed | None,
    ) -> Placed | None:
        placed = place_by_order(entry.values, len(self._columns))
        gaps = placed is not None and any(cell and is_blank(cell) for cell in placed.cells)
        if placed is None or (gaps and spans and all(spans) and len(entry.values) != len(self._columns)):
            # Merged labels are written out as empty cells: only the header shows which of them are values.
            return by_header
        edges = (placed.cells[0], placed.cells[-1])
        empty_edge = any(cell and is_blank(cell) for cell in edges) and not all(map(is_blank, entry.values))
        return placed if (header and header.verified) or not empty_edge else by_header

    def _in_text(self, entry: _Entry, layout: _Layout) -> Placed | None:
        """By order where all columns are printed, else where the lines that are printed in full have theirs.

        A line longer than its like has a cell that is not its own; a shorter one has lost cells, at its end where no
        line ends in an empty cell.
        """
        size, heads, cells = len(self._columns), len(entry.heads), entry.line.cells
        if all(is_empty(cell) for cell in entry.values):
            return place_by_order(entry.values, size)
        placed = place_by_order(entry.values, size)
        missing = layout.widths[heads] - len(cells)
        if placed and not any(cell and is_empty(cell) for cell in placed.cells):
            *parts, whole = [cell for cell in placed.cells if cell]
            return placed if missing >= 0 or _is_sum(parts, whole) else replace(placed, confidence=_UNVERIFIED)
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

    def _by_printed_order(self, entry: _Entry, header: Header) -> Placed | None:
        """By the order of the header's words, in text; columns the header does not print stay empty-handed."""
        if not header.complete or entry.line.columns_known:
            return None
        placed = place_by_order(entry.values, len(header.order))
        if placed is None or any(cell and is_blank(cell) for cell in (placed.cells[0], placed.cells[-1])):
            return None
        by_key = dict(zip(header.order, placed.cells, strict=True))
        return Placed(tuple(by_key.get(column.key) for column in self._columns), _REORDERED)

    def _layout(self, entries: Sequence[_Entry], header: Header | None) -> _Layout:
        """How the rows of a text table are printed."""
        size = len(self._columns)
        full: dict[int, set[int]] = {}
        counts: dict[int, Counter[int]] = {}
        early: set[int] = set()
        ends_empty, has_gaps = False, False
        for entry in entries:
            if not entry.hit or not entry.values or not entry.line.rows_known or entry.line.columns_known:
                continue
            heads, cells = len(entry.heads), entry.line.cells
            counts.setdefault(heads, Counter())[len(cells)] += 1
            ends_empty = ends_empty or is_empty(cells[-1])
            printed = [at for at in range(heads, len(cells)) if not is_empty(cells[at])]
            early.update(printed[:1])
            has_gaps = has_gaps or (len(printed) > 1 and printed[-1] - printed[0] + 1 != len(printed))
            if len(printed) == size and printed[-1] - printed[0] + 1 == size:
                full.setdefault(heads, set()).add(printed[0])
        rows = sum(counted.total() for counted in counts.values())
        widths = sum(counts.values(), Counter[int]())
        bare = sum(counted[heads + size] for heads, counted in counts.items())
        starts = {heads: next(iter(found)) for heads, found in full.items() if len(found) == 1}
        return _Layout(
            starts,
            self._common_start(full, header, min(early, default=0)),
            bare >= _MOST * rows > 0 and (len(counts) > 1 or bool(header and header.verified)),
            {heads: max(counted, key=lambda width: (counted[width], width)) for heads, counted in counts.items()},
            stripped=has_gaps and not ends_empty,
            regular=len(starts) == len(full) and max((bare, *widths.values())) >= _MOST * rows,
        )

    @staticmethod
    def _common_start(full: Mapping[int, set[int]], header: Header | None, first: int) -> int | None:
        """Where the values begin in lines whose like is nowhere printed in full."""
        found = {start for starts in full.values() for start in starts}
        if header and header.start is not None and found <= {header.start} and first >= header.start:
            return header.start
        if len(found) == 1 and any(start > heads for heads, starts in full.items() for start in starts):
            return found.pop()
        return None

    def _spans(self, header: Header | None, line: Line) -> list[tuple[int, int] | None] | None:
        if header is None or not line.columns_known or header.grid != line.grid:
            return None
        return [header.spans.get(column.key) for column in self._columns]

    @staticmethod
    def _agrees(cells: Sequence[Cell | None], spans: Sequence[tuple[int, int] | None]) -> bool:
        return all(cell and span and overlaps(cell, span) for cell, span in zip(cells, spans, strict=True))

    def _unknown_row(self, entry: _Entry) -> list[Finding]:
        numbers = [cell for cell in entry.values if not is_blank(cell)]
        if not numbers:
            return []
        label = " ".join(cell.text.strip() for cell in entry.heads if cell.text.strip()) or "(no label)"
        printed = " | ".join(cell.text.strip() for cell in entry.values)
        return [
            _finding(
                "unknown_row", f"{self._table.label}: no row of the form is called {label!r}: {printed}", numbers[0]
            )
        ]


def _header_line(entry: _Entry) -> Line | None:
    return entry.line if entry.header else entry.header_words


def _width(line: Line) -> int:
    return max(cell.column + cell.column_span for cell in line.cells)


def _is_number(cell: Cell) -> bool:
    return not is_wordy(cell.text) and not is_blank(cell)


def _without_empty_ends(cells: Sequence[Cell]) -> list[Cell]:
    printed = [at for at, cell in enumerate(cells) if not is_empty(cell)]
    return list(cells[printed[0] : printed[-1] + 1]) if printed else []


def _is_sum(parts: Sequence[Cell], whole: Cell) -> bool:
    values = [read_number(cell.text, "").value for cell in (*parts, whole)]
    return None not in values and sum(value for value in values[:-1] if value) == values[-1]


def _heads(group: str, results: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(head for head in (group, results, results + group) if head))


def _merged_values(window: Sequence[_Entry]) -> list[Cell] | None:
    """The values of several lines as one row: at most one is printed per column, or a number goes on below."""
    rows = [entry.values for entry in window if entry.values]
    filled = [row for row in rows if not all(is_blank(cell) for cell in row)]
    if len(filled) <= 1:
        return list(filled[0] if filled else rows[0]) if rows else []
    if len({len(row) for row in filled}) != 1:
        return None
    return [_merged_cell(cells) for cells in zip(*filled, strict=True)]


def _merged_cell(cells: Sequence[Cell]) -> Cell:
    printed = [cell for cell in cells if cell.text.strip()]
    if not printed:
        return cells[0]
    return replace(printed[0], text="\n".join(cell.text.strip() for cell in printed))


def _finding(code: str, message: str, cell: Cell) -> Finding:
    return Finding(code, " ".join(message.split()), cell.locator)
