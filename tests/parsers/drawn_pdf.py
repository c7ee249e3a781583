"""PDFs drawn for the tests: ruled tables as different producers rule them, and text round them. All words invented."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
WIDTH, HEIGHT = 595.0, 842.0
Rules = Literal["strokes", "hairlines", "boxes", "pieces"]

pdfmetrics.registerFont(UnicodeCIDFont(FONT))


@dataclass(frozen=True)
class Drawn:
    """A cell to draw: text, and how many rows and columns it covers."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


def pdf(*pages: Callable[[Canvas], None], encrypt: StandardEncryption | None = None, rotate: int = 0) -> bytes:
    """A file of one page for each function given; `rotate` is the pages' /Rotate."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), invariant=1, encrypt=encrypt)
    for draw in pages:
        if rotate:
            canvas.setPageRotation(rotate)
        canvas.setFont(FONT, 12)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def text(canvas: Canvas, x: float, top: float, *printed: str, size: float = 12, leading: float = 20) -> None:
    """Lines of text; `top` counts downwards from the page's upper edge."""
    canvas.setFont(FONT, size)
    for index, line in enumerate(printed):
        canvas.drawString(x, HEIGHT - top - leading * index - size * 0.88, line)


def table(
    canvas: Canvas,
    cells: Sequence[Drawn],
    *,
    left: float = 80,
    top: float = 100,
    widths: Sequence[float],
    height: float = 24,
    rules: Rules = "strokes",
    bottom_line: bool = True,
    top_line: bool = True,
) -> None:
    """A ruled table, its cells' texts in the middle; line ends within a cell are `\\n`."""
    xs = [left + sum(widths[:index]) for index in range(len(widths) + 1)]
    rows = max(cell.row + cell.row_span for cell in cells)
    edges = set()
    for cell in cells:
        x0, x1 = xs[cell.column], xs[cell.column + cell.column_span]
        y0, y1 = top + cell.row * height, top + (cell.row + cell.row_span) * height
        edges |= {("h", y0, x0, x1), ("h", y1, x0, x1), ("v", x0, y0, y1), ("v", x1, y0, y1)}
        if rules == "boxes":
            canvas.setLineWidth(0.5)
            canvas.rect(x0 + 0.3, HEIGHT - y1 + 0.3, x1 - x0 - 0.6, y1 - y0 - 0.6, stroke=1, fill=0)
        _cell_text(canvas, cell.text, (x0 + x1) / 2, (y0 + y1) / 2)
    for way, at, start, end in sorted(edges):
        if (way == "h" and at == top and not top_line) or (
            way == "h" and at == top + rows * height and not bottom_line
        ):
            continue
        _rule(canvas, rules, way, at, start, end)


def _cell_text(canvas: Canvas, printed: str, x: float, y: float) -> None:
    lines = printed.split("\n")
    for index, line in enumerate(lines):
        canvas.setFont(FONT, 9)
        canvas.drawCentredString(x, HEIGHT - y - 3 + 11 * ((len(lines) - 1) / 2 - index), line)


def _rule(canvas: Canvas, rules: Rules, way: str, at: float, start: float, end: float) -> None:
    canvas.setLineWidth(0.7)
    if rules == "boxes":
        return
    for piece_start, piece_end in _pieces(start, end) if rules == "pieces" else [(start, end)]:
        if way == "h" and rules == "hairlines":
            canvas.rect(piece_start, HEIGHT - at - 0.24, piece_end - piece_start, 0.48, stroke=0, fill=1)
        elif rules == "hairlines":
            canvas.rect(at - 0.24, HEIGHT - piece_end, 0.48, piece_end - piece_start, stroke=0, fill=1)
        elif way == "h":
            canvas.line(piece_start, HEIGHT - at, piece_end, HEIGHT - at)
        else:
            canvas.line(at, HEIGHT - piece_start, at, HEIGHT - piece_end)


def _pieces(start: float, end: float) -> list[tuple[float, float]]:
    """A line in three pieces with gaps of a point, a little off each other."""
    third = (end - start) / 3
    return [(start, start + third - 1), (start + third, start + 2 * third - 1), (start + 2 * third, end)]


def plain(rows: Sequence[Sequence[str]], first_row: int = 0) -> list[Drawn]:
    """Cells of a table without merged ones."""
    return [Drawn(cell, row, column) for row, cells in enumerate(rows[first_row:]) for column, cell in enumerate(cells)]
