"""Tables in text whose cells are set apart by spaces, as `pdftotext -layout` writes them.

Cells are what stands between runs of two or more spaces; numbers after a label, a space before each, are cells too.
Where a number is missing, only the places of the others may say which: a row whose numbers stand under those of the
rows printed in full gets an empty cell for each it lacks. Any other row keeps its order, and no columns are claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsers.model import Cell, Grid
from parsers.normalise import is_section_heading, is_wordy
from parsers.readers.aligned import TextRow, column_count, filled_up

_GAP = re.compile(r"[ \u3000\u00a0]{2,}")
# A line of text does not end in three numbers set apart.
_NUMBERS = re.compile(r"(?:\s[\d.,]+){3}$")
_TOKEN = re.compile(r"\S+")
SIGNING_DATE = re.compile(
    r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[二〇○零一]{4}年.{1,3}月.{1,3}日|\d{4}[-./]\d{1,2}[-./]\d{1,2}"
)
_PAGE_MARK = re.compile(r"[-—–―]\s*\d{1,4}\s*[-—–―]|第\s*\d+\s*页.*|\d+\s*/\s*\d+")
_SENTENCE_END = "。；;！？!?"
_FRAGMENT_LENGTH = 60
_LEAST_ROWS = 3
# One row of this many numbers is a table too: section four has a single row of fifteen.
_WIDE_ROW = 10
_FRAGMENTS_AROUND = 4

Piece = tuple[str, int]


def is_page_mark(text: str) -> bool:
    """Whether a line is the number of a page: "- 3 -", "第 3 页 共 5 页"."""
    return bool(_PAGE_MARK.fullmatch(text.strip()))


def layout_runs(lines: list[str], taken: set[int]) -> dict[int, int]:
    """Where tables begin and end: first line → line past the last. Lines in `taken` belong to other tables."""
    runs: dict[int, int] = {}
    run: list[int] = []
    for at in range(len(lines) + 1):
        if at < len(lines) and at not in taken and _may_belong(lines[at]):
            run.append(at)
            continue
        found = _trimmed(lines, run)
        if found:
            runs[found[0]] = found[1]
        run = []
    return runs


def layout_grids(lines: list[str], start: int, end: int) -> Iterator[Grid]:
    """The lines from `start` to before `end` as grids; rows are lines, columns only an order.

    Where a line's numbers stand one space apart, a space inside a number looks the same: such lines are given as a
    stream, in which nothing but the count of cells is certain. So are all lines of a table that has no wider gap at
    all; a space then ends a cell, be it in words.
    """
    printed = [at for at in range(start, end) if lines[at].strip() and not is_page_mark(lines[at])]
    single_spaced = not any(_GAP.search(lines[at].strip()) for at in printed)
    empty = {} if single_spaced else _empty_cells(lines, printed)
    rows: list[list[Cell]] = []
    loose = False
    for at in printed:
        if rows and not single_spaced and is_loose(lines[at]) != loose:
            yield _grid(rows, loose=loose)
            rows = []
        loose = single_spaced or is_loose(lines[at])
        row = len(rows)
        texts = list(enumerate(lines[at].split(), 1)) if single_spaced else [(n, text) for text, n in pieces(lines[at])]
        cells = [(text, f"line={at + 1};column={n}") for n, text in texts]
        for place in empty.get(at, ()):
            cells.insert(place, ("", f"line={at + 1}"))
        rows.append([Cell(text, row, column, locator) for column, (text, locator) in enumerate(cells)])
    if rows:
        yield _grid(rows, loose=loose)


def _empty_cells(lines: list[str], printed: list[int]) -> dict[int, list[int]]:
    """Lines that lack numbers → the places among their cells, in order, of those that hold none."""
    rows = {
        at: TextRow(lines[at], tuple(text for text, _ in pieces(lines[at])))
        for at in printed
        if not is_loose(lines[at])
    }
    count = column_count(rows)
    return {
        at: [rows[at].label_count + column for column in range(count) if column not in columns]
        for at, columns in filled_up(rows).items()
    }


def _grid(rows: list[list[Cell]], *, loose: bool) -> Grid:
    cells = tuple(cell for row in rows for cell in row)
    return Grid(cells, cells[0].locator.partition(";")[0], columns_known=False, rows_known=not loose)


def is_loose(line: str) -> bool:
    """Whether numbers stand one space apart and no wider gap shows what a cell is."""
    return not _GAP.search(line.strip()) and _numbers(line) > 1


def pieces(line: str) -> list[Piece]:
    """The cells of a line with their number, counted from 1."""
    parts = [part.strip() for part in _GAP.split(line.strip()) if part.strip()]
    found = [text for part in parts for text in _peeled(part, whole_numbers=len(parts) > 1)]
    return [(text, place) for place, text in enumerate(found, 1)]


def _peeled(part: str, *, whole_numbers: bool) -> list[str]:
    """A label and the numbers after it; anything else whole.

    `whole_numbers`: wider gaps part the cells of this line, so numbers one space apart are one number as printed.
    """
    tokens = _TOKEN.findall(part)
    first = len(tokens)
    while first > 0 and not is_wordy(tokens[first - 1]):
        first -= 1
    numbers = [" ".join(tokens[first:])] if whole_numbers else tokens[first:]
    if first in (0, len(tokens)):
        return numbers if first == 0 else [part]
    return [" ".join(tokens[:first]), *numbers]


def _may_belong(line: str) -> bool:
    text = line.strip()
    if not text or "\t" in line:
        return "\t" not in line
    if is_section_heading(text) or text.count("|") > 1 or text[-1] in _SENTENCE_END:
        return False
    return bool(_GAP.search(text)) or len(text) <= _FRAGMENT_LENGTH or bool(_NUMBERS.search(text))


def _is_row(line: str) -> bool:
    """A label with numbers, or three numbers or more."""
    texts = [text for text, _ in pieces(line)]
    numbers = _numbers(line)
    return numbers >= 3 or (numbers >= 1 and is_wordy(texts[0]) and not is_wordy(texts[-1]))


def _numbers(line: str) -> int:
    return sum(not is_wordy(text) for text, _ in pieces(line))


def _trimmed(lines: list[str], run: list[int]) -> tuple[int, int] | None:
    """The part of a run that is a table: from a few lines above its first tabular line to a few below its last row."""
    printed = [at for at in run if lines[at].strip()]
    rows = [at for at in printed if _is_row(lines[at])]
    if len(rows) < _LEAST_ROWS and not any(_numbers(lines[at]) >= _WIDE_ROW for at in rows):
        return None
    tabular = [at for at in printed if _GAP.search(lines[at].strip()) or at in rows]
    first, last = printed.index(tabular[0]), printed.index(tabular[-1])
    above = printed[max(0, first - _FRAGMENTS_AROUND) : first]
    below = printed[last + 1 : last + 2]
    if below and any(SIGNING_DATE.search(line) for line in lines[below[0] + 1 : below[0] + 3]):
        # The name that signs the report.
        below = []
    return (above or [tabular[0]])[0], (below or [tabular[-1]])[-1] + 1
