"""The codebook of cells in the database: which cells a form has, what they are called, how they must add up.

The forms themselves are declared elsewhere; whoever knows them hands them over as plain rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from archive.store import Store


@dataclass(frozen=True, slots=True)
class FormCellRow:
    """One cell of a form; labels as the form prints them. Rows are handed over in printed order.

    `variant` says when the cell is printed at all, "" for cells that every document should have.
    """

    form: str
    cell: str
    table_label: str
    row_label: str
    column_label: str
    unit: str
    label_en: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class FormRuleRow:
    """One line of a form's arithmetic: the sum of `left` stands in `relation` (`=` or `<=`) to the sum of `right`."""

    form: str
    rule: str
    says: str
    relation: str
    left: tuple[str, ...]
    right: tuple[str, ...]


def write_codebook(store: Store, cells: Iterable[FormCellRow], rules: Iterable[FormRuleRow] = ()) -> None:
    """Replaces all cells and rules of all forms."""
    with store.transaction() as connection:
        connection.execute("DELETE FROM form_cells")
        connection.execute("DELETE FROM form_rules")
        connection.executemany(
            """INSERT INTO form_cells(form, cell, position, table_label, row_label, column_label, unit, label_en,
                variant)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (c.form, c.cell, position, c.table_label, c.row_label, c.column_label, c.unit, c.label_en, c.variant)
                for position, c in enumerate(cells, 1)
            ],
        )
        connection.executemany(
            "INSERT INTO form_rules(form, rule, says, relation, left_cells, right_cells) VALUES (?, ?, ?, ?, ?, ?)",
            [(r.form, r.rule, r.says, r.relation, json.dumps(r.left), json.dumps(r.right)) for r in rules],
        )
