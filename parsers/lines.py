"""A document's running text as lines, whatever its format, with the places where tables stand between them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from parsers.model import Document, Grid
from parsers.spacing import squeeze, tidy

_PAGE_NUMBER = re.compile(r"[-—–－·第页共/\d]{1,12}")
# Boxes round paragraphs come as tables of one column; a statistical cell is never this long.
_PROSE = 60


class Line(Struct, frozen=True, gc=False):
    """A printed line or paragraph: `text` tidied, `key` without spaces. `after_table`: a table stands before it."""

    text: str
    key: str
    locator: str
    level: int | None = None
    after_table: bool = False


def lines(document: Document) -> list[Line]:
    """The lines of running text in reading order, blank lines and page numbers left out, table cells too."""
    found: list[Line] = []
    after_table = False
    for text, locator, level in _texts(document):
        if text is None:
            after_table = True
            continue
        for part in text.split("\n"):
            key = squeeze(part)
            if key and not _PAGE_NUMBER.fullmatch(key):
                found.append(Line(tidy(part).lstrip("#* "), key.lstrip("#*"), locator, level, after_table))
                after_table = False
    return found


def _texts(document: Document) -> Iterator[tuple[str | None, str, int | None]]:
    """Text, locator and heading level of each paragraph; None as text for a table."""
    for block in document.blocks:
        if not isinstance(block, Grid):
            yield block.text, block.locator, block.level
        elif _is_box(block):
            yield from ((cell.text, cell.locator, None) for cell in block.cells)
        else:
            yield None, block.locator, None


def _is_box(grid: Grid) -> bool:
    if any(cell.column for cell in grid.cells):
        return False
    return grid.rows_known and grid.columns_known and any(len(cell.text) > _PROSE for cell in grid.cells)
