"""Hands the statutory forms' labels, arithmetic and concepts to the store, where people browse them beside numbers."""

from __future__ import annotations

from archive.browse.form_cells import FormCellRow, FormRuleRow, write_codebook
from archive.panel import ConceptCellsRow, ConceptRow, write_concepts
from archive.store import Store
from parsers.concepts import Concept, concepts
from parsers.english import english_label
from parsers.form import forms


def publish_codebook(store: Store) -> None:
    """Writes the cells, rules and concepts of every edition; what an earlier version wrote is replaced."""
    cells = [
        FormCellRow(
            form.edition,
            cell.cell,
            cell.table,
            cell.row_label,
            cell.column_label,
            cell.unit,
            english_label(cell.cell),
            cell.variant,
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
    write_concepts(store, [_concept_row(one) for one in concepts().concepts])


def _concept_row(concept: Concept) -> ConceptRow:
    printed = tuple(
        ConceptCellsRow(
            one.edition,
            tuple(tuple((cell, forms()[one.edition].cells[cell].unit) for cell in way) for way in one.ways),
            one.comparability,
            one.reason_zh,
            one.reason_en,
        )
        for one in concept.printed
    )
    return ConceptRow(
        concept.concept,
        concept.label_zh,
        concept.label_en,
        concept.unit,
        concept.definition_zh,
        concept.definition_en,
        printed,
    )
