"""Plain text, as PDF-to-text and Word-to-text tools leave it, and Markdown.

Tables come in five shapes, told apart by how their lines look:

    ruled     Markdown rows between bars; grids drawn with +---+
    tabbed    cells separated by tabs, one row a line; broken by pages, ragged
    indented  one cell a line, each behind a tab, rows separated by blank lines
    layout    cells set apart by runs of spaces (pdftotext -layout), or numbers after a label
    stream    one cell a line and nothing that marks rows; a blank line among them is an empty cell

Only in ruled and layout tables is it known in which column a cell stands, in a stream not even where a row ends. Text
whose cells are glued together (规章555规范性文件…) is no table: it stays a paragraph and nothing is guessed from it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from msgspec import structs

from parsers.decode import decode
from parsers.errors import UnreadableDocumentError
from parsers.model import Block, Cell, Document, Finding, Grid, Paragraph
from parsers.normalise import is_section_heading, is_wordy, squeezed
from parsers.readers.layout import SIGNING_DATE, is_page_mark, layout_grids, layout_runs

MAX_BYTES = 32 * 1024 * 1024
_MAX_CONTROL_SHARE = 0.01

_LINE_END = re.compile(r"\r\n|\n|\r")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"\s*[|+]?\s*:?[-=]{2,}:?\s*([|+]\s*:?[-=]{2,}:?\s*)*[|+]?\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# A label or a header word; narrative lines are longer or end like sentences.
_STREAM_CELL_LENGTH = 48
_STREAM_LEAST_NUMBERS = 8
# Stands for what is missing of a number.
_CUT = "\ufffc"
_SENTENCE_END = "。；;！？!?"
# A table with a rule between all its rows has at least this many between rules: a head, a few rows.
_LEAST_GROUPS = 4
_SPACED_SHARE = 0.9


def read(data: bytes) -> Document:
    """Read text in UTF-8, UTF-16 or GB18030.

    Raises UnreadableDocumentError: `too_large`, `empty`, or `damaged` when the bytes are no text.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableDocumentError("too_large", f"the text has {len(data)} bytes; at most {MAX_BYTES} are read")
    decoded = decode(data)
    text = decoded.text
    if not text.strip():
        raise UnreadableDocumentError("empty", "the text holds nothing but white space")
    odd = len(_CONTROL.findall(text)) + decoded.broken
    if odd > max(4, len(text) * _MAX_CONTROL_SHARE):
        raise UnreadableDocumentError("damaged", f"no text: {odd} of {len(text)} characters cannot stand in one")
    findings: tuple[Finding, ...] = ()
    if decoded.broken:
        message = f"{decoded.broken} places of the text could not be decoded as {decoded.encoding}"
        findings = (Finding("undecodable_bytes", message),)
    blocks = tuple(_blocks(split_lines(text)))
    if text[-1].isdigit() and isinstance(blocks[-1], Grid) and _may_go_on(blocks[-1].cells[-1].text):
        blocks = (*blocks[:-1], _without_end(blocks[-1]))
        message = "the text ends with a number of a table, and without the end of its line: more of it may be missing"
        findings = (*findings, Finding("cut_off", message, blocks[-1].locator))
    media_type = (
        "text/markdown" if any(isinstance(block, Paragraph) and block.level for block in blocks) else "text/plain"
    )
    return Document(media_type=media_type, blocks=blocks, findings=findings)


def _may_go_on(number: str) -> bool:
    return number != "0" and not is_wordy(number)


def _without_end(grid: Grid) -> Grid:
    """The table with its last number as one that cannot be told."""
    *before, last = grid.cells
    return replace(grid, cells=(*before, structs.replace(last, text=f"{last.text}{_CUT}")))


def split_lines(text: str) -> list[str]:
    """The lines that locators count."""
    return [line.replace("\f", "") for line in _LINE_END.split(text)]


def _blocks(lines: list[str]) -> Iterator[Block]:
    stream = _stream_lines(lines)
    layouts = layout_runs(lines, stream)
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            # A line of tabs alone is an empty row only inside a table.
            at += 1
            continue
        if _is_ruled(lines, at):
            grid, at = _ruled(lines, at)
            yield grid
        elif "\t" in line and _is_tabbed(line):
            grid, at = _with_tabs(lines, at)
            yield grid
        elif at in stream:
            grid, at = _stream(lines, at, stream)
            yield grid
        elif at in layouts:
            yield from layout_grids(lines, at, layouts[at])
            at = layouts[at]
        else:
            yield _paragraph(line, at)
            at += 1


def _paragraph(line: str, at: int) -> Paragraph:
    heading = _MARKDOWN_HEADING.match(line.strip())
    if heading:
        return Paragraph(heading.group(2), f"line={at + 1}", len(heading.group(1)))
    return Paragraph(line.strip(), f"line={at + 1}")


@dataclass(slots=True)
class _Rows:
    """Rows under construction: each a list of (text, line, column), line and column counted from 1."""

    rows: list[list[tuple[str, int, int]]] = field(default_factory=list)

    def grid(self, *, columns_known: bool, rows_known: bool = True) -> Grid:
        cells = tuple(
            Cell(text, row, column, f"line={line};column={place}")
            for row, entries in enumerate(self.rows)
            for column, (text, line, place) in enumerate(entries)
        )
        first = next((entry[1] for entries in self.rows for entry in entries), 1)
        return Grid(cells, f"line={first}", columns_known=columns_known, rows_known=rows_known)


def _is_ruled(lines: list[str], at: int) -> bool:
    line = lines[at].strip()
    if _is_border(line):
        return at + 1 < len(lines) and lines[at + 1].strip().startswith("|")
    return len(_BAR.findall(line)) >= 2 and (
        line[0] == "|" or (at + 1 < len(lines) and bool(_RULE.match(lines[at + 1])))
    )


def _is_border(line: str) -> bool:
    """Whether a line is one of those drawn around and between the rows of a grid: +------+------+."""
    return line.startswith("+") and bool(_RULE.match(line))


def _ruled(lines: list[str], start: int) -> tuple[Grid, int]:
    end = start
    for at in range(start, len(lines)):
        line = lines[at].strip()
        if len(_BAR.findall(line)) >= 2 or _is_border(line) or (at > start and _RULE.match(line)):
            end = at + 1
        elif line or at + 1 == len(lines) or not lines[at + 1].strip().startswith("|"):
            break
    printed = [at for at in range(start, end) if lines[at].strip() and not _RULE.match(lines[at])]
    rules = [at for at in range(start, end) if _RULE.match(lines[at])]
    # Without bars at the outside, the bar that begins a line stands after an empty cell.
    rule = lines[rules[0]].strip() if rules else ""
    outer = rule[0] in "|+" if rule else all(lines[at].strip().startswith("|") for at in printed)
    rows = [_bar_cells(lines[at], at, outer=outer) for at in printed]
    return _Rows(_between_rules(rows, rules)).grid(columns_known=True), end


def _bar_cells(line: str, at: int, *, outer: bool) -> list[tuple[str, int, int]]:
    inner = line.strip()
    if outer:
        inner = inner.removeprefix("|")
        inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    texts = [_BREAK.sub("\n", part.replace("\\|", "|").replace("**", "").strip()) for part in _BAR.split(inner)]
    return [(text, at + 1, place) for place, text in enumerate(texts, 1)]


def _between_rules(rows: list[list[tuple[str, int, int]]], rules: list[int]) -> list[list[tuple[str, int, int]]]:
    """Rows whose cells go over several lines made one, where a rule parts each row from the next."""
    groups: dict[int, list[list[tuple[str, int, int]]]] = {}
    for row in rows:
        groups.setdefault(bisect(rules, row[0][1] - 1), []).append(row)
    numbered = sum(any(text and not is_wordy(text) for text, _, _ in row) for row in rows)
    if len(groups) < _LEAST_GROUPS or len(groups) * 2 < numbered:
        return rows
    return [_stacked(group) for group in groups.values()]


def _stacked(lines: list[list[tuple[str, int, int]]]) -> list[tuple[str, int, int]]:
    """The lines of one row as one, as short as its shortest: a line that lost a cell does not say which."""
    cells: list[tuple[str, int, int]] = []
    for place in range(1, min(len(line) for line in lines) + 1):
        parts = [line[place - 1] for line in lines]
        first = next((part for part in parts if part[0]), parts[0])
        cells.append(("\n".join(part[0] for part in parts if part[0]), first[1], place))
    return cells


def _is_tabbed(line: str) -> bool:
    """Whether the tabs set cells apart: a paragraph indented by one tab is long and has no other."""
    return not (line.startswith("\t") and line.count("\t") == 1 and len(line) > 2 * _STREAM_CELL_LENGTH)


def _with_tabs(lines: list[str], start: int) -> tuple[Grid, int]:
    """The table that begins at `start`: it ends before the first line that has no tab and follows a blank line."""
    end, after_blank = start, False
    for at in range(start, len(lines)):
        line = lines[at]
        if "\t" in line:
            if line.strip() and not _is_tabbed(line):
                break
            end, after_blank = at + 1, False
        elif not line.strip():
            after_blank = True
        elif after_blank or not _continues(lines, at):
            # A line that directly follows a cell may be its continuation.
            break
    region = lines[start:end]
    alone = sum(1 for line in region if line.startswith("\t") and "\t" not in line[1:].rstrip("\t"))
    tabbed = sum(1 for line in region if "\t" in line) - alone
    if alone > 4 * tabbed and lines[start].startswith("\t"):
        return _indented(lines, start)
    return _tabbed(lines, start, end)


def _continues(lines: list[str], at: int) -> bool:
    """Whether a line without a tab goes on with the cell above it: short, and the table goes on below."""
    return len(lines[at].strip()) <= _STREAM_CELL_LENGTH and not is_section_heading(lines[at])


def _tabbed(lines: list[str], start: int, end: int) -> tuple[Grid, int]:
    rows = _Rows()
    at = start
    while at < end:
        # A line without a tab between two that have some goes on with the row above.
        if "\t" in lines[at] or (lines[at].strip() and not is_page_mark(lines[at])):
            row = [(text.strip(), at + 1, place) for place, text in enumerate(lines[at].split("\t"), 1)]
            if rows.rows and _cuts_number(lines[at - 1], lines[at]):
                text, line, place = rows.rows[-1].pop()
                rows.rows[-1] += [(f"{text}\n{row[0][0]}", line, place), *row[1:]]
            else:
                rows.rows.append(row)
        at += 1
    return rows.grid(columns_known=False), at


def _cuts_number(above: str, line: str) -> bool:
    """Whether a row's last number may go on in the line below, which has no label of its own.

    A number alone in its line is a page's.
    """
    first, *others = line.split("\t")
    may_go_on = above[-1:].isdigit() and is_wordy(above) and bool(others) and first.strip().isdigit()
    return may_go_on and not any(map(is_wordy, others))


def _indented(lines: list[str], start: int) -> tuple[Grid, int]:
    rows = _Rows()
    row: list[tuple[str, int, int]] = []
    at = start
    while at < len(lines):
        line = lines[at]
        if is_page_mark(line):
            at += 1
            continue
        if line.startswith("\t"):
            row.extend((text.strip(), at + 1, place) for place, text in enumerate(line[1:].rstrip("\t").split("\t"), 1))
        elif not line.strip():
            if row:
                rows.rows.append(row)
            row = []
        elif row and _continues(lines, at):
            text, place, column = row[-1]
            row[-1] = (f"{text}\n{line.strip()}", place, column)
        else:
            break
        at += 1
    if row:
        rows.rows.append(row)
    return rows.grid(columns_known=False), at


def _stream_lines(lines: list[str]) -> set[int]:
    """The lines that belong to streams: runs of short lines, many of them numbers, between headings and sentences."""
    found: set[int] = set()
    run: list[int] = []
    for at, line in enumerate([*lines, "。"]):
        text = line.strip()
        if not text:
            continue
        if _may_be_stream(text, line):
            run.append(at)
            continue
        found.update(_stream_run(lines, run))
        run = []
    return found


def _may_be_stream(text: str, line: str) -> bool:
    return (
        "\t" not in line
        and len(text) <= _STREAM_CELL_LENGTH
        and text[-1] not in _SENTENCE_END
        and not is_section_heading(text)
        and "|" not in text
        and not re.search(r"\S {2,}\S", text)
    )


def _stream_run(lines: list[str], run: list[int]) -> list[int]:
    numbers = [at for at in run if not is_wordy(lines[at].strip())]
    if len(numbers) < _STREAM_LEAST_NUMBERS:
        return []
    # The name and the date that sign the report stand directly below its last table.
    signed = next((at for at in run if at > numbers[-1] and SIGNING_DATE.search(lines[at])), None)
    return run if signed is None else run[: max(run.index(signed) - 1, run.index(numbers[-1]) + 1)]


def _stream(lines: list[str], start: int, stream: set[int]) -> tuple[Grid, int]:
    end = start
    while end < len(lines) and (end in stream or not lines[end].strip()):
        end += 1
    printed = [at for at in range(start, end) if at in stream and squeezed(lines[at])]
    gaps = [(before, after, after - before - 1) for before, after in pairwise(printed)]
    # Where a blank line parts any two cells, or any two rows, only what is more than that is empty cells.
    spaced = sum(gap > 0 for _, _, gap in gaps) > _SPACED_SHARE * len(gaps)
    ends = [gap for before, after, gap in gaps if is_wordy(lines[after]) and not is_wordy(lines[before])]
    parted = sum(gap > 0 for gap in ends) > _SPACED_SHARE * len(ends)
    rows = _Rows()
    for before, after, gap in [*gaps, *((at, at, 0) for at in printed[-1:])]:
        if is_page_mark(lines[before]):
            continue
        rows.rows.append([(lines[before].strip(), before + 1, 1)])
        if is_page_mark(lines[after]):
            continue
        row_ends = parted and is_wordy(lines[after])
        empty = (gap - 1) // 2 if spaced else gap - row_ends
        rows.rows.extend([("", before + 2, 1)] for _ in range(empty))
    return rows.grid(columns_known=False, rows_known=False), end
