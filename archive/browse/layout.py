"""A report's numbers laid out as its form prints them: tables, blocks with one header each, rows × columns.

Section two of the forms has several small tables under one heading: a new block starts where the columns change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

LOW_CONFIDENCE = 1.0

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Printed:
    """One cell as shown. `fact` is the row of `facts`, None when the reading has none for this cell."""

    cell: str
    unit: str
    fact: Row | None
    is_in_failed_check: bool

    @property
    def state(self) -> str:
        """The fact's status; `missing` without a fact."""
        return str(self.fact["status"]) if self.fact else "missing"

    @property
    def is_doubtful(self) -> bool:
        return self.fact is not None and self.fact["value"] is not None and _confidence(self.fact) < LOW_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `group` is the heading it stands under, "" without one."""

    group: str
    label: str
    cells: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that share their columns. `columns` is empty in tables with one number a row."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FormTable:
    label: str
    blocks: tuple[Block, ...]


def laid_out(form_cells: Iterable[Row], facts: Iterable[Row], failed: frozenset[str]) -> tuple[FormTable, ...]:
    """Tables in printed order. `form_cells` are one form's, ordered by position; `failed`: cells of failed checks.

    Cells that are printed only in some variants of the form are left out unless the reading has them. Facts that the
    form does not know make a last table without a label, so that no number is ever left out.
    """
    by_cell = {str(fact["cell"]): fact for fact in facts}
    known: set[str] = set()
    tables = []
    for label, rows in groupby(form_cells, key=lambda cell: str(cell["table_label"])):
        lines = []
        for row_label, cells in groupby(rows, key=lambda cell: str(cell["row_label"])):
            printed = [
                (str(cell["column_label"]), _printed(str(cell["cell"]), str(cell["unit"]), by_cell, failed))
                for cell in cells
                if str(cell["cell"]) in by_cell or not cell["variant"]
            ]
            known.update(cell.cell for _, cell in printed)
            if printed:
                lines.append((tuple(column for column, _ in printed), _line(row_label, [cell for _, cell in printed])))
        tables.append(FormTable(label, tuple(_blocks(lines))))
    others = [_printed(cell, str(fact["unit"]), by_cell, failed) for cell, fact in by_cell.items() if cell not in known]
    if others:
        tables.append(FormTable("", (Block((), tuple(Line("", cell.cell, (cell,)) for cell in others)),)))
    return tuple(tables)


def _blocks(lines: list[tuple[tuple[str, ...], Line]]) -> Iterable[Block]:
    for columns, members in groupby(lines, key=lambda line: line[0]):
        shown = () if columns == ("",) else columns
        yield Block(shown, tuple(line for _, line in members))


def _line(row_label: str, cells: list[Printed]) -> Line:
    group, space, label = row_label.rpartition(" ")
    return Line(group, label, tuple(cells)) if space else Line("", row_label, tuple(cells))


def _printed(cell: str, unit: str, by_cell: Mapping[str, Row], failed: frozenset[str]) -> Printed:
    return Printed(cell, unit, by_cell.get(cell), cell in failed)


def _confidence(fact: Row) -> float:
    value = fact["confidence"]
    return float(value) if isinstance(value, int | float) else 0.0
