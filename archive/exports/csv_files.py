"""CSV as RFC 4180 has it: UTF-8, comma, CRLF, the header from the column names.

Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay as they are. NULL and the
empty text are both an empty field: `status` and the codebook say which it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from archive.exports.tables import ExportTable, Row

BOM = b"\xef\xbb\xbf"
# Spreadsheets of East Asian editions take the full-width signs for the plain ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_FIRST = frozenset(FORMULA_STARTS)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def safe(value: object) -> object:
    """The value as it goes into a cell."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def pieces(table: ExportTable, batches: Iterable[list[Row]], *, bom: bool) -> Iterator[bytes]:
    """The file, batch by batch."""
    yield (BOM if bom else b"") + _written([tuple(column.name for column in table.columns)])
    texts = [place for place, column in enumerate(table.columns) if column.kind == "text"]
    for batch in batches:
        yield _written([_safe_row(row, texts) for row in batch])


def _safe_row(row: Row, texts: list[int]) -> Row:
    """The row with its texts made safe; most rows have nothing to change."""
    for place in texts:
        value = row[place]
        if value and isinstance(value, str) and value[0] in _FIRST:
            return tuple(map(safe, row))
    return row


def _written(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
