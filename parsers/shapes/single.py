"""The 2014 table: label, unit, number, one a row.

被依法纠错数 and 其他情形数 are printed twice and told apart by the row they stand under.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from msgspec.structs import replace

from parsers.form import Table
from parsers.labels import OFFICIAL, Entry, LabelBook
from parsers.model import Cell, Finding
from parsers.normalise import is_wordy, label_key, money_unit
from parsers.rows import EMPTY_LINE, Candidate, Line, candidate, is_blank, is_empty, over_rows, unassigned

_STREAM, _OUT_OF_ORDER, _DOUBTED = 0.9, 0.9, 0.5
_LONGEST_JOIN = 5
_UNITS = {"条", "件", "次", "篇", "人", "人次", "个", "万元", "元", "亿元"}
_VALUE_HEADS = ("统计数", "数量", "数值", "统计数据", "统计结果")


@dataclass(slots=True)
class _Row:
    label: Cell
    indexes: tuple[int, ...]
    quality: float
    line: Line
    unit: str = ""
    values: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Single:
    """What one run of lines gave. `unknown`: how many lines with numbers no row of the form explains."""

    candidates: tuple[Candidate, ...]
    rows: tuple[str, ...]
    findings: tuple[Finding, ...]
    has_header: bool
    unknown: int = 0


class SingleReader:
    """Reads runs of lines of one table of shape `list`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows = table.blocks[0].rows
        self._labels = LabelBook(Entry(row.label, row.also) for row in self._rows)

    def is_header(self, line: Line) -> bool:
        """Whether a line heads the table: 统计指标 and a column for the numbers."""
        keys = line.keys
        return "统计指标" in keys or ("单位" in keys and any(key in _VALUE_HEADS for key in keys))

    def has_row(self, line: Line) -> bool:
        """Whether a line is a row by its label and its unit."""
        if _UNITS.isdisjoint(line.keys):
            return False
        return any(
            is_wordy(cell.text) and self._labels.exact(cell.text) and label_key(after.text) in _UNITS
            for cell, after in pairwise(line.cells)
        )

    def read(self, lines: Sequence[Line]) -> Single:
        findings: list[Finding] = []
        header = next((line for line in lines if self.is_header(line)), None)
        value_columns = self._value_columns(header) if header else 1
        candidates: list[Candidate] = []
        names: list[str] = []
        last, instance, seen = -1, 0, set[str]()
        rows = self._printed_rows(lines, findings)
        unknown = sum(finding.code == "unknown_row" for finding in findings)
        for row in rows:
            index, quality = self._which(row, last, seen)
            if index is None:
                findings.append(
                    _finding("unknown_row", f"{row.label.text.strip()}: under which heading is not known", row.label)
                )
                continue
            if self._rows[index].key in seen:
                instance, seen = instance + 1, set()
            seen.add(self._rows[index].key)
            last = index
            names.append(self._rows[index].key)
            one = self._value(index, row, min(quality, row.quality), value_columns, findings)
            candidates.append(replace(one, instance=instance))
        return Single(tuple(candidates), tuple(names), tuple(findings), header is not None, unknown)

    @staticmethod
    def _value_columns(header: Line) -> int:
        """How many columns of numbers the header announces (side by side halves repeat 单位)."""
        keys = [label_key(cell.text) for cell in header.cells]
        if "单位" not in keys or not header.rows_known:
            return 1
        halves = keys.count("单位")
        after = [key for key in keys[keys.index("单位") + 1 :] if key and key not in ("备注", "单位", "统计指标")]
        return max(1, len(after) // halves)

    def _printed_rows(self, lines: Sequence[Line], findings: list[Finding]) -> list[_Row]:
        rows: list[_Row] = []
        at = 0
        while at < len(lines):
            line = lines[at]
            if self.is_header(line) and line.rows_known:
                at += 1
                continue
            found = self._rows_of(line)
            if found:
                rows.extend(found)
                at += 1
                if at < len(lines) and line.rows_known and _is_empty(found[-1]):
                    at += self._takes_rest(found[-1], lines[at])
                continue
            row, at = self._joined(lines, at)
            known = len(findings)
            rows.extend([row] if row else self._unnamed(line, findings))
            if len(findings) > known and at < len(lines):
                self._doubt_blanks(rows_below := self._rows_of(lines[at]))
                rows.extend(rows_below)
                at += bool(rows_below)
        return rows

    def _rows_of(self, line: Line) -> list[_Row]:
        """The rows a line prints whole: one, or two in tables of two halves."""
        rows: list[_Row] = []
        words: list[Cell] = []
        for cell in line.cells:
            hit = self._labels.exact(cell.text) if is_wordy(cell.text) else None
            if hit is None and words and is_wordy(cell.text) and not rows:
                hit = self._labels.exact(words[-1].text + cell.text)
            if hit and not (rows and not rows[-1].values and line.rows_known):
                rows.append(_Row(cell, hit.indexes, hit.quality, line))
            elif hit and not line.rows_known:
                # In a stream two labels in a row share what follows.
                rows.append(_Row(cell, hit.indexes, 0.0, line))
            elif rows:
                self._take(cell, rows[-1])
            elif is_wordy(cell.text):
                words.append(cell)
        return rows

    @staticmethod
    def _doubt_blanks(rows: Sequence[_Row]) -> None:
        """Blanks under values that have no label may be the rest of that row: they are not sure to be blank."""
        for row in rows:
            if _is_empty(row):
                row.quality = min(row.quality, _DOUBTED)

    @staticmethod
    def _take(cell: Cell, row: _Row) -> None:
        key = label_key(cell.text)
        if key in _UNITS and not row.unit:
            row.unit = key
        else:
            row.values.append(cell)

    def _takes_rest(self, row: _Row, line: Line) -> bool:
        """Whether a line is the rest of the label above it, and bears its number; what may be leaves it in doubt."""
        words, rest = self._words_and_rest(line)
        after = [cell for cell in rest if words and cell.column > words[-1].column]
        if self.is_header(line) or self._rows_of(line) or not any(map(_is_number, after)):
            return False
        whole = self._labels.exact(row.label.text + words[0].text) if len(words) == 1 else None
        if whole is None or whole.indexes != row.indexes or whole.quality < OFFICIAL:
            self._doubt_blanks([row])
            return False
        row.values = []
        for cell in after:
            self._take(cell, row)
        return True

    @staticmethod
    def _words_and_rest(line: Line) -> tuple[list[Cell], list[Cell]]:
        words = [cell for cell in line.cells if is_wordy(cell.text) and label_key(cell.text) not in _UNITS]
        return words, [cell for cell in line.cells if cell not in words]

    def _joined(self, lines: Sequence[Line], at: int) -> tuple[_Row | None, int]:
        """A row whose label goes over several lines, its values on one of them; and the line after it.

        A page end may stand between them, and the header again; then a number may be cut in two as well.
        """
        texts: list[Cell] = []
        rests: list[list[Cell]] = []
        for end in range(at, min(at + _LONGEST_JOIN, len(lines))):
            line = lines[end]
            if end > at and line.rows_known and self.is_header(line):
                continue
            printed = self._rows_of(line) if end > at else []
            # The rest of a label may be a label too: "（一", its values, "）收到申请数".
            remainder = printed[0] if len(printed) == 1 and texts and rests else None
            if not line.rows_known or (printed and remainder is None):
                break
            words, rest = self._words_and_rest(line)
            if len(words) > 1:
                break
            texts.extend(words)
            rests.extend([rest] if any(map(_is_number, rest)) else [])
            hit = self._labels.exact("".join(cell.text for cell in texts)) if end > at and texts else None
            if remainder and (hit is None or hit.indexes != remainder.indexes):
                break
            values = _one_number(rests)
            if values is None:
                break
            if hit:
                row = _Row(texts[0], hit.indexes, hit.quality, lines[at])
                for cell in values or rest:
                    self._take(cell, row)
                return row, end + 1
        return None, at + 1

    def _unnamed(self, line: Line, findings: list[Finding]) -> list[_Row]:
        """A line with no known label: a cut or misspelt one, a heading, or a row the form does not have."""
        numbers = [cell for cell in line.cells if not is_blank(cell) and not is_wordy(cell.text)]
        words = [cell for cell in line.cells if is_wordy(cell.text) and label_key(cell.text) not in _UNITS]
        if not words or not numbers:
            return []
        hit = self._labels.loose(words[-1].text)
        if hit:
            row = _Row(words[-1], hit.indexes, hit.quality, line)
            for cell in line.cells[line.cells.index(words[-1]) + 1 :]:
                self._take(cell, row)
            return [row]
        message = f"{self._table.label}: no row of the form is called {words[-1].text.strip()!r}: {line.text}"
        findings.append(_finding("unknown_row", message, numbers[0]))
        return []

    def _which(self, row: _Row, last: int, seen: set[str]) -> tuple[int | None, float]:
        """The row of the form a label means: the next one after the row above."""
        if len(row.indexes) == 1:
            index = row.indexes[0]
            return index, 1.0 if index > last else _OUT_OF_ORDER
        later = [index for index in row.indexes if index > last]
        for index in later:
            parent = self._rows[index].parent
            if not parent or parent in seen:
                # The nearest heading above decides: of two parents seen, the later one.
                nearer = [other for other in later if other > index and self._rows[other].parent in seen]
                return (nearer[-1], 1.0) if nearer else (index, 1.0)
        return None, 0.0

    def _value(self, index: int, row: _Row, quality: float, columns: int, findings: list[Finding]) -> Candidate:
        form_row = self._rows[index]
        if not row.line.rows_known:
            quality = min(quality, _STREAM)
        filled = [cell for cell in row.values if not is_blank(cell)]
        if quality == 0.0:
            return unassigned([form_row.key], row.values, row.label.locator)[0]
        if not row.values:
            return Candidate(form_row.key, "blank", None, "", row.label.locator, 0.5)
        if not filled:
            if not row.line.rows_known and is_empty(row.values[0]):
                quality = min(quality, EMPTY_LINE)
            return Candidate(form_row.key, "blank", None, row.values[0].text.strip(), row.values[0].locator, quality)
        if len(filled) > 1 or columns > 1:
            printed = " | ".join(cell.text.strip() for cell in row.values)
            message = f"{row.label.text.strip()}: expected one value, found {printed}"
            findings.append(_finding("unassigned_values", message, row.label))
            return unassigned([form_row.key], row.values, row.label.locator)[0]
        unit = row.unit if row.unit in ("元", "万元", "亿元") else money_unit(row.label.text)
        quality = min(quality, over_rows(filled[0], row.label))
        return candidate(form_row.key, form_row.unit, filled[0], quality, unit)


def _is_empty(row: _Row) -> bool:
    return all(is_blank(cell) for cell in row.values)


def _is_number(cell: Cell) -> bool:
    return not is_blank(cell) and label_key(cell.text) not in _UNITS and not is_wordy(cell.text)


def _one_number(lines: Sequence[Sequence[Cell]]) -> list[Cell] | None:
    """The cells of the one line with a number, or of both that may hold its halves. None: there are two numbers."""
    if len(lines) < 2:
        return list(lines[0]) if lines else []
    numbers = [cell for line in lines for cell in line if _is_number(cell)]
    if len(numbers) > len(lines):
        return None
    rest = [cell for cell in lines[0] if cell is not numbers[0]]
    return [*rest, replace(numbers[0], text="\n".join(cell.text.strip() for cell in numbers))]


def _finding(code: str, message: str, cell: Cell) -> Finding:
    return Finding(code, " ".join(message.split()), cell.locator)
