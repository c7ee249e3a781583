"""How the rows of section three are printed in text, where empty cells may stand for merged labels or for values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parsers.rows import is_empty
from parsers.shapes.matrix_header import Header
from parsers.shapes.matrix_lines import LabelledLine

# Of the rows of a table, as many as show how it is made; the rest is damage.
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a text table are printed, where empty cells may stand for merged labels.

    `starts`: cells of the label → index of the first value in the lines printed in full, where these agree.
    `start`: the index in all lines, whatever their label, where the table's lines have their columns in common.
    `bare`: the columns follow the label at once, be it of one cell or more: no cell stands for a merged label.
    `wide`: rows have more values than the form has columns, so that one of its columns is not the form's.
    `widths`: cells of the label → how many cells such a line usually has. `stripped`: empty cells are printed between
    others, and none at the end of a line. `regular`: all lines have as many cells, and begin where their like begin.
    """

    starts: Mapping[int, int]
    start: int | None
    bare: bool
    widths: Mapping[int, int]
    stripped: bool
    regular: bool
    wide: bool


def layout_of(entries: Sequence[LabelledLine], header: Header | None, size: int) -> Layout:
    """The layout of a table of `size` columns."""
    full: dict[int, set[int]] = {}
    counts: dict[int, Counter[int]] = {}
    early: set[int] = set()
    ends_empty, has_gaps, wide = False, False, 0
    for entry in entries:
        if not entry.hit or not entry.values or not entry.line.rows_known or entry.line.columns_known:
            continue
        heads, cells = len(entry.heads), [*entry.heads, *entry.values]
        counts.setdefault(heads, Counter())[len(cells)] += 1
        ends_empty = ends_empty or is_empty(cells[-1])
        printed = [at for at in range(heads, len(cells)) if not is_empty(cells[at])]
        early.update(printed[:1])
        wide += len(printed) > 1 and printed[-1] - printed[0] >= size
        has_gaps = has_gaps or (len(printed) > 1 and printed[-1] - printed[0] + 1 != len(printed))
        if len(printed) == size and printed[-1] - printed[0] + 1 == size:
            full.setdefault(heads, set()).add(printed[0])
    rows = sum(counted.total() for counted in counts.values())
    widths = sum(counts.values(), Counter[int]())
    bare = sum(counted[heads + size] for heads, counted in counts.items())
    starts = {heads: next(iter(found)) for heads, found in full.items() if len(found) == 1}
    return Layout(
        starts,
        _common_start(full, header, min(early, default=0)),
        bare >= _MOST * rows > 0 and (len(counts) > 1 or bool(header and header.verified)),
        {heads: max(counted, key=lambda width: (counted[width], width)) for heads, counted in counts.items()},
        stripped=has_gaps and not ends_empty,
        wide=wide > (1 - _MOST) * rows,
        regular=len(starts) == len(full) and max((bare, *widths.values())) >= _MOST * rows,
    )


def _common_start(full: Mapping[int, set[int]], header: Header | None, first: int) -> int | None:
    """Where the values begin in lines whose like is nowhere printed in full."""
    found = {start for starts in full.values() for start in starts}
    if header and header.start is not None and found <= {header.start} and first >= header.start:
        return header.start
    if len(found) == 1 and any(start > heads for heads, starts in full.items() for start in starts):
        return found.pop()
    return None
