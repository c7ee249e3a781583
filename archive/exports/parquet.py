"""Parquet with pyarrow: typed columns, zstd, titles and units in the schema's metadata."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError
from archive.exports.tables import Column, ExportTable, Row

ROWS_IN_GROUP = 100_000


def write(table: ExportTable, batches: Iterable[list[Row]], path: Path) -> None:
    """Raises ArchiveError where pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ArchiveError("Parquet needs pyarrow: pip install 'gongkai[parquet]'") from error
    schema = pa.schema(
        [_field(pa, column) for column in table.columns],
        metadata={"title": table.title, "title_zh": table.title_zh, "description": table.description},
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        held: list[Row] = []
        for batch in batches:
            held += batch
            if len(held) >= ROWS_IN_GROUP:
                writer.write_table(_arrow(pa, schema, held))
                held = []
        if held or table.rows == 0:
            writer.write_table(_arrow(pa, schema, held))


def _field(pa: Any, column: Column) -> Any:
    types = {"integer": pa.int64(), "number": pa.float64(), "text": pa.string()}
    about = {"title_zh": column.zh, "description": column.en, "unit": column.unit}
    return pa.field(column.name, types[column.kind], metadata={key: text for key, text in about.items() if text})


def _arrow(pa: Any, schema: Any, rows: list[Row]) -> Any:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in schema]
    arrays = [_array(pa, values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(pa: Any, values: tuple[Any, ...], kind: Any) -> Any:
    if kind == pa.float64():
        # pyarrow refuses whole numbers that a double does not hold exactly.
        return pa.array([None if value is None else float(value) for value in values], type=kind)
    if kind != pa.string():
        return pa.array(values, type=kind)
    try:
        return pa.array(values, type=kind)
    except pa.ArrowTypeError:
        # Numbers where a view's column has texts too.
        return pa.array([None if value is None else str(value) for value in values], type=kind)
