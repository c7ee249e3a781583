"""Reports as plain text, in the shapes that PDF-to-text and Word-to-text tools leave.

tabs      one line a row, cells by tabs, rows broken by pages
cells     one cell a line, indented by a tab, rows parted by a blank line
stream    one cell a line and nothing else
layout    columns aligned by spaces, labels wrapped over several lines
markdown  bars, merged cells left empty
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from crawler.replica.layout import Placed, Slot, Table, place
from crawler.replica.reports import Printed, Text

Shape = Literal["tabs", "cells", "stream", "layout", "markdown", "glued"]
_PAGE_COLUMNS = 84
_LONGEST_UNCUT = 8  # shorter labels stand on one line and are never cut by a page end
SHAPES: tuple[Shape, ...] = ("tabs", "cells", "stream", "layout", "markdown", "glued")


@dataclass(frozen=True, slots=True)
class TextStyle:
    """`page_rows`: a blank line after so many table rows, as page ends leave (0: none).

    `cut_labels`: at such a page end the last row's label is cut and its rest stands in a line of its own (tabs only).
    `ragged`: a merged label leaves one empty cell beside it however many columns it spans (tabs only).
    `spaced`: ideographic spaces before values and blanks after (cells only). `wrap`: widest label in half-width columns
    before it goes over to a further line (layout only). `deduplicated`: a line equal to the one before is lost, as some
    extractors do to repeated zeros (cells and stream).
    """

    shape: Shape = "tabs"
    page_rows: int = 0
    cut_labels: bool = False
    ragged: bool = False
    spaced: bool = False
    wrap: int = 24
    deduplicated: bool = False


def write(printed: Printed, *, style: TextStyle | None = None, encoding: str = "utf-8") -> bytes:
    chosen = style or TextStyle()
    draw = _DRAW[chosen.shape]
    parts: list[str] = []
    for block in printed.blocks:
        parts.append(_paragraph(block, chosen) if isinstance(block, Text) else draw(block, chosen))
    text = "\n\n".join(parts) + "\n"
    if chosen.deduplicated:
        lines = text.split("\n")
        text = "\n".join(a for a, b in zip(lines, ["", *lines], strict=False) if a != b or not a.strip())
    return text.encode(encoding)


def _paragraph(block: Text, style: TextStyle) -> str:
    if style.shape == "markdown" and block.role in ("title", "heading"):
        return f"{'#' if block.role == 'title' else '##'} {block.text}"
    if style.shape == "layout":
        return "\n".join(_wrap(f"    {block.text}", _PAGE_COLUMNS))
    return block.text


def _grid(table: Table) -> list[list[Slot | None]]:
    """Every grid position: the slot that starts there, None where a merged cell continues."""
    grid: list[list[Slot | None]] = [[None] * len(table.widths) for _ in table.rows]
    for placed in place(table):
        grid[placed.row][placed.column] = placed.slot
    return grid


def _with_pages(lines: list[str], style: TextStyle) -> str:
    if not style.page_rows:
        return "\n".join(lines)
    parts = [lines[start : start + style.page_rows] for start in range(0, len(lines), style.page_rows)]
    return "\n\n".join("\n".join(part) for part in parts)


def _tabs(table: Table, style: TextStyle) -> str:
    lines: list[str] = []
    for number, row in enumerate(_grid(table), start=1):
        cells = _ragged(row) if style.ragged else [slot.text if slot else "" for slot in row]
        at_page_end = style.page_rows > 0 and number % style.page_rows == 0 and number > table.header_rows
        label = _long_label(row) if at_page_end and style.cut_labels and not style.ragged else None
        if label is not None:
            indent = len(cells[label]) - len(cells[label].lstrip("　"))
            middle = (indent + len(cells[label])) // 2
            rest = cells[label][middle:]
            cells[label] = cells[label][:middle]
            lines.append("\t".join(cells))
            lines.append("\n" + "\t".join(rest if place == label else "" for place in range(len(cells))))
            continue
        lines.append("\t".join(cells).replace("\n", " "))
        if at_page_end:
            lines.append("")
    return "\n".join(lines)


def _long_label(row: list[Slot | None]) -> int | None:
    """The column of the row's last label, when it is long enough to stand on two lines."""
    labels = [
        place for place, slot in enumerate(row) if slot and not slot.cell and len(slot.text.strip()) > _LONGEST_UNCUT
    ]
    return labels[-1] if labels else None


def _ragged(row: list[Slot | None]) -> list[str]:
    cells: list[str] = []
    for slot in row:
        if slot is None and cells and cells[-1] == "":
            continue
        cells.append(slot.text if slot else "")
    return cells


def _cells(table: Table, style: TextStyle) -> str:
    """As Word saves text: merged cells below their first row leave an empty cell, cells beside it leave nothing."""
    rows: list[list[tuple[int, str]]] = [[] for _ in table.rows]
    for placed in place(table):
        text = placed.slot.text
        if placed.slot.cell and style.spaced:
            text = f"　 {text} "
        rows[placed.row].append((placed.column, text))
        for below in range(1, placed.slot.row_span):
            rows[placed.row + below].append((placed.column, ""))
    return "\n\n".join("\n".join(f"\t{text}" for _, text in sorted(row)) for row in rows)


def _stream(table: Table, style: TextStyle) -> str:  # noqa: ARG001  the barest shape has no options
    return "\n".join(slot.text for row in table.rows for slot in row if slot.text)


def _glued(table: Table, style: TextStyle) -> str:  # noqa: ARG001  as above
    return "\n".join("".join(slot.text for slot in row) for row in table.rows)


def _markdown(table: Table, style: TextStyle) -> str:
    lines = ["| " + " | ".join(slot.text if slot else "" for slot in row) + " |" for row in _grid(table)]
    lines.insert(1, "|" + " --- |" * len(table.widths))
    return _with_pages([line.replace("\n", " ") for line in lines], style)


def text_width(text: str) -> int:
    """Columns the text takes in a fixed-width face: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for character in part:
            if line and text_width(line + character) > width and not character.isascii():
                lines.append(line)
                line = ""
            line += character
        lines.append(line)
    return lines


def _layout(table: Table, style: TextStyle) -> str:
    """Each cell's lines centred in the height of the rows it spans, at the column where it starts."""
    placed = list(place(table))
    widths = _column_widths(placed, len(table.widths), style.wrap)
    starts = [sum(widths[:column]) + 2 * column for column in range(len(widths) + 1)]
    wrapped: list[tuple[Placed, list[str]]] = []
    for item in placed:
        room = starts[item.column + item.slot.column_span] - starts[item.column] - 2
        wrapped.append((item, _wrap(item.slot.text, room)))
    heights = [1] * len(table.rows)
    for item, lines in wrapped:
        if item.slot.row_span == 1:
            heights[item.row] = max(heights[item.row], len(lines))
    tops = [sum(heights[:row]) for row in range(len(heights) + 1)]
    canvas: list[list[tuple[int, str]]] = [[] for _ in range(tops[-1])]
    for item, lines in wrapped:
        bottom = tops[item.row + item.slot.row_span]
        first = tops[item.row] + max(0, (bottom - tops[item.row] - len(lines)) // 2)
        for number, line in enumerate(lines):
            canvas[min(first + number, bottom - 1)].append((starts[item.column], line))
    return _with_pages([_aligned(parts) for parts in canvas], style)


def _column_widths(placed: list[Placed], columns: int, most: int) -> list[int]:
    """Wide enough for the numbers; labels go over to further lines beyond `most`.

    A table of few columns has twice the room, the headings of a wide one have less.
    """
    widths = [4] * columns
    for item in placed:
        if item.slot.column_span == 1:
            needed = text_width(item.slot.text)
            widest = 2 * most if columns <= 4 else most if item.column < 3 else 8
            widths[item.column] = max(widths[item.column], needed if item.slot.cell else min(needed, widest))
    return widths


def _aligned(parts: list[tuple[int, str]]) -> str:
    line = ""
    for start, text in sorted(parts):
        if text:
            line += " " * max(1 if line else 0, start - text_width(line)) + text
    return line


_DRAW: Mapping[Shape, Callable[[Table, TextStyle], str]] = {
    "tabs": _tabs,
    "cells": _cells,
    "stream": _stream,
    "layout": _layout,
    "markdown": _markdown,
    "glued": _glued,
}
