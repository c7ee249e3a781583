"""Cells and arithmetic of the statutory forms, with their official labels, so that numbers can be shown in place.

Derived rows: archive/browse/form_cells.py writes them anew whenever the forms change.
"""

from __future__ import annotations

from sqlite_utils import Database

STATEMENTS = (
    """CREATE TABLE form_cells(
        form TEXT NOT NULL,
        cell TEXT NOT NULL,
        position INTEGER NOT NULL,
        table_label TEXT NOT NULL,
        row_label TEXT NOT NULL,
        column_label TEXT NOT NULL,
        unit TEXT NOT NULL,
        label_en TEXT NOT NULL DEFAULT '',
        variant TEXT NOT NULL DEFAULT '',
        PRIMARY KEY(form, cell)) WITHOUT ROWID""",
    """CREATE TABLE form_rules(
        form TEXT NOT NULL,
        rule TEXT NOT NULL,
        says TEXT NOT NULL,
        relation TEXT NOT NULL CHECK(relation IN ('=', '<=')),
        left_cells TEXT NOT NULL,
        right_cells TEXT NOT NULL,
        PRIMARY KEY(form, rule)) WITHOUT ROWID""",
)


def apply(database: Database) -> None:
    for statement in STATEMENTS:
        database.execute(statement)
