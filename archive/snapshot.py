"""The corpus as it is published: a copy of corpus.db in which public views are indexed tables of the same names.

    corpus.db → VACUUM INTO → views become tables, queues go → VACUUM INTO → fsync → rename

Every page, query and export works on it as on the live database. What it needs beside: what Datasette would count again
at every request, and the codebook as Datasette takes it. A reader sees the old file or the new one, never half of it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archive.browse.codebook import (
    DATABASE,
    SETTINGS,
    Codebook,
    Table,
    codebook,
    codebook_of,
    configuration,
    merged,
    metadata,
)
from archive.errors import ArchiveError
from archive.paths import database_path, no_database, warc_dir
from archive.seal import file_sha256
from archive.store import Store
from archive.times import Clock, instant, now

RULES_FILE = Path(__file__).with_suffix(".toml")
FILE_NAME = "corpus.db"
INSPECT_NAME = "inspect-data.json"
METADATA_NAME = "metadata.json"
SETTINGS_NAME = "settings.json"

# Each setting that differs from those over the live database, and why.
SNAPSHOT_SETTINGS: dict[str, bool | int] = {
    **SETTINGS,
    "sql_time_limit_ms": 3000,  # 5000: every page of ours takes a tenth of it
    "facet_time_limit_ms": 1000,  # 1500: facets read an index
    "default_cache_ttl": 3600,  # 0: nothing is written to it
}

# What the rules may say of a table, and what Datasette calls it.
_SETTINGS = {"sortable": "sortable_columns", "facets": "facets"}

Step = Callable[[str], object]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """archive/snapshot.toml. `blank` has (table, column) pairs; `without` and what follows `blank` are by table."""

    lookups: tuple[str, ...]
    views: frozenset[str]
    without: dict[str, str]
    drop: tuple[str, ...]
    blank: tuple[tuple[str, str], ...]
    keys: dict[str, str]
    unique: dict[str, tuple[str, ...]]
    indexes: dict[str, tuple[tuple[str, ...], ...]]
    settings: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was published. `made_at` is an instant."""

    path: Path
    made_at: str
    sha256: str
    bytes: int
    reports: int
    facts: int


@cache
def rules() -> Rules:
    tree = tomllib.loads(RULES_FILE.read_text("utf-8"))
    tables: dict[str, dict[str, Any]] = tree["tables"]
    blank = (name.split(".") for name in tree["blank"])
    return Rules(
        lookups=tuple(tree["lookups"]),
        views=frozenset(tree["views"]),
        without=tree["without"],
        drop=tuple(tree["drop"]),
        blank=tuple((table, column) for table, column in blank),
        keys={name: entry["key"] for name, entry in tables.items() if "key" in entry},
        unique={name: tuple(entry["unique"]) for name, entry in tables.items() if "unique" in entry},
        indexes={name: tuple(map(tuple, entry.get("indexes", ()))) for name, entry in tables.items()},
        settings={
            name: {_SETTINGS[key]: entry[key] for key in entry if key in _SETTINGS}
            for name, entry in tables.items()
            if not _SETTINGS.keys().isdisjoint(entry)
        },
    )


def snapshot(data_dir: Path, to: Path, *, clock: Clock = now, step: Step = lambda _: None) -> Snapshot:
    """Publishes the corpus of `data_dir` in the folder `to`; `step` is told what is being done.

    A crawl may be writing meanwhile. Raises ArchiveError when there is no corpus, OSError when it cannot be written.
    """
    source = database_path(data_dir)
    if not source.is_file():
        raise ArchiveError(no_database(data_dir))
    if to.resolve() == data_dir.resolve():
        raise ArchiveError(f"{to}: the snapshot would take the place of the corpus itself; name another folder")
    if warc_dir(to).is_dir() or to.resolve().is_relative_to(warc_dir(data_dir).resolve()):
        raise ArchiveError(f"{to}: the snapshot would lie in an archive's own place; name another folder")
    to.mkdir(parents=True, exist_ok=True)
    made_at = instant(clock())
    draft, whole = to / f".{FILE_NAME}.draft", to / f".{FILE_NAME}.new"
    for leftover in (draft, whole):
        leftover.unlink(missing_ok=True)
    try:
        step("copying the database")
        with Store.open(data_dir) as store:
            store.connection.execute("VACUUM INTO ?", (str(draft),))
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            flatten(connection, version=zlib.crc32(made_at.encode()) >> 1, step=step)
            step("packing")
            connection.execute("VACUUM INTO ?", (str(whole),))
        inspected = inspect(whole)
        with contextlib.closing(sqlite3.connect(whole)) as connection:
            book = codebook_of(connection)
        _fsync(whole)
        whole.replace(to / FILE_NAME)
        for name, tree in _described(book, inspected).items():
            _write(to / name, tree)
        _fsync(to)
    finally:
        for leftover in (draft, whole):
            leftover.unlink(missing_ok=True)
    counts = inspected["tables"]
    _logger.info("snapshot of %s in %s", data_dir, to)
    return Snapshot(
        path=to / FILE_NAME,
        made_at=made_at,
        sha256=inspected["hash"],
        bytes=inspected["size"],
        reports=counts["reports"]["count"],
        facts=counts["facts"]["count"],
    )


def flatten(connection: sqlite3.Connection, *, version: int = 0, step: Step = lambda _: None) -> None:
    """Makes a published database of a copy of corpus.db, in place. `version` becomes its user_version."""
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA legacy_alter_table = ON")
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("BEGIN")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {_quoted(name)}")
    for owner, column in rules().blank:
        if column in _columns(connection, owner):
            connection.execute(f"UPDATE {owner} SET {column} = {_nothing(connection, owner, column)}")  # noqa: S608
    for owner, condition in rules().without.items():
        connection.execute(f"DELETE FROM {owner} WHERE {condition}")  # noqa: S608  our own text
    tables = {table.name: table for table in codebook().tables}
    # In the order of their making: what a view reads is a table by then.
    for name, _ in _views(connection):
        if name in tables and name not in rules().views:
            step(name)
            _become_table(connection, name)
            _index(connection, tables[name])
    for table in tables.values():
        _index(connection, table)
    for name in rules().drop:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    _drop_broken_views(connection)
    connection.execute("ANALYZE")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")


def inspect(path: Path) -> dict[str, Any]:
    """What Datasette would find out about an immutable database: size, digest, rows of every table; and of the views,
    which it does not expect among the tables.
    """
    with contextlib.closing(_read_only(path)) as connection:
        found = connection.execute("SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
        counts: dict[str, dict[str, dict[str, int]]] = {"table": {}, "view": {}}
        for name, kind in found.fetchall():
            if "_fts_" not in name:
                count = connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]  # noqa: S608
                counts[kind][name] = {"count": count}
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    return {
        "hash": file_sha256(path),
        "size": path.stat().st_size,
        "file": FILE_NAME,
        "tables": counts["table"],
        "views": counts["view"],
        "user_version": version,
    }


def is_published(folder: Path) -> bool:
    """Whether a folder's database is a snapshot, which nobody writes to, and not an archive's own."""
    return (folder / INSPECT_NAME).is_file() and not warc_dir(folder).is_dir()


def inspected(folder: Path) -> dict[str, Any] | None:
    """The inspect data beside a snapshot, in Datasette's shape; None when it is of another file or not there."""
    path = folder / FILE_NAME
    try:
        tree = json.loads((folder / INSPECT_NAME).read_text("utf-8"))
        known = tree[DATABASE]["size"], tree[DATABASE]["user_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("%s: rows are counted at every request (%s)", folder / INSPECT_NAME, error)
        return None
    with contextlib.closing(_read_only(path)) as connection:
        found = path.stat().st_size, connection.execute("PRAGMA user_version").fetchone()[0]
    if known != found:
        _logger.warning("%s is of another snapshot: rows are counted at every request", folder / INSPECT_NAME)
        return None
    return {str(name): entry for name, entry in tree.items()}


def _views(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid").fetchall()


def _become_table(connection: sqlite3.Connection, name: str) -> None:
    key, unique = rules().keys.get(name), rules().unique.get(name, ())
    columns = connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
    # An INTEGER PRIMARY KEY is the row's own number.
    declared = [f"{_quoted(row[1])} {row[2]}{' PRIMARY KEY' if row[1] == key else ''}" for row in columns]
    flat, order = _quoted(f"{name}.flat"), ", ".join(_quoted(column) for column in (key, *unique) if column)
    connection.execute(f"CREATE TABLE {flat}({', '.join(declared)})")
    connection.execute(f"INSERT INTO {flat} SELECT * FROM {_quoted(name)} ORDER BY {order or 1}")  # noqa: S608
    connection.execute(f"DROP VIEW {_quoted(name)}")
    connection.execute(f"ALTER TABLE {flat} RENAME TO {_quoted(name)}")
    if unique:
        connection.execute(f"CREATE UNIQUE INDEX {_quoted(f'{name}_unique')} ON {_quoted(name)}({order})")


def _index(connection: sqlite3.Connection, table: Table) -> None:
    """The indexes that a public table lacks."""
    if not _is_table(connection, table.name):
        return
    present = _columns(connection, table.name)
    wanted = [(column,) for column in (table.sort, table.sort_desc, *table.facets, *rules().lookups) if column]
    # Those over several columns first: they also serve their first one.
    for columns in dict.fromkeys((*rules().indexes.get(table.name, ()), *wanted)):
        if not set(columns) <= set(present) or columns in _indexed(connection, table.name):
            continue
        name = _quoted("_".join((table.name, "by", *columns)))
        connection.execute(f"CREATE INDEX {name} ON {_quoted(table.name)}({', '.join(map(_quoted, columns))})")
    connection.execute(f"ANALYZE {_quoted(table.name)}")


def _indexed(connection: sqlite3.Connection, table: str) -> set[tuple[str, ...]]:
    """Column lists for which there is an index already, and all that begin one."""
    found: set[tuple[str, ...]] = set()
    lists = [
        [row[2] for row in connection.execute(f"PRAGMA index_info({_quoted(index[1])})")]
        for index in connection.execute(f"PRAGMA index_list({_quoted(table)})").fetchall()
        if not index[4]
    ]
    key = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})") if row[5]]
    for columns in [*lists, key]:
        found.update(tuple(columns[:length]) for length in range(1, len(columns) + 1))
    return found


def _drop_broken_views(connection: sqlite3.Connection) -> None:
    """Views that read what is gone now, or that nobody is told of."""
    for name, _ in _views(connection):
        try:
            connection.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 0")  # noqa: S608  our own names
        except sqlite3.OperationalError:
            connection.execute(f"DROP VIEW {_quoted(name)}")


def _nothing(connection: sqlite3.Connection, table: str, column: str) -> str:
    """What stands for nothing in a column: NULL, or its default where that is not allowed."""
    row = next(row for row in connection.execute(f"PRAGMA table_info({table})") if row[1] == column)
    return (row[4] or "''") if row[3] else "NULL"


def _is_table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def table_settings() -> dict[str, Any]:
    """What Datasette is told of a snapshot's tables beside the codebook, in the shape of its configuration."""
    return {"databases": {DATABASE: {"tables": rules().settings}}}


def _described(book: Codebook, inspected: dict[str, Any]) -> dict[str, object]:
    return {
        METADATA_NAME: merged(merged(metadata(book), configuration(book)), table_settings()),
        SETTINGS_NAME: SNAPSHOT_SETTINGS,
        INSPECT_NAME: {DATABASE: inspected},
    }


def _write(path: Path, tree: object) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(tree, ensure_ascii=False, indent=1) + "\n", "utf-8")
    _fsync(temporary)
    temporary.replace(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
