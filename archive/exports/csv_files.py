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
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def safe(value: object) -> object:
    """The value as it goes into a cell."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def pieces(table: ExportTable, batches: Iterable[list[Row]], *, bom: bool) -> Iterator[bytes]:
    """The file, batch by batch."""
    yield (BOM if bom else b"") + _written([tuple(column.name for column in table.columns)])
    for batch in batches:
        yield _written([tuple(map(safe, row)) for row in batch])


def _written(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
