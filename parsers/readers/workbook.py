"""Worksheets to blocks, whatever the format they come in: a grid for each table, paragraphs for lines of text.

A cell's text is what its number format shows of its value: 50% for 0.5, a dash for a zero that is shown as one. Where
a format shows nothing (`;;;`, zeros of a sheet that hides them), or something that only the program could tell
(thousands, conditions, fractions), the cell holds U+FFFC, so that it is neither a number nor a blank. Rows of one cell
are paragraphs before a table begins and after it has ended; within a table they are rows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from parsers.errors import UnreadableDocumentError
from parsers.model import Block, Cell, Document, Finding, Grid, Paragraph
from parsers.normalise import is_section_heading
from parsers.readers import sheet_formats
from parsers.readers.sheet_marks import Marks

MAX_SHEETS = 64
MAX_ROWS = 20_000
MAX_COLUMNS = 702
MAX_CELLS = 400_000
# Every cell may show the same long string, which is in the file once.
MAX_TEXT = 10_000_000
_RUNNING_TEXT = 60

Value = int | float | str | bool | time | date | datetime | timedelta
Range = tuple[tuple[int, int], tuple[int, int]]


@dataclass(slots=True)
class Worksheet:
    """One sheet: rows from its first on, "" for blank cells. `merged`: (first, last) cells of ranges, from 0."""

    name: str
    rows: list[list[Value]] = field(default_factory=list)
    merged: list[Range] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    is_hidden: bool = False
    _room: int = MAX_CELLS

    def put(self, row: int, column: int, value: Value) -> None:
        """Puts a value where there is none yet, counted from 0. Raises UnreadableDocumentError: `too_complex`."""
        if row >= MAX_ROWS or column >= MAX_COLUMNS:
            place = f"{column_letters(column)}{row + 1}"
            raise UnreadableDocumentError(
                "too_complex", f"sheet {self.name} has a cell at {place}; at most {MAX_ROWS} rows are read"
            )
        self.rows.extend([] for _ in range(len(self.rows), row + 1))
        cells = self.rows[row]
        self._room -= max(0, column + 1 - len(cells))
        if self._room < 0:
            raise UnreadableDocumentError("too_complex", f"sheet {self.name} has more than {MAX_CELLS} cells")
        cells.extend("" for _ in range(len(cells), column + 1))
        cells[column] = value


def document(kind: str, worksheets: Iterable[Worksheet]) -> Document:
    """What the sheets show. Hidden sheets, rows and columns are left out with a finding.

    Raises UnreadableDocumentError: `too_complex`.
    """
    findings: list[Finding] = []
    blocks: list[Block] = []
    cells = characters = 0
    for number, sheet in enumerate(worksheets, 1):
        if number > MAX_SHEETS:
            raise UnreadableDocumentError("too_complex", f"the workbook has more than {MAX_SHEETS} sheets")
        at = f"sheet={sheet.name.replace(';', '；')}"
        if sheet.is_hidden:
            findings.append(Finding("hidden_sheet", "a hidden sheet was left out", at))
            continue
        cells += sum(len(row) for row in sheet.rows)
        if cells > MAX_CELLS:
            raise UnreadableDocumentError("too_complex", f"the workbook has more than {MAX_CELLS} cells")
        characters += sum(len(value) for row in sheet.rows for value in row if type(value) is str)
        if characters > MAX_TEXT:
            raise UnreadableDocumentError("too_complex", f"the workbook shows more than {MAX_TEXT} characters")
        page = _Page(at, sheet.merged, sheet.marks)
        blocks.extend(page.blocks(sheet.rows))
        if page.hidden:
            message = f"{page.hidden} cells in hidden rows and columns were left out"
            findings.append(Finding("hidden_cells", message, at))
        if page.untold:
            message = f"{page.untold} cells do not show the number they hold, by their format or the sheet's"
            findings.append(Finding("number_format", message, at))
    return Document(media_type=kind, blocks=tuple(blocks), findings=tuple(findings))


def _printed(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 1e+16 and 0.30000000000000004 are printed by no sheet; 15 digits are what Excel keeps.
        return format(Decimal(format(value, ".15g")), "f")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()


@dataclass(slots=True)
class _Page:
    """One sheet on its way to blocks. `merged` are (first, last) cells of merged ranges, from 0.

    `hidden` counts the filled cells that were left out, `untold` those of which it cannot be told what they show.
    """

    at: str
    merged: list[Range]
    marks: Marks
    hidden: int = 0
    untold: int = 0
    _spans: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    _covered: set[tuple[int, int]] = field(default_factory=set)

    def blocks(self, rows: list[list[Value]]) -> Iterator[Block]:
        lines = self._lines(rows)
        self._merge(len(lines), max(map(len, lines), default=0))
        table: list[tuple[int, list[str]]] = []
        for number, texts in enumerate(lines):
            self._hide(number, texts)
            if number in self.marks.hidden_rows:
                continue
            filled = [column for column, text in enumerate(texts) if text]
            alone = texts[filled[0]] if len(filled) == 1 else ""
            if len(filled) > 1 or (table and alone and not _is_text(alone)):
                table.append((number, texts))
                continue
            yield from self._finished(table)
            table = []
            if alone:
                yield Paragraph(alone, self._locator(number, filled[0]))
        yield from self._finished(table)

    def _lines(self, rows: list[list[Value]]) -> list[list[str]]:
        """What every cell of every row shows."""
        lines = [[_printed(value) for value in values] for values in rows]
        self._format(rows, lines)
        for (row, column), text in self.marks.texts.items():
            if row >= MAX_ROWS or column >= MAX_COLUMNS:
                continue
            # Where all cells of the last row or column are formulas without a value, calamine leaves them away.
            lines.extend([] for _ in range(len(lines), row + 1))
            lines[row].extend("" for _ in range(len(lines[row]), column + 1))
            lines[row][column] = text
        return lines

    def _format(self, rows: list[list[Value]], lines: list[list[str]]) -> None:
        """Puts what formats show in place of the numbers, as far as they differ from them."""
        for (row, column), code in self.marks.formats.items():
            value = rows[row][column] if row < len(rows) and column < len(rows[row]) else ""
            if isinstance(value, int | float) and not isinstance(value, bool):
                lines[row][column] = sheet_formats.shown(value, code)
        if not self.marks.shows_zeros:
            for values, texts in zip(rows, lines, strict=True):
                for column, value in enumerate(values):
                    is_zero = isinstance(value, int | float) and not isinstance(value, bool) and value == 0
                    texts[column] = sheet_formats.UNTOLD if is_zero else texts[column]
        self.untold = sum(texts.count(sheet_formats.UNTOLD) for texts in lines)

    def _hide(self, row: int, texts: list[str]) -> None:
        """Empties the cells of a row that are hidden, which merged ones are where all their columns are."""
        is_row_hidden, hidden = row in self.marks.hidden_rows, self.marks.hidden_columns
        if not is_row_hidden and not hidden:
            return
        for column, text in enumerate(texts):
            width = self._spans.get((row, column), (1, 1))[1]
            if is_row_hidden or (column in hidden and hidden.issuperset(range(column, column + width))):
                self.hidden += bool(text)
                texts[column] = ""
                self._covered.add((row, column))

    def _finished(self, table: list[tuple[int, list[str]]]) -> Iterator[Block]:
        """The grid of a table; lines below it that one merged cell fills (who signed, when) are not part of it."""
        below: list[Paragraph] = []
        while table and (line := self._line(*table[-1])) is not None:
            below.insert(0, line)
            table = table[:-1]
        yield from self._grid(table)
        yield from below

    def _line(self, row: int, texts: list[str]) -> Paragraph | None:
        filled = [column for column, text in enumerate(texts) if text]
        if len(filled) != 1 or not self._spans.get((row, filled[0])):
            return None
        end = filled[0] + self._spans[row, filled[0]][1]
        is_alone = all((row, column) in self._covered for column in range(filled[0] + 1, end)) and end == len(texts)
        return Paragraph(texts[filled[0]], self._locator(row, filled[0])) if is_alone else None

    def _merge(self, height: int, width: int) -> None:
        for (top, left), (bottom, right) in self.merged:
            bottom, right = min(bottom, height - 1), min(right, width - 1)
            if bottom < top or right < left:
                continue
            self._spans[top, left] = (bottom - top + 1, right - left + 1)
            covered = {(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)}
            self._covered |= covered - {(top, left)}
            if len(self._covered) > MAX_CELLS:
                raise UnreadableDocumentError("too_complex", f"merged ranges cover more than {MAX_CELLS} cells")

    def _locator(self, row: int, column: int) -> str:
        return f"{self.at};cell={column_letters(column)}{row + 1}"

    def _grid(self, table: list[tuple[int, list[str]]]) -> Iterator[Grid]:
        if not table:
            return
        first_row, last_row = table[0][0], table[-1][0]
        filled = [(row, column) for row, texts in table for column, text in enumerate(texts) if text]
        left = min(column for _, column in filled)
        right = max(column + self._spans.get((row, column), (1, 1))[1] for row, column in filled)
        cells = []
        for row, texts in table:
            for column in range(left, min(right, len(texts))):
                if (row, column) in self._covered:
                    continue
                row_span, column_span = self._spans.get((row, column), (1, 1))
                cell = Cell(
                    text=texts[column],
                    row=row - first_row,
                    column=column - left,
                    locator=self._locator(row, column),
                    row_span=min(row_span, last_row - row + 1),
                    column_span=min(column_span, right - column),
                )
                cells.append(cell)
        yield Grid(tuple(cells), self._locator(first_row, left))


def _is_text(text: str) -> bool:
    """Whether a row of this one cell ends a table: a section's heading or running text."""
    return is_section_heading(text) or len(text) > _RUNNING_TEXT


def column_letters(column: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
