"""HTML tables: which of them hold data, their rows, and the grid position of each real cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree
from msgspec import Struct

MAX_COLUMN_SPAN = 100
MAX_COLUMNS = 200

_CELLS = ("td", "th")
_GROUPS = ("thead", "tbody", "tfoot")
# A layout table has few cells and puts the article into one of them; a statutory label stays below 200 characters.
_LAYOUT_CELLS = 12
_ARTICLE_CHARACTERS = 400


class Row(Struct, frozen=True, gc=False):
    """One `tr` (or stray cells outside any) and its cells; `rest` is the number of rows from it to its group's end."""

    element: etree._Element
    cells: tuple[etree._Element, ...]
    rest: int


class Placed(Struct, frozen=True, gc=False):
    """A real cell with the grid position of its top left corner, from 0, and its spans."""

    element: etree._Element
    row: int
    column: int
    row_span: int
    column_span: int


def rows(table: etree._Element) -> list[Row]:
    """Rows of `table` itself, not of tables inside it, as drawn: head, bodies, foot."""
    groups: list[list[tuple[etree._Element, tuple[etree._Element, ...]]]] = []
    foot: list[tuple[etree._Element, tuple[etree._Element, ...]]] = []
    loose: list[tuple[etree._Element, tuple[etree._Element, ...]]] = []
    for child in table:
        if child.tag in _GROUPS:
            if loose:
                groups.append(loose)
                loose = []
            if child.tag == "tfoot":
                foot.extend(_group_rows(child))
            else:
                groups.append(list(_group_rows(child)))
        elif child.tag == "tr":
            loose.append((child, tuple(cell for cell in child if cell.tag in _CELLS)))
    stray = tuple(child for child in table if child.tag in _CELLS)
    if stray:
        groups.insert(0, [(table, stray)])
    groups += [loose, foot]
    return [Row(element, cells, len(group) - index) for group in groups for index, (element, cells) in enumerate(group)]


def _group_rows(group: etree._Element) -> Iterator[tuple[etree._Element, tuple[etree._Element, ...]]]:
    stray = tuple(child for child in group if child.tag in _CELLS)
    if stray:
        yield group, stray
    for child in group:
        if child.tag == "tr":
            yield child, tuple(cell for cell in child if cell.tag in _CELLS)


def is_data(table: etree._Element) -> bool:
    """Whether `table` is a grid of data, rather than the frame of a page or a box round paragraphs.

    A table that holds other data tables is a frame, unless it has many cells of its own beside them.
    """
    own = [row.cells for row in rows(table) if row.cells]
    if not own or max(map(len, own)) < 2 or table.get("role") == "presentation":
        return False
    count = sum(map(len, own))
    inner = [other for other in table.iter("table") if other is not table]
    if inner:
        frames = sum(1 for cells in own for cell in cells if _holds_rows(cell))
        if frames:
            return count - frames >= max(8, 3 * frames) and len(own) >= 3
    if count > _LAYOUT_CELLS:
        return True
    return not any(_is_article(cell) for cells in own for cell in cells)


def _holds_rows(cell: etree._Element) -> bool:
    """Whether a table with at least two cells in a row stands in `cell`."""
    return any(len(row.cells) > 1 for table in cell.iter("table") for row in rows(table))


def _is_article(cell: etree._Element) -> bool:
    return len("".join(all_text(cell).split())) > _ARTICLE_CHARACTERS


def outside_cells(table: etree._Element) -> Iterator[str]:
    """Captions, and text that broken markup left between rows: browsers draw both before the table."""
    for child in table:
        if child.tag == "caption":
            yield from _filled(all_text(child))
    for element in (table, *(child for child in table if child.tag in (*_GROUPS, "tr"))):
        yield from _filled(element.text)
        for child in element:
            yield from _filled(child.tail)


def all_text(element: etree._Element) -> str:
    """All text below `element`, shown or not, without its tail."""
    return etree.tostring(element, method="text", encoding="unicode", with_tail=False)


def _filled(text: str | None) -> Iterator[str]:
    if text and text.strip():
        yield text


def place(table_rows: Iterable[Row]) -> tuple[list[Placed], int]:
    """Each real cell once, at its grid position, and how many spans had to be cut to be possible."""
    placed: list[Placed] = []
    clamped = 0
    taken_until: list[int] = []
    for row_number, row in enumerate(table_rows):
        column = 0
        for element in row.cells:
            while column < len(taken_until) and taken_until[column] > row_number:
                column += 1
            across, down = element.get("colspan"), element.get("rowspan")
            width, height = 1 if across is None else _span(across), 1 if down is None else _span(down)
            room = max(1, MAX_COLUMNS - column)
            column_span = min(max(width, 1), MAX_COLUMN_SPAN, room)
            # rowspan="0" means "to the end of the group".
            row_span = min(height or row.rest, row.rest)
            clamped += width > column_span
            placed.append(Placed(element, row_number, column, row_span, column_span))
            end = column + column_span
            # What cells of former rows take further right is not looked for: it would be as many columns as cells.
            if end <= MAX_COLUMNS:
                taken_until.extend([0] * (end - len(taken_until)))
                taken_until[column:end] = [row_number + row_span] * column_span
            column = end
    return placed, clamped


def _span(printed: str) -> int:
    """The span as a browser takes it: its leading digits, 1 when there are none."""
    digits = ""
    for character in printed.strip():
        if not ("0" <= character <= "9") or len(digits) > 9:
            break
        digits += character
    return int(digits) if digits else 1
