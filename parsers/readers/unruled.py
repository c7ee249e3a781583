"""Tables of a page that no vertical rules part: their columns are where numbers stand below each other.

Some offices rule rows only, or nothing. Numbers of one column overlap sideways, those of two never do; words that
stand above numbers, after numbers were printed, begin a table with columns of its own. Rows are what horizontal rules
part, else printed lines: labels over several lines are put together by those who know the labels. A column in which no
number is printed is not seen, and its rows are then short: nothing is put into a column by counting.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from parsers.normalise import is_section_heading, is_wordy
from parsers.readers.pdf_grid import Line

# A page has tables where so many rows hold three numbers or more, or so many a label and a number.
LEAST_ROWS, _LEAST_LISTED = 3, 5
_LEAST_NUMBERS = 3
_LONGEST_CELL = 24
_SENTENCE_ENDS = ("。", "；", "：", "，")
# In units of a line's height: how far apart lines of one table may stand.
_APART = 2.6
_ABOVE = 3
# Rules this long, as a share of the longest, part rows.
_LEAST_RULE = 0.3
_SNAP = 2.0


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands together on a line; points."""

    text: str
    left: float
    right: float

    @property
    def is_number(self) -> bool:
        return not is_wordy(self.text)


@dataclass(frozen=True, slots=True)
class PieceLine:
    """A printed line in pieces, from left to right. `index` is its place among the page's lines."""

    index: int
    top: float
    bottom: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class UnruledCell:
    """A cell; points. `column` and `span` count the table's columns."""

    text: str
    row: int
    column: int
    span: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class UnruledTable:
    """Cells row by row, the edges of the columns, and which of the page's lines are in it."""

    cells: tuple[UnruledCell, ...]
    rows: int
    edges: tuple[float, ...]
    lines: frozenset[int]
    top: float
    bottom: float


@dataclass(slots=True)
class _Run:
    """Lines of one table; `first` is where its numbers begin sideways."""

    lines: list[PieceLine] = field(default_factory=list)
    first: float = float("inf")

    def take(self, line: PieceLine) -> None:
        self.lines.append(line)
        if _numbers(line):
            self.first = min(self.first, *(piece.left for piece in _numbers(line)))


def tables(lines: Sequence[PieceLine], horizontal: Sequence[Line]) -> list[UnruledTable]:
    """The tables of a page without vertical rules, top to bottom; none where its lines do not look like tables."""
    rows = [line for line in lines if not _is_break(line)]
    many = sum(len(_numbers(line)) >= _LEAST_NUMBERS for line in rows)
    listed = sum(len(line.pieces) > 1 and bool(_numbers(line)) for line in rows)
    if many < LEAST_ROWS and listed < _LEAST_LISTED:
        return []
    rules = _rules(horizontal)
    found = (_table(run, rules) for run in _runs(lines))
    return [table for table in found if table is not None]


def _numbers(line: PieceLine) -> list[Piece]:
    return [piece for piece in line.pieces if piece.is_number]


def _is_break(line: PieceLine) -> bool:
    """Whether a line is running text or a heading of a section."""
    if len(line.pieces) > 1:
        return any(piece.text.endswith("。") for piece in line.pieces)
    text = line.pieces[0].text
    return len(text) > _LONGEST_CELL or text.endswith(_SENTENCE_ENDS) or is_section_heading(text)


def _runs(lines: Sequence[PieceLine]) -> Iterator[_Run]:
    run = _Run()
    for line in lines:
        last = run.lines[-1] if run.lines else None
        is_apart = last is not None and line.top - last.bottom > _APART * (last.bottom - last.top)
        if _is_break(line) or is_apart:
            yield run
            run = _Run()
        elif not _numbers(line) and any((piece.left + piece.right) / 2 > run.first for piece in line.pieces):
            # Words above the next numbers: a header.
            yield run
            run = _Run()
        if not _is_break(line):
            run.take(line)
    yield run


def _table(run: _Run, rules: Sequence[float]) -> UnruledTable | None:
    numbered = [at for at, line in enumerate(run.lines) if _numbers(line) and len(line.pieces) > 1]
    if not numbered:
        return None
    begin = numbered[0]
    while begin > 0 and numbered[0] - begin < _ABOVE + 4:
        begin -= 1
    lines = run.lines[begin:]
    columns = _columns(lines)
    first = columns[0][0]
    rows = _rows(lines, rules)
    left = min(piece.left for line in lines for piece in line.pieces)
    right = max(columns[-1][1], *(piece.right for line in lines for piece in line.pieces))
    edges = [left, *_between_labels(lines, first)]
    labels = len(edges)
    edges += [first, *((before[1] + after[0]) / 2 for before, after in pairwise(columns)), right]
    cells: list[UnruledCell] = []
    for number, row in enumerate(rows):
        cells += _cells(number, row, columns, edges, labels)
    return UnruledTable(
        cells=tuple(cells),
        rows=len(rows),
        edges=tuple(edges),
        lines=frozenset(line.index for line in lines),
        top=lines[0].top,
        bottom=lines[-1].bottom,
    )


def _columns(lines: Sequence[PieceLine]) -> list[tuple[float, float]]:
    """Where numbers stand below each other, from left to right."""
    spans = sorted(
        (piece.left, piece.right) for line in lines if len(line.pieces) > 1 for piece in line.pieces if piece.is_number
    )
    columns = spans[:1]
    for left, right in spans[1:]:
        if left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _between_labels(lines: Sequence[PieceLine], first: float) -> list[float]:
    """Where columns of labels are parted: as few places as lie in every gap between two labels of a line."""
    gaps = sorted(
        (after.left, before.right)
        for line in lines
        for before, after in pairwise(line.pieces)
        if after.right <= first and not after.is_number
    )
    common: list[tuple[float, float]] = []
    for end, start in gaps:
        if not common or start > common[-1][1]:
            common.append((start, end))
        else:
            common[-1] = (max(common[-1][0], start), common[-1][1])
    return [(start + end) / 2 for start, end in common]


def _rules(horizontal: Sequence[Line]) -> list[float]:
    """Heights at which rows are parted."""
    longest = max((line.end - line.start for line in horizontal), default=0.0)
    heights: list[float] = []
    for line in sorted(horizontal, key=lambda line: line.at):
        if line.end - line.start >= _LEAST_RULE * longest and (not heights or line.at - heights[-1] > _SNAP):
            heights.append(line.at)
    return heights


def _rows(lines: Sequence[PieceLine], rules: Sequence[float]) -> list[list[PieceLine]]:
    """Lines between two rules are one row; without rules between them each line is."""
    between = [bisect_right(rules, (line.top + line.bottom) / 2) for line in lines]
    if len(set(between)) == 1 or len(set(between)) * 2 < len(lines):
        return [[line] for line in lines]
    rows: list[list[PieceLine]] = []
    for at, line in enumerate(lines):
        if at and between[at] == between[at - 1]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _cells(
    number: int,
    lines: Sequence[PieceLine],
    columns: Sequence[tuple[float, float]],
    edges: Sequence[float],
    labels: int,
) -> Iterator[UnruledCell]:
    """A row's labels, then a cell for each column, empty where nothing is printed; a row of words alone has no more."""
    top, bottom = lines[0].top, max(line.bottom for line in lines)
    pieces = [piece for line in lines for piece in line.pieces]
    first = columns[0][0]
    heads = _stacked(
        [piece for piece in pieces if piece.right <= first or (piece.left < first and not piece.is_number)]
    )
    for at, piece in enumerate(heads):
        place = max(0, bisect_right(edges, piece.left, 0, labels) - 1)
        yield UnruledCell(piece.text, number, place, 1, edges[place] + at / 100, top, edges[place + 1], bottom)
    rest = [piece for piece in pieces if piece.right > first and (piece.left >= first or piece.is_number)]
    if not any(piece.is_number for piece in rest):
        for piece in _stacked(rest):
            under = [at for at, (left, right) in enumerate(columns) if left < piece.right and piece.left < right]
            begin = (
                under[0] if under else min(len(columns) - 1, bisect_right([left for left, _ in columns], piece.left))
            )
            end = under[-1] + 1 if under else begin + 1
            yield UnruledCell(
                piece.text, number, labels + begin, end - begin, edges[labels + begin], top, edges[labels + end], bottom
            )
        return
    for at, (left, right) in enumerate(columns):
        own = [piece for piece in rest if left <= (piece.left + piece.right) / 2 <= right]
        text = "\n".join(piece.text for piece in own)
        yield UnruledCell(text, number, labels + at, 1, edges[labels + at], top, edges[labels + at + 1], bottom)


def _stacked(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces below each other as one, from left to right."""
    stacks: list[Piece] = []
    for piece in pieces:
        for at, stack in enumerate(stacks):
            if stack.left < piece.right and piece.left < stack.right:
                left, right = min(stack.left, piece.left), max(stack.right, piece.right)
                stacks[at] = Piece(f"{stack.text}\n{piece.text}", left, right)
                break
        else:
            stacks.append(piece)
    return sorted(stacks, key=lambda stack: stack.left)
