"""Hands the statutory forms' labels and arithmetic to the store, where people browse them beside the numbers."""

from __future__ import annotations

from archive.browse.form_cells import FormCellRow, FormRuleRow, write_codebook
from archive.store import Store
from parsers.form import forms


def publish_codebook(store: Store) -> None:
    """Writes the cells and rules of every edition; what an earlier version wrote is replaced."""
    cells = [
        FormCellRow(
            form.edition, cell.cell, cell.table, cell.row_label, cell.column_label, cell.unit, variant=cell.variant
        )
        for form in forms().values()
        for cell in form.cells.values()
    ]
    rules = [
        FormRuleRow(form.edition, rule.key, rule.says, rule.relation, rule.left, rule.right)
        for form in forms().values()
        for rule in form.rules
    ]
    write_codebook(store, cells, rules)
