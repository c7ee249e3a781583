"""Reports as text PDF: ruled tables that cross pages, drawn directly so that every habit of real producers can be had.

The font is one of the four that every reader of Chinese PDF must know without it being embedded (STSong-Light).
Measures are points; y grows upwards as in PDF.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, Protocol

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from crawler.replica.layout import Placed, Table, place
from crawler.replica.reports import Block, Printed, Text

Rules = Literal["lines", "boxes", "hairlines", "across", "none"]
FONT = "STSong-Light"
WIDTH, HEIGHT = 595.28, 841.89
_MARGIN = 64.0
_BODY, _CELL = 12.0, 9.0


@dataclass(frozen=True, slots=True)
class PdfStyle:
    """How a producer draws.

    `rules`: stroked lines, one box for each cell, thin filled rectangles, lines across only, or none. `repeat_header`:
    header rows again on each page. `cut_rows`: a row may be split by the page end, the rest of its label on the next
    page. `bottom_line` False: no rule where a table breaks off at the page end. `jitter` moves rules and text by up to
    so many points; `padding` is between text and rule: 7 lets table 三 cross a page.
    """

    rules: Rules = "lines"
    repeat_header: bool = False
    cut_rows: bool = False
    bottom_line: bool = True
    jitter: float = 0.0
    padding: float = 2.5
    page_numbers: bool = True


def write(printed: Printed, *, style: PdfStyle | None = None) -> bytes:
    return write_blocks(printed.blocks, title=printed.title, style=style)


def write_blocks(blocks: Iterable[Block], *, title: str, style: PdfStyle | None = None) -> bytes:
    _know_font()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), invariant=True)
    canvas.setTitle(title)
    pages = Pages(canvas, style or PdfStyle())
    for block in blocks:
        if isinstance(block, Text):
            pages.text(block)
        else:
            pages.table(block)
    pages.finish()
    canvas.save()
    return buffer.getvalue()


@cache
def _know_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


class Surface(Protocol):
    """What pages are drawn on: reportlab's canvas, or one of another format that takes the same calls."""

    def setFont(self, name: str, size: float) -> object: ...  # noqa: N802  reportlab's names
    def setLineWidth(self, width: float) -> object: ...  # noqa: N802
    def drawString(self, x: float, y: float, text: str) -> object: ...  # noqa: N802
    def drawRightString(self, x: float, y: float, text: str) -> object: ...  # noqa: N802
    def drawCentredString(self, x: float, y: float, text: str) -> object: ...  # noqa: N802
    def line(self, x1: float, y1: float, x2: float, y2: float) -> object: ...
    def rect(self, x: float, y: float, width: float, height: float, stroke: int = 1, fill: int = 0) -> object: ...
    def showPage(self) -> object: ...  # noqa: N802


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float) -> float:
    _know_font()
    return float(pdfmetrics.stringWidth(text, FONT, size))


@lru_cache(maxsize=5_000)
def _wrap(text: str, width: float, size: float) -> tuple[str, ...]:
    """Lines no wider than `width`, broken between any two characters but never inside a number."""
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for piece in _pieces(part):
            if line and text_width(line + piece, size) > width:
                lines.append(line)
                line = ""
            line += piece
        lines.append(line)
    return tuple(lines)


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for character in text:
        number = character.isascii() and (character.isdigit() or character in ".,-+")
        if pieces and number and pieces[-1][-1].isascii() and pieces[-1][-1] not in "/ ":
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


class Pages:
    """Fills pages from top to bottom."""

    def __init__(self, canvas: Surface, style: PdfStyle) -> None:
        self._canvas = canvas
        self._style = style
        self._chance = random.Random(7)  # noqa: S311  moves rules by fractions of a point
        self._page = 1
        self._y = HEIGHT - _MARGIN
        self._font(_BODY)

    def finish(self) -> None:
        if self._style.page_numbers:
            self._font(_CELL)
            self._canvas.drawCentredString(WIDTH / 2, _MARGIN / 2, f"— {self._page} —")
        self._canvas.showPage()

    def _break(self) -> None:
        self.finish()
        self._page += 1
        self._y = HEIGHT - _MARGIN
        self._font(_BODY)

    def _font(self, size: float) -> None:
        self._canvas.setFont(FONT, size)

    def text(self, block: Text) -> None:
        size = 16.0 if block.role == "title" else _BODY
        room = WIDTH - 2 * _MARGIN
        indent = "　　" if block.role in ("opening", "body", "heading") else ""
        self._font(size)
        for line in _wrap(indent + block.text, room, size):
            if self._y - size * 1.8 < _MARGIN:
                self._break()
                self._font(size)
            self._y -= size * 1.8
            if block.role == "title":
                self._canvas.drawCentredString(WIDTH / 2, self._y, line)
            elif block.role in ("signature", "date"):
                self._canvas.drawRightString(WIDTH - _MARGIN, self._y, line)
            else:
                self._canvas.drawString(_MARGIN, self._y, line)
        self._y -= size * 0.4

    def table(self, table: Table) -> None:
        placed = tuple(place(table))
        scale = (WIDTH - 2 * _MARGIN) / sum(table.widths)
        edges = [_MARGIN]
        for width in table.widths:
            edges.append(edges[-1] + width * scale)
        drawing = _TableDrawing(table, placed, edges, self._style.padding)
        self._y -= 6
        header = range(table.header_rows)
        first = 0
        rows = len(table.rows)
        carried: dict[int, tuple[str, ...]] = {}
        while first < rows or carried:
            repeat = self._style.repeat_header and first > 0
            top = self._y - (drawing.height(header) if repeat else 0)
            last = first
            room = top - _MARGIN
            if carried:
                room -= _line_height() * max(len(lines) for lines in carried.values()) + 2 * self._style.padding
            while last < rows and drawing.height(range(first, last + 1)) <= room:
                last += 1
            if last < rows and last <= table.header_rows and first == 0:
                self._break()
                continue
            cut = self._cut(drawing, last, room - drawing.height(range(first, last))) if last < rows else None
            self._draw(drawing, range(first, last), repeat=repeat, carried=carried, cut=cut, at_end=last == rows)
            carried = cut[2] if cut else {}
            first = last + 1 if cut else last
            if first < rows or carried:
                self._break()
        self._y -= 10
        self._font(_BODY)

    def _cut(self, drawing: _TableDrawing, row: int, room: float) -> _Cut | None:
        """The row that no longer fits, if it may be split: its number, lines that still fit, lines left by column."""
        if not self._style.cut_rows:
            return None
        fitting = int((room - 2 * self._style.padding) // _line_height())
        longest = max((len(lines) for _, lines in drawing.cells_of(row)), default=0)
        if fitting < 1 or fitting >= longest:
            return None
        left = {placed.column: lines[fitting:] for placed, lines in drawing.cells_of(row) if len(lines) > fitting}
        return row, fitting, left

    def _draw(
        self,
        drawing: _TableDrawing,
        rows: range,
        *,
        repeat: bool,
        carried: dict[int, tuple[str, ...]],
        cut: _Cut | None,
        at_end: bool,
    ) -> None:
        """One page's part of a table: repeated header, the rest of a row cut before, rows, a row cut here."""
        self._font(_CELL)
        if repeat:
            self._y = self._part(drawing, range(drawing.table.header_rows), self._y, {}, None, closed=True)
        self._y = self._part(drawing, rows, self._y, carried, cut, closed=at_end or self._style.bottom_line)

    def _part(
        self,
        drawing: _TableDrawing,
        rows: range,
        top: float,
        carried: dict[int, tuple[str, ...]],
        cut: _Cut | None,
        *,
        closed: bool,
    ) -> float:
        tops: dict[int, float] = {}
        y = top
        if carried:
            depth = max(len(lines) for lines in carried.values()) * _line_height() + 2 * self._style.padding
            self._carried_row(drawing, rows.start, y, depth, carried)
            y -= depth
        for row in rows:
            tops[row] = y
            y -= drawing.heights[row]
        covered = rows
        if cut:
            tops[cut[0]] = y
            y -= cut[1] * _line_height() + 2 * self._style.padding
            covered = range(rows.start, cut[0] + 1)
        if not covered:
            return y
        for placed, lines in drawing.cells:
            end = placed.row + placed.slot.row_span
            if end <= covered.start or placed.row >= covered.stop:
                continue
            upper = tops[max(placed.row, covered.start)]
            lower = tops.get(end, y)
            left, right = drawing.edges[placed.column], drawing.edges[placed.column + placed.slot.column_span]
            open_below = not closed and lower == y
            self._rule(left, right, upper, lower, open_below=open_below)
            if placed.row < covered.start:
                continue  # the label of a merged cell stands where the cell begins
            shown = lines[: cut[1]] if cut and placed.row == cut[0] and placed.slot.row_span == 1 else lines
            self._lines(shown, left, right, upper, lower)
        return y

    def _carried_row(
        self, drawing: _TableDrawing, row: int, top: float, depth: float, carried: dict[int, tuple[str, ...]]
    ) -> None:
        """The rest of the row before `row`: every cell of it again, empty but for the lines left over."""
        for placed, _ in drawing.cells:
            if not placed.row <= row - 1 < placed.row + placed.slot.row_span:
                continue
            left, right = drawing.edges[placed.column], drawing.edges[placed.column + placed.slot.column_span]
            self._rule(left, right, top, top - depth, open_below=False)
            if placed.row == row - 1:
                self._lines(carried.get(placed.column, ()), left, right, top, top - depth)

    def _lines(self, lines: tuple[str, ...], left: float, right: float, upper: float, lower: float) -> None:
        height = len(lines) * _line_height()
        y = (upper + lower) / 2 + height / 2
        # A tall cell's text stays on the page where the cell begins even if the cell is lower than its text.
        y = min(y, upper - self._style.padding) if height > upper - lower else y
        for line in lines:
            y -= _line_height()
            if line.strip():
                self._canvas.drawCentredString((left + right) / 2 + self._shift() / 2, y + 2.2, line)

    def _shift(self) -> float:
        return self._chance.uniform(-self._style.jitter, self._style.jitter) if self._style.jitter else 0.0

    def _rule(self, left: float, right: float, upper: float, lower: float, *, open_below: bool) -> None:
        canvas, style = self._canvas, self._style
        if style.rules == "none":
            return
        if style.rules == "boxes" and not open_below:
            canvas.setLineWidth(0.5)
            canvas.rect(left + self._shift(), lower + self._shift(), right - left, upper - lower)
            return
        sides = [(left, upper, right, upper)]
        if style.rules != "across":
            sides += [(left, upper, left, lower), (right, upper, right, lower)]
        if not open_below:
            sides.append((left, lower, right, lower))
        canvas.setLineWidth(0.5)
        for x1, y1, x2, y2 in sides:
            shift = self._shift()
            if style.rules == "hairlines":
                wide = abs(x2 - x1) or 0.48
                tall = abs(y2 - y1) or 0.48
                canvas.rect(min(x1, x2) + shift, min(y1, y2) + shift, wide, tall, stroke=0, fill=1)
            else:
                canvas.line(x1 + shift, y1 + shift, x2 + shift, y2 + shift)


_Cut = tuple[int, int, dict[int, tuple[str, ...]]]


def _line_height() -> float:
    return _CELL * 1.25


class _TableDrawing:
    """A table measured: wrapped text of every cell, column edges, row heights."""

    def __init__(self, table: Table, placed: tuple[Placed, ...], edges: list[float], padding: float) -> None:
        self.table = table
        self.edges = edges
        self._padding = padding
        self.cells = tuple((item, self._wrapped(item)) for item in placed)
        self.heights = [_line_height() + 2 * self._padding] * len(table.rows)
        for item, lines in self.cells:
            if item.slot.row_span == 1:
                needed = len(lines) * _line_height() + 2 * self._padding
                self.heights[item.row] = max(self.heights[item.row], needed)
        for item, lines in self.cells:
            span = range(item.row, item.row + item.slot.row_span)
            missing = len(lines) * _line_height() + 2 * self._padding - self.height(span)
            if missing > 0:
                self.heights[span.stop - 1] += missing

    def _wrapped(self, item: Placed) -> tuple[str, ...]:
        width = self.edges[item.column + item.slot.column_span] - self.edges[item.column] - 2 * self._padding
        return _wrap(item.slot.text, round(width, 2), _CELL)

    def cells_of(self, row: int) -> list[tuple[Placed, tuple[str, ...]]]:
        return [(item, lines) for item, lines in self.cells if item.row == row and item.slot.row_span == 1]

    def height(self, rows: Iterable[int]) -> float:
        return sum(self.heights[row] for row in rows)
