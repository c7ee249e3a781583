"""A place in a Word, spreadsheet or OFD document: its paragraphs and tables drawn anew, the cell and its row marked."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from parsers.model import Block, Cell, Document, Grid, Paragraph, Shown
from parsers.places.frame import ANCHOR, page

# Blocks and cells drawn on either side of the place; a report has a hundred blocks and a thousand cells.
_AROUND = 300
_MOST_CELLS = 20_000


def marked(document: Document, locator: str) -> Shown:
    """The document with the place marked; far from it, it is cut."""
    place = _place(document.blocks, locator)
    middle = place[0] if place else 0
    first, end = max(0, middle - _AROUND), middle + _AROUND
    parts = [_cut(first)]
    cells = 0
    for index, block in enumerate(document.blocks[first:end], first):
        is_place = place is not None and index == middle
        if isinstance(block, Grid):
            cells += len(block.cells)
            if cells > _MOST_CELLS and not is_place:
                parts.append(_cut(1))
                continue
        parts.extend(_drawn(block, locator if is_place else ""))
    parts.append(_cut(len(document.blocks) - end))
    return Shown("tables", page(document.title, "".join(parts)), is_marked=place is not None)


def _place(blocks: tuple[Block, ...], locator: str) -> tuple[int, str] | None:
    """The first block that holds the place."""
    for index, block in enumerate(blocks):
        if block.locator == locator or (
            isinstance(block, Grid) and any(cell.locator == locator for cell in block.cells)
        ):
            return index, locator
    return None


def _drawn(block: Block, locator: str) -> Iterator[str]:
    if isinstance(block, Paragraph):
        tag = "h2" if block.level else "p"
        yield f"<{tag}{_mark(block.locator == locator)}>{escape(block.text)}</{tag}>"
        return
    # A table whose first cell has the table's own locator (spreadsheets) is marked at the cell.
    is_whole = block.locator == locator and all(cell.locator != locator for cell in block.cells)
    yield f"<table{_mark(is_whole)}>"
    taken: dict[int, int] = {}
    for row, cells in groupby(block.cells, key=lambda cell: cell.row):
        own = list(cells)
        line = '<tr class="row">' if any(cell.locator == locator for cell in own) else "<tr>"
        yield line + "".join(_cells(own, row, taken, locator, is_aligned=block.columns_known)) + "</tr>"
    yield "</table>"


def _cells(cells: list[Cell], row: int, taken: dict[int, int], locator: str, *, is_aligned: bool) -> Iterator[str]:
    """A row's cells. `taken`: for each grid column the first row that no cell from above reaches into."""
    column = 0
    for cell in cells:
        while is_aligned and column < cell.column:
            if taken.get(column, 0) <= row:
                yield '<td class="none"></td>'
            column += 1
        spans = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
        spans += f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
        yield f"<td{spans}{_mark(cell.locator == locator)}>{escape(cell.text)}</td>"
        column = cell.column + cell.column_span
        taken.update(dict.fromkeys(range(cell.column, column), row + cell.row_span))


def _mark(is_place: bool) -> str:
    return f' class="cell" id="{ANCHOR}"' if is_place else ""


def _cut(count: int) -> str:
    return '<p class="cut">…</p>' if count > 0 else ""
