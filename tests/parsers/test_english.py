"""English labels: every cell of every form has one of its own, short enough for Stata."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import parsers
from parsers.english import english_label
from parsers.form import forms

FILE = Path(parsers.__file__).parent / "forms" / "english.toml"


@pytest.mark.parametrize("edition", list(forms()))
def test_every_cell_has_a_short_label_of_its_own(edition: str) -> None:
    labels = {cell: english_label(cell) for cell in forms()[edition].cells}
    assert [cell for cell, label in labels.items() if not label] == []
    assert [label for label in labels.values() if len(label) > 80] == []
    assert len(set(labels.values())) == len(labels)


def test_every_label_is_some_cells() -> None:
    tree = tomllib.loads(FILE.read_text("utf-8"))
    cells = {cell for form in forms().values() for cell in form.cells}
    assert set(tree["rows"]) <= cells | {cell.rpartition(".")[0] for cell in cells}
    assert set(tree["columns"]) <= {cell.rpartition(".")[2] for cell in cells}


def test_a_row_and_its_column_make_the_label() -> None:
    assert english_label("applications.granted.natural_person") == "Granted: natural persons"
    assert english_label("capacity.staff") == "Staff working on disclosure"
    assert english_label("no.such.cell") == ""
