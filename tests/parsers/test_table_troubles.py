"""What breaks readers of the statutory tables: one fixture folder a trouble, one test an expected cell or finding.

A cell's `sure` says whether it may come out with confidence 1.0; where it is not given either will do.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.reading import as_json, read

TABLES = Path(__file__).parents[1] / "fixtures" / "tables"
NAMES = sorted(folder.name for folder in TABLES.iterdir())


@cache
def reading(name: str) -> dict[str, Any]:
    (document,) = (TABLES / name).glob("input.*")
    return as_json(read(document.read_bytes(), name=document.name), document.name)


@cache
def expected(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((TABLES / name / "expected.json").read_text("utf-8"))
    return loaded


def _each(key: str) -> list[tuple[str, str]]:
    return [(name, entry) for name in NAMES for entry in expected(name)[key]]


@pytest.mark.parametrize("name", NAMES)
def test_the_form_is_told_from_the_tables(name: str) -> None:
    assert reading(name)["form"] == expected(name)["form"]


@pytest.mark.parametrize(("name", "cell"), _each("cells"))
def test_a_cell_is_read_as_printed(name: str, cell: str) -> None:
    want = expected(name)["cells"][cell]
    fact = next(fact for fact in reading(name)["facts"] if fact["cell"] == cell)
    assert (fact["value"], fact["status"]) == (want["value"], want["status"])
    if "sure" in want:
        assert (fact["confidence"] == 1.0) == want["sure"]


@pytest.mark.parametrize(("name", "code"), _each("findings"))
def test_what_does_not_fit_is_found(name: str, code: str) -> None:
    assert code in {finding["code"] for finding in reading(name)["findings"]}


@pytest.mark.parametrize(("name", "code"), _each("no_findings"))
def test_what_fits_is_not_found(name: str, code: str) -> None:
    assert code not in {finding["code"] for finding in reading(name)["findings"]}


@pytest.mark.parametrize("name", NAMES)
def test_each_cell_of_the_form_has_one_fact(name: str) -> None:
    cells = [fact["cell"] for fact in reading(name)["facts"]]
    assert len(cells) == len(set(cells))
    assert {(fact["value"] is None) for fact in reading(name)["facts"] if fact["status"] == "reported"} <= {False}
