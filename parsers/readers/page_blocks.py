"""Pages of fixed layout to paragraphs and grids: shared by every format that only says what is drawn where.

A table that goes on overleaf is one grid: rows follow each other as printed, and a row that the page end cuts in two
stays two rows, the second at the top of the next page (each cell's locator names its page).
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, sub

from msgspec import Struct, structs

from parsers.model import Block, Cell, Finding, Grid, Paragraph
from parsers.readers import pdf_grid, pdf_text, unruled
from parsers.readers.page_content import Characters, PageContent
from parsers.readers.pdf_text import Run, TextBlock, TextLine

_EDGES_AGREE = 5.0
_MIN_CELLS = 2
_FEW_COLUMNS = 3
# A character this much higher than the page's usual ones, inside a table, is a watermark or a seal.
_OVERSIZED = 2.5
# What a cell shows in place of text; points.
_OBJECT = "\ufffc"
_LEAST_PICTURE = 2.0
_HAN = re.compile(r"[\u3400-\u9fff]")
# What scanners' programs recognise and lay over their pictures is as good as they are, and nobody says how good.
_FOREIGN_RECOGNITION = 0.5
_MEANINGLESS = ("Co", "Cn", "Cs")
# Where such characters are; \uff01 to \uff5e are the full-width signs that every text has.
_SUSPECT = re.compile("[\ud800-\uff00\uff5f-\U0010ffff]")
_GARBAGE_SHARE = 0.2
_GARBAGE_FROM = 20
# Characters' heights beyond the paper's edge to which a number in a table that the edge cuts is still followed.
_OFF_PAPER = 3.0
# Characters' heights between digits of one number; numbers in two cells stand farther apart.
_TOUCHING = 0.1
_RUNNING_HEAD_PAGES = 3
_RUNNING_HEAD_MARGIN = 0.1


@dataclass(slots=True)
class Page:
    """A page taken apart: its tables with the texts of their cells, and its lines outside them."""

    content: PageContent
    tables: list[_PageTable]
    lines: list[TextLine]


class _PlacedCell(Struct, gc=False):
    """A cell with its edges in points, from which columns are counted once pages are joined."""

    text: str
    row: int
    row_span: int
    left: float
    right: float
    locator: str
    confidence: float


@dataclass(slots=True)
class _PageTable:
    """A table, or as much of it as one page shows; `xs` are its column edges, `page` the one it ends on.

    Its cells are in order: row by row, each from left to right.
    """

    xs: Sequence[float]
    middle: float
    rows: int
    cells: list[_PlacedCell]
    page: int
    locator: str


@dataclass(slots=True)
class _PageParagraph:
    """A paragraph; `page` is the one it ends on."""

    block: TextBlock
    page: int
    locator: str


_PageBlock = _PageTable | _PageParagraph
# One row of a table: its columns' edges, which cell is before, between and after them (-1 for none), and the cells.
_Row = tuple[Sequence[float], Sequence[int], list[list[Run]]]


def blocks(pages: Sequence[Page]) -> tuple[Block, ...]:
    """Blocks of a document's pages in reading order, page numbers and running heads left out. At least one page."""
    heads = _running_heads(pages)
    for page in pages:
        page.lines = _without_furniture(page, heads)
    widest = max(page.content.width for page in pages)
    measured = pdf_text.measure([line for page in pages for line in page.lines], widest)
    joined = _joined([block for page in pages for block in _page_blocks(page, measured)])
    return tuple(_public(block) for block in joined)


def text_findings(content: PageContent) -> Iterator[Finding]:
    """Whether the page has a text layer, and one that means something."""
    number, text = content.number, content.characters.text
    at = f"page={number}"
    if content.too_many_characters:
        # Its characters were not fetched: nothing can be said of them.
        return
    if not text.strip():
        if content.has_image:
            yield Finding("no_text_layer", f"page {number} is an image without text; it was not read", at)
        else:
            yield Finding("empty_page", f"page {number} holds no text", at)
    elif content.is_scan_with_ocr:
        yield Finding("ocr_text_layer", f"page {number} is a scan; its text is another program's recognition", at)
    garbage = garbage_in(text)
    if garbage:
        yield Finding("garbage_text_layer", f"{garbage} of {len(text)} characters on page {number} mean nothing", at)


def garbage_in(text: str) -> int:
    """How many characters mean nothing, where they are so many that the rest cannot be trusted either; else 0."""
    garbage = sum(map(_is_garbage, _SUSPECT.findall(text)))
    return garbage if garbage > _GARBAGE_SHARE * len(text) and len(text) >= _GARBAGE_FROM else 0


def _is_garbage(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in _MEANINGLESS


def taken_apart(content: PageContent, findings: list[Finding]) -> Page:
    """A page's tables and lines; what did not fit is appended to `findings`."""
    if content.is_scan_with_ocr:
        content.most_certain = min(content.most_certain, _FOREIGN_RECOGNITION)
        content.characters.scores = [content.most_certain] * len(content.characters)
    found = pdf_grid.tables(content.horizontal, content.vertical)
    if found is None:
        message = f"page {content.number} has too many ruled lines to be a table"
        findings.append(Finding("too_many_lines", message, f"page={content.number}"))
    ruled = [table for table in found or () if table.columns > 1]
    inside: list[list[list[Run]]] = [[[] for _ in table.boxes] for table in ruled]
    outside = _shared_out(content, ruled, inside, findings)
    tables = []
    for table, members in zip(ruled, inside, strict=True):
        filled = sum(1 for runs in members if runs)
        # One row of many cells is the end of a row that began overleaf.
        is_rest = filled and table.columns > _FEW_COLUMNS and len(table.ys) == 2
        if filled < _MIN_CELLS and not is_rest:
            outside = sorted([*outside, *(run for runs in members for run in runs)])
        else:
            tables.append(_page_table(content, table, members, findings))
    if tables or (content.most_certain < 1.0 and not content.is_scan_with_ocr):
        return Page(content, tables, pdf_text.lines(content.characters, outside))
    return _without_vertical_rules(content, outside)


def _without_vertical_rules(content: PageContent, runs: list[Run]) -> Page:
    """A page on which no table is ruled down: its columns may show in where its numbers stand."""
    lines = pdf_text.lines(content.characters, runs)
    if sum("\t" in line.text for line in lines) < unruled.LEAST_ROWS:
        return Page(content, [], lines)
    pieces = pdf_text.pieces(content.characters, runs)
    found = unruled.tables(
        [
            unruled.PieceLine(index, line.top, line.bottom, tuple(unruled.Piece(*piece) for piece in own))
            for index, (line, own) in enumerate(zip(lines, pieces, strict=True))
        ],
        content.horizontal,
    )
    tables = [
        _PageTable(
            xs=table.edges,
            middle=(table.top + table.bottom) / 2,
            rows=table.rows,
            cells=[
                _PlacedCell(
                    text=cell.text,
                    row=cell.row,
                    row_span=1,
                    left=cell.left,
                    right=cell.right,
                    locator=content.displayed(cell.left, cell.top, cell.right, cell.bottom),
                    confidence=content.most_certain,
                )
                for cell in sorted(table.cells, key=attrgetter("row", "left"))
            ],
            page=content.number,
            locator=content.displayed(table.edges[0], table.top, table.edges[-1], table.bottom),
        )
        for table in found
    ]
    taken = frozenset().union(*(table.lines for table in found))
    return Page(content, tables, [line for index, line in enumerate(lines) if index not in taken])


def _shared_out(
    content: PageContent, ruled: list[pdf_grid.Table], inside: list[list[list[Run]]], findings: list[Finding]
) -> list[Run]:
    """Put each character into the cell its centre is in, of the smallest table there; returns those in no cell."""
    characters = content.characters
    runs = pdf_text.runs(characters)
    if not ruled:
        return runs
    places = sorted(
        zip(ruled, inside, strict=True),
        key=lambda place: (place[0].xs[-1] - place[0].xs[0]) * (place[0].ys[-1] - place[0].ys[0]),
    )
    left, top, right, bottom = characters.left, characters.top, characters.right, characters.bottom
    outside: list[Run] = []
    torn: list[int] = []
    edge = content.width
    # Between one of these heights and the next, each table has at most one row.
    heights = sorted({y for table in ruled for y in table.ys})
    rows_from = [[], *(_rows(places, y) for y in heights)]
    for run in runs:
        begin, end = run
        rows = rows_from[bisect_right(heights, (top[begin] + bottom[begin]) / 2)]
        if not rows:
            outside.append(run)
            continue
        last = (left[end - 1] + right[end - 1]) / 2
        cell = _cell(rows, (left[begin] + right[begin]) / 2, last) if last < edge else None
        if cell is not None:
            cell.append(run)
            continue
        before = None
        for index in range(begin, end):
            x = (left[index] + right[index]) / 2
            if x >= edge and left[index] < edge + (bottom[index] - top[index]) * _OFF_PAPER:
                # A number whose end runs off the paper must not become a shorter one.
                x = edge - 1.0
            cell = _cell(rows, x, x)
            (outside if cell is None else cell).append((index, index + 1))
            if cell is not before and cell is not None and before is not None and _goes_on(characters, index):
                torn += (index - 1, index)
            before = cell
    if torn:
        message = f"{len(torn) // 2} numbers on page {content.number} run over a table's line into the next cell"
        findings.append(Finding("number_over_line", message, f"page={content.number}"))
        characters.text = "".join(_OBJECT if at in torn else sign for at, sign in enumerate(characters.text))
    _take_oversized(content, inside, findings)
    return outside


def _goes_on(characters: Characters, index: int) -> bool:
    """Whether a digit stands close behind another."""
    gap = characters.left[index] - characters.right[index - 1]
    is_close = gap < _TOUCHING * (characters.bottom[index] - characters.top[index])
    return is_close and characters.text[index].isdigit() and characters.text[index - 1].isdigit()


def _rows(places: list[tuple[pdf_grid.Table, list[list[Run]]]], y: float) -> list[_Row]:
    return [
        (table.xs, table.owners[bisect_right(table.ys, y)], cells)
        for table, cells in places
        if table.ys[0] <= y < table.ys[-1]
    ]


def _cell(rows: list[_Row], first: float, last: float) -> list[Run] | None:
    """The cell in which all is from one place to another; None where there is no such cell, or more than one."""
    for edges, owners, cells in rows:
        owner = owners[bisect_right(edges, first)]
        if first != last and (owner < 0 or owners[bisect_right(edges, last)] != owner):
            return None
        if owner >= 0:
            return cells[owner]
    return None


def _take_oversized(content: PageContent, inside: list[list[list[Run]]], findings: list[Finding]) -> None:
    """Take what is too large for text out of the cells."""
    top, bottom = content.characters.top, content.characters.bottom
    heights = sorted(map(sub, bottom, top))
    too_high = heights[len(heights) // 2] * _OVERSIZED if heights else math.inf
    if not heights or heights[-1] <= too_high:
        return
    count = 0
    for cells in inside:
        for at, runs in enumerate(cells):
            cells[at] = [run for run in runs if bottom[run[0]] - top[run[0]] <= too_high]
            count += sum(end - begin for begin, end in runs) - sum(end - begin for begin, end in cells[at])
    if count:
        message = f"{count} characters across tables of page {content.number} are a watermark or a seal; left out"
        findings.append(Finding("watermark", message, f"page={content.number}"))


def _page_table(
    content: PageContent, table: pdf_grid.Table, members: list[list[Run]], findings: list[Finding]
) -> _PageTable:
    cells = []
    white = 0
    is_certain = not content.most_certain < 1.0
    xs, ys = table.xs, table.ys
    locators = content.all_displayed(xs, ys, table.boxes)
    for (row, column, row_span, column_span), runs, locator in zip(table.boxes, members, locators, strict=True):
        left, right = xs[column], xs[column + column_span]
        text = _cell_text(content, runs) if runs else ""
        if not text and content.images and _holds_picture(content, (left, ys[row], right, ys[row + row_span])):
            text = _OBJECT
        if content.white and text and not _HAN.search(text) and _is_white(content, runs):
            white += 1
            text = _OBJECT
        confidence = 1.0 if is_certain else _confidence(content, runs)
        cells.append(_PlacedCell(text, row, row_span, left, right, locator, confidence))
    whole = content.displayed(xs[0], ys[0], xs[-1], ys[-1])
    if white:
        findings.append(
            Finding("white_number", f"{white} cells hold numbers in white ink, which may not be seen", whole)
        )
    return _PageTable(xs, (ys[0] + ys[-1]) / 2, len(ys) - 1, cells, content.number, whole)


def _holds_picture(content: PageContent, cell: tuple[float, float, float, float]) -> bool:
    """Whether a picture that is more than a speck or a line stands in a cell, and in no other."""
    left, top, right, bottom = cell
    near = _LEAST_PICTURE
    return any(
        left - near <= x0 and top - near <= y0 and x1 <= right + near and y1 <= bottom + near
        for x0, y0, x1, y1 in content.images
        if min(x1 - x0, y1 - y0) > near
    )


def _is_white(content: PageContent, runs: list[Run]) -> bool:
    """Whether a character of a cell is in white ink. pdfium may put the end of a text before its last character's."""
    characters = content.characters
    return any(
        left < characters.right[index]
        and characters.left[index] < right
        and characters.top[index] <= (top + bottom) / 2 <= characters.bottom[index]
        for left, top, right, bottom in content.white
        for index in pdf_text.indices(runs)
    )


def _cell_text(content: PageContent, runs: list[Run]) -> str:
    if len(runs) == 1:
        begin, end = runs[0]
        return content.characters.text[begin:end].strip()
    return "\n".join(pdf_text.line_texts(content.characters, runs))


def _confidence(content: PageContent, runs: list[Run]) -> float:
    """That of a picture's least sure character; an empty cell is as sure as pictures get."""
    scores = content.characters.scores
    return min((min(scores[begin:end]) for begin, end in runs), default=content.most_certain)


def _running_heads(pages: Sequence[Page]) -> set[str]:
    """Lines in the margins that return on at least three pages, and on every other one."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({line.text for line in page.lines if _in_margin(line, page.content.height)})
    needed = max(_RUNNING_HEAD_PAGES, len(pages) / 2)
    return {text for text, count in seen.items() if count >= needed}


def _in_margin(line: TextLine, height: float) -> bool:
    return line.bottom < height * _RUNNING_HEAD_MARGIN or line.top > height * (1 - _RUNNING_HEAD_MARGIN)


def _without_furniture(page: Page, heads: set[str]) -> list[TextLine]:
    height = page.content.height
    return [
        line
        for line in page.lines
        if not pdf_text.is_page_number(line, height) and not (line.text in heads and _in_margin(line, height))
    ]


def _page_blocks(page: Page, measured: pdf_text.Measure) -> list[_PageBlock]:
    """Blocks of a page, top to bottom; a table parts the text above it from the text below."""
    content = page.content
    tables = sorted(page.tables, key=lambda table: table.middle)
    parts: list[list[TextLine]] = [[] for _ in range(len(tables) + 1)]
    for line in page.lines:
        middle = (line.top + line.bottom) / 2
        parts[sum(1 for table in tables if table.middle < middle)].append(line)
    blocks: list[_PageBlock] = []
    for index, part in enumerate(parts):
        for block in pdf_text.paragraphs(part, measured):
            locator = content.displayed(block.left, block.top, block.right, block.bottom)
            blocks.append(_PageParagraph(block, content.number, locator))
        blocks.extend(tables[index : index + 1])
    return blocks


def _joined(blocks: list[_PageBlock]) -> list[_PageBlock]:
    """Tables and paragraphs that a page end cut in two are put together."""
    joined: list[_PageBlock] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last is None or block.page != last.page + 1:
            joined.append(block)
        elif isinstance(block, _PageTable) and isinstance(last, _PageTable) and _is_same_table(last, block):
            joined[-1] = _one_table(last, block)
        elif isinstance(block, _PageParagraph) and isinstance(last, _PageParagraph) and _runs_on(last, block):
            joined[-1] = _one_paragraph(last, block)
        else:
            joined.append(block)
    return joined


def _is_same_table(above: _PageTable, below: _PageTable) -> bool:
    return abs(above.xs[0] - below.xs[0]) <= _EDGES_AGREE and abs(above.xs[-1] - below.xs[-1]) <= _EDGES_AGREE


def _one_table(above: _PageTable, below: _PageTable) -> _PageTable:
    for cell in below.cells:
        cell.row += above.rows
    xs = pdf_grid.edges((*above.xs, *below.xs))
    return _PageTable(
        xs, above.middle, above.rows + below.rows, [*above.cells, *below.cells], below.page, above.locator
    )


def _runs_on(above: _PageParagraph, below: _PageParagraph) -> bool:
    return above.block.is_full and below.block.is_flush


def _one_paragraph(above: _PageParagraph, below: _PageParagraph) -> _PageParagraph:
    text = pdf_text.joined_lines((above.block.text, below.block.text))
    block = structs.replace(above.block, text=text, is_full=below.block.is_full)
    return _PageParagraph(block, below.page, above.locator)


def _public(block: _PageBlock) -> Block:
    if isinstance(block, _PageParagraph):
        return Paragraph(block.block.text, block.locator, 1 if block.block.is_heading else None)
    edges = {edge for cell in block.cells for edge in (cell.left, cell.right)}
    columns = {edge: _nearest(block.xs, edge) for edge in edges}
    cells = []
    for cell in block.cells:
        column = columns[cell.left]
        span = max(1, columns[cell.right] - column)
        cells.append(Cell(cell.text, cell.row, column, cell.locator, cell.row_span, span, cell.confidence))
    return Grid(tuple(cells), block.locator)


def _nearest(edges: Sequence[float], position: float) -> int:
    after = bisect_left(edges, position)
    if after == 0:
        return 0
    if after == len(edges):
        return after - 1
    return after if edges[after] - position < position - edges[after - 1] else after - 1
