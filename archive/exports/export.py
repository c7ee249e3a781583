"""One export: every table in one format, each file whole or not there, and what a reader needs beside them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.exports import csv_files, notes, package, parquet, stata
from archive.exports.tables import ExportTable, Row, Selection, Source
from archive.seal import file_sha256
from archive.times import Clock, now

SUFFIXES: dict[notes.Format, str] = {"csv": "csv", "parquet": "parquet", "stata": "dta", "datapackage": "csv"}
# Told the table and how many rows of it were written since the last time.
Advance = Callable[[str, int], object]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export. `rows` is None for what is no table."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


def export(
    database: Path,
    to: Path,
    form: notes.Format,
    *,
    selection: Selection | None = None,
    bom: bool = True,
    release: str = "",
    clock: Clock = now,
    advance: Advance = lambda *_: None,
) -> list[ExportedFile]:
    """Writes every table of a corpus or snapshot into the folder `to`.

    Raises ArchiveError when there is nothing to export or a library is missing, OSError when it cannot be written.
    """
    made = clock()
    made_on = f"{made:%Y-%m-%d}"
    found: list[ExportedFile] = []
    with Source(database, selection) as source:
        to.mkdir(parents=True, exist_ok=True)
        tables: list[ExportTable] = []
        for table in source.tables(ranges=form == "stata"):
            name = f"{table.name}.{SUFFIXES[form]}"
            with whole(to / name) as path, contextlib.closing(source.rows(table)) as rows:
                batches = _counted(rows, table.name, advance)
                if form == "parquet":
                    parquet.write(table, batches, path)
                elif form == "stata":
                    stata.write(table, batches, path, stamp=f"{made:%d %b %Y %H:%M}")
                else:
                    _fill(path, csv_files.pieces(table, batches, bom=bom and form == "csv"))
            tables.append(table)
            found.append(_file(to / name, table.rows))
        texts = {
            "README.md": notes.readme(form, tables, source.selection, made_on),
            "codebook.md": notes.codebook(tables),
            "CITATION.cff": notes.citation(made_on, release),
        }
    if form == "datapackage":
        resources = [
            package.Resource(table, file.name, file.bytes, file.sha256)
            for table, file in zip(tables, found, strict=True)
        ]
        about: dict[str, Any] = {
            "title": f"{notes.TITLE_ZH} {notes.TITLE}",
            "version": release or made_on,
            "created": f"{made:%Y-%m-%dT%H:%M:%SZ}",
        }
        tree = package.descriptor(resources, about)
        texts["datapackage.json"] = json.dumps(tree, ensure_ascii=False, indent=1) + "\n"
    for name, text in texts.items():
        with whole(to / name) as path:
            path.write_text(text, "utf-8")
        found.append(_file(to / name, None))
    _logger.info("exported %s as %s to %s", database, form, to)
    return found


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write to; what was written takes the place of `path` only when it is whole and on the disk."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _fill(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as out:
        for piece in pieces:
            out.write(piece)


def _counted(batches: Iterable[list[Row]], name: str, advance: Advance) -> Iterator[list[Row]]:
    for batch in batches:
        yield batch
        advance(name, len(batch))


def _file(path: Path, rows: int | None) -> ExportedFile:
    return ExportedFile(path.name, rows, path.stat().st_size, file_sha256(path))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
