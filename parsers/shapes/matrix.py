"""Section three: one header of seven columns, one row per way of handling an application.

Labels stand in up to three columns of headings and are broken by pages; the numbers are the last seven cells of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from parsers.form import Table, cell_id
from parsers.model import Cell, Finding
from parsers.normalise import is_wordy
from parsers.rows import Candidate, Line, candidate, is_blank, over_rows, unassigned
from parsers.shapes.matrix_columns import Placement
from parsers.shapes.matrix_continuations import Continuations, forget_after_empty
from parsers.shapes.matrix_header import Header, HeaderReader
from parsers.shapes.matrix_labels import BrokenLabels, doubt_blanks
from parsers.shapes.matrix_layout import Layout, layout_of
from parsers.shapes.matrix_lines import LabelledLine, LineReader


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
        self._lines = LineReader(table)
        self._broken = BrokenLabels(self._lines.labels, len(self._columns))
        self._ids = {row.key: [cell_id(table, row, column) for column in self._columns] for row in self._rows}
        self._continuations = Continuations(self._lines.labels, len(self._columns))
        self._headers = HeaderReader(self._columns)
        self._placement = Placement(self._columns)
        self.is_header = self._lines.is_header
        self.has_row = self._lines.has_row

    def read(self, lines: Sequence[Line]) -> Matrix:
        entries = [self._lines.read(line) for line in lines]
        header_lines = [line for entry in entries if (line := _header_line(entry))]
        header = self._headers.read(header_lines)
        entries = self._broken.joined(entries)
        self._broken.match_loosely(entries)
        doubt_blanks(entries)
        disordered = self._continuations.is_disordered(entries)
        entries = self._continuations.joined(entries, disordered=disordered)
        forget_after_empty(entries)
        if header and header.spans and self._headers.is_refuted(header, entries):
            # The tool kept no column of its own for merged cells: only the order of cells is left.
            for entry in entries:
                entry.line = replace(entry.line, columns_known=False)
            header = self._headers.read([replace(line, columns_known=False) for line in header_lines])
        layout = layout_of(entries, header, len(self._columns))
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
            candidates += [replace(one, instance=instance) for one in read] if instance else read
            findings.extend(problems)
        return Matrix(tuple(candidates), tuple(rows), tuple(findings), header is not None)

    def _row(
        self,
        row: str,
        entry: LabelledLine,
        header: Header | None,
        layout: Layout,
        *,
        disordered: bool,
    ) -> tuple[list[Candidate], list[Finding]]:
        ids = self._ids[row]
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
        placed, confidence = self._placement.placed(entry, header, layout)
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
            candidate(cell_id, column.unit, cell, min(confidence, over_rows(cell, entry.heads[-1])))
            for cell_id, column, cell in zip(ids, self._columns, cells, strict=True)
            if cell is not None
        ]
        return read, findings

    def _unknown_row(self, entry: LabelledLine) -> list[Finding]:
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


def _header_line(entry: LabelledLine) -> Line | None:
    return entry.line if entry.header else entry.header_words


def _finding(code: str, message: str, cell: Cell) -> Finding:
    return Finding(code, " ".join(message.split()), cell.locator)
