"""A place in plain text: its numbered lines, the line marked and in it the cell."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from parsers.decode import decode
from parsers.errors import UnreadableDocumentError
from parsers.model import Cell, Grid, Shown
from parsers.places.frame import ANCHOR, page
from parsers.readers import text

# Lines shown on either side of the place; a report has a few hundred.
_AROUND = 1500


def marked(data: bytes, locator: str) -> Shown:
    """The text with the place marked."""
    lines = text.split_lines(decode(data).text)
    parts = dict(part.partition("=")[::2] for part in locator.split(";"))
    number = parts.get("line", "")
    at = int(number) - 1 if number.isascii() and number.isdigit() else -1
    is_marked = 0 <= at < len(lines)
    middle = at if is_marked else 0
    first, end = max(0, middle - _AROUND), min(len(lines), middle + _AROUND)
    body = "".join(_lines(lines, first, end, at, _cell(data, locator, at) if is_marked else None))
    return Shown(
        "lines", page(f"line {middle + 1}", f"{_cut(first)}<ol>{body}</ol>{_cut(len(lines) - end)}"), is_marked
    )


def _lines(lines: list[str], first: int, end: int, at: int, cell: tuple[int, int] | None) -> Iterator[str]:
    for index in range(first, end):
        line = lines[index]
        if index != at:
            yield f"<li><i>{index + 1}</i>{escape(line)}</li>"
            continue
        shown = escape(line)
        if cell is not None:
            start, stop = cell
            shown = f"{escape(line[:start])}<b>{escape(line[start:stop])}</b>{escape(line[stop:])}"
        yield f'<li class="row" id="{ANCHOR}"><i>{index + 1}</i>{shown}</li>'


def _cell(data: bytes, locator: str, at: int) -> tuple[int, int] | None:
    """Where in its line the cell's text stands: after those of the cells before it."""
    try:
        document = text.read(data)
    except UnreadableDocumentError:
        return None
    led = f"line={at + 1};"
    cells = [cell for block in document.blocks if isinstance(block, Grid) for cell in block.cells]
    own = sorted((cell for cell in cells if cell.locator.startswith(led)), key=_column)
    line, reached = text.split_lines(decode(data).text)[at], 0
    for cell in own:
        printed = cell.text.partition("\n")[0]
        start = line.find(printed, reached)
        if start < 0:
            return None
        if cell.locator == locator:
            return (start, start + len(printed)) if printed else None
        reached = start + len(printed)
    return None


def _column(cell: Cell) -> int:
    return int(cell.locator.rpartition("column=")[2])


def _cut(count: int) -> str:
    return f'<p class="cut">… {count} 行 lines …</p>' if count > 0 else ""
