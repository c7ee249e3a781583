"""The form files: the same cells as the list that users hold on to, sound arithmetic, errors that say where."""

from __future__ import annotations

import csv
import re
from io import StringIO
from pathlib import Path

import pytest

from parsers.cell_list import write
from parsers.errors import FormFileError
from parsers.form import FORMS_DIR, FormCell, forms, load_form
from parsers.normalise import label_key

ROOT = Path(__file__).parents[2]
CELLS = ROOT / "docs" / "cells.csv"
# The list that users hold on to; ours is made from the form files and must be the same.
CONTRACT = ROOT.parent / "shared" / "contract" / "cells.csv"
EDITIONS = ("2014", "2019", "2021")


def listed(edition: str) -> dict[str, FormCell]:
    with CELLS.open(encoding="utf-8", newline="") as lines:
        return {
            row["cell"]: FormCell(
                row["cell"], row["table"], row["row_label"], row["column_label"], row["unit"], row["variant"]
            )
            for row in csv.DictReader(lines)
            if row["form"] == edition
        }


def test_the_editions_are_the_files() -> None:
    assert tuple(forms()) == EDITIONS


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_form_file_declares_the_listed_cells(edition: str) -> None:
    want, have = listed(edition), forms()[edition].cells
    problems = [f"{edition}.toml lacks {cell}: {want[cell]}" for cell in want.keys() - have.keys()]
    problems += [
        f"{edition}.toml declares {cell}, which docs/cells.csv does not list" for cell in have.keys() - want.keys()
    ]
    for cell in want.keys() & have.keys():
        for field in ("table", "row_label", "column_label", "unit", "variant"):
            expected, found = getattr(want[cell], field), getattr(have[cell], field)
            if expected != found:
                problems.append(f"{edition}.toml, {cell}: {field} is {found!r}, expected {expected!r} (docs/cells.csv)")
    assert not problems, "\n".join(sorted(problems))


def test_the_list_of_cells_is_the_one_that_users_hold_on_to() -> None:
    if not CONTRACT.exists():
        pytest.skip(f"the contract is not here: {CONTRACT}")
    assert sorted(CELLS.read_text("utf-8").splitlines()) == sorted(CONTRACT.read_text("utf-8").splitlines())


def test_the_list_of_cells_can_be_made_again() -> None:
    made = StringIO()
    write(made)
    assert CELLS.read_text("utf-8") == made.getvalue(), "python -m parsers.cell_list > docs/cells.csv"


@pytest.mark.parametrize(("edition", "cells"), [("2014", 58), ("2019", 198), ("2021", 207)])
def test_a_form_has_its_number_of_cells(edition: str, cells: int) -> None:
    assert len(forms()[edition].cells) == cells


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_label_holds_more_than_ascii(edition: str) -> None:
    """The matcher looks for labels nowhere else (`parsers.rows.Line.words`)."""
    blocks = [block for table in forms()[edition].tables for block in table.blocks]
    rows = [text for block in blocks for row in block.rows for text in (row.label, *row.also)]
    columns = [text for block in blocks for column in block.columns for text in (column.label, *column.also)]
    assert [label for label in (*rows, *columns) if label_key(label).isascii()] == []


@pytest.mark.parametrize("edition", EDITIONS)
def test_no_label_of_a_block_is_also_that_of_another_row(edition: str) -> None:
    for table in forms()[edition].tables:
        for block in table.blocks:
            owners: dict[str, set[str]] = {}
            for row in block.rows:
                for label in (row.label, *row.also):
                    owners.setdefault(label_key(label), set()).add(row.key)
            shared = {label: keys for label, keys in owners.items() if len(keys) > 1}
            parents = {row.key: row.parent for row in block.rows}
            unplaced = {label: keys for label, keys in shared.items() if not all(parents[key] for key in keys)}
            assert not unplaced, f"{edition}.toml, {table.key}: told apart by no parent: {unplaced}"


@pytest.mark.parametrize(
    ("rule", "left", "right"),
    [
        ("applications.row_sum.new", 6, ["applications.new.total"]),
        ("applications.results_sum.business", 19, ["applications.handled_total.business"]),
        ("applications.balance.total", 2, ["applications.handled_total.total", "applications.carried_out.total"]),
        ("review.row_sum.litigation_direct", 4, ["review.litigation_direct.total"]),
    ],
)
def test_the_arithmetic_of_2019(rule: str, left: int, right: list[str]) -> None:
    found = next(one for one in forms()["2019"].rules if one.key == rule)
    assert (len(found.left), list(found.right), found.relation) == (left, right, "=")


def test_the_sums_of_2021_take_the_sixth_way_divided_or_undivided() -> None:
    rules = {rule.key: rule for rule in forms()["2021"].rules}
    divided, undivided = (rules[f"applications.{name}.total"] for name in ("results_sum", "results_sum_undivided"))
    sixth = {"applications.other_uncorrected.total", "applications.other_unpaid.total", "applications.other_rest.total"}
    assert set(divided.left) ^ set(undivided.left) == sixth | {"applications.other_handling.total"}


def test_the_overlapping_channels_of_2014_are_never_summed() -> None:
    summed = {cell for rule in forms()["2014"].rules for cell in (*rule.left, *rule.right)}
    assert not {cell for cell in summed if cell.startswith("channels.")}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('edition = "2019"', "", "the form.edition: expected a text, found None"),
        ('shape = "across"', 'shape = "sideways"', "is 'sideways', expected one of blocks, matrix, across, list"),
        ('label = "规章"}', 'lable = "规章"}', "lable: is not a key; known keys: also, group, key, label"),
        ('key = "granted"', 'key = "new"', "applications.new.natural_person: is declared twice"),
        (
            'right = ["handled_total"]',
            'right = ["handled"]',
            "names cells the form does not have: applications.handled.",
        ),
        ('each = "row"', 'each = "cell"', "is 'cell', expected 'row', 'column' or no such key"),
        ('also = ["合计"]', 'also = "合计"', "also: expected a list of texts, found '合计'"),
        ("[[rules]]", "[[rules]", "cannot be read as TOML"),
    ],
    ids=["missing", "shape", "unknown key", "twice", "unknown cell", "each", "not a list", "not TOML"],
)
def test_an_error_names_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (FORMS_DIR / "2019.toml").read_text("utf-8")
    assert old in text
    broken = tmp_path / "2019.toml"
    broken.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(FormFileError) as caught:
        load_form(broken)
    assert str(caught.value).startswith("2019.toml: ")
    assert message in str(caught.value)


def test_a_copied_form_file_that_still_names_the_old_edition_is_refused(tmp_path: Path) -> None:
    """It would stand in for the old one, whose cells nobody could read any more."""
    copy = tmp_path / "2025.toml"
    copy.write_bytes((FORMS_DIR / "2021.toml").read_bytes())
    message = "2025.toml: the form.edition: is '2021', expected '2025' as the name"
    with pytest.raises(FormFileError, match=re.escape(message)):
        load_form(copy)
