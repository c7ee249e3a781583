"""Every cell of every form with its official labels and unit, as a table for people and for the tests.

python -m parsers.cell_list > docs/cells.csv
"""

from __future__ import annotations

import csv
import sys
from typing import TextIO

from parsers.form import forms

COLUMNS = ("form", "cell", "table", "row_label", "column_label", "unit", "variant")


def write(out: TextIO) -> None:
    """Forms as they followed each other, cells as they stand on the form."""
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for edition, form in forms().items():
        for cell in form.cells.values():
            lines.writerow((edition, cell.cell, cell.table, cell.row_label, cell.column_label, cell.unit, cell.variant))


if __name__ == "__main__":
    write(sys.stdout)
