"""Section two: small tables under one another, each with its own header line.

The header decides which edition a row belongs to: 规章 stands in both, under other columns. A row whose header is lost
is read by neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from parsers.form import Block, Column, Form, FormCell, Row, cell_id
from parsers.labels import Entry, LabelBook
from parsers.model import Cell, Finding
from parsers.normalise import UNKNOWN_UNIT, is_wordy, label_key, money_unit, squeezed
from parsers.rows import (
    Candidate,
    Line,
    Placed,
    candidate,
    is_blank,
    is_empty,
    over_rows,
    overlaps,
    place_by_header,
    place_by_order,
    place_in_stream,
    put_together,
    unassigned,
)

_STREAM, _CONTINUED, _DISAGREEING, _DOUBTED = 0.9, 0.8, 0.6, 0.5
_CORNER = "信息内容"
_ARTICLE = "第二十条"
_UNITS_ALONE = re.compile(r"[(（]?(?:计量|金额)?单位[:：].{1,12}")


@dataclass(slots=True)
class _Header:
    """The header above a row: the cells of its words in order. `width`: the cells of its line, 0 in a stream."""

    cells: list[Cell] = field(default_factory=list)
    grid: int = -1
    width: int = 0


@dataclass(slots=True)
class _Row:
    label: Cell
    line: Line
    header: _Header
    values: list[Cell] = field(default_factory=list)
    quality: float = 1.0
    indexes: tuple[int, ...] = ()
    stray: str = ""
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Blocks:
    """What one run of lines gave, by edition: candidates, and the rows read under a header of that edition."""

    candidates: dict[str, tuple[Candidate, ...]]
    rows: dict[str, tuple[str, ...]]
    findings: tuple[Finding, ...]
    has_header: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row label stands in one edition. `cells`: the form's cells of the row, by column."""

    edition: str
    block: Block
    row: Row
    cells: dict[str, FormCell]


class BlocksReader:
    """Reads runs of lines of the section-two tables of all editions at once."""

    def __init__(self, forms: Sequence[Form], table: str) -> None:
        self._editions = [form.edition for form in forms]
        self._places = [
            _Place(form.edition, block, row, _cells(form, table, block, row))
            for form in forms
            for block in form.table(table).blocks
            for row in block.rows
        ]
        self._labels = LabelBook(Entry(place.row.label, place.row.also) for place in self._places)
        columns = [column for place in self._places for column in place.block.columns]
        self._columns = LabelBook(Entry(column.label, column.also) for column in columns)
        self._books = {
            id(place.block): LabelBook(Entry(column.label, column.also) for column in place.block.columns)
            for place in self._places
        }

    def is_header(self, line: Line) -> bool:
        """Whether a line heads one of the tables: the corner cell, or an article's title, or two columns' labels."""
        for key in line.keys:
            if key == _CORNER or (key.startswith(_ARTICLE) and len(key) <= len(_ARTICLE) + 4):
                return True
        return sum([self._columns.exact(cell.text) is not None for cell in line.words]) >= 2

    def read(self, lines: Sequence[Line], caption: Sequence[str] = ()) -> Blocks:
        """`caption`: the lines above the tables, the last of which may name the unit of what names none."""
        findings: list[Finding] = []
        rows = self._rows(lines, findings)
        alone = [line.cells[0].text for line in lines if len([cell for cell in line.cells if not is_blank(cell)]) == 1]
        unit = next(filter(None, map(_captioned_unit, (*reversed(caption), *alone))), "")
        candidates: dict[str, list[Candidate]] = {edition: [] for edition in self._editions}
        read_rows: dict[str, list[str]] = {edition: [] for edition in self._editions}
        seen: set[tuple[str, str]] = set()
        instance = 0
        for row in rows:
            if row.stray:
                findings.append(
                    _finding("stray_cell", f"{row.stray!r} stands before the label in {row.label.text!r}", row.label)
                )
            known: dict[str, tuple[list[Candidate], bool]] = {}
            for index in row.indexes:
                place = self._places[index]
                known[place.edition] = self._read_row(row, place, findings, unit)
            sure = [edition for edition, (_, under_header) in known.items() if under_header]
            key = self._places[row.indexes[0]].row.key
            if any((edition, key) in seen for edition in sure or known):
                instance, seen = instance + 1, set()
            for edition, (read, _) in known.items():
                if sure and edition not in sure:
                    continue
                seen.add((edition, key))
                candidates[edition] += [replace(one, instance=instance) for one in read] if instance else read
                if edition in sure:
                    read_rows[edition].append(key)
        return Blocks(
            {edition: tuple(found) for edition, found in candidates.items()},
            {edition: tuple(found) for edition, found in read_rows.items()},
            tuple(findings),
            any(row.header.cells for row in rows),
        )

    # ------------------------------------------------------------ lines to rows

    def _rows(self, lines: Sequence[Line], findings: list[Finding]) -> list[_Row]:
        rows: list[_Row] = []
        header = _Header()
        orphans: list[Cell] = []
        unnamed: Line | None = None
        for line in lines:
            row: _Row | None = None
            in_header = False
            before = len(rows)
            for cell in line.cells:
                wordy = is_wordy(cell.text)
                if wordy and label_key(cell.text) == _CORNER:
                    header, in_header, row = _header_of(line), True, None
                    continue
                hit = (
                    self._labels.exact(cell.text)
                    if wordy and (row is None or not row.values or not line.rows_known)
                    else None
                )
                if hit:
                    row = _Row(cell, line, header, quality=hit.quality, indexes=hit.indexes, stray=hit.stray)
                    rows.append(row)
                    in_header = False
                elif row is not None and wordy and not row.values and not line.rows_known:
                    # The rest of a label over several lines; a word in place of a number leaves one value too few.
                    continue
                elif row is not None:
                    row.values.append(cell)
                elif not line.rows_known and not wordy and not is_blank(cell):
                    orphans.append(cell)
                elif wordy and in_header:
                    header.cells.append(cell)
                elif wordy and self._columns.exact(cell.text):
                    # A header whose corner cell is lost, or one that goes on in a second line.
                    if header.cells and not any(header.cells[-1] is other for other in line.cells):
                        header = _header_of(line)
                    header.grid = line.grid
                    header.cells.append(cell)
                    in_header = True
            if not line.rows_known and len(rows) - before > 1:
                # Two labels share the values after them.
                for shared in rows[before:]:
                    shared.doubtful = True
            if row is not None and unnamed and all(is_blank(cell) for cell in row.values):
                self._take_remainder(row, unnamed)
            unnamed = None
            if row is None and not in_header:
                unnamed = self._no_row(line, rows, header, findings)
        if orphans:
            # A number under no row: this tool did not keep rows together, and no label in its output is sure.
            findings.append(
                _finding("disordered_values", f"section two: {orphans[0].text!r} stands in no row", orphans[0])
            )
            for row in rows:
                row.doubtful = row.doubtful or not row.line.rows_known
        return rows

    def _no_row(self, line: Line, rows: list[_Row], header: _Header, findings: list[Finding]) -> Line | None:
        """A line without a known label: values that the row above lacks, a misspelt label, or a row no form knows.

        Returns the line where it has words and numbers that nothing is known of.
        """
        words = [cell for cell in line.cells if is_wordy(cell.text)]
        filled = [cell for cell in line.cells if not is_blank(cell) and not is_wordy(cell.text)]
        before = rows[-1] if rows else None
        if not words and filled and before and before.header is header:
            lacking = len(header.cells) - len(before.values)
            # A single number may be that of the page.
            if 1 < lacking == len(line.cells):
                before.values.extend(line.cells)
                before.quality = min(before.quality, _CONTINUED)
                return None
            if line.columns_known and before.line.columns_known and 0 < len(before.values) <= len(line.cells):
                # Cell under cell: a page end cuts numbers as it does labels. Other lines may be anything.
                is_cut = len(filled) < len(line.cells) and all(map(is_empty, line.cells[: -len(before.values)]))
                before.values = put_together(before.values, line.cells) if is_cut else before.values
                before.quality = min(before.quality, _CONTINUED if is_cut else _DOUBTED)
                if is_cut:
                    return None
        if not filled:
            return None
        label = words[0] if words else line.cells[0]
        hit = self._labels.loose(label.text) if words else None
        if hit:
            after = list(line.cells[line.cells.index(label) + 1 :])
            rows.append(_Row(label, line, header, after, hit.quality, self._same_label(hit.indexes[0])))
            return None
        message = f"section two: no row of the form is called {label.text.strip()!r}: {line.text}"
        findings.append(_finding("unknown_row", message, filled[0]))
        return line if words else None

    def _take_remainder(self, row: _Row, unnamed: Line) -> None:
        """A row of blanks under a line of values without a known label: the rest of that label, or nothing is sure."""
        words = [cell for cell in unnamed.cells if is_wordy(cell.text)]
        whole = self._labels.exact(words[-1].text + row.label.text)
        if whole and set(whole.indexes) & set(row.indexes):
            row.values = list(unnamed.cells[unnamed.cells.index(words[-1]) + 1 :])
            row.indexes = whole.indexes
        else:
            row.quality = min(row.quality, _DOUBTED)

    def _same_label(self, index: int) -> tuple[int, ...]:
        row = self._places[index].row
        return tuple(other for other, place in enumerate(self._places) if place.row.key == row.key)

    # ------------------------------------------------------------ rows to cells

    def _read_row(
        self, row: _Row, place: _Place, findings: list[Finding], unit_above: str
    ) -> tuple[list[Candidate], bool]:
        """The candidates of a row in one edition, and whether its header is that edition's."""
        columns = place.block.columns
        book = self._books[id(place.block)]
        named = self._named_columns(row.header, book, columns)
        ids = [cell.cell for cell in place.cells.values()]
        at = row.label.locator
        if row.doubtful:
            return unassigned(ids, row.values, at), bool(named)
        if not any(named):
            return unassigned(ids, row.values, at) if row.values else [], False
        quality = row.quality if row.line.rows_known else min(row.quality, _STREAM)
        if not row.values:
            printed = [Candidate(cell, "blank", None, "", at, 0.5) for cell in ids]
            return printed, True
        placed = self._placed(row, named)
        if placed is None:
            printed_text = " | ".join(cell.text.strip() for cell in row.values)
            message = f"{row.label.text.strip()}: expected {len(named)} values, found {len(row.values)}: {printed_text}"
            findings.append(_finding("unassigned_values", message, row.label))
            return unassigned(ids, row.values, at), True
        quality = min(quality, placed.confidence)
        read: dict[str, Candidate] = {}
        for (key, header_cell, fit), cell in zip(named, placed.cells, strict=True):
            if cell is None:
                continue
            if not key:
                if not is_blank(cell):
                    name = header_cell.text.strip()
                    message = f"{row.label.text.strip()}: no column of the form is called {name!r}: {cell.text.strip()}"
                    findings.append(_finding("unknown_column", message, cell))
                continue
            units = {money_unit(header_cell.text), money_unit(row.label.text)} - {""} or {unit_above}
            unit_printed = UNKNOWN_UNIT if len(units) > 1 else next(iter(units), "")
            known = place.cells[key]
            sureness = min(quality, fit, over_rows(cell, row.label))
            one = candidate(known.cell, known.unit, cell, sureness, unit_printed)
            other = read.get(key)
            if other is not None and (other.value, other.status) != (one.value, one.status):
                # One header over two cells that differ: which is meant is not known.
                one = replace(one, status="unreadable", value=None, raw=f"{other.raw} {one.raw}", confidence=0.5)
            read[key] = one
        findings.extend(
            _finding("unknown_column", f"{row.label.text.strip()}: no column for {cell.text.strip()!r}", cell)
            for cell in placed.unknown
        )
        return list(read.values()), True

    def _named_columns(
        self, header: _Header, book: LabelBook, columns: Sequence[Column]
    ) -> list[tuple[str, Cell, float]]:
        """(column key or "", header cell, quality) for each header cell; empty keys throughout for a foreign header."""
        named: list[tuple[str, Cell, float]] = []
        for cell in header.cells:
            hit = book.exact(cell.text) or (None if self._columns.exact(cell.text) else book.loose(cell.text))
            named.append((columns[hit.indexes[0]].key, cell, hit.quality) if hit else ("", cell, 0.0))
        return named if any(key for key, _, _ in named) else []

    def _placed(self, row: _Row, named: Sequence[tuple[str, Cell, float]]) -> Placed | None:
        spans = [(cell.column, cell.column + cell.column_span) for _, cell, _ in named]
        same_grid = row.line.columns_known and row.header.grid == row.line.grid
        if not row.line.rows_known:
            return place_in_stream(row.values, len(named))
        by_order = place_by_order(row.values, len(named))
        if by_order and len(row.values) == len(named):
            uniform = len({cell.text.strip() for cell in row.values}) == 1
            if same_grid and not uniform and len(named) > 1:
                agrees = all(cell and overlaps(cell, span) for cell, span in zip(by_order.cells, spans, strict=True))
                return by_order if agrees else replace(by_order, confidence=_DISAGREEING)
            return by_order
        if same_grid:
            return place_by_header(row.values, spans)
        # A line longer than its header has a cell too many.
        return by_order if not row.header.width or len(row.line.cells) <= row.header.width else None


def _cells(form: Form, table: str, block: Block, row: Row) -> dict[str, FormCell]:
    return {column.key: form.cells[cell_id(form.table(table), row, column)] for column in block.columns}


def _captioned_unit(text: str) -> str:
    """The money unit of a line that is nothing but units: 单位：元, （单位：件、元）; "" where it names none."""
    return money_unit(text) if _UNITS_ALONE.fullmatch(squeezed(text)) else ""


def _header_of(line: Line) -> _Header:
    return _Header(grid=line.grid, width=len(line.cells) if line.rows_known else 0)


def _finding(code: str, message: str, cell: Cell) -> Finding:
    return Finding(code, " ".join(message.split()), cell.locator)
