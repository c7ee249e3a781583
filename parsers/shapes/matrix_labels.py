"""Labels of section three that no one line bears whole: broken by a page or over lines, cut, misspelt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from parsers.labels import OFFICIAL, Hit, LabelBook
from parsers.model import Cell
from parsers.rows import is_blank, is_empty
from parsers.shapes.matrix_lines import LabelledLine

_LONGEST_JOIN = 6
_CUT, _DOUBTED = 0.95, 0.5


class BrokenLabels:
    """Names lines by labels that stand on several of them, or not as the form has them."""

    def __init__(self, labels: LabelBook, column_count: int) -> None:
        self._labels = labels
        self._column_count = column_count

    def joined(self, entries: list[LabelledLine]) -> list[LabelledLine]:
        """Lines whose labels make an official label together become one: rows broken by a page, labels over lines."""
        done: list[LabelledLine] = []
        at = 0
        while at < len(entries):
            joined = self._join_at(entries, at) if self._may_join(entries[at]) else self._rejoined(entries, at)
            if joined is None:
                done.append(entries[at])
                at += 1
                continue
            entry, at = joined
            done.append(entry)
        return done

    @staticmethod
    def _may_join(entry: LabelledLine) -> bool:
        return entry.hit is None and not entry.header

    def _join_at(self, entries: list[LabelledLine], at: int) -> tuple[LabelledLine, int] | None:
        window = [entries[at]]
        best: tuple[LabelledLine, int] | None = None
        for end in range(at + 1, min(at + _LONGEST_JOIN, len(entries))):
            if entries[end].header:
                continue
            if best and not all(is_empty(cell) for cell in entries[end].values):
                break
            remainder = entries[end].hit if self._may_be_remainder(entries[end], window) else None
            if not self._may_join(entries[end]) and remainder is None:
                break
            window.append(entries[end])
            hit = self._joined_hit(window)
            values = _merged_values(window)
            if remainder and (hit is None or hit.indexes != remainder.indexes):
                break
            if best and best[0].hit and hit and hit.indexes != best[0].hit.indexes:
                # The label is whole; what follows begins another.
                break
            if hit and values is not None:
                heads = next(part.heads for part in window if part.heads)
                entry = LabelledLine(window[0].line, heads, values, hit, quality=min(hit.quality, 1.0))
                if sum(not all(is_blank(cell) for cell in part.values) for part in window) > 1:
                    entry.quality = min(entry.quality, 0.9)
                best = (entry, end + 1)
        return best

    def _rejoined(self, entries: list[LabelledLine], at: int) -> tuple[LabelledLine, int] | None:
        """A label cut so that its beginning is another row's: "2.其他", and overleaf "法律行政法规禁止公开"."""
        entry = entries[at]
        if entry.hit is None or entry.hit.quality >= OFFICIAL or not entry.heads:
            return None
        end = next((end for end in range(at + 1, len(entries)) if not entries[end].header), at)
        rest = entries[end]
        if end == at or not rest.heads or not rest.values or not all(map(is_blank, rest.values)):
            return None
        whole = self._labels.exact(entry.heads[-1].text + rest.heads[-1].text)
        if whole is None or whole.quality < OFFICIAL or (rest.hit and rest.hit.indexes != whole.indexes):
            return None
        return replace(entry, hit=whole, quality=_CUT), end + 1

    @staticmethod
    def _may_be_remainder(entry: LabelledLine, window: Sequence[LabelledLine]) -> bool:
        """Whether a row of blanks may be the rest of the label above: "（七" with its values, then "）总计"."""
        above = any(part.heads and any(not is_blank(cell) for cell in part.values) for part in window)
        return above and entry.hit is not None and all(is_blank(cell) for cell in entry.values)

    def _joined_hit(self, window: list[LabelledLine]) -> Hit | None:
        worded = [entry for entry in window if entry.heads]
        if len(worded) < 2 and not (worded and len(window) > 1):
            return None
        columns = {cell.column for entry in worded for cell in entry.heads[-1:]}
        texts = [("".join(entry.heads[-1].text for entry in worded))]
        if window[0].line.columns_known:
            # A label begins on the first line that has words.
            begun = {cell.column for cell in worded[0].heads}
            texts.extend(
                "".join(cell.text for entry in worded for cell in entry.heads if cell.column == column)
                for column in sorted(columns & begun, reverse=True)
            )
        for text in texts:
            hit = self._labels.exact(text)
            if hit:
                return hit
        return None

    def match_loosely(self, entries: list[LabelledLine]) -> None:
        """Name the rows whose labels are cut or misspelt, unless another line bears the label itself."""
        taken = {entry.hit.indexes[0] for entry in entries if entry.hit}
        for entry in entries:
            if entry.hit or entry.header or not entry.heads or not entry.values:
                continue
            hit = self._labels.loose(entry.heads[-1].text)
            if hit and hit.indexes[0] not in taken and len(entry.values) >= self._column_count:
                entry.hit, entry.quality = hit, hit.quality
                taken.add(hit.indexes[0])


def doubt_blanks(entries: Sequence[LabelledLine]) -> None:
    """Blanks under values that have no label may be the rest of that row: they are not sure to be blank."""
    for before, entry in pairwise(entries):
        unnamed = before.hit is None and not before.header and any(not is_blank(cell) for cell in before.values)
        if unnamed and entry.hit and all(is_blank(cell) for cell in entry.values):
            entry.quality = min(entry.quality, _DOUBTED)


def _merged_values(window: Sequence[LabelledLine]) -> list[Cell] | None:
    """The values of several lines as one row: at most one is printed per column, or a number goes on below."""
    rows = [entry.values for entry in window if entry.values]
    filled = [row for row in rows if not all(is_blank(cell) for cell in row)]
    if len(filled) <= 1:
        return list(filled[0] if filled else rows[0]) if rows else []
    if len({len(row) for row in filled}) != 1:
        return None
    return [_merged_cell(cells) for cells in zip(*filled, strict=True)]


def _merged_cell(cells: Sequence[Cell]) -> Cell:
    printed = [cell for cell in cells if cell.text.strip()]
    if not printed:
        return cells[0]
    return replace(printed[0], text="\n".join(cell.text.strip() for cell in printed))
