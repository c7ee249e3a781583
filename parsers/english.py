"""English labels of the forms' cells, for readers who have no Chinese: forms/english.toml put together."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "forms" / "english.toml"


def english_label(cell: str) -> str:
    """What the cell is called; "" for one that is not in the file."""
    tree = _labels()
    if cell in tree["rows"]:
        return tree["rows"][cell]
    row, _, column = cell.rpartition(".")
    if row not in tree["rows"] or column not in tree["columns"]:
        return ""
    return f"{tree['rows'][row]}: {tree['columns'][column]}"


@cache
def _labels() -> dict[str, dict[str, str]]:
    return tomllib.loads(_FILE.read_text("utf-8"))
