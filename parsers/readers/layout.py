"""Tables in text whose cells are set apart by spaces, as `pdftotext -layout` writes them.

A character of the CJK blocks is two columns of the page wide. Numbers that stand one under another make a column.
"""

from __future__ import annotations

from parsers.model import Grid


def layout_run(lines: list[str], at: int) -> int:
    """The end of the table that begins at line `at`, or `at` when none does."""
    del lines
    return at


def layout_grid(lines: list[str], start: int, end: int) -> Grid:
    del lines, end
    return Grid((), f"line={start + 1}")
