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
    """One row: `group` is the heading it stands under, "" without one; `label_en` our translation, "" without one."""

    group: str
    label: str
    cells: tuple[Printed, ...]
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that share their columns, Chinese and English. `columns` is empty in tables with one number a row."""

    columns: tuple[tuple[str, str], ...]
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
            shown = [cell for cell in cells if str(cell["cell"]) in by_cell or not cell["variant"]]
            printed = [_printed(str(cell["cell"]), str(cell["unit"]), by_cell, failed) for cell in shown]
            known.update(cell.cell for cell in printed)
            if printed:
                columns = tuple((str(cell["column_label"]), _english(cell)[1]) for cell in shown)
                lines.append((columns, _line(row_label, printed, _english(shown[0])[0])))
        tables.append(FormTable(label, tuple(_blocks(lines))))
    others = [_printed(cell, str(fact["unit"]), by_cell, failed) for cell, fact in by_cell.items() if cell not in known]
    if others:
        tables.append(FormTable("", (Block((), tuple(Line("", cell.cell, (cell,)) for cell in others)),)))
    return tuple(tables)


def _blocks(lines: list[tuple[tuple[tuple[str, str], ...], Line]]) -> Iterable[Block]:
    for labels, members in groupby(lines, key=lambda line: tuple(label for label, _ in line[0])):
        rows = list(members)
        yield Block(() if labels == ("",) else rows[0][0], tuple(line for _, line in rows))


def _line(row_label: str, cells: list[Printed], label_en: str) -> Line:
    group, space, label = row_label.rpartition(" ")
    return Line(group if space else "", label, tuple(cells), label_en)


def _english(cell: Row) -> tuple[str, str]:
    """Row and column of an English label, which is `ROW: COLUMN`; of a cell without a column all is the row's."""
    label = str(cell["label_en"])
    if not cell["column_label"]:
        return label, ""
    row, _, column = label.rpartition(": ")
    return row, column


def _printed(cell: str, unit: str, by_cell: Mapping[str, Row], failed: frozenset[str]) -> Printed:
    return Printed(cell, unit, by_cell.get(cell), cell in failed)


def _confidence(fact: Row) -> float:
    value = fact["confidence"]
    return float(value) if isinstance(value, int | float) else 0.0
